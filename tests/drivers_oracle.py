"""What goes with a score, worked out from single answers in plain Python.

Like tests/oracle.py nothing here is shared with the code under test: docs/metrics.md's "Drivers" as
loops over answers and fractions.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.insights_oracle import (
    FEWEST,
    Answers,
    Question,
    answered_in,
    figures,
    mean,
    part,
    step_up,
)
from tests.oracle import SUMMED_UP, Answered


def drivers(asked: Question, strata: Sequence[str]) -> list[dict[str, Any]]:
    """What goes with the measure of most answers, the strongest first."""
    now = answered_in(asked.answers, asked.calendar.now)
    measures = sorted({(one.metric, one.scale) for one in now})
    if not measures:
        return []
    sizes = {
        measure: sum((one.metric, one.scale) == measure for one in now) for measure in measures
    }
    most = max(measures, key=lambda measure: sizes[measure])
    told = [one for one in now if (one.metric, one.scale) == most]
    found = [
        its
        for name in asked.dimensions
        if (its := _driver(told, name, [one for one in strata if one != name], asked.few))
    ]
    sure = step_up([one["p"] for one in found])
    for one, is_sure in zip(found, sure, strict=True):
        one["significant"] = is_sure
    return sorted(found, key=lambda one: -one["explains_pct"])


def _driver(
    answers: Answers, name: str, strata: Sequence[str], few: Mapping[str, int]
) -> dict[str, Any] | None:
    values = [one.dimension(name) for one in answers]
    large = {v for v in values if values.count(v) >= FEWEST and v not in SUMMED_UP}
    groups: dict[Any, list[Answered]] = {}
    for one, value in zip(answers, values, strict=True):
        groups.setdefault(value if value in large else "(other)", []).append(one)
    n, whole = len(answers), mean(answers)
    total = sum((part(one) - whole) ** 2 for one in answers)
    if len(groups) < 2 or not total:
        return None
    between = sum(len(some) * (mean(some) - whole) ** 2 for some in groups.values())
    within = (total - between) / (n - len(groups))
    statistic = float(n * between / total)
    omega = (between - (len(groups) - 1) * within) / (total + within)
    rows = {}
    for value, some in groups.items():
        rest = [one for other, its in groups.items() if other != value for one in its]
        low, high = _difference(some, rest)
        apart = mean(some) - mean(rest)
        told = {
            "score": mean(some),
            "difference": apart,
            "ci_low": low,
            "ci_high": high,
            "points": Fraction(len(some), n) * apart,
            "adjusted_difference": _adjusted(some, rest, strata) if strata else None,
        }
        withheld = len(some) < few.get(name, 0)
        rows[value] = {
            "responses": len(some),
            **(dict.fromkeys(told) if withheld else told),
            "withheld": withheld,
        }
    return {
        "dimension": name,
        "responses": n,
        "explains_pct": 100 * max(Fraction(0), omega),
        "statistic": statistic,
        "p": chi_squared_above(statistic, len(groups) - 1),
        "adjusted_for": [*strata],
        "groups": len(groups),
        "rows": rows,
    }


def _difference(answers: Answers, others: Answers) -> tuple[float, float]:
    """The interval of a headline less another."""
    value, low, high = figures(answers)
    value2, low2, high2 = figures(others)
    change = value - value2
    return (
        change - math.hypot(value - low, high2 - value2),
        change + math.hypot(high - value, value2 - low2),
    )


def _adjusted(answers: Answers, rest: Answers, strata: Sequence[str]) -> Fraction:
    """Their mean less what the rest make of the same strata."""

    def by_mix(some: Answers) -> dict[tuple[str | None, ...], list[Answered]]:
        found: dict[tuple[str | None, ...], list[Answered]] = {}
        for one in some:
            found.setdefault(tuple(one.dimension(name) for name in strata), []).append(one)
        return found

    beside = by_mix(rest)
    expected = Fraction(0)
    for mix, some in by_mix(answers).items():
        expected += len(some) * mean(beside.get(mix, rest))
    return mean(answers) - expected / len(answers)


def chi_squared_above(x: float, degrees: int) -> float:
    """The chance of a chi² above x: the density, integrated by Simpson's rule over its root."""
    scale = 1 / (2 ** (degrees / 2 - 1) * math.gamma(degrees / 2))

    def density(root: float) -> float:
        return scale * root ** (degrees - 1) * math.exp(-root * root / 2)

    first, steps = math.sqrt(x), 2_000
    width = 14 / steps
    inner = sum((4 if step % 2 else 2) * density(first + step * width) for step in range(1, steps))
    return width / 3 * (density(first) + inner + density(first + 14))
