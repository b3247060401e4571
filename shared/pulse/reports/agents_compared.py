"""Compares each agent with the others who were dealt the same (docs/metrics.md, "Agents")."""

from collections.abc import Mapping, Sequence

import numpy as np

from pulse import lake
from pulse.reports.adjusting import Adjusted, Dealt, Tally, adjust, tallies
from pulse.reports.arrays import Integers
from pulse.reports.declarations import PERIOD, TENANT, Value
from pulse.reports.stratified import Stratified
from pulse.tenants.rules import Rule

_CROWDS = (lake.OTHER, lake.REST)
"""Several agents who are told together: they are others, and nobody's score."""
_AGENTS_ALONE = {PERIOD, TENANT.name, *lake.SCORES.parted_by, "agent"}


def beside_the_others(rows: Stratified) -> Sequence[Mapping[str, Value]]:
    """Each agent beside the others of the tenant, in each frame.

    Answers without an agent do not count. Of rows by more than agents nothing is told: there, one
    agent's rows would be each other's others.
    """
    names = {name for group in rows.groups[:1] for name in group}
    if "agent" not in names or names - _AGENTS_ALONE:
        return [{}] * len(rows.groups)
    agents = [group["agent"] for group in rows.groups]
    lines = np.flatnonzero(np.array([agent is not None for agent in agents])[rows.row])
    dealt = Dealt(rows.row[lines], rows.stratum[lines], _tallies(rows)[:, lines], rows.frame)
    named = [at for at, agent in enumerate(agents) if agent not in (None, *_CROWDS)]
    found = adjust(dealt, named)
    return [_told(found[at]) if at in found else {} for at in range(len(agents))]


def _told(found: Adjusted) -> Mapping[str, Value]:
    return {"adjusted_score": found.score, "differs": found.differs}


def _tallies(rows: Stratified) -> Integers:
    """Each line's tally, by the rule of its row's metric and scale."""
    measures = [(str(group["metric"]), str(group["scale"])) for group in rows.groups]
    places = {measure: place for place, measure in enumerate(dict.fromkeys(measures))}
    place_of = np.array([places[measure] for measure in measures], np.int64)[rows.row]
    found: Integers = np.zeros((len(Tally._fields), len(rows.row)), rows.sums.dtype)
    for measure, place in places.items():
        lines = np.flatnonzero(place_of == place)
        found[:, lines] = tallies(rows.sums[lines], Rule.parse(*measure))
    return found
