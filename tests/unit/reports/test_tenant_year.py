"""A tenant-year object: sorted, exact, and the same bytes for the same rows."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile, write_table

from pulse import lake
from pulse.reports.tenant_year import arrange, schema

DAY = date(2026, 11, 20)


def piece(dataset: lake.Dataset, rows: list[dict[str, Any]]) -> bytes:
    """Some rows as Athena lays them out; what a row does not say is null, or 0 if it counts."""
    nothing = dict.fromkeys(dataset.dimensions) | dict.fromkeys(dataset.measures, 0)
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist([nothing | {"day": DAY} | row for row in rows], schema(dataset))
    write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def read(body: bytes) -> pa.Table:
    return ParquetFile(pa.BufferReader(body)).read()


@pytest.mark.parametrize("dataset", lake.DATASETS, ids=lambda dataset: dataset.name)
def test_the_columns_are_dimensions_then_day_then_measures(dataset: lake.Dataset) -> None:
    empty = arrange(dataset, [])
    assert read(empty.body).column_names == [*dataset.dimensions, "day", *dataset.measures]
    assert (empty.answers, empty.first_day) == (0, None)


def test_money_is_kept_to_the_last_digit() -> None:
    amounts = [Decimal(text) for text in ("9" * 34 + ".9999", "-0.0001", "0")]
    rows = [{"currency": f"{n}", "revenue": a, "entered": 1} for n, a in enumerate(amounts)]
    made = arrange(lake.INTERACTIONS, [piece(lake.INTERACTIONS, rows)])
    assert read(made.body)["revenue"].to_pylist() == amounts
    assert made.answers == 3


def test_the_same_rows_give_the_same_bytes_however_they_are_cut_and_ordered() -> None:
    rows = [
        {"agent": agent, "media_type": medium, "day": DAY + timedelta(days=n), "sessions": 1}
        for agent in ("b", "a", None)
        for medium in ("voice", "chat")
        for n in (1, 0)
    ]
    whole = arrange(lake.SESSIONS, [piece(lake.SESSIONS, rows)])
    random.Random(1).shuffle(rows)
    parts = arrange(lake.SESSIONS, [piece(lake.SESSIONS, part) for part in (rows[:5], rows[5:])])
    assert parts.body == whole.body
    assert (parts.answers, parts.first_day) == (12, DAY)
    found = [(row["agent"], row["media_type"]) for row in read(whole.body).to_pylist()]
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
    file = ParquetFile(pa.BufferReader(arrange(lake.SCORES, [piece(lake.SCORES, rows)]).body))
    groups = [file.read_row_group(n).to_pylist() for n in range(file.num_row_groups)]
    assert [[(row["metric"], row["scale"]) for row in rows] for rows in groups] == [
        [("csat", "1-5")],
        [("csat", "1-5:good5")],
        [("nps", "0-10")] * 2,
    ]


def test_integers_are_as_wide_as_they_need_be() -> None:
    rows = [{"agent": "a", "sessions": 2**31 - 1, "active_us": 2**31}]
    made = read(arrange(lake.SESSIONS, [piece(lake.SESSIONS, rows)]).body)
    assert made.schema.field("sessions").type == pa.int32()
    assert made.schema.field("active_us").type == pa.int64()
    assert made.select(["sessions", "active_us"]).to_pylist() == [
        {"sessions": 2**31 - 1, "active_us": 2**31}
    ]
    assert made.schema.field("agent").nullable and not made.schema.field("sessions").nullable
