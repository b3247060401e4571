"""The check finance = reports: a month's files with their adjustments have the reports' figures.

It changes nothing. A year that waits for its export is reported as waiting, not as wrong.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pulse.checks import CheckResult
from pulse.errors import BuildCheckError
from pulse.finance.export import DATASET, behind, revenue_of
from pulse.finance.figures import Figures, difference, totals
from pulse.finance.folder import Folder, list_folders
from pulse.finance.month import figures_in
from pulse.settings import ExportRevenueSettings
from pulse.store.finance import Finance
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant


def finance_equals_reports(settings: ExportRevenueSettings) -> CheckResult:
    """Check every exported month of every tenant, reading the files as finance does."""
    exported = Finance(settings.table).exported()
    wrong: list[Mapping[str, Any]] = []
    compared = waiting = 0
    for tenant in Tenants(settings.table).all():
        late = behind(tenant, exported.get(tenant.id, {}))
        waiting += len(late)
        for year in tenant.table(DATASET.name).published_years:
            if year not in late:
                for month, fault in _months(settings, tenant, year):
                    compared += 1
                    if fault:
                        wrong.append({"tenant": tenant.id, "month": month, **fault})
    return CheckResult(
        "finance = reports",
        "failed" if wrong else "waiting" if waiting else "ok",
        detail=f"{compared} months compared, {len(wrong)} differ, "
        f"{waiting} tenant-years wait for their export",
        rows=tuple(wrong),
    )


def _months(
    settings: ExportRevenueSettings, tenant: Tenant, year: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each month of a year with what is wrong in it; an empty mapping if nothing is."""
    revenue = revenue_of(Objects(settings.lake_bucket), tenant, year)
    folders = list_folders(Objects(settings.finance_bucket), tenant.id, year, in_time=lambda: False)
    for month, folder in folders.items():
        if month in revenue.months or folder.etags:
            yield month, _fault(folder, revenue.figures(month))


def _fault(folder: Folder, figures: Figures) -> Mapping[str, Any]:
    if folder.manifest is None:
        return {"fault": "there is no manifest"}
    try:
        changes = difference(figures, figures_in(folder, folder.manifest))
    except BuildCheckError as error:
        return {"fault": str(error)}
    if not changes:
        return {}
    missing = {currency: str(total) for currency, total in totals(changes).items()}
    return {"fault": f"{len(changes)} rows differ", "missing": missing}
