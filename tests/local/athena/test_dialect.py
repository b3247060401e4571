"""check_portable judges the text of a .sql file without a schema or values."""

import pytest

from local.athena.dialect import check_portable

A_BUILD = """
-- grain: day, tenant, survey. It's one row (the winner) per identity.
WITH ranked AS (
    SELECT r.*,
           row_number() OVER (
               PARTITION BY tenant, survey, response_id, dt
               ORDER BY received_us DESC, content_hash DESC
           ) AS place
    FROM raw_responses AS r
    WHERE contains(:days, dt)
)
SELECT tenant, survey, CAST(count_if(score = 0) AS bigint) AS c0,
       max(team) AS team, sum(CAST(amount AS decimal(18,4))) AS revenue, dt
FROM ranked
WHERE place = 1 AND dt BETWEEN :first_day AND :last_day
GROUP BY tenant, survey, dt
"""


@pytest.mark.parametrize(
    "sql",
    [
        A_BUILD,
        f"UNLOAD ({A_BUILD}) TO :path WITH (format = 'PARQUET', partitioned_by = ARRAY['dt'])",
        "SELECT a FROM t WHERE dt = ? LIMIT :most",
        "SELECT * FROM t ORDER BY 1",
        "SELECT t.* FROM a AS t LEFT JOIN b ON t.x = b.x AND b.y IN (SELECT z FROM c)",
        "SELECT 1 AS one;",
    ],
)
def test_a_statement_of_the_subset_has_no_problem(sql: str) -> None:
    assert check_portable(sql) == []


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT date_trunc('month', d) FROM t", "DATE_TRUNC"),
        ("SELECT x::bigint FROM t", "'::'"),
        ("SELECT `x` FROM t", "'`'"),
        ("SELECT m['k'] FROM t", "missing key"),
        ("SELECT x FROM t WHERE x ILIKE 'a'", "LIKE"),
        ("SELECT x FROM t JOIN u USING (x)", "USING"),
        ("SELECT x FROM t, u", "CROSS"),
        ("SELECT * EXCLUDE (x) FROM t", "except"),
        ("SELECT x FROM t QUALIFY row_number() OVER () = 1", "SYNTAX_ERROR"),
        ("SELECT x FROM t WHERE EXISTS (SELECT u.x FROM u WHERE u.x = t.x)", "t.x"),
        ("SELECT DISTINCT ON (x) x FROM t", "on in"),
        ("SELECT x FROM t GROUP BY ALL", "ALL"),
        ("SELECT first(x) FROM t", "ARBITRARY"),
        ("SELECT sum(x) OVER w FROM t WINDOW w AS (PARTITION BY y)", "WINDOW"),
        ("SELECT max(x, 2) FROM t", "MAX"),
        ("SELECT substr(x, y) FROM t", "SUBSTR"),
        ("SELECT regexp_like(x, '^a') FROM t", "regexp_like"),
        ("SELECT regexp_like(x, '[^\\d]') FROM t", "regexp_like"),
        ("SELECT regexp_like(x, y) FROM t", "regexp_like"),
        ("SELECT translate(x, y, '') FROM t", "translate"),
        ("SELECT translate(x, 'aa', 'bc') FROM t", "translate"),
        ("SELECT x FROM t FETCH FIRST 1 ROWS ONLY", "FETCH"),
        ("SELECT 'a' = 1", "TYPE_MISMATCH"),
        ("INSERT INTO t SELECT 1", "only SELECT and UNLOAD"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://b/p/' WITH (format = 'ORC')", "PARQUET"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://b/p/'", "SYNTAX_ERROR"),
        ("SELECT 1 AS a" + " " * 262_144, "bytes"),
    ],
)
def test_a_statement_outside_of_the_subset_is_named(sql: str, words: str) -> None:
    problems = check_portable(sql)
    assert len(problems) >= 1
    assert words in problems[0]


def test_every_problem_is_listed_once() -> None:
    problems = check_portable("SELECT now(), round(x), round(x) FROM t WHERE y AND 'a' = 2")
    assert [p.split(":")[0] for p in problems] == ["TYPE_MISMATCH", "NOT_EMULATED", "NOT_EMULATED"]
