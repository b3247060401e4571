"""docs/metrics.md's formulas as pure functions over sums.

Figures are exact: ratios are divided as integers and rounded half even once; None stands for a
ratio without a denominator. The survey formulas take `counts`, where counts[k] is the number of
responses with score k (0..10). Nothing here knows of rows or files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache
from math import isqrt
from operator import mul
from typing import Any, Generic, NamedTuple, TypeVar

from pulse import days
from pulse.tenants.rules import Rule

Counts = Sequence[int]
Figure = TypeVar("Figure", bound=int | Decimal)

Z = Decimal("1.959964")
"""The standard normal's 97.5th percentile: intervals are 95 % ones."""

_UNIT = 10**6
_Z = int(Z * _UNIT)
_FINE = 10**24
"""Of roots so many digits are kept that only the last rounding, to two decimals, is felt."""
_INTERVALS = Context(prec=50, rounding=ROUND_HALF_EVEN)


class Segments(NamedTuple):
    """How many responses a rule calls good, neutral and bad."""

    good: int
    neutral: int
    bad: int

    @property
    def n(self) -> int:
        """All of them."""
        return self.good + self.neutral + self.bad


def segments(counts: Counts, rule: Rule) -> Segments:
    """The responses by what the rule makes of their scores."""
    good, neutral, bad = rule.parted
    return Segments(sum(counts[good]), sum(counts[neutral]), sum(counts[bad]))


def rounded(numerator: Any, denominator: Any) -> Any:
    """numerator / denominator as a whole number, half even; of arrays an array of these."""
    quotient = numerator // denominator
    twice = 2 * (numerator - quotient * denominator)
    return quotient + ((twice > denominator) | ((twice == denominator) & (quotient % 2 == 1)))


@dataclass(frozen=True)
class Quotient(Generic[Figure]):
    """A kind of figure: `times` one sum over `per` another, rounded once to a whole number.

    `shown` makes the figure of that number, `written` what JSON has for it.
    """

    times: int
    per: int
    shown: Callable[[int], Figure]
    written: Callable[[int], str]

    def __call__(self, numerator: int, denominator: int = 1) -> Figure | None:
        """The figure of two sums; None over nothing."""
        if denominator == 0:
            return None
        return self.shown(rounded(self.times * numerator, self.per * denominator))

    def of_many(self, numerators: Any, denominators: Any = 1) -> tuple[list[int], list[bool]]:
        """(the numbers of the figures of many rows, whether each has one), of arrays of sums."""
        is_nothing = (numerators * 0 + denominators) == 0
        over = denominators + is_nothing  # nothing is divided by, and then not told
        reach = max(
            self.times * max(int(numerators.max(initial=0)), -int(numerators.min(initial=0))),
            2 * self.per * int(over.max(initial=0)),
        )
        if reach >= 2**63:
            numerators, over = numerators.astype(object), over.astype(object)
        numbers = rounded(self.times * numerators, self.per * over)
        return numbers.tolist(), (~is_nothing).tolist()


def _hundredths(number: int) -> Decimal:
    return Decimal(number).scaleb(-2)


def _written_hundredths(number: int) -> str:
    return repr(number / 100)  # the shortest text that reads back, as to_json writes decimals


ratio = Quotient(100, 1, _hundredths, _written_hundredths)
"""numerator / denominator with two decimals, half even; None over nothing."""

share_pct = Quotient(10_000, 1, _hundredths, _written_hundredths)
"""100 * part / whole."""

count = Quotient(1, 1, int, str)
"""A sum as it stands."""


def shares(counts: Counts) -> tuple[Decimal | None, ...]:
    """share_pct of each score among all of them."""
    return tuple(share_pct(count, sum(counts)) for count in counts)


def good_pct(counts: Counts, rule: Rule) -> Decimal | None:
    """The good ones' share: csat_pct on a CSAT scale, ces_pct on a CES scale."""
    return share_pct(_good(counts, rule), sum(counts))


def _good(counts: Counts, rule: Rule) -> int:
    good, _, _ = rule.parted
    return sum(counts[good])


csat_pct = good_pct
ces_pct = good_pct


def nps(counts: Counts, rule: Rule) -> Decimal | None:
    """100 * (promoters - detractors) / n, from -100 to 100."""
    found = segments(counts, rule)
    return ratio(100 * (found.good - found.bad), found.n)


def average(counts: Counts) -> Decimal | None:
    """The mean score, in scale units."""
    return ratio(sum(map(mul, counts, range(len(counts)))), sum(counts))


def median(counts: Counts) -> Decimal | None:
    """The middle score; of an even number, the mean of the two middle ones (so exact)."""
    n = sum(counts)
    if n == 0:
        return None
    both = _score_at(counts, (n - 1) // 2) + _score_at(counts, n // 2)
    return Decimal(both // 2) if both % 2 == 0 else Decimal(both) / 2


def _score_at(counts: Counts, position: int) -> int:
    """The score at a position (from 0) of all scores in order."""
    for score, count in enumerate(counts):
        if position < count:
            return score
        position -= count
    raise IndexError("there are fewer responses")


def score(counts: Counts, rule: Rule) -> Decimal | None:
    """The metric's headline: csat_pct, nps or ces_pct."""
    return nps(counts, rule) if rule.metric == "nps" else good_pct(counts, rule)


def interval(counts: Counts, rule: Rule) -> tuple[Decimal, Decimal] | None:
    """The 95 % interval of the score, which always contains it; None without responses."""
    n = sum(counts)
    if n == 0:
        return None
    if rule.metric == "nps":
        return nps_interval(*segments(counts, rule))
    return wilson(_good(counts, rule), n)


@lru_cache(maxsize=1024)  # a row asks twice, for its low and its high end
def wilson(good: int, n: int) -> tuple[Decimal, Decimal]:
    """Wilson's interval of the percentage good of n (at least 1).

    docs/metrics.md's formula, multiplied above and below by 2n and the square of a million: what
    is not under the root is whole.
    """
    root = _root(4 * _UNIT**2 * good * (n - good) + _Z * _Z * n, n)
    centre = 2 * _UNIT**2 * good + _Z * _Z
    return _around(100 * good, n, centre, _Z * root, 2 * (_UNIT**2 * n + _Z * _Z), lowest=0)


@lru_cache(maxsize=1024)
def nps_interval(promoters: int, passives: int, detractors: int) -> tuple[Decimal, Decimal]:
    """The adjusted Wald interval of an NPS (Lewis & Sauro 2021), of at least one response.

    Three quarters are added to both ends and three to n; docs/metrics.md's formula, multiplied
    above and below by n' and a million.
    """
    n = promoters + passives + detractors
    lead, ends = promoters - detractors, 2 * (promoters + detractors) + 3
    root = _root(ends * (n + 3) - 2 * lead * lead, 2 * (n + 3))
    return _around(100 * lead, n, _UNIT * lead, _Z * root, _UNIT * (n + 3), lowest=-100)


FEWEST_TO_COMPARE = 10
"""Of fewer answers, on either side, docs/metrics.md calls no difference significant or not."""


def significant(counts: Counts, before: Counts, rule: Rule) -> bool | None:
    """Has the score changed by more than chance explains? None of too few answers to tell."""
    if min(sum(counts), sum(before)) < FEWEST_TO_COMPARE:
        return None
    low, high = mover(estimate(counts, rule), estimate(before, rule))
    return low > 0 or high < 0


@dataclass(frozen=True)
class Estimate:
    """A score with its interval."""

    value: Decimal
    low: Decimal
    high: Decimal


def estimate(counts: Counts, rule: Rule) -> Estimate:
    """The score with its interval. Raises ValueError without responses."""
    value, ends = score(counts, rule), interval(counts, rule)
    if value is None or ends is None:
        raise ValueError("an estimate needs responses")
    return Estimate(value, *ends)


def mover(first: Estimate, second: Estimate) -> tuple[Decimal, Decimal]:
    """The interval of first - second: the method of variance estimates recovery.

    Zou & Donner 2008 (Statistics in Medicine 27:1693-1702); over Wilson's intervals it is
    method 10 of Newcombe 1998 (Statistics in Medicine 17:873-890).
    """
    with localcontext(_INTERVALS):
        change = first.value - second.value
        below = (first.value - first.low) ** 2 + (second.high - second.value) ** 2
        above = (first.high - first.value) ** 2 + (second.value - second.low) ** 2
        return change - below.sqrt(), change + above.sqrt()


def _root(numerator: int, denominator: int) -> int:
    """The root of a quotient, in units of 1 / _FINE and cut off there."""
    return isqrt(numerator * _FINE * _FINE // denominator)


def _around(
    score: int, n: int, centre: int, half: int, denominator: int, *, lowest: int
) -> tuple[Decimal, Decimal]:
    """100 × (centre ± half / _FINE) / denominator to two decimals, from `lowest` to 100.

    Widened to contain score / n.
    """
    middle, whole = 10_000 * centre * _FINE, denominator * _FINE
    value = rounded(100 * score, n)
    low = max(rounded(middle - 10_000 * half, whole), 100 * lowest)
    high = min(rounded(middle + 10_000 * half, whole), 10_000)
    return _hundredths(min(low, value)), _hundredths(max(high, value))


# -- durations, satisfaction and money

DECIMAL_UNIT = 10_000
"""Sums of decimals are whole numbers of its fraction."""


class TextDecimal(Decimal):
    """A figure that is text in JSON, as `str` writes it: a number there would lose its form."""


class ClockTime(TextDecimal):
    """Whole seconds, written HH:MM:SS; hours may pass 24."""

    def __str__(self) -> str:
        """The seconds as a clock shows them."""
        return _clock_face(int(self))


def _seconds(hundredths: int) -> Decimal:
    whole, rest = divmod(hundredths, 100)
    return _hundredths(hundredths) if rest else Decimal(whole)


def _written_seconds(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return _written_hundredths(hundredths) if rest else str(whole)


def _clock_face(number: int) -> str:
    minutes, seconds = divmod(number, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"


seconds = Quotient(100, days.SECOND, _seconds, _written_seconds)
"""The mean of n durations that sum to so many microseconds; whole seconds without decimals."""

clock = Quotient(1, days.SECOND, ClockTime, lambda number: f'"{_clock_face(number)}"')
"""The same mean, rounded from its exact value to the second."""

satisfaction = Quotient(100, DECIMAL_UNIT, _hundredths, _written_hundredths)
"""The mean of n satisfactions that sum to so many ten-thousandths."""


def _ten_thousandths(number: int) -> TextDecimal:
    return TextDecimal(f"{number}E-4")


money = Quotient(1, 1, _ten_thousandths, lambda number: f'"{_ten_thousandths(number)}"')
"""The mean of n amounts that sum to so many ten-thousandths, with four decimals."""
