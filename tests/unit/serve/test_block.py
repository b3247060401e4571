"""Objects in memory are filtered and grouped as plain Python would do it."""

from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days, lake
from pulse.days import DateRange
from pulse.errors import UnprocessableError
from pulse.filters import Condition
from pulse.reports import tenant_year
from pulse.reports.registry import SURVEY
from pulse.serve import block, encoding, groups, parquet
from tests.report_parts import as_block, by_key
from tests.unit.serve.events import AGENTS, Answer, answers, as_object, as_piece
from tests.unit.serve.interactions import table_object

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
YEAR = DateRange(FIRST, LAST)

conditions = st.builds(Condition, st.frozensets(st.sampled_from([*AGENTS, "zz"])), st.booleans())
dimensions = st.lists(st.sampled_from(SURVEY.dimension_names), unique=True)


def read(given_answers: list[Answer]) -> block.Block:
    return as_block(lake.SCORES, as_object(given_answers))


@settings(deadline=None)  # the first example pays for imports
@given(
    answers(FIRST, LAST),
    dimensions,
    st.sampled_from(days.GRANULARITIES),
    st.sampled_from(list(days.WEEK_STARTS)),
    st.dictionaries(st.just("agent"), conditions),
    st.tuples(st.dates(FIRST, LAST), st.dates(FIRST, LAST)).map(sorted),
)
def test_groups_are_those_of_the_single_answers(
    given_answers: list[Answer],
    by: list[str],
    granularity: str,
    week_start: str,
    filters: dict[str, Condition],
    ends: list[date],
) -> None:
    expected: dict[tuple[str | None, ...], list[int]] = defaultdict(lambda: [0] * 11)
    for answer in given_answers:
        if not ends[0] <= answer.day <= ends[1]:
            continue
        if not all(filters[name].holds(answer.dimension(name)) for name in filters):
            continue
        key = tuple(answer.dimension(name) for name in by)
        if granularity != "total":
            start = days.period_start(answer.day, granularity, week_start)
            key = (*key, start.isoformat())
        expected[key][answer.score] += 1
    names = by if granularity == "total" else [*by, "period"]
    found = read(given_answers).group(
        DateRange(ends[0], ends[1]), filters, names, granularity=granularity, week_start=week_start
    )
    assert by_key(found) == dict(expected)


def test_an_object_without_rows_has_no_groups() -> None:
    assert read([]).group(YEAR, {}, ["period", "metric", "agent"]).keys == []


def test_a_column_without_a_single_value_is_grouped_as_not_given() -> None:
    found = read([Answer(FIRST, 3), Answer(LAST, 4)]).group(YEAR, {}, ["agent"])
    assert by_key(found) == {(None,): [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]}


def sums_of(by_key: dict[tuple[str], list[int]]) -> groups.Groups:
    names = encoding.stacked([encoding.constant(name, 1) for (name,) in by_key])
    return groups.Groups([names], np.array(list(by_key.values())))


amounts = st.integers(-(10**18) + 1, 10**18 - 1)  # of ten-thousandths: a DECIMAL(18,4)
durations = st.integers(0, 2**63 - 1)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), amounts, durations), max_size=30),
    st.sampled_from([1, 10**15]),
)
def test_sums_are_exact_however_great(given_rows: list[tuple[str, int, int]], bought: int) -> None:
    rows = [
        {"day": FIRST, "agent": agent, "revenue": amount * bought, "finish_us": duration}
        for agent, amount, duration in given_rows
    ]
    found = as_block(lake.INTERACTIONS, table_object(lake.INTERACTIONS, rows))
    revenue, finish = (lake.INTERACTIONS.measures.index(n) for n in ("revenue", "finish_us"))
    expected: dict[tuple[str | None, ...], list[int]] = defaultdict(lambda: [0, 0])
    for agent, amount, duration in given_rows:
        expected[agent,][0] += amount * bought
        expected[agent,][1] += duration
    sums = by_key(found.group(YEAR, {}, ["agent"]))
    assert {key: [line[revenue], line[finish]] for key, line in sums.items()} == dict(expected)


def test_what_is_small_is_kept_in_one_part() -> None:
    rows = [{"day": FIRST, "revenue": amount, "finish_us": 10**12} for amount in (-125, 0, 99)]
    found = as_block(lake.INTERACTIONS, table_object(lake.INTERACTIONS, rows))
    revenue, finish, entered = found.counts.of(["revenue", "finish_us", "entered"], slice(None))
    assert [len(revenue), len(finish), len(entered)] == [1, 1, 0]
    assert revenue[0].amounts.dtype == np.int8


def test_sums_told_apart_are_those_of_each_value_and_stand_behind_the_others() -> None:
    rows = [
        {"day": FIRST, "agent": agent, "currency": currency, "revenue": revenue, "entered": 1}
        for agent, currency, revenue in (
            ("ada", "EUR", 2**70),
            ("ada", "USD", 5),
            ("ada", "EUR", 3),
            ("bob", None, 7),
            ("bob", "GBP", 11),
            ("cy", "USD", 13),
        )
    ]
    found = as_block(lake.INTERACTIONS, table_object(lake.INTERACTIONS, rows))
    apart = block.Apart("currency", ("EUR", "USD"), ("entered", "revenue"))
    not_cy = {"agent": Condition(frozenset({"cy"}), negated=True)}
    sums = found.group(YEAR, not_cy, ["agent"], measures=["entered"], apart=apart)
    assert by_key(sums) == {("ada",): [3, 2, 2**70 + 3, 1, 5], ("bob",): [2, 0, 0, 0, 0]}


def test_more_groups_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 9)
    ten = read([Answer(FIRST, 5, agent=f"a{number}") for number in range(10)])
    with pytest.raises(UnprocessableError) as error:
        ten.group(YEAR, {}, ["agent"])
    assert error.value.code == "too_many_groups"
    nine = {"agent": Condition(frozenset({"a0"}), negated=True)}
    parts = [ten.group(YEAR, nine, ["agent"]), sums_of({("another",): [0] * 11})]
    with pytest.raises(UnprocessableError):
        groups.merged(parts)


def test_groups_of_several_years_are_added_and_the_parts_left_as_they_were() -> None:
    first = sums_of({("a",): [1, 2], ("b",): [3, 4]})
    second = sums_of({("a",): [10, 20], ("c",): [5, 6]})
    assert by_key(groups.merged([first, second, first])) == {
        ("a",): [12, 24],
        ("b",): [6, 8],
        ("c",): [5, 6],
    }
    assert by_key(first) == {("a",): [1, 2], ("b",): [3, 4]}


def test_many_columns_of_many_values_are_told_apart() -> None:
    """The product of the numbers of values is far beyond what an integer holds."""
    many = [
        Answer(
            FIRST + timedelta(days=number % 300),
            number % 5 + 1,
            survey=f"s{number}",
            channel=f"c{number}",
            agent=f"a{number}",
            country=f"d{number}",
            browser=f"b{number}",
            os=f"o{number}",
            device=f"e{number}",
        )
        for number in range(1000)
    ]
    found = by_key(read(many).group(YEAR, {}, ("period", *SURVEY.dimension_names)))
    assert len(found) == 1000
    assert {sum(sums) for sums in found.values()} == {1}


def test_many_row_groups_read_by_two_threads_make_the_same_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metrics = (("csat", "1-5"), ("ces", "1-7"), ("nps", "0-10"))
    many = [
        Answer(
            FIRST + timedelta(days=number % 300),
            number % 5 + 1,
            *metrics[number % 3],
            agent=None if number % 7 == 0 else f"a{number % 4}",
            country=None if number % 3 else "DE",
        )
        for number in range(500)
    ]
    plain = as_block(lake.SCORES, as_piece(many))
    monkeypatch.setattr(tenant_year, "ROW_GROUP", 8)
    monkeypatch.setattr(parquet, "_FEW_ROWS", 0)
    cut = read(many)
    one, ten = cut.counts.of(["c1", "c10"], slice(None))
    assert len(one) > 30
    assert ten == []
    names = ("metric", "scale", "agent", "country", "period", "survey", "os")
    for by in (names, names[:2], names[2:3], ()):
        for agent in ({}, {"agent": Condition(frozenset({"a1", None}))}):
            assert by_key(cut.group(YEAR, agent, by)) == by_key(plain.group(YEAR, agent, by))


def test_memory_is_a_fraction_of_the_plain_columns() -> None:
    many = [
        Answer(FIRST + timedelta(days=n % 365), n % 5 + 1, agent=f"a{n % 90}") for n in range(9000)
    ]
    kept = read(many)
    kept.group(YEAR, {}, ["agent"])
    assert kept.nbytes < len(kept.day) * 30


def test_a_dimension_is_read_when_a_question_names_it() -> None:
    kept = read([Answer(FIRST, 5, agent="ada"), Answer(LAST, 4)])
    kept.group(YEAR, {}, ())
    sizes = [kept.nbytes]
    for names in ((), ("agent",), ("agent",), ("agent", "country")):
        kept.group(YEAR, {}, names)
        sizes.append(kept.nbytes)
    assert sizes[0] == sizes[1] < sizes[2] == sizes[3] < sizes[4]
    with pytest.raises(KeyError):
        kept.columns["nobody"]


def test_counts_are_read_of_the_row_groups_that_filters_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tenant_year, "ROW_GROUP", 10)
    many = [Answer(FIRST + timedelta(days=n), 5, agent=f"a{n // 10}") for n in range(100)]
    kept = read(many)
    sizes, sums = [], []
    for agents in (("zz",), ("a3",), ("a3",), ("a3", "a7")):
        found = kept.group(None, {"agent": Condition(frozenset(agents))}, ())
        sums.append(found.sums.sum())
        sizes.append(kept.counts.nbytes)
    assert sums == [0, 10, 10, 20]
    assert sizes[0] == 0
    assert sizes[1:] == [sizes[1], sizes[1], 2 * sizes[1]]
    assert kept.group(None, {}, ()).sums.sum() == 100
    assert kept.counts.nbytes == 10 * sizes[1]


@settings(deadline=None)
@given(
    answers(FIRST, LAST),
    st.none() | st.sets(st.dates(FIRST, LAST), max_size=40),
    st.dictionaries(st.just("agent"), conditions),
)
def test_some_rows_as_a_block_answer_what_the_whole_answers_about_them(
    given_answers: list[Answer], dates: set[date] | None, filters: dict[str, Condition]
) -> None:
    whole = read(given_answers)
    few = whole.only(dates, filters)
    kept = [
        one
        for one in given_answers
        if (dates is None or one.day in dates)
        and all(condition.holds(one.dimension(name)) for name, condition in filters.items())
    ]
    assert sum(sum(sums) for sums in few.group(None, {}, []).sums.tolist()) == len(kept)
    for names in (["metric", "scale"], ["metric", "agent", "period"], ["country"]):
        expected = by_key(whole.group(dates, filters, names))
        assert by_key(few.group(None, {}, names)) == expected
        # what has been left out may be left out again
        assert by_key(few.group(dates, filters, names)) == expected
