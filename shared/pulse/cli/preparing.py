"""The first half of an import: the whole file is read and checked, and nothing is sent.

What is to be sent is kept in the order of days, outside of memory where the file is large. So a
backfill of years fills one day after the other, and makes few objects a day.
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
from pulse.cli.plan import Event, Plan, RowError, day_of, instant_of
from pulse.cli.posting import body_of
from pulse.cli.spool import Spool
from pulse.cli.table import NumberCell, Row, Table
from pulse.cli.times import TimeFormatError
from pulse.errors import FieldError

_MOST_DIGITS = 15
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.ASCII | re.IGNORECASE)
_NO_DAY = 0
"""Sorts events that name no time before all others; the first day of a calendar is 1."""


@dataclass(frozen=True)
class Ready:
    """An event that is to be sent: its JSON, the row that it was, and its day, if it has one."""

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
    """Rows that are none of those that are wanted."""
    days: set[date] = field(default_factory=set)
    """The tenant's days that it has events of."""
    content: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    """Of what is to be sent, in the order of the file."""
    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    """Hashes of all ids."""
    made: "array[int]" = field(default_factory=lambda: array("Q"))
    """Hashes of the ids that were made for rows without one of their own."""

    first_us: int | None = None
    """The earliest moment of an event, and the latest."""
    last_us: int | None = None
    shortened: Counter[str] = field(default_factory=Counter)
    """By field: ids whose last digits a spreadsheet has left out."""

    def ready(self) -> Iterator[Ready]:
        """What is to be sent, by day and, within a day, in the order of the file."""
        for number, line, told in self.waiting:
            cells, body = json.loads(told)
            day = None if number == _NO_DAY else date.fromordinal(number)
            yield Ready(body.encode(), Row(line, tuple(cells)), day)

    def distinct(self) -> int:
        """How many different ids its events have."""
        import numpy as np  # slow to import

        return len(np.unique(np.frombuffer(self.ids, dtype=np.uint64))) if self.ids else 0

    def take_moment(self, us: int) -> None:
        """Take the moment of an event."""
        self.first_us = us if self.first_us is None else min(self.first_us, us)
        self.last_us = us if self.last_us is None else max(self.last_us, us)

    def add(self, row: Row, event: Event, day: date | None) -> None:
        """Take the event that a row has become."""
        if day is not None:
            self.days.add(day)
        body = body_of(event)
        self.content.update(body.encode() + b"\n")
        told = json.dumps([row.cells, body]).encode()
        self.waiting.add(_NO_DAY if day is None else day.toordinal(), row.line, told)


def prepare(
    source: Table,
    plan: Plan,
    timezone: str,
    waiting: Spool,
    reject: Callable[[Row, FieldError], None],
    batch: str | None = None,
) -> Prepared:
    """Read the file: its events are ready to be sent, and rows that are no event are rejected.

    Events get their ids in the order of the file, days are those of the tenant's `timezone`. Rows
    of a `batch` count apart from equal ones of other files.
    Raises WrongUseError if a time could be read in two ways.
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
    """Is an id a number of which Excel has kept, or shown, no more than its first digits?

    It shows those of twelve digits and more as 1.60588E+11, and keeps fifteen of them.
    """
    if isinstance(name, NumberCell):
        return len(name) > _MOST_DIGITS
    return isinstance(name, str) and _SHORTENED.fullmatch(name.strip()) is not None


def _hash(name: str) -> int:
    """64 bits that tell an id from others."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _ambiguous(source: Table, row: Row, error: TimeFormatError) -> WrongUseError:
    formats = " or ".join(
        f"--date-format {shlex.quote(one.format)} ({one.first} first)" for one in error.formats
    )
    return WrongUseError(
        f"{source.path}, line {row.line}: {error}. Say how all of the file is written: {formats}."
    )
