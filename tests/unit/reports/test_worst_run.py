"""The worst run of days is found exactly, and none is reported by chance."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import exp, log, pi, sqrt

import pytest

from pulse.reports.adjusting import Tally
from pulse.reports.metrics import Estimate
from pulse.reports.worst_run import Span, WorstRun, score_of, worst_run

FIRST = date(2026, 10, 25)
QUIET = [76 + ((day * 7) % 5) for day in range(28)]


def days(scores: Sequence[int | None], n: int = 100) -> list[Span]:
    """A day for each score, which is given by n answers; None: by none."""
    found = []
    for at, one in enumerate(scores):
        day = FIRST + timedelta(days=at)
        good = 0 if one is None else one * n // 100
        found.append(Span(day, day, Tally(0 if one is None else n, good, good)))
    return found


def about(low: float, high: float) -> Estimate:
    """An estimate with this interval; where in it the value lies does not matter."""
    return Estimate(Decimal(str(low)), Decimal(str(low)), Decimal(str(high)))


def test_a_bad_week_is_found_to_the_day() -> None:
    scores = [score - 27 if 4 <= at <= 10 else score for at, score in enumerate(QUIET)]
    found = worst_run(days(scores), about(68, 72))
    assert found is not None
    assert (found.first, found.last) == (date(2026, 10, 29), date(2026, 11, 4))
    assert found.days == 7
    assert score_of(found.within) == pytest.approx(sum(scores[4:11]) / 7)
    others = [*scores[:4], *scores[11:]]
    assert score_of(found.others) == pytest.approx(sum(others) / 21)
    assert found.points == pytest.approx(sum(others) / 21 - sum(scores) / 28)
    assert found.z > 4.5


def test_quiet_weeks_empty_days_and_no_days_have_none() -> None:
    assert worst_run(days(QUIET), about(76.5, 79.5)) is None
    assert worst_run(days([None, None]), about(0, 1)) is None
    assert worst_run([], about(1, 2)) is None
    assert worst_run(days(QUIET), about(78, 78)) is None


def test_a_single_terrible_day_counts_and_days_without_answers_do_not_break_a_run() -> None:
    one = [20 if at == 9 else score for at, score in enumerate(QUIET)]
    found = worst_run(days(one), about(75, 78))
    assert found is not None and found.days == 1
    gap: list[int | None] = [40 if 4 <= at <= 8 else score for at, score in enumerate(QUIET)]
    gap[3], gap[6], gap[9] = None, None, None
    found = worst_run(days(gap), about(68, 72))
    assert found is not None
    assert (found.first, found.days) == (date(2026, 10, 29), 5)  # it neither begins nor ends empty


def test_a_good_run_is_no_bad_news() -> None:
    good = [100 if at < 4 else score for at, score in enumerate(QUIET)]
    assert worst_run(days(good), about(79, 82)) is None


def test_of_few_answers_no_run_is_told() -> None:
    one = [20 if at == 9 else score for at, score in enumerate(QUIET)]
    found = worst_run(days(one), about(75, 78), least=101)
    assert found is None or found.within.n >= 101


def test_a_run_of_weeks_ends_with_its_last_day() -> None:
    weeks = [
        Span(day := FIRST + timedelta(days=7 * at), day + timedelta(days=6), Tally(100, good, good))
        for at, good in enumerate([80, 80, 30, 80, 80, 80])
    ]
    found = worst_run(weeks, about(68, 72))
    assert found is not None
    assert (found.first, found.last) == (weeks[2].first, weeks[2].last)


def slow(spans: Sequence[Span], low: float, high: float) -> tuple[float, int, int] | None:
    """The same by its definition, run by run: (z, first, last)."""
    n = sum(one.tally.n for one in spans)
    deviation = (high - low) / (2 * 1.959964) * sqrt(n)
    best: tuple[float, int, int] | None = None
    for first in range(len(spans)):
        for last in range(first, min(len(spans), first + len(spans) // 2)):
            inside = spans[first : last + 1]
            a = sum(one.tally.n for one in inside)
            b = n - a
            if not a or not b or not spans[first].tally.n:
                continue
            good = sum(one.tally.total for one in inside)
            rest = sum(one.tally.total for one in spans) - good
            z = (100 * rest / b - 100 * good / a) / (deviation * sqrt(1 / a + 1 / b))
            if best is None or z > best[0] + 1e-9:
                best = z, first, last
    return best if best and best[0] > sqrt(4.5**2 + 2 * log(max(1, len(spans) / 28))) else None


def drawn(dice: random.Random, shares: Sequence[float]) -> tuple[list[Span], Estimate]:
    spans, n, good = [], 0, 0
    for at, share in enumerate(shares):
        size = dice.choice([0, 20, 60, 110])
        found = sum(dice.random() < share for _ in range(size))
        day = FIRST + timedelta(days=at)
        spans.append(Span(day, day, Tally(size, found, found)))
        n, good = n + size, good + found
    p = good / n
    half = 100 * 1.959964 * sqrt(p * (1 - p) / n)
    return spans, about(100 * p - half, 100 * p + half)


def test_it_is_what_its_definition_says() -> None:
    dice = random.Random(3)
    told = 0
    for _ in range(60):
        length = dice.choice([7, 28, 60])
        bad = dice.randrange(length)
        shares = [0.45 if bad <= at < bad + 4 else 0.75 for at in range(length)]
        spans, whole = drawn(dice, shares)
        expected = slow(spans, float(whole.low), float(whole.high))
        found: WorstRun | None = worst_run(spans, whole)
        assert (found is None) == (expected is None)
        if found and expected:
            told += 1
            assert found.z == pytest.approx(expected[0])
            assert found.first == spans[expected[1]].first
            assert found.last == spans[expected[2]].last
    assert told > 20


def test_of_quiet_months_hardly_any_has_a_worst_run() -> None:
    dice = random.Random(11)
    alarms = sum(worst_run(*drawn(dice, [0.75] * 28)) is not None for _ in range(300))
    assert alarms <= 4
    assert exp(-(4.5**2) / 2) / sqrt(2 * pi) / 4.5 < 1 / 200_000  # a single run's chance
