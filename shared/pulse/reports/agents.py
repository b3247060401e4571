"""What the report on agents says of each beside the others (docs/metrics.md, "Agents")."""

from collections.abc import Mapping, Sequence

from pulse import lake
from pulse.reports import metrics
from pulse.reports.adjusting import Dealt, Tally, adjust
from pulse.reports.declarations import PERIOD, TENANT, Label, Metric, Stratified, Value
from pulse.tenants.rules import Rule

ADJUSTED_SCORE = Metric(
    "adjusted_score",
    "adjusted",
    "The score, had the agent been dealt what all agents were: the whole's score, and by how much "
    "the agent's is above what the others make of the same strata (channel and country, unless "
    "the tenant says otherwise). Null unless agents alone are grouped by.",
    lambda summed: summed.among.get("adjusted_score"),
    formula="adjusted_score@1",
)
DIFFERS = Metric(
    "differs",
    "side",
    "On which side of the others the agent is, by more than chance explains over all agents of "
    "the question; else null.",
    lambda summed: summed.among.get("differs"),
    formula="differs@1",
)

_CROWDS = (lake.OTHER, lake.REST)
"""Several agents who are told together: they are others, and nobody's score."""
_AGENTS_ALONE = {PERIOD, TENANT.name, *lake.SCORES.parted_by, "agent"}


def beside_the_others(rows: Sequence[Stratified]) -> list[Mapping[str, Value]]:
    """Each agent beside the others of the tenant; all rows are of one metric and scale.

    Answers without an agent do not count. Of rows by more than agents nothing is told: there, one
    agent's rows would be each other's others.
    """
    found: list[Mapping[str, Value]] = [{}] * len(rows)
    group = rows[0].summed.group
    if "agent" not in group or {*group} - _AGENTS_ALONE:
        return found
    rule = Rule.parse(str(group["metric"]), str(group["scale"]))
    for places in _by_tenant(rows).values():
        dealt = {place: _dealt(rows[place], rule) for place in places}
        crowds = [place for place in places if rows[place].summed.group["agent"] in _CROWDS]
        agents = {place: dealt[place] for place in places if place not in crowds}
        for place, told in adjust(agents, [dealt[place] for place in crowds]).items():
            found[place] = {"adjusted_score": told.score, "differs": told.differs}
    return found


def _by_tenant(rows: Sequence[Stratified]) -> Mapping[Label, list[int]]:
    """The places of the rows that have an agent, by tenant where that is grouped by."""
    found: dict[Label, list[int]] = {}
    for place, row in enumerate(rows):
        if row.summed.group["agent"] is not None:
            found.setdefault(row.summed.group.get(TENANT.name), []).append(place)
    return found


def _dealt(row: Stratified, rule: Rule) -> Dealt[tuple[Label, ...]]:
    return {
        stratum: Tally.of(metrics.segments(sums, rule), rule.metric)
        for stratum, sums in row.strata.items()
    }
