"""Agents' adjusted scores: docs/metrics.md's examples, and plain loops over single answers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.reports.adjusting import Tally, adjust, survivors, tallies
from pulse.reports.metrics import Segments
from pulse.tenants.rules import Rule
from tests.dealing import adjusted, dealt

Answers = Mapping[str, Mapping[str, list[int]]]
"""By agent and stratum, each answer's part of the headline."""


def good(good: int, n: int) -> Tally:
    return Tally.of(Segments(good, 0, n - good), "csat")


OTHERS = {"AT": good(44, 200), "DE": good(680, 800)}


# -- what is known


def test_who_serves_the_unhappy_country_is_not_marked() -> None:
    found = adjusted({"ours": {"AT": good(20, 80), "DE": good(18, 20)}, "others": OTHERS})["ours"]
    assert (found.score, found.differs) == (Decimal("72.67"), None)
    assert found.z == pytest.approx(0.73, abs=0.005)


def test_who_scores_lower_than_the_others_do_anywhere_is_marked() -> None:
    found = adjusted({"ours": {"AT": good(2, 10), "DE": good(60, 90)}, "others": OTHERS})["ours"]
    assert (found.score, found.differs) == (Decimal("54.75"), "below")
    assert found.z == pytest.approx(-4.38, abs=0.005)


def test_an_answer_to_an_nps_question_is_a_hundred_none_or_minus_a_hundred() -> None:
    assert Tally.of(Segments(5, 3, 2), "nps") == Tally(10, 3, 7)
    assert Tally.of(Segments(5, 3, 2), "ces") == Tally(10, 5, 5)


def test_where_the_others_have_no_answers_they_are_taken_as_a_whole() -> None:
    # 50 of 100 where nobody else is, beside 900 of 1000: as if these were of the same stratum
    apart = adjusted({"ours": {"FR": good(50, 100)}, "others": {"DE": good(900, 1000)}})["ours"]
    alike = adjusted({"ours": {"DE": good(50, 100)}, "others": {"DE": good(900, 1000)}})["ours"]
    assert apart == alike
    assert apart.differs == "below"


def test_an_agent_alone_has_nobody_to_be_compared_with() -> None:
    found = adjusted({"ours": {"AT": good(2, 10)}, "idle": {}})
    assert [(each.score, each.z, each.differs) for each in found.values()] == [(None,) * 3] * 2


def test_others_who_all_answer_alike_tell_of_no_chance() -> None:
    found = adjusted({"ours": {"AT": good(5, 10)}, "others": {"AT": good(12, 12)}})["ours"]
    assert (found.score, found.z, found.differs) == (Decimal("27.27"), None, None)


def test_fewer_than_ten_answers_mark_nobody() -> None:
    beside = {"others": {"AT": good(990, 1000)}}
    assert adjusted({"ours": {"AT": good(0, 9)}, **beside})["ours"].differs is None
    assert adjusted({"ours": {"AT": good(0, 10)}, **beside})["ours"].differs == "below"


@pytest.mark.parametrize(("more", "score"), [(1, "0.62"), (3, "0.88")])
def test_a_score_between_two_hundredths_is_rounded_to_the_even_one(more: int, score: str) -> None:
    # the others make 1/3 + 2/3 of the same two answers, of which one is good: off by nothing
    team = {"ours": {"AT": good(1, 1), "DE": good(0, 1)}}
    others = {"AT": good(1, 3), "DE": good(2, 3), "FR": good(more, 792)}
    found = adjusted(team, [others])["ours"]  # 5 or 7 of 800 are good in all
    assert str(found.score) == score
    assert found.off == pytest.approx(0, abs=1e-30)


def test_teams_are_compared_within_themselves() -> None:
    ours = [{"AT": good(2, 10), "DE": good(60, 90)}, OTHERS]
    theirs = [{"AT": good(7, 500)}, {"AT": good(9, 9), "FR": good(3, 4)}, {}]
    together = adjust(dealt([ours, theirs]), range(5))
    alone = [*adjust(dealt([ours]), range(2)).values(), *adjust(dealt([theirs]), range(3)).values()]
    assert [*together.values()] == alone
    assert together[0].differs == "below"


def test_who_is_not_named_counts_and_is_not_told() -> None:
    team = dealt([[{"AT": good(2, 10), "DE": good(60, 90)}, OTHERS]])
    assert adjust(team, [0]) == {0: adjust(team, [0, 1])[0]}


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


def told(team: Answers) -> dict[str, dict[str, Tally]]:
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
    found = adjusted(told(team))
    assert found.keys() == team.keys()
    for agent, its in found.items():
        expected = compared(team, agent)
        if expected is None:
            assert (its.score, its.z) == (None, None)
            continue
        score, off, variance = expected
        assert str(its.score) == str(hundredths(score).quantize(Decimal("0.01")))
        if variance == 0:
            assert its.z is None
        else:
            assert its.z is not None
            assert its.z == pytest.approx(float(off) / float(variance) ** 0.5, rel=1e-12)


@given(teams())
def test_marks_are_those_of_the_step_up_procedure(team: Answers) -> None:
    found = adjusted(told(team))
    z = {
        agent: its.z
        for agent, its in found.items()
        if its.z is not None and sum(map(len, team[agent].values())) >= 10
    }
    # from the least sure on: the first that is far enough out is marked, and all farther out
    marked: set[str] = set()
    for agent in sorted(z, key=lambda each: abs(z[each])):
        rank = sum(abs(other) >= abs(z[agent]) for other in z.values())
        needed = NormalDist().inv_cdf(1 - 0.05 * rank / len(z) / 2)
        if marked or abs(z[agent]) >= needed:
            marked.add(agent)
    assert {agent for agent, its in found.items() if its.differs} == marked
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
    whole, finer = adjusted(told(team)), adjusted(split)
    assert {agent: each.score for agent, each in whole.items()} == {
        agent: each.score for agent, each in finer.items()
    }


# -- in columns


@given(st.sampled_from(["csat 1-5", "csat 0-10", "nps 0-10", "ces 1-7:low"]), st.data())
def test_a_line_of_counts_is_what_its_scores_come_to(measure: str, data: st.DataObject) -> None:
    rule = Rule.parse(*measure.split())
    counts_of = {score: st.integers(0, 2**40) for score in rule.scores}
    line = st.tuples(*(counts_of.get(score, st.just(0)) for score in range(11)))
    lines = data.draw(st.lists(line, max_size=5))
    points = {"good": 1, "neutral": 0, "bad": -1 if rule.metric == "nps" else 0}
    expected = [
        (
            sum(counts[score] for score in rule.scores),
            sum(counts[score] * points[rule.segment(score)] for score in rule.scores),
            sum(counts[score] * points[rule.segment(score)] ** 2 for score in rule.scores),
        )
        for counts in lines
    ]
    found = tallies(np.array(lines, np.int64).reshape(-1, 11), rule)
    assert [tuple(one) for one in found.T.tolist()] == expected


def by_definition(
    team: Sequence[Mapping[str, Tally]], at: int
) -> tuple[Fraction, Fraction, float | None]:
    """An agent's adjusted score, what it is off by in points, and z; others have answers, too."""
    own = sum(team[at].values(), Tally())
    whole = sum((tally for strata in team for tally in strata.values()), Tally())
    expected, variance = Fraction(0), Fraction(0)
    for stratum, its in team[at].items():
        beside = sum((strata.get(stratum, Tally()) for strata in team), Tally()) - its
        n, total, squares = beside if beside.n else whole - own
        mean = Fraction(total, n)
        v = Fraction(squares, n) - mean**2
        expected += its.n * mean
        variance += its.n * v + its.n**2 * v / n
    off = (own.total - expected) / own.n
    score = 100 * (Fraction(whole.total, whole.n) + off)
    z = float(off) * own.n / float(variance) ** 0.5 if variance else None
    return score, 100 * off, z


@st.composite
def large_teams(draw: st.DrawFn) -> list[dict[str, Tally]]:
    most = draw(st.sampled_from([10, 10**4, 2**29, 2**31, 2**40, 2**62]))

    def tally() -> Tally:
        n = draw(st.integers(1, most))
        good = draw(st.integers(0, n))
        bad = draw(st.integers(0, n - good)) if is_nps else 0
        return Tally.of(Segments(good, n - good - bad, bad), "nps" if is_nps else "csat")

    is_nps = draw(st.booleans())
    names = st.sets(st.sampled_from("xyz"), min_size=1)
    return [
        {stratum: tally() for stratum in sorted(draw(names))}
        for _ in range(draw(st.integers(2, 4)))
    ]


@given(large_teams())
def test_however_many_answers_there_are_scores_are_exact(team: list[dict[str, Tally]]) -> None:
    found = adjust(dealt([team]), range(len(team)))
    for at, its in found.items():
        score, off, z = by_definition(team, at)
        assert its.score == hundredths(score)
        assert its.off == pytest.approx(float(off), rel=1e-15, abs=1e-30)
        assert its.z == (None if z is None else pytest.approx(z, rel=1e-12))
