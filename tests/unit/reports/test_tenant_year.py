"""The objects of report tables: sorted, exact, and the same bytes for the same rows."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow.parquet import ParquetFile, write_table

from pulse import lake
from pulse.errors import NewerFormatError
from pulse.reports import rollups, tenant_year
from pulse.reports.rollups import ROLLUPS, Rollup
from pulse.reports.tenant_year import count_events, encode, merge, schema

DAY = date(2026, 11, 20)


def cube(dataset: lake.DailyTable) -> Rollup:
    return ROLLUPS[dataset.name][0]


def table(dataset: lake.DailyTable, rows: list[dict[str, Any]]) -> pa.Table:
    """Some rows; what a row does not say is null, or 0 if it counts."""
    nothing = dict.fromkeys(dataset.dimensions) | dict.fromkeys(dataset.measures, 0)
    return pa.Table.from_pylist(
        [nothing | {"day": DAY} | row for row in rows], schema(dataset, cube(dataset))
    )


def parquet(rows: pa.Table) -> bytes:
    """As another writer makes it."""
    sink = pa.BufferOutputStream()
    write_table(rows, sink)
    return bytes(sink.getvalue().to_pybytes())


def encoded(dataset: lake.DailyTable, rows: list[dict[str, Any]]) -> bytes:
    return encode(dataset, cube(dataset), table(dataset, rows))


def stored(body: bytes) -> pa.Table:
    """What lies in an object, in its own types."""
    return ParquetFile(pa.BufferReader(body)).read()


@pytest.mark.parametrize("dataset", lake.DAILY_TABLES, ids=lambda dataset: dataset.name)
def test_the_columns_are_dimensions_then_day_then_measures(dataset: lake.DailyTable) -> None:
    empty = encoded(dataset, [])
    assert stored(empty).column_names == [*dataset.dimensions, "day", *dataset.measures]
    for rollup in ROLLUPS[dataset.name]:
        names = schema(dataset, rollup).names
        assert names == [*rollup.dimensions, "day", *dataset.measures]
        rows = tenant_year.read(dataset, rollup, [empty, empty])
        assert (rows.num_rows, rows.schema) == (0, schema(dataset, rollup))
        assert tenant_year.read(dataset, rollup, []).schema == schema(dataset, rollup)


def test_money_is_kept_to_the_last_digit() -> None:
    amounts = [Decimal(text) for text in ("9" * 34 + ".9999", "-0.0001", "0")]
    rows = [{"currency": f"{n}", "revenue": a, "entered": 1} for n, a in enumerate(amounts)]
    body = encoded(lake.INTERACTIONS, rows)
    assert stored(body)["revenue"].to_pylist() == amounts
    found = tenant_year.read(lake.INTERACTIONS, cube(lake.INTERACTIONS), [body])
    assert found["revenue"].to_pylist() == amounts
    assert count_events(lake.INTERACTIONS, found) == 3


def test_the_same_rows_give_the_same_bytes_however_they_are_cut_and_ordered() -> None:
    rows = [
        {"agent": agent, "media_type": medium, "day": DAY + timedelta(days=n), "sessions": 1}
        for agent in ("b", "a", None)
        for medium in ("voice", "chat")
        for n in (1, 0)
    ]
    whole = encoded(lake.SESSIONS, rows)
    random.Random(1).shuffle(rows)
    pieces = [parquet(table(lake.SESSIONS, some)) for some in (rows[:5], rows[5:])]
    parts = tenant_year.read(lake.SESSIONS, cube(lake.SESSIONS), pieces)
    assert encode(lake.SESSIONS, cube(lake.SESSIONS), parts) == whole
    found = [(row["agent"], row["media_type"]) for row in stored(whole).to_pylist()]
    assert found[::2] == [
        ("a", "chat"),
        ("a", "voice"),
        ("b", "chat"),
        ("b", "voice"),
        (None, "chat"),
        (None, "voice"),
    ]


LABELS = st.sampled_from([None, "", "a", "a\x00", "Z", "ä", "\uffff", "😀"])
SESSIONS = st.fixed_dictionaries(
    {
        "agent": LABELS,
        "media_type": LABELS,
        "day": st.sampled_from([DAY, DAY.replace(day=1), DAY.replace(year=2024)]),
        "sessions": st.integers(0, 2),
        "active_us": st.integers(-1, 1),
    }
)


@given(st.lists(SESSIONS, max_size=30), st.randoms(use_true_random=False))
def test_rows_are_sorted_by_code_points_what_is_not_given_last(
    rows: list[dict[str, Any]], chance: random.Random
) -> None:
    """Some rows have equal keys here, although no build makes such rows."""
    body = encoded(lake.SESSIONS, rows)
    keys = [(row["agent"], row["media_type"], row["day"]) for row in stored(body).to_pylist()]

    def order(key: Any) -> Any:
        agent, medium, day = key
        return (agent is None, agent or "", medium is None, medium or "", day)

    assert keys == sorted(keys, key=order)
    chance.shuffle(rows)
    assert encoded(lake.SESSIONS, rows) == body


def test_keys_of_more_combinations_than_64_bits_number_are_sorted() -> None:
    names = lake.SCORES.dimensions
    many = [
        {name: f"{n * (place + 7) % 251:03}" for place, name in enumerate(names)}
        for n in range(251)
    ]
    rows = [row | {"c1": 1, "day": DAY} for row in many]
    found = stored(encoded(lake.SCORES, rows)).to_pylist()
    keys = [tuple(row[name] for name in names) for row in found]
    assert keys == sorted(tuple(row[name] for name in names) for row in many)


def test_a_row_group_holds_one_scale_so_that_its_statistics_tell_what_is_zero() -> None:
    scales = (("nps", "0-10"), ("csat", "1-5"), ("csat", "1-5:good5"), ("nps", "0-10"))
    rows = [
        {"metric": metric, "scale": scale, "day": DAY + timedelta(days=n), "c5": 1}
        for n, (metric, scale) in enumerate(scales)
    ]
    file = ParquetFile(pa.BufferReader(encoded(lake.SCORES, rows)))
    groups = [file.read_row_group(n).to_pylist() for n in range(file.num_row_groups)]
    assert [[(row["metric"], row["scale"]) for row in rows] for rows in groups] == [
        [("csat", "1-5")],
        [("csat", "1-5:good5")],
        [("nps", "0-10")] * 2,
    ]


def test_integers_are_as_wide_as_they_need_be() -> None:
    rows = [{"agent": "a", "sessions": 2**31 - 1, "active_us": 2**31}]
    made = stored(encoded(lake.SESSIONS, rows))
    assert made.schema.field("sessions").type == pa.int32()
    assert made.schema.field("active_us").type == pa.int64()
    assert made.select(["sessions", "active_us"]).to_pylist() == [
        {"sessions": 2**31 - 1, "active_us": 2**31}
    ]
    assert made.schema.field("agent").nullable and not made.schema.field("sessions").nullable


def test_of_several_parts_each_day_s_rows_are_those_of_the_newest_that_has_it() -> None:
    first, second, third = (DAY + timedelta(days=n) for n in range(3))

    def part(**sessions: int) -> pa.Table:
        days = {"first": first, "second": second, "third": third}
        rows = [{"day": days[name], "sessions": count} for name, count in sessions.items()]
        return table(lake.SESSIONS, rows)

    found = merge(
        [
            ({second}, part()),  # whose rows are all gone
            ({third}, part(third=7)),
            ({first, second, third}, part(first=1, second=2, third=3)),
        ]
    )
    assert {row["day"]: row["sessions"] for row in found.to_pylist()} == {first: 1, third: 7}


TIMED = {
    "accept_timed": "accepted",
    "first_response_timed": "responded",
    "finish_timed": "finished_responded",
    "handle_timed": "handled",
}
"""Measures that came later, and those that said the same of rows from before."""


def interactions(**counts: int) -> list[dict[str, Any]]:
    return [{"media_type": "voice", "agent": "a", "entered": 9, **counts}]


def test_what_an_object_lacks_is_what_its_rows_would_say() -> None:
    said = {"accepted": 3, "responded": 2, "finished_responded": 1, "handled": 4, "finish_met": 5}
    whole = table(lake.INTERACTIONS, interactions(**said))
    former = parquet(whole.drop_columns([*TIMED, "finish_met", "service_type"]))
    now = parquet(table(lake.INTERACTIONS, interactions(**dict.fromkeys(TIMED, 1))))
    found = tenant_year.read(lake.INTERACTIONS, cube(lake.INTERACTIONS), [former, now])
    assert found.schema == whole.schema
    first, second = found.to_pylist()
    assert {name: first[name] for name in TIMED} == {n: said[same] for n, same in TIMED.items()}
    assert (first["finish_met"], first["service_type"], first["agent"]) == (0, None, "a")
    assert {name: second[name] for name in TIMED} == dict.fromkeys(TIMED, 1)


def test_a_roll_up_that_lacks_columns_is_read_as_the_cube_is() -> None:
    rollup = next(one for one in ROLLUPS["interactions"] if "agent" in one.dimensions[1:])
    rows = rollups.roll_up(
        lake.INTERACTIONS, rollup, table(lake.INTERACTIONS, interactions(accepted=3))
    )
    former = parquet(rows.drop_columns([*TIMED]))
    (found,) = tenant_year.read(lake.INTERACTIONS, rollup, [former]).to_pylist()
    assert (found["agent"], found["accept_timed"], found["handle_timed"]) == ("a", 3, 0)


def test_where_some_rows_have_no_value_for_a_measure_it_is_the_same() -> None:
    """Athena reads days from before a column existed together with later ones."""
    rows = table(lake.INTERACTIONS, interactions(accepted=3) + interactions(accepted=5))
    place = rows.schema.get_field_index("accept_timed")
    some = rows.set_column(place, "accept_timed", pa.array([None, 4], pa.int64()))
    place = rows.schema.get_field_index("revenue")
    none = pa.array([None, None], pa.decimal128(38, 4))
    body = parquet(some.set_column(place, "revenue", none))
    found = tenant_year.read(lake.INTERACTIONS, cube(lake.INTERACTIONS), [body])
    assert found["accept_timed"].to_pylist() == [3, 4]
    assert found["revenue"].to_pylist() == [0, 0]


def test_an_object_for_newer_readers_is_not_read() -> None:
    rows = table(lake.SESSIONS, [{"sessions": 1}])
    body = parquet(rows.replace_schema_metadata({"pulse.format": "9", "pulse.reader": "9"}))
    with pytest.raises(NewerFormatError, match="readers of format 9"):
        tenant_year.read(lake.SESSIONS, cube(lake.SESSIONS), [body])
