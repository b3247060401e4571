"""Agents' scores, adjusted for what they were dealt: docs/metrics.md's "Agents".

An agent who serves the customers of an unhappy country scores low whoever they are. So each is held
against what the others make of the same answers (indirect standardisation, as in Spiegelhalter
2005, Statistics in Medicine 24:1185-1202), and only those are marked who differ by more than chance
explains, all agents considered. Pure: values in, values out.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import erfc, sqrt
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from pulse.reports.arrays import Integers, added
from pulse.reports.metrics import FEWEST_TO_COMPARE, Segments, ratio, rounded
from pulse.tenants.rules import Rule

Agent = TypeVar("Agent", bound=Hashable)

Differs = Literal["below", "above"]
"""On which side of what the others would have made of an agent's answers the agent's score is."""

FALSE_ALARMS = 0.05
"""The share of false marks among all marks: Benjamini and Hochberg's level."""

_BASE, _STEPS = 10**9, 4
_ONE = _BASE**_STEPS
"""What a quotient is told in parts of: so many of its digits are found, some at a time.

An agent has an answer at least for each of its quotients, so that their mean lacks less than one
part.
"""
_SURE = 10**30
"""In these parts such a mean is right: what is a half once it is rounded to them was a half."""
_FEW = 2**31
"""The product of two numbers of fewer answers has room in 64 bits, and so has one of these behind
which digits are put."""


class Tally(NamedTuple):
    """So many answers, the sum of their parts of the headline, and the sum of the squares.

    An answer's part is 1 or 0; for an nps 1, 0 or -1.
    """

    n: int = 0
    total: int = 0
    squares: int = 0

    @classmethod
    def of(cls, answers: Segments, metric: str) -> "Tally":
        """What answers on one scale, of a metric, add to its headline."""
        if metric == "nps":
            return cls(answers.n, answers.good - answers.bad, answers.good + answers.bad)
        return cls(answers.n, answers.good, answers.good)

    def __add__(self, other: "Tally") -> "Tally":  # type: ignore[override] # adds up, not behind
        return Tally(self.n + other.n, self.total + other.total, self.squares + other.squares)

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(self.n - other.n, self.total - other.total, self.squares - other.squares)


@dataclass(frozen=True)
class Dealt:
    """What agents were dealt, in columns: a line for each agent and stratum, no two of them alike.

    `agent` and `stratum` number those of each line from 0, and `tallies` has a row of n, one of the
    totals and one of the squares (see Tally). `team` is the number of each agent's team; a stratum,
    such as a channel in a country, is of one team.
    """

    agent: Integers
    stratum: Integers
    tallies: Integers
    team: Integers


@dataclass(frozen=True)
class Adjusted:
    """How an agent compares; `score`, `off` and `z` are None where there is nobody to compare with.

    `score` has two decimals. `off` is the agent's own mean less what the others make of the same
    answers, in points. `z` is None also where the others' answers do not vary at all.
    """

    score: Decimal | None = None
    off: float | None = None
    z: float | None = None
    differs: Differs | None = None


def tallies(counts: Integers, rule: Rule) -> Integers:
    """The tally of each line of counts by score, as Dealt has them."""
    places = range(counts.shape[1])  # of which numpy adds up some in half the time of a slice
    good, neutral, bad = (counts[:, places[scores]].sum(axis=1) for scores in rule.parted)
    return np.array(Tally.of(Segments(good, neutral, bad), rule.metric))


def adjust(dealt: Dealt, named: Iterable[int]) -> dict[int, Adjusted]:
    """Each of the agents with these numbers beside all the others of its team.

    The answers of a team are on one scale. Whoever is not named counts for the team.
    """
    answers = _roomy(dealt.tallies)
    own = added(answers, dealt.agent, len(dealt.team))
    everybody = added(own, dealt.team, _size(dealt.team))[:, dealt.team]
    expected, variance = _of_the_others(dealt, answers, everybody - own)
    mine, teams = own.T.tolist(), everybody.T.tolist()
    found = {
        at: _compared(Tally(*mine[at]), Tally(*teams[at]), expected[at], variance[at])
        for at in named
    }
    return _marked(found, own[0].tolist(), dealt.team.tolist())


def survivors(chances: Mapping[Agent, float]) -> set[Agent]:
    """Whose p-value Benjamini and Hochberg's procedure (1995) calls significant."""
    small_enough = [
        chance
        for rank, chance in enumerate(sorted(chances.values()), start=1)
        if chance <= FALSE_ALARMS * rank / len(chances)
    ]
    return {one for one, chance in chances.items() if small_enough and chance <= small_enough[-1]}


def _of_the_others(
    dealt: Dealt, answers: Integers, others: Integers
) -> tuple[Sequence[int], Sequence[float]]:
    """(_ONE times what is expected of the sum of each agent's parts, its variance).

    `answers` are the lines' tallies, and `others` what all others of an agent's team came to.
    """
    agents = len(dealt.team)
    beside = added(answers, dealt.stratum, _size(dealt.stratum))[:, dealt.stratum] - answers
    beside = np.where(beside[0] > 0, beside, others[:, dealt.agent])
    n, size = answers[0], np.maximum(beside[0], 1)  # of whoever has no others nothing is told
    expected = _sums_of_quotients(n * beside[1], size, dealt.agent, agents)
    (variance,) = added(_variance_of_sum(n, beside, size)[None], dealt.agent, agents)
    return expected, variance.tolist()


def _compared(own: Tally, everybody: Tally, expected: int, variance: float) -> Adjusted:
    """How an agent compares, by what is expected of the sum of its parts (see _of_the_others)."""
    if own.n in (0, everybody.n):
        return Adjusted()
    off = own.total * _ONE - expected
    everything, answers = everybody.n * own.n * _ONE, own.n * _ONE
    mean = rounded(_SURE * (everybody.total * answers + everybody.n * off), everything)
    return Adjusted(
        score=ratio(100 * mean, _SURE),
        off=100 * off / answers,
        z=off / _ONE / sqrt(variance) if variance else None,
    )


def _marked(
    found: Mapping[int, Adjusted], n: Sequence[int], team: Sequence[int]
) -> dict[int, Adjusted]:
    """The agents, those of them marked who differ from their team by more than chance explains."""
    judged: dict[int, dict[int, float]] = defaultdict(dict)
    for agent, its in found.items():
        if its.z is not None and n[agent] >= FEWEST_TO_COMPARE:
            judged[team[agent]][agent] = _chance(its.z)
    sure = {agent for chances in judged.values() for agent in survivors(chances)}
    return {
        agent: replace(its, differs=_side(its.z)) if agent in sure else its
        for agent, its in found.items()
    }


def _sums_of_quotients(
    numerators: Integers, denominators: Integers, numbers: Integers, groups: int
) -> list[int]:
    """For each group the sum of its lines' quotients, each of which is cut off at a part of _ONE.

    In parts of _ONE. All lines are divided together, by long division.
    """
    sums: Integers = np.zeros((1, groups), np.object_)
    rest = numerators
    for _ in range(1 + _STEPS):
        digits = rest // denominators
        sums = sums * _BASE + added(digits[None], numbers, groups)
        rest = (rest - digits * denominators) * _BASE
    found: list[int] = sums[0].tolist()
    return found


def _variance_of_sum(n: Integers, others: Integers, size: Integers) -> npt.NDArray[np.float64]:
    """How much the sum of n parts varies around what is expected from the others' mean.

    n * v + n * n * v / N, where v is the variance of the N others' parts: exactly 0 where they do
    not vary, and otherwise right to some fifteen digits.
    """
    _, total, squares = others
    scatter = size * squares - total * total  # N * N * v
    weight = n * (size + n)
    found: npt.NDArray[np.float64] = _float(weight) * _float(scatter) / _float(size) ** 3
    return found


def _float(numbers: Integers) -> npt.NDArray[np.float64]:
    return numbers.astype(np.float64)


def _size(numbers: Integers) -> int:
    """How many groups have numbers."""
    return int(numbers.max(initial=-1)) + 1


def _roomy(answers: Integers) -> Integers:
    """The tallies, as Python's integers where products of them may need more than 64 bits."""
    is_much = answers[0].sum(dtype=np.float64) >= _FEW
    return answers.astype(np.object_) if is_much else answers


def _chance(z: float) -> float:
    """How likely a standard normal is at least that far from zero, on either side."""
    return erfc(abs(z) / sqrt(2))


def _side(z: float | None) -> Differs:
    return "below" if z is not None and z < 0 else "above"
