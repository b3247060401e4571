"""The bench's made-up responses are like those in raw, and the same at each run."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
from pyarrow import parquet

from bench.data import SENT_AGAIN, TENANTS, Responses, responses_of, tenant_of_size
from pulse import days, lake
from pulse.raw.parquet import schema

pc: Any = pyarrow.compute  # its stubs know less than it does

DAY = date(2025, 3, 1)
ROWS = 5_000
IDENTITY = ("tenant", "survey", "key_kind", "response_id")


def test_a_day_is_the_same_each_time_and_another_day_is_not() -> None:
    assert responses_of(DAY, ROWS).equals(responses_of(DAY, ROWS))
    assert not responses_of(DAY, ROWS).equals(responses_of(date(2025, 3, 2), ROWS))


def test_rows_are_as_write_raw_stores_them() -> None:
    table: Any = responses_of(DAY, ROWS)
    assert table.schema.equals(schema(lake.SCORES.raw_columns))
    order = [(name, "ascending") for name in (*IDENTITY, "received_us")]
    assert table.equals(table.sort_by(order))
    begin = days.to_us(days.EPOCH) + (DAY - days.EPOCH.date()).days * days.DAY
    within = pc.subtract(table["answered_us"], begin)
    assert pc.min(within).as_py() >= 0
    assert pc.max(within).as_py() < days.DAY


def test_some_were_sent_twice_and_each_twin_came_later() -> None:
    by_identity: Any = responses_of(DAY, ROWS).group_by(list(IDENTITY))
    counted = by_identity.aggregate([("received_us", name) for name in ("count", "min", "max")])
    twins = counted.filter(pc.equal(counted["received_us_count"], 2))
    assert len(twins) == ROWS // SENT_AGAIN
    assert pc.all(pc.less(twins["received_us_min"], twins["received_us_max"])).as_py()
    assert len(counted) == ROWS - len(twins)


def test_scores_lie_within_their_scales() -> None:
    by_scale: Any = responses_of(DAY, ROWS).group_by("scale")
    counted = by_scale.aggregate([("score", "min"), ("score", "max")])
    found = {row["scale"]: (row["score_min"], row["score_max"]) for row in counted.to_pylist()}
    assert found == {"0-10": (0, 10), "1-5": (1, 5), "1-7": (1, 7)}


def test_of_twenty_million_the_largest_tenant_has_three_point_four() -> None:
    assert tenant_of_size(3_400_000, 20_000_000) == TENANTS[0]
    tenants: Any = responses_of(DAY, 50_000)["tenant"]
    most = max(tenants.value_counts().to_pylist(), key=lambda found: found["counts"])
    assert most["values"] == TENANTS[0]
    assert 0.16 < most["counts"] / 50_000 < 0.18


def test_every_row_is_in_one_object_under_its_day(tmp_path: Path) -> None:
    responses = Responses(1_001, date(2025, 12, 30), 3)
    assert responses.write(tmp_path) == sum(p.stat().st_size for p in tmp_path.rglob("*.parquet"))
    rows = {
        path.parent.name: parquet.ParquetFile(pa.BufferReader(path.read_bytes())).metadata.num_rows
        for path in tmp_path.glob("raw/responses/*/*.parquet")
    }
    assert sorted(rows) == ["dt=2025-12-30", "dt=2025-12-31", "dt=2026-01-01"]
    assert sum(rows.values()) == 1_001
