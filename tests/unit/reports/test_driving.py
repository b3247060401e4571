"""How much of a score's spread a dimension explains, against the definition, answer by answer."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, sqrt

import numpy as np
import pytest

from pulse.reports.declarations import Label
from pulse.reports.driving import Driver, Grouped, chi_squared_tail, driver, significant_drivers
from pulse.tenants.rules import Rule
from tests.dealing import grouped

CSAT = Rule.parse("csat", "1-5")
NPS = Rule.parse("nps", "0-10")
Stratum = tuple[str, ...]
Answers = Sequence[tuple[str | None, Stratum, int]]
"""Each with its group, its stratum and its score."""


def counted(answers: Answers) -> Grouped:
    found: dict[Label, dict[Stratum, list[int]]] = {}
    for group, stratum, score in answers:
        found.setdefault(group, {}).setdefault(stratum, [0] * 11)[score] += 1
    return grouped(found)


def good(n: int, of: int, group: str, stratum: str = "") -> list[tuple[str, Stratum, int]]:
    told: Stratum = (stratum,)
    return [(group, told, 5)] * n + [(group, told, 1)] * (of - n)


def asked(answers: Answers, rule: Rule = CSAT, *, stratified: bool = True) -> Driver:
    found = driver("d", counted(answers), rule, stratified=stratified, most=20)
    assert found is not None
    return found


def part(score: int, rule: Rule) -> int:
    segment = rule.segment(score)
    if rule.metric == "nps":
        return {"good": 100, "neutral": 0, "bad": -100}[segment]
    return 100 if segment == "good" else 0


def mean(ys: Sequence[float]) -> float:
    return sum(ys) / len(ys)


# -- an oracle: METRICS' sums over single answers


def oracle(answers: Answers, rule: Rule) -> dict[str, object]:
    sizes: dict[str | None, int] = {}
    for group, _, _ in answers:
        sizes[group] = sizes.get(group, 0) + 1
    told = [
        ("(other)" if sizes[group] < 10 else group, stratum, float(part(score, rule)))
        for group, stratum, score in answers
    ]
    n, m = len(told), mean([y for _, _, y in told])
    by_group: dict[str | None, list[float]] = {}
    for group, _, y in told:
        by_group.setdefault(group, []).append(y)
    sst = sum((y - m) ** 2 for _, _, y in told)
    ssb = sum(len(ys) * (mean(ys) - m) ** 2 for ys in by_group.values())
    groups = len(by_group)
    msw = (sst - ssb) / (n - groups)
    parts = {}
    for group, ys in by_group.items():
        rest = [y for other, _, y in told if other != group]
        expected = 0.0
        for stratum in {s for g, s, _ in told if g == group}:
            others = [y for g, s, y in told if g != group and s == stratum] or rest
            expected += sum(g == group and s == stratum for g, s, _ in told) * mean(others)
        parts[group] = (
            len(ys),
            mean(ys) - mean(rest),
            len(ys) / n * (mean(ys) - mean(rest)),
            mean(ys) - expected / len(ys),
        )
    return {
        "explains": 100 * max(0.0, (ssb - (groups - 1) * msw) / (sst + msw)),
        "statistic": n * ssb / sst,
        "parts": parts,
    }


@pytest.mark.parametrize("rule", [CSAT, NPS], ids=["csat", "nps"])
def test_it_is_what_single_answers_say(rule: Rule) -> None:
    dice = random.Random(20261130)
    for _ in range(25):
        names = ["a", "b", None, "d", "tiny", "small"]
        weights = [dice.random() * 50 for _ in range(4)] + [0.6, 0.9]
        answers = [
            (
                dice.choices(names, weights)[0],
                (dice.choice(["x", "y"]), dice.choice(["1", "2"])),
                dice.choice(list(rule.scores)),
            )
            for _ in range(dice.choice([60, 400]))
        ]
        found, expected = asked(answers, rule), oracle(answers, rule)
        assert found.explains_pct == pytest.approx(expected["explains"], abs=1e-9)
        assert found.statistic == pytest.approx(expected["statistic"])
        parts = expected["parts"]
        assert isinstance(parts, Mapping)
        assert {one.value for one in found.parts} == set(parts)
        for one in found.parts:
            n, difference, points, adjusted = parts[one.value]
            assert one.n == n
            assert one.difference == pytest.approx(difference)
            assert one.points == pytest.approx(points)
            assert one.adjusted == pytest.approx(adjusted)
            assert one.low <= one.difference + 0.01 and one.difference - 0.01 <= one.high
        weights_told = [abs(one.points) for one in found.parts]
        assert weights_told == sorted(weights_told, reverse=True)


def test_the_example_of_the_metrics_page() -> None:
    answers = [*good(300, 400, "in_time"), *good(120, 300, "late"), *good(10, 50, "never")]
    found = asked(answers)
    assert round(found.explains_pct, 2) == 15.27
    assert round(found.statistic, 2) == 116.37
    assert f"{found.p:.1e}" == "5.4e-26"


def test_the_tail_of_chi_squared() -> None:
    # quantiles of any table: 5 % and 0.1 %
    for degrees, five, tenth in ((1, 3.841, 10.828), (2, 5.991, 13.816), (5, 11.070, 20.515)):
        assert chi_squared_tail(five, degrees) == pytest.approx(0.05, abs=2e-5)
        assert chi_squared_tail(tenth, degrees) == pytest.approx(0.001, abs=1e-6)
    assert chi_squared_tail(124.342, 100) == pytest.approx(0.05, abs=2e-5)
    assert chi_squared_tail(7.0, 2) == pytest.approx(exp(-3.5))
    assert chi_squared_tail(0, 3) == 1
    assert 0 < chi_squared_tail(2_100, 1_999) < 0.1


def test_what_does_not_vary_or_has_one_group_tells_nothing() -> None:
    assert (
        driver("d", counted(good(30, 30, "a") + good(20, 20, "b")), CSAT, stratified=True, most=20)
        is None
    )
    assert driver("d", counted(good(10, 30, "a")), CSAT, stratified=True, most=20) is None
    assert driver("d", counted([]), CSAT, stratified=True, most=20) is None
    lonely = good(1, 2, "a") + good(3, 4, "b") + good(10, 20, "c")  # the small ones are one
    assert {one.value for one in asked(lonely).parts} == {"c", "(other)"}


def test_groups_tell_the_same_in_whatever_order_report_objects_have_them() -> None:
    dice = random.Random(5)
    for _ in range(50):
        sizes = {group: dice.randint(10, 60) for group in "abcdefg"}
        told = [one for g, n in sizes.items() for one in good(dice.randint(0, n), n, g)]
        alike = [*good(3, 12, "y"), *good(3, 12, "x"), *told]
        shuffled = dice.sample(alike, len(alike))
        assert asked(alike) == asked(alike[::-1]) == asked(shuffled)


def test_as_many_groups_are_told_as_are_asked_for_and_all_of_them_count() -> None:
    answers = [one for at, n in enumerate([30, 5, 20]) for one in good(n, 40, "abc"[at])]
    told = driver("d", counted(answers), CSAT, stratified=True, most=2)
    every = asked(answers)
    assert told is not None
    assert (told.groups, [one.value for one in told.parts]) == (3, ["b", "a"])
    assert [*told.parts] == [*every.parts[:2]]
    assert told.explains_pct == every.explains_pct


def test_lines_of_one_group_and_stratum_count_together() -> None:
    first, second = good(3, 20, "a", "x") + good(9, 20, "b", "x"), good(4, 20, "b", "x")
    apart = counted([*first, *good(4, 20, "another", "x")])
    alike = replace(apart, values=["a", "b"], group=np.array([0, 1, 1]))
    assert driver("d", alike, CSAT, stratified=True, most=20) == asked([*first, *second])


def drawn(dice: random.Random, dimensions: int, effect: float) -> list[Driver]:
    """Dimensions with which nothing goes, but for the first, which has the effect in points."""
    n = 400
    values = [[dice.choice("abcd") for _ in range(dimensions)] for _ in range(n)]
    scores = [
        5 if dice.random() < 0.75 - (effect / 100 if row[0] == "a" else 0) else 1 for row in values
    ]
    found = [
        driver(
            str(at),
            counted([(row[at], (), score) for row, score in zip(values, scores, strict=True)]),
            CSAT,
            stratified=False,
            most=20,
        )
        for at in range(dimensions)
    ]
    return [one for one in found if one]


@pytest.mark.parametrize("dimensions", [7, 17])  # of surveys, and of what customers went through
def test_where_nothing_goes_with_it_at_most_five_in_a_hundred_say_so(dimensions: int) -> None:
    dice = random.Random(7)
    rounds = 300
    alarms = sum(bool(significant_drivers(drawn(dice, dimensions, 0))) for _ in range(rounds))
    assert alarms / rounds <= 0.05 + 2 * sqrt(0.05 * 0.95 / rounds)
    mean_explained = mean([one.explains_pct for one in drawn(dice, 7, 0)])
    assert mean_explained < 1  # the bias of many groups is taken out


def test_a_planted_effect_is_found_and_is_the_strongest() -> None:
    dice = random.Random(8)
    found = 0
    for _ in range(50):
        drivers = drawn(dice, 7, 30)
        strongest = max(drivers, key=lambda one: one.explains_pct)
        found += significant_drivers(drivers) >= {"0"} and strongest.dimension == "0"
    assert found >= 48


def test_a_mix_that_reverses_the_raw_difference_is_shown_as_such() -> None:
    """Simpson's paradox: b is better on either medium, but has most of the unhappy one."""
    answers = [
        *good(81, 90, "a", "voice"),
        *good(2, 10, "a", "email"),
        *good(10, 10, "b", "voice"),
        *good(36, 90, "b", "email"),
    ]
    parts = {one.value: one for one in asked(answers).parts}
    assert parts["b"].difference < -30 < 0 < 15 < (parts["b"].adjusted or 0)
    assert parts["a"].difference > 30 > 0 > -10 > (parts["a"].adjusted or 0)
    plain = {one.value: one for one in asked(answers, stratified=False).parts}
    assert plain["b"].adjusted is None
