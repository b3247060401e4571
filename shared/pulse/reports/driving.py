"""What goes with a score: how much of its spread each dimension explains (docs/metrics.md).

A dimension that explains much need not be the reason: the same customers may differ in other ways.
So each group is also held against what the rest make of the same strata. Pure: values in, values
out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pulse import lake
from pulse.reports.adjusting import Dealt, Tally, adjust, survivors, tallies
from pulse.reports.arrays import Integers, added
from pulse.reports.declarations import Label
from pulse.reports.metrics import FEWEST_TO_COMPARE, Counts, estimate, mover, segments
from pulse.tenants.rules import Rule

FORMULA = "explains_pct@1"
DIFFERENCE_FORMULA = "adjusted_difference@1"


@dataclass(frozen=True)
class Grouped:
    """How often each score was given in the groups of a dimension, by stratum and in columns.

    `group` and `stratum` number those of each line from 0, and `values` names the groups. A line of
    `counts` tells how often each score was given.
    """

    values: Sequence[Label]
    group: Integers
    stratum: Integers
    counts: Integers


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
    nothing goes with it; `p` is how likely it is then to be as great. `parts` are those of the
    groups that weigh most.
    """

    dimension: str
    n: int
    explains_pct: float
    statistic: float
    p: float
    groups: int
    parts: Sequence[ComparedGroup]


def driver(
    dimension: str, found: Grouped, rule: Rule, *, stratified: bool, most: int
) -> Driver | None:
    """What goes with a dimension; None where it has fewer than two groups, or nothing varies.

    Groups of fewer than FEWEST_TO_COMPARE answers are one, `(other)`. `stratified` says whether the
    strata are any; `most` is how many groups are told.
    """
    merged = _merged(found)
    counts = added(merged.counts.T, merged.group, len(merged.values)).T
    groups = [Tally(*one) for one in tallies(counts, rule).T.tolist()]
    whole = sum(groups, Tally())
    spread = whole.n * whole.squares - whole.total**2  # n times the sum of squares
    if len(groups) < 2 or not spread:
        return None
    between = math.fsum(  # which is the same in whatever order the groups come
        (whole.n * one.total - whole.total * one.n) ** 2 / (one.n * whole.n) for one in groups
    )
    explained, statistic = _explained(between, spread, whole.n, len(groups))
    adjusted = _adjusted(merged, rule) if stratified else {}
    told, every = counts.tolist(), counts.sum(axis=0).tolist()
    heaviest = sorted(
        range(len(groups)),
        key=lambda at: (
            -abs(_points(groups[at], whole)),
            merged.values[at] is None,
            str(merged.values[at]),
        ),
    )
    return Driver(
        dimension,
        whole.n,
        explained,
        statistic,
        chi_squared_tail(statistic, len(groups) - 1),
        len(groups),
        [
            _part(merged.values[at], told[at], every, rule, adjusted.get(at))
            for at in heaviest[:most]
        ],
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


def _merged(found: Grouped) -> Grouped:
    """The groups that have answers, the small ones as one, each with a line for each stratum."""
    sizes = added(found.counts.T, found.group, len(found.values)).sum(axis=0).tolist()
    is_kept = [
        n >= FEWEST_TO_COMPARE and value not in (lake.OTHER, lake.REST)
        for value, n in zip(found.values, sizes, strict=True)
    ]
    kept = [at for at, is_one in enumerate(is_kept) if is_one]
    place = np.full(len(found.values), len(kept))
    place[kept] = np.arange(len(kept))
    lines = np.flatnonzero(found.counts.any(axis=1))
    strata = int(found.stratum.max(initial=0)) + 1
    pairs = place[found.group[lines]] * strata + found.stratum[lines]
    told, line_of = np.unique(pairs, return_inverse=True)
    values = [found.values[at] for at in kept]
    if any(n and not is_one for n, is_one in zip(sizes, is_kept, strict=True)):
        values.append(lake.OTHER)
    counts = added(found.counts[lines].T, line_of, len(told)).T
    return Grouped(values, told // strata, told % strata, counts)


def _points(group: Tally, whole: Tally) -> float:
    """What the whole would lose if the group scored like the rest."""
    rest = whole - group
    return group.n / whole.n * (_score(group) - _score(rest))


def _score(tally: Tally) -> float:
    return 100 * tally.total / tally.n


def _part(
    value: Label, own: Counts, whole: Counts, rule: Rule, adjusted: float | None
) -> ComparedGroup:
    """A group beside the rest of the answers."""
    rest = [all_of_it - its for all_of_it, its in zip(whole, own, strict=True)]
    low, high = mover(estimate(own, rule), estimate(rest, rule))
    mine, others = _tally(own, rule), _tally(rest, rule)
    return ComparedGroup(
        value,
        mine.n,
        _score(mine),
        _score(mine) - _score(others),
        float(low),
        float(high),
        _points(mine, mine + others),
        adjusted,
    )


def _adjusted(found: Grouped, rule: Rule) -> dict[int, float]:
    """By its place each group's score less what the rest make of the same strata, as of agents."""
    groups = len(found.values)
    dealt = Dealt(
        found.group, found.stratum, tallies(found.counts, rule), team=np.zeros(groups, np.int64)
    )
    offs = ((at, its.off) for at, its in adjust(dealt, range(groups)).items())
    return {at: off for at, off in offs if off is not None}


def _tally(counts: Counts, rule: Rule) -> Tally:
    return Tally.of(segments(counts, rule), rule.metric)
