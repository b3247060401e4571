"""Partitions that a WHERE excludes are neither listed nor read."""

# ruff: noqa: S608 - statements for the engine under test

import datetime as dt
from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.local.athena.conftest import Lake, S3Calls, listed


@pytest.fixture(scope="module")
def a_year(clients: Lake) -> Iterator[Lake]:
    """A table with a partition for each day of 2026, and an object for the first 70."""
    days = [(dt.date(2026, 1, 1) + dt.timedelta(offset)).isoformat() for offset in range(365)]
    with mock_aws():
        lake = clients.create()
        lake.table("t", {"n": "bigint"}, {"dt": "string"})
        lake.partitions("t", {text: f"s3://lake/t/run=1/dt={text}/" for text in days})
        for offset, text in enumerate(days[:70]):
            lake.put(f"t/run=1/dt={text}/a.parquet", {"n": [offset]})
        yield lake


def test_a_query_of_one_day_lists_and_reads_only_that_day(a_year: Lake, s3_calls: S3Calls) -> None:
    assert a_year.rows("SELECT n, 'first' FROM t WHERE dt = '2026-02-01'") == [("31", "first")]
    assert s3_calls == [
        ("ListObjectsV2", "t/run=1/dt=2026-02-01/"),
        ("GetObject", "t/run=1/dt=2026-02-01/a.parquet"),
    ]


@pytest.mark.parametrize(
    ("where", "days"),
    [
        ("dt IN ('2026-01-01', '2026-01-05')", 2),
        ("dt BETWEEN '2026-01-03' AND '2026-01-06' AND n > 3", 4),
        ("'2026-01-03' >= dt", 3),
        ("contains(ARRAY['2026-01-03', '2026-01-04'], dt)", 2),
        ("(dt >= '2026-01-03' AND dt <= '2026-01-04') AND (dt = '2026-01-03')", 1),
        ("dt < '2026-01-08' AND n > 0", 8),
    ],
)
def test_conditions_on_the_key_prune_before_anything_is_read(
    a_year: Lake, s3_calls: S3Calls, where: str, days: int
) -> None:
    a_year.rows(f"SELECT count(*) FROM t WHERE {where}")
    assert len(listed(s3_calls)) == days


def test_what_is_not_understood_is_left_to_the_query(a_year: Lake, s3_calls: S3Calls) -> None:
    where = "dt = '2026-01-03' OR dt LIKE '2026-01-04'"
    assert a_year.rows(f"SELECT n FROM t WHERE {where} ORDER BY n") == [("2",), ("3",)]
    assert listed(s3_calls) == ["t/run=1/dt=2026-"]


def test_a_parameter_prunes_too(a_year: Lake, s3_calls: S3Calls) -> None:
    assert a_year.rows("SELECT n FROM t WHERE dt = ? AND n < ?", "'2026-01-02'", "5") == [("1",)]
    assert listed(s3_calls) == ["t/run=1/dt=2026-01-02/"]


def test_pruning_changes_no_result_of_an_outer_join(a_year: Lake, s3_calls: S3Calls) -> None:
    joined = (
        "SELECT v.d, t.n FROM (VALUES '2026-01-01', '2027-01-01') AS v(d) "
        "LEFT JOIN t ON t.dt = v.d AND t.dt <= '2026-01-02' ORDER BY 1"
    )
    assert a_year.rows(joined) == [("2026-01-01", "0"), ("2027-01-01", None)]
    assert listed(s3_calls) == ["t/run=1/dt=2026-01-01/", "t/run=1/dt=2026-01-02/"]
    full = (
        "SELECT count(*), count(v.d), count(t.n) FROM (VALUES '2026-01-01') AS v(d) "
        "FULL JOIN t ON t.dt = v.d AND t.dt = '2026-01-01'"
    )
    assert a_year.rows(full) == [("70", "1", "70")]


def test_an_object_that_is_named_is_read_alone(a_year: Lake, s3_calls: S3Calls) -> None:
    path = "s3://lake/t/run=1/dt=2026-01-03/a.parquet"
    found = a_year.rows(
        f"""SELECT n, "$path" FROM t WHERE dt > '2026-01-01' AND "$path" = '{path}'"""
    )
    assert found == [("2", path)]
    fetched = {key for call, key in s3_calls if call == "GetObject"}
    assert fetched <= {"t/run=1/dt=2026-01-03/a.parquet"}  # a copy may be there already
    assert a_year.rows("""SELECT * FROM t WHERE "$path" IN ('s3://lake/t/none.parquet')""") == []
    assert a_year.rows(f"SELECT * FROM t WHERE dt = '2026-01-03' AND \"$path\" <> '{path}'") == []


def test_many_partitions_take_one_listing(a_year: Lake, s3_calls: S3Calls) -> None:
    assert a_year.rows("SELECT count(*), sum(n) FROM t") == [("70", "2415")]
    assert listed(s3_calls) == ["t/run=1/dt=2026-"]
