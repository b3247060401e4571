"""Glue's tables over Parquet objects: columns, partitions, projection, and what is read."""

# ruff: noqa: S608 - statements for the engine under test

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest

from pulse import days
from tests.local.athena.conftest import Lake, S3Calls, listed, read_keys

NOW = dt.datetime(2028, 2, 29, 23, 59, 59, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _a_leap_day_is_ending() -> Iterator[None]:
    """What projections call NOW."""
    with days.clock(lambda: NOW):
        yield


def day(offset: int) -> str:
    return (NOW.date() + dt.timedelta(offset)).isoformat()


# ---- columns


def test_columns_are_found_by_name_the_missing_are_null_and_the_rest_is_ignored(lake: Lake) -> None:
    lake.table("t", {"id": "bigint", "name": "string", "late": "decimal(18,4)"})
    lake.put("t/a.parquet", {"extra": [0], "name": ["x"], "id": pa.array([1], pa.int32())})
    lake.put("t/deep/b.parquet", {"id": [2], "late": [Decimal("1.5000")]})
    assert lake.rows("SELECT * FROM t ORDER BY id") == [("1", "x", None), ("2", None, "1.5000")]


def test_hidden_and_empty_objects_are_not_read(lake: Lake) -> None:
    lake.table("t", {"id": "bigint"})
    lake.put("t/a.parquet", {"id": [1]})
    lake.put("t/_staging/b.parquet", {"id": [2]})
    lake.put("t/.c.parquet", {"id": [3]})
    lake.s3.put_object(Bucket="lake", Key="t/marker", Body=b"")
    assert lake.rows("SELECT id FROM t") == [("1",)]


def test_a_table_without_objects_has_no_rows(lake: Lake) -> None:
    lake.table("t", {"id": "bigint", "name": "string"})
    assert lake.rows("SELECT id, name FROM t") == []
    assert lake.rows("SELECT count(*) FROM t") == [("0",)]


@pytest.mark.not_on_trino("HIVE_BAD_DATA is Athena's word; Trino says NOT_SUPPORTED")
def test_a_file_whose_column_has_another_type_is_bad_data_if_it_is_read(lake: Lake) -> None:
    lake.table("t", {"id": "bigint", "name": "string"})
    lake.put("t/a.parquet", {"id": ["1"], "name": ["x"]})
    assert lake.reason("SELECT id FROM t").startswith("HIVE_BAD_DATA: Field id's type string")
    assert lake.rows("SELECT name FROM t") == [("x",)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"id\n1\n2\n3\n4\n6.8", "Expected magic number: PAR1 got: \n6.8"),
        (b"id\n1\n6.8", "s3://lake/t/b.parquet is not a valid Parquet File"),
    ],
    ids=["long", "short"],
)
def test_what_is_no_parquet_is_bad_data_and_named(lake: Lake, body: bytes, reason: str) -> None:
    lake.table("t", {"id": "bigint"})
    lake.put("t/a.parquet", {"id": [1]})
    lake.s3.put_object(Bucket="lake", Key="t/b.parquet", Body=body)
    assert lake.reason("SELECT id FROM t") == (
        f"HIVE_BAD_DATA: Malformed Parquet file. {reason} [s3://lake/t/b.parquet]"
    )


@pytest.mark.not_on_trino("the embedded engine's own refusal")
def test_a_column_of_a_type_outside_of_the_subset_is_refused_only_when_touched(lake: Lake) -> None:
    lake.table("t", {"at": "timestamp", "id": "bigint"})
    lake.put("t/a.parquet", {"id": [1]})
    assert "NOT_EMULATED: column at of type timestamp" in lake.reason("SELECT at FROM t")
    assert lake.rows("SELECT id FROM t") == [("1",)]


def test_maps_and_arrays_are_read(lake: Lake) -> None:
    lake.table("t", {"tags": "map<string,string>", "list": "array<bigint>"})
    tags = pa.array(
        [[("team", "a"), ("vip", None), ("at", "")], None], pa.map_(pa.string(), pa.string())
    )
    lake.put("t/a.parquet", {"tags": tags, "list": [[1, 2], []]})
    assert lake.rows("SELECT tags, list FROM t") == [
        ("{team=a, vip=null, at=}", "[1, 2]"),
        (None, "[]"),
    ]


def test_text_of_any_kind_comes_through_the_csv(lake: Lake) -> None:
    texts = ["", 'say "hi", you', "line\nbreak", "nul\x00", "😀", None]
    lake.table("t", {"n": "bigint", "text": "string"})
    lake.put("t/a.parquet", {"n": range(6), "text": texts})
    ran = lake.run("SELECT text FROM t ORDER BY n")
    assert [row[0] for row in ran.rows] == texts
    csv = lake.text(ran.execution["ResultConfiguration"]["OutputLocation"])
    assert csv == '"text"\n""\n"say ""hi"", you"\n"line\nbreak"\n"nul\x00"\n"😀"\n\n'


@pytest.mark.not_on_trino("the embedded engine's own refusal")
def test_a_view_and_a_table_of_another_format_are_refused(lake: Lake) -> None:
    storage = {"SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"}}
    for name, more in (("v", {"TableType": "VIRTUAL_VIEW"}), ("c", {"StorageDescriptor": storage})):
        lake.glue.create_table(DatabaseName="db", TableInput={"Name": name, **more})  # type: ignore[typeddict-item] # two shapes
        assert "NOT_EMULATED" in lake.reason(f"SELECT * FROM {name}")


# ---- partitions in Glue


@pytest.mark.not_on_trino("the embedded engine's own refusal")
def test_a_column_called_as_what_duckdb_adds_is_refused_where_it_would_be_mistaken(
    lake: Lake,
) -> None:
    lake.table("t", {"file_index": "bigint", "id": "bigint"}, {"dt": "string"})
    lake.put("t/dt=x/a.parquet", {"file_index": [7], "id": [1]})
    lake.partition("t", ["x"], "s3://lake/t/dt=x/")
    assert "NOT_EMULATED" in lake.reason("SELECT file_index, dt FROM t")
    assert lake.rows("SELECT id, dt FROM t") == [("1", "x")]
    assert lake.rows("SELECT file_index FROM t") == [("7",)]


def test_a_partition_is_where_glue_says_and_its_key_is_a_column(lake: Lake) -> None:
    lake.table("t", {"id": "bigint"}, {"dt": "date", "tenant": "string"})
    lake.put("elsewhere/run=7/a.parquet", {"id": [1], "dt": ["not this one"]})
    lake.put("t/dt=2026-01-02/b.parquet", {"id": [2]})
    lake.partition("t", ["2026-01-01", "x=1/2"], "s3://lake/elsewhere/run=7")
    lake.partition("t", ["2026-01-02", "__HIVE_DEFAULT_PARTITION__"], "s3://lake/t/dt=2026-01-02/")
    assert lake.rows("SELECT id, dt, tenant FROM t ORDER BY dt") == [
        ("1", "2026-01-01", "x=1/2"),
        ("2", "2026-01-02", None),
    ]
    assert lake.rows("SELECT id FROM t WHERE dt > DATE '2026-01-01'") == [("2",)]


def test_an_object_is_fetched_once_until_it_changes(lake: Lake, s3_calls: S3Calls) -> None:
    lake.table("t", {"n": "bigint"})
    size = lake.put("t/a.parquet", {"n": [20261121]})
    assert lake.run("SELECT n FROM t").scanned == size
    assert lake.run("SELECT n FROM t").scanned == size
    assert read_keys(s3_calls) == ["t/a.parquet"]
    lake.put("t/a.parquet", {"n": [2]})
    assert lake.rows("SELECT n FROM t") == [("2",)]


# ---- projection

BY_DAY = {
    "projection.enabled": "true",
    "projection.dt.type": "date",
    "projection.dt.format": "yyyy-MM-dd",
    "projection.dt.range": "1990-01-01,NOW+2DAYS",
}


def test_a_projected_table_lists_only_the_days_asked_for(lake: Lake, s3_calls: S3Calls) -> None:
    lake.table("raw", {"n": "bigint"}, {"dt": "string"}, BY_DAY)
    for offset in (-3, -2, -1):
        lake.put(f"raw/dt={day(offset)}/a.parquet", {"n": [offset]})
    sql = f"SELECT n, dt FROM raw WHERE dt BETWEEN '{day(-2)}' AND '{day(-1)}' ORDER BY n"
    assert lake.rows(sql) == [("-2", day(-2)), ("-1", day(-1))]
    assert listed(s3_calls) == [f"raw/dt={day(-2)}/", f"raw/dt={day(-1)}/"]


@pytest.mark.not_on_trino("it lists each of 13,900 days; another test asks for the ends")
def test_days_outside_of_the_projected_range_are_invisible(lake: Lake, s3_calls: S3Calls) -> None:
    lake.table("raw", {"n": "bigint"}, {"dt": "date"}, BY_DAY)
    for text in ("1989-12-31", "1990-01-01", day(2), day(4), "nonsense"):
        lake.put(f"raw/dt={text}/a.parquet", {"n": [1]})
    assert lake.rows("SELECT dt FROM raw ORDER BY dt") == [("1990-01-01",), (day(2),)]
    assert listed(s3_calls) == ["raw/dt="]
    assert lake.rows("SELECT n FROM raw WHERE dt = DATE '1989-12-31'") == []


@pytest.mark.parametrize("kind", ["date", "string"])
def test_a_day_outside_of_the_projected_range_is_invisible_though_asked_for(
    lake: Lake, kind: str
) -> None:
    lake.table("raw", {"n": "bigint"}, {"dt": kind}, BY_DAY)
    asked = ("1989-12-31", "1990-01-01", day(2), day(3))
    for text in asked:
        lake.put(f"raw/dt={text}/a.parquet", {"n": [1]})
    listed = ", ".join(f"DATE '{text}'" if kind == "date" else f"'{text}'" for text in asked)
    found = lake.rows(f"SELECT dt FROM raw WHERE dt IN ({listed}) ORDER BY dt")
    assert found == [("1990-01-01",), (day(2),)]


def test_enum_integer_and_injected_keys_follow_the_location_template(
    lake: Lake, s3_calls: S3Calls
) -> None:
    properties = {
        "projection.enabled": "true",
        "projection.stream.type": "enum",
        "projection.stream.values": "a,b",
        "projection.part.type": "integer",
        "projection.part.range": "1,3",
        "projection.part.digits": "2",
        "projection.tenant.type": "injected",
        "storage.location.template": "s3://lake/x/${tenant}/${stream}/${part}",
    }
    keys = {"tenant": "string", "stream": "string", "part": "int"}
    lake.table("t", {"n": "bigint"}, keys, properties)
    for place in ("demo/a/01", "demo/b/03", "demo/c/01", "demo/a/04", "other/a/01"):
        lake.put(f"x/{place}/f.parquet", {"n": [1]})
    assert lake.rows("SELECT tenant, stream, part FROM t WHERE tenant = 'demo' ORDER BY 2") == [
        ("demo", "a", "1"),
        ("demo", "b", "3"),
    ]
    s3_calls.clear()
    assert lake.rows("SELECT n FROM t WHERE tenant IN ('demo') AND stream = 'b' AND part > 2") == [
        ("1",)
    ]
    assert listed(s3_calls) == ["x/demo/b/02/", "x/demo/b/03/"]


def test_an_injected_key_has_to_be_given(lake: Lake) -> None:
    properties = {"projection.enabled": "true", "projection.tenant.type": "injected"}
    lake.table("t", {"n": "bigint"}, {"tenant": "string"}, properties)
    for where in ("", " WHERE tenant > 'a'", " WHERE tenant LIKE 'demo'"):
        assert lake.reason(f"SELECT n FROM t{where}").startswith(
            "CONSTRAINT_VIOLATION: For the injected projected partition column tenant"
        )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"projection.dt.type": "datum"}, "INVALID_TABLE_PROPERTY"),
        ({"projection.dt.range": "2026-01-01"}, "INVALID_TABLE_PROPERTY"),
        ({"projection.dt.format": "yyyyMMdd"}, "NOT_EMULATED"),
        ({"projection.dt.range": "NOW-3YEARS,NOW"}, "NOT_EMULATED"),
        ({"storage.location.template": "s3://lake/raw/"}, "INVALID_TABLE_PROPERTY"),
    ],
)
def test_a_projection_that_cannot_be_followed_is_refused(
    lake: Lake, changed: dict[str, str], reason: str
) -> None:
    lake.table("raw", {"n": "bigint"}, {"dt": "string"}, BY_DAY | changed)
    assert lake.reason("SELECT n FROM raw").startswith(reason)
