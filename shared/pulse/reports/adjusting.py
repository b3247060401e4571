"""Agents' scores, adjusted for what they were dealt: docs/metrics.md's "Agents".

An agent who serves the customers of an unhappy country scores low whoever they are. So each is held
against what the others make of the same answers (indirect standardisation, as in Spiegelhalter
2005, Statistics in Medicine 24:1185-1202), and only those are marked who differ by more than chance
explains, all agents considered. Pure: values in, values out.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from math import erfc, sqrt
from typing import Literal, NamedTuple, TypeVar

from pulse.reports.metrics import FEWEST_TO_COMPARE, Segments

Agent = TypeVar("Agent", bound=Hashable)
Stratum = TypeVar("Stratum", bound=Hashable)

Differs = Literal["below", "above"]
"""On which side of what the others would have made of an agent's answers the agent's score is."""

FALSE_ALARMS = 0.05
"""The share of false marks among all marks: Benjamini and Hochberg's level."""

_EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
_SURE = Decimal("1E-30")
"""Up to here a sum of quotients is right: what is a half once it is cut off here was a half."""
_HUNDREDTH = Decimal("0.01")


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


Dealt = Mapping[Stratum, Tally]
"""What one agent's answers came to in each stratum: on each channel in each country, say."""


@dataclass(frozen=True)
class Adjusted:
    """How an agent compares; `score`, `off` and `z` are None where there is nobody to compare with.

    `score` has two decimals. `off` is the agent's own mean less what the others make of the same
    answers, in points. `z` is None also where the others' answers do not vary at all.
    """

    score: Decimal | None
    off: Decimal | None
    z: Decimal | None
    differs: Differs | None


def adjust(
    agents: Mapping[Agent, Dealt[Stratum]], others: Sequence[Dealt[Stratum]] = ()
) -> dict[Agent, Adjusted]:
    """Each agent beside all the others of a team whose answers are on one scale.

    `others` are what agents were dealt of whom nobody is told by name: they count for the team.
    """
    whole = _over_agents((*agents.values(), *others))
    everybody = _sum(whole.values())
    with localcontext(_EXACT):
        found = {agent: _compare(dealt, whole, everybody) for agent, dealt in agents.items()}
    judged = {
        agent: _chance(z)
        for agent, (_, _, z) in found.items()
        if z is not None and _sum(agents[agent].values()).n >= FEWEST_TO_COMPARE
    }
    sure = survivors(judged)
    return {
        agent: Adjusted(score, off, z, _side(z) if agent in sure else None)
        for agent, (score, off, z) in found.items()
    }


def survivors(chances: Mapping[Agent, float]) -> set[Agent]:
    """Whose p-value Benjamini and Hochberg's procedure (1995) calls significant."""
    small_enough = [
        chance
        for rank, chance in enumerate(sorted(chances.values()), start=1)
        if chance <= FALSE_ALARMS * rank / len(chances)
    ]
    return {one for one, chance in chances.items() if small_enough and chance <= small_enough[-1]}


def _compare(
    dealt: Dealt[Stratum], whole: Dealt[Stratum], everybody: Tally
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """An agent's adjusted score, and how far off it is: in points and in standard errors."""
    own = _sum(dealt.values())
    others = everybody - own
    if own.n == 0 or others.n == 0:
        return None, None, None
    expected, variance = Decimal(0), Decimal(0)
    for stratum, tally in dealt.items():
        beside = whole[stratum] - tally
        if beside.n == 0:
            beside = others
        expected += Decimal(tally.n * beside.total) / beside.n
        variance += _variance_of_sum(tally.n, beside)
    off = own.total - expected
    score = 100 * (Decimal(everybody.total) / everybody.n + off / own.n)
    z = off / variance.sqrt() if variance else None
    shown = score.quantize(_SURE).quantize(_HUNDREDTH) + 0  # + 0: never the negative zero
    return shown, 100 * off / own.n, z


def _variance_of_sum(n: int, others: Tally) -> Decimal:
    """How much the sum of n parts varies around what is expected from the others' mean.

    n * v + n * n * v / N, where v is the variance of the N others' parts.
    """
    scatter = others.n * others.squares - others.total * others.total  # N * N * v
    return Decimal(n * (others.n + n) * scatter) / others.n**3


def _over_agents(agents: Iterable[Dealt[Stratum]]) -> dict[Stratum, Tally]:
    by_stratum: dict[Stratum, list[Tally]] = {}
    for dealt in agents:
        for stratum, tally in dealt.items():
            by_stratum.setdefault(stratum, []).append(tally)
    return {stratum: _sum(tallies) for stratum, tallies in by_stratum.items()}


def _sum(tallies: Iterable[Tally]) -> Tally:
    """All of them together, without one for each step."""
    n, total, squares = (sum(column) for column in zip(Tally(), *tallies, strict=True))
    return Tally(n, total, squares)


def _chance(z: Decimal) -> float:
    """How likely a standard normal is at least that far from zero, on either side."""
    return erfc(abs(float(z)) / sqrt(2))


def _side(z: Decimal | None) -> Differs:
    return "below" if z is not None and z < 0 else "above"
