"""What goes with a score: how much of its spread each dimension explains (docs/metrics.md).

A dimension that explains much need not be the reason: the same customers may differ in other ways.
So each group is also held against what the rest make of the same strata. Pure: values in, values
out.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from pulse import lake
from pulse.reports.adjusting import Dealt, Tally, adjust, survivors
from pulse.reports.declarations import Label
from pulse.reports.metrics import FEWEST_TO_COMPARE, Counts, estimate, mover, segments
from pulse.tenants.rules import Rule

FORMULA = "explains_pct@1"
DIFFERENCE_FORMULA = "adjusted_difference@1"

Strata = Mapping[tuple[Label, ...], Counts]
"""How often each score was given, by stratum."""


@dataclass(frozen=True)
class ComparedGroup:
    """A group of a dimension beside the rest of the answers.

    `difference` is its score less the rest's, from `low` to `high` by 95 %. `points` is what the
    whole would lose if the group scored like the rest. `adjusted` is its score less what the rest
    make of the same strata; None where there are no strata.
    """

    value: Label
    n: int
    score: float
    difference: float
    low: float
    high: float
    points: float
    adjusted: float | None


@dataclass(frozen=True)
class Driver:
    """How much of the spread of the parts of the headline goes with a dimension.

    `statistic` is distributed as chi² with one degree of freedom less than it has groups, where
    nothing goes with it; `p` is how likely it is then to be as great.
    """

    dimension: str
    n: int
    explains_pct: float
    statistic: float
    p: float
    parts: Sequence[ComparedGroup]


def driver(
    dimension: str, groups: Mapping[Label, Strata], rule: Rule, *, stratified: bool
) -> Driver | None:
    """What goes with a dimension; None where it has fewer than two groups, or nothing varies.

    Groups of fewer than FEWEST_TO_COMPARE answers are one, `(other)`. `stratified` says whether the
    strata are any.
    """
    merged = _merged(groups)
    tallies = {value: _tally(_added(strata.values()), rule) for value, strata in merged.items()}
    whole = sum(tallies.values(), Tally())
    spread = whole.n * whole.squares - whole.total**2  # n times the sum of squares
    if len(tallies) < 2 or not spread:
        return None
    between = math.fsum(  # which is the same in whatever order the groups come
        (whole.n * one.total - whole.total * one.n) ** 2 / (one.n * whole.n)
        for one in tallies.values()
    )
    explained, statistic = _explained(between, spread, whole.n, len(tallies))
    return Driver(
        dimension,
        whole.n,
        explained,
        statistic,
        chi_squared_tail(statistic, len(tallies) - 1),
        _parts(merged, rule, stratified=stratified),
    )


def _explained(between: float, spread: float, n: int, groups: int) -> tuple[float, float]:
    """Omega squared in percent, and n times the share of the spread that lies between groups."""
    share = between / spread
    if n == groups:  # nothing is known of the spread within
        return 0.0, n * share
    within = (1 - share) / (n - groups)  # mean square within, of the spread
    omega = (share - (groups - 1) * within) / (1 + within)
    return 100 * max(0.0, omega), n * share


def significant_drivers(drivers: Sequence[Driver]) -> set[str]:
    """The dimensions that go with the score by more than chance, all of them considered."""
    return survivors({one.dimension: one.p for one in drivers})


def chi_squared_tail(x: float, degrees: int) -> float:
    """How likely a chi² of so many degrees of freedom is to be above x.

    The incomplete gamma function of half a whole number as a finite sum: Q(1/2, z) = erfc(√z) and
    Q(1, z) = exp(−z), and each step adds z^a exp(−z) / Γ(a + 1).
    """
    z = x / 2
    if z <= 0:
        return 1.0
    a = 0.5 if degrees % 2 else 1.0
    found = math.erfc(math.sqrt(z)) if degrees % 2 else math.exp(-z)
    while a < degrees / 2:
        found += math.exp(a * math.log(z) - z - math.lgamma(a + 1))
        a += 1
    return min(1.0, found)


def _merged(groups: Mapping[Label, Strata]) -> dict[Label, Strata]:
    """The groups that have answers, the small ones as one."""
    found: dict[Label, Strata] = {}
    small: list[Strata] = []
    for value, strata in groups.items():
        n = sum(map(sum, strata.values()))
        if n >= FEWEST_TO_COMPARE and value not in (lake.OTHER, lake.REST):
            found[value] = strata
        elif n:
            small.append(strata)
    if small:
        names = dict.fromkeys(name for strata in small for name in strata)
        found[lake.OTHER] = {
            name: _added(strata[name] for strata in small if name in strata) for name in names
        }
    return found


def _parts(groups: Mapping[Label, Strata], rule: Rule, *, stratified: bool) -> list[ComparedGroup]:
    """Each group beside the rest, what weighs most first."""
    counts = {value: _added(strata.values()) for value, strata in groups.items()}
    whole = _added(counts.values())
    adjusted = _adjusted(groups, rule) if stratified else {}
    found = []
    for value, own in counts.items():
        rest = [all_of_it - its for all_of_it, its in zip(whole, own, strict=True)]
        low, high = mover(estimate(own, rule), estimate(rest, rule))
        mine, others = _tally(own, rule), _tally(rest, rule)
        score = 100 * mine.total / mine.n
        difference = score - 100 * others.total / others.n
        points = mine.n / (mine.n + others.n) * difference
        found.append(
            ComparedGroup(
                value,
                mine.n,
                score,
                difference,
                float(low),
                float(high),
                points,
                adjusted.get(value),
            )
        )
    return sorted(found, key=lambda one: (-abs(one.points), one.value is None, str(one.value)))


def _adjusted(groups: Mapping[Label, Strata], rule: Rule) -> dict[Label, float]:
    """Each group's score less what the rest make of the same strata, as of agents."""
    place = {name: at for at, name in enumerate(dict.fromkeys(chain(*groups.values())))}
    lines = [
        (group, place[stratum], _tally(counts, rule))
        for group, strata in enumerate(groups.values())
        for stratum, counts in strata.items()
    ]
    group_of, stratum_of, tallies = zip(*lines, strict=True)
    dealt = Dealt(
        np.array(group_of),
        np.array(stratum_of),
        np.array(tallies).T,
        team=np.zeros(len(groups), np.int64),
    )
    found = adjust(dealt, range(len(groups)))
    offs = ((value, found[at].off) for at, value in enumerate(groups))
    return {value: off for value, off in offs if off is not None}


def _tally(counts: Counts, rule: Rule) -> Tally:
    return Tally.of(segments(counts, rule), rule.metric)


def _added(counts: Iterable[Counts]) -> Counts:
    """The sums of some counts, of which there are one at least."""
    return [*map(sum, zip(*counts, strict=True))]
