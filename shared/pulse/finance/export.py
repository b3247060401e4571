"""export_revenue: exports the years whose reports have changed, and closes the months that are due.

A tenant's record says from which report each year was exported, and when its next month closes. One
exporter at a time works on a tenant, under a lease. Others skip the tenant, because the one at work
looks for changes once more after it has released the lease.
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
"""The function's timeout: an exporter that has held a lease for longer is dead."""
MARGIN_US = 60 * days.SECOND
"""Nothing is written in this time before a lease ends."""
RESERVE_S = 60.0
"""With less time left no month is begun: the next invocation goes on."""


@dataclass(frozen=True)
class RevenueResult:
    """The months that were written, as (tenant, YYYY-MM), and whether none is left."""

    exported: tuple[tuple[str, str], ...]
    finished: bool


@dataclass(frozen=True)
class _Turn:
    """A tenant's lease while it is held: which years are exported so far, from which report."""

    years: dict[int, ExportedYear]
    in_time: Callable[[], bool]
    """True while files may be written."""


@dataclass(frozen=True)
class ExportRevenue:
    """The stage; `run` exports all tenants, `export_month` one month."""

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
        """Export every tenant whose files are older than its reports, or that has a month to close.

        Afterwards the files of its months have the figures of its reports. If the time does not
        suffice and this run exported anything, the function invokes itself to go on. If a tenant
        cannot be exported, the others are; its error is raised at the end.
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
        # A run that has achieved nothing must not invoke itself for ever.
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
        """Export one month, even if its record says that it is up to date; return its manifest.

        Returns None if the tenant has no interactions in the month. Raises ConflictError while
        another exporter works on the tenant, BuildCheckError if files of a closed month were
        changed by somebody else.
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
        """Export a tenant's years that are behind; yield each month that was written.

        Looks for changes again after the lease is released: exporters that came meanwhile skipped
        the tenant.
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
        """Export a year and note it in the turn; yield each month that was written."""
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
        """Bring the months of a year up to date, or only one of them.

        Yields each month's folder as it was found, and its manifest afterwards. If a month cannot
        be exported, the others are; its error is raised at the end.
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
        """The tenant, read again."""
        return self.tenants.get(tenant.id) or tenant

    @contextmanager
    def _turn(self, tenant: str, remaining_s: Remaining) -> Iterator[_Turn | None]:
        """Within the block no other exporter works on the tenant; yields None if one does.

        Afterwards the tenant's record says which years are exported.
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
    """The revenue in a tenant's reports of a year; the year must have reports.

    Raises GoneError if an object is gone: the reports may have changed since the tenant was read.
    """
    state = tenant.table(DATASET.name).years[year]
    return RevenueYear.of(reading.rows(reports, DATASET, tenant.id, year, state, DIMENSIONS))


def behind(tenant: Tenant, exported: Mapping[int, ExportedYear]) -> list[int]:
    """The years whose files are older than the reports, or that have a month to close."""
    table, today = tenant.table(DATASET.name), days.today(tenant.timezone)
    return [
        year
        for year in table.published_years
        if year not in exported
        or exported[year].content != table.years[year].content
        or (exported[year].closes_on or date.max) <= today
    ]
