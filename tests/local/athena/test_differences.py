"""Where DuckDB and Athena still differ after sqlglot's translation, and how we treat it.

The embedded Athena has Athena's answer or refuses; it never has DuckDB's own. On a real Trino
(PULSE_ENGINE=trino) the same list is held against Athena's own engine.
"""

# ruff: noqa: S608 - statements for the engine under test

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from moto import mock_aws

from tests.local.athena.conftest import Lake, on_trino

T = "(VALUES (1, 'a', 10), (2, 'b', NULL), (3, 'a', 30)) AS t(i, s, n)"
HOURS = "TIMESTAMP '2026-01-01 00:59:00', TIMESTAMP '2026-01-01 01:01:00'"
LATER = "AT TIME ZONE 'Asia/Tokyo'"

# (statement, DuckDB's own answer, Athena's: a cell, or how its reason begins)
DIFFERENT = [
    ("SELECT CAST(7 / 2 AS varchar)", "3.5", "3"),
    (f"SELECT CAST(sum(i) / count(n) AS varchar) FROM {T}", "3.0", "3"),
    (
        "SELECT CAST(date_add('day', 1, DATE '2026-02-28') AS varchar)",
        "2026-03-01 00:00:00",
        "2026-03-01",
    ),
    (
        "SELECT CAST(DATE '2026-02-28' + INTERVAL '1' DAY AS varchar)",
        "2026-03-01 00:00:00",
        "2026-03-01",
    ),
    (
        "SELECT CAST(date_trunc('month', DATE '2026-02-28') AS varchar)",
        "2026-02-01 00:00:00",
        "2026-02-01",
    ),
    (f"SELECT date_diff('hour', {HOURS})", 1, "0"),
    (
        f"SELECT CAST(TIMESTAMP '2026-01-01 00:00:00' {LATER} AS varchar)",
        "2025-12-31 15:00:00+00",
        "2026-01-01 09:00:00 Asia/Tokyo",
    ),
    ("SELECT regexp_extract('abc', '[0-9]+')", "", None),
    ("SELECT regexp_replace('ab', '(a)(b)', '$2$1')", "$2$1", "ba"),
    ("SELECT extract(dow FROM DATE '2026-03-01')", 0, "7"),
    ("SELECT millisecond(TIMESTAMP '2026-01-01 00:00:05.250')", 5250, "250"),
    ("SELECT max_by(k, v) FROM (VALUES (NULL, 2), (10, 1)) AS t(k, v)", 10, None),
    ("SELECT map(ARRAY['a'], ARRAY[1])['b']", None, "INVALID_FUNCTION_ARGUMENT"),
    ("SELECT TRY_CAST('12.7' AS integer)", 13, None),
    ("SELECT CAST('12.7' AS integer)", 13, "INVALID_CAST_ARGUMENT"),
    ("SELECT TRY_CAST('1_0' AS bigint)", 10, None),
    ("SELECT TRY_CAST('١٢' AS bigint)", None, "12"),
    ("SELECT TRY_CAST(chr(0) || '12' AS bigint)", None, "12"),
    ("SELECT CAST(1.0 / 3 AS varchar)", "0.3333333333333333", "0.3"),
    ("SELECT CAST(avg(x) AS varchar) FROM (VALUES 1.5, 1.6) AS v(x)", "1.55", "1.6"),
    ("SELECT CAST(2.5e0 AS bigint)", 2, "3"),
    ("SELECT CAST(1e0 AS varchar)", "1.0", "1.0E0"),
    ("SELECT CAST('xyz' AS varchar(2))", "xyz", "xy"),
    ("SELECT CAST('yes' AS boolean)", True, "INVALID_CAST_ARGUMENT"),
    ("SELECT approx_percentile(i, 0.5) FROM (VALUES 1, 2, 3, 4) AS v(i)", 2, "3"),
    ("SELECT count_if(x > 1) FROM (VALUES CAST(NULL AS integer)) AS v(x)", None, "0"),
    ("SELECT upper('straße')", "STRAẞE", "STRAßE"),
    ("SELECT substr('abc', 0)", "abc", ""),
    ("SELECT '2026-01-01' = DATE '2026-01-01'", True, "TYPE_MISMATCH"),
    (
        "SELECT max(k) FROM (SELECT i AS k, k + 1 AS l FROM (VALUES 1) AS t(i)) AS u",
        1,
        "COLUMN_NOT_FOUND",
    ),
    ("SELECT i AS k FROM (VALUES 1) AS t(i) WHERE k = 1", 1, "COLUMN_NOT_FOUND"),
    ("SELECT s AS k FROM (VALUES 'a') AS t(s) GROUP BY k", "a", "COLUMN_NOT_FOUND"),
]

# (statement, Athena's answer): DuckDB has the same here, but not for every value
REFUSED = [
    ("SELECT TRY_CAST(' 12' AS bigint)", "12"),
    ("SELECT TRY_CAST('12 ' AS integer)", "12"),
    ("SELECT TRY_CAST(' 2026-02-28' AS date)", "2026-02-28"),
    ("SELECT TRY_CAST('1E3' AS decimal(10,2))", "1000.00"),
    ("SELECT TRY_CAST('NaN' AS double)", "NaN"),
    ("SELECT CAST(1.5e0 AS decimal(10,2))", "1.50"),
    ("SELECT CAST('x' AS varchar(3))", "x"),
    ("SELECT 1e0 / 0", "Infinity"),
    ("SELECT 7.0 / 0", "DIVISION_BY_ZERO"),
    ("SELECT substr('abc', -2)", "bc"),
    ("SELECT round(2.5)", "3"),
    ("SELECT to_hex(to_utf8('a'))", "61"),
    ("SELECT count(DISTINCT i) OVER () FROM (VALUES 1) AS t(i)", "1"),
    ("SELECT array_agg(i) FROM (VALUES 1) AS t(i)", "[1]"),
    ("SELECT u.x FROM UNNEST(ARRAY[1]) AS u(x)", "1"),
    # nobody's statements need these: they have no rule any more
    ("SELECT max_by(i, i) FROM (VALUES 1) AS t(i)", "1"),
    ("SELECT rank() OVER (ORDER BY i) FROM (VALUES 1) AS t(i)", "1"),
    ("SELECT lag(i) OVER (ORDER BY i) FROM (VALUES 1) AS t(i)", None),
    ("SELECT sum(i) OVER (ORDER BY i ROWS UNBOUNDED PRECEDING) FROM (VALUES 1) AS t(i)", "1"),
    ("SELECT sum(i) FROM (VALUES 1) AS t(i) GROUP BY ROLLUP (i) HAVING grouping(i) = 1", "1"),
    ("SELECT i FROM (VALUES 1) AS t(i) EXCEPT SELECT 2", "1"),
    ("SELECT NULL IS DISTINCT FROM 1", "true"),
    ("SELECT 'a_c' LIKE 'a!_c' ESCAPE '!'", "true"),
    ("SELECT cardinality(ARRAY[1])", "1"),
    ("SELECT i FROM (VALUES 1) AS t(i) WHERE EXISTS (SELECT 1 FROM UNNEST(ARRAY[i]) AS u(x))", "1"),
]

# queries that have no answer to compare, and what is no query
NEVER = [
    "SELECT to_utf8('a')",
    "SELECT sha256(to_utf8('a'))",
    "SELECT DATE '2026-02-28' - DATE '2026-02-27'",
    "SELECT TIMESTAMP '2026-01-01 00:59:00'",
    "SELECT current_date",
    "SELECT now()",
    "SELECT (SELECT 1, 2)",
    f"SELECT * FROM {T} TABLESAMPLE BERNOULLI (50)",
]
NO_QUERIES = [
    "DELETE FROM db.t",
    "CREATE TABLE x AS SELECT 1 AS a",
    "INSERT INTO x SELECT 1",
    "SHOW TABLES",
    "MSCK REPAIR TABLE x",
    "DROP TABLE x",
    "EXECUTE x",
]


@pytest.fixture(scope="module")
def lake(clients: Lake) -> Iterator[Lake]:
    """A lake with a table that somebody might want to drop."""
    with mock_aws():
        lake = clients.create()
        lake.table("t", {"i": "int"})
        lake.put("t/part.parquet", {"i": pa.array([1], pa.int32())})
        yield lake


def answer(lake: Lake, sql: str) -> str | None:
    """The cell of the only row, or what the reason of a refusal begins with."""
    ran = lake.run(sql)
    if ran.reason:
        return ran.reason.split(":")[0]
    [[cell]] = ran.rows
    return cell


@pytest.mark.parametrize(("sql", "own", "_"), DIFFERENT)
def test_duckdb_itself_answers_otherwise(sql: str, own: object, _: str | None) -> None:
    """If a row of the list no longer holds, it can be removed, and its refusal with it."""
    [translated] = sqlglot.transpile(sql, read="trino", write="duckdb")
    assert duckdb.connect().execute(translated).fetchone() == (own,)


@pytest.mark.parametrize(("sql", "_", "athenas"), DIFFERENT)
def test_what_differs_has_athenas_answer_or_none(
    lake: Lake, sql: str, _: object, athenas: str | None
) -> None:
    expected = {athenas} if on_trino() else {athenas, "NOT_EMULATED"}
    assert answer(lake, sql) in expected


@pytest.mark.parametrize(("sql", "athenas"), REFUSED)
def test_what_is_not_the_same_for_every_value_is_refused(
    lake: Lake, sql: str, athenas: str | None
) -> None:
    assert answer(lake, sql) == (athenas if on_trino() else "NOT_EMULATED")


@pytest.mark.parametrize("sql", NEVER)
def test_a_query_outside_of_the_subset_is_refused(lake: Lake, sql: str) -> None:
    if on_trino():
        assert lake.run(sql).state == "SUCCEEDED"
    else:
        assert answer(lake, sql) == "NOT_EMULATED"


@pytest.mark.parametrize("sql", NO_QUERIES)
def test_what_is_no_query_is_refused_by_either_engine(lake: Lake, sql: str) -> None:
    assert answer(lake, sql) == "NOT_EMULATED"
    assert answer(lake, "SELECT count(*) FROM t") == "1"
