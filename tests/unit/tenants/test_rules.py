"""Scoring rules: docs/metrics.md's table, and labels that name what is not the default."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulse.streams.responses import METRICS
from pulse.tenants.rules import DEFAULTS, Rule


def segments(rule: Rule) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {"good": [], "neutral": [], "bad": []}
    for score in rule.scores:
        found[rule.segment(score)].append(score)
    return found


@pytest.mark.parametrize(
    ("metric", "scale", "good", "neutral", "bad"),
    [
        ("csat", (1, 2), [2], [], [1]),
        ("csat", (1, 3), [3], [2], [1]),
        ("csat", (1, 4), [3, 4], [], [1, 2]),
        ("csat", (1, 5), [4, 5], [3], [1, 2]),
        ("csat", (1, 7), [6, 7], [4, 5], [1, 2, 3]),
        ("csat", (1, 10), [8, 9, 10], [5, 6, 7], [1, 2, 3, 4]),
        ("csat", (0, 10), [8, 9, 10], [5, 6, 7], [0, 1, 2, 3, 4]),
        ("nps", (0, 10), [9, 10], [7, 8], [0, 1, 2, 3, 4, 5, 6]),
        ("ces", (1, 7), [5, 6, 7], [4], [1, 2, 3]),
        ("ces", (1, 5), [4, 5], [3], [1, 2]),
    ],
)
def test_the_defaults_are_those_of_metrics_md(
    metric: str, scale: tuple[int, int], good: list[int], neutral: list[int], bad: list[int]
) -> None:
    rule = Rule.make(metric, *scale)
    assert segments(rule) == {"good": good, "neutral": neutral, "bad": bad}
    assert rule.label == f"{scale[0]}-{scale[1]}"


@given(st.sampled_from(DEFAULTS))
def test_a_rule_parts_the_scores_as_it_judges_each(rule: Rule) -> None:
    parted = [[*range(11)][part] for part in rule.parted]
    assert sorted(score for scores in parted for score in scores) == [*range(11)]
    for segment, scores in zip(("good", "neutral", "bad"), parted, strict=True):
        assert [score for score in scores if score in rule.scores] == segments(rule)[segment]


def test_where_lower_is_better_good_and_bad_swap_ends() -> None:
    rule = Rule.make("ces", 1, 7, lower_is_better=True)
    assert segments(rule) == {"good": [1, 2, 3], "neutral": [4], "bad": [5, 6, 7]}
    assert rule.label == "1-7:low"


def test_a_cut_off_of_ones_own_is_part_of_the_label() -> None:
    assert Rule.make("csat", 1, 5, good=5).label == "1-5:good5"
    assert Rule.make("csat", 1, 5, good=4).label == "1-5"
    assert Rule.make("csat", 1, 5, bad=1).label == "1-5:bad1"
    assert Rule.make("csat", 2, 6, good=5, bad=3).label == "2-6:good5:bad3"


@pytest.mark.parametrize(
    ("metric", "low", "high", "cuts", "reason"),
    [
        ("stars", 1, 5, {}, "metric must be"),
        ("csat", 1, 11, {}, "within 0-10"),
        ("csat", 5, 5, {}, "within 0-10"),
        ("csat", 5, 1, {}, "within 0-10"),
        ("csat", 2, 6, {}, "name both"),
        ("csat", 2, 6, {"good": 5}, "name both"),
        ("ces", 1, 10, {}, "name both"),
        ("nps", 1, 10, {}, "0-10 alone"),
        ("nps", 0, 10, {"good": 8}, "0-10 alone"),
        ("nps", 0, 10, {"bad": 0}, "0-10 alone"),
        ("nps", 0, 10, {"lower_is_better": True}, "0-10 alone"),
        ("csat", 1, 5, {"good": 2}, "do not part"),
        ("csat", 1, 5, {"good": 6}, "do not part"),
        ("csat", 1, 5, {"bad": 0}, "do not part"),
    ],
)
def test_a_rule_that_makes_no_sense_is_an_error(
    metric: str, low: int, high: int, cuts: dict[str, int], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Rule.make(metric, low, high, **cuts)  # type: ignore[arg-type]


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule that can be made, with and without cut-offs of its own."""
    metric = draw(st.sampled_from(METRICS))
    if metric == "nps":
        return Rule.make(metric, 0, 10)
    low, bad, good, high = sorted(draw(st.lists(st.integers(0, 10), min_size=4, max_size=4)))
    assume(low < high and bad < good)
    lower = draw(st.booleans())
    good, bad = (bad, good) if lower else (good, bad)
    return Rule.make(metric, low, high, good=good, bad=bad, lower_is_better=lower)


@given(rules())
def test_every_rule_survives_its_label(rule: Rule) -> None:
    assert Rule.parse(rule.metric, rule.label) == rule


@given(rules())
def test_every_score_lies_in_one_segment_and_the_ends_are_good_and_bad(rule: Rule) -> None:
    first, last = ("good", "bad") if rule.lower_is_better else ("bad", "good")
    assert rule.segment(rule.low) == first
    assert rule.segment(rule.high) == last


@pytest.mark.parametrize(
    "label", ["", "5", "1-5:", "1-5:good", "1-5:better", " 1-5", "1-5:bad1:low"]
)
def test_a_label_that_nobody_wrote_is_an_error(label: str) -> None:
    with pytest.raises(ValueError):
        Rule.parse("csat", label)
