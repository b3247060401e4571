"""Time: the only clock, instants, a tenant's days, and the named date ranges.

Inside, an instant is an integer of microseconds since 1970 in UTC; at the edges, a day is a
date in the tenant's time zone. docs/metrics.md ("Days") defines the presets.
"""

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pulse.zone_names import ZONE_NAMES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = date(1990, 1, 1)
"""The first day of which events are accepted: the raw tables' partitions begin here."""
SECOND = 1_000_000
DAY = 86_400 * SECOND
ONE_DAY = timedelta(days=1)

Remaining = Callable[[], float]
"""Returns how many seconds are left for the work."""

WEEK_STARTS = {"monday": 0, "sunday": 6}
GRANULARITIES = ("total", "day", "week", "month")

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _system_clock() -> datetime:
    return datetime.now(UTC)


_clock: Callable[[], datetime] = _system_clock


def now() -> datetime:
    """The present instant, in UTC: the one place where Pulse reads a clock."""
    return _clock()


@contextmanager
def clock(source: Callable[[], datetime]) -> Iterator[None]:
    """Within the block `now()` is what `source` returns, so that jobs can run for any moment."""
    global _clock
    before, _clock = _clock, source
    try:
        yield
    finally:
        _clock = before


def now_us() -> int:
    """The present instant as microseconds since 1970, UTC."""
    return to_us(now())


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exactly (no float on the way)."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


def iso(us: int) -> str:
    """RFC 3339 in UTC, to the second, with microseconds only if there are any."""
    return from_us(us).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time, which must name its offset.

    Digits beyond the microsecond are cut. Raises ValueError for anything else, a leap second,
    and an instant that does not fit into the years 1 to 9999 in UTC.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError("not an RFC 3339 time with an offset, such as 2026-11-20T14:03:00+01:00")
    day, clock_time, fraction, offset = match.groups()
    offset = "+00:00" if offset in "Zz" else offset
    micros = (fraction or "0")[:6].ljust(6, "0")
    try:
        moment = datetime.fromisoformat(f"{day}T{clock_time}.{micros}{offset}").astimezone(UTC)
        return to_us(moment)
    except OverflowError as error:
        raise ValueError("outside of the years 1 to 9999") from error


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone of one of ZONE_NAMES. Raises ValueError for any other text."""
    if name not in ZONE_NAMES:
        raise ValueError(f"unknown time zone {name!r}")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"this machine lacks the time zone {name!r}") from error


def local_day(us: int, timezone: str) -> date:
    """The tenant's calendar day on which the instant falls."""
    return datetime.fromtimestamp(us // 1_000_000, zone(timezone)).date()


def noon(day: date, timezone: str) -> int:
    """Noon of a tenant's day, which is stored if only the day of an event is known.

    It is on the same day in neighbouring time zones, too.
    """
    return to_us(datetime.combine(day, time(12), zone(timezone)).astimezone(UTC))


def today(timezone: str) -> date:
    """The tenant's present day."""
    return local_day(now_us(), timezone)


@dataclass(frozen=True)
class DateRange:
    """Whole days of a tenant, both ends included; `preset` is the preset that they come from."""

    start: date
    end: date
    preset: str | None = None

    def __iter__(self) -> Iterator[date]:
        """Each of its days, in order."""
        return (self.start + timedelta(days=at) for at in range(self.days))

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    @property
    def years(self) -> range:
        """The calendar years that it touches."""
        return range(self.start.year, self.end.year + 1)

    def shown_on(self, day: date) -> date:
        """The day on which what happened on one of its days is shown: that day itself."""
        return day


@dataclass(frozen=True)
class ComparedRange(DateRange):
    """Days that others are compared with; each is shown on the day that it stands beside.

    That is the same date so many months later (the month's last where it has no such date), or so
    many days later. What would lie outside of the range asked for is shown on its first or last
    day, so that every day stands beside one.
    """

    beside: DateRange = field(kw_only=True)
    months: int = 0
    later: int = 0

    def shown_on(self, day: date) -> date:
        """The day of the range asked for that this one stands beside."""
        shown = _same_date(day, self.months) if self.months else day + timedelta(days=self.later)
        return min(max(shown, self.beside.start), self.beside.end)


def ranges(found: Iterable[date], most: int) -> tuple[DateRange, ...]:
    """The days as at most `most` ranges, in order.

    If they need more, the last range also covers the days between, so that none is left out.
    """
    made: list[DateRange] = []
    for day in sorted(found):
        if made and (day - made[-1].end <= ONE_DAY or len(made) == most):
            made[-1] = DateRange(made[-1].start, day)
        else:
            made.append(DateRange(day, day))
    return tuple(made)


def period_start(day: date, granularity: str, week_start: str = "monday") -> date:
    """The first day of the day, week or month that `day` lies in."""
    if granularity == "day":
        return day
    if granularity == "week":
        return day - timedelta(days=(day.weekday() - WEEK_STARTS[week_start]) % 7)
    if granularity == "month":
        return day.replace(day=1)
    raise ValueError(f"no period of granularity {granularity!r}")


def periods(dates: DateRange, granularity: str, week_start: str = "monday") -> list[date]:
    """The first day of each day, week or month that the range touches, in order."""
    first = period_start(dates.start, granularity, week_start)
    last = period_start(dates.end, granularity, week_start)
    if granularity == "month":
        months = (last.year - first.year) * 12 + last.month - first.month
        return [_add_months(first, month) for month in range(months + 1)]
    step = 7 if granularity == "week" else 1
    return [first + timedelta(days=day) for day in range(0, (last - first).days + 1, step)]


def period_length(first: date, granularity: str) -> int:
    """How many days the day, week or month has that begins on `first`."""
    if granularity == "month":
        return monthrange(first.year, first.month)[1]
    return 7 if granularity == "week" else 1


def days_by_period(
    dates: DateRange, granularity: str, week_start: str = "monday"
) -> Mapping[date, int]:
    """How many days of the range are shown in each day, week or month, by its first day."""
    return Counter(period_start(dates.shown_on(day), granularity, week_start) for day in dates)


def shown_apart(dates: DateRange, granularity: str, week_start: str = "monday") -> list[date]:
    """The days of the range that begin another day, week or month than the day before them."""
    found: list[date] = []
    shown = None
    for day in dates:
        period = period_start(dates.shown_on(day), granularity, week_start)
        if period != shown:
            found.append(day)
        shown = period
    return found


def _add_months(day: date, months: int) -> date:
    """The first of the month that lies `months` after the month that `day` is in."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _same_date(day: date, months: int) -> date:
    """The same date so many months later, or that month's last day where it has no such date."""
    first = _add_months(day, months)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))


def _unit(day: date, unit: str, week_start: str) -> tuple[date, date]:
    """First and last day of the calendar week, month, quarter or year around `day`."""
    if unit == "week":
        first = period_start(day, "week", week_start)
        return first, first + timedelta(days=6)
    months = _MONTHS[unit]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, _add_months(first, months) - ONE_DAY


_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_UNITS = ("week", *_MONTHS)
_ROLLING = (7, 14, 28, 30, 90)
_ROLLING_TO_DATE = (7, 30)
_WHOLE_MONTHS = (3, 12)

PRESETS: tuple[str, ...] = (
    "today",
    "yesterday",
    *(name for unit in _UNITS for name in (f"this_{unit}", f"last_{unit}", f"{unit}_to_date")),
    *(f"last_{n}_days" for n in _ROLLING),
    *(f"last_{n}_days_to_date" for n in _ROLLING_TO_DATE),
    *(f"last_{n}_months" for n in _WHOLE_MONTHS),
    "all_time",
)
DEFAULT_PRESET = "last_28_days"


def resolve_preset(
    preset: str, today: date, *, week_start: str = "monday", first_day: date | None = None
) -> DateRange:
    """The days that a preset means on the tenant's day `today`.

    `first_day` is the tenant's first day with data, where `all_time` begins (without data it is
    today). Raises ValueError for a preset that docs/metrics.md does not list.
    """
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}")
    start, end = _resolve(preset, today, week_start, first_day or today)
    return DateRange(start, end, preset)


def _resolve(preset: str, today: date, week_start: str, first_day: date) -> tuple[date, date]:
    yesterday = today - ONE_DAY
    if preset == "today":
        return today, today
    if preset == "yesterday":
        return yesterday, yesterday
    if preset == "all_time":
        return min(first_day, today), today
    words = preset.split("_")
    if words[0] == "this":
        return _unit(today, words[1], week_start)
    if words[1:] == ["to", "date"]:
        return _unit(today, words[0], week_start)[0], today
    if words[1] in _UNITS:
        before = _unit(today, words[1], week_start)[0] - ONE_DAY
        return _unit(before, words[1], week_start)
    n = int(words[1])
    if words[2] == "months":
        first = today.replace(day=1)
        return _add_months(first, -n), first - ONE_DAY
    end = today if words[-1] == "date" else yesterday
    return end - timedelta(days=n - 1), end


# -- what a range is compared with (docs/metrics.md, "Comparison")


def previous_period(dates: DateRange) -> ComparedRange:
    """The days before: as many, or for a calendar preset the calendar unit before.

    For a to-date preset these are as many days of the unit before as have passed of the present
    one, or all of it if it is shorter. Raises ValueError for all_time, before which there is none.
    """
    _refuse_all_time(dates)
    just_before = dates.start - ONE_DAY
    months, later = _length(dates)
    start = _add_months(dates.start, -months) if months else dates.start - timedelta(days=later)
    end = just_before
    if (dates.preset or "").endswith("_to_date"):
        end = min(start + timedelta(days=dates.days - 1), just_before)
    return ComparedRange(start, end, beside=dates, months=months, later=later)


def _length(dates: DateRange) -> tuple[int, int]:
    """How long the period is whose beginning is compared: months, or days where it has none."""
    match (dates.preset or "").split("_"):
        case ["this" | "last", "week"] | ["week", "to", "date"]:
            return 0, 7
        case ["this" | "last", unit] | [unit, "to", "date"] if unit in _MONTHS:
            return _MONTHS[unit], 0
        case ["last", months, "months"]:
            return int(months), 0
        case _:
            return 0, dates.days


def previous_year(dates: DateRange) -> ComparedRange:
    """The same dates a year before; 29 February becomes the 28th. ValueError for all_time."""
    _refuse_all_time(dates)
    start, end = _same_date(dates.start, -12), _same_date(dates.end, -12)
    return ComparedRange(start, end, beside=dates, months=12)


def _refuse_all_time(dates: DateRange) -> None:
    if dates.preset == "all_time":
        raise ValueError("nothing came before all_time")


COMPARISONS: Mapping[str, Callable[[DateRange], ComparedRange]] = {
    "previous_period": previous_period,
    "previous_year": previous_year,
}
