"""Reads times as spreadsheets and databases write them, without guessing.

2026-11-20T14:03:00+01:00   an instant already
2026-11-20 14:03[:00]       the time zone's local time; in the autumn hour that comes twice,
                            its first occurrence, unless another time of its row comes later
                            than that; in the spring hour that is skipped, an error
2026-11-20                  that day, and no more is known of the time
2026/11/20, 2026.4.3 9:05   the same: nobody writes the day after the year
2026-11-20 2:03 PM          a clock of twelve hours; 2026-11-20 14:03:00.1234567 is cut to the
                            microsecond
03/04/2026                  March or April? an error, until a format is named (time_format.py)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pulse import days
from pulse.cli.time_format import plain_halves, time_format

_NOON = time(12)
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)
_ISO_OFFSET = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)? ?(UTC|[Zz]|[+-]\d\d(?::?\d\d)?)",
    re.ASCII,
)
_YEAR_FIRST = re.compile(
    r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?:[Tt ](\d{1,2})(:.*))?", re.ASCII | re.DOTALL
)
_YEAR_LAST = re.compile(
    r"\d{1,2}([/.-])\d{1,2}\1(\d{4}|\d{2})(?!\d)([T ]|, )?.*", re.ASCII | re.DOTALL
)
_TWELVE_HOURS = re.compile(
    r"(\d{4}-\d\d-\d\d[T ])(\d{1,2})((?::\d\d){1,2}(?:\.\d{1,9})?) ?([AaPp])[Mm](.*)",
    re.ASCII | re.DOTALL,
)
_CLOCKS = (
    *("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M:%S.%f %p"),
    *("%I:%M%p", "%I:%M:%S%p"),
)
_OFFSETS = ("", "%z", " %z", " %Z")


class Told(NamedTuple):
    """The time in a text."""

    us: int
    """Microseconds since 1970; noon where only the day is known."""
    day: date | None = None
    """The day, if no more is known."""
    later_us: int | None = None
    """The second instant of a local time that comes twice."""


@dataclass(frozen=True)
class NamedFormat:
    """A format of strptime, and its order in words."""

    first: str
    format: str


class TimeFormatError(ValueError):
    """A date whose order is not known; `formats` are those in which it is a time."""

    def __init__(self, text: str, formats: tuple[NamedFormat, ...]) -> None:
        firsts = " or ".join(f"{one.first} first" for one in formats)
        super().__init__(f"{text!r} can be read {firsts}")
        self.formats = formats


class SkippedTimeError(ValueError):
    """A local time that the clocks jumped over."""


@dataclass(frozen=True)
class TimeReader:
    """Reads one column. Local times are those of `timezone`; `date_format` is the only one."""

    timezone: str
    date_format: str | None = None

    def read(self, text: str) -> int:
        """The moment in a text, as microseconds since 1970. Raises the errors of `told`."""
        return self.told(text).us

    def told(self, text: str) -> Told:
        """The time in a text.

        Raises TimeFormatError if the order of day and month is not known, SkippedTimeError for a
        local time that does not exist, and ValueError if it is no time.
        """
        try:
            if self.date_format:
                return self._formatted(self.date_format, text)
            return self._iso(text)
        except OverflowError as error:
            raise ValueError("outside of the years 1 to 9999") from error

    def _iso(self, text: str) -> Told:
        text = _twenty_four(_year_first(plain_halves(text)))
        if _ISO_DAY.fullmatch(text):
            return self._day(date.fromisoformat(text))
        if _ISO_LOCAL.fullmatch(text):
            return self._instant(datetime.fromisoformat(text))
        if match := _ISO_OFFSET.fullmatch(text):
            day, minute, second, offset = match.groups()
            written = f"{day}T{minute}{second or ':00'}{_whole_offset(offset)}"
            return Told(days.parse_instant(written))
        if formats := tuple(_possible_formats(text)):
            raise TimeFormatError(text, formats)
        raise ValueError(f"{text!r} is no time")

    def _formatted(self, date_format: str, text: str) -> Told:
        moment = time_format(date_format).read(text, days.zone(self.timezone))
        if not isinstance(moment, datetime):
            return self._day(moment)
        if moment.tzinfo is None:
            return self._instant(moment)
        if isinstance(moment.tzinfo, ZoneInfo):  # its own local time may have been skipped, too
            return TimeReader(moment.tzinfo.key)._instant(moment.replace(tzinfo=None))
        return Told(days.to_us(moment.astimezone(UTC)))

    def _day(self, day: date) -> Told:
        return self._instant(datetime.combine(day, _NOON))._replace(day=day)

    def _instant(self, local: datetime) -> Told:
        """The instant of a local time; of two, the first (`fold` being 0) and the second."""
        zone = days.zone(self.timezone)
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) != local:
            raise SkippedTimeError(f"{local} does not exist in {self.timezone}")
        us = days.to_us(moment)
        later_us = days.to_us(local.replace(tzinfo=zone, fold=1).astimezone(UTC))
        return Told(us, later_us=later_us if later_us > us else None)


def _year_first(text: str) -> str:
    """A text that begins with its year as ISO 8601 writes it; any other as it is."""
    match = _YEAR_FIRST.fullmatch(text)
    if not match:
        return text
    year, _, month, day, hour, rest = match.groups()
    return f"{year}-{month:0>2}-{day:0>2}" + (f" {hour:0>2}{rest}" if hour else "")


def _twenty_four(text: str) -> str:
    """A text with AM or PM behind its clock by a clock of 24 hours; any other as it is."""
    match = _TWELVE_HOURS.fullmatch(text)
    if not match or not 1 <= int(match[2]) <= 12:
        return text
    day, hour, rest, half, offset = match.groups()
    return f"{day}{int(hour) % 12 + 12 * (half in 'Pp'):02}{rest}{offset}"


def _possible_formats(text: str) -> Iterator[NamedFormat]:
    """For each order of day, month and year in which the text is a time: its format."""
    match = _YEAR_LAST.fullmatch(text)
    if not match:
        return
    separator, year, gap = match.groups()
    orders = {"day": "%d_%m_%Y", "month": "%m_%d_%Y"}
    if len(year) == 2:
        orders = {"day": "%d_%m_%y", "month": "%m_%d_%y", "year": "%y_%m_%d"}
    clocks = [gap + clock + offset for clock in _CLOCKS for offset in _OFFSETS] if gap else [""]
    for first, order in orders.items():
        for clock in clocks:
            named = order.replace("_", separator) + clock
            if _fits(text, named):
                yield NamedFormat(first, named)
                break


def _fits(text: str, date_format: str) -> bool:
    try:
        time_format(date_format).read(text)
    except ValueError:
        return False
    return True


def _whole_offset(offset: str) -> str:
    """An offset as RFC 3339 wants it: Z, +01:00."""
    if offset in ("UTC", "Z", "z"):
        return "Z"
    digits = offset[1:].replace(":", "").ljust(4, "0")
    return f"{offset[0]}{digits[:2]}:{digits[2:]}"
