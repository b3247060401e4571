"""Figures of rows that take all rows of a question at once (reports.declarations.Among)."""

from collections.abc import Mapping
from dataclasses import replace

from pulse.reports.declarations import TENANT, Among, Stratified, Value
from pulse.serve.aggregate import aggregate
from pulse.serve.block import Fold
from pulse.serve.compare import Rows
from pulse.serve.encoding import keys, number
from pulse.serve.groups import Groups, Key
from pulse.serve.plan import Plan
from pulse.serve.years import TenantYears


def among(plan: Plan, declared: Among, objects: TenantYears, rows: Rows, fold: Fold | None) -> Rows:
    """The rows with these figures. Raises TooManyGroupsError for more strata than can be told."""
    split = _by_strata(plan)
    strata = aggregate(split, objects, fold)
    now = replace(rows.now, among=_figures(plan, split, declared, strata.now))
    if rows.before is None or strata.before is None:
        return replace(rows, now=now)
    before = replace(rows.before, among=_figures(plan, split, declared, strata.before))
    return replace(rows, now=now, before=before)


def _by_strata(plan: Plan) -> Plan:
    """The plan of the same question, grouped by the strata too."""
    grouped = plan.query.group_by
    added = (name for name in plan.strata if name not in grouped)
    return replace(plan, query=replace(plan.query, group_by=(*grouped, *added), fill=False))


def _figures(
    plan: Plan, split: Plan, declared: Among, found: Groups
) -> Mapping[Key, Mapping[str, Value]]:
    """The figures of each row that anything was counted of."""
    names = plan.query.group_by
    columns = dict(zip(split.query.group_by, found.columns, strict=True))
    frame = [
        columns[name] for at, name in enumerate(names) if at in plan.frame or name == TENANT.name
    ]
    row_of, members = number(found.columns[: len(names)], len(found))
    stratum_of, _ = number([*frame, *(columns[name] for name in plan.strata)], len(found))
    frame_of, _ = number(frame, len(found))
    known = keys([columns[name].take(members) for name in names], len(members))
    rows = Stratified(
        groups=[dict(zip(names, key, strict=True)) for key in known],
        frame=frame_of[members],
        row=row_of,
        stratum=stratum_of,
        sums=found.sums,
    )
    return dict(zip(known, declared.compute(rows), strict=True))
