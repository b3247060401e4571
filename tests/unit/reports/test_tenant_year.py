"""A report table's object: sorted, exact, and the same bytes for the same rows."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile, write_table

from pulse import lake
from pulse.reports import tenant_year
from pulse.reports.rollups import ROLLUPS, Rollup
from pulse.reports.tenant_year import count_events, encode, merge, schema

DAY = date(2026, 11, 20)


def cube(dataset: lake.Dataset) -> Rollup:
    return ROLLUPS[dataset.name][0]


def table(dataset: lake.Dataset, rows: list[dict[str, Any]]) -> pa.Table:
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


def encoded(dataset: lake.Dataset, rows: list[dict[str, Any]]) -> bytes:
    return encode(dataset, cube(dataset), table(dataset, rows))


def stored(body: bytes) -> pa.Table:
    """What lies in an object, in its own types."""
    return ParquetFile(pa.BufferReader(body)).read()


@pytest.mark.parametrize("dataset", lake.DATASETS, ids=lambda dataset: dataset.name)
def test_the_columns_are_dimensions_then_day_then_measures(dataset: lake.Dataset) -> None:
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
