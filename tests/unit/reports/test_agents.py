"""Which agents the report `agents` compares; the figures are tested in test_adjusting.py."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pulse import lake
from pulse.reports.agents import beside_the_others
from pulse.reports.declarations import GroupSums, Label, Stratified

AT, DE = ("chat", "AT"), ("chat", "DE")


def row(strata: Mapping[Any, tuple[int, int]], **group: Label) -> Stratified:
    """An agent's csat on 1-5, by stratum so many good ones of so many."""
    sums = {stratum: _counts(good, n) for stratum, (good, n) in strata.items()}
    whole = [sum(counts) for counts in zip(*sums.values(), strict=True)]
    summed = GroupSums({"metric": "csat", "scale": "1-5", **group}, whole, sum(whole))
    return Stratified(summed, sums)


def _counts(good: int, n: int) -> list[int]:
    counts = [0] * 11
    counts[5], counts[1] = good, n - good
    return counts


OURS = {AT: (2, 10), DE: (60, 90)}
OTHERS = {AT: (44, 200), DE: (680, 800)}
FIRST = {"adjusted_score": Decimal("54.75"), "differs": "below"}


def test_an_agent_is_compared_with_the_others() -> None:
    assert beside_the_others([row(OURS, agent="a"), row(OTHERS, agent="b")])[0] == FIRST


def test_answers_without_an_agent_are_nobodys_and_count_for_no_other() -> None:
    found = beside_the_others(
        [row(OURS, agent="a"), row(OTHERS, agent="b"), row({AT: (500, 500)}, agent=None)]
    )
    assert (found[0], found[2]) == (FIRST, {})


def test_agents_who_are_told_together_are_others_and_not_compared() -> None:
    for crowd in (lake.OTHER, lake.REST):
        found = beside_the_others([row(OURS, agent="a"), row(OTHERS, agent=crowd)])
        assert found == [FIRST, {}]


def test_tenants_have_teams_of_their_own() -> None:
    one = [row(OURS, agent="a", tenant="x"), row(OTHERS, agent="b", tenant="x")]
    another = [row({AT: (7, 500)}, agent="a", tenant="y"), row({AT: (9, 9)}, agent="c", tenant="y")]
    found = beside_the_others([one[0], another[0], one[1], another[1]])
    assert found[0] == FIRST
    assert beside_the_others(another) == [found[1], found[3]]


def test_of_rows_by_more_than_agents_nothing_is_told() -> None:
    assert beside_the_others([row({AT: (9, 9)}, agent="a", country="AT")]) == [{}]
    assert beside_the_others([row({AT: (9, 9)}, country="AT")]) == [{}]


def test_periods_do_not_hinder() -> None:
    rows = [
        row(each, agent=name, period="2026-11-01") for each, name in ((OURS, "a"), (OTHERS, "b"))
    ]
    assert beside_the_others(rows)[0] == FIRST
