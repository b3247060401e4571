"""Which agents the report `agents` compares; the figures are tested in test_adjusting.py."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from pulse import lake
from pulse.reports.agents import beside_the_others
from pulse.reports.declarations import Label, Value
from pulse.reports.stratified import Stratified

Row = tuple[Mapping[str, Label], Mapping[Any, Sequence[int]]]
"""What a row is of, and its sums by stratum."""
AT, DE = ("chat", "AT"), ("chat", "DE")


def row(strata: Mapping[Any, tuple[int, int]], **group: Label) -> Row:
    """An agent's csat on 1-5, by stratum so many good ones of so many."""
    sums = {stratum: _counts(good, n) for stratum, (good, n) in strata.items()}
    return {"metric": "csat", "scale": "1-5", **group}, sums


def _counts(good: int, n: int) -> list[int]:
    counts = [0] * 11
    counts[5], counts[1] = good, n - good
    return counts


def told(*rows: Row) -> Sequence[Mapping[str, Value]]:
    """What is told of these rows of a question."""
    frames = [
        tuple(group.get(n) for n in ("period", "tenant", "metric", "scale")) for group, _ in rows
    ]
    lines = [
        (at, (frames[at], stratum), sums)
        for at, (_, strata) in enumerate(rows)
        for stratum, sums in strata.items()
    ]
    strata = [*dict.fromkeys(stratum for _, stratum, _ in lines)]
    return beside_the_others(
        Stratified(
            groups=[group for group, _ in rows],
            frame=np.array([[*dict.fromkeys(frames)].index(frame) for frame in frames]),
            row=np.array([at for at, _, _ in lines]),
            stratum=np.array([strata.index(stratum) for _, stratum, _ in lines]),
            sums=np.array([sums for *_, sums in lines]),
        )
    )


OURS = {AT: (2, 10), DE: (60, 90)}
OTHERS = {AT: (44, 200), DE: (680, 800)}
FIRST = {"adjusted_score": Decimal("54.75"), "differs": "below"}


def test_an_agent_is_compared_with_the_others() -> None:
    assert told(row(OURS, agent="a"), row(OTHERS, agent="b"))[0] == FIRST


def test_answers_without_an_agent_are_nobodys_and_count_for_no_other() -> None:
    found = told(row(OURS, agent="a"), row(OTHERS, agent="b"), row({AT: (500, 500)}, agent=None))
    assert (found[0], found[2]) == (FIRST, {})


def test_agents_who_are_told_together_are_others_and_not_compared() -> None:
    for crowd in (lake.OTHER, lake.REST):
        found = told(row(OURS, agent="a"), row(OTHERS, agent=crowd))
        assert found == [FIRST, {}]


def test_tenants_have_teams_of_their_own() -> None:
    one = [row(OURS, agent="a", tenant="x"), row(OTHERS, agent="b", tenant="x")]
    another = [row({AT: (7, 500)}, agent="a", tenant="y"), row({AT: (9, 9)}, agent="c", tenant="y")]
    found = told(one[0], another[0], one[1], another[1])
    assert found[0] == FIRST
    assert told(*another) == [found[1], found[3]]


def test_of_rows_by_more_than_agents_nothing_is_told() -> None:
    assert told(row({AT: (9, 9)}, agent="a", country="AT")) == [{}]
    assert told(row({AT: (9, 9)}, country="AT")) == [{}]


def test_periods_and_measures_have_comparisons_of_their_own() -> None:
    first = [row(OURS, agent="a", period="1"), row(OTHERS, agent="b", period="1")]
    second = [row(OTHERS, agent="a", period="2"), row({AT: (1, 2)}, agent="b", period="2")]
    nps = ({"metric": "nps", "scale": "0-10", "agent": "a", "period": "1"}, {AT: [9] * 11})
    found = told(first[0], second[0], nps, first[1], second[1])
    assert found[0] == FIRST
    assert [found[1], found[4]] == told(*second)
    assert found[2] == {"adjusted_score": None, "differs": None}  # nobody else has any


def test_a_question_that_nothing_was_counted_of_has_no_rows() -> None:
    assert told() == []
