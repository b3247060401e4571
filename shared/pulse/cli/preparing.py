"""The first half of an import: it reads and checks the whole file, and sends nothing.

The events are kept in the order of their days, on disk if the file is large. So an import of years
sends one day after the other, and each day gets few objects.
"""

import hashlib
import json
import re
import shlex
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pulse.cli.exits import WrongUseError
from pulse.cli.plan import Event, ImportPlan, RowError, day_of, instant_of
from pulse.cli.posting import body_of
from pulse.cli.spool import Spool
from pulse.cli.table import NumberCell, Row, TableFile
from pulse.cli.times import TimeFormatError
from pulse.errors import FieldError

_MOST_DIGITS = 15
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.ASCII | re.IGNORECASE)
_NO_DAY = 0
"""The day's number of events without a time, which come first; the first day's number is 1."""


@dataclass(frozen=True)
class Ready:
    """An event to be sent: its JSON, its row, and its day if it has one."""

    body: bytes
    row: Row
    day: date | None


@dataclass
class Prepared:
    """A file that has been read as a whole."""

    waiting: Spool
    """The events, by the number of their day and the line of their row."""
    rows: int = 0
    left_out: int = 0
    """How many rows were left out by --leave-out."""
    days: set[date] = field(default_factory=set)
    """The tenant's days of its events."""
    content: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    """The hash of all events, in the order of the file."""
    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    """The hashes of all ids."""
    made: "array[int]" = field(default_factory=lambda: array("Q"))
    """The hashes of ids that were computed for rows without an id."""

    first_us: int | None = None
    """The earliest moment of an event; `last_us` is the latest."""
    last_us: int | None = None
    shortened: Counter[str] = field(default_factory=Counter)
    """How many ids a spreadsheet has cut to fewer digits, by field."""

    def ready(self) -> Iterator[Ready]:
        """The events by day and, within a day, in the order of the file."""
        for number, line, told in self.waiting:
            cells, body = json.loads(told)
            day = None if number == _NO_DAY else date.fromordinal(number)
            yield Ready(body.encode(), Row(line, tuple(cells)), day)

    def distinct(self) -> int:
        """How many different ids the events have."""
        import numpy as np  # slow to import

        return len(np.unique(np.frombuffer(self.ids, dtype=np.uint64))) if self.ids else 0

    def take_moment(self, us: int) -> None:
        """Count the moment of an event in the earliest and latest one."""
        self.first_us = us if self.first_us is None else min(self.first_us, us)
        self.last_us = us if self.last_us is None else max(self.last_us, us)

    def add(self, row: Row, event: Event, day: date | None) -> None:
        """Add the event of a row."""
        if day is not None:
            self.days.add(day)
        body = body_of(event)
        self.content.update(body.encode() + b"\n")
        told = json.dumps([row.cells, body]).encode()
        self.waiting.add(_NO_DAY if day is None else day.toordinal(), row.line, told)


def prepare(
    source: TableFile,
    plan: ImportPlan,
    timezone: str,
    waiting: Spool,
    reject: Callable[[Row, FieldError], None],
    batch: str | None = None,
) -> Prepared:
    """Read the file: keep its events for sending, and call `reject` for rows that are no event.

    Events get their ids in the order of the file; days are those of the tenant's `timezone`. Rows
    of a `batch` count in addition to equal rows of other files. Raises WrongUseError if a time
    could be read in two ways.
    """
    prepared = Prepared(waiting)
    kind = plan.kind
    complete = kind.completing(batch)
    for row in source.rows():
        prepared.rows += 1
        if plan.leaves_out(row):
            prepared.left_out += 1
            continue
        try:
            said = plan.event(row)
        except TimeFormatError as error:
            raise _ambiguous(source, row, error) from error
        except RowError as error:
            reject(row, error.fault)
        else:
            has_id = kind.identity in said
            event = complete(said)
            number = _hash(str(event[kind.identity]))
            prepared.ids.append(number)
            if not has_id:
                prepared.made.append(number)
            for name in kind.ids:
                prepared.shortened[name] += _is_shortened(said.get(name))
            moment = event.get(kind.moment)
            if moment is not None:
                prepared.take_moment(instant_of(moment))
            prepared.add(row, event, None if moment is None else day_of(moment, timezone))
    prepared.shortened = +prepared.shortened
    return prepared


def _is_shortened(name: Any) -> bool:
    """Whether an id is a number of which Excel has kept or shown only the first digits.

    Excel shows a number of twelve digits or more as 1.60588E+11, and keeps fifteen digits of it.
    """
    if isinstance(name, NumberCell):
        return len(name) > _MOST_DIGITS
    return isinstance(name, str) and _SHORTENED.fullmatch(name.strip()) is not None


def _hash(name: str) -> int:
    """A hash of 64 bits of an id."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _ambiguous(source: TableFile, row: Row, error: TimeFormatError) -> WrongUseError:
    formats = " or ".join(
        f"--date-format {shlex.quote(one.format)} ({one.first} first)" for one in error.formats
    )
    return WrongUseError(
        f"{source.path}, line {row.line}: {error}. Say how all of the file is written: {formats}."
    )
