"""Stores the comments of responses for readers, one object for each tenant and month.

This is a part of build_daily. The ledger says which days are due: those whose stored comments were
made of other versions of the day's answers, and of the interactions that these may be linked to.
Athena gathers the comments of these days with their links. Then each tenant's month is compared
with its object, which is replaced only if it differs (docs/decisions/0066, 0083).
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import groupby, repeat
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pulse import days, lake
from pulse.comments.month import SCHEMA, Month
from pulse.comments.stored import Comments
from pulse.daily.experience import earliest_linkable, link_parameters, linkable
from pulse.daily.statement_days import day_parameters
from pulse.days import DateRange, Remaining
from pulse.errors import AthenaError, BuildCheckError, PulseError, raise_collected
from pulse.sql import statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects

_GONE = "gone"
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


def made_of(answered: Entry, interactions: Mapping[date, Entry], link_days: int) -> str:
    """What the comments of a day of responses are to be made of, as the ledger notes it.

    The versions of the day and of those days of interactions that it may link to only ever grow, so
    their sum tells each state of the same days from all others. Days that Athena cannot read are
    left out: what it cannot tell of them holds up no comment.
    """
    if answered.expired:
        return _GONE
    linked = linkable(answered.day, interactions, link_days)
    if not linked:
        return f"{answered.version}"
    version = answered.version + sum(one.version for one in linked if not _is_unread(one))
    unread = ", ".join(f"{one.day}" for one in linked if _is_unread(one))
    return f"{version} linked over {link_days} days" + f" without {unread}" * bool(unread)


def _is_unread(entered: Entry) -> bool:
    """Whether Athena could not read a day of interactions when it was built last."""
    return entered.unbuilt is not None and entered.unbuilt.alone


class _Days(NamedTuple):
    """The ledger's days, as of one moment."""

    responses: Mapping[date, Entry]
    interactions: Mapping[date, Entry]

    @property
    def past(self) -> list[date]:
        """The days of interactions that raw no longer keeps."""
        return [day for day, entry in self.interactions.items() if entry.expired]


@dataclass(frozen=True)
class KeepComments:
    """The part of the stage that gathers comments."""

    objects: Objects
    ledger: Ledger
    athena: Athena
    link_days: int
    """An answer's interaction entered at most so many days before it."""

    def run(self, *, again: DateRange | None = None, remaining_s: Remaining) -> KeepResult:
        """Store the comments of the days that are due, and of all days `again` that are built.

        Raises AthenaError, and BuildCheckError if some months cannot be read; all others are stored
        then.
        """
        as_of_us = days.now_us()
        known = self._days()
        failures: list[PulseError] = []
        passed_over = False
        entries = known.responses.values()
        for _, month in groupby(entries, key=lambda entry: (entry.day.year, entry.day.month)):
            due = self._due([*month], known, again)
            if not due:
                continue
            if remaining_s() < RESERVE_S:
                return KeepResult(finished=False, passed_over=passed_over)
            try:
                passed_over |= self._keep(due, known, as_of_us, remaining_s)
            except BuildCheckError as error:  # one object is unreadable; the others are not
                failures.append(error)
            except AthenaError as error:  # and so may be one day
                if error.retryable:
                    raise
                failures.append(error)
        raise_collected(failures)
        return KeepResult(passed_over=passed_over)

    def _days(self, first: date | None = None, last: date = date.max) -> _Days:
        """The ledger's days of answers, all or some, and of the interactions they may link to."""
        entered = earliest_linkable(first, self.link_days) if first else date.min
        return _Days(
            self.ledger.entries(lake.SCORES.stream, first or date.min, last),
            self.ledger.entries(lake.INTERACTIONS.stream, entered, last),
        )

    def _due(
        self, month: Sequence[Entry], known: _Days, again: DateRange | None
    ) -> Sequence[Entry]:
        """Those days of a month whose comments are to be gathered, of those whose sums are built.

        All, where a former version has written the month.
        """
        built = [one for one in month if one.expired or one.claimed_version == one.version]
        if any(entry.former_comments is not None for entry in built):
            return built
        return [
            entry
            for entry in built
            if entry.comments_of != self._made_of(entry, known)
            or (again and again.start <= entry.day <= again.end and not entry.expired)
        ]

    def _made_of(self, entry: Entry, known: _Days) -> str:
        return made_of(entry, known.interactions, self.link_days)

    def _keep(
        self, entries: Sequence[Entry], known: _Days, as_of_us: int, remaining_s: Remaining
    ) -> bool:
        """Store some days of a month for every tenant; return whether any was passed over."""
        later: set[date] = set()
        staging = f"{lake.COMMENT_STAGING}run={lake.ulid()}/"
        kept = [entry.day for entry in entries if not entry.expired]
        try:
            if kept:
                self._gather(kept, known, staging, remaining_s)
            entries = self._unchanged(entries, known)
            if entries:
                its_days = [entry.day for entry in entries]
                later = self._update(its_days, staging, as_of_us, known.past)
        finally:
            self.objects.delete_all(staging)
        for entry in entries:
            if entry.day in later:
                continue  # the run that read later notes their version, or the next run does
            self.ledger.note_comments(entry, self._made_of(entry, known))
        return bool(later)

    def _gather(
        self, its_days: Sequence[date], known: _Days, staging: str, remaining_s: Remaining
    ) -> None:
        """Unload with Athena every tenant's comments of some days of a month, by bucket."""
        read = {day: one for day, one in known.interactions.items() if not _is_unread(one)}
        links = link_parameters(its_days, read, self.link_days)
        self.athena.unload(
            statement("daily", "comments"),
            day_parameters(its_days) | links,
            target=f"s3://{self.objects.bucket}/{staging}",
            partition="bucket",
            remaining_s=remaining_s,
        )

    def _update(
        self, its_days: Sequence[date], staging: str, as_of_us: int, past: Sequence[date]
    ) -> set[date]:
        """Replace the days' comments by the gathered ones, one bucket of tenants after another.

        Links to interactions of `past` days stay. Returns the days that some tenant has as of a
        later moment, which stay as they are. Raises the errors of Comments.change, after all other
        tenants' months were written.
        """
        later: set[date] = set()
        left = {*self.objects.keys(lake.comments_prefix(its_days[0]))}
        failures: list[PulseError] = []

        def update(key: str, rows: pa.Table) -> None:
            def changed(month: Month) -> Month | None:
                later.update(day for day in its_days if month.stands_later(day, as_of_us))
                new = month.replaced(its_days, month.with_links_to(past, rows), as_of_us)
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

    def _unchanged(self, entries: Sequence[Entry], known: _Days) -> list[Entry]:
        """Those of the days that are still to be made of the same; a later run stores the others.

        That may change while Athena gathers: an erasure or the deletion of a tenant may begin.
        """
        now = self._days(entries[0].day, entries[-1].day)
        return [
            entry
            for entry in entries
            if self._made_of(now.responses[entry.day], now) == self._made_of(entry, known)
        ]


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
        yield tenant, theirs.select(SCHEMA.names).cast(SCHEMA)
