"""Makes an event of docs/http.md from a row of a file: which cell is which field, how it is read.

The rules for values are the interface's, so that each exists once. Here a row is rejected only if
the text of a cell cannot be read as the kind of its field.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from pulse import days
from pulse.cli.exits import WrongUseError
from pulse.cli.notation import Notation
from pulse.cli.posting import BatchRoute
from pulse.cli.table import MomentCell, NumberCell, Row, TableFile
from pulse.cli.times import SkippedTimeError, TimeFormatError, TimeReader, Told
from pulse.csv_cells import unguard
from pulse.errors import FieldError, PulseError
from pulse.ingest.reader import ItemReader
from pulse.streams.fields import Kind as FieldKind
from pulse.streams.fields import Stream

Event = dict[str, Any]
"""An item of the interface."""

Read = Callable[[str, str, Notation], Any]
"""Reads a field's value from its name and its cell's text. Raises RowError, TimeFormatError."""

Source = Callable[[Row], str]
"""Gives a field's text in a row."""

_TYPED = (NumberCell, MomentCell)
_WHOLE = re.compile(r"([+-]?\d{1,18})(\.0+)?")
_TRUTHS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}


class RowError(PulseError):
    """A row that is not sent; `fault` says why, in the interface's form."""

    def __init__(self, name: str, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = FieldError(name, code, message)


# -- how cells are read


def as_text(name: str, text: str, notation: Notation) -> str:
    """The text unchanged."""
    return text


def as_trimmed(name: str, text: str, notation: Notation) -> str:
    """The text without white space around it."""
    return text.strip()


def as_number(name: str, text: str, notation: Notation) -> str:
    """A number, as a text so that it is not rounded."""
    return _number(name, "not_number", text, notation)


def as_whole(name: str, text: str, notation: Notation) -> int:
    """A whole number; spreadsheets also write 9.0, and surveys `9 - Very likely`."""
    number = notation.without_label(text)
    match = _WHOLE.fullmatch(_number(name, "not_whole_number", number, notation))
    if not match:
        raise RowError(name, f"{name}_not_whole_number", f"{text!r} is not a whole number.")
    return int(match[1])


def _number(name: str, fault: str, text: str, notation: Notation) -> str:
    try:
        return notation.number(text)
    except ValueError as error:
        raise RowError(name, f"{name.rpartition('.')[2]}_{fault}", f"{error}.") from error


def as_truth(name: str, text: str, notation: Notation) -> bool:
    """True or false, in the ways in which programs and people write it."""
    truth = _TRUTHS.get(text.strip().lower())
    if truth is None:
        message = f"{text!r} is none of {', '.join(_TRUTHS)}."
        raise RowError(name, f"{name}_not_boolean", message)
    return truth


class WrittenTime(str):
    """A time in the interface's form: a moment as RFC 3339, or a day."""

    __slots__ = ("day", "instant_us", "later_us")
    day: date | None
    """The day, if only that is known."""
    instant_us: int
    """The moment, or the day's noon (UTC, microseconds)."""
    later_us: int | None
    """The second moment of a local time that comes twice."""

    @classmethod
    def of(cls, told: Told) -> Self:
        """The time that was read from a cell."""
        written = cls(told.day or days.iso(told.us))
        written.day, written.instant_us, written.later_us = told.day, told.us, told.later_us
        return written


def instant_of(moment: str) -> int:
    """The microseconds since 1970 of an event's time; for a day alone those of its noon."""
    return moment.instant_us if isinstance(moment, WrittenTime) else days.parse_instant(moment)


def day_of(moment: str, timezone: str) -> date:
    """The tenant's day of an event's time."""
    if isinstance(moment, WrittenTime) and moment.day is not None:
        return moment.day
    return days.local_day(instant_of(moment), timezone)


def as_moment(name: str, text: str, notation: Notation) -> str:
    """The time as a WrittenTime."""
    try:
        times = notation.times
        if isinstance(text, MomentCell):  # ISO 8601, whatever the file's format of times
            times = TimeReader(times.timezone)
        return WrittenTime.of(times.told(text.strip()))
    except TimeFormatError:
        raise
    except SkippedTimeError as error:
        raise RowError(name, f"{name}_skipped", f"{error}.") from error
    except ValueError as error:
        form = (
            notation.times.date_format
            or "RFC 3339 or ISO 8601; name others by --date-format, also unix"
        )
        raise RowError(
            name, f"{name}_invalid", f"{text.strip()!r} is not a time ({form})."
        ) from error


_READ: Mapping[FieldKind, Read] = {
    "moment": as_moment,
    "score": as_whole,
    "count": as_whole,
    "boolean": as_truth,
    "decimal": as_number,
}


def reads(stream: Stream) -> dict[str, Read]:
    """How the text of a cell is read, for each field that a sender may give."""
    return {name: _READ.get(sent.kind, as_text) for name, sent in stream.sent.items()}


# -- what events there are


@dataclass(frozen=True)
class Meanings:
    """The meanings of texts in a file, as options and layouts give them."""

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By field and by a cell's text in lower case: its meaning; "" means that it is absent."""
    empty: frozenset[str] = frozenset()
    """Texts that mean "absent" in every column, such as NULL."""
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By field or column the texts, in lower case, of rows to leave out; "" is an empty cell."""

    def of(self, name: str, text: str) -> str:
        """The meaning of a cell in a field's column."""
        bare = text.strip()
        if bare in self.empty:
            return ""
        return self.values.get(name, {}).get(bare.casefold(), text)


@dataclass(frozen=True)
class Needed:
    """A field that is required, always or beside another one, and the options that give it."""

    name: str
    how: str
    beside: str | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of event that files hold.

    `fields` says how each is read; `revenue.amount` is the entry `amount` of the map `revenue`, and
    entries of `maps` have any name. `completing` makes the function that completes a file's events
    one after another; it takes the name that distinguishes the file's rows from equal ones of other
    files, if there is one. `identity` is the field with an event's id, `ids` are all fields with
    ids, and `moment` is the field whose time decides on which day an event is stored. `reader` is
    the interface's reader of such events, `if_ids_repeat` the warning about {count} rows that have
    the id of an earlier row.
    """

    route: BatchRoute
    identity: str
    moment: str
    fields: Mapping[str, Read]
    needed: tuple[Needed, ...]
    completing: Callable[[str | None], Callable[[Event], Event]]
    reader: type[ItemReader]
    ids: tuple[str, ...]
    if_ids_repeat: str
    maps: tuple[str, ...] = ()

    def reads(self, name: str) -> Read | None:
        """How a field is read; None if there is no such field."""
        outer, _, entry = name.partition(".")
        return as_text if outer in self.maps and entry else self.fields.get(name)

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields that may be given, those of maps as such."""
        return (*self.fields, *(f"{name}.NAME" for name in self.maps))


@dataclass(frozen=True)
class ImportPlan:
    """How rows of a file become events: each field's source, and how its text is read."""

    kind: Kind
    width: int
    sources: Mapping[str, tuple[Source, Read]]
    notation: Notation
    leave_out: tuple[tuple[Source, frozenset[str]], ...] = ()
    """Columns and their texts, in lower case, by which a row is left out."""

    @classmethod
    def make(
        cls,
        kind: Kind,
        file: TableFile,
        columns: Mapping[str, str],
        fixed: Mapping[str, str],
        notation: Notation,
        meanings: Meanings = Meanings(),  # it is frozen
    ) -> "ImportPlan":
        """The plan that takes fields from `columns`, with their `meanings`, and `fixed` values.

        Raises WrongUseError for a field or column that does not exist, for a field that is given
        twice, and for a required field that is missing.
        """
        _check_given(kind, file, [*columns, *fixed])
        for name in meanings.values:
            if name not in columns:
                raise WrongUseError(f"--value is given for {name!r}, which no --map names.")
        sources = {
            name: _cell(file.column(column), name, meanings) for name, column in columns.items()
        }
        sources |= {name: _constant(value) for name, value in fixed.items()}
        read = {name: (source, kind.reads(name) or as_text) for name, source in sources.items()}
        without = tuple(
            (source, texts)
            for name, texts in meanings.leave_out.items()
            for source in (_raw(file.column(columns.get(name, name))), sources.get(name))
            if source is not None
        )
        return cls(kind, len(file.header), read, notation, without)

    def leaves_out(self, row: Row) -> bool:
        """Whether the row is left out."""
        if row.fault or len(row.cells) != self.width:
            return False
        return any(source(row).strip().casefold() in texts for source, texts in self.leave_out)

    def event(self, row: Row) -> Event:
        """The event in a row, without fields whose cells are empty.

        Raises RowError for a row that the interface would reject, and TimeFormatError if a time
        cannot be read without guessing.
        """
        if row.fault:
            raise RowError("", "row_unreadable", f"{row.fault}.")
        if len(row.cells) != self.width:
            message = f"{len(row.cells)} cells where the header has {self.width}"
            raise RowError("", "columns_mismatch", message)
        event: Event = {}
        for name, (source, read) in self.sources.items():
            text = source(row)
            if text.strip():
                outer, _, entry = name.partition(".")
                within = event.setdefault(outer, {}) if entry else event
                within[entry or outer] = read(name, text, self.notation)
        return event


def _check_given(kind: Kind, file: TableFile, given: list[str]) -> None:
    for name in given:
        if kind.reads(name) is None:
            names = ", ".join(kind.field_names)
            raise WrongUseError(f"There is no field {name!r}; the fields are: {names}")
        if given.count(name) > 1:
            raise WrongUseError(f"The field {name!r} is given by --map and by --set.")
    for needed in kind.needed:
        if needed.name not in given and needed.beside in (None, *given):
            columns = f"the columns are: {', '.join(file.header)}"
            raise WrongUseError(f"{needed.how}; {columns}")


def _cell(index: int, name: str, meanings: Meanings) -> Source:
    """The meaning of a cell, whose text is unguarded first, as an export of Pulse needs."""

    def read(row: Row) -> str:
        cell = row.cells[index]
        return meanings.of(name, cell if isinstance(cell, _TYPED) else unguard(cell))

    return read


def _raw(index: int) -> Source:
    """The text of a cell, whatever it means."""
    return lambda row: row.cells[index]


def _constant(value: str) -> Source:
    return lambda row: value


# -- which event a row is


@dataclass
class RowIds:
    """Gives every event of a file its id. The events must come in the file's order.

    An id is computed from the row's content and the number of equal rows before it, and from
    nothing else. So a file that is imported again, under another name, or that overlaps with an
    earlier one counts no row twice, while equal rows within one file stay distinct. Rows of a
    `batch` get other ids than equal rows outside of it.
    """

    name: str
    """The field that holds the id."""
    batch: str | None = None
    _seen: dict[bytes, int] = field(default_factory=dict)

    def identify(self, event: Mapping[str, Any]) -> str:
        """The event's own id if it has one, else one that is computed from its content."""
        own = event.get(self.name)
        if own is not None:
            return str(own)
        said = {
            name: days.iso(value.instant_us) if isinstance(value, WrittenTime) else value
            for name, value in event.items()
        }  # this must never change, or a file that was imported before would count twice
        content = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        if self.batch is not None:
            content += b"\0" + self.batch.encode()
        digest = hashlib.sha256(content).digest()
        before = self._seen.get(digest[:16], 0)
        self._seen[digest[:16]] = before + 1
        return "row-" + hashlib.sha256(digest + str(before).encode()).hexdigest()[:40]

    def complete(self, event: Event) -> Event:
        """The event with its id."""
        return {**event, self.name: self.identify(event)}
