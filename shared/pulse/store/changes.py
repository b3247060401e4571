"""What has changed since builders looked last: one record a stream, beside the days in the ledger.

    pk              sk      record
    LEDGER#CHANGES  stream  changes: how often the stream's days have changed;
                            seen: how many of these changes a builder has looked at, all of whose
                            days are built since or wait for a moment that has not come;
                            seen_us: when; again_us: the first moment that a day waits for;
                            counted_us: what was stored until then is in the daily table, but
                            for days that cannot be built;
                            failing: how many days cannot be built;
                            published: how often builders have changed what readers find;
                            run_<ulid>: when a builder began that has days to publish and has not
                            come to its end (UTC microseconds, like each *_us)

A change is told after it has been made, and before whoever made it says so to anybody. So whoever
reads the record, and then the days, finds every change that the record counts; and who dies
between a change and its telling does it again, as write_raw does with messages that come again.

A builder says that it is at work before it changes the first day, because what it has published
half, if it dies there, is no change of the stream: as long as its name stands in the record, others
look at the days. And once in a night they do so whatever the record says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulse import days, lake
from pulse.store.records import Record, Records
from pulse.unbuilt import HOUR_US, NIGHT_US

_PK = "LEDGER#CHANGES"
_RUN = "run_"
LONGEST_RUN_US = HOUR_US
"""Who began longer ago is taken for dead by the next builder that has looked at all days."""


@dataclass(frozen=True)
class Stand:
    """How a stream stands; moments are UTC microseconds."""

    changes: int = 0
    seen: int | None = None
    seen_us: int = 0
    again_us: int | None = None
    failing: int = 0
    """Days that cannot be built, as of `seen_us`."""
    published: int = 0
    """Another number means other days, runs or reasons than before."""
    at_work: Mapping[str, int] = field(default_factory=dict)
    """The builders that are at work or have died at it, with the moment that they began."""
    counted_us: int | None = None
    """Until when everything stored was counted, when a builder last looked at every day."""

    @property
    def is_settled(self) -> bool:
        """True where a builder that looked at every day would find nothing to do.

        Once in a night it is not, so that nothing that was never told is missed for longer.
        """
        return (
            self.seen == self.changes
            and not self.at_work
            and stays_settled(self.seen_us, self.again_us)
        )

    def counted_until(self, read_us: int) -> int | None:
        """Until when everything that was stored is in the daily table, but for failing days.

        The record was read at `read_us`: that moment, if nothing has changed since a builder
        looked. None where it cannot be told, as while a builder is at work: it may point a day at
        an older run for a moment.
        """
        if self.at_work:
            return None
        return read_us if self.seen == self.changes else self.counted_us


def stays_settled(seen_us: int, again_us: int | None) -> bool:
    """Is it less than a night since a builder looked, and no failure to be tried again yet?"""
    now = days.now_us()
    return (again_us is None or now < again_us) and now - seen_us < NIGHT_US


@dataclass(frozen=True)
class Settled:
    """What a builder has found when it looked at all days of a stream."""

    seen: int
    """The changes that the record counted before it looked."""
    looked_us: int
    """A moment before it read that record."""
    again_us: int | None = None
    """From when on a day is to be tried again that cannot be built; None: there is none."""


class Changes:
    """Reads and writes these records."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)

    def stands(self) -> Mapping[str, Stand]:
        """How every stream stands, in one consistent read."""
        found = {record["sk"]: record for record in self._records.query(_PK, consistent=True)}
        return {stream: _stand(found.get(stream, {})) for stream in lake.STREAMS}

    def tell(self, stream: str) -> None:
        """Say that days of a stream have changed. Call it after the ledger has their versions."""
        self._records.update(_PK, stream, "ADD changes :one", values={":one": 1})

    def begin(self, stream: str, run: str) -> None:
        """Say that a builder is about to publish days of a stream; `run` is its name, a ULID."""
        names = {"#run": f"{_RUN}{run}"}
        values = {":now": days.now_us()}
        self._records.update(_PK, stream, "SET #run = :now", names=names, values=values)

    def end(
        self,
        stream: str,
        run: str,
        before: Stand,
        *,
        published: bool,
        failing: int,
        settled: Settled | None,
    ) -> None:
        """Say that a builder is through with a stream that stood like `before` when it looked.

        `published`: it has changed what readers find. `settled` is None where it has not looked at
        all days or has left some that are to be tried at once.
        """
        values: dict[str, Any] = {":one": int(published), ":failing": failing}
        over = {run}
        expression = "SET failing = :failing"
        if settled is not None:
            over |= _dead(before)
            values |= {":seen": settled.seen, ":now": days.now_us(), ":again": settled.again_us}
            values[":counted"] = settled.looked_us
            expression += ", seen = :seen, seen_us = :now, again_us = :again"
            expression += ", counted_us = :counted"
        names = {f"#run{number}": f"{_RUN}{name}" for number, name in enumerate(sorted(over))}
        expression += f" REMOVE {', '.join(names)} ADD published :one"
        self._records.update(_PK, stream, expression, names=names, values=values)


def _dead(stand: Stand) -> set[str]:
    latest = days.now_us() - LONGEST_RUN_US
    return {run for run, began_us in stand.at_work.items() if began_us <= latest}


def _stand(record: Record) -> Stand:
    return Stand(
        changes=record.get("changes", 0),
        seen=record.get("seen"),
        seen_us=record.get("seen_us", 0),
        again_us=record.get("again_us"),
        failing=record.get("failing", 0),
        published=record.get("published", 0),
        counted_us=record.get("counted_us"),
        at_work={
            name.removeprefix(_RUN): began_us
            for name, began_us in record.items()
            if name.startswith(_RUN)
        },
    )
