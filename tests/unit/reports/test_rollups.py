"""Roll-ups are sums of the cube's rows, and are chosen where they can answer a question."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import lake
from pulse.reports import rollups, tenant_year
from pulse.reports.registry import FAMILIES, REPORTS
from pulse.reports.rollups import ROLLUPS, Rollup
from pulse.tenants.tenant import CUBE

DAYS = [
    date(2026, 1, 1),
    date(2026, 1, 31),
    date(2026, 2, 1),
    date(2026, 12, 1),
    date(2026, 12, 31),
]
Row = dict[str, Any]


def rows_of(dataset: lake.DailyTable) -> st.SearchStrategy[list[Row]]:
    """Rows as Athena writes them, some alike in all dimensions, with measures of any sign."""
    kinds = dataset.daily_columns
    values: dict[str, st.SearchStrategy[Any]] = {"day": st.sampled_from(DAYS)}
    for name in dataset.dimensions:
        values[name] = st.sampled_from([None, "a", lake.BOT if name == "device" else "b"])
    for name in dataset.measures:
        whole = st.integers(-(10**9), 10**9)
        is_decimal = kinds[name].startswith("decimal")
        values[name] = whole.map(lambda n: Decimal(n).scaleb(-4)) if is_decimal else whole
    return st.lists(st.fixed_dictionaries(values), max_size=12)


def table_of(dataset: lake.DailyTable, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, tenant_year.schema(dataset, ROLLUPS[dataset.name][0]))


def sums_of(dataset: lake.DailyTable, rollup: Rollup, rows: list[Row]) -> dict[Any, list[Any]]:
    """What plain Python adds up. December is the tail."""
    found: dict[Any, list[Any]] = defaultdict(lambda: [0] * len(dataset.measures))
    for row in rows:
        day = row["day"]
        if rollup.grain == "month" or (rollup.grain == "tail" and day.month < 12):
            day = day.replace(day=1)
        sums = found[(*(row[name] for name in rollup.dimensions), day)]
        for place, name in enumerate(dataset.measures):
            sums[place] += row[name]
    return dict(found)


def told(dataset: lake.DailyTable, rollup: Rollup, table: pa.Table) -> dict[Any, list[Any]]:
    assert table.schema == tenant_year.schema(dataset, rollup)
    lines = table.to_pylist()
    keys = [tuple(line[name] for name in (*rollup.dimensions, "day")) for line in lines]
    assert len(set(keys)) == len(keys)
    return {
        key: [line[name] for name in dataset.measures]
        for key, line in zip(keys, lines, strict=True)
    }


@pytest.mark.parametrize("dataset", lake.DAILY_TABLES, ids=lambda dataset: dataset.name)
@given(st.data())
def test_a_roll_up_holds_the_sums_of_the_rows(
    dataset: lake.DailyTable, data: st.DataObject
) -> None:
    rows = data.draw(rows_of(dataset))
    found = dict(rollups.roll_ups(dataset, table_of(dataset, rows), DAYS))
    people = [row for row in rows if row.get("device") != "bot"]
    if dataset in (lake.SCORES, lake.EXPERIENCE):
        bots = found.pop(Rollup("bots", dataset.dimensions))
        assert bots.to_pylist() == [row for row in rows if row["device"] == "bot"]
    has_own = any(row[name] is not None for row in rows for name in dataset.slots)
    assert {*found} == {
        rollup
        for rollup in ROLLUPS[dataset.name][1:]
        if has_own or not {*rollup.dimensions} & {*dataset.slots}
    }
    for rollup, table in found.items():
        assert told(dataset, rollup, table) == sums_of(dataset, rollup, people)


def test_what_64_bits_may_not_hold_has_no_roll_up() -> None:
    row: Row = dict.fromkeys(lake.INTERACTIONS.measures, 0)
    row |= dict.fromkeys(lake.INTERACTIONS.dimensions) | {"day": DAYS[0]}
    row |= {"satisfaction": Decimal(0), "revenue": Decimal(0)}
    cube = table_of(lake.INTERACTIONS, [row | {"finish_us": 2**62}, row | {"finish_us": 2**62}])
    assert list(rollups.roll_ups(lake.INTERACTIONS, cube, DAYS)) == []
    with pytest.raises(OverflowError, match="finish_us"):
        rollups.roll_up(lake.INTERACTIONS, ROLLUPS["interactions"][1], cube)


def test_the_cube_comes_first_and_no_name_twice() -> None:
    for dataset in lake.DAILY_TABLES:
        found = ROLLUPS[dataset.name]
        assert found[0] == Rollup(CUBE, dataset.dimensions)
        assert len({rollup.name for rollup in found}) == len(found)
        for rollup in found[1:]:
            assert rollup.name == "-".join((rollup.grain, *rollup.dimensions))
            assert {*dataset.parted_by} <= {*rollup.dimensions}


def test_what_some_tenants_have_declared_is_in_no_object_of_the_others() -> None:
    by_month = ROLLUPS["scores"][1]
    assert by_month.name == (
        "month-metric-scale-survey-channel-agent-country-browser-os-device"  # as before tags
    )
    with_tags = [one for one in ROLLUPS["scores"][1:] if {*one.dimensions} & {*lake.TAG_SLOTS}]
    assert [one.dimensions for one in with_tags] == [
        ("metric", "scale", "survey", "channel", "tag1", "tag2", "tag3", "tag4")
    ]


def test_covering_goes_by_dimensions_grain_and_size() -> None:
    by_country, by_agent = "day-metric-scale-survey-channel-country", "day-metric-scale-agent"
    by_month = ROLLUPS["scores"][1].name
    sizes = {CUBE: 1000, by_month: 500, by_country: 100, by_agent: 90, "day-retired": 1}

    def names(*dimensions: str, months: bool = False) -> list[str]:
        found = rollups.covering(lake.SCORES, sizes, dimensions, months=months)
        return [rollup.name for rollup in found]

    assert names("metric", "scale", "country") == [by_country, CUBE]
    assert names("metric", "scale", "country", months=True) == [by_country, by_month, CUBE]
    assert names("metric", "scale") == [by_agent, by_country, CUBE]
    assert names("agent", "country") == [CUBE]
    assert rollups.covering(lake.SCORES, {by_agent: 1}, ["country"], months=True) == []
    assert rollups.covering(lake.SCORES, {by_agent: 1}, [], months=False) == [
        rollups.named(lake.SCORES, by_agent)
    ]


def test_every_report_s_own_question_has_a_roll_up_by_day() -> None:
    for report in REPORTS.values():
        for table in report.tables:
            if table == lake.SESSIONS:
                continue  # its two dimensions are what the report asks for
            named = {*report.group_by, *report.fixed, *report.not_null, *report.family.required}
            if report.by_currency:
                named.add("currency")
            asked = named & {*table.dimensions}
            every = {rollup.name: 1 for rollup in ROLLUPS[table.name][1:]}
            assert rollups.covering(table, every, asked, months=False), report.name


def test_agents_over_whole_months_take_no_more_than_what_they_are_compared_within() -> None:
    asked = {"metric", "scale", "agent", *lake.ADJUSTED_FOR}
    every = {rollup.name: 1 for rollup in ROLLUPS["scores"]}
    found = rollups.covering(lake.SCORES, every, asked, months=True)
    assert [one.grain for one in found if {*one.dimensions} == asked] == ["day", "month", "tail"]


@pytest.mark.parametrize(
    ("last", "first_by_day"),
    [
        (date(2026, 12, 31), date(2026, 12, 1)),
        (date(2026, 6, 8), date(2026, 6, 1)),
        (date(2026, 6, 7), date(2026, 5, 1)),  # the last days of May may still change
        (date(2026, 1, 3), date(2025, 12, 1)),  # of this year all are by day
    ],
)
def test_a_tail_has_the_month_of_a_week_ago_by_day(last: date, first_by_day: date) -> None:
    assert rollups.tail_of([date(2026, 1, 1), last]) == first_by_day


def test_what_is_all_tail_has_no_tail_beside_its_days() -> None:
    cube = table_of(lake.SESSIONS, [])
    made = [one.grain for one, _ in rollups.roll_ups(lake.SESSIONS, cube, DAYS[-2:])]
    assert made == ["day", "month"]


def test_tails_answer_where_months_before_them_are_whole() -> None:
    tail = next(one for one in ROLLUPS["sessions"] if one.grain == "tail")
    sizes = {CUBE: 9, tail.name: 1}
    for months, some, expected in (
        (True, True, [tail.name, CUBE]),
        (False, True, [tail.name, CUBE]),
        (False, False, [CUBE]),
    ):
        found = rollups.covering(lake.SESSIONS, sizes, ["agent"], months=months, tail=some)
        assert [one.name for one in found] == expected


def test_every_dimension_is_told_by_day_without_the_cube() -> None:
    for family in FAMILIES.values():
        every = {rollup.name: 1 for rollup in ROLLUPS[family.dataset.name][1:]}
        for name in (*family.dimension_names, *family.dataset.slots):
            asked = (*family.required, name)
            assert rollups.covering(family.dataset, every, asked, months=False), name
