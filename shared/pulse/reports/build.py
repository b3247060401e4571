"""build_reports: every tenant-year whose days were rebuilt is arranged for reading and put once.

What is to be built follows from the state: a tenant-year knows a hash of the (day, run) pairs it
was built from, and Glue knows the pairs of now; an object of another format is behind, too. Athena
lays the rows out by tenant, this module sorts each tenant's year into one object and puts it in the
place of the one it read before.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any, Literal, Self

from pulse import days, formats, lake
from pulse.days import Remaining
from pulse.errors import (
    AthenaError,
    BuildCheckError,
    ConflictError,
    PulseError,
    raise_collected,
)
from pulse.halving import Failures, halves, portions
from pulse.observe import count, logger
from pulse.reports import tenant_year
from pulse.settings import BuildSettings
from pulse.sql import statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.events import Events
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects, Stored
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Behind, Tenant, YearState
from pulse.unbuilt import Unbuilt

ROUNDS = 3
"""How often a run starts over for tenant-years that another builder changed under it."""
MOST_RANGES = 50
"""A tenant's record names at most so many ranges of days that are not built."""
_LAST_S = 10.0
"""With less time left nothing is begun."""


@dataclass(frozen=True)
class ReportsResult:
    """What a run did: tenant-years put (of any table), objects that turned out the same, whether
    nothing is left."""

    rewritten: tuple[tuple[str, int], ...]
    unchanged: int
    finished: bool


_Outcome = Literal["rewritten", "unchanged", "conflict"] | BuildCheckError
"""What became of a tenant-year."""
_TenantYear = tuple[str, int]


@dataclass
class _Round(Failures[_TenantYear]):
    """What became of a table's tenant-years that were behind when the round began."""

    dataset: lake.Dataset
    partitions: Mapping[date, Partition]
    """The days as they were published then."""
    rewritten: list[_TenantYear] = field(default_factory=list)
    unchanged: int = 0
    finished: bool = True
    """False where time ran out or another builder was first."""
    halving: dict[_TenantYear, tuple[int, AthenaError]] = field(default_factory=dict)
    """The last statement over a tenant-year that failed: how many it was over, and why."""
    halved: dict[_TenantYear, int] = field(default_factory=dict)
    """What was still being halved when time ran out: how many the last statement was over."""

    @property
    def has_built(self) -> bool:
        """True once a tenant-year has been built."""
        return bool(self.rewritten or self.unchanged)

    def hold_up(self, tenants: Iterable[Tenant], year: int, error: PulseError) -> None:
        """Note that these could not be built, and that the error is none of theirs."""
        self.held_up.update(dict.fromkeys(((tenant.id, year) for tenant in tenants), error))

    def stop(self, tenants: Iterable[Tenant], year: int) -> None:
        """Note that no time is left for these. Those that were being halved are held up."""
        self.finished = False
        for tenant in tenants:
            if (tenant.id, year) in self.halving:
                self.halved[tenant.id, year], error = self.halving[tenant.id, year]
                self.hold_up([tenant], year, error)

    def note_failure(
        self, tenants: Sequence[Tenant], year: int, error: AthenaError | BuildCheckError
    ) -> list[list[Tenant]]:
        """Note that a statement over these tenants failed; the portions to be tried next."""
        self.statements_failed += 1
        if isinstance(error, BuildCheckError) or error.retryable:
            self.hold_up(tenants, year, error)
            return []
        if len(tenants) == 1:
            tenant = tenants[0].id
            self.failed[tenant, year] = AthenaError(f"{tenant} {year}: {error}")
            return []
        self.halving |= {(tenant.id, year): (len(tenants), error) for tenant in tenants}
        return halves(tenants)

    def note(self, tenant: str, year: int, outcome: _Outcome) -> None:
        """Count what became of a tenant-year."""
        if isinstance(outcome, BuildCheckError):
            self.failed[tenant, year] = outcome
        elif outcome == "rewritten":
            self.rewritten.append((tenant, year))
        elif outcome == "unchanged":
            self.unchanged += 1
        else:
            self.finished = False


@dataclass(frozen=True)
class _Plan:
    """One tenant-year to build, as it stood before the statement."""

    tenant: str
    year: int
    before: YearState | None
    stored: Stored | None

    @property
    def contested(self) -> bool:
        """True if another build has claimed it, and may still put its object."""
        return self.before is not None and self.before.claimed


@dataclass(frozen=True)
class BuildReports:
    """The stage; `run` is the whole job, from an event or a shell."""

    objects: Objects
    tenants: Tenants
    ledger: Ledger
    catalog: Catalog
    athena: Athena
    events: Events

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
        )

    def run(self, *, remaining_s: Remaining, impatient: bool = False) -> ReportsResult:
        """Build every tenant-year that is behind its days.

        Those that are known to fail are tried again from time to time, or now if `impatient`.

        Afterwards each of them is one object, whole and sorted, and its state says which days'
        runs it shows. Each tenant's record says which days and years could not be built. Raises
        AthenaError or BuildCheckError, with the tenant-years that it is about as they were; the
        others have been built.
        """
        rewritten: list[_TenantYear] = []
        unchanged = 0
        finished = True
        failures: list[PulseError] = []
        rounds: list[_Round] = []
        for dataset in lake.DATASETS:
            for _ in range(ROUNDS):
                done = self._round(dataset, remaining_s, impatient)
                rewritten += done.rewritten
                unchanged += done.unchanged
                if done.finished or remaining_s() < RESERVE_S:
                    break
            finished = finished and done.finished
            failures += done.failures  # of the last round: what failed before was tried again
            rounds.append(done)
        failing = self._tell(rounds, remaining_s)
        # A run that builds nothing must not wake itself again and again.
        again = not finished and (rewritten or unchanged or not failures)
        self.events.announce("reports unfinished" if again else "reports built")
        fields = {"rewritten": len(rewritten), "unchanged": unchanged, "finished": finished}
        logger.info("reports built", extra=fields)
        count("TenantYearsRewritten", len(rewritten))
        count("TenantYearsFailing", failing)
        if finished and not failures:
            count("ReportsUpToDate")  # the alarm Freshness waits for it
        raise_collected(failures)
        return ReportsResult(tuple(dict.fromkeys(rewritten)), unchanged, finished)

    def _round(self, dataset: lake.Dataset, remaining_s: Remaining, impatient: bool) -> _Round:
        """Build what is behind now."""
        done = _Round(dataset, self.catalog.partitions(dataset.daily_table))
        for year, partitions in sorted(by_year(done.partitions.values()).items()):
            built_from = fingerprint(partitions)
            left = deque(self._behind(dataset, year, built_from, impatient))
            self._build_year(done, year, left, built_from, remaining_s)
            if left:  # time ran out
                break
        return done

    def _build_year(
        self,
        done: _Round,
        year: int,
        left: deque[list[Tenant]],
        built_from: str,
        remaining_s: Remaining,
    ) -> None:
        """Build a year of the tenants that are `left`. If time runs out, some stay there."""
        while left:
            if remaining_s() < RESERVE_S:
                done.stop((tenant for tenants in left for tenant in tenants), year)
                return
            if done.is_hopeless:
                for tenants in left:
                    done.hold_up(tenants, year, done.failures[-1])
                left.clear()
                return
            tenants = left.popleft()
            try:
                outcomes = self._build(done.dataset, year, tenants, built_from, remaining_s)
            except (AthenaError, BuildCheckError) as error:
                left.extendleft(reversed(done.note_failure(tenants, year, error)))
            else:
                for tenant, outcome in outcomes:
                    done.note(tenant, year, outcome)

    def _behind(
        self, dataset: lake.Dataset, year: int, built_from: str, impatient: bool
    ) -> Iterator[list[Tenant]]:
        """The tenants whose year is to be built, in portions of one statement each.

        Those whose own statement failed come last, each alone, and only from time to time.
        """
        halves: dict[int, list[Tenant]] = defaultdict(list)
        suspects: list[Tenant] = []

        def sound() -> Iterator[Tenant]:
            for tenant in self.tenants.all():
                if _built_from(tenant, dataset, year) == built_from:
                    continue
                unbuilt = tenant.table(dataset.name).behind.years.get(year)
                if unbuilt is None or not (unbuilt.alone or unbuilt.among):
                    yield tenant
                elif unbuilt.among:
                    halves[unbuilt.among].append(tenant)
                elif impatient or unbuilt.is_due(built_from):
                    suspects.append(tenant)

        tenants = sound()
        while portion := list(islice(tenants, lake.PARTITION_LIMIT)):
            yield portion
        for among, some in sorted(halves.items()):
            yield from portions(some, among)
        yield from ([tenant] for tenant in suspects)

    def _tell(self, rounds: Sequence[_Round], remaining_s: Remaining) -> int:
        """Write on each tenant's record what is not built, if that has changed.

        A day that cannot be built is noted for every tenant, because nobody knows whose rows are to
        blame. Returns how many tenant-years are failing.
        """
        days_behind = {one.dataset.name: self._days_behind(one) for one in rounds}
        failing = 0
        for tenant in self.tenants.all():
            behind = {
                one.dataset.name: replace(
                    days_behind[one.dataset.name], years=_years_behind(tenant, one)
                )
                for one in rounds
            }
            failing += sum(
                unbuilt.failing for one in behind.values() for unbuilt in one.years.values()
            )
            known = {name: tenant.table(name).behind for name in behind}
            if behind != known and remaining_s() > _LAST_S:
                with suppress(ConflictError):  # a tenant that is gone has no readers
                    self.tenants.set_behind(
                        tenant.id, {name: one for name, one in behind.items() if one != Behind()}
                    )
        return failing

    def _days_behind(self, done: _Round) -> Behind:
        """The days of a table that build_daily could not build, as it has noted in the ledger."""
        failing: list[date] = []
        waiting: list[date] = []
        for day, entry in self.ledger.entries(done.dataset.stream).items():
            partition = done.partitions.get(day)
            is_current = partition is not None and partition.version == entry.version
            if entry.unbuilt and not entry.expired and not is_current:
                (failing if entry.unbuilt.failing else waiting).append(day)
        return Behind(days.ranges(failing, MOST_RANGES), days.ranges(waiting, MOST_RANGES))

    def _build(
        self,
        dataset: lake.Dataset,
        year: int,
        tenants: Sequence[Tenant],
        built_from: str,
        remaining_s: Remaining,
    ) -> list[tuple[str, _Outcome]]:
        """Build one year of up to a hundred tenants; (tenant, what became of it)."""
        run = lake.ulid()
        now = days.now_us()
        staging = lake.staging_prefix(dataset, run)
        plans = [self._plan(dataset, tenant, year) for tenant in tenants]
        params = {
            "first_day": f"{year}-01-01",
            "last_day": f"{year}-12-31",
            "tenants": [plan.tenant for plan in plans],
        }
        self.athena.unload(
            statement("reports", dataset.name),
            params,
            target=f"s3://{self.objects.bucket}/{staging}",
            partition="tenant",
            remaining_s=remaining_s,
        )
        due = self._due(dataset, params, remaining_s)
        if not due:
            self._check_empty(dataset, params, remaining_s)
        outcomes: list[tuple[str, _Outcome]] = []
        for plan in plans:
            pieces = self.objects.keys(f"{staging}tenant={plan.tenant}/")
            rows = tenant_year.arrange(dataset, [self.objects.get(key) for key in pieces])
            outcome = self._mistake(dataset, plan, rows, due.get(plan.tenant, 0), built_from)
            if outcome is None:
                state = YearState(built_from, now, rows.first_day, published=True)
                outcome = self._publish(dataset, plan, rows, state, run)
            outcomes.append((plan.tenant, outcome))
        self.objects.delete_all(staging)
        return outcomes

    def _mistake(
        self,
        dataset: lake.Dataset,
        plan: _Plan,
        rows: tenant_year.TenantYear,
        due: int,
        built_from: str,
    ) -> _Outcome | None:
        """Why the rows must not be published; None where they count what the days hold."""
        if rows.answers == due:
            return None
        if self._moved(dataset, plan.year, built_from):
            return "conflict"
        return BuildCheckError(
            f"{plan.tenant} {plan.year}: {rows.answers} events arranged in {dataset.name}, "
            f"where the days hold {due}"
        )

    def _plan(self, dataset: lake.Dataset, tenant: Tenant, year: int) -> _Plan:
        """The tenant-year as it stands; read before the statement, checked when publishing."""
        before = tenant.table(dataset.name).years.get(year)
        key = lake.report_key(dataset, tenant.id, year)
        # Asked for even if not published: a run may have died between its PUT and its last word.
        stored = self.objects.find(key) if before else None
        return _Plan(tenant.id, year, before, stored)

    def _due(
        self, dataset: lake.Dataset, params: Mapping[str, Any], remaining_s: Remaining
    ) -> dict[str, int]:
        """How many events the published days hold for each tenant, counted independently."""
        sql = statement("checks", f"{dataset.name}_by_tenant")
        rows = self.athena.rows(sql, params, remaining_s=remaining_s)
        return {row["tenant"]: int(row["events"]) for row in rows}

    def _check_empty(
        self, dataset: lake.Dataset, params: Mapping[str, Any], remaining_s: Remaining
    ) -> None:
        """Raise BuildCheckError if Athena finds no events of any tenant where Glue knows of some.

        Tenants may have none. But where Athena reads nothing at all, as from a table whose
        location is wrong, its count agrees with what it has laid out.
        """
        sql = statement("checks", f"{dataset.name}_published")
        span = {name: params[name] for name in ("first_day", "last_day")}
        (row,) = self.athena.rows(sql, span, remaining_s=remaining_s) or [{"events": 0}]
        known = sum(
            partition.answers
            for partition in self.catalog.partitions(dataset.daily_table).values()
            if span["first_day"] <= partition.day.isoformat() <= span["last_day"]
        )
        if known and not int(row["events"]):
            raise BuildCheckError(
                f"{span['first_day'][:4]}: Athena finds no events in {dataset.daily_table}, "
                f"where its days count {known}"
            )

    def _moved(self, dataset: lake.Dataset, year: int, built_from: str) -> bool:
        """True if the year's days point elsewhere than when this round began."""
        years = by_year(self.catalog.partitions(dataset.daily_table).values())
        return fingerprint(years.get(year, [])) != built_from

    def _publish(
        self,
        dataset: lake.Dataset,
        plan: _Plan,
        rows: tenant_year.TenantYear,
        state: YearState,
        run: str,
    ) -> _Outcome:
        """Put the object if its rows are new.

        Two builders may work on one tenant-year: docs/decisions/0002 says why neither can leave
        older rows behind.
        """
        try:
            if not plan.contested and self._is_the_same(plan, rows):
                published = plan.stored is not None
                self._set(dataset, plan, replace(state, published=published), plan.before)
                return "unchanged"
            standing = replace(plan.before or state, published=plan.stored is not None)
            claim = standing.claim(run)
            self._set(dataset, plan, claim, plan.before)
            self._put(dataset, plan, rows)
            self._set(dataset, plan, state, claim)
        except ConflictError:
            return "conflict"
        return "rewritten"

    def _is_the_same(self, plan: _Plan, rows: tenant_year.TenantYear) -> bool:
        """True if the object need not be put: it has these rows, or there are none at all."""
        return plan.stored.sha256 == rows.sha256 if plan.stored else not rows.answers

    def _put(self, dataset: lake.Dataset, plan: _Plan, rows: tenant_year.TenantYear) -> None:
        """Put the object in the place of the one read before the statement.

        An ETag is a hash of the bytes. Put over another's claim, the bytes name that claim, so
        that they differ from what the other read, and its own PUT fails if it still comes.
        """
        body = rows.body
        if plan.before and plan.contested:
            body = rows.body_after(plan.before.built_from)
        key = lake.report_key(dataset, plan.tenant, plan.year)
        etag = plan.stored.etag if plan.stored else None
        self.objects.replace(key, body, sha256=rows.sha256, etag=etag)

    def _set(
        self, dataset: lake.Dataset, plan: _Plan, state: YearState, before: YearState | None
    ) -> None:
        """Store the state. Raises ConflictError unless it is still as `before` says."""
        self.tenants.set_year(plan.tenant, dataset.name, plan.year, state, before=before)


def fingerprint(partitions: Iterable[Partition]) -> str:
    """What a year's rows are made of: a hash over its (day, run) pairs and the objects' format.

    So what another version has written is behind, and is built again by the one that runs.
    """
    made = [f"{p.day} {p.run}" for p in sorted(partitions, key=lambda p: p.day)]
    text = "\n".join([*made, f"format {formats.REPORT.number}"])
    return hashlib.sha256(text.encode()).hexdigest()


def by_year(partitions: Iterable[Partition]) -> dict[int, list[Partition]]:
    """The partitions by calendar year."""
    years: dict[int, list[Partition]] = defaultdict(list)
    for partition in partitions:
        years[partition.day.year].append(partition)
    return years


def _years_behind(tenant: Tenant, done: _Round) -> dict[int, Unbuilt]:
    """The years of a tenant that could not be built, in this round or in one before."""
    table = tenant.table(done.dataset.name)
    found: dict[int, Unbuilt] = {}
    for year, partitions in by_year(done.partitions.values()).items():
        place, built_from = (tenant.id, year), fingerprint(partitions)
        if _built_from(tenant, done.dataset, year) == built_from:
            continue
        before = table.behind.years.get(year)
        if place in done.failed:
            others_built = bool(done.rewritten or done.unchanged)
            error = done.failed[place]
            found[year] = Unbuilt.failed(
                built_from, error, before=before, others_built=others_built
            )
        elif place in done.halved or (before is None and place in done.held_up):
            among = done.halved.get(place, 0)
            found[year] = Unbuilt.waiting(built_from, done.held_up[place], among=among)
        elif before is not None:
            found[year] = before
    return found


def _built_from(tenant: Tenant, dataset: lake.Dataset, year: int) -> str | None:
    state = tenant.table(dataset.name).years.get(year)
    return state.built_from if state else None
