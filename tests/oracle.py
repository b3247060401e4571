"""What the reports must say, worked out from the accepted answers in plain Python.

Nothing here is shared with the code under test: fractions, sorted lists and loops, as METRICS.md
reads. Slow and obvious on purpose.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, getcontext, localcontext
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Z = Decimal("1.959964")
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Sent:
    """One answer as a sender sent it; `order` is when Pulse received it."""

    tenant: str
    survey: str
    response_id: str
    answered_at: datetime
    score: int
    order: int
    dimensions: Mapping[str, str | None] = field(default_factory=dict)


def counted(sent: Iterable[Sent], zones: Mapping[str, str]) -> list[tuple[date, Sent]]:
    """(tenant's day, answer) of those that count: of each identity the last received."""
    last: dict[tuple[Any, ...], tuple[date, Sent]] = {}
    for answer in sorted(sent, key=lambda answer: answer.order):
        day = answer.answered_at.astimezone(ZoneInfo(zones[answer.tenant])).date()
        last[answer.tenant, answer.survey, answer.response_id, day] = day, answer
    return list(last.values())


def rounded(value: Fraction | Decimal) -> float:
    """Two decimals, half to even, as a number."""
    if isinstance(value, Fraction):
        with localcontext() as context:
            context.prec = 60
            hundredths = value * 100
            floor = hundredths.numerator // hundredths.denominator
            rest = hundredths - floor
            up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2 == 1)
            return float(Decimal(floor + up) / 100)
    return float(value.quantize(CENT, ROUND_HALF_EVEN))


def share(part: int, whole: int) -> float | None:
    return rounded(Fraction(100 * part, whole)) if whole else None


def figures(metric: str, good: range, bad: range, scores: Sequence[int]) -> dict[str, Any]:
    """Every figure of a row over these scores, which share one metric and scale."""
    n = len(scores)
    up = sum(score in good for score in scores)
    down = sum(score in bad for score in scores)
    if not n:
        return {"responses": 0, "average": None, "median": None, "score": None}
    exact = Fraction(100 * (up - down), n) if metric == "nps" else Fraction(100 * up, n)
    low, high = _adjusted_wald(up, down, n) if metric == "nps" else _wilson(up, n)
    point = Decimal(exact.numerator) / Decimal(exact.denominator)
    return {
        "responses": n,
        "average": rounded(Fraction(sum(scores), n)),
        "median": statistics.median(scores),
        "score": rounded(exact),
        "ci_low": rounded(min(low, point)),
        "ci_high": rounded(max(high, point)),
        "promoters": up,
        "detractors": down,
        "passives": n - up - down,
    }


def _wilson(good: int, n: int) -> tuple[Decimal, Decimal]:
    getcontext().prec = 50
    p, z2 = Decimal(good) / n, Z * Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * (p * (1 - p) / n + z2 / (4 * n * n)).sqrt() / (1 + z2 / n)
    return 100 * (centre - half), 100 * (centre + half)


def _adjusted_wald(promoters: int, detractors: int, n: int) -> tuple[Decimal, Decimal]:
    getcontext().prec = 50
    p = (promoters + Decimal("0.75")) / (n + 3)
    d = (detractors + Decimal("0.75")) / (n + 3)
    x = p - d
    half = Z * ((p + d - x * x) / (n + 3)).sqrt()
    return max(100 * (x - half), Decimal(-100)), min(100 * (x + half), Decimal(100))
