"""Times as spreadsheets and databases write them, told as instants without ever guessing.

2026-11-20T14:03:00+01:00   an instant already
2026-11-20 14:03[:00]       the time zone's local time; in the autumn hour that comes twice,
                            its first occurrence; in the spring hour that is skipped, an error
2026-11-20                  that day's noon: whoever reads it from a neighbouring zone sees
                            the same day
2026/11/20, 2026.4.3 9:05   the same: nobody writes the day after the year
03/04/2026                  March or April? an error, until a format (strptime) is named; UTC and
                            GMT in it are what they say, other names of zones are no time
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time

from pulse import days

_NOON = time(12)
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
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
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_OFFSETS = ("", "%z", " %z", " %Z")
_DIRECTIVE_OR_ZONE = re.compile(r"%.|UTC|GMT")
_ZONE = re.compile(r"\b(?:UTC|GMT|Z)\b")
_CLOCK_DIRECTIVES = {"%H", "%I", "%M", "%S", "%p", "%f", "%c", "%X", "%T", "%R", "%r"}
_PROBE = datetime(2001, 11, 23, 14, 5, 6, tzinfo=UTC)


@dataclass(frozen=True)
class NamedFormat:
    """A format of strptime, and what it says comes first."""

    first: str
    format: str


class TimeFormatError(ValueError):
    """Numbers whose order nobody has named; `formats` are those in which they are a time."""

    def __init__(self, text: str, formats: tuple[NamedFormat, ...]) -> None:
        firsts = " or ".join(f"{one.first} first" for one in formats)
        super().__init__(f"{text!r} can be read {firsts}")
        self.formats = formats


class SkippedTimeError(ValueError):
    """A local time that the clocks jumped over."""


def check_date_format(date_format: str) -> None:
    """Raise ValueError unless it is a format of strptime that names a day of a year."""
    read = _parsed(_PROBE.strftime(date_format), date_format)
    if read.date() != _PROBE.date():
        raise ValueError("it does not name the year, the month and the day")


@dataclass(frozen=True)
class TimeReader:
    """Reads one column. Local times are those of `timezone`; `date_format` is the only one."""

    timezone: str
    date_format: str | None = None

    def read(self, text: str) -> int:
        """The instant that a text means, as microseconds since 1970.

        Raises TimeFormatError where the order of day and month is not known, SkippedTimeError
        for a local time that does not exist, ValueError where it is no time at all.
        """
        try:
            return self._formatted(text) if self.date_format else self._iso(text)
        except OverflowError as error:
            raise ValueError("outside of the years 1 to 9999") from error

    def _iso(self, text: str) -> int:
        text = _year_first(text)
        if _ISO_DAY.fullmatch(text):
            return self._instant(datetime.combine(datetime.fromisoformat(text), _NOON))
        if _ISO_LOCAL.fullmatch(text):
            return self._instant(datetime.fromisoformat(text))
        if match := _ISO_OFFSET.fullmatch(text):
            day, minute, second, offset = match.groups()
            return days.parse_instant(f"{day}T{minute}{second or ':00'}{_whole_offset(offset)}")
        if formats := tuple(_possible_formats(text)):
            raise TimeFormatError(text, formats)
        raise ValueError(f"{text!r} is no time")

    def _formatted(self, text: str) -> int:
        date_format = self.date_format or ""
        moment = _parsed(text, date_format)
        if moment.tzinfo is not None:
            return days.to_us(moment.astimezone(UTC))
        if _CLOCK_DIRECTIVES.isdisjoint(re.findall("%.", date_format)):
            moment = datetime.combine(moment, _NOON)
        return self._instant(moment)

    def _instant(self, local: datetime) -> int:
        """The instant of a local time; of two, the first (`fold` being 0)."""
        zone = days.zone(self.timezone)
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) != local:
            raise SkippedTimeError(f"{local} does not exist in {self.timezone}")
        return days.to_us(moment)


def _parsed(text: str, date_format: str) -> datetime:
    """What strptime makes of the text: aware where the format tells an offset or a zone.

    strptime itself forgets a zone's name, so that UTC would be read as the local time.
    """
    told = _DIRECTIVE_OR_ZONE.sub(
        lambda found: "%z" if found[0] in ("%Z", "UTC", "GMT") else found[0], date_format
    )
    if told != date_format:
        text = _ZONE.sub("+0000", text)
    return datetime.strptime(text, told)  # noqa: DTZ007 # naive where it is the reader's local time


def _year_first(text: str) -> str:
    """A text that begins with its year as ISO 8601 writes it; any other as it is."""
    match = _YEAR_FIRST.fullmatch(text)
    if not match:
        return text
    year, _, month, day, hour, rest = match.groups()
    return f"{year}-{month:0>2}-{day:0>2}" + (f" {hour:0>2}{rest}" if hour else "")


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
        _parsed(text, date_format)
    except ValueError:
        return False
    return True


def _whole_offset(offset: str) -> str:
    """An offset as RFC 3339 wants it: Z, +01:00."""
    if offset in ("UTC", "Z", "z"):
        return "Z"
    digits = offset[1:].replace(":", "").ljust(4, "0")
    return f"{offset[0]}{digits[:2]}:{digits[2:]}"
