"""How long raw is kept: by the day that an event belongs to, never by the age of an object."""

from datetime import date, timedelta

from pulse import days


def first_kept_day(retention_days: int) -> date:
    """The earliest day of which raw is kept for so many days, 0 being for ever.

    One day for all tenants, by UTC: write_raw and housekeep must mean the same.
    """
    if not retention_days:
        return date.min
    return days.today("UTC") - timedelta(days=retention_days)
