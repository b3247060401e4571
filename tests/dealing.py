"""Teams by agent and stratum as `adjust` takes them, and groups as `driver` does: in columns."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from pulse.reports.adjusting import Adjusted, Dealt, Tally, adjust
from pulse.reports.declarations import Label
from pulse.reports.driving import Grouped
from pulse.reports.metrics import Counts

Agent = TypeVar("Agent", bound=Hashable)
Strata = Mapping[Any, Tally]
"""What one agent's answers came to in each stratum."""


def adjusted(
    agents: Mapping[Agent, Strata], others: Sequence[Strata] = ()
) -> dict[Agent, Adjusted]:
    """Each agent of one team, in which others are who are not named."""
    found = adjust(dealt([[*agents.values(), *others]]), range(len(agents)))
    return {agent: found[at] for at, agent in enumerate(agents)}


def dealt(teams: Sequence[Sequence[Strata]]) -> Dealt:
    """The agents of some teams in their order."""
    numbered = [(team, strata) for team, its in enumerate(teams) for strata in its]
    lines = [
        (agent, (team, stratum), tally)
        for agent, (team, strata) in enumerate(numbered)
        for stratum, tally in strata.items()
    ]
    place = {name: at for at, name in enumerate(dict.fromkeys(name for _, name, _ in lines))}
    return Dealt(
        np.array([agent for agent, _, _ in lines], np.int64),
        np.array([place[name] for _, name, _ in lines], np.int64),
        np.array([tally for *_, tally in lines], np.int64).reshape(-1, 3).T,
        np.array([team for team, _ in numbered], np.int64),
    )


def grouped(groups: Mapping[Label, Mapping[Any, Counts]]) -> Grouped:
    """The counts of some groups by stratum."""
    lines = [
        (group, stratum, counts)
        for group, strata in enumerate(groups.values())
        for stratum, counts in strata.items()
    ]
    place = {name: at for at, name in enumerate(dict.fromkeys(name for _, name, _ in lines))}
    return Grouped(
        [*groups],
        np.array([group for group, _, _ in lines], np.int64),
        np.array([place[name] for _, name, _ in lines], np.int64),
        np.array([counts for *_, counts in lines], np.int64).reshape(-1, 11),
    )
