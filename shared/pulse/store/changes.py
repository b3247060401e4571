"""How much has changed since builders last looked: a record for each stream, beside the ledger.

The table of experience, which is made of two streams, has a record of its own under the name that
the ledger has for it (daily/experience.py), without `changes`: those of its streams count for it.

    pk              sk      record
    LEDGER#CHANGES  stream  changes: how often the stream's days have changed;
                            seen: how many of these changes a builder has looked at, all of whose
                            days are built since or wait for a moment that has not come;
                            seen_us: when; again_us: the first moment that a day waits for;
                            counted_us: what was stored until then is in the daily table, but
                            for days that cannot be built;
                            failing: how many days cannot be built;
                            partial: whether the builder that ended last has left changed days;
                            published: how often builders have changed what readers find;
                    noticed: how often of these they have given notice of all days (notices.py);
                    unbuilt: how many days the builder that ended last knew to have a note of why
                    they are not built, failing or not;
                            run_<ulid>: when a builder began that has days to publish and has not
                            come to its end (UTC microseconds, like each *_us)

A change is counted here after it was made in the ledger, and before anything relies on it. So a
builder that reads this record and then the days finds every change that the record counts. A
process that dies between the change and its count makes the change again: write_raw, for example,
gets its messages again.

A builder enters its name before it changes the first day, because days that it has published when
it dies are no change of the stream. As long as its name is in the record, other builders look at
all days. Once in a night they do so whatever the record says.
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
"""A builder that began longer ago counts as dead for the next one that has looked at all days."""


@dataclass(frozen=True)
class Stand:
    """The record of a stream; moments are UTC microseconds."""

    changes: int = 0
    seen: int | None = None
    seen_us: int = 0
    again_us: int | None = None
    failing: int = 0
    """Days that cannot be built, as of `seen_us`."""
    published: int = 0
    """Increases with each change of days, their runs, or the reasons why they are not built."""
    at_work: Mapping[str, int] = field(default_factory=dict)
    """The builders that are at work or died at it, with the moments at which they began."""
    partial: bool = False
    """True where the builder that ended last has left days that had changed: it was for others
    alone, or had no time for all."""
    counted_us: int | None = None
    """When a builder last looked at every day: until when all stored events were in its table."""
    unnoticed: int = 0
    """How often of `published` builders may have given no notice of some days: those of versions
    that give none, and those that have died."""
    unbuilt: int | None = None
    """How many days have a note of why they are not built; None where that is not known."""

    @property
    def leaves_days(self) -> bool:
        """Whether days may be published that are newer than others: no builder has come to all.

        True also while one is at work, and after one has died at it.
        """
        return self.partial or bool(self.at_work)

    @property
    def is_settled(self) -> bool:
        """Whether a builder that looks at every day would find nothing to do.

        Once in a night this is false, so that a change that was never counted is found by then.
        """
        return (
            self.seen == self.changes
            and not self.at_work
            and stays_settled(self.seen_us, self.again_us)
        )

    def counted_until(self, read_us: int) -> int | None:
        """Until when all stored events are in the daily table, except those of failing days.

        That is `read_us`, when the record was read, if nothing has changed since a builder looked.
        None if it is not known, as while a builder is at work: it may point a day to an older run
        for a moment.
        """
        if self.at_work:
            return None
        return read_us if self.seen == self.changes else self.counted_us


def stays_settled(seen_us: int, again_us: int | None) -> bool:
    """Whether a builder looked less than a night ago, and no failed day is to be retried yet."""
    now = days.now_us()
    return (again_us is None or now < again_us) and now - seen_us < NIGHT_US


@dataclass(frozen=True)
class Settled:
    """The result of a builder that has looked at all days of a stream."""

    seen: int
    """How many changes the record counted before the builder looked."""
    looked_us: int
    """A moment before it read the record."""
    again_us: int | None = None
    """When the first of the days that cannot be built is to be tried again; None without any."""


class Changes:
    """Reads and writes the records of streams, and of tables made of several."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)

    def stands(self) -> Mapping[str, Stand]:
        """The records of all streams, in one consistent read.

        Also of every table made of several streams that builders have looked at, until it is
        forgotten; its record does not count the changes of these.
        """
        found = {record["sk"]: record for record in self._records.query(_PK, consistent=True)}
        return {name: _stand(found.get(name, {})) for name in (*lake.STREAMS, *found)}

    def forget(self, name: str) -> None:
        """Remove the record of a table that no builder builds any more."""
        self._records.delete({"pk": _PK, "sk": name})

    def tell(self, stream: str) -> None:
        """Count a change of a stream's days. Call it after the ledger has their new versions."""
        self._records.update(_PK, stream, "ADD changes :one", values={":one": 1})

    def begin(self, stream: str, run: str) -> None:
        """Enter a builder that is about to publish days of a stream; `run` is its name, a ULID."""
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
        unbuilt: int,
        partial: bool,
        settled: Settled | None,
    ) -> None:
        """Note that a builder has ended its work on a stream; it began with the record `before`.

        `published` says whether it changed what readers find, `partial` whether there are days that
        it has not come to, `unbuilt` how many days have a note of why they are not built, of which
        `failing` cannot be. `settled` is None if it has not looked at all days, or has left some
        that are to be tried at once.
        """
        dead = _dead(before) if settled else set()
        values: dict[str, Any] = {":failing": failing, ":unbuilt": unbuilt, ":partial": partial}
        values |= {
            ":published": int(published or bool(dead)),
            ":noticed": int(not dead and published),
        }
        over = {run, *dead}
        names = {"#partial": "partial"}
        expression = "SET failing = :failing, unbuilt = :unbuilt, #partial = :partial"
        if settled is not None:
            values |= {":seen": settled.seen, ":now": days.now_us(), ":again": settled.again_us}
            values[":counted"] = settled.looked_us
            expression += ", seen = :seen, seen_us = :now, again_us = :again"
            expression += ", counted_us = :counted"
        runs = {f"#run{number}": f"{_RUN}{name}" for number, name in enumerate(sorted(over))}
        expression += f" REMOVE {', '.join(runs)} ADD published :published, noticed :noticed"
        names |= runs
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
        partial=record.get("partial", False),
        published=record.get("published", 0),
        unnoticed=record.get("published", 0) - record.get("noticed", 0),
        unbuilt=record.get("unbuilt"),
        counted_us=record.get("counted_us"),
        at_work={
            name.removeprefix(_RUN): began_us
            for name, began_us in record.items()
            if name.startswith(_RUN)
        },
    )
