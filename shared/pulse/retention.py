"""How long raw is kept: by the day of an event, never by the age of an object.

ingest rejects older events. write_raw sets aside those that have become too old on their way.
"""

from datetime import date, timedelta

from pulse import days


def first_kept_day(retention_days: int) -> date:
    """The first day whose events are kept, if they are kept for so many days; 0 is for ever.

    It is the same day for all tenants, by UTC, because ingest, write_raw and housekeep must agree.
    """
    if not retention_days:
        return date.min
    return days.today("UTC") - timedelta(days=retention_days)


_EXPIRED = "the day {} is older than what is kept"
_BEGINNING, _END = _EXPIRED.split("{}")


def expired(day: date) -> str:
    """The reason for which an event of a day that raw no longer keeps is set aside."""
    return _EXPIRED.format(day)


def says_expired(reason: str) -> bool:
    """Whether the reason is one that `expired` gives."""
    return reason.startswith(_BEGINNING) and reason.endswith(_END)
