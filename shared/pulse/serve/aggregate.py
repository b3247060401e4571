"""From a plan and its objects to tables of groups: of the days asked for, and those before.

What several objects, tables and tenants hold becomes one table of each side in the order of the
question's layout.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pulse.days import DateRange
from pulse.reports.declarations import CURRENCY, PERIOD, TENANT
from pulse.reports.sums import Layout
from pulse.serve.block import Apart, Fold
from pulse.serve.encoding import Integers, constant
from pulse.serve.groups import (
    Groups,
    Key,
    certain,
    check_size,
    filled,
    judged,
    merged,
    nothing,
    split,
    with_always,
    with_over_all,
)
from pulse.serve.plan import Plan, TenantDays
from pulse.serve.years import TenantYears, YearRows


@dataclass(frozen=True)
class Aggregate:
    """The sums of each side, and the groups that have rows, some of which counted nothing.

    `left_out` is how many answers no figure is made of, by the required dimensions. Where rows are
    compared within strata, `strata_now` and `strata_before` are the same sums by the columns that
    Plan.split_by names; otherwise they are None.
    """

    layout: Layout
    now: Groups
    before: Groups | None
    rows: Groups
    left_out: Mapping[Key, int]
    strata_now: Groups | None = None
    strata_before: Groups | None = None


def aggregate(plan: Plan, objects: TenantYears, fold: Fold | None = None) -> Aggregate:
    """The groups of every tenant. Raises TooManyGroupsError for more than can be told."""
    layout = _layout(plan, objects)
    now, before = _Side(), _Side()
    rows: list[Groups] = []
    left_out: Counter[Key] = Counter()
    for one in plan.tenants:
        years = objects[one.tenant.id]
        for side, dates in ((now, one.dates), (before, one.compared)):
            if dates is not None:
                found = _groups(plan, one, years, layout, dates, fold)
                kept, unjudged = judged(plan.report, plan.required, found)
                side.add(plan, kept)
                left_out.update(unjudged)
        counted = merged(side.groups[-1].bare for side in (now, before) if side.groups)
        rows.append(_rows(plan, one, counted))
    return Aggregate(
        layout=layout,
        now=_side(plan, now.groups, layout),
        before=_side(plan, before.groups, layout) if before.groups else None,
        rows=_with_added_rows(plan, merged(rows)),
        left_out=left_out,
        strata_now=merged(now.strata) if now.strata else None,
        strata_before=merged(before.strata) if before.strata else None,
    )


@dataclass(frozen=True)
class _Side:
    """Each tenant's sums of the days asked for, or of those before, and its sums by stratum."""

    groups: list[Groups] = field(default_factory=list)
    strata: list[Groups] = field(default_factory=list)

    def add(self, plan: Plan, found: Groups) -> None:
        """Have a tenant's sums by the plan's `split_by` among those of the side."""
        if plan.report.among:
            self.strata.append(found)
            found = found.by(slice(len(plan.query.group_by)))
        self.groups.append(found)


def _layout(plan: Plan, objects: TenantYears) -> Layout:
    """What stands where in the sums, with all currencies that these days have."""
    taken = frozenset(name for table in plan.tables for name in plan.report.measures_of(table))
    by_currency = plan.report.by_currency
    if not by_currency:
        return Layout(plan.tables, taken=taken)
    known = {
        str(currency)
        for one in plan.tenants
        for year in objects[one.tenant.id]
        for dates in one.ranges
        for currency in year.values(dates, CURRENCY)
        if currency is not None
    }
    return Layout(plan.tables, by_currency, tuple(sorted(known)), taken)


# -- the sums of one tenant


def _groups(
    plan: Plan,
    one: TenantDays,
    years: Sequence[YearRows],
    layout: Layout,
    dates: DateRange,
    fold: Fold | None,
) -> Groups:
    """The tenant's sums of these days, by the question's columns and strata."""
    by_count = plan.report.by_count
    names = [name for name in plan.split_by if not (by_count and name == by_count.name)]
    stored = [name for name in names if name != TENANT.name]
    parts = [_year(plan, one, year, layout, dates, stored, fold) for year in years]
    found = merged(parts) if parts else nothing(len(stored), layout.width)
    if TENANT.name in names:
        found = found.put(names.index(TENANT.name), constant(one.tenant.id, len(found)))
    if by_count:
        found = split(found, plan.query.group_by.index(by_count.name))
    return found


def _year(
    plan: Plan,
    one: TenantDays,
    year: YearRows,
    layout: Layout,
    dates: DateRange,
    names: Sequence[str],
    fold: Fold | None,
) -> Groups:
    """One year's sums by these columns, laid out as the question's."""
    measures = plan.report.measures_of(year.table)
    by_currency = Apart(CURRENCY, layout.currencies, layout.by_currency)
    found = year.group(
        dates,
        plan.all_filters,
        names,
        granularity=plan.query.granularity,
        week_start=one.tenant.week_start,
        fold=fold,
        measures=measures,
        apart=by_currency if layout.by_currency else None,
    )
    check_size(len(found), layout.width)
    return _in_place(layout, measures, found)


def _in_place(layout: Layout, measures: Sequence[str], found: Groups) -> Groups:
    """The sums of some measures where they stand among those of all tables; zeros elsewhere.

    What is told by currency stands behind them.
    """
    if found.sums.shape[1] == layout.width:
        return found
    sums: Integers = np.zeros((len(found), layout.width), found.sums.dtype)
    by_currency = range(len(layout.places), layout.width)
    sums[:, [*(layout.places[name] for name in measures), *by_currency]] = found.sums
    return Groups(found.columns, sums)


# -- the tables of all tenants


def _side(plan: Plan, parts: Sequence[Groups], layout: Layout) -> Groups:
    """The sums of every tenant, and those over all scales."""
    found = merged(parts)
    check_size(len(found), layout.width)
    return with_over_all(found, plan.required) if plan.report.over_all else found


def _rows(plan: Plan, one: TenantDays, counted: Groups) -> Groups:
    """The groups to tell of, from those that something was counted of."""
    group_by = plan.query.group_by
    place = plan.period_place
    if place is None:
        return counted if len(counted) else certain(plan.report, group_by)
    if not plan.query.fill:
        return counted
    if not len(counted):
        others = [name for name in group_by if name != PERIOD]
        known = certain(plan.report, others)
        counted = known.put(place, constant(None, len(known)))
    return filled(counted, place, one.periods)


def _with_added_rows(plan: Plan, rows: Groups) -> Groups:
    """The groups, and those that the report shows beside them."""
    rows = with_always(plan.report, plan.query.group_by, rows)
    return with_over_all(rows, plan.required) if plan.report.over_all else rows
