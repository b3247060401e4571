"""GET /v1/insights/drivers: how much of a score's spread goes with each dimension.

It "goes with", and is not because: the reply says how a group compares with the rest, and how
within the same strata (docs/metrics.md, "Drivers").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pulse import lake
from pulse.filters import both, not_null
from pulse.reports import driving
from pulse.reports.driving import ComparedGroup, Driver, Grouped, driver
from pulse.reports.moving import Place
from pulse.reports.registry import REPORTS
from pulse.reports.surveys import SURVEY
from pulse.serve.answer import figures_of
from pulse.serve.encoding import number, summed
from pulse.serve.figures import Row
from pulse.serve.groups import Groups
from pulse.serve.insights.insights_query import DRIVEN_BY, DrivenBy, InsightsQuery
from pulse.serve.insights.reading import (
    MOST_VALUES,
    Measure,
    Reader,
    not_compared,
)
from pulse.serve.insights.telling import NameOf
from pulse.serve.insights.values import Named, names_of, two
from pulse.serve.meta import meta_of
from pulse.serve.own import with_own
from pulse.serve.plan import Plan, strata_of
from pulse.serve.query import Query

MOST_CELLS = 20_000
"""In more groups by stratum than these nobody is compared within strata: they have been folded, or
are of hardly more than an answer each."""
MOST_PARTS = 20
"""Of a dimension so many groups are told, those that weigh most."""


def drivers(reader: Reader, plan: Plan, asked: InsightsQuery, names: Named) -> dict[str, Any]:
    """The reply's members. The plan is the query's. Raises what Years.read raises."""
    (objects,) = reader.rows([plan])
    figures = figures_of(plan, objects)
    rows = [*figures.cells(figures.totals)]
    meta = meta_of(plan, objects, figures)
    formulas = [*meta["formulas"], driving.FORMULA, driving.DIFFERENCE_FORMULA]
    members: dict[str, Any] = {
        "meta": {**meta, "formulas": formulas},
        "language": asked.language.name,
        "headline": None,
        "drivers": [],
    }
    if not rows:
        return members
    row = max(rows, key=_answers)
    measure = Measure(str(row["metric"]), str(row["scale"]))
    members["headline"] = row
    if 0 < _answers(row) < plan.min_sample:
        return members
    query = replace(plan.query, filters=both(plan.query.filters, measure.filters))
    found, left_out = _found(reader, query, measure)
    members["meta"]["warnings"] = [
        *meta["warnings"],
        *not_compared(left_out),
        *_not_told_apart(reader, query),
    ]
    sure = driving.significant_drivers([one.driver for one in found])
    name_of = names_of(asked, names, [tenant.id for tenant in reader.tenants])
    members["drivers"] = [
        _driver(one, name_of, is_sure=one.driver.dimension in sure) for one in found
    ]
    return members


def _answers(row: Row) -> int:
    found = row["responses"]
    return found if isinstance(found, int) else 0


@dataclass(frozen=True)
class FoundDriver:
    """What goes with a dimension, within which strata; of fewer than `least` nothing is told."""

    driver: Driver
    strata: Sequence[str]
    least: int


def _found(reader: Reader, query: Query, measure: Measure) -> tuple[list[FoundDriver], list[str]]:
    """All dimensions of which it is at hand, the strongest first, and the names of the others.

    One with too many groups by stratum is compared without strata, if it has few enough so.
    """
    asked: list[tuple[str, Sequence[str], Plan]] = []
    left_out: list[str] = []
    for report, driven in DRIVEN_BY.items():
        if _without_dimension(reader, report, query):
            continue
        narrowed = _linked_alone(report, query)
        for name in reader.apart(driven.dimensions, query.filters, report):
            if question := _question(reader, report, driven, narrowed, name):
                asked.append(question)
            else:
                left_out.append(name)
    found = []
    sums = reader.sums([plan for _, _, plan in asked])
    for (name, strata, plan), counted in zip(asked, sums, strict=True):
        some, within = counted, strata
        if some is None and strata:
            (some,), within = reader.sums([_without_strata(reader, plan)]), ()
        if some is None:
            left_out.append(name)
            continue
        if len(some.now) > MOST_CELLS:
            within = ()
        groups = _grouped(some.now.by(slice(len(SURVEY.required) + 1 + len(within))))
        its = driver(name, groups, measure.rule, stratified=bool(within), most=MOST_PARTS)
        if its:
            found.append(FoundDriver(its, within, plan.min_sample))
    return sorted(found, key=lambda one: -one.driver.explains_pct), left_out


def _linked_alone(report: str, query: Query) -> Query:
    """The question about the answers that are linked, of a report that knows to what.

    The others have nothing of it, so they are no group of theirs.
    """
    linked_by = REPORTS[report].linked_by
    if linked_by is None:
        return query
    return replace(query, filters=both(query.filters, {linked_by: not_null()}))


def _without_dimension(reader: Reader, report: str, query: Query) -> list[str]:
    """By which of the filters, the key's included, a report of linked answers cannot tell these.

    An agent is that of the interaction there, and not the one whom the answer names.
    """
    if REPORTS[report].linked_by is None:
        return []
    filtered = dict.fromkeys((*query.filters, *reader.key.filters))
    return [name for name in filtered if name not in lake.SURVEYED_DIMENSIONS]


def _not_told_apart(reader: Reader, query: Query) -> list[dict[str, str]]:
    """The warning about reports that were not asked because of a filter, if they have anything."""
    found = []
    for report in DRIVEN_BY:
        table = REPORTS[report].family.dataset.name
        lacking = _without_dimension(reader, report, query)
        if lacking and any(tenant.table(table).years for tenant in reader.tenants):
            message = (
                "What customers went through is not compared: answers that are linked to an "
                f"interaction are not told apart by {', '.join(lacking)}."
            )
            found.append({"code": "not_compared", "message": message})
    return found


def _question(
    reader: Reader, report: str, driven: DrivenBy, query: Query, name: str
) -> tuple[str, Sequence[str], Plan] | None:
    """The dimension with the strata within which it is compared; without if that is too much."""
    known = with_own(REPORTS[report], reader.own)
    usual = driven.strata or strata_of(known, reader.tenants, lake.ADJUSTED_FOR)
    for strata in (tuple(one for one in usual if one != name), ()):
        plan = reader.plan(report, replace(query, group_by=("metric", "scale", name, *strata)))
        if reader.is_at_hand(plan):
            return name, strata, plan
    return None


def _without_strata(reader: Reader, plan: Plan) -> Plan:
    """The same question by metric, scale and the dimension alone."""
    names = plan.query.group_by[: len(SURVEY.required) + 1]
    return reader.plan(plan.report.name, replace(plan.query, group_by=names))


def _grouped(found: Groups) -> Grouped:
    """The sums by value and stratum; of more values than are compared the rest are one."""
    first = len(SURVEY.required)
    group, members = number(found.columns[first : first + 1], len(found))
    stratum, _ = number(found.columns[first + 1 :], len(found))
    values = found.columns[first].take(members).labels()
    if len(values) > MOST_VALUES:
        size = summed(group, found.sums.sum(axis=1), len(values)).tolist()
        by_size = sorted(range(len(values)), key=lambda at: (-size[at], str(values[at])))
        place = np.full(len(values), MOST_VALUES)  # that of the rest
        place[by_size[:MOST_VALUES]] = np.arange(MOST_VALUES)
        group = place[group]
        values = [*(values[at] for at in by_size[:MOST_VALUES]), lake.REST]
    return Grouped(values, group, stratum, found.sums)


# -- the reply


def _driver(found: FoundDriver, name_of: NameOf, *, is_sure: bool) -> dict[str, Any]:
    its = found.driver
    return {
        "dimension": its.dimension,
        "responses": its.n,
        "explains_pct": two(its.explains_pct),
        "statistic": two(its.statistic),
        "p": its.p,
        "significant": is_sure,
        "adjusted_for": list(found.strata),
        "groups": its.groups,
        "rows": [_part(its.dimension, one, found.least, name_of) for one in its.parts],
    }


def _part(dimension: str, part: ComparedGroup, least: int, name_of: NameOf) -> dict[str, Any]:
    figures = {
        "score": part.score,
        "difference": part.difference,
        "ci_low": part.low,
        "ci_high": part.high,
        "points": part.points,
        "adjusted_difference": part.adjusted,
    }
    withheld = part.n < least
    return {
        "value": part.value,
        "name": name_of(Place(dimension, part.value)),
        "responses": part.n,
        **{
            name: None if withheld or figure is None else two(figure)
            for name, figure in figures.items()
        },
        "withheld": withheld,
    }
