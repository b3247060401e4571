"""The days of a daily table in one run: what is built, what has failed, what is left."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pulse import lake
from pulse.errors import AthenaError, PulseError
from pulse.halving import Failures, halves
from pulse.store.changes import Settled, Stand
from pulse.store.ledger import Entry
from pulse.unbuilt import Unbuilt

_NO_TIME = "no time was left for it"

Parameters = Callable[[Sequence[date]], dict[str, Any]]
"""What a table's statement over some days asks for."""


@dataclass
class TableDays(Failures[date]):
    """The days of one table in a run: what is built, what has failed, what is left."""

    dataset: lake.DailyTable
    source: lake.Dataset
    """The dataset whose events the table counts."""
    stream: str
    """The name under which the ledger has the table's days."""
    before: Stand
    """What the ledger said of all of them together, before they were read."""
    as_of_us: int
    """When its days were about to be read (UTC, microseconds)."""
    entries: Mapping[date, Entry]
    due: Sequence[date]
    """The days to build."""
    portions: deque[list[date]]
    """Those of them that are still to be built in this run, in portions of one statement each."""
    is_whole: bool
    """True where all days were looked at, rather than those of a range."""
    passes_over: bool
    """True where there are days outside of that range which have changed, too."""
    parameters: Parameters
    """What its statement over some days asks for."""
    name: str = field(default_factory=lake.ulid)
    """What the run is called while it is at work on this table."""
    is_publishing: bool = False
    """True once the ledger says that this run is at work on the table."""
    failing: int = 0
    """How many days of the table cannot be built."""
    unbuilt: int = 0
    """How many have a note of why they are not built, these among them."""
    built: set[date] = field(default_factory=set)
    halved: dict[date, tuple[int, PulseError]] = field(default_factory=dict)
    """The last statement over a day that failed: how many days it had, and why."""
    has_comments: bool = True
    """False where comments of some days could not be kept, or were left to a run that had read
    them later."""
    finished: bool = True
    """False where time ran out."""

    @property
    def title(self) -> str:
        """What people are told is built."""
        return self.source.stream if self.dataset is self.source else self.dataset.name

    @property
    def has_built(self) -> bool:
        """True once a day has been built."""
        return bool(self.built)

    def note(self, days: Sequence[date], error: PulseError) -> None:
        """Note that a statement over these days failed, or that its result is not in Glue.

        If the rows are to blame, each half of the days is to be tried by itself.
        """
        self.statements_failed += 1
        if not isinstance(error, AthenaError) or error.retryable:
            self.held_up.update(dict.fromkeys(days, error))
        elif len(days) == 1:
            self.failed[days[0]] = AthenaError(f"{days[0]}: {error}")
        else:
            self.halved.update(dict.fromkeys(days, (len(days), error)))
            self.portions.extendleft(reversed(halves(days)))

    def stop(self) -> None:
        """Note that time has run out. Days that were being halved are held up by their error."""
        self.finished = False
        for day in self.left:
            if day in self.halved:
                self.held_up[day] = self.halved[day][1]

    @property
    def left(self) -> list[date]:
        """The days that have neither been built nor failed by themselves."""
        return [day for days in self.portions for day in days]

    def give_up(self) -> None:
        """Note that the days left are held up by the last failure."""
        self.held_up.update(dict.fromkeys(self.left, self.failures[-1]))
        self.portions.clear()

    def notes(self, *, over: bool) -> dict[date, Unbuilt]:
        """What the ledger is to note of days that could not be built.

        Days that were not reached are noted as waiting only if the run is `over`: otherwise another
        run is woken for them.
        """
        notes = {
            day: Unbuilt.failed(
                self.entries[day].version,
                error,
                before=self.entries[day].unbuilt,
                others_built=bool(self.built),
            )
            for day, error in self.failed.items()
        }
        left = self.left
        waiting: dict[date, object] = dict.fromkeys(left, _NO_TIME) if over else {}
        for day, reason in (waiting | self.held_up).items():
            entry = self.entries[day]
            among = self.halved[day][0] if day in left and day in self.halved else 0
            if entry.unbuilt is None or (among and among != entry.unbuilt.among):
                notes[day] = Unbuilt.waiting(entry.version, reason, among=among)
        return notes

    def settle(self, notes: Mapping[date, Unbuilt], looked_us: int) -> Settled | None:
        """Count the days that cannot be built, given what this run has noted of days.

        Returns what the next run may rely on, that all stored before `looked_us` is built but for
        these days; None where that is not so.
        """
        noted = {
            day: note
            for day, entry in self.entries.items()
            if (note := notes.get(day, entry.unbuilt)) and not entry.expired
        }
        unbuilt = [note for day, note in noted.items() if day not in self.built]
        self.unbuilt, self.failing = len(unbuilt), sum(note.failing for note in unbuilt)
        waits = {day: noted.get(day) for day in self.due if day not in self.built}
        is_whole = self.is_whole and self.finished and self.has_comments
        if not is_whole or not all(note and note.failing for note in waits.values()):
            return None
        moments = [note.due_us(self.entries[day].version) for day, note in waits.items() if note]
        return Settled(self.before.changes, looked_us, min(moments, default=None))
