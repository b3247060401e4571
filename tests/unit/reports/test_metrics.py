"""docs/metrics.md's formulas: its test vectors, and an independent oracle over random counts."""

import statistics
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulse.reports import metrics
from pulse.tenants.rules import Rule

CSAT = Rule.make("csat", 1, 5)
NPS = Rule.make("nps", 0, 10)
RULES = (
    CSAT,
    NPS,
    Rule.make("ces", 1, 7),
    Rule.make("csat", 1, 2),
    Rule.make("csat", 0, 10),
    Rule.make("csat", 1, 5, good=5),
    Rule.make("ces", 1, 7, lower_is_better=True),
)


def counts_of(scores: Sequence[int]) -> list[int]:
    return [scores.count(score) for score in range(11)]


def nps_counts(promoters: int, passives: int, detractors: int) -> list[int]:
    return [0, detractors, 0, 0, 0, 0, 0, passives, 0, 0, promoters]


# -- the vectors of docs/metrics.md, as written


def test_nps_of_ten_single_scores() -> None:
    assert metrics.nps(counts_of([10, 10, 9, 9, 9, 8, 7, 4, 2, 1]), NPS) == Decimal("20.00")


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "nps", "low", "high"),
    [
        (291, 476, 395, "-8.95", "-13.31", "-4.55"),
        (5, 2, 3, "20.00", "-30.33", "61.10"),
        (5, 0, 0, "100.00", "17.49", "100"),
        (500, 300, 200, "30.00", "25.08", "34.74"),
    ],
)
def test_nps_and_its_interval(
    promoters: int, passives: int, detractors: int, nps: str, low: str, high: str
) -> None:
    counts = nps_counts(promoters, passives, detractors)
    assert metrics.nps(counts, NPS) == Decimal(nps)
    assert metrics.interval(counts, NPS) == (Decimal(low), Decimal(high))


def test_csat_average_and_median_of_a_hundred() -> None:
    counts = [0, 15, 5, 10, 30, 40, 0, 0, 0, 0, 0]
    assert metrics.csat_pct(counts, CSAT) == Decimal("70.00")
    assert metrics.average(counts) == Decimal("3.75")
    assert metrics.median(counts) == 4


@pytest.mark.parametrize(
    ("good", "n", "pct", "low", "high"),
    [
        (70, 100, "70.00", "60.42", "78.11"),
        (9, 10, "90.00", "59.58", "98.21"),
        (0, 3, "0.00", "0.00", "56.15"),
    ],
)
def test_csat_and_its_interval(good: int, n: int, pct: str, low: str, high: str) -> None:
    counts = [0, n - good, 0, 0, 0, good, 0, 0, 0, 0, 0]
    assert metrics.csat_pct(counts, CSAT) == Decimal(pct)
    assert metrics.interval(counts, CSAT) == (Decimal(low), Decimal(high))


# -- an oracle that shares no code: fractions, sorted lists, the formulas as they are printed


scores = st.lists(st.integers(0, 10), max_size=60)
big_counts = st.lists(st.integers(0, 10**7), min_size=11, max_size=11)
rules = st.sampled_from(RULES)


def rounded(exact: Fraction) -> Decimal:
    """Two decimals, half even: what Python's own Fraction rounds to."""
    hundredths = round(exact * 100)
    return Decimal(hundredths) / 100


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9))
def test_a_ratio_is_exact_and_rounds_half_even(numerator: int, denominator: int) -> None:
    assert metrics.ratio(numerator, denominator) == rounded(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 8, "0.12"), (3, 8, "0.38"), (-1, 8, "-0.12"), (-3, 8, "-0.38"), (1, 200, "0.00")],
)
def test_halves_go_to_the_even_neighbour(numerator: int, denominator: int, expected: str) -> None:
    assert str(metrics.ratio(numerator, denominator)) == expected


@given(scores)
def test_average_and_median_are_those_of_the_single_scores(given_scores: list[int]) -> None:
    counts = counts_of(given_scores)
    if not given_scores:
        assert metrics.average(counts) is None
        assert metrics.median(counts) is None
    else:
        assert metrics.average(counts) == rounded(Fraction(sum(given_scores), len(given_scores)))
        assert metrics.median(counts) == Decimal(str(statistics.median(given_scores)))


@given(scores, rules)
def test_scores_are_those_of_the_single_scores(given_scores: list[int], rule: Rule) -> None:
    counts = counts_of(given_scores)
    if rule.lower_is_better:
        good = [s for s in given_scores if s <= rule.good]
        bad = [s for s in given_scores if s >= rule.bad]
    else:
        good = [s for s in given_scores if s >= rule.good]
        bad = [s for s in given_scores if s <= rule.bad]
    expected = None
    if given_scores:
        lead = len(good) - len(bad) if rule.metric == "nps" else len(good)
        expected = rounded(Fraction(100 * lead, len(given_scores)))
    assert metrics.score(counts, rule) == expected


@given(big_counts, rules)
def test_the_interval_contains_the_score_and_stays_in_range(counts: list[int], rule: Rule) -> None:
    interval = metrics.interval(counts, rule)
    if sum(counts) == 0:
        assert interval is None
        return
    assert interval is not None
    score = metrics.score(counts, rule)
    assert score is not None
    assert (-100 if rule.metric == "nps" else 0) <= interval[0] <= score <= interval[1] <= 100


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_wilson_is_the_printed_formula(good: int, others: int) -> None:
    n = good + others
    if n == 0:
        return
    with localcontext(prec=80):
        z = Decimal("1.959964")
        p = Decimal(good) / n
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * (p * (1 - p) / n + z**2 / (4 * n**2)).sqrt() / (1 + z**2 / n)
        expected = tuple(round(100 * end, 2) for end in (centre - half, centre + half))
    score = rounded(Fraction(100 * good, n))
    assert metrics.wilson(good, n) == (min(expected[0], score), max(expected[1], score))


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_nps_interval_is_the_printed_formula(p: int, n: int, d: int) -> None:
    if p + n + d == 0:
        return
    with localcontext(prec=80):
        z = Decimal("1.959964")
        adjusted = Decimal(p + n + d + 3)
        p1 = (p + Decimal("0.75")) / adjusted
        d1 = (d + Decimal("0.75")) / adjusted
        x = p1 - d1
        half = z * ((p1 + d1 - x**2) / adjusted).sqrt()
        low, high = (round(100 * end, 2) for end in (x - half, x + half))
    score = rounded(Fraction(100 * (p - d), p + n + d))
    expected = min(max(low, Decimal(-100)), score), max(min(high, Decimal(100)), score)
    assert metrics.nps_interval(p, n, d) == expected


def test_an_end_at_the_edge_of_the_scale_has_two_decimals_like_any_other() -> None:
    assert [str(end) for end in metrics.nps_interval(0, 0, 6)] == ["-100.00", "-25.92"]
    assert [str(end) for end in metrics.nps_interval(6, 0, 0)] == ["25.92", "100.00"]
    assert str(metrics.wilson(0, 3)[0]) == "0.00"
    assert str(metrics.wilson(3, 3)[1]) == "100.00"


def test_nothing_gives_no_ratio_rather_than_zero() -> None:
    nothing = [0] * 11
    assert metrics.csat_pct(nothing, CSAT) is None
    assert metrics.nps(nothing, NPS) is None
    assert metrics.share_pct(0, 0) is None
    assert metrics.shares(nothing) == (None,) * 11


def test_shares_are_those_of_each_score() -> None:
    assert metrics.shares([1, 0, 2, *[0] * 8])[:3] == (
        Decimal("33.33"),
        Decimal("0.00"),
        Decimal("66.67"),
    )


def test_zero_is_never_negative() -> None:
    """A negative zero would be shown as -0.00."""
    balanced = nps_counts(1, 0, 1)
    ends = metrics.interval([0, 5, *[0] * 9], CSAT)
    assert str(metrics.nps(balanced, NPS)) == "0.00"
    assert ends is not None
    assert str(ends[0]) == "0.00"
    assert str(metrics.ratio(-1, 10**6)) == "0.00"


# -- the difference of two scores


def estimate(good: int, n: int) -> metrics.Estimate:
    """A percentage with its Wilson interval."""
    share = metrics.share_pct(good, n)
    assert share is not None
    return metrics.Estimate(share, *metrics.wilson(good, n))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10
        ((56, 70), (48, 80), 5.24, 33.39),
        ((9, 10), (3, 10), 17.05, 80.90),
        ((6, 7), (2, 7), 5.82, 80.62),
        ((5, 56), (0, 29), -3.81, 19.26),
        ((0, 10), (0, 20), -16.11, 27.75),
        ((0, 10), (0, 10), -27.75, 27.75),
        ((10, 10), (0, 20), 67.91, 100.00),
        ((10, 10), (0, 10), 60.75, 100.00),
    ],
)
def test_the_interval_of_a_difference_is_that_of_newcombe(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    ends = metrics.mover(estimate(*first), estimate(*second))
    assert [float(end) for end in ends] == pytest.approx([low, high], abs=0.02)


def test_the_interval_of_a_change_of_nps_by_hand() -> None:
    # the vectors of docs/metrics.md: 30.00 (25.08 .. 34.74) less -8.95 (-13.31 .. -4.55)
    now = metrics.Estimate(Decimal("30.00"), Decimal("25.08"), Decimal("34.74"))
    before = metrics.Estimate(Decimal("-8.95"), Decimal("-13.31"), Decimal("-4.55"))
    # 38.95 - sqrt(4.92² + 4.40²) = 38.95 - 6.6004; 38.95 + sqrt(4.74² + 4.36²) = 38.95 + 6.4402
    ends = metrics.mover(now, before)
    assert [float(end) for end in ends] == pytest.approx([32.3496, 45.3902], abs=0.0001)
    assert metrics.significant(nps_counts(500, 300, 200), nps_counts(291, 476, 395), NPS)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ((9, 10), (3, 10), True),  # 17.05 .. 80.90
        ((3, 10), (9, 10), True),
        ((5, 56), (0, 29), False),  # -3.81 .. 19.26
        ((7, 10), (7, 10), False),
        ((9, 9), (0, 100), None),  # nine are too few, whatever they say
        ((100, 100), (0, 9), None),
        ((0, 0), (50, 100), None),
    ],
)
def test_a_change_is_significant_where_its_interval_excludes_zero(
    now: tuple[int, int], before: tuple[int, int], expected: bool | None
) -> None:
    sides = [[0, n - good, 0, 0, 0, good, 0, 0, 0, 0, 0] for good, n in (now, before)]
    assert metrics.significant(sides[0], sides[1], CSAT) is expected


# -- durations, satisfaction and money


@pytest.mark.parametrize(
    ("us", "n", "seconds", "clock"),
    [
        (0, 3, "0", "00:00:00"),
        (1, 1, "0.00", "00:00:00"),
        (2_500_000, 1, "2.50", "00:00:02"),  # half to even
        (3_500_000, 1, "3.50", "00:00:04"),
        (10_000_000, 4, "2.50", "00:00:02"),
        (2_499_999, 1, "2.50", "00:00:02"),  # from the exact value: 2.50 would be even
        (2_500_001, 1, "2.50", "00:00:03"),
        (7_322_000_000, 2, "3661", "01:01:01"),
        (2**80, 2**60, "1.05", "00:00:01"),
        (360_000_000_000, 1, "360000", "100:00:00"),
    ],
)
def test_a_mean_duration_is_rounded_once(us: int, n: int, seconds: str, clock: str) -> None:
    shown = (metrics.seconds(us, n), metrics.clock(us, n))
    expected = Decimal(seconds)
    assert shown[0] == (int(expected) if expected % 1 == 0 else expected)
    assert str(shown[1]) == clock


def test_nothing_has_no_mean() -> None:
    assert metrics.seconds(0, 0) is None
    assert metrics.clock(0, 0) is None
    assert metrics.money(0, 0) is None
    assert metrics.satisfaction(0, 0) is None


@pytest.mark.parametrize(
    ("units", "n", "shown"),
    [
        (0, 1, "0.0000"),
        (1, 2, "0.0000"),  # half to even
        (3, 2, "0.0002"),
        (-1, 2, "0.0000"),
        (-3, 2, "-0.0002"),
        (-125_000, 1, "-12.5000"),
        (10**38 - 1, 1, "9999999999999999999999999999999999.9999"),
    ],
)
def test_money_has_four_decimals_and_loses_none(units: int, n: int, shown: str) -> None:
    assert str(metrics.money(units, n)) == shown


def test_satisfaction_is_on_its_scale() -> None:
    assert metrics.satisfaction(135_000, 3) == Decimal("4.5")
    assert metrics.satisfaction(100_000, 3) == Decimal("3.33")


# -- figures of many rows at once

QUOTIENTS = {
    metrics.ratio: Fraction(100),
    metrics.share_pct: Fraction(10_000),
    metrics.seconds: Fraction(100, 10**6),
    metrics.clock: Fraction(1, 10**6),
    metrics.satisfaction: Fraction(100, 10**4),
    metrics.money: Fraction(1),
    metrics.count: Fraction(1),
}
"""Each with how many of its last place one is: hundredths of a percentage, seconds of a clock."""


def as_sums(numbers: list[int]) -> np.ndarray:
    """As columns hold them: Python's integers where 64 bits do not."""
    fits = all(-(2**63) <= number < 2**63 for number in numbers)
    return np.array(numbers, np.int64 if fits else np.object_)


@pytest.mark.parametrize("kind", QUOTIENTS, ids=lambda kind: f"{kind.times}/{kind.per}")
@given(st.lists(st.tuples(st.integers(-(2**70), 2**70), st.integers(0, 2**40)), max_size=8))
@example([(1, 2), (3, 2), (-1, 2), (5, 0), (0, 0)])
@example([(2**62, 1), (7, 2**62)])
@example([(25, 10_000), (15, 1_000), (5_000, 10**6)])
def test_quotients_of_many_rows_are_those_of_each_rounded_half_to_even(
    kind: metrics.Quotient[Decimal], sums: list[tuple[int, int]]
) -> None:
    expected = [round(QUOTIENTS[kind] * n / d) if d else None for n, d in sums]
    columns = [as_sums([pair[at] for pair in sums]) for at in (0, 1)]
    numbers, are_told = kind.of_many(*columns)
    assert [n if told else None for n, told in zip(numbers, are_told, strict=True)] == expected
    assert [kind(*pair) for pair in sums] == [
        None if number is None else kind.shown(number) for number in expected
    ]
    alone = [round(QUOTIENTS[kind] * n) for n, _ in sums]
    assert kind.of_many(columns[0])[0] == alone
