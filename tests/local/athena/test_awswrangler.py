"""awswrangler, used as the builders use it, works with the emulation as with Athena."""

from decimal import Decimal
from typing import Any

import awswrangler as wr
import pandas as pd
import pytest

from local.athena.faults import failed, next_executions, stuck
from tests.local.athena.conftest import SESSION, Lake

OUT: dict[str, Any] = {
    "database": "db",
    "s3_output": "s3://results/q/",
    "boto3_session": SESSION,
}


@pytest.fixture
def scores(lake: Lake) -> Lake:
    """Three scores, one without text and amount."""
    lake.table(
        "scores", {"id": "bigint", "note": "string", "amount": "decimal(18,4)"}, {"dt": "date"}
    )
    rows = {"id": [1, 2, 3], "note": ["a", "", None], "amount": [Decimal("1.5000"), None, None]}
    lake.put("scores/dt=2026-01-01/a.parquet", rows)
    lake.partition("scores", ["2026-01-01"], "s3://lake/scores/dt=2026-01-01/")
    return lake


def read(sql: str, **more: Any) -> pd.DataFrame:
    frame: pd.DataFrame = wr.athena.read_sql_query(sql, ctas_approach=False, **OUT, **more)
    return frame


def test_a_select_is_read_with_its_types(scores: Lake) -> None:
    frame = read("SELECT id, note, amount, dt, id > 1 AS late FROM scores ORDER BY id")
    assert frame.to_dict("list") == {
        "id": [1, 2, 3],
        "note": ["a", None, None],  # awswrangler reads an empty text as none at all
        "amount": [Decimal("1.5000"), None, None],
        "dt": [pd.Timestamp("2026-01-01").date()] * 3,
        "late": [False, True, True],
    }


def test_an_empty_select_has_its_columns(scores: Lake) -> None:
    frame = read("SELECT id, note FROM scores WHERE id > 9")
    assert (list(frame.columns), len(frame)) == (["id", "note"], 0)


def test_named_parameters_are_values(scores: Lake) -> None:
    sql = "SELECT id FROM scores WHERE contains(:notes, note) AND dt = :day AND id < :most"
    day = pd.Timestamp("2026-01-01").date()
    frame = read(sql, params={"notes": ["a", "it's"], "day": day, "most": 9})
    assert frame["id"].tolist() == [1]


def test_question_marks_are_execution_parameters(scores: Lake) -> None:
    frame = read("SELECT id FROM scores WHERE note = ?", params=["'a'"], paramstyle="qmark")
    assert frame["id"].tolist() == [1]


def test_a_large_result_is_read_in_chunks(scores: Lake) -> None:
    chunks = wr.athena.read_sql_query(
        "SELECT id FROM scores", ctas_approach=False, chunksize=2, **OUT
    )
    assert [len(chunk) for chunk in chunks] == [2, 1]


def test_unload_writes_partitions_and_the_frame_reads_them_back(scores: Lake) -> None:
    result = wr.athena.unload(
        "SELECT id, note, amount, dt -- a comment (\nFROM scores",
        path="s3://lake/out/",
        database="db",
        boto3_session=SESSION,
        partitioned_by=["dt"],
        compression="snappy",
    )
    written = [key for key in scores.keys("out/") if "/dt=2026-01-01/" in key]
    assert len(written) == 1
    assert scores.text(str(result.manifest_location)).split() == [f"s3://lake/{written[0]}"]
    assert scores.read(written[0])["id"].to_pylist() == [1, 2, 3]


def test_the_unload_approach_reads_parquet(scores: Lake) -> None:
    frame = wr.athena.read_sql_query(
        "SELECT id, amount FROM scores ORDER BY id",
        ctas_approach=False,
        unload_approach=True,
        **(OUT | {"s3_output": "s3://results/unloaded/"}),
    )
    assert frame["id"].tolist() == [1, 2, 3]
    assert frame["amount"].tolist()[0] == Decimal("1.5000")


def test_a_started_query_is_waited_for(scores: Lake) -> None:
    execution_id = wr.athena.start_query_execution("SELECT count(*) AS n FROM scores", **OUT)
    assert (
        wr.athena.wait_query(execution_id, boto3_session=SESSION)["Status"]["State"] == "SUCCEEDED"
    )
    frame = wr.athena.get_query_results(execution_id, boto3_session=SESSION)
    assert frame["n"].tolist() == [3]


def test_a_failure_is_raised_with_its_reason(scores: Lake) -> None:
    with pytest.raises(wr.exceptions.QueryFailed, match=r"COLUMN_NOT_FOUND: .*Column 'nope'"):
        read("SELECT nope FROM scores")
    with (
        next_executions(failed("GENERIC: boom")),
        pytest.raises(wr.exceptions.QueryFailed, match="boom"),
    ):
        read("SELECT id FROM scores")


def test_a_stuck_query_can_be_stopped(scores: Lake) -> None:
    with next_executions(stuck()):
        execution_id = wr.athena.start_query_execution("SELECT 1 AS a", **OUT)
    wr.athena.stop_query_execution(execution_id, boto3_session=SESSION)
    with pytest.raises(wr.exceptions.QueryCancelled):
        wr.athena.wait_query(execution_id, boto3_session=SESSION)


def test_ctas_is_refused_and_not_an_empty_success(scores: Lake) -> None:
    with pytest.raises(wr.exceptions.QueryFailed, match="NOT_EMULATED"):
        wr.athena.read_sql_query("SELECT id FROM scores", ctas_approach=True, **OUT)
