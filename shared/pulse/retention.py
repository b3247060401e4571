"""How long raw is kept: by the day that an event belongs to, never by the age of an object.

ingest refuses what is older. What grows too old on its way is set aside by write_raw.
"""

from datetime import date, timedelta

from pulse import days


def first_kept_day(retention_days: int) -> date:
    """The earliest day of which raw is kept for so many days, 0 being for ever.

    One day for all tenants, by UTC: ingest, write_raw and housekeep must mean the same.
    """
    if not retention_days:
        return date.min
    return days.today("UTC") - timedelta(days=retention_days)


_EXPIRED = "the day {} is older than what is kept"
_BEGINNING, _END = _EXPIRED.split("{}")


def expired(day: date) -> str:
    """Why an event of the day is set aside, where raw no longer keeps that day."""
    return _EXPIRED.format(day)


def says_expired(reason: str) -> bool:
    """Was something set aside for a reason that `expired` gives?"""
    return reason.startswith(_BEGINNING) and reason.endswith(_END)
