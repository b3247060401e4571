"""The ledger: how often each day of each stream has changed, and which build speaks for it.

    pk              sk          record
    LEDGER#stream   YYYY-MM-DD  version; the claim: claimed_version, claimed_run, claimed_answers;
                                the lease: rewriter, rewriting_until_us; compacted_version;
                                once raw no longer keeps the day: expired, removed_version;
                                rewritten_version: the one that its objects had when an erasure, a
                                purge or a restoration had last rewritten them;
                                while it is not built as it should be: unbuilt (unbuilt.py);
                                of responses: comments_version, whose comments readers find

write_raw adds 1 to `version` after each object it puts. A builder claims a day for its run
before it points the Glue partition there, so that of two builders the one that read the newer
version prevails whatever their order. Who rewrites a day's objects in raw takes its lease first:
so there is one at a time. New objects may come at any time.

A day expires at the version that was built last, and is never built again: `add` tells whoever
stores something for it afterwards.

What has changed at all stands in one record of each stream beside its days (changes.py), so that
a builder with nothing to do need not read them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from pulse import days, lake
from pulse.errors import ConflictError
from pulse.store.changes import Changes
from pulse.store.records import Record, Records
from pulse.unbuilt import Unbuilt

GONE = -1
"""In the place of a version: what there was of an expired day is gone."""
LEASE_US = 900 * days.SECOND
"""As long as a function may take at most: whoever holds a lease longer is dead."""


@dataclass(frozen=True)
class Entry:
    """One day of a stream: its version; the run that claimed it, from which version, with what."""

    day: date
    version: int
    claimed_version: int = 0
    claimed_run: str = ""
    claimed_answers: int = 0
    compacted_version: int = 0
    """Every object that this version counts has been through compaction."""
    expired: bool = False
    """Raw no longer keeps the day: what was built of it last stays as it is."""
    removed_version: int = 0
    """Every object that this version counts has been removed."""
    unbuilt: Unbuilt | None = None
    """Why the last builds that were to build it did not; forgotten with the next claim."""
    comments_version: int = 0
    """Readers find the comments of this version; GONE: of an expired day they find none."""


class Ledger:
    """Reads and writes the ledger."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)
        self.changes = Changes(table)

    def add(self, stream: str, day: date, *, rewritten: bool = False, tell: bool = True) -> Entry:
        """Count one more change of a day; the day then. Call it after the object is stored.

        Where its objects are `rewritten`, a build that failed over them says nothing any more: the
        next one tries.

        Builders find the day once they are told of the stream. Who adds many days and tells of
        them afterwards, once and before anybody relies on it, adds without `tell`.
        """
        values = {":one": 1}
        expression = "ADD version :one"
        if rewritten:
            expression = (
                "SET version = if_not_exists(version, :none) + :one, "
                "rewritten_version = if_not_exists(version, :none) + :one REMOVE unbuilt"
            )
            values[":none"] = 0
        record = self._records.update(
            f"LEDGER#{stream}", day.isoformat(), expression, values=values
        )
        if tell:
            self.changes.tell(stream)
        return _entry(record)

    def entries(
        self, stream: str, first: date = date.min, last: date = date.max
    ) -> Mapping[date, Entry]:
        """The days of a stream that ever had an event, in order and read consistently.

        All of them, or those from `first` to `last`, both included: then no others are read.
        """
        between = (first.isoformat(), last.isoformat())
        records = self._records.query(f"LEDGER#{stream}", between=between, consistent=True)
        return {entry.day: entry for entry in map(_entry, records)}

    def entry(self, stream: str, day: date) -> Entry | None:
        """One day of a stream, read consistently; None if it never had an event."""
        return self.entries(stream, day, day).get(day)

    def claim(self, stream: str, day: date, *, version: int, run: str, answers: int) -> bool:
        """Make `run`, built from `version` and counting `answers`, speak for the day.

        False, and nothing changed, if a run built from a newer version does already, or if the day
        has expired: then its objects may have gone while this run was reading them.
        """
        try:
            self._records.update(
                f"LEDGER#{stream}",
                day.isoformat(),
                "SET claimed_version = :version, claimed_run = :run, claimed_answers = :answers "
                "REMOVE unbuilt",
                values={":version": version, ":run": run, ":answers": answers},
                condition="attribute_not_exists(expired) AND "
                "(attribute_not_exists(claimed_version) OR claimed_version <= :version)",
            )
        except ConflictError:
            return False
        return True

    def note_unbuilt(
        self, stream: str, day: date, unbuilt: Unbuilt, *, before: Unbuilt | None
    ) -> None:
        """Say why a day has not been built, as of the version that `unbuilt` is of.

        Nothing happens if another builder has noted something since `before` was read (None:
        there was nothing): it may know more. Nor if the day's objects have been rewritten since
        that version, or a newer one was built: what failed then may be gone.
        """
        values: dict[str, Any] = {":unbuilt": unbuilt.record(), ":version": int(unbuilt.of)}
        known = "attribute_not_exists(unbuilt)"
        if before is not None:
            values[":tried"] = before.tried_us
            known = "unbuilt.tried_us = :tried"
        condition = (
            f"{known} AND (attribute_not_exists(rewritten_version) "
            "OR rewritten_version <= :version) "
            "AND (attribute_not_exists(claimed_version) OR claimed_version <= :version)"
        )
        with suppress(ConflictError):
            self._records.update(
                f"LEDGER#{stream}",
                day.isoformat(),
                "SET unbuilt = :unbuilt",
                values=values,
                condition=condition,
            )

    def note_compacted(self, stream: str, day: date, version: int) -> None:
        """Say up to which version a day is compacted. Only for whoever holds its lease."""
        self._records.update(
            f"LEDGER#{stream}",
            day.isoformat(),
            "SET compacted_version = :version",
            values={":version": version},
        )

    def note_comments(self, entry: Entry, version: int) -> None:
        """Say of which version of a day of responses readers find the comments.

        Where somebody else has said so since the entry was read, nobody knows: it is of none then.
        """
        place = ("LEDGER#responses", entry.day.isoformat())
        condition = "comments_version = :before"
        if not entry.comments_version:
            condition += " OR attribute_not_exists(comments_version)"
        values = {":version": version, ":before": entry.comments_version}
        try:
            self._records.update(
                *place, "SET comments_version = :version", values=values, condition=condition
            )
        except ConflictError:
            self._records.update(*place, "SET comments_version = :none", values={":none": 0})

    def expire(self, stream: str, day: date, version: int) -> bool:
        """Let a day expire; False, and nothing changed, if it is of another version by now."""
        try:
            self._records.update(
                f"LEDGER#{stream}",
                day.isoformat(),
                "SET expired = :true",
                values={":true": True, ":version": version},
                condition="version = :version",
            )
        except ConflictError:
            return False
        return True

    def note_removed(self, stream: str, day: date, version: int) -> None:
        """Say that the objects of an expired day are gone, as far as that version counts them."""
        self._records.update(
            f"LEDGER#{stream}",
            day.isoformat(),
            "SET removed_version = :version",
            values={":version": version},
        )

    @contextmanager
    def lease(self, stream: str, day: date) -> Iterator[int | None]:
        """Within the block no other process rewrites the day's raw objects.

        Yields until when that holds (UTC, microseconds), or None if another process has the lease.
        """
        holder, until_us = lake.ulid(), days.now_us() + LEASE_US
        if not self.take(stream, day, holder, until_us):
            yield None
            return
        try:
            yield until_us
        finally:
            self.give_back(stream, day, holder)

    @contextmanager
    def lease_in_turn(self, stream: str, day: date, wait: Callable[[], None]) -> Iterator[None]:
        """Within the block nobody else rewrites the day's raw objects.

        As long as somebody else does, `wait` is called between one try and the next.
        """
        while True:
            with self.lease(stream, day) as until_us:
                if until_us is not None:
                    yield
                    return
            wait()

    def take(self, stream: str, day: date, holder: str, until_us: int) -> bool:
        """Take the lease of a day's raw objects until then; False while somebody else holds it.

        The lease of one that died ends by itself.
        """
        try:
            self._records.update(
                f"LEDGER#{stream}",
                day.isoformat(),
                "SET rewriter = :holder, rewriting_until_us = :until",
                values={":holder": holder, ":until": until_us, ":now": days.now_us()},
                # its own: the answer to an earlier try may have been lost
                condition="attribute_not_exists(rewriting_until_us) "
                "OR rewriting_until_us <= :now OR rewriter = :holder",
            )
        except ConflictError:
            return False
        return True

    def give_back(self, stream: str, day: date, holder: str) -> None:
        """End the lease; nothing happens if it has ended already."""
        with suppress(ConflictError):
            self._records.update(
                f"LEDGER#{stream}",
                day.isoformat(),
                "REMOVE rewriter, rewriting_until_us",
                values={":holder": holder},
                condition="rewriter = :holder",
            )


def _entry(record: Record) -> Entry:
    return Entry(
        day=date.fromisoformat(record["sk"]),
        version=record.get("version", 0),
        claimed_version=record.get("claimed_version", 0),
        claimed_run=record.get("claimed_run", ""),
        claimed_answers=record.get("claimed_answers", 0),
        compacted_version=record.get("compacted_version", 0),
        expired=record.get("expired", False),
        removed_version=record.get("removed_version", 0),
        unbuilt=Unbuilt.of_record(record["unbuilt"]) if "unbuilt" in record else None,
        comments_version=record.get("comments_version", 0),
    )
