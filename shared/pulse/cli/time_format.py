"""A format that says how a file writes its times: one of strptime's, or the name of a count.

%d/%m/%Y %H:%M      what Python's strptime reads; %p also reads a.m. and p. m., %f up to nine digits
…%SZ, … GMT+2       a zone or an offset that stands in the format as it is: all of the file's times
                    are told in it (GMT+2 is east of Greenwich, as people mean it)
…%Z                 UTC, GMT, Z, an offset to them, a zone of IANA's such as Europe/Berlin, or what
                    the file's own zone calls its time then, as CST and CDT in America/Chicago;
                    any other name is no time, since CST is three zones
…%z %Z              the offset counts, and the name is not looked at
unix, unix_ms       seconds or milliseconds since 1970, in UTC
excel               days since 1899-12-30, as spreadsheets count them, in local time
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache

from pulse import days

_COUNTS = ("unix", "unix_ms", "excel")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 # a spreadsheet's clock has no zone
_TOKEN = re.compile(r"%.|[^%]+", re.DOTALL)
_CLOCK = {"%H", "%I", "%M", "%S", "%p", "%f", "%c", "%X", "%T", "%R", "%r"}
_OFFSET = r"[+-]\d{1,2}(?::?\d\d)?"
_LITERAL_ZONE = re.compile(
    rf"\b(?:UTC|GMT) ?{_OFFSET}(?!\d)"
    r"|[A-Z][A-Za-z_]+(?:/[A-Za-z_]+(?:[+-]\d+)?)+"
    r"|(?<![A-Za-z])(?:[A-Z]{3,5}|Z)\b"
    rf"|{_OFFSET}(?!\d)"
)
_WORD = r"[A-Za-z][A-Za-z_]*(?:/[A-Za-z_]+(?:[+-]\d+)?)*"
_NAME = re.compile(_WORD)
_NAME_OR_SHIFT = re.compile(rf"(?:UTC|GMT) ?{_OFFSET}(?!\d)|{_WORD}")
_SHIFTED = re.compile(r"(?:UTC|GMT)? ?([+-])(\d{1,2}):?(\d\d)?")
_HALF = re.compile(r"(?<![A-Za-z])([AaPp])\. ?[Mm]\.?(?![A-Za-z])")
_LONG_FRACTION = re.compile(r"(\d{6})\d{1,3}(?!\d)")
_PLACE = "\x01"
"""Stands for a zone's name in format and text: no file has it."""
_PROBE = datetime(2001, 11, 23, 14, 5, 6, tzinfo=UTC)


@dataclass(frozen=True)
class TimeFormat:
    """A format that was read; `zone` is the time zone that is written in it."""

    text: str
    told: str
    """As strptime gets it."""
    zone: tzinfo | None = None
    has_clock: bool = True

    def read(self, text: str, own: tzinfo = UTC) -> datetime | date:
        """The time in a text: a date alone, a local time, or an aware time if it names a zone.

        `own` is the file's zone. Raises ValueError if the text is not in this format.
        """
        if self.text in _COUNTS:
            return _counted(text, self.text)
        moment = self._parsed(text, own)
        if moment.tzinfo is None and self.zone is not None:
            moment = moment.replace(tzinfo=self.zone)
        return moment if self.has_clock or moment.tzinfo else moment.date()

    def _parsed(self, text: str, own: tzinfo) -> datetime:
        text = plain_halves(text)
        if "%f" in self.told:
            text = _LONG_FRACTION.sub(r"\1", text)
        if _PLACE not in self.told:
            return datetime.strptime(text, self.told)  # noqa: DTZ007 # naive where it is local time
        names = _NAME if "%z" in self.told else _NAME_OR_SHIFT
        for found in reversed(list(names.finditer(text))):
            placed = f"{text[: found.start()]}{_PLACE}{text[found.end() :]}"
            try:
                moment = datetime.strptime(placed, self.told)  # noqa: DTZ007 # as above
                return moment if moment.tzinfo else _in_zone(moment, found[0], own)
            except ValueError:
                continue
        raise ValueError(f"time data {text!r} does not match format {self.text!r} in a known zone")


@lru_cache(maxsize=256)
def time_format(text: str) -> TimeFormat:
    """The format that a text means.

    Raises ValueError unless it names a day of a year, and for a zone in it that is not known.
    """
    if text in _COUNTS:
        return TimeFormat(text, text)
    directives = re.findall("%.", text)
    told = text.replace("%Z", _PLACE)
    zone = None if {"%z", "%Z"} & set(directives) else _literal_zone(text)
    made = TimeFormat(text, told, zone, not _CLOCK.isdisjoint(directives))
    try:
        read = made.read(_PROBE.strftime(text))
    except re.error as error:  # strptime makes a pattern of it
        raise ValueError("it names a part of the time twice") from error
    if (read.date() if isinstance(read, datetime) else read) != _PROBE.date():
        raise ValueError("it does not name the year, the month and the day")
    return made


def plain_halves(text: str) -> str:
    """The text with AM and PM for a.m. and p. m., as Spain and some tools write them."""
    return _HALF.sub(lambda found: f"{found[1].upper()}M", text)


def _in_zone(local: datetime, name: str, own: tzinfo) -> datetime:
    """The local time in the zone of that name. Raises ValueError for an unknown one."""
    try:
        return local.replace(tzinfo=named_zone(name))
    except ValueError:
        for fold in (0, 1):  # in an hour that comes twice the name tells which is meant
            moment = local.replace(tzinfo=own, fold=fold)
            offset = moment.utcoffset()
            if moment.tzname() == name and offset is not None:
                return local.replace(tzinfo=timezone(offset))
        raise


def named_zone(name: str) -> tzinfo:
    """UTC, GMT, Z, an offset with or without them, or one of IANA's. Raises ValueError."""
    if name in ("UTC", "GMT", "Z", "z"):
        return UTC
    if shifted := _SHIFTED.fullmatch(name):
        sign, hours, minutes = shifted.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset >= days.ONE_DAY or int(minutes or 0) > 59:
            raise ValueError(f"no offset {name!r}")
        return timezone(-offset if sign == "-" else offset)
    try:
        return days.zone(name)
    except ValueError as error:
        raise ValueError(
            f"the zone {name!r} is not known: write UTC, GMT, Z, an offset such as +01:00, or a "
            "name such as Europe/Berlin"
        ) from error


def _literal_zone(text: str) -> tzinfo | None:
    """The zone that stands in a format behind its clock. Raises ValueError for an unknown one."""
    zones = list(_literal_zones(text))
    if len(zones) > 1:
        raise ValueError("it names two zones")
    return zones[0] if zones else None


def _literal_zones(text: str) -> Iterator[tzinfo]:
    seen: set[str] = set()
    for token in _TOKEN.findall(text):
        if token.startswith("%"):
            seen.add(token)
        elif seen & _CLOCK:
            for found in _LITERAL_ZONE.findall(token):
                yield named_zone(found)


def _counted(text: str, unit: str) -> datetime | date:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number")
    number = Decimal(text)
    try:
        if unit == "excel":
            if number == number.to_integral_value():
                return (_EXCEL_EPOCH + timedelta(days=int(number))).date()
            # a spreadsheet's number holds a moment to the millisecond
            return _EXCEL_EPOCH + timedelta(milliseconds=round(number * 86_400_000))
        return days.from_us(int(number * (1_000_000 if unit == "unix" else 1_000)))
    except OverflowError as error:
        raise ValueError("outside of the years 1 to 9999") from error
