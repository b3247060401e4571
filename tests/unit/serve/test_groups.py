"""Tables of groups give what plain dictionaries of lists would, for every operation."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.errors import UnprocessableError
from pulse.reports.declarations import Label
from pulse.reports.registry import REPORTS
from pulse.serve import groups
from pulse.serve.encoding import Encoded, constant, number, ranks, stacked, summed
from pulse.serve.groups import Groups
from tests.report_parts import by_key

Sums = dict[tuple[Label, ...], list[int]]

WIDTH = 2
labels = st.sampled_from(["a", "b", "(rest)", "", None])
amounts = st.one_of(st.integers(-5, 5), st.integers(-(2**62), 2**62), st.just(10**20))
tables = st.dictionaries(
    st.tuples(labels, labels, labels),
    st.lists(amounts, min_size=WIDTH, max_size=WIDTH),
    max_size=12,
)


def table(found: Sums) -> Groups:
    columns = Groups.of(list(found), 3).columns
    lines = list(found.values())
    fits = all(-(2**63) <= value < 2**63 for line in lines for value in line)
    sums = np.array(lines, np.int64 if fits else np.object_).reshape(len(lines), WIDTH)
    return Groups(columns, sums)


def added(pairs: Sequence[tuple[tuple[Label, ...], list[int]]]) -> Sums:
    found: Sums = defaultdict(lambda: [0] * WIDTH)
    for key, line in pairs:
        found[key] = [one + other for one, other in zip(found[key], line, strict=True)]
    return dict(found)


@given(st.lists(tables, min_size=1, max_size=4))
def test_several_tables_are_merged_exactly(parts: list[Sums]) -> None:
    found = groups.merged([table(part) for part in parts])
    assert by_key(found) == added([pair for part in parts for pair in part.items()])


@given(tables, st.integers(0, 3))
def test_levels_add_up_what_begins_alike(found: Sums, least: int) -> None:
    levels = groups.levels(table(found), least)
    assert [len(level.columns) for level in levels] == list(range(3, least - 1, -1))
    for level in levels:
        length = len(level.columns)
        expected = added([(key[:length], line) for key, line in found.items()])
        assert by_key(level) == expected


@given(tables, tables, tables)
def test_sides_are_lined_up_with_zeros_where_one_has_nothing(
    rows: Sums, now: Sums, before: Sums
) -> None:
    found = groups.lined_up(table(rows).bare, [table(now), table(before)])
    nothing = [0] * WIDTH
    expected = {
        key: [*now.get(key, nothing), *before.get(key, nothing)] for key in {*rows, *now, *before}
    }
    assert by_key(found) == expected


@given(tables)
def test_counts_become_groups_of_their_own(found: Sums) -> None:
    expected = {
        (*key[:1], place, *key[1:]): [line[at] if at == place else 0 for at in range(WIDTH)]
        for key, line in found.items()
        for place in range(WIDTH)
    }
    assert by_key(groups.split(table(found), 1)) == expected


@given(tables, st.lists(st.sampled_from(["x", "y", "z"]), unique=True, max_size=3))
def test_every_group_is_filled_up_in_every_period(found: Sums, periods: list[str]) -> None:
    expected = {(period, *key[1:]) for key in found for period in periods}
    assert {*groups.filled(table(found), 0, periods).keys} == expected


@given(tables)
def test_what_is_always_shown_stands_beside_every_other_value(found: Sums) -> None:
    report = REPORTS["source"]
    names = ["country", "channel", "agent"]
    expected = {*found}
    if not any(key[1] == "(rest)" for key in found):
        shown = report.always["channel"]
        expected |= {(key[0], channel, key[2]) for key in found for channel in shown}
    assert {*groups.with_always(report, names, table(found).bare).keys} == expected


@given(st.lists(st.tuples(st.integers(0, 3), amounts), max_size=20))
def test_sums_beyond_64_bits_are_exact(pairs: list[tuple[int, int]]) -> None:
    present = sorted({at for at, _ in pairs})
    numbers = np.array([present.index(at) for at, _ in pairs], np.int64)
    lines = np.array([amount for _, amount in pairs], np.object_)
    if all(-(2**63) <= amount < 2**63 for _, amount in pairs):
        lines = lines.astype(np.int64)
    found = summed(numbers, lines, len(present))
    assert found.tolist() == [sum(amount for at, amount in pairs if at == one) for one in present]


@given(st.lists(st.lists(labels, min_size=1, max_size=6), min_size=1, max_size=4))
def test_columns_below_each_other_keep_their_values_once_each(parts: list[list[Label]]) -> None:
    columns = [stacked([constant(value, 1) for value in part]) for part in parts]
    found = stacked(columns)
    assert found.labels() == [value for part in parts for value in part]
    assert len(set(found.values)) == len(found.values)


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**40)), max_size=30))
def test_rows_share_a_number_if_all_their_codes_are_equal(rows: list[tuple[int, int]]) -> None:
    """Also if the product of the numbers of values needs more than 64 bits."""
    values = range(2**40 + 1)
    columns = [Encoded(np.array([row[at] for row in rows], np.int64), values) for at in (0, 1)]
    numbers, members = number(columns, len(rows))
    assert [rows[member] for member in members] == sorted({*rows})
    assert [sorted({*rows})[at] for at in numbers] == rows


def test_values_have_an_order_with_none_and_what_is_folded_last() -> None:
    values = ["b", None, "(rest)", "", "a"]
    assert ranks(values).tolist() == [3, 4, 1, 0, 2]
    assert ranks(values, last=["(rest)"]).tolist() == [2, 3, 4, 0, 1]


def test_a_table_of_many_currencies_may_have_fewer_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 10)
    groups.check_size(10, width=100)
    for size, width, times in ((11, 0, 1), (10, 101, 1), (6, 0, 2)):
        with pytest.raises(UnprocessableError) as error:
            groups.check_size(size, width, times)
        assert error.value.code == "too_many_groups"
