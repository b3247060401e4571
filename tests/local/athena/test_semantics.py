"""Each construct gives what Athena documents, or is refused; it never gives DuckDB's own result."""

# ruff: noqa: S608 - statements for the engine under test

from collections.abc import Iterator

import pyarrow as pa
import pytest
from moto import mock_aws

from tests.local.athena.conftest import Lake


@pytest.fixture(scope="module")
def lake(clients: Lake) -> Iterator[Lake]:
    """A lake with the table that the statements below read."""
    with mock_aws():
        lake = clients.create()
        lake.table("t", {"i": "int", "s": "string", "n": "int"})
        integers = [pa.array(values, pa.int32()) for values in ([1, 2, 3], [10, None, 30])]
        lake.put("t/part.parquet", {"i": integers[0], "s": ["a", "b", "a"], "n": integers[1]})
        yield lake


# (statement, the only cell of its only row, its type)
ANSWERS = [
    # literals and arithmetic
    ("SELECT 7", "7", "integer"),
    ("SELECT 3000000000", "3000000000", "bigint"),
    ("SELECT 1.50", "1.50", "decimal"),
    ("SELECT 1e0", "1.0", "double"),
    ("SELECT 1e7", "1.0E7", "double"),
    ("SELECT 1.5e-4", "1.5E-4", "double"),
    ("SELECT 12345.678e0", "12345.678", "double"),
    ("SELECT 0e0", "0.0", "double"),
    ("SELECT NULL", None, "unknown"),
    ("SELECT 7 / 2", "3", "integer"),
    ("SELECT -7 / 2", "-3", "integer"),
    ("SELECT -7 % 2", "-1", "integer"),
    ("SELECT 7 / 2e0", "3.5", "double"),
    ("SELECT 2 + 3000000000", "3000000002", "bigint"),
    ("SELECT 0.1 + 0.25", "0.35", "decimal"),
    ("SELECT 1.5 * 1.25", "1.875", "decimal"),
    ("SELECT 1.5 - 2", "-0.5", "decimal"),
    ("SELECT count_if(n > 10) FROM t", "1", "bigint"),
    ("SELECT count_if(n > 10) FROM t WHERE n IS NULL", "0", "bigint"),
    ("SELECT count_if(n > 10) FROM t WHERE i > 9", "0", "bigint"),
    ("SELECT sum(n) / count(*) FROM t", "13", "bigint"),
    ("SELECT abs(-1.5)", "1.5", "decimal"),
    # comparison and logic
    ("SELECT 1 = 1.0", "true", "boolean"),
    ("SELECT 2 NOT IN (1, NULL)", None, "boolean"),
    ("SELECT 2 BETWEEN 1 AND 2", "true", "boolean"),
    ("SELECT NULL AND false", "false", "boolean"),
    ("SELECT 'b' > 'B'", "true", "boolean"),
    (
        "SELECT to_hex(sha256(to_utf8('aé')))",
        "561951C2B8C47984B8B4B8AE1F173A03D9C703F66CF36F145E27BC6145499F74",
        "varchar",
    ),
    (
        "SELECT lower(to_hex(sha256(to_utf8('aé'))))",
        "561951c2b8c47984b8b4b8ae1f173a03d9c703f66cf36f145e27bc6145499f74",
        "varchar",
    ),
    ("SELECT to_hex(sha256(to_utf8('a' || CAST(NULL AS varchar))))", None, "varchar"),
    ("SELECT contains(ARRAY[1, 2], 2)", "true", "boolean"),
    ("SELECT contains(ARRAY[1, NULL], 2)", None, "boolean"),
    ("SELECT contains(ARRAY['a'], CAST(NULL AS varchar))", None, "boolean"),
    (r"SELECT 'a\c' LIKE 'a\_'", "true", "boolean"),
    # conditionals
    ("SELECT CASE WHEN false THEN 1 END", None, "integer"),
    ("SELECT CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE 'c' END", "b", "varchar"),
    ("SELECT if(false, 1, 3000000000)", "3000000000", "bigint"),
    ("SELECT coalesce(NULL, 1, 2.5)", "1.0", "decimal"),
    ("SELECT nullif(1, 1.0)", None, "integer"),
    ("SELECT greatest(1, NULL)", None, "integer"),
    ("SELECT least(2, 1.5)", "1.5", "decimal"),
    # casts
    ("SELECT CAST('12' AS integer)", "12", "integer"),
    ("SELECT TRY_CAST('12.7' AS integer)", None, "integer"),
    ("SELECT TRY_CAST('1_0' AS bigint)", None, "bigint"),
    ("SELECT TRY_CAST('5000000000' AS integer)", None, "integer"),
    ("SELECT CAST('-12.345' AS decimal(18,2))", "-12.35", "decimal"),
    ("SELECT CAST('0.005' AS decimal(18,2))", "0.01", "decimal"),
    ("SELECT TRY_CAST('12a' AS decimal(18,2))", None, "decimal"),
    ("SELECT CAST(2.5e0 AS bigint)", "3", "bigint"),
    ("SELECT CAST(-2.5e0 AS bigint)", "-3", "bigint"),
    ("SELECT CAST(2.5 AS bigint)", "3", "bigint"),
    ("SELECT CAST(0.05 AS varchar)", "0.05", "varchar"),
    ("SELECT CAST(1.5 AS double)", "1.5", "double"),
    ("SELECT CAST(7 AS varchar)", "7", "varchar"),
    ("SELECT CAST(true AS varchar)", "true", "varchar"),
    ("SELECT CAST('T' AS boolean)", "true", "boolean"),
    ("SELECT TRY_CAST('yes' AS boolean)", None, "boolean"),
    ("SELECT CAST('2026-02-28' AS date)", "2026-02-28", "date"),
    ("SELECT CAST(DATE '2026-02-28' AS varchar)", "2026-02-28", "varchar"),
    ("SELECT TRY_CAST('2026-02-30' AS date)", None, "date"),
    ("SELECT TRY_CAST('2026/02/28' AS date)", None, "date"),
    ("SELECT TRY_CAST('' AS double)", None, "double"),
    # text
    ("SELECT 'it''s' || ' ' || 'ü'", "it's ü", "varchar"),
    ("SELECT concat('a', NULL, 'b')", None, "varchar"),
    ("SELECT length('日本😀')", "3", "bigint"),
    ("SELECT upper('é') || lower('É')", "Éé", "varchar"),
    ("SELECT substr('hello', 2)", "ello", "varchar"),
    ("SELECT substr('hello', 2, 3)", "ell", "varchar"),
    ("SELECT strpos('é日本', '本')", "3", "bigint"),
    ("SELECT strpos('abc', 'C')", "0", "bigint"),
    ("SELECT strpos(NULL, 'c')", None, "bigint"),
    ("SELECT translate('Épée 😀', 'Éé', 'ee')", "epee 😀", "varchar"),
    ("SELECT translate('a-b+c', 'a-+', 'x')", "xbc", "varchar"),
    ("SELECT translate(lower('AÄ'), 'ä', 'b')", "ab", "varchar"),
    ("SELECT regexp_like('Fuß', '[^ -~À-Öà-ö]')", "true", "boolean"),
    ("SELECT regexp_like('Hé! (ok) ~', '[^\\t\\n -~À-Öà-ö]')", "false", "boolean"),
    ("SELECT regexp_like('a 😀', '[^ -~]')", "true", "boolean"),
    ("SELECT regexp_like(NULL, '[^ -~]')", None, "boolean"),
    ("SELECT CAST(NULL AS map(varchar, varchar))", None, "map"),
    ("SELECT element_at(CAST(NULL AS map(varchar, varchar)), 'k')", None, "varchar"),
    # aggregates
    ("SELECT count(*) FROM t", "3", "bigint"),
    ("SELECT count(n) FROM t", "2", "bigint"),
    ("SELECT count(DISTINCT s) FROM t", "2", "bigint"),
    ("SELECT count_if(n > 10) FROM t", "1", "bigint"),
    ("SELECT count(*) FILTER (WHERE s = 'a') FROM t", "2", "bigint"),
    ("SELECT sum(i) FROM t", "6", "bigint"),
    ("SELECT sum(x) FROM (VALUES 1.25, 2.50) AS v(x)", "3.75", "decimal"),
    ("SELECT sum(i) FROM t WHERE i > 9", None, "bigint"),
    ("SELECT count(i) FROM t WHERE i > 9", "0", "bigint"),
    ("SELECT avg(i) FROM t", "2.0", "double"),
    ("SELECT max(s) || min(s) FROM t", "ba", "varchar"),
    ("SELECT min_by(s, n) FROM t", "a", "varchar"),
    ("SELECT min_by(n, i) FILTER (WHERE i > 1) FROM t", None, "integer"),
    ("SELECT bool_and(n > 5) FROM t", "true", "boolean"),
    ("SELECT bool_or(n > 10) FROM t", "true", "boolean"),
    # subqueries
    ("SELECT (SELECT max(i) FROM t) + 1", "4", "integer"),
    ("SELECT count(*) FROM t WHERE i IN (SELECT 2)", "1", "bigint"),
    ("SELECT count(*) FROM t WHERE i NOT IN (SELECT NULL)", "0", "bigint"),
    ("SELECT count(*) FROM t WHERE EXISTS (SELECT 1)", "3", "bigint"),
]

# (statement, all of its rows)
ROWS = [
    ("SELECT i FROM t ORDER BY n", ["1", "3", "2"]),  # NULLs last, ascending
    ("SELECT i FROM t ORDER BY n DESC", ["3", "1", "2"]),  # and descending
    ("SELECT i FROM t ORDER BY n NULLS FIRST", ["2", "1", "3"]),
    ("SELECT i AS n FROM t ORDER BY n DESC LIMIT 2", ["3", "2"]),  # the alias comes first
    ("SELECT i AS k FROM t ORDER BY k % 2, 1 DESC", ["2", "3", "1"]),
    ("SELECT i FROM t ORDER BY i OFFSET 1 LIMIT 1", ["2"]),
    ("SELECT DISTINCT s FROM t ORDER BY 1", ["a", "b"]),
    ("SELECT max(n) FROM t GROUP BY s HAVING count(*) > 1", ["30"]),
    ("SELECT 1 AS x UNION ALL SELECT 3000000000 ORDER BY x DESC", ["3000000000", "1"]),
    ("SELECT 1 UNION SELECT 1", ["1"]),
    ("SELECT 1.5 AS x UNION SELECT 2 ORDER BY 1", ["1.5", "2.0"]),
    (
        "SELECT row_number() OVER (PARTITION BY s ORDER BY i DESC) FROM t ORDER BY i",
        list("211"),
    ),
    ("SELECT dense_rank() OVER (ORDER BY s) FROM t ORDER BY i", list("121")),
    ("SELECT sum(i) OVER (PARTITION BY s) FROM t ORDER BY i", list("424")),
    ("SELECT sum(i) OVER (ORDER BY i) FROM t ORDER BY i", list("136")),
    (
        "WITH a AS (SELECT i FROM t), b(k) AS (SELECT i + 1 FROM a) SELECT max(k) FROM b",
        ["4"],
    ),
    (
        "SELECT coalesce(a.x, b.y) FROM (VALUES 1, 2) AS a(x) "
        "FULL JOIN (VALUES 2, 3) AS b(y) ON a.x = b.y ORDER BY 1",
        ["1", "2", "3"],
    ),
    ("SELECT count(*) FROM t CROSS JOIN (VALUES 1, 2) AS b(y)", ["6"]),
    (
        "SELECT b.y FROM (VALUES 1, 2) AS a(x) LEFT JOIN (VALUES 2) AS b(y) ON x = y ORDER BY x",
        [None, "2"],
    ),
]

# (statement, how its reason begins): what Athena itself refuses
REFUSED_BY_ATHENA = [
    ("SELEKT 1", "SYNTAX_ERROR"),
    ("SELECT nope FROM t", "COLUMN_NOT_FOUND"),
    ("SELECT i FROM nowhere", "TABLE_NOT_FOUND"),
    ("SELECT i AS k FROM t WHERE k = 1", "COLUMN_NOT_FOUND"),
    ("SELECT i AS k, k + 1 FROM t", "COLUMN_NOT_FOUND"),
    ("SELECT s AS k, count(*) FROM t GROUP BY k", "COLUMN_NOT_FOUND"),
    ("SELECT s, i FROM t GROUP BY s", "EXPRESSION_NOT_AGGREGATE"),
    (
        "SELECT a.x FROM (VALUES 1) AS a(x) CROSS JOIN (VALUES 1) AS b(x) WHERE x = 1",
        "AMBIGUOUS_NAME",
    ),
    ("SELECT 'a' = 1", "TYPE_MISMATCH"),
    ("SELECT 'a' IN (1)", "TYPE_MISMATCH"),
    ("SELECT DATE '2026-01-01' = '2026-01-01'", "TYPE_MISMATCH"),
    ("SELECT '2026-01-01' BETWEEN DATE '2026-01-01' AND DATE '2026-01-02'", "TYPE_MISMATCH"),
    ("SELECT coalesce('a', 1)", "TYPE_MISMATCH"),
    ("SELECT 'a' + 1", "TYPE_MISMATCH"),
    ("SELECT -'a'", "TYPE_MISMATCH"),
    ("SELECT 1 LIKE 'a'", "TYPE_MISMATCH"),
    ("SELECT NOT 1", "TYPE_MISMATCH"),
    ("SELECT 1 AND true", "TYPE_MISMATCH"),
    ("SELECT if(1, 2, 3)", "TYPE_MISMATCH"),
    ("SELECT * FROM (VALUES (1), ('a')) AS v(x)", "TYPE_MISMATCH"),
    ("SELECT * FROM (VALUES (1, 2), (3)) AS v(x, y)", "TYPE_MISMATCH"),
    ("SELECT 1 IN (SELECT 1, 2)", "TYPE_MISMATCH"),
    ("SELECT 1 || 'a'", "FUNCTION_NOT_FOUND"),
    ("SELECT sum('a')", "FUNCTION_NOT_FOUND"),
    ("SELECT avg('a')", "FUNCTION_NOT_FOUND"),
    ("SELECT abs('a')", "FUNCTION_NOT_FOUND"),
    ("SELECT upper(1)", "FUNCTION_NOT_FOUND"),
    ("SELECT length(1)", "FUNCTION_NOT_FOUND"),
    ("SELECT count_if(1)", "FUNCTION_NOT_FOUND"),
    ("SELECT bool_and(1)", "FUNCTION_NOT_FOUND"),
    ("SELECT greatest('a', 1)", "FUNCTION_NOT_FOUND"),
    ("SELECT contains(ARRAY[1], 'a')", "FUNCTION_NOT_FOUND"),
    ("SELECT 1 WHERE 1", "TYPE_MISMATCH"),
    ("SELECT 1 UNION SELECT 'a'", "TYPE_MISMATCH"),
    ("SELECT 1, 2 UNION SELECT 1", "TYPE_MISMATCH"),
    ("SELECT 1 / 0", "DIVISION_BY_ZERO"),
    ("SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("SELECT 7 % 0", "DIVISION_BY_ZERO"),
    ("SELECT 9223372036854775807 * 2", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("SELECT -(-9223372036854775807 - 1)", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("SELECT abs(-9223372036854775807 - 1)", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("SELECT CAST(3000000000 AS integer)", "NUMERIC_VALUE_OUT_OF_RANGE"),
    (
        "SELECT sum(x) FROM (VALUES 9223372036854775807, 1) AS v(x)",
        "NUMERIC_VALUE_OUT_OF_RANGE",
    ),
    (f"SELECT CAST('{'9' * 38}' AS decimal(38,0)) + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
    (
        f"SELECT sum(CAST(x AS decimal(38,0))) FROM (VALUES '{'9' * 38}', '1') AS v(x)",
        "NUMERIC_VALUE_OUT_OF_RANGE",
    ),
    ("SELECT CAST('9223372036854775808' AS bigint)", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST(1e30 AS bigint)", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST(123.45 AS decimal(3,2))", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST('123.45' AS decimal(3,2))", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST('a' AS decimal(3,2))", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST('a' AS double)", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST('yes' AS boolean)", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST('x' AS date)", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST('12.7' AS integer)", "INVALID_CAST_ARGUMENT"),
    ("SELECT CAST('2026-02-30' AS date)", "INVALID_CAST_ARGUMENT"),
    ("SELECT (SELECT x FROM (VALUES 1, 2) AS v(x))", "SUBQUERY_MULTIPLE_ROWS"),
    ("SELECT sum(i) FILTER (WHERE i > 1) OVER () FROM t", "NOT_SUPPORTED"),
    ("SELECT 1 AS order", "SYNTAX_ERROR"),
    ("SELECT i, FROM t", "SYNTAX_ERROR"),
    ("SELECT i AS 'x' FROM t", "SYNTAX_ERROR"),
    ("SELECT 1; SELECT 2", "SYNTAX_ERROR"),
    ("SELECT i FROM t ORDER BY 2", "INVALID_COLUMN_REFERENCE"),
    ("SELECT DISTINCT s FROM t ORDER BY i", "EXPRESSION_NOT_IN_DISTINCT"),
    ("SELECT i FROM t WHERE count(*) > 1", "EXPRESSION_NOT_SCALAR"),
    ("SELECT i FROM t WHERE row_number() OVER () = 1", "EXPRESSION_NOT_SCALAR"),
    ("SELECT 1 FROM t GROUP BY sum(i)", "EXPRESSION_NOT_SCALAR"),
    ("SELECT count(*) FROM t HAVING row_number() OVER () = 1", "NESTED_WINDOW"),
    ("SELECT sum(count(i)) FROM t", "NESTED_AGGREGATION"),
    ("SELECT s FROM t GROUP BY 2", "INVALID_COLUMN_REFERENCE"),
    ("SELECT count(DISTINCT i, s) FROM t", "FUNCTION_NOT_FOUND"),
    ("-- nothing", "SYNTAX_ERROR"),
]


@pytest.mark.parametrize(("sql", "cell", "kind"), ANSWERS, ids=[sql for sql, _, _ in ANSWERS])
def test_an_expression_has_athenas_value_and_type(
    lake: Lake, sql: str, cell: str | None, kind: str
) -> None:
    ran = lake.run(sql)
    assert (ran.reason, ran.rows, ran.types) == ("", [(cell,)], [kind])


@pytest.mark.parametrize(("sql", "column"), ROWS, ids=[sql for sql, _ in ROWS])
def test_a_query_has_athenas_rows(lake: Lake, sql: str, column: list[str | None]) -> None:
    assert lake.rows(sql) == [(cell,) for cell in column]


@pytest.mark.parametrize(("sql", "begins"), REFUSED_BY_ATHENA)
def test_what_athena_refuses_is_failed(lake: Lake, sql: str, begins: str) -> None:
    assert lake.reason(sql).startswith(begins)


def test_a_statement_nested_too_deeply_is_failed_and_the_next_one_runs(lake: Lake) -> None:
    assert lake.run("SELECT " + "(" * 2000 + "1" + ")" * 2000).state == "FAILED"
    assert lake.rows("SELECT 1") == [("1",)]


def test_long_lists_and_long_conditions_are_no_trouble(lake: Lake) -> None:
    numbers = ", ".join(map(str, range(3000)))
    alternatives = " OR ".join(f"i = {number}" for number in range(1000))  # 3,000 overflow Trino
    sql = f"SELECT count(*) FROM t WHERE i IN ({numbers}) AND ({alternatives})"
    assert lake.rows(sql) == [("3",)]
