"""Stores the comments of responses for readers, one object for each tenant and month.

This is a part of build_daily. The ledger says which days are due: those whose stored comments are
of another version than the day that was built. Athena gathers the comments of these days. Then each
tenant's month is compared with its object, which is replaced only if it differs
(docs/decisions/0066).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import groupby, repeat
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pulse import lake
from pulse.comments.month import SCHEMA, Month, in_schema
from pulse.comments.stored import Comments
from pulse.days import Remaining
from pulse.errors import BuildCheckError, PulseError, raise_collected
from pulse.sql import statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.ledger import GONE, Entry, Ledger
from pulse.store.objects import Objects

_STREAM = lake.SCORES.stream
_AT_ONCE = 8  # objects written at the same time
_BUCKET = len("bucket=0/")
"""The length of the folder with which keys of gathered rows begin. There are sixteen buckets of
tenants, and the rows of one are in memory at a time."""


class KeepResult(NamedTuple):
    """How far a run has come."""

    finished: bool = True
    """False if the time did not suffice."""
    passed_over: bool = False
    """True if days were left to another run, which had read them later."""


@dataclass(frozen=True)
class KeepComments:
    """The part of the stage that gathers comments."""

    objects: Objects
    ledger: Ledger
    athena: Athena

    def run(
        self,
        entries: Mapping[date, Entry],
        as_of_us: int,
        *,
        built: Collection[date],
        again: Collection[date],
        remaining_s: Remaining,
    ) -> KeepResult:
        """Store the comments of the days that are due.

        `entries` are the ledger's days of responses, read after `as_of_us` (UTC, microseconds).
        `built` are the days that a run has published since, `again` those that are due in any case.
        Raises AthenaError, and BuildCheckError if some months cannot be read; all others are stored
        then.
        """
        due = [
            entry
            for day, entry in sorted(entries.items())
            if _is_due(entry, is_built=day in built, again=day in again)
        ]
        failures: list[PulseError] = []
        passed_over = False
        for _, some in groupby(due, key=lambda entry: (entry.day.year, entry.day.month)):
            if remaining_s() < RESERVE_S:
                return KeepResult(finished=False, passed_over=passed_over)
            try:
                passed_over |= self._keep(list(some), as_of_us, remaining_s)
            except BuildCheckError as error:  # one object is unreadable; the others are not
                failures.append(error)
        raise_collected(failures)
        return KeepResult(passed_over=passed_over)

    def _keep(self, entries: Sequence[Entry], as_of_us: int, remaining_s: Remaining) -> bool:
        """Store some days of a month for every tenant; return whether any was passed over."""
        later: set[date] = set()
        staging = f"{lake.COMMENT_STAGING}run={lake.ulid()}/"
        kept = [entry.day for entry in entries if not entry.expired]
        try:
            if kept:
                self._gather(kept, staging, remaining_s)
            entries = self._unchanged(entries)
            if entries:
                later = self._update([entry.day for entry in entries], staging, as_of_us)
        finally:
            self.objects.delete_all(staging)
        for entry in entries:
            if entry.day in later:
                continue  # the run that read later notes their version, or the next run does
            self.ledger.note_comments(entry, GONE if entry.expired else entry.version)
        return bool(later)

    def _gather(self, its_days: Sequence[date], staging: str, remaining_s: Remaining) -> None:
        """Unload with Athena every tenant's comments of some days of a month, by bucket."""
        texts = [str(day) for day in its_days]
        self.athena.unload(
            statement("daily", "comments"),
            {"first_day": texts[0], "last_day": texts[-1], "days": texts},
            target=f"s3://{self.objects.bucket}/{staging}",
            partition="bucket",
            remaining_s=remaining_s,
        )

    def _update(self, its_days: Sequence[date], staging: str, as_of_us: int) -> set[date]:
        """Replace the days' comments by the gathered ones, one bucket of tenants after another.

        Returns the days that some tenant has as of a later moment, which stay as they are. Raises
        the errors of Comments.change, after all other tenants' months were written.
        """
        later: set[date] = set()
        left = {*self.objects.keys(lake.comments_prefix(its_days[0]))}
        failures: list[PulseError] = []

        def update(key: str, rows: pa.Table) -> None:
            def changed(month: Month) -> Month | None:
                later.update(day for day in its_days if month.stands_later(day, as_of_us))
                new = month.replaced(its_days, rows, as_of_us)
                return None if new.has_rows_of(month) else new

            try:
                Comments(self.objects).change(key, changed)
            except PulseError as error:  # one object is unreadable; the others are not
                failures.append(error)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            gathered = self.objects.keys(staging)
            for _, keys in groupby(gathered, key=lambda key: key.removeprefix(staging)[:_BUCKET]):
                found = {
                    lake.comments_key(tenant, its_days[0]): rows
                    for tenant, rows in _by_tenant([self.objects.get(key) for key in keys])
                }
                list(pool.map(update, found.keys(), found.values()))
                left -= found.keys()
            list(pool.map(update, sorted(left), repeat(SCHEMA.empty_table())))
        raise_collected(failures)
        return later

    def _unchanged(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those of the days whose version is still the same; a later run stores the others.

        A version may change while Athena gathers: an erasure or the deletion of a tenant may begin.
        """
        now = self.ledger.entries(_STREAM, entries[0].day, entries[-1].day)
        return [
            entry
            for entry in entries
            if (now[entry.day].version, now[entry.day].expired) == (entry.version, entry.expired)
        ]


def _is_due(entry: Entry, *, is_built: bool, again: bool) -> bool:
    if entry.expired:
        return entry.comments_version != GONE
    current = is_built or entry.claimed_version == entry.version
    return current and (again or entry.comments_version != entry.version)


def _by_tenant(pieces: Sequence[bytes]) -> Iterator[tuple[str, pa.Table]]:
    """Each tenant's rows in some Parquet objects that Athena unloaded."""
    if not pieces:
        return
    rows = pa.concat_tables(
        pq.ParquetFile(pa.BufferReader(piece)).read(use_threads=False) for piece in pieces
    )
    rows = rows.append_column("day", rows["dt"].cast(pa.date32()))
    tenants: list[Any] = pc.unique(rows["tenant"]).to_pylist()
    for tenant in tenants:
        theirs = rows.filter(pc.equal(rows["tenant"], tenant))
        yield tenant, in_schema(theirs)
