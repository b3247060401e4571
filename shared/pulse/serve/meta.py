"""What a reply says of itself: its days, filters, formulas and warnings."""

from collections.abc import Callable
from typing import Any

from pulse import days
from pulse.days import DateRange
from pulse.reports.declarations import TENANT
from pulse.serve import warnings
from pulse.serve.figures import Figures
from pulse.serve.plan import Plan, TenantDays
from pulse.serve.tally import tally_of
from pulse.serve.years import Engine, TenantYears
from pulse.tenants.tenant import earliest


def meta_of(plan: Plan, objects: TenantYears, made: Figures | None = None) -> dict[str, Any]:
    """What the reply says of itself, and of the figures that were made for it."""
    found = [
        *warnings.nothing_built(plan),
        *warnings.unbuilt(plan),
        *warnings.values_folded(plan, objects),
        *warnings.bots(plan, objects),
        *warnings.not_told_apart(plan),
        *warnings.filters(plan.all_filters),
        *warnings.nameless(plan),
        *warnings.unmatched(plan, objects),
    ]
    if made:
        found += [*warnings.rest(made.folded), *warnings.unjudged(made.left_out)]
    return {
        **described(plan),
        **_linked(plan, objects),
        "engine": _engine(objects),
        "formulas": made.formulas if made else [],
        "warnings": [{"code": code, "message": message} for code, message in found],
    }


def described(plan: Plan) -> dict[str, Any]:
    """What is known of the reply before anything is read."""
    meta: dict[str, Any] = {
        "date_range": {"preset": plan.query.preset, **_each(plan, _dates_of)},
        "as_of": _as_of(plan),
        "filters": {name: condition.shown() for name, condition in plan.filters.items()},
    }
    if plan.query.date_basis:
        meta["date_basis"] = plan.query.date_basis
    if plan.query.compare:
        meta["compare"] = {"with": plan.query.compare, **_each(plan, _compared_of)}
    return meta


def _linked(plan: Plan, objects: TenantYears) -> dict[str, Any]:
    """How many of the answers that count in the days asked for are linked to something."""
    if (name := plan.report.linked_by) is None:
        return {}
    counted = tally_of(plan, objects, [name])
    each = dict(zip((value for (value,) in counted.keys), counted.sums[:, 0].tolist(), strict=True))
    total = sum(each.values())
    return {"linked": {"responses": total - each.get(None, 0), "of": total}}


def first_and_last(dates: DateRange) -> dict[str, str]:
    """A range of days as replies show it."""
    return {"start_date": dates.start.isoformat(), "end_date": dates.end.isoformat()}


def _each(plan: Plan, describe: Callable[[TenantDays], dict[str, str]]) -> dict[str, Any]:
    """A description of the tenant's days; where the query names tenants, of each one's."""
    if plan.query.tenants is None:
        return describe(plan.tenants[0])
    return {"tenants": [{TENANT.name: one.tenant.id, **describe(one)} for one in plan.tenants]}


def _dates_of(one: TenantDays) -> dict[str, str]:
    return {**first_and_last(one.dates), "timezone": one.tenant.timezone}


def _compared_of(one: TenantDays) -> dict[str, str]:
    return first_and_last(one.compared) if one.compared else {}


def _as_of(plan: Plan) -> str | None:
    """Until when everything stored is in the figures: the earliest of several tenants' and tables'.

    None where a table of a tenant has not been built whole yet.
    """
    us = earliest(
        one.tenant.table(table.name).as_of_us
        for one in plan.tenants
        for table in plan.tables_of(one)
    )
    return days.iso(us // days.SECOND * days.SECOND) if us is not None else None


def _engine(objects: TenantYears) -> Engine:
    """What the figures come from: Athena as soon as any of them do."""
    engines = {year.engine for years in objects.values() for year in years}
    return "athena" if "athena" in engines else "reports"
