"""Follows docs/finance.md step by step to query finance's files in Athena.

The files are those that export_revenue writes, copied as the commands say; the tables are what the
documented DDL declares; the query is the documented one.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

import pytest
from sqlglot import exp, parse_one

from pulse import days
from pulse.store.clients import client
from tests.books import Books, interaction
from tests.driver import REGION, ROOT, Driver, running

PAGE = (ROOT / "docs" / "finance.md").read_text()
DDL = re.findall(r"(?ms)^(CREATE EXTERNAL TABLE .*?);$", PAGE)
[QUERY] = re.findall(r"(?ms)^(SELECT .*?);$", PAGE)
COPIES = re.findall(r"aws s3 sync \. s3://OUR_BUCKET/(\S+) --exclude '\*' --include '(\S+)'", PAGE)
"""Where files are copied to, and which."""
OURS = "our-bucket"
HADOOP = "org.apache.hadoop.hive.ql.io"
FORMATS: Mapping[str, Mapping[str, str]] = {
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": {
        "InputFormat": f"{HADOOP}.parquet.MapredParquetInputFormat",
        "OutputFormat": f"{HADOOP}.parquet.MapredParquetOutputFormat",
    },
}
"""What Hive means by STORED AS PARQUET."""
MONTHS = {"projection.month.type": "enum", "projection.month.values": "2026-10,2026-11"}
"""Trino knows no projection by months (its DateProjection says so), Athena's documentation does:
here they are listed. Everything else of the declaration stays as the page has it."""
OCTOBER = "2026-10-31"


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with running() as driver:
        client("s3").create_bucket(
            Bucket=OURS, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield driver


@pytest.fixture
def books(pulse: Driver) -> Iterator[Books]:
    """6 November 2026: October is not closed yet."""
    books = Books(pulse.finance_settings)
    with days.clock(lambda: books.now):
        books.tenant()
        books.tenant("globex")
        yield books


def table_input(ddl: str) -> Any:
    """What Athena notes in Glue of a CREATE EXTERNAL TABLE."""
    create = parse_one(ddl.replace("OUR_BUCKET", OURS), read="hive")

    def columns(schema: exp.Expression) -> list[dict[str, str]]:
        return [
            {"Name": column.name, "Type": column.args["kind"].sql("hive").lower().replace(" ", "")}
            for column in schema.expressions
        ]

    def the(kind: type[exp.Expression]) -> Any:
        return create.find(kind)

    serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    assert the(exp.FileFormatProperty).name == "PARQUET"
    return {
        "Name": create.this.this.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            **{
                p.name: p.args["value"].name
                for p in create.args["properties"].expressions
                if type(p) is exp.Property
            }
            | MONTHS,
        },
        "PartitionKeys": columns(the(exp.PartitionedByProperty).this),
        "StorageDescriptor": {
            "Columns": columns(create.this),
            "Location": the(exp.LocationProperty).name,
            "SerdeInfo": {"SerializationLibrary": serde},
            **FORMATS[serde],
        },
    }


def follow_the_page(pulse: Driver, books: Books) -> None:
    """Copy finance's files and create the tables, as the page says."""
    s3 = client("s3")
    finance = books.settings.finance_bucket
    for item in s3.list_objects_v2(Bucket=finance, Prefix="revenue/")["Contents"]:
        name = item["Key"].removeprefix("revenue/")
        for to, pattern in COPIES:
            if fnmatch(name, pattern):
                body = s3.get_object(Bucket=finance, Key=item["Key"])["Body"].read()
                s3.put_object(Bucket=OURS, Key=f"{to}{name}", Body=body)
    for ddl in DDL:
        client("glue").create_table(
            DatabaseName=pulse.settings.database, TableInput=table_input(ddl)
        )


def ask(pulse: Driver, sql: str) -> list[tuple[str | None, ...]]:
    """What Athena answers in the stack's workgroup, as text."""
    athena = client("athena")
    execution = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": pulse.settings.database},
        WorkGroup=pulse.settings.workgroup,
    )["QueryExecutionId"]
    status = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
    assert status["State"] == "SUCCEEDED", status
    rows = athena.get_query_results(QueryExecutionId=execution)["ResultSet"]["Rows"]
    return [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in rows[1:]]


def test_the_page_has_two_tables_and_their_copies() -> None:
    assert [table_input(ddl)["Name"] for ddl in DDL] == ["revenue_files", "revenue_adjustments"]
    assert len(COPIES) == 2


def test_closed_files_and_adjustments_add_up_as_the_page_says(pulse: Driver, books: Books) -> None:
    books.record(
        interaction(OCTOBER, "0.1", customer_segment="gold"),
        interaction(OCTOBER, "0.2", customer_segment="gold"),
        interaction(OCTOBER, "-12.5", currency="USD", service_type="returns"),
        interaction(OCTOBER, "1500", currency="JPY"),
        interaction(OCTOBER, "0", currency="BHD"),
        interaction("2026-11-01", "99999999999999.9999"),
    )
    books.record(interaction(OCTOBER, "7"), tenant="globex")
    assert books.export().finished
    books.wait(days=2)
    assert books.export().finished
    assert books.manifest()["state"] == "closed"
    books.record(interaction(OCTOBER, "0.125", currency="BHD"))
    assert books.export().finished
    books.wait(hours=1)
    books.record(interaction(OCTOBER, "0.05", customer_segment="gold"))
    books.record(interaction(OCTOBER, "-7"), tenant="globex")
    assert books.export().finished
    follow_the_page(pulse, books)

    assert ask(pulse, QUERY) == [
        ("2026-10", "BHD", "0.1250"),
        ("2026-10", "EUR", "0.3500"),
        ("2026-10", "JPY", "1500.0000"),
        ("2026-10", "USD", "-12.5000"),
        ("2026-11", "EUR", "99999999999999.9999"),
    ]
    files = (
        "SELECT day, customer_segment, service_type, currency, interactions_with_revenue, "
        "avg_revenue FROM revenue_files WHERE tenant = 'acme' AND month = '2026-10' "
        "ORDER BY currency"
    )
    assert ask(pulse, files) == [
        (OCTOBER, None, None, "BHD", "0", None),
        (OCTOBER, "gold", None, "EUR", "2", "0.1500"),
        (OCTOBER, None, None, "JPY", "1", "1500.0000"),
        (OCTOBER, None, "returns", "USD", "1", "-12.5000"),
    ]
    adjustments = "SELECT * FROM revenue_adjustments WHERE tenant = 'acme' ORDER BY currency"
    assert ask(pulse, adjustments) == [
        (OCTOBER, "voice", None, None, "BHD", "1", "0.1250", "acme", "2026-10"),
        (OCTOBER, "voice", "gold", None, "EUR", "1", "0.0500", "acme", "2026-10"),
    ]


def test_texts_are_read_as_the_page_says(pulse: Driver, books: Books) -> None:
    books.record(interaction(OCTOBER, "1"))
    books.wait(days=2)
    assert books.export().finished
    texts = ['a "b", c', "Zoë", "=1", "a\\b", "a\nb"]
    for number, text in enumerate(texts):
        books.record(interaction(OCTOBER, f"1{number}", customer_segment=text))
    assert books.export().finished
    follow_the_page(pulse, books)
    adjustments = (
        "SELECT customer_segment, revenue FROM revenue_adjustments WHERE tenant = 'acme' "
        "AND customer_segment <> '' ORDER BY revenue"
    )
    assert ask(pulse, adjustments) == [
        (text, f"1{number}.0000") for number, text in enumerate(texts)
    ]
