"""UNLOAD: what it writes, and what it refuses."""

# ruff: noqa: S608 - statements for the engine under test

from decimal import Decimal

import pyarrow as pa
import pytest

from tests.local.athena.conftest import Lake

ROWS = "(VALUES (2, 'b', 'x'), (1, 'a', 'x'), (3, 'c', 'y')) AS v(n, s, k)"


def unload(query: str, options: str = "") -> str:
    return f"UNLOAD ({query}) TO 's3://lake/out/' WITH (format = 'PARQUET'{options})"


def test_the_manifest_names_every_object_and_nothing_else_is_written(lake: Lake) -> None:
    ran = lake.run(unload(f"SELECT n, s, k FROM {ROWS}", ", partitioned_by = ARRAY['k']"))
    manifest = ran.execution["Statistics"]["DataManifestLocation"]
    execution_id = ran.execution["QueryExecutionId"]
    assert manifest == f"s3://results/q/{execution_id}-manifest.csv"
    assert (
        ran.execution["ResultConfiguration"]["OutputLocation"] == f"s3://results/q/{execution_id}"
    )
    assert lake.text(manifest).split() == [f"s3://lake/{key}" for key in lake.keys("out/")]
    assert [key.split("/")[1] for key in lake.keys("out/")] == ["k=x", "k=y"]
    rows = lake.read(lake.keys("out/k=x")[0]).sort_by("n").to_pylist()
    assert rows == [{"n": 1, "s": "a"}, {"n": 2, "s": "b"}]
    assert ran.rows == []


def test_types_are_those_of_athena(lake: Lake) -> None:
    columns = (
        "sum(n) AS total, sum(CAST(n AS decimal(18,4))) AS money, max(s) AS text, "
        "count_if(n > 1) AS many, DATE '2026-01-02' AS day, 1.5e0 AS real, true AS yes"
    )
    assert lake.run(unload(f"SELECT {columns} FROM {ROWS}")).state == "SUCCEEDED"
    table = lake.read(lake.keys("out/")[0])
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        "total": pa.int64(),
        "money": pa.decimal128(38, 4),
        "text": pa.string(),
        "many": pa.int64(),
        "day": pa.date32(),
        "real": pa.float64(),
        "yes": pa.bool_(),
    }
    assert table.to_pylist()[0]["money"] == Decimal("6.0000")


@pytest.mark.not_on_trino("files of Parquet tell who wrote them, and when")
def test_the_same_rows_give_the_same_bytes(lake: Lake) -> None:
    query = f"SELECT s, count(*) AS n FROM {ROWS} GROUP BY s"
    bodies = []
    for place in ("one", "two"):
        lake.run(unload(query).replace("/out/", f"/{place}/"))
        key = lake.keys(f"{place}/")[0]
        bodies.append(lake.s3.get_object(Bucket="lake", Key=key)["Body"].read())
    assert bodies[0] == bodies[1]


def test_an_order_is_not_kept(lake: Lake) -> None:
    lake.run(unload(f"SELECT n FROM {ROWS} ORDER BY n DESC"))
    written = [n for key in lake.keys("out/") for n in lake.read(key)["n"].to_pylist()]
    assert set(written) == {1, 2, 3}
    assert written != [3, 2, 1]


def test_without_rows_nothing_is_written_but_the_manifest(lake: Lake) -> None:
    ran = lake.run(unload(f"SELECT n FROM {ROWS} WHERE n > 9"))
    assert ran.state == "SUCCEEDED"
    assert lake.keys("out/") == []
    assert lake.text(ran.execution["Statistics"]["DataManifestLocation"]) == ""


def test_folders_are_named_as_hive_does(lake: Lake) -> None:
    query = "SELECT 1 AS n, s FROM (VALUES 'a/b=c%', 'u d', '', NULL) AS v(s)"
    lake.run(unload(query, ", partitioned_by = ARRAY['s']"))
    folders = {key.split("/")[1] for key in lake.keys("out/")}
    assert folders == {"s=a%2Fb%3Dc%25", "s=u d", "s=__HIVE_DEFAULT_PARTITION__"}
    rows = [row for key in lake.keys("out/") for row in lake.read(key).to_pylist()]
    assert rows == [{"n": 1}] * 4


@pytest.mark.parametrize("text", ["ü", "a\tb", "\x7f"])
def test_partitions_are_named_by_printable_ascii_only(lake: Lake, text: str) -> None:
    query = f"SELECT 1 AS n, '{text}' AS s"
    reason = lake.reason(unload(query, ", partitioned_by = ARRAY['s']"))
    assert reason.startswith("HIVE_INVALID_PARTITION_VALUE")
    assert lake.keys("out/") == []


@pytest.mark.parametrize(
    ("option", "codec"),
    [
        ("", "GZIP"),
        (", compression = 'snappy'", "SNAPPY"),
        (", compression = 'GZIP'", "GZIP"),
        (", compression = 'none'", "UNCOMPRESSED"),
    ],
)
def test_the_compression_is_the_one_asked_for(lake: Lake, option: str, codec: str) -> None:
    lake.run(unload("SELECT 1 AS n", option))
    body = lake.s3.get_object(Bucket="lake", Key=lake.keys("out/")[0])["Body"].read()
    group = pa.parquet.ParquetFile(pa.BufferReader(body)).metadata.row_group(0)
    assert group.column(0).compression == codec


def test_a_target_that_holds_anything_is_refused(lake: Lake) -> None:
    assert lake.run(unload("SELECT 1 AS n")).state == "SUCCEEDED"
    assert lake.reason(unload("SELECT 1 AS n")).startswith("HIVE_PATH_ALREADY_EXISTS")
    assert len(lake.keys("out/")) == 1


def test_a_hundred_partitions_are_written_and_one_more_is_refused(lake: Lake) -> None:
    lake.table("t", {"n": "bigint", "k": "bigint"})
    lake.put("t/a.parquet", {"n": range(101), "k": range(101)})
    options = ", partitioned_by = ARRAY['k']"
    assert lake.reason(unload("SELECT n, k FROM t", options)).startswith(
        "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers"
    )
    assert lake.keys("out/") == []
    assert lake.run(unload("SELECT n, k FROM t WHERE n < 100", options)).state == "SUCCEEDED"
    assert len(lake.keys("out/")) == 100


@pytest.mark.parametrize(
    ("query", "options", "reason"),
    [
        ("SELECT 1", "", "MISSING_COLUMN_NAME"),
        ("SELECT 1 AS a, 2 AS a", "", "DUPLICATE_COLUMN_NAME"),
        ("SELECT NULL AS a", "", "COLUMN_TYPE_UNKNOWN"),
        ("SELECT 1 AS a, 2 AS b", ", partitioned_by = ARRAY['a']", "HIVE_COLUMN_ORDER_MISMATCH"),
        ("SELECT 1 AS a", ", partitioned_by = ARRAY['a']", "INVALID_TABLE_PROPERTY"),
        ("SELECT 1 AS a", ", compression = 'zstd'", "NOT_EMULATED"),
        ("SELECT 1 AS a", ", field_delimiter = ','", "NOT_EMULATED"),
        ("SELECT 1 AS a", ", compression 'snappy'", "SYNTAX_ERROR"),
    ],
)
def test_what_unload_cannot_write_is_refused(
    lake: Lake, query: str, options: str, reason: str
) -> None:
    assert lake.reason(unload(query, options)).startswith(reason)
    assert lake.keys("out/") == []


@pytest.mark.not_on_trino("the embedded engine's own refusal")
def test_partitions_whose_names_may_differ_are_refused(lake: Lake) -> None:
    text = unload("SELECT 1 AS a, 2.5 AS b", ", partitioned_by = ARRAY['b']")
    assert "NOT_EMULATED" in lake.reason(text)
