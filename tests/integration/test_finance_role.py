"""Finance on the embedded stack: the function is woken, the role reads its files and nothing else.

Every call is judged by IAM there, the function's own as well.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.stack import Stack
from pulse import days, lake
from pulse.settings import ExportRevenueSettings
from pulse.store import clients
from pulse.store.events import Events
from tests.books import Books, interaction

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    logs = tmp_path_factory.mktemp("logs")
    with Stack.start(TEMPLATE, port=0, parameters={}, log_dir=logs) as running:
        yield running


@pytest.fixture
def books(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    """The books of the stack; the operator's clients are the administrator's."""
    clients._made.cache_clear()
    for name, value in stack.admin_credentials.items():
        monkeypatch.setenv(name, value)
    environment = stack.deployment.functions["ExportRevenue"].environment
    yield Books(ExportRevenueSettings.from_environment(environment))
    clients._made.cache_clear()


def as_finance(stack: Stack) -> Any:
    """The S3 client of somebody who took the finance role."""
    role = stack.deployment.outputs["FinanceRole"]
    given = stack.client("sts").assume_role(RoleArn=role, RoleSessionName="finance")["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=stack.endpoint_url,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def refused(call: Callable[[], Any]) -> bool:
    with pytest.raises(ClientError) as caught:
        call()
    return bool(caught.value.response["Error"]["Code"] == "AccessDenied")


def test_built_reports_wake_the_export_and_finance_reads_it_and_no_more(
    stack: Stack, books: Books
) -> None:
    books.tenant()
    month = days.now() - timedelta(days=60)
    books.record(interaction(f"{month:%Y-%m-%d}", "12.5"))
    Events(books.settings.event_source).announce("reports built")
    stack.wait_until_idle(60)

    finance, bucket = as_finance(stack), stack.deployment.outputs["FinanceBucket"]
    prefix = lake.revenue_prefix("acme", f"{month:%Y-%m}")
    listed = finance.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert [found["Key"].removeprefix(prefix) for found in listed] == [
        "manifest.json",
        "revenue.csv",
        "revenue.parquet",
    ]
    body = finance.get_object(Bucket=bucket, Key=f"{prefix}revenue.csv")["Body"].read()
    assert f"{month:%Y-%m-%d},voice,,,EUR,1,12.5000,12.5000".encode() in body

    key = lake.report_key(lake.INTERACTIONS, "acme", month.year)
    own = books.settings.lake_bucket
    assert refused(lambda: finance.put_object(Bucket=bucket, Key=f"{prefix}x", Body=b""))
    assert refused(lambda: finance.delete_object(Bucket=bucket, Key=f"{prefix}revenue.csv"))
    assert refused(lambda: finance.get_object(Bucket=bucket, Key="elsewhere"))
    assert refused(lambda: finance.get_object(Bucket=own, Key=key))
    assert refused(lambda: finance.list_objects_v2(Bucket=own))
