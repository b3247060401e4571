"""The ledger: how often each day of each stream has changed, and which build it shows.

    pk              sk          record
    LEDGER#stream   YYYY-MM-DD  version; the claim: claimed_version, claimed_run, claimed_answers;
                                the lease: rewriter (what it is, and an id of its own),
                                rewriting_until_us; compacted_version;
                                once raw no longer keeps the day: expired, removed_version;
                                rewritten_version: the one that its objects had when an erasure, a
                                purge or a restoration had last rewritten them;
                                while it is not built as it should be: unbuilt (unbuilt.py);
                                of responses: comments_of, what the comments that readers find
                                were made of (daily/comments.py); comments_version, where a
                                former version of Pulse, which knows no links, has made them since

In the place of a stream stands the name of a table that is made of several (daily/experience.py).

write_raw adds 1 to `version` after each object that it stores. A builder claims a day for its run
before it points the Glue partition to it, so that of two builders the one that read the newer
version prevails, in whatever order they write. A process that rewrites a day's objects in raw takes
the day's lease first, so that only one does so at a time. New objects may come at any time.

A day expires at the version that was built last, and is never built again. `add` returns that to
a process that stores something for it afterwards.

A record beside the days counts the changes of the whole stream (changes.py), so that a builder with
nothing to do need not read the days.
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
from pulse.store.turns import DayLease
from pulse.unbuilt import Unbuilt

LEASE_US = 900 * days.SECOND
"""The longest timeout of a function: a process that has held a lease for longer is dead."""


@dataclass(frozen=True)
class Entry:
    """One day of a stream: its version, and the run that claimed it.

    The claim says from which version the run was built, and how many events it counted.
    """

    day: date
    version: int
    claimed_version: int = 0
    claimed_run: str = ""
    claimed_answers: int = 0
    compacted_version: int = 0
    """The version up to which all objects are compacted."""
    expired: bool = False
    """Whether raw no longer keeps the day; then its last build stays as it is."""
    removed_version: int = 0
    """The version up to which all objects of an expired day are removed."""
    unbuilt: Unbuilt | None = None
    """Why the last build of the day failed; the next claim removes it."""
    comments_of: str = ""
    """What the day's comments that readers find were made of (daily/comments.py)."""
    former_comments: int | None = None
    """What a former version has noted of them since: it knows no links, and has left out those of
    the whole month."""


class Ledger:
    """Reads and writes the ledger."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)
        self.changes = Changes(table)

    def add(self, stream: str, day: date, *, rewritten: bool = False, tell: bool = True) -> Entry:
        """Count one more change of a day; return the day. Call it after the object is stored.

        If existing objects are `rewritten`, the failure of an earlier build no longer counts, and
        the next build tries again.

        Builders find the day after the change is counted for the stream, too. A caller that adds
        many days does that once, after them and before anything relies on it: it adds them with
        `tell` false.
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
        """The days of a stream that ever had an event, in order, by consistent reads.

        Only the days from `first` to `last`, both included, are read.
        """
        between = (first.isoformat(), last.isoformat())
        records = self._records.query(f"LEDGER#{stream}", between=between, consistent=True)
        return {entry.day: entry for entry in map(_entry, records)}

    def entry(self, stream: str, day: date) -> Entry | None:
        """One day of a stream, by a consistent read; None if it never had an event."""
        return self.entries(stream, day, day).get(day)

    def claim(self, stream: str, day: date, *, version: int, run: str, answers: int) -> bool:
        """Claim the day for `run`, which was built from `version` and counted `answers` events.

        False, and nothing changes, if a run that was built from a newer version has claimed it, or
        if the day has expired, because then its objects may have been removed while this run read
        them.
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
        """Note why the version of a day that `unbuilt` names has not been built.

        Does nothing if another builder has noted something since `before` was read (None: there was
        nothing), because it may know more. Does nothing either if the day's objects have been
        rewritten since that version, or a newer version was built: the cause may be gone.
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
        """Note up to which version a day is compacted. The caller must hold the day's lease."""
        self._records.update(
            f"LEDGER#{stream}",
            day.isoformat(),
            "SET compacted_version = :version",
            values={":version": version},
        )

    def note_comments(self, entry: Entry, of: str) -> None:
        """Note what the comments that readers find of a day of responses were made of.

        If another process has noted something else since the entry was read, it is not known what:
        then nothing is noted, and a change is counted, so that the comments are gathered again.
        """
        place = ("LEDGER#responses", entry.day.isoformat())
        values: dict[str, Any] = {":of": of}
        as_read = []
        for name, before in (
            ("comments_of", entry.comments_of or None),
            ("comments_version", entry.former_comments),
        ):
            if before is None:
                as_read.append(f"attribute_not_exists({name})")
            else:
                as_read.append(f"{name} = :{name}")
                values[f":{name}"] = before
        same = "comments_of = :of AND attribute_not_exists(comments_version)"
        try:
            self._records.update(
                *place,
                "SET comments_of = :of REMOVE comments_version",
                values=values,
                condition=f"({' AND '.join(as_read)}) OR ({same})",
            )
        except ConflictError:
            self._records.update(*place, "REMOVE comments_of")
            self.changes.tell("responses")

    def expire(self, stream: str, day: date, version: int) -> bool:
        """Let a day expire; False, and nothing changes, if its version is another by now."""
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
        """Note that the objects of an expired day are removed, up to that version."""
        self._records.update(
            f"LEDGER#{stream}",
            day.isoformat(),
            "SET removed_version = :version",
            values={":version": version},
        )

    @contextmanager
    def lease(self, stream: str, day: date, by: str) -> Iterator[int | None]:
        """Within the block no other process rewrites the day's raw objects.

        Yields until when that holds (UTC, microseconds), or None if another process has the lease.
        `by` tells others that wait what holds the day: an erasure, a compaction.
        """
        holder, until_us = f"{by} {lake.ulid()}", days.now_us() + LEASE_US
        if not self.take(stream, day, holder, until_us):
            yield None
            return
        try:
            yield until_us
        finally:
            self.give_back(stream, day, holder)

    @contextmanager
    def lease_in_turn(
        self, stream: str, day: date, by: str, wait: Callable[[DayLease], None]
    ) -> Iterator[None]:
        """Within the block no other process rewrites the day's raw objects.

        As long as another one does, `wait` is called between two tries.
        """
        while True:
            with self.lease(stream, day, by) as until_us:
                if until_us is not None:
                    yield
                    return
            if held := self.held(stream, day):
                wait(held)

    def held(self, stream: str, day: date) -> DayLease | None:
        """Who holds the lease of a day's raw objects, read consistently; None where nobody does."""
        record = self._records.get(f"LEDGER#{stream}", day.isoformat(), consistent=True) or {}
        until_us = record.get("rewriting_until_us", 0)
        if until_us <= days.now_us():
            return None
        by, _, run = record["rewriter"].rpartition(" ")
        return DayLease(stream, day, by if by and lake.is_ulid(run) else "somebody", until_us)

    def take(self, stream: str, day: date, holder: str, until_us: int) -> bool:
        """Take the lease of a day's raw objects until then; False while another process has it.

        The lease of a process that died ends by itself.
        """
        try:
            self._records.update(
                f"LEDGER#{stream}",
                day.isoformat(),
                "SET rewriter = :holder, rewriting_until_us = :until",
                values={":holder": holder, ":until": until_us, ":now": days.now_us()},
                # or it is held by the same one: the reply to an earlier try was lost
                condition="attribute_not_exists(rewriting_until_us) "
                "OR rewriting_until_us <= :now OR rewriter = :holder",
            )
        except ConflictError:
            return False
        return True

    def give_back(self, stream: str, day: date, holder: str) -> None:
        """End the lease; do nothing if it has ended already."""
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
        comments_of=record.get("comments_of", ""),
        former_comments=record.get("comments_version"),
    )
