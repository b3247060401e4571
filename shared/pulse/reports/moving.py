"""What moved a score: which groups a change is made of, and who stands out (docs/metrics.md).

A group's contribution is its share now times how far its score lies from the level of the whole
before, less the same of before. Over the groups of a dimension contributions add up to the change
of the whole, and a group that only became smaller has none. Whether a group's own score has changed
by more than chance is another question, which its p-value answers. Pure: values in, values out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pulse.reports.adjusting import Tally, survivors
from pulse.reports.declarations import Label
from pulse.reports.metrics import FEWEST_TO_COMPARE, Counts, Estimate, Z, estimate, segments
from pulse.tenants.rules import Rule

FORMULA = "contribution@1"
TOP_FORMULA = "top_contributor@1"
STANDS_OUT = 0.25
"""Of a change, what a group must explain beyond its share of the answers to be named."""
EVERYBODY = 0.95
"""A group with at least this share of the answers is the whole, by another name."""
TOLD_AGAIN = 1 / 3
"""Of a contribution that is a stronger group's, what may remain without that group's answers."""
MOST_SHOWN = 10
_LOOKED_AT = 20
_MOST_WITH_OTHERS = 4
"""Under so many groups at most others are looked for."""


class Place(NamedTuple):
    """A value of a dimension; None is "not given"."""

    dimension: str
    value: Label


@dataclass(frozen=True)
class Answers:
    """Some answers on one scale; `told` is False where their score is withheld."""

    tally: Tally
    estimate: Estimate | None
    told: bool = True

    @classmethod
    def of(cls, counts: Counts, rule: Rule, *, least: int = 0) -> "Answers":
        """Answers by score. The score of fewer than `least` is withheld."""
        tally = Tally.of(segments(counts, rule), rule.metric)
        told = not 0 < tally.n < least
        return cls(tally, estimate(counts, rule) if tally.n and told else None, told)

    @property
    def n(self) -> int:
        """How many there are."""
        return self.tally.n

    @property
    def mean(self) -> float:
        """The score before it is rounded. There has to be an answer."""
        return 100 * self.tally.total / self.tally.n


@dataclass(frozen=True)
class Group:
    """The answers of one place on both sides of a comparison."""

    place: Place
    now: Answers
    before: Answers


@dataclass(frozen=True)
class Mover(Group):
    """A group as a part of a whole's change.

    `points` is its contribution, None where a score is withheld; `p` how likely such a change of
    its own score is, or a greater one, where nothing has changed: None of too few answers to tell.
    """

    points: float | None
    p: float | None


@dataclass(frozen=True)
class Contributor(Mover):
    """A mover whose contribution is known.

    `sure`: its own score has changed by more than chance explains, all groups considered.
    """

    points: float
    sure: bool


@dataclass(frozen=True)
class Head:
    """A contributor, and those of other dimensions that are nearly all its answers, told again."""

    contributor: Contributor
    within: Sequence[Contributor]


@dataclass(frozen=True)
class TopContributor:
    """The group that stands out; `change` is the whole's, in points."""

    mover: Mover
    change: float

    @property
    def share(self) -> float:
        """Which part of the change the group explains; 1 is all of it."""
        return (self.mover.points or 0.0) / self.change


Outside = Callable[[Contributor, Sequence[Place]], Sequence[Mover]]
"""What places add to the change without the answers of one group, as far as that can be told."""


def movers(groups: Sequence[Group], now: Answers, before: Answers) -> list[Mover]:
    """The groups of one dimension, each with what it adds to the change of the whole.

    The whole has answers on both sides.
    """
    return [
        Mover(
            group.place,
            group.now,
            group.before,
            _points(group, now.tally, before.tally),
            chance(group.now, group.before),
        )
        for group in groups
    ]


def _points(group: Group, now: Tally, before: Tally) -> float | None:
    if not (group.now.told and group.before.told):
        return None
    return _pull(group.now.tally, now, before) - _pull(group.before.tally, before, before)


def _pull(group: Tally, whole: Tally, level: Tally) -> float:
    """What a group of a whole pulls it away from a level, in points; exactly 0 of the level's."""
    return 100 * (group.total * level.n - level.total * group.n) / (whole.n * level.n)


def chance(now: Answers, before: Answers) -> float | None:
    """How likely such a difference of two scores is, or a greater one, where there is none.

    It is how far the interval of the difference (metrics.mover) has to be widened until it holds 0:
    at 5 % this says what `metrics.significant` says. None of too few answers to tell.
    """
    a, b = now.estimate, before.estimate
    if a is None or b is None or min(now.n, before.n) < FEWEST_TO_COMPARE:
        return None
    change = float(a.value - b.value)
    if change == 0:
        return 1.0
    if change > 0:  # the arms that point towards 0
        arm = math.hypot(a.value - a.low, b.high - b.value)
    else:
        arm = math.hypot(a.high - a.value, b.value - b.low)
    return math.erfc(float(Z) * abs(change) / arm / math.sqrt(2)) if arm else 0.0


def surely_changed(found: Sequence[Mover]) -> list[bool]:
    """Of each: has its own score changed, by Benjamini and Hochberg's procedure over all of them?

    One that has too few answers to tell counts as one that has not.
    """
    sure = survivors({at: 1.0 if one.p is None else one.p for at, one in enumerate(found)})
    return [at in sure for at in range(len(found))]


def contributors(found: Sequence[Mover]) -> list[Contributor]:
    """The movers of several dimensions whose contribution is known, taken together."""
    return [
        Contributor(one.place, one.now, one.before, one.points, one.p, sure)
        for one, sure in zip(found, surely_changed(found), strict=True)
        if one.points is not None
    ]


def top_contributor(found: Sequence[Mover], now: Answers, before: Answers) -> TopContributor | None:
    """The group that explains most of a fall beyond its share of the answers before.

    None where none stands out, or only by chance, and where the whole has not become worse: a
    group's part in a rise is no blame. `found` are the groups of several dimensions.
    """
    if now.mean >= before.mean:
        return None
    change = now.mean - before.mean
    best: Mover | None = None
    most = STANDS_OUT
    for one, sure in zip(found, surely_changed(found), strict=True):
        excess = (one.points or 0.0) / change - one.before.n / before.n
        if sure and excess > most:
            best, most = one, excess
    return TopContributor(best, change) if best else None


def under_heads(
    found: Sequence[Contributor], now: Answers, before: Answers, outside: Outside
) -> list[Head]:
    """Those that moved a whole most, the losses first; everybody's groups are left out.

    The same answers have a country, a browser and an agent. A group of which little remains without
    the answers of a stronger one that changed for certain stands within that one.
    """
    parts = [one for one in found if min(one.now.n / now.n, one.before.n / before.n) < EVERYBODY]
    left = sorted(parts, key=lambda one: -abs(one.points))[:_LOOKED_AT]
    heads: list[Head] = []
    asked = 0
    while left and len(heads) < MOST_SHOWN:
        head, *left = left
        within: list[Contributor] = []
        may_be_its = [one for one in left if _may_be_of(one, head)]
        if head.sure and may_be_its and asked < _MOST_WITH_OTHERS:
            asked += 1
            remaining = {
                one.place: one.points for one in outside(head, [one.place for one in may_be_its])
            }
            within = [one for one in may_be_its if _is_told_again(one, remaining)]
        heads.append(Head(head, within))
        left = [one for one in left if one not in within]
    return sorted(heads, key=lambda head: head.contributor.points)


def _may_be_of(one: Contributor, head: Contributor) -> bool:
    """Groups of one dimension share no answer."""
    return one.place.dimension != head.place.dimension and one.points * head.points > 0


def _is_told_again(one: Contributor, remaining: dict[Place, float | None]) -> bool:
    rest = remaining.get(one.place)
    if rest is None:  # withheld, or not known
        return False
    return math.copysign(1, one.points) * rest <= TOLD_AGAIN * abs(one.points)
