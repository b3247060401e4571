"""build_reports: every tenant-year whose days were rebuilt is arranged for reading and put once.

What is to be built follows from the state: a tenant-year knows a hash of the (day, run) pairs it
was built from, and Glue knows the pairs of now; an object of another format is behind, too. Athena
lays the rows out by tenant, this module sorts each tenant's year into one object and puts it in the
place of the one it read before.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from pulse.observe import count, logger
from pulse.reports import tenant_year
from pulse.settings import BuildSettings
from pulse.sql import statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.events import Events
from pulse.store.objects import Objects, Stored
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant, YearState

ROUNDS = 3
"""How often a run starts over for tenant-years that another builder changed under it."""


@dataclass(frozen=True)
class ReportsResult:
    """What a run did: tenant-years put (of any table), objects that turned out the same, whether
    nothing is left."""

    rewritten: tuple[tuple[str, int], ...]
    unchanged: int
    finished: bool


_Outcome = Literal["rewritten", "unchanged", "conflict"] | BuildCheckError
"""What became of a tenant-year."""


@dataclass
class _Round:
    """What became of a table's tenant-years that were behind when the round began."""

    rewritten: list[tuple[str, int]] = field(default_factory=list)
    unchanged: int = 0
    finished: bool = True
    """False where time ran out or another builder was first."""
    failures: list[PulseError] = field(default_factory=list)

    def note(self, tenant: str, year: int, outcome: _Outcome) -> None:
        """Count one."""
        if isinstance(outcome, BuildCheckError):
            self.failures.append(outcome)
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
    catalog: Catalog
    athena: Athena
    events: Events

    @classmethod
    def from_settings(cls, settings: BuildSettings) -> Self:
        """The stage over the stack that the settings name."""
        return cls(
            objects=Objects(settings.lake_bucket),
            tenants=Tenants(settings.table),
            catalog=Catalog(settings.database),
            athena=Athena(settings.database, settings.workgroup),
            events=Events(settings.event_source),
        )

    def run(self, *, remaining_s: Remaining) -> ReportsResult:
        """Build every tenant-year that is behind its days.

        Afterwards each of them is one object, whole and sorted, and its state says which days'
        runs it shows. Raises AthenaError or BuildCheckError, with the tenant-years that it is
        about as they were; the others have been built.
        """
        rewritten: list[tuple[str, int]] = []
        unchanged = 0
        finished = True
        failures: list[PulseError] = []
        for dataset in lake.DATASETS:
            for _ in range(ROUNDS):
                done = self._round(dataset, remaining_s)
                rewritten += done.rewritten
                unchanged += done.unchanged
                if done.finished or remaining_s() < RESERVE_S:
                    break
            finished = finished and done.finished
            failures += done.failures  # of the last round: what failed before was tried again
        # What only ever fails must not go on waking itself.
        again = not finished and (rewritten or unchanged or not failures)
        self.events.announce("reports unfinished" if again else "reports built")
        fields = {"rewritten": len(rewritten), "unchanged": unchanged, "finished": finished}
        logger.info("reports built", extra=fields)
        count("TenantYearsRewritten", len(rewritten))
        if finished and not failures:
            count("ReportsUpToDate")  # the alarm Freshness waits for it
        raise_collected(failures)
        return ReportsResult(tuple(dict.fromkeys(rewritten)), unchanged, finished)

    def _round(self, dataset: lake.Dataset, remaining_s: Remaining) -> _Round:
        """Build what is behind now."""
        done = _Round()
        years = by_year(self.catalog.partitions(dataset.daily_table).values())
        for year, partitions in sorted(years.items()):
            built_from = fingerprint(partitions)
            behind = (
                tenant
                for tenant in self.tenants.all()
                if _built_from(tenant, dataset, year) != built_from
            )
            while chunk := list(islice(behind, lake.PARTITION_LIMIT)):
                if remaining_s() < RESERVE_S:
                    done.finished = False
                    return done
                try:
                    outcomes = self._build(dataset, year, chunk, built_from, remaining_s)
                except (AthenaError, BuildCheckError) as error:
                    done.failures.append(error)
                    continue
                for tenant, outcome in outcomes:
                    done.note(tenant, year, outcome)
        return done

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


def _built_from(tenant: Tenant, dataset: lake.Dataset, year: int) -> str | None:
    state = tenant.table(dataset.name).years.get(year)
    return state.built_from if state else None
