"""What insights must say, worked out from single answers in plain Python.

Like tests/oracle.py nothing here is shared with the code under test: docs/metrics.md's
"Comparison" and "What happened" as loops over answers and fractions.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist
from typing import Any

from tests import oracle
from tests.calendar_oracle import Calendar, every_day, first_day
from tests.oracle import BAD, GOOD, Answered, Part, ReportQuery

Answers = Sequence[Answered]
Measure = tuple[str, str]
Place = tuple[str, Any]
"""A dimension and one of its values."""

ORDER = ("csat", "nps", "ces")
BAD_NAMES = {"csat": "dissatisfied", "nps": "detractors", "ces": "difficult"}
FEWEST = 10
"""Fewer answers than these are not judged."""


class UndecidedError(Exception):
    """Two things are alike to the last digit, and either may come first."""


def part(answer: Answered) -> int:
    """An answer's part of the headline."""
    good = answer.score in GOOD[answer.metric, answer.scale]
    bad = answer.metric == "nps" and answer.score in BAD[answer.metric, answer.scale]
    return 100 * (good - bad)


def mean(answers: Answers) -> Fraction:
    """The headline of some answers before it is rounded."""
    return Fraction(sum(map(part, answers)), len(answers))


def figures(answers: Answers) -> tuple[float, float, float]:
    """A headline and the ends of its interval, as they are shown."""
    metric, scale = answers[0].metric, answers[0].scale
    scores = [one.score for one in answers]
    told = oracle.figures(metric, GOOD[metric, scale], BAD[metric, scale], scores)
    return told["score"], told["ci_low"], told["ci_high"]


def step_up(chances: Sequence[float]) -> list[bool]:
    """Of each whether Benjamini and Hochberg's procedure at 5 % finds it, all considered."""
    ordered = sorted(chances)
    limit = -1.0
    for at, chance in enumerate(ordered, start=1):
        if chance * len(ordered) <= 0.05 * at:
            limit = chance
    return [chance <= limit for chance in chances]


# -- movers


@dataclass(frozen=True)
class Group:
    """The answers of a place now and before, and what it adds to the change of a whole."""

    place: Place
    now: Answers
    before: Answers
    points: Fraction | None
    """None where a score is withheld."""
    sure: bool = False


def compared(
    dimensions: Sequence[str],
    now: Answers,
    before: Answers,
    *,
    level: Answers,
    whole: tuple[int, int],
    least: Mapping[str, int],
) -> list[Group]:
    """Every place of the dimensions; contributions are to a whole of so many answers on each side.

    `least` tells below how many answers a dimension's scores are withheld.
    """
    found = []
    for name in dimensions:
        values = {one.dimension(name) for one in (*now, *before)}
        for value in sorted(values, key=lambda value: (value is None, str(value))):
            inside, former = (
                [one for one in side if one.dimension(name) == value] for side in (now, before)
            )
            few = least.get(name, 0)
            withheld = 0 < len(inside) < few or 0 < len(former) < few
            points = None
            if not withheld:
                points = _pull(inside, level, whole[0]) - _pull(former, level, whole[1])
            found.append(Group((name, value), inside, former, points))
    return found


def _pull(answers: Answers, level: Answers, whole: int) -> Fraction:
    if not answers:
        return Fraction(0)
    return Fraction(len(answers), whole) * (mean(answers) - mean(level))


def judged(groups: Sequence[Group], least: Mapping[str, int]) -> list[Group]:
    """The same, each with whether its own score has changed for certain."""
    sure = step_up([_chance(one, least.get(one.place[0], 0)) for one in groups])
    return [
        Group(one.place, one.now, one.before, one.points, found)
        for one, found in zip(groups, sure, strict=True)
    ]


def _chance(group: Group, least: int) -> float:
    """How likely such a change is where there is none; 1 of too few answers to tell."""
    if min(len(group.now), len(group.before)) < max(FEWEST, least):
        return 1.0
    value, low, high = figures(group.now)
    value2, low2, high2 = figures(group.before)
    change = value - value2
    if change > 0:
        arm = math.hypot(value - low, high2 - value2)
    else:
        arm = math.hypot(high - value, value2 - low2)
    if change == 0:
        return 1.0
    return 2 * NormalDist().cdf(-1.959964 * abs(change) / arm) if arm else 0.0


Outside = Callable[[Group, Group], Fraction | None]
"""What the second adds to the change without the answers of the first; None where withheld."""


def folded(
    groups: Sequence[Group], now: Answers, before: Answers, outside: Outside
) -> list[tuple[Group, list[Place]]]:
    """The strongest, the losses first, each with the places that are told again within it."""
    sizes = len(now), len(before)
    parts = [
        one
        for one in groups
        if one.points is not None
        and not (len(one.now) >= 0.95 * sizes[0] and len(one.before) >= 0.95 * sizes[1])
    ]
    left = _in_order(parts)[:20]
    heads: list[tuple[Group, list[Place]]] = []
    looked_under = 0
    while left and len(heads) < 10:
        head, *left = left
        same = [
            one
            for one in left
            if one.place[0] != head.place[0] and _points(one) * _points(head) > 0
        ]
        within: list[Place] = []
        if head.sure and same and looked_under < 4:
            looked_under += 1
            for one in same:
                rest = outside(head, one)
                if rest is not None and rest / _points(one) <= Fraction(1, 3):
                    within.append(one.place)
        heads.append((head, within))
        left = [one for one in left if one.place not in within]
    return sorted(heads, key=lambda head: _points(head[0]))


def _in_order(groups: Sequence[Group]) -> list[Group]:
    """The strongest first. Raises UndecidedError where two are equally strong."""
    found = sorted(groups, key=lambda one: -abs(_points(one)))
    for one, following in pairwise(found[:21]):
        if abs(abs(_points(one)) - abs(_points(following))) < Fraction(1, 10**9):
            raise UndecidedError
    return found


def _points(group: Group) -> Fraction:
    assert group.points is not None
    return group.points


# -- the worst run of days


Run = tuple[date, date]


def worst_run(
    answers: Answers, days: Run, granularity: str, week_start: str
) -> tuple[float, Run] | None:
    """z and the days of the worst run, if it is news. Raises UndecidedError where two are equal.

    The answers are all of one measure in the days.
    """
    if not answers:
        return None
    spans: dict[str, list[date]] = {}
    for day in every_day(days):
        spans.setdefault(first_day(day, granularity, week_start), []).append(day)
    periods = [*spans.values()]
    its = [[one for one in answers if period[0] <= one.day <= period[-1]] for period in periods]
    tallies = [(len(some), sum(map(part, some))) for some in its]
    n, total = (sum(column) for column in zip(*tallies, strict=True))
    _, low, high = figures(answers)
    if low == high:
        return None
    found: list[tuple[float, Run]] = []
    for first in range(len(periods)):
        inside, points = 0, 0
        for last in range(first, min(len(periods), first + len(periods) // 2)):
            inside += tallies[last][0]
            points += tallies[last][1]
            if not tallies[first][0] or not tallies[last][0] or inside == n:
                continue  # it begins and ends with an answer, and there are others
            below = Fraction(total - points, n - inside) - Fraction(points, inside)
            width = math.sqrt(Fraction(1, inside) + Fraction(1, n - inside))
            z = float(below) / ((high - low) / (2 * 1.959964) * math.sqrt(n) * width)
            found.append((z, (periods[first][0], periods[last][-1])))
    found.sort(key=lambda one: -one[0])
    if not found or found[0][0] <= math.sqrt(4.5**2 + 2 * math.log(max(1, len(periods) / 28))):
        return None
    if len(found) > 1 and found[0][0] - found[1][0] < 1e-9:
        raise UndecidedError
    return found[0]


def top_contributor(
    answers: Answers, run: Run, dimensions: Sequence[str]
) -> tuple[Group, Fraction] | None:
    """Who stands out in a fall against as many days before, and the share of it."""
    length = run[1] - run[0] + timedelta(days=1)
    now, before = (
        [one for one in answers if run[0] - ago <= one.day <= run[1] - ago]
        for ago in (timedelta(), length)
    )
    if not now or not before or mean(now) >= mean(before):
        return None
    change = mean(now) - mean(before)
    sizes = len(now), len(before)
    groups = judged(compared(dimensions, now, before, level=before, whole=sizes, least={}), {})
    excess = sorted(
        (
            (_points(one) / change - Fraction(len(one.before), len(before)), at)
            for at, one in enumerate(groups)
            if one.sure
        ),
        reverse=True,
    )
    if not excess or excess[0][0] <= Fraction(1, 4):
        return None
    if len(excess) > 1 and excess[0][0] - excess[1][0] < Fraction(1, 10**9):
        raise UndecidedError
    top = groups[excess[0][1]]
    return top, _points(top) / change


# -- whole replies


@dataclass(frozen=True)
class Question:
    """What insights are asked of: answers that pass the filters, and what is compared.

    `least` is the minimum sample of figures that tell of agents.
    """

    answers: Answers
    calendar: Calendar
    dimensions: Sequence[str]
    least: int = 0

    @property
    def few(self) -> Mapping[str, int]:
        """Below how many answers each dimension's scores are withheld."""
        return {"agent": self.least}


def insights(asked: Question) -> dict[str, Any]:
    """The reply's headlines, worst days and movers, without what is left to other oracles.

    Figures that are not rounded are Fractions or floats.
    """
    calendar = asked.calendar
    now = answered_in(asked.answers, calendar.now)
    before = answered_in(asked.answers, calendar.before) if calendar.before else []
    _, totals = oracle.reply(ReportQuery("daily", ()), [Part(asked.answers, calendar)])
    granularity = "day" if len(every_day(calendar.now)) <= 400 else "week"
    runs: dict[Measure, tuple[float, Run]] = {}
    for metric, scale in {(one.metric, one.scale) for one in now}:
        found = worst_run(
            [one for one in now if (one.metric, one.scale) == (metric, scale)],
            calendar.now,
            granularity,
            calendar.week_start,
        )
        if found:
            runs[metric, scale] = found
    worst = max(runs, key=lambda measure: runs[measure][0], default=None)
    headlines = [
        {**row, "surveys": len({one.dimension("survey") for one in now if _is(one, row)})}
        for row in totals
    ]

    def rank(row: Mapping[str, Any]) -> tuple[int, int, int]:
        if (row["metric"], row["scale"]) == worst:
            return 0, 0, 0
        is_sure = row.get("score_significant") is True
        return 1 if is_sure else 2, -row["responses"], ORDER.index(row["metric"])

    headlines.sort(key=rank)
    return {
        "headlines": headlines,
        "worst": _worst(asked, worst, *runs[worst]) if worst else None,
        "movers": _moved(asked, headlines[0], now, before)
        if calendar.compare and headlines
        else None,
    }


def _is(answer: Answered, row: Mapping[str, Any]) -> bool:
    return (answer.metric, answer.scale) == (row["metric"], row["scale"])


def answered_in(answers: Answers, days: Run) -> list[Answered]:
    """The answers of these days."""
    return [one for one in answers if days[0] <= one.day <= days[1]]


def _worst(asked: Question, measure: Measure, z: float, run: Run) -> dict[str, Any]:
    every = [one for one in asked.answers if (one.metric, one.scale) == measure]
    shown = answered_in(every, asked.calendar.now)
    inside = answered_in(shown, run)
    others = [one for one in shown if one not in inside]
    days = len(every_day(run))
    before = answered_in(every, (run[0] - timedelta(days=days), run[0] - timedelta(days=1)))
    bad = BAD[measure]
    named = [name for name in asked.dimensions if name != "agent"]
    top = top_contributor(every, run, named)
    told: dict[str, Any] = {
        "metric": measure[0],
        "scale": measure[1],
        "start_date": run[0].isoformat(),
        "end_date": run[1].isoformat(),
        "days": days,
        "responses": len(inside),
        "score": mean(inside),
        "responses_others": len(others),
        "score_others": mean(others),
        "z": z,
        "points": mean(others) - mean(shown),
        "top_contributor": None,
        "cost": {
            "responses": len(inside),
            "responses_previous": len(before),
            "bad": BAD_NAMES[measure[0]],
            "bad_responses": sum(one.score in bad for one in inside),
            "bad_responses_previous": sum(one.score in bad for one in before),
        },
    }
    if top:
        group, share = top
        dimension, value = group.place
        its = [one for one in every if one.dimension(dimension) == value]
        within = top_contributor(its, run, [name for name in named if name != dimension])
        told["top_contributor"] = {
            **_group(group),
            "share_of_change_pct": 100 * share,
            "within": within[0].place if within else None,
        }
    return told


def _moved(
    asked: Question, headline: Mapping[str, Any], now: Answers, before: Answers
) -> dict[str, Any] | None:
    now, before = ([one for one in side if _is(one, headline)] for side in (now, before))
    if not now or not before:
        return None
    sizes = len(now), len(before)
    groups = judged(
        compared(asked.dimensions, now, before, level=before, whole=sizes, least=asked.few),
        asked.few,
    )

    def outside(head: Group, other: Group) -> Fraction | None:
        name, value = head.place
        left = [[one for one in side if one.dimension(name) != value] for side in (now, before)]
        dimension = other.place[0]
        few = max(asked.few.get(name, 0), asked.few.get(dimension, 0))
        found = compared(
            [dimension], left[0], left[1], level=before, whole=sizes, least={dimension: few}
        )
        points = {one.place: one.points for one in found}
        return points.get(other.place, Fraction(0))

    told = [one for one in groups if one.points is not None]
    return {
        "metric": headline["metric"],
        "scale": headline["scale"],
        "change": mean(now) - mean(before),
        "groups": len(told),
        "rows": [
            {**_group(head), "significant": head.sure, "within": within}
            for head, within in folded(told, now, before, outside)
        ],
    }


def _group(group: Group) -> dict[str, Any]:
    told: dict[str, Any] = {
        "dimension": group.place[0],
        "value": group.place[1],
        "points": group.points,
    }
    for when, some in (("", group.now), ("_previous", group.before)):
        score, low, high = figures(some) if some else (None, None, None)
        told |= {f"responses{when}": len(some), f"score{when}": score}
        told |= {f"ci_low{when}": low, f"ci_high{when}": high}
    return told
