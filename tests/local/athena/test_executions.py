"""The life of an execution, as moto's Athena API shows it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.athena import install
from local.athena.faults import cancelled, empty, failed, next_executions, passes, stuck
from tests.local.athena.conftest import Lake

OUT = {"ResultConfiguration": {"OutputLocation": "s3://results/q/"}}


def state_of(lake: Lake, execution_id: str) -> tuple[str, str]:
    found = lake.athena.get_query_execution(QueryExecutionId=execution_id)
    status = found["QueryExecution"]["Status"]
    return status["State"], status.get("StateChangeReason", "")


def test_results_and_metadata_stand_below_the_output_location(lake: Lake) -> None:
    ran = lake.run("SELECT 1 AS a, NULL AS b, 'x' AS c")
    name = f"q/{ran.execution['QueryExecutionId']}.csv"
    assert ran.execution["ResultConfiguration"]["OutputLocation"] == f"s3://results/{name}"
    assert lake.keys("q/", "results") == [name, f"{name}.metadata"]
    assert lake.text(f"s3://results/{name}") == '"a","b","c"\n"1",,"x"\n'


def test_columns_without_a_name_are_numbered(lake: Lake) -> None:
    ran = lake.run("SELECT 1, 2 AS b, 3")
    csv = lake.text(ran.execution["ResultConfiguration"]["OutputLocation"])
    assert csv.startswith('"_col0","b","_col2"\n')


def test_results_come_in_pages_and_the_header_is_the_first_row(lake: Lake) -> None:
    lake.table("t", {"n": "bigint"})
    lake.put("t/a.parquet", {"n": range(1500)})
    execution_id = lake.start("SELECT n, CAST(n AS decimal(10,2)) AS d FROM t ORDER BY n")
    pages = lake.athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id)
    found = [page["ResultSet"] for page in pages]
    assert [len(page["Rows"]) for page in found] == [1000, 501]
    cells = [row["Data"][0]["VarCharValue"] for page in found for row in page["Rows"]]
    assert cells == ["n", *map(str, range(1500))]
    info = found[0]["ResultSetMetadata"]["ColumnInfo"][1]
    assert (info["Name"], info["Type"], info["Precision"], info["Scale"]) == ("d", "decimal", 10, 2)


def test_a_failed_execution_has_a_reason_and_no_results(lake: Lake) -> None:
    execution_id = lake.start("SELECT nope")
    assert state_of(lake, execution_id)[0] == "FAILED"
    with pytest.raises(ClientError, match="did not finish successfully"):
        lake.athena.get_query_results(QueryExecutionId=execution_id)
    assert lake.keys("", "results") == []


def test_a_statement_above_the_limit_in_bytes_is_no_execution(lake: Lake) -> None:
    sql = "SELECT 'ä' AS a"
    longest = sql + " " * (262_144 - len(sql.encode()))
    assert state_of(lake, lake.start(longest))[0] == "SUCCEEDED"
    with pytest.raises(ClientError, match="262144") as refused:
        lake.start(longest + " ")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"


def test_several_executions_are_described_at_once_and_listed(lake: Lake) -> None:
    ids = [lake.start("SELECT 1 AS a"), lake.start("SELECT nope")]
    found = lake.athena.batch_get_query_execution(QueryExecutionIds=[*ids, "missing"])
    assert [e["Status"]["State"] for e in found["QueryExecutions"]] == ["SUCCEEDED", "FAILED"]
    assert [e["QueryExecutionId"] for e in found["UnprocessedQueryExecutionIds"]] == ["missing"]
    assert sorted(lake.athena.list_query_executions()["QueryExecutionIds"]) == sorted(ids)


def test_a_workgroup_that_enforces_its_location_overrides_the_callers(lake: Lake) -> None:
    for name, enforced in (("strict", True), ("lax", False)):
        place = {"OutputLocation": f"s3://results/{name}"}
        lake.athena.create_work_group(
            Name=name,
            Configuration={
                "ResultConfiguration": place,
                "EnforceWorkGroupConfiguration": enforced,
            },
        )
    for name, asked, prefix in (("strict", OUT, "strict"), ("lax", OUT, "q"), ("lax", {}, "lax")):
        started = lake.athena.start_query_execution(
            QueryString="SELECT 1 AS a", WorkGroup=name, **asked
        )
        found = lake.athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
        location = found["QueryExecution"]["ResultConfiguration"]["OutputLocation"]
        assert location.startswith(f"s3://results/{prefix}/")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ResultConfiguration": {}}, "No output location"),
        ({"WorkGroup": "nobody"}, "not found"),
    ],
)
def test_a_start_without_place_or_workgroup_is_refused(
    lake: Lake, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        lake.start("SELECT 1", **more)


def test_a_statement_above_athenas_limit_is_refused(lake: Lake) -> None:
    with pytest.raises(ClientError, match="262144"):
        lake.start("SELECT '" + "ü" * 131_072 + "'")


def test_an_unknown_execution_is_an_error(lake: Lake) -> None:
    with pytest.raises(ClientError, match="was not found"):
        lake.athena.get_query_execution(QueryExecutionId="missing")


def test_a_start_that_is_sent_again_is_the_same_execution(lake: Lake) -> None:
    token = "0123456789abcdef0123456789abcdef"
    ids = {lake.start("SELECT 1 AS a", ClientRequestToken=token) for _ in range(2)}
    assert len(ids) == 1
    assert lake.start("SELECT 1 AS a") not in ids


# ---- parameters


def test_parameters_stand_where_a_literal_may(lake: Lake) -> None:
    sql = "SELECT n, ? AS c FROM (VALUES (1, DATE '2026-01-01')) AS v(n, d) WHERE d = ? AND n > ?"
    rows = lake.rows(sql, "'it''s ?'", "DATE '2026-01-01'", "-1")
    assert rows == [("1", "it's ?")]


@pytest.mark.parametrize(
    ("sql", "parameters", "reason"),
    [
        ("SELECT ?", ["1 OR 1 = 1"], "INVALID_PARAMETER_USAGE"),
        ("SELECT ?", ["x"], "INVALID_PARAMETER_USAGE"),
        ("SELECT ?", ["'a' --"], "INVALID_PARAMETER_USAGE"),
        ("SELECT ?, ?", ["1"], "INVALID_PARAMETER_USAGE"),
        ("SELECT 1", ["1"], "INVALID_PARAMETER_USAGE"),
        ("SELECT 1 FROM ?", ["'t'"], "SYNTAX_ERROR"),
        ("SELECT 1 AS ?", ["'t'"], "SYNTAX_ERROR"),
    ],
)
def test_a_parameter_is_one_literal_and_never_a_name(
    lake: Lake, sql: str, parameters: list[str], reason: str
) -> None:
    assert lake.reason(sql, *parameters).startswith(reason)


# ---- faults


def test_the_next_executions_come_to_what_was_planned(lake: Lake) -> None:
    with next_executions(failed("GENERIC: boom"), passes(), cancelled()) as planned:
        states = [state_of(lake, lake.start("SELECT 1 AS a")) for _ in range(4)]
        assert not planned
    assert states == [
        ("FAILED", "GENERIC: boom"),
        ("SUCCEEDED", ""),
        ("CANCELLED", "Query cancelled by user"),
        ("SUCCEEDED", ""),
    ]


def test_a_plan_ends_with_its_block(lake: Lake) -> None:
    with next_executions(failed("GENERIC: boom")):
        pass
    assert lake.run("SELECT 1 AS a").state == "SUCCEEDED"


def test_a_stuck_execution_waits_until_it_is_stopped(lake: Lake) -> None:
    with next_executions(stuck()):
        execution_id = lake.start("SELECT 1 AS a")
    assert state_of(lake, execution_id) == ("QUEUED", "")
    with pytest.raises(ClientError, match="not yet finished"):
        lake.athena.get_query_results(QueryExecutionId=execution_id)
    lake.athena.stop_query_execution(QueryExecutionId=execution_id)
    assert state_of(lake, execution_id) == ("CANCELLED", "Query cancelled by user")
    assert lake.keys("", "results") == []


def test_stopping_what_is_over_changes_nothing(lake: Lake) -> None:
    execution_id = lake.start("SELECT 1 AS a")
    lake.athena.stop_query_execution(QueryExecutionId=execution_id)
    assert state_of(lake, execution_id)[0] == "SUCCEEDED"


def test_an_execution_can_succeed_without_its_rows(lake: Lake) -> None:
    unload = "UNLOAD (SELECT 1 AS a) TO 's3://lake/out/' WITH (format = 'PARQUET')"
    with next_executions(empty(), empty()):
        assert lake.run("SELECT 1 AS a").rows == []
        assert lake.run(unload).state == "SUCCEEDED"
    assert lake.keys("out/") == []


def test_an_unload_can_fail_and_leave_its_orphans(lake: Lake) -> None:
    unload = "UNLOAD (SELECT 1 AS a) TO 's3://lake/out/' WITH (format = 'PARQUET')"
    with next_executions(failed("GENERIC: boom", after_writing=True)):
        assert lake.reason(unload) == "GENERIC: boom"
    assert len(lake.keys("out/")) == 1


def test_installing_again_changes_nothing(lake: Lake) -> None:
    install()
    assert lake.rows("SELECT 1 AS a") == [("1",)]
