"""Figures of rows that take all rows of a question at once (reports.declarations.Among)."""

from collections.abc import Mapping
from dataclasses import replace

from pulse.reports.declarations import TENANT, Among, Value
from pulse.reports.stratified import Stratified
from pulse.serve.aggregate import Aggregate
from pulse.serve.compare import Rows
from pulse.serve.encoding import keys, number
from pulse.serve.groups import Groups, Key
from pulse.serve.plan import Plan


def among(plan: Plan, declared: Among, found: Aggregate, rows: Rows) -> Rows:
    """The rows with these figures."""
    now, before = rows.now, rows.before
    if found.strata_now is not None:
        now = replace(now, among=_figures(plan, declared, found.strata_now))
    if before is not None and found.strata_before is not None:
        before = replace(before, among=_figures(plan, declared, found.strata_before))
    return replace(rows, now=now, before=before)


def _figures(plan: Plan, declared: Among, found: Groups) -> Mapping[Key, Mapping[str, Value]]:
    """The figures of each row that anything was counted of, from the sums by stratum."""
    names = plan.query.group_by
    columns = dict(zip(plan.split_by, found.columns, strict=True))
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
