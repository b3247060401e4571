"""Figures of rows that take all rows of a question at once (reports.declarations.Among)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pulse.reports.declarations import Among, GroupSums, Stratified, Value
from pulse.serve.aggregate import aggregate
from pulse.serve.block import Fold
from pulse.serve.compare import Rows
from pulse.serve.groups import Groups, Key
from pulse.serve.plan import Plan
from pulse.serve.years import TenantYears


def among(plan: Plan, declared: Among, objects: TenantYears, rows: Rows, fold: Fold | None) -> Rows:
    """The rows with these figures. Raises TooManyGroupsError for more strata than can be told."""
    split = _by_strata(plan)
    strata = aggregate(split, objects, fold)
    places = [split.query.group_by.index(name) for name in plan.strata]
    lines = list(rows.take(np.flatnonzero(rows.lengths == len(rows.names))).lines())

    def figures(summed: Iterable[GroupSums], groups: Groups) -> Mapping[Key, Mapping[str, Value]]:
        return _figures(plan, declared, summed, _sums_by_stratum(plan, groups, places))

    now = figures((line.now for line in lines), strata.now)
    found = replace(rows, now=replace(rows.now, among=now))
    if rows.before is None or strata.before is None:
        return found
    before = figures((line.before for line in lines if line.before), strata.before)
    return replace(found, before=replace(rows.before, among=before))


def _by_strata(plan: Plan) -> Plan:
    """The plan of the same question, grouped by the strata too."""
    grouped = plan.query.group_by
    added = (name for name in plan.strata if name not in grouped)
    return replace(plan, query=replace(plan.query, group_by=(*grouped, *added), fill=False))


def _sums_by_stratum(
    plan: Plan, groups: Groups, places: list[int]
) -> Mapping[Key, Mapping[Key, list[int]]]:
    """For each row the sums by stratum, whose values stand at these places."""
    found: dict[Key, dict[Key, list[int]]] = defaultdict(dict)
    width = len(plan.query.group_by)
    for key, sums in zip(groups.keys, groups.sums.tolist(), strict=True):
        found[key[:width]][tuple(key[place] for place in places)] = sums
    return found


def _figures(
    plan: Plan,
    declared: Among,
    summed: Iterable[GroupSums],
    strata: Mapping[Key, Mapping[Key, list[int]]],
) -> Mapping[Key, Mapping[str, Value]]:
    """The figures of each row that anything was counted of."""
    rows = {tuple(one.group.values()): one for one in summed}
    frames: dict[Key, list[Key]] = defaultdict(list)
    for key in sorted(strata.keys() & rows.keys(), key=_order):
        frames[tuple(key[place] for place in plan.frame)].append(key)
    found: dict[Key, Mapping[str, Value]] = {}
    for keys in frames.values():
        told = declared.compute([Stratified(rows[key], strata[key]) for key in keys])
        found |= zip(keys, told, strict=True)
    return found


def _order(key: Key) -> list[tuple[bool, Any]]:
    """By each value in turn, None last."""
    return [(value is None, "" if value is None else value) for value in key]
