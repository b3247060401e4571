"""A lake on moto whose Athena executes: buckets, tables, and one call that runs a statement."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.client
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from local.athena import install
from local.athena.engine import engine_name

ACCESS_KEY = "AKIATESTTESTTESTTEST"  # pragma: allowlist secret
REGION = "us-east-1"
SESSION = boto3.Session(region_name=REGION)
"""Shared by all: it reads the services' descriptions once, which takes longer than most tests."""


PARQUET: Any = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    },
}
"""How Glue says that a table's or a partition's objects are Parquet."""


def on_trino() -> bool:
    """Whether the statements of this run go to a real Trino (PULSE_ENGINE=trino)."""
    return engine_name() == "trino"


S3Calls = list[tuple[str, str]]


def listed(calls: S3Calls) -> list[str]:
    """The prefixes of the listings among the calls."""
    return [prefix for operation, prefix in calls if operation == "ListObjectsV2"]


def read_keys(calls: S3Calls) -> list[str]:
    """The keys of the objects read among the calls."""
    return [key for operation, key in calls if operation == "GetObject"]


@dataclass(frozen=True)
class Ran:
    """An execution that is over: its description, and the rows if it succeeded."""

    execution: dict[str, Any]
    rows: list[tuple[str | None, ...]]
    types: list[str]

    @property
    def state(self) -> str:
        return str(self.execution["Status"]["State"])

    @property
    def reason(self) -> str:
        return str(self.execution["Status"].get("StateChangeReason", ""))

    @property
    def scanned(self) -> int:
        return int(self.execution["Statistics"]["DataScannedInBytes"])


class Lake:
    """Buckets `lake` and `results`, the database `db`, and Athena over them."""

    def __init__(self, endpoint_url: str | None = None, **credentials: Any) -> None:
        asked = {"endpoint_url": endpoint_url, "region_name": REGION} | credentials
        self.s3 = SESSION.client("s3", **asked)
        self.glue = SESSION.client("glue", **asked)
        self.athena: Any = SESSION.client("athena", **asked)

    def create(self) -> "Lake":
        for bucket in ("lake", "results"):
            self.s3.create_bucket(Bucket=bucket)
        self.glue.create_database(DatabaseInput={"Name": "db"})
        return self

    def start(self, sql: str, **more: Any) -> str:
        asked = {"ResultConfiguration": {"OutputLocation": "s3://results/q"}} | more
        started = self.athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": "db"}, **asked
        )
        return str(started["QueryExecutionId"])

    def run(self, sql: str, *parameters: str, **more: Any) -> Ran:
        if parameters:
            more["ExecutionParameters"] = list(parameters)
        execution_id = self.start(sql, **more)
        found = self.athena.get_query_execution(QueryExecutionId=execution_id)
        execution = found["QueryExecution"]
        if execution["Status"]["State"] != "SUCCEEDED":
            return Ran(execution, [], [])
        result = self.athena.get_query_results(QueryExecutionId=execution_id)["ResultSet"]
        rows = [tuple(c.get("VarCharValue") for c in row["Data"]) for row in result["Rows"]]
        columns = result["ResultSetMetadata"]["ColumnInfo"]
        return Ran(execution, rows[1:], [column["Type"] for column in columns])

    def rows(self, sql: str, *parameters: str) -> list[tuple[str | None, ...]]:
        ran = self.run(sql, *parameters)
        assert ran.state == "SUCCEEDED", ran.reason
        return ran.rows

    def reason(self, sql: str, *parameters: str) -> str:
        ran = self.run(sql, *parameters)
        assert ran.state == "FAILED", ran.rows
        return ran.reason

    def table(
        self,
        name: str,
        columns: Mapping[str, str],
        keys: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        storage: Any = {
            "Location": f"s3://lake/{name}/",
            "Columns": [{"Name": n, "Type": t} for n, t in columns.items()],
            **PARQUET,
        }
        self.glue.create_table(
            DatabaseName="db",
            TableInput={
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": dict(properties or {}),
                "PartitionKeys": [{"Name": n, "Type": t} for n, t in (keys or {}).items()],
                "StorageDescriptor": storage,
            },
        )

    def partition(self, table: str, values: Sequence[str], location: str) -> None:
        storage: Any = {"Location": location, **PARQUET}
        self.glue.create_partition(
            DatabaseName="db",
            TableName=table,
            PartitionInput={"Values": list(values), "StorageDescriptor": storage},
        )

    def partitions(self, table: str, locations: Mapping[str, str]) -> None:
        """Many partitions with one key each."""
        inputs: list[Any] = [
            {"Values": [value], "StorageDescriptor": {"Location": location, **PARQUET}}
            for value, location in locations.items()
        ]
        for start in range(0, len(inputs), 100):
            self.glue.batch_create_partition(
                DatabaseName="db", TableName=table, PartitionInputList=inputs[start : start + 100]
            )

    def put(self, key: str, columns: Mapping[str, Any]) -> int:
        """Write a Parquet object; its size."""
        sink = io.BytesIO()
        pq.write_table(pa.table(dict(columns)), sink)
        self.s3.put_object(Bucket="lake", Key=key, Body=sink.getvalue())
        return len(sink.getvalue())

    def keys(self, prefix: str, bucket: str = "lake") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def read(self, key: str) -> pa.Table:
        body = self.s3.get_object(Bucket="lake", Key=key)["Body"].read()
        return pq.ParquetFile(pa.BufferReader(body)).read()

    def text(self, url: str) -> str:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


@pytest.fixture(scope="session")
def clients() -> Lake:
    """Clients for all tests: moto answers them whenever a mock is on."""
    install()
    return Lake(aws_access_key_id=ACCESS_KEY, aws_secret_access_key="secret")


@pytest.fixture
def lake(clients: Lake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """An empty lake."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield clients.create()


@pytest.fixture
def s3_calls(monkeypatch: pytest.MonkeyPatch) -> S3Calls:
    """(operation, prefix or key) of every read of S3 from now on, by whomever."""
    seen: S3Calls = []
    original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined] # not in stubs

    def recorded(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation in ("ListObjectsV2", "GetObject"):
            seen.append((operation, parameters.get("Prefix") or parameters.get("Key", "")))
        return original(client, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", recorded)
    return seen
