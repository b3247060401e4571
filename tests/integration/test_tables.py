"""Every statement gives the rows that the cases below tests/tables expect, on the chosen Athena.

That is the embedded one, and with PULSE_ENGINE=trino a real Trino (make test-trino).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from pulse import days, lake
from pulse.sql import spread, statement
from pulse.store.athena import statement_text
from pulse.store.catalog import Catalog, Partition
from pulse.store.clients import client
from pulse.store.objects import Objects
from tests.driver import Driver, running
from tests.lake_objects import body
from tests.table_cases import Case, Laid, Row, columns_of, read_cases, together

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CASES = read_cases()
Answers = Callable[[Case], Sequence[Row]]


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """What a case's statement answers; those of one company are asked for once."""
    found: dict[Case, Sequence[Row]] = {}
    with days.clock(lambda: NOON), running() as driver:
        for case in CASES:
            for number, one in enumerate(case.laid):
                lay(driver, one, f"{case.name}-{number}")

        def answer(case: Case) -> Sequence[Row]:
            if case not in found:
                company = [one for one in CASES if one.company == case.company]
                found.update(answered(driver, company))
            return found[case]

        yield answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_statement_answers_these_rows(answers: Answers, case: Case) -> None:
    found = answers(case)
    named = {name for row in case.expected for name in row}
    assert all(named <= row.keys() for row in found)
    rows, expected = ([short(case, row) for row in some] for some in (found, case.expected))
    if "\nORDER BY" not in statement(case.folder, case.statement):
        rows.sort(key=repr)
        expected.sort(key=repr)
    assert rows == expected, case.why


def short(case: Case, row: Row) -> Row:
    """The row without what a case need not say."""
    return {name: row[name] for name in sorted(row) if row[name] != case.default(name)}


# -- the lake


def lay(driver: Driver, laid: Laid, name: str) -> None:
    """Put rows of a day where their table looks for them."""
    dataset, bucket = laid.dataset, driver.settings.lake_bucket
    folder = f"{lake.run_prefix(dataset, laid.run or 'published')}dt={laid.day}/"
    key = f"{folder}{name}.parquet"
    if laid.kind == "raw":
        assert isinstance(dataset, lake.Dataset)
        key = lake.raw_key(dataset.stream, laid.day, name)
    if laid.rows:
        Objects(bucket).put(key, body(columns_of(dataset, laid.kind), laid.rows))
    if laid.kind == "daily":
        partition = Partition(laid.day, "published", 1, len(laid.rows))
        catalog = Catalog(driver.settings.database)
        catalog.point(dataset.daily_table, {partition: f"s3://{bucket}/{folder}"})


def answered(driver: Driver, company: Sequence[Case]) -> dict[Case, Sequence[Row]]:
    """What one statement answers about some cases, each with the rows of its days."""
    first = company[0]
    parameters = together(company) if len(company) > 1 else first.parameters
    text = statement(first.folder, first.statement)
    rows = ask(driver, statement_text(*spread(text, parameters, "runs")))
    if len(company) == 1:
        return {first: rows}
    found: dict[Case, list[Row]] = {case: [] for case in company}
    whose = {day: case for case in company for day in case.parameters["days"]}
    for row in rows:
        found[whose[row.get("dt") or row["day"]]].append(row)
    return dict(found)


def ask(driver: Driver, text: str) -> list[Row]:
    """The rows of a SELECT, each value of its column's type."""
    athena = client("athena")
    execution = athena.start_query_execution(
        QueryString=text,
        QueryExecutionContext={"Database": driver.settings.database},
        WorkGroup=driver.settings.workgroup,
    )
    told = {"QueryExecutionId": execution["QueryExecutionId"]}
    status = athena.get_query_execution(**told)["QueryExecution"]["Status"]
    assert status["State"] == "SUCCEEDED", status
    result = athena.get_query_results(**told)
    assert "NextToken" not in result
    columns = result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    return [
        {
            column["Name"]: value(column["Type"], cell.get("VarCharValue"))
            for column, cell in zip(columns, row["Data"], strict=True)
        }
        for row in result["ResultSet"]["Rows"][1:]
    ]


def value(kind: str, text: str | None) -> Any:
    """What Athena's text says in a column of a type; decimals stay text, with all their digits."""
    match kind:
        case _ if text is None:
            return None
        case "integer" | "bigint":
            return int(text)
        case "boolean":
            return text == "true"
    return text
