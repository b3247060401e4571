"""build_reports: the tenants' years whose days were rebuilt, written as far as they have changed.

What is to be built follows from the state: of each day the table names the runs that the reports'
rows may come from (store/held.py), and Glue names the run of now. Where they differ, the day's runs
are compared, which tells exactly whose rows have changed. Athena lays these rows out, this module
splits them by tenant, puts each tenant's days as objects of their own, and makes them visible by
one conditional write (docs/decisions/0054).

What cannot be built of a tenant is noted on its record as owed, so that all other tenants' rows
count as built, and is tried again by a later run.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

import pyarrow as pa

from pulse import days, lake
from pulse.days import Remaining
from pulse.errors import (
    AthenaError,
    BuildCheckError,
    ConflictError,
    GoneError,
    PulseError,
    raise_collected,
)
from pulse.halving import FEW_FAILURES, MOST_FAILURES, Failures, halves, portions
from pulse.observe import count, logger
from pulse.reports import tenant_year, writing
from pulse.reports.comparing import ByTenant, Comparison, batches, pair
from pulse.reports.large import LargeTenants
from pulse.reports.large import Written as WrittenLarge
from pulse.reports.rollups import ROLLUPS
from pulse.reports.writing import Change, Written, YearWriter
from pulse.settings import BuildSettings
from pulse.sql import spread, statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.changes import Stand
from pulse.store.events import Events
from pulse.store.held import Builds, Held, HeldRuns
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Behind, Tenant, YearState
from pulse.unbuilt import Unbuilt

ROUNDS = 3
"""How often a run starts over for a table that another builder changed under it."""
MOST_RANGES = 50
"""A tenant's record names at most so many ranges of days that are not built."""
MOST_ROWS = 32_000_000
"""About so many rows one statement lays out at most. A sixteenth of them is in memory at once."""
MOST_NAMED = 300
"""A statement over more tenants than these reads the rows of every tenant, and names none."""
_LAST_S = 10.0
"""With less time left nothing is begun."""
_NEW = 2
"""How often a row would be there that stands unchanged in two runs. Of a day with one run alone
no row is, so that whoever has rows of it is told."""

TenantYear = tuple[str, int]


@dataclass(frozen=True)
class ReportsResult:
    """What a run did, over all tables."""

    rewritten: tuple[TenantYear, ...]
    """The tenants' years whose rows have changed."""
    examined: int
    """How many days' runs were compared."""
    folded: int
    """How many older parts of years became one with what has changed."""
    written: int
    """The bytes of objects put."""
    finished: bool
    """Whether nothing is left."""


@dataclass
class _Table(Failures[TenantYear]):
    """A table in one round: how it stood, and what has become of it."""

    dataset: lake.Dataset
    held: Held
    partitions: Mapping[date, Partition]
    """The days as they were published when the round began."""
    tenants: Mapping[str, Tenant]
    as_of_us: int
    """When they were read."""
    impatient: bool
    rewritten: list[TenantYear] = field(default_factory=list)
    examined: int = 0
    folded: int = 0
    written: int = 0
    finished: bool = True
    """False where time ran out or another builder was first."""
    unread: dict[date, PulseError] = field(default_factory=dict)
    """Days whose runs could not be compared."""
    owed: dict[TenantYear, frozenset[date]] = field(default_factory=dict)
    """Of each tenant's year the days that are still to be built when it ends."""
    halving: dict[TenantYear, tuple[int, AthenaError]] = field(default_factory=dict)
    """The last statement over a tenant-year that failed: how many it was over, and why."""
    halved: dict[TenantYear, int] = field(default_factory=dict)
    """What was still being halved when time ran out: how many the last statement was over."""

    @property
    def has_built(self) -> bool:
        """True once a tenant-year has been built."""
        return bool(self.rewritten)

    @property
    def failures(self) -> list[PulseError]:
        """Every error of this round, each once."""
        return list(dict.fromkeys([*super().failures, *self.unread.values()]))

    @property
    def is_settled(self) -> bool:
        """True where every day's rows are those of its newest run, but for what is owed."""
        return all(self.held.is_settled(day, one.run) for day, one in self.partitions.items())

    def run_of(self, year: int) -> dict[date, str]:
        """The run of each published day of a year."""
        return {day: one.run for day, one in self.partitions.items() if day.year == year}

    def state(self, tenant: str, year: int) -> YearState | None:
        """The tenant's year as it stood."""
        return self.tenants[tenant].table(self.dataset.name).years.get(year)

    def unbuilt(self, tenant: str, year: int) -> Unbuilt | None:
        """What an earlier run has noted of a tenant's year that it could not build."""
        return self.tenants[tenant].table(self.dataset.name).behind.years.get(year)

    def hold_up(self, tenants: Collection[str], year: int, error: PulseError) -> None:
        """Note that these could not be built, and that the error is none of theirs."""
        self.held_up.update(dict.fromkeys(((tenant, year) for tenant in tenants), error))

    def stop(self, tenants: Collection[str], year: int) -> None:
        """Note that no time is left for these. Those that were being halved are held up."""
        self.finished = False
        for tenant in tenants:
            if (tenant, year) in self.halving:
                self.halved[tenant, year], error = self.halving[tenant, year]
                self.hold_up([tenant], year, error)

    def note_failure(
        self, tenants: Sequence[str], year: int, error: AthenaError
    ) -> list[list[str]]:
        """Note that a statement over these tenants failed; the portions to be tried next."""
        self.statements_failed += 1
        if error.retryable:
            self.hold_up(tenants, year, error)
            return []
        if len(tenants) == 1:
            tenant = tenants[0]
            self.failed[tenant, year] = AthenaError(f"{tenant} {year}: {error}")
            return []
        self.halving |= {(tenant, year): (len(tenants), error) for tenant in tenants}
        return halves(tenants)


@dataclass
class _Year:
    """A table's calendar year in one round."""

    number: int
    run_of: Mapping[date, str]
    """The run of each of its published days."""
    counted: dict[date, ByTenant] = field(default_factory=dict)
    """Of each day that was compared what its newest run has of each tenant."""
    pending: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))
    """By tenant the days whose rows are to be written."""

    def events(self, tenant: str) -> int:
        """How many events the tenant's pending days have, counted by the comparison."""
        found = (self.counted[day].get(tenant) for day in self.pending[tenant])
        return sum(one.events for one in found if one)

    def rows(self, tenant: str) -> int:
        """How many rows these days have."""
        found = (self.counted.get(day, {}).get(tenant) for day in self.pending[tenant])
        return sum(one.rows for one in found if one)

    def fingerprint(self, tenant: str) -> str:
        """What the tenant's pending days are made of: a hash over their (day, run) pairs."""
        pairs = [f"{day} {self.run_of[day]}" for day in sorted(self.pending[tenant])]
        return hashlib.sha256("\n".join(pairs).encode()).hexdigest()


@dataclass(frozen=True)
class BuildReports:
    """The stage; `run` is the whole job, from an event or a shell."""

    objects: Objects
    tenants: Tenants
    ledger: Ledger
    catalog: Catalog
    athena: Athena
    events: Events
    held: HeldRuns
    large: LargeTenants

    @classmethod
    def from_settings(cls, settings: BuildSettings) -> Self:
        """The stage over the stack that the settings name."""
        return cls(
            objects=Objects(settings.lake_bucket),
            tenants=Tenants(settings.table),
            ledger=Ledger(settings.table),
            catalog=Catalog(settings.database),
            athena=Athena(settings.database, settings.workgroup),
            events=Events(settings.event_source),
            held=HeldRuns(settings.table),
            large=LargeTenants.from_settings(settings),
        )

    def run(
        self, *, remaining_s: Remaining, impatient: bool = False, whole: bool = False
    ) -> ReportsResult:
        """Write what has changed of every tenant's years.

        A table is passed over of which nothing has changed since a build has looked, unless the run
        is to look at the `whole`. What is known to fail is tried again from time to time, or now if
        `impatient`.

        Afterwards every tenant's record names objects that hold its rows of the days as they are
        published, and says which days and years could not be built. Raises AthenaError or
        BuildCheckError, with the tenant-years that it is about as they were; the others have been
        built.
        """
        stands = self.ledger.changes.stands()
        builds = self.held.builds()
        tables: list[_Table] = []
        done: list[_Table] = []
        settled_failing = 0
        for dataset in lake.DATASETS:
            known = builds.get(dataset.name, Builds(dataset.name))
            if known.is_settled(stands[dataset.stream]) and not (impatient or whole):
                settled_failing += known.failing
                continue
            for _ in range(ROUNDS):
                table = self._round(dataset, remaining_s, impatient)
                done.append(table)
                if table.finished or remaining_s() < RESERVE_S:
                    break
            tables.append(table)  # of the last round: what failed before was tried again
        rewritten = tuple(dict.fromkeys(one for table in done for one in table.rewritten))
        finished = all(table.finished for table in tables)
        failures = [failure for table in tables for failure in table.failures]
        failing = settled_failing + self._tell(tables, stands, remaining_s)
        # A run that builds nothing must not wake itself again and again.
        again = not finished and (rewritten or not failures)
        self.events.announce("reports unfinished" if again else "reports built")
        result = ReportsResult(
            rewritten=rewritten,
            examined=sum(table.examined for table in done),
            folded=sum(table.folded for table in done),
            written=sum(table.written for table in done),
            finished=finished,
        )
        logger.info(
            "reports built",
            extra={
                "rewritten": len(rewritten),
                "examined": result.examined,
                "folded": result.folded,
                "bytes": result.written,
                "finished": finished,
            },
        )
        count("TenantYearsRewritten", len(rewritten))
        count("TenantYearsFailing", failing)
        if finished and not failures:
            count("ReportsUpToDate")  # the alarm Freshness waits for it
        raise_collected(failures)
        return result

    def fold(self, tenant: str) -> None:
        """Let every year of a tenant be one part, and remove every other object of its reports.

        So nothing is left of rows that newer ones have replaced. The reports stay as they are.
        """
        for dataset in lake.DATASETS:
            for year in self._years(dataset, tenant):
                self._fold_year(dataset, tenant, year)

    # -- a table

    def _round(self, dataset: lake.Dataset, remaining_s: Remaining, impatient: bool) -> _Table:
        """Build what is behind now."""
        held = self.held.read(dataset.name)  # before the catalogue: see store/held.py
        as_of_us = days.now_us()
        table = _Table(
            dataset=dataset,
            held=held,
            partitions=self.catalog.partitions(dataset.daily_table),
            tenants={tenant.id: tenant for tenant in self.tenants.all()},
            as_of_us=as_of_us,
            impatient=impatient,
        )
        for year in sorted({day.year for day in table.partitions}):
            if remaining_s() < RESERVE_S:
                table.finished = False
                break
            try:
                self._build_year(table, year, remaining_s)
            except ConflictError:  # another builder has come, or a tenant is gone
                table.finished = False
                break
        return table

    def _build_year(self, table: _Table, year: int, remaining_s: Remaining) -> None:
        """Build what has changed of a year, for every tenant.

        Raises ConflictError where another builder has changed the table's records.
        """
        run_of = table.run_of(year)
        due = [day for day in sorted(run_of) if not table.held.is_settled(day, run_of[day])]
        owed = {
            tenant: state.owed
            for tenant in table.tenants
            if (state := table.state(tenant, year)) and state.owed
        }
        if not due and not owed:
            return
        whole = _Year(year, run_of)
        if due:
            self._name_runs(table, whole, due)
            self._compare(table, whole, due, remaining_s)
        for tenant, its_days in owed.items():
            whole.pending[tenant] |= its_days
        self._widen(table, whole)
        self._build_tenants(table, whole, remaining_s)
        self._note_owed(table, whole)
        settled = {day: (run_of[day],) for day in due if day in whole.counted}
        if settled:
            table.held = self.held.put(table.held, year, settled)

    def _name_runs(self, table: _Table, year: _Year, due: Sequence[date]) -> None:
        """Say that rows of the runs of now may be published from here on."""
        added = {
            day: (*table.held.days.get(day, ()), year.run_of[day])
            for day in due
            if table.held.newest(day) != year.run_of[day]
        }
        if added:
            table.held = self.held.put(table.held, year.number, added)

    # -- which tenants' rows have changed

    def _compare(
        self, table: _Table, year: _Year, due: Sequence[date], remaining_s: Remaining
    ) -> None:
        """Find out for each day that is due whose rows of it are others than before.

        Days of which that cannot be told are left as they are.
        """
        by_copies: dict[int, dict[date, Sequence[str]]] = defaultdict(dict)
        for day in due:
            runs = table.held.days[day]
            by_copies[max(len(runs), _NEW)][day] = runs
        for copies, runs_of in sorted(by_copies.items()):
            left = deque(batches(runs_of))
            while left:
                some = {day: runs_of[day] for day in left.popleft()}
                if remaining_s() < RESERVE_S:
                    table.finished = False
                    return
                try:
                    self._compare_days(table, year, some, copies, remaining_s)
                except AthenaError as error:
                    table.statements_failed += 1
                    most = MOST_FAILURES if table.examined else FEW_FAILURES
                    hopeless = error.retryable or table.statements_failed >= most
                    if hopeless or len(some) == 1:
                        failed = some if not hopeless else [*some, *(d for ds in left for d in ds)]
                        named = error if hopeless else AthenaError(f"{min(some)}: {error}")
                        table.unread.update(dict.fromkeys(failed, named))
                        if hopeless:
                            break
                    else:
                        left.extendleft(reversed(halves([*some])))

    def _compare_days(
        self,
        table: _Table,
        year: _Year,
        runs: Mapping[date, Sequence[str]],
        copies: int,
        remaining_s: Remaining,
    ) -> None:
        """Let some days be pending for the tenants whose rows of them have changed.

        Days that Athena reads nothing of are noted as unread. Raises AthenaError.
        """
        compare = Comparison(self.athena).compare
        try:
            found = compare(table.dataset, runs, copies=copies, remaining_s=remaining_s)
        except AthenaError as error:
            ((_, several), *others) = runs.items()
            if error.retryable or others or len(several) == 1:
                raise
            # an older run of the day cannot be read: then whoever has rows of it counts as changed
            runs = {day: some[-1:] for day, some in runs.items()}
            found = compare(table.dataset, runs, copies=_NEW, remaining_s=remaining_s)
        for day, tenants in found.items():
            known = table.partitions[day].answers
            if known and not sum(one.events for one in tenants.values()):
                message = f"{day}: Athena finds no events in {table.dataset.daily_table}"
                table.unread[day] = BuildCheckError(f"{message}, where the day counts {known}")
                continue
            table.examined += 1
            year.counted[day] = tenants
            changed = {tenant for tenant, one in tenants.items() if one.differing}
            if len(runs[day]) == 1:  # compared with nothing: who shows rows of it may have none now
                changed |= {t for t in table.tenants if _shows(table.state(t, year.number), day)}
            for tenant in changed.intersection(table.tenants):
                year.pending[tenant].add(day)

    def _widen(self, table: _Table, year: _Year) -> None:
        """Let every day be pending for tenants one of whose objects a former version has made."""
        for tenant in [*year.pending]:
            state = table.state(tenant, year.number)
            if state and any(not part.run for part in state.parts):
                year.pending[tenant] |= {*year.run_of}

    # -- tenants

    def _build_tenants(self, table: _Table, year: _Year, remaining_s: Remaining) -> None:
        """Write the pending days of as many tenants as time allows; the others stay pending."""
        left = deque(self._portions(table, year))
        while left:
            if remaining_s() < RESERVE_S:
                table.stop([tenant for tenants in left for tenant in tenants], year.number)
                return
            if table.is_hopeless:
                for tenants in left:
                    table.hold_up(tenants, year.number, table.failures[-1])
                return
            tenants = left.popleft()
            try:
                self._count(table, year, tenants, remaining_s)
                if len(tenants) == 1 and self._is_large(table, year, tenants[0]):
                    self._build_large(table, year, tenants[0], remaining_s)
                else:
                    self._build(table, year, tenants, remaining_s)
            except AthenaError as error:
                left.extendleft(reversed(table.note_failure(tenants, year.number, error)))

    def _portions(self, table: _Table, year: _Year) -> Iterator[list[str]]:
        """The tenants with pending days, in portions of one statement each.

        Those whose own statement failed come last, each alone, and only from time to time.
        """
        sound: list[str] = []
        among: dict[int, list[str]] = defaultdict(list)
        large: list[str] = []
        suspects: list[str] = []
        for tenant in sorted(year.pending):
            unbuilt = table.unbuilt(tenant, year.number)
            if unbuilt is None or not (unbuilt.alone or unbuilt.among):
                (large if self._is_large(table, year, tenant) else sound).append(tenant)
            elif unbuilt.among:
                among[unbuilt.among].append(tenant)
            elif table.impatient or unbuilt.is_due(year.fingerprint(tenant)):
                suspects.append(tenant)
        portion: list[str] = []
        rows = 0
        for tenant in sound:
            if portion and rows + year.rows(tenant) > MOST_ROWS:
                yield portion
                portion, rows = [], 0
            portion.append(tenant)
            rows += year.rows(tenant)
        if portion:
            yield portion
        yield from ([tenant] for tenant in large)
        for number, some in sorted(among.items()):
            yield from portions(some, number)
        yield from ([tenant] for tenant in suspects)

    def _is_large(self, table: _Table, year: _Year, tenant: str) -> bool:
        """Are the tenant's rows of the year too many for this process?"""
        before = table.state(tenant, year.number)
        return self.large.is_large(table.dataset, tenant, year.number, before, year.rows(tenant))

    def _build_large(self, table: _Table, year: _Year, tenant: str, remaining_s: Remaining) -> None:
        """Let Athena write the pending days of a large tenant, if they are all there.

        Raises AthenaError, and ConflictError as `_publish` does.
        """
        dataset, before = table.dataset, table.state(tenant, year.number)
        try:
            written = self.large.write(
                dataset,
                tenant,
                year.number,
                before,
                year.pending[tenant],
                year.run_of,
                as_of_us=table.as_of_us,
                remaining_s=remaining_s,
            )
        except GoneError:
            self._lose(table, year, tenant)
            return
        if self._counts(table, year, tenant, written.events):
            self._make_visible(table, year, tenant, written)

    def _count(
        self, table: _Table, year: _Year, tenants: Sequence[str], remaining_s: Remaining
    ) -> None:
        """Count the events of pending days that were not compared: those owed since long."""
        missing = {day for tenant in tenants for day in year.pending[tenant]} - {*year.counted}
        runs_of = {day: (year.run_of[day],) for day in missing}
        for some in batches(runs_of):
            year.counted |= Comparison(self.athena).compare(
                table.dataset,
                {day: runs_of[day] for day in some},
                copies=_NEW,
                remaining_s=remaining_s,
            )

    def _build(
        self, table: _Table, year: _Year, tenants: Sequence[str], remaining_s: Remaining
    ) -> None:
        """Write the pending days of some tenants. Raises AthenaError."""
        staged: list[str] = []
        try:
            self._lay_out(table, year, tenants, staged, remaining_s)
            left = {*tenants}
            for pieces in self._buckets(staged).values():
                bodies = [self.objects.get(key) for key in pieces]
                for tenant, rows in writing.split(table.dataset, bodies):
                    if tenant in left:
                        left.remove(tenant)
                        self._publish(table, year, tenant, rows)
            empty = tenant_year.schema(table.dataset, ROLLUPS[table.dataset.name][0]).empty_table()
            for tenant in sorted(left):
                self._publish(table, year, tenant, empty)
        finally:
            for prefix in staged:
                self.objects.delete_all(prefix)

    def _lay_out(
        self,
        table: _Table,
        year: _Year,
        tenants: Sequence[str],
        staged: list[str],
        remaining_s: Remaining,
    ) -> None:
        """Let Athena write the rows below prefixes, which are appended to `staged`."""
        wanted = {day for tenant in tenants for day in year.pending[tenant]}
        everybody = len(tenants) > MOST_NAMED
        for some in batches({day: (year.run_of[day],) for day in wanted}):
            params = {
                "runs": sorted({year.run_of[day] for day in some}),
                "pairs": [pair(year.run_of[day], day) for day in some],
                "first_day": str(some[0]),
                "last_day": str(some[-1]),
                "everybody": everybody,
                "tenants": [""] if everybody else list(tenants),
            }
            text, params = spread(statement("reports", table.dataset.name), params, "runs")
            staged.append(lake.staging_prefix(table.dataset, lake.ulid()))
            self.athena.unload(
                text,
                params,
                target=f"s3://{self.objects.bucket}/{staged[-1]}",
                partition="bucket",
                remaining_s=remaining_s,
            )

    def _buckets(self, staged: Sequence[str]) -> Mapping[str, list[str]]:
        """The keys of what was laid out, by bucket."""
        found: dict[str, list[str]] = defaultdict(list)
        for prefix in staged:
            for key in self.objects.keys(prefix):
                found[key.removeprefix(prefix).split("/")[0]].append(key)
        return dict(sorted(found.items()))

    def _publish(self, table: _Table, year: _Year, tenant: str, rows: pa.Table) -> None:
        """Put a tenant's pending days and make them visible, if they are all there.

        Raises ConflictError where another build was first, or the tenant is gone.
        """
        dataset, before = table.dataset, table.state(tenant, year.number)
        changed = frozenset(year.pending[tenant])
        rows = tenant_year.of_days(rows, changed)
        if not self._counts(table, year, tenant, tenant_year.count_events(dataset, rows)):
            return
        change = Change(changed, rows, lake.ulid(), table.as_of_us)
        writer = YearWriter(self.objects)
        try:
            written = writer.write(
                dataset, tenant, year.number, before, change, published=year.run_of.keys()
            )
        except GoneError:
            self._lose(table, year, tenant)
            return
        self._make_visible(table, year, tenant, written)

    def _counts(self, table: _Table, year: _Year, tenant: str, events: int) -> bool:
        """True if rows stand for as many events as the days hold; else it is noted as failed."""
        due = year.events(tenant)
        if events != due:
            table.failed[tenant, year.number] = BuildCheckError(
                f"{tenant} {year.number}: {events} events arranged in {table.dataset.name}, "
                f"where the days hold {due}"
            )
        return events == due

    def _make_visible(
        self, table: _Table, year: _Year, tenant: str, written: Written | WrittenLarge
    ) -> None:
        """Let the tenant's record name what was put. Raises ConflictError as `_publish` does."""
        self.tenants.set_year(
            tenant,
            table.dataset.name,
            year.number,
            written.state,
            before=table.state(tenant, year.number),
            fence=table.held.fence,
        )
        del year.pending[tenant]
        table.rewritten.append((tenant, year.number))
        table.folded += written.folded
        table.written += written.size

    def _lose(self, table: _Table, year: _Year, tenant: str) -> None:
        """Let the whole year be owed to a tenant whose record names objects that are gone.

        So it does where the record is one of before, as after a restoration. Raises ConflictError
        where it has only changed meanwhile.
        """
        before = table.state(tenant, year.number) or YearState((), "", table.as_of_us, None, 0)
        owed = frozenset(year.run_of)
        state = replace(before, parts=(), first_day=None, owed=owed, revision=before.revision + 1)
        self.tenants.set_year(
            tenant, table.dataset.name, year.number, state, before=before, fence=table.held.fence
        )
        logger.error("reports are gone", extra={"tenant": tenant, "year": year.number})
        del year.pending[tenant]
        table.finished = False  # the next round builds it

    # -- what is left

    def _note_owed(self, table: _Table, year: _Year) -> None:
        """Note on the tenants' records which days are still to be built."""
        for tenant, pending in sorted(year.pending.items()):
            owed, before = frozenset(pending), table.state(tenant, year.number)
            table.owed[tenant, year.number] = owed
            if before is None or before.owed != owed:
                known = before or YearState((), "", table.as_of_us, None, 0)
                state = replace(known, owed=owed, revision=known.revision + 1)
                self.tenants.set_year(
                    tenant,
                    table.dataset.name,
                    year.number,
                    state,
                    before=before,
                    fence=table.held.fence,
                )

    def _tell(
        self,
        tables: Sequence[_Table],
        stands: Mapping[str, Stand],
        remaining_s: Remaining,
    ) -> int:
        """Write on each tenant's record what is not built, if that has changed.

        A day that cannot be built is noted for every tenant, because nobody knows whose rows are to
        blame. Returns how many tenant-years are failing.
        """
        if not tables:
            return 0
        days_behind = {one.dataset.name: self._days_behind(one) for one in tables}
        notes = {one.dataset.name: _years_behind(one) for one in tables}
        failing = sum(note.failing for some in notes.values() for note in some.values())
        by_tenant: dict[tuple[str, str], dict[int, Unbuilt]] = defaultdict(dict)
        for name, some in notes.items():
            for (tenant_id, year), note in some.items():
                by_tenant[name, tenant_id][year] = note
        for tenant in self.tenants.all():
            behind = {name: known.behind for name, known in tenant.tables.items()}
            for name, its_days in days_behind.items():
                behind[name] = replace(its_days, years=by_tenant.get((name, tenant.id), {}))
            known = {name: tenant.table(name).behind for name in behind}
            if behind != known and remaining_s() > _LAST_S:
                with suppress(ConflictError):  # a tenant that is gone has no readers
                    self.tenants.set_behind(
                        tenant.id, {name: one for name, one in behind.items() if one != Behind()}
                    )
        for table in tables:
            self._finish(table, stands[table.dataset.stream], notes[table.dataset.name])
        return failing

    def _finish(self, table: _Table, stand: Stand, notes: Mapping[TenantYear, Unbuilt]) -> None:
        """Note that no day of the table is left over, if that is so, and when to look again."""
        if not (table.finished and table.is_settled):
            return
        left_to_time = len(notes) == len(table.owed) and all(n.failing for n in notes.values())
        self.held.finish(
            table.held,
            table.as_of_us,
            seen=stand.published if left_to_time else None,
            again_us=min((note.due_us(note.of) for note in notes.values()), default=None),
            failing=sum(note.failing for note in notes.values()),
        )

    def _days_behind(self, table: _Table) -> Behind:
        """The days of a table that are not as they were sent: not built, or not compared.

        build_daily has noted in the ledger which it could not build.
        """
        failing = [
            day
            for day, error in table.unread.items()
            if table.examined and isinstance(error, AthenaError) and not error.retryable
        ]
        waiting = [day for day in table.unread if day not in failing]
        for day, entry in self.ledger.entries(table.dataset.stream).items():
            partition = table.partitions.get(day)
            is_current = partition is not None and partition.version == entry.version
            if entry.unbuilt and not entry.expired and not is_current:
                (failing if entry.unbuilt.failing else waiting).append(day)
        return Behind(
            days.ranges(sorted({*failing}), MOST_RANGES),
            days.ranges(sorted({*waiting}), MOST_RANGES),
        )

    # -- folding by hand

    def _years(self, dataset: lake.Dataset, tenant: str) -> Sequence[int]:
        known = self.tenants.get(tenant)
        return sorted(known.table(dataset.name).years) if known else []

    def _fold_year(self, dataset: lake.Dataset, tenant: str, year: int) -> None:
        while known := self.tenants.get(tenant):
            state = known.table(dataset.name).years.get(year)
            if state is None:
                return
            named = {part.run for part in state.parts}
            if len(named) > 1:
                with suppress(
                    ConflictError, GoneError
                ):  # a build was first: its state is folded next
                    written = YearWriter(self.objects).fold(dataset, tenant, year, state)
                    self.tenants.set_year(tenant, dataset.name, year, written.state, before=state)
                continue
            self.objects.wipe_keys(superseded(self.objects, dataset, tenant, year, named))
            return


def superseded(
    objects: Objects, dataset: lake.Dataset, tenant: str, year: int, named: Collection[str]
) -> list[str]:
    """The keys of a tenant's year that belong to none of the runs that its record names."""
    whole = lake.part_key(dataset, tenant, year, "", "")
    kept = tuple(lake.part_prefix(dataset, tenant, year, run) for run in named if run)
    return [
        key
        for key in objects.keys(whole.removesuffix(".parquet"))
        if not key.startswith(kept) and not (key == whole and "" in named)
    ]


def _shows(state: YearState | None, day: date) -> bool:
    """True if a reader may find rows of a day."""
    return state is not None and any(day in part.days for part in state.parts)


def _years_behind(table: _Table) -> dict[TenantYear, Unbuilt]:
    """The tenants' years that could not be built, in this round or in one before."""
    found: dict[TenantYear, Unbuilt] = {}
    for place, owed in table.owed.items():
        tenant, year = place
        before = table.unbuilt(tenant, year)
        whole = _Year(year, table.run_of(year))
        whole.pending[tenant] |= owed
        made_of = whole.fingerprint(tenant)
        if place in table.failed:
            error, others = table.failed[place], bool(table.rewritten)
            found[place] = Unbuilt.failed(made_of, error, before=before, others_built=others)
        elif place in table.halved or (before is None and place in table.held_up):
            among = table.halved.get(place, 0)
            found[place] = Unbuilt.waiting(made_of, table.held_up[place], among=among)
        elif before is not None:
            found[place] = before
    return found
