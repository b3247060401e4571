"""What the report on agents says of each beside the others (docs/metrics.md, "Agents")."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pulse.reports.declarations import Metric, Value

if TYPE_CHECKING:
    from pulse.reports.stratified import Stratified

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


def beside_the_others(rows: "Stratified") -> Sequence[Mapping[str, Value]]:
    """Each agent beside the others of the tenant, in each frame (see agents_compared)."""
    # it takes NumPy, which functions lack that only read which reports there are
    from pulse.reports import agents_compared

    return agents_compared.beside_the_others(rows)
