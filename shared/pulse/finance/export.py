"""export_revenue: every tenant's year whose report changed, or of which a month is to be closed.

What is to be done follows from the state: a tenant's record says what each year was exported from
and when its next month closes. One exporter works on a tenant at a time, under a lease; whoever
comes meanwhile leaves the tenant to it, for it looks once more after it has given the lease back.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Self

from pulse import days, lake
from pulse.days import Remaining
from pulse.errors import BuildCheckError, ConflictError, GoneError, PulseError, raise_collected
from pulse.finance.figures import DIMENSIONS, RevenueYear, closing_day, first_day
from pulse.finance.folder import Folder, list_folders
from pulse.finance.manifest import Manifest, to_the_second
from pulse.finance.month import bring_up_to_date
from pulse.observe import count, logger
from pulse.reports import reading
from pulse.settings import ExportRevenueSettings
from pulse.store.events import Events
from pulse.store.finance import ExportedYear, Finance
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant

DATASET = lake.INTERACTIONS
LEASE_US = 900 * days.SECOND
"""As long as a run may take at most: whoever holds a lease longer is dead."""
MARGIN_US = 60 * days.SECOND
"""Nothing is put any more so shortly before a lease ends."""
RESERVE_S = 60.0
"""Nothing is begun with less time than this left: the rest is for a run of its own."""


@dataclass(frozen=True)
class RevenueResult:
    """The months that were put anew, as (tenant, YYYY-MM), and whether none is left."""

    exported: tuple[tuple[str, str], ...]
    finished: bool


@dataclass(frozen=True)
class _Turn:
    """A tenant's lease at work: the years as they are exported so far."""

    years: dict[int, ExportedYear]
    in_time: Callable[[], bool]
    """False once nothing may be put any more."""


@dataclass(frozen=True)
class ExportRevenue:
    """The stage; `run` is the whole job, from an event or a shell."""

    reports: Objects
    files: Objects
    tenants: Tenants
    finance: Finance
    events: Events
    close_days: int

    @classmethod
    def from_settings(cls, settings: ExportRevenueSettings) -> Self:
        """The stage over the stack that the settings name."""
        return cls(
            reports=Objects(settings.lake_bucket),
            files=Objects(settings.finance_bucket),
            tenants=Tenants(settings.table),
            finance=Finance(settings.table),
            events=Events(settings.event_source),
            close_days=settings.close_days,
        )

    def run(self, *, remaining_s: Remaining) -> RevenueResult:
        """Export every tenant that is behind its reports, or has a month to close.

        Afterwards its months say what its reports do, and where time ran out the function is
        woken for the rest, if this run has brought anything on. A tenant that cannot be exported
        keeps no other from it: what was wrong is raised in the end.
        """
        exported: list[tuple[str, str]] = []
        caught_up = 0
        finished = True
        failed: list[Exception] = []
        known = self.finance.exported()
        for tenant in self.tenants.all():
            if not behind(tenant, known.get(tenant.id, {})):
                continue
            if remaining_s() < RESERVE_S:
                finished = False
                break
            try:
                for month in self._catch_up(tenant, remaining_s):
                    exported.append((tenant.id, month))
            except ConflictError:
                finished = False
            except Exception as error:
                logger.exception("revenue not exported", extra={"tenant": tenant.id})
                failed.append(error)
            else:
                caught_up += 1
        # A run that brings nothing on must not wake itself again and again.
        if not finished and (exported or caught_up):
            self.events.announce("revenue unfinished")
        logger.info("revenue exported", extra={"months": len(exported), "finished": finished})
        count("MonthsExported", len(exported))
        if len(failed) > 1:
            raise ExceptionGroup("the revenue of some tenants was not exported", failed)
        if failed:
            raise failed[0]
        return RevenueResult(tuple(exported), finished)

    def export_month(
        self, tenant: Tenant, month: str, *, remaining_s: Remaining
    ) -> Manifest | None:
        """Compare one month with its report whatever the state says, and put what it lacks.

        Its manifest then; None where the tenant has no interactions in it. Raises ConflictError
        while another exporter is at work on the tenant, BuildCheckError where somebody else
        touched a closed month.
        """
        while True:
            with self._turn(tenant.id, remaining_s) as turn:
                if turn is None:
                    raise ConflictError(f"the revenue of {tenant.id} is being exported just now")
                tenant = self._anew(tenant)
                year = first_day(month).year
                manifests = self._manifests(tenant, year, turn, only=month)
                manifest = next((manifest for _, manifest in manifests), None)
            tenant = self._anew(tenant)
            if not behind(tenant, turn.years):
                return manifest
            for _ in self._catch_up(tenant, remaining_s):
                pass

    def _catch_up(self, tenant: Tenant, remaining_s: Remaining) -> Iterator[str]:
        """Export what a tenant is behind with; each month that was put anew.

        Looks again after the lease is given back: whoever came meanwhile has gone away.
        """
        while True:
            with self._turn(tenant.id, remaining_s) as turn:
                if turn is None:
                    return
                tenant = self._anew(tenant)
                for year in behind(tenant, turn.years):
                    yield from self._export_year(tenant, year, turn)
            tenant = self._anew(tenant)
            if not behind(tenant, turn.years):
                return

    def _export_year(self, tenant: Tenant, year: int, turn: _Turn) -> Iterator[str]:
        """Export a year and note it in the turn; each month that was put anew."""
        closing = []
        for folder, manifest in self._manifests(tenant, year, turn):
            if manifest != folder.manifest:
                yield folder.month
            if not manifest.closed:
                closing.append(closing_day(folder.month, self.close_days))
        content = tenant.table(DATASET.name).years[year].content
        turn.years[year] = ExportedYear(content, min(closing, default=None))

    def _manifests(
        self, tenant: Tenant, year: int, turn: _Turn, *, only: str | None = None
    ) -> Iterator[tuple[Folder, Manifest]]:
        """Bring the months of a year up to date, or one; each as it was found and as it is then.

        A month that somebody touched keeps no other from it: that is raised in the end.
        """
        table, today = tenant.table(DATASET.name), days.today(tenant.timezone)
        if year not in table.published_years:
            return
        try:
            revenue = revenue_of(self.reports, tenant, year)
        except GoneError as error:
            if self._anew(tenant).table(DATASET.name) != table:
                raise ConflictError(f"{tenant.id} was built meanwhile") from error
            raise
        as_of = to_the_second(table.years[year].as_of_us)
        touched: list[PulseError] = []
        for month, folder in list_folders(self.files, tenant.id, year, turn.in_time).items():
            if only not in (None, month) or (month not in revenue.months and not folder.etags):
                continue
            closing = closing_day(month, self.close_days) <= today
            figures = revenue.figures(month)
            try:
                manifest = bring_up_to_date(folder, figures, as_of=as_of, closing=closing)
            except BuildCheckError as error:
                touched.append(error)
            else:
                yield folder, manifest
        raise_collected(touched)

    def _anew(self, tenant: Tenant) -> Tenant:
        """The tenant as it stands now."""
        return self.tenants.get(tenant.id) or tenant

    @contextmanager
    def _turn(self, tenant: str, remaining_s: Remaining) -> Iterator[_Turn | None]:
        """Within the block nobody else exports the tenant; None where somebody else does.

        Afterwards its record says which years are exported.
        """
        lease = self.finance.take(tenant, lake.ulid(), days.now_us() + LEASE_US)
        if lease is None:
            yield None
            return
        last_put_us = lease.until_us - MARGIN_US
        turn = _Turn(
            dict(lease.years),
            in_time=lambda: remaining_s() >= RESERVE_S and days.now_us() < last_put_us,
        )
        try:
            yield turn
        finally:
            self.finance.give_back(lease, turn.years)


def revenue_of(reports: Objects, tenant: Tenant, year: int) -> RevenueYear:
    """The revenue that a tenant's reports show of a year which has some.

    Raises GoneError where an object is gone: they may have changed since the tenant was read.
    """
    state = tenant.table(DATASET.name).years[year]
    return RevenueYear.of(reading.rows(reports, DATASET, tenant.id, year, state, DIMENSIONS))


def behind(tenant: Tenant, exported: Mapping[int, ExportedYear]) -> list[int]:
    """The years that finance does not have as the reports do, or has a month of to close."""
    table, today = tenant.table(DATASET.name), days.today(tenant.timezone)
    return [
        year
        for year in table.published_years
        if year not in exported
        or exported[year].content != table.years[year].content
        or (exported[year].closes_on or date.max) <= today
    ]
