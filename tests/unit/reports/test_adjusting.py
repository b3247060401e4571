"""Agents' adjusted scores: docs/metrics.md's examples, and plain loops over single answers."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.reports.adjusting import Tally, adjust, survivors
from pulse.reports.metrics import Segments

Answers = Mapping[str, Mapping[str, list[int]]]
"""By agent and stratum, each answer's part of the headline."""


def good(good: int, n: int) -> Tally:
    return Tally.of(Segments(good, 0, n - good), "csat")


OTHERS = {"AT": good(44, 200), "DE": good(680, 800)}


# -- what is known


def test_who_serves_the_unhappy_country_is_not_marked() -> None:
    found = adjust({"ours": {"AT": good(20, 80), "DE": good(18, 20)}, "others": OTHERS})["ours"]
    assert (found.score, found.differs) == (Decimal("72.67"), None)
    assert round(found.z or 0, 2) == Decimal("0.73")


def test_who_scores_lower_than_the_others_do_anywhere_is_marked() -> None:
    found = adjust({"ours": {"AT": good(2, 10), "DE": good(60, 90)}, "others": OTHERS})["ours"]
    assert (found.score, found.differs) == (Decimal("54.75"), "below")
    assert round(found.z or 0, 2) == Decimal("-4.38")


def test_an_answer_to_an_nps_question_is_a_hundred_none_or_minus_a_hundred() -> None:
    assert Tally.of(Segments(5, 3, 2), "nps") == Tally(10, 3, 7)
    assert Tally.of(Segments(5, 3, 2), "ces") == Tally(10, 5, 5)


def test_where_the_others_have_no_answers_they_are_taken_as_a_whole() -> None:
    # 50 of 100 where nobody else is, beside 900 of 1000: as if these were of the same stratum
    apart = adjust({"ours": {"FR": good(50, 100)}, "others": {"DE": good(900, 1000)}})["ours"]
    alike = adjust({"ours": {"DE": good(50, 100)}, "others": {"DE": good(900, 1000)}})["ours"]
    assert apart == alike
    assert apart.differs == "below"


def test_an_agent_alone_has_nobody_to_be_compared_with() -> None:
    found = adjust({"ours": {"AT": good(2, 10)}, "idle": {}})
    assert [(each.score, each.z, each.differs) for each in found.values()] == [(None,) * 3] * 2


def test_others_who_all_answer_alike_tell_of_no_chance() -> None:
    found = adjust({"ours": {"AT": good(5, 10)}, "others": {"AT": good(12, 12)}})["ours"]
    assert (found.score, found.z, found.differs) == (Decimal("27.27"), None, None)


def test_fewer_than_ten_answers_mark_nobody() -> None:
    beside = {"others": {"AT": good(990, 1000)}}
    assert adjust({"ours": {"AT": good(0, 9)}, **beside})["ours"].differs is None
    assert adjust({"ours": {"AT": good(0, 10)}, **beside})["ours"].differs == "below"


@pytest.mark.parametrize(
    ("chances", "significant"),
    [
        ([0.04], [0]),
        ([0.06], []),
        ([0.04, 0.9], []),  # 0.04 > 0.05 / 2
        ([0.04, 0.05], [0, 1]),  # the largest that is small enough takes the smaller with it
        ([0.9, 0.02, 0.01, 0.04], [1, 2]),
        ([], []),
    ],
)
def test_of_many_only_what_survives_benjamini_and_hochberg(
    chances: list[float], significant: list[int]
) -> None:
    assert survivors(dict(enumerate(chances))) == set(significant)


# -- against single answers, added up in plain loops


@st.composite
def teams(draw: st.DrawFn) -> Answers:
    parts = st.sampled_from(draw(st.sampled_from([(0, 1), (-1, 0, 1)])))
    answers = st.lists(parts, min_size=1, max_size=40)
    dealt = st.dictionaries(st.sampled_from(["AT", "DE", "FR"]), answers, max_size=3)
    return draw(st.dictionaries(st.sampled_from("abcde"), dealt, max_size=5))


def tallies(team: Answers) -> dict[str, dict[str, Tally]]:
    return {
        agent: {
            stratum: Tally(len(parts), sum(parts), sum(part * part for part in parts))
            for stratum, parts in dealt.items()
        }
        for agent, dealt in team.items()
    }


def compared(team: Answers, agent: str) -> tuple[Fraction, Fraction, Fraction] | None:
    """An agent's adjusted score, what it is off by and the variance of that, exactly."""
    own = [part for parts in team[agent].values() for part in parts]
    others = {
        stratum: [part for other in team if other != agent for part in team[other].get(stratum, [])]
        for stratum in ("AT", "DE", "FR")
    }
    all_others = [part for parts in others.values() for part in parts]
    if not own or not all_others:
        return None
    off, variance = Fraction(sum(own)), Fraction(0)
    for stratum, parts in team[agent].items():
        beside = others[stratum] or all_others
        mean = Fraction(sum(beside), len(beside))
        scatter = sum(((part - mean) ** 2 for part in beside), Fraction(0)) / len(beside)
        off -= len(parts) * mean
        variance += len(parts) * scatter + len(parts) ** 2 * scatter / len(beside)
    score = 100 * (Fraction(sum(own) + sum(all_others), len(own) + len(all_others)))
    return score + 100 * off / len(own), off, variance


def hundredths(value: Fraction) -> Decimal:
    return Decimal(round(100 * value)).scaleb(-2)


@given(teams())
def test_scores_and_z_are_those_of_the_single_answers(team: Answers) -> None:
    found = adjust(tallies(team))
    assert found.keys() == team.keys()
    for agent, adjusted in found.items():
        expected = compared(team, agent)
        if expected is None:
            assert (adjusted.score, adjusted.z) == (None, None)
            continue
        score, off, variance = expected
        assert str(adjusted.score) == str(hundredths(score).quantize(Decimal("0.01")))
        if variance == 0:
            assert adjusted.z is None
        else:
            assert adjusted.z is not None
            assert float(adjusted.z) == pytest.approx(off / Fraction(float(variance) ** 0.5))


@given(teams())
def test_marks_are_those_of_the_step_up_procedure(team: Answers) -> None:
    found = adjust(tallies(team))
    z = {
        agent: float(adjusted.z)
        for agent, adjusted in found.items()
        if adjusted.z is not None and sum(map(len, team[agent].values())) >= 10
    }
    # from the least sure on: the first that is far enough out is marked, and all farther out
    marked: set[str] = set()
    for agent in sorted(z, key=lambda each: abs(z[each])):
        rank = sum(abs(other) >= abs(z[agent]) for other in z.values())
        needed = NormalDist().inv_cdf(1 - 0.05 * rank / len(z) / 2)
        if marked or abs(z[agent]) >= needed:
            marked.add(agent)
    assert {agent for agent, adjusted in found.items() if adjusted.differs} == marked
    assert all((found[agent].differs == "below") == (z[agent] < 0) for agent in marked)


@given(teams(), st.integers(2, 5))
def test_splitting_a_stratum_evenly_changes_no_score(team: Answers, times: int) -> None:
    split = {
        agent: {
            (stratum, i): Tally(len(parts), sum(parts), sum(part * part for part in parts))
            for stratum, parts in dealt.items()
            for i in range(times)
        }
        for agent, dealt in team.items()
    }
    whole, finer = adjust(tallies(team)), adjust(split)
    assert {agent: each.score for agent, each in whole.items()} == {
        agent: each.score for agent, each in finer.items()
    }
