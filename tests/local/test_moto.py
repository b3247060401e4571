"""The embedded stack's changes to moto: Glue, DynamoDB and S3 with many things and callers."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models.table import Table
from moto.s3.models import s3_backends
from moto.s3.utils import _VersionedKeyStore

from local import dynamodb, glue, versions

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
DAYS = [(date(2000, 1, 1) + timedelta(days=number)).isoformat() for number in range(2500)]
WHERE = {"DatabaseName": "lake", "TableName": "daily"}
COLUMNS = [{"Name": "n", "Type": "bigint"}]


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    glue.install()
    dynamodb.install()
    versions.install()
    with mock_aws():
        yield


def client(service: Any) -> Any:
    return boto3.client(service, region_name=REGION)


@pytest.fixture
def catalogue() -> Any:
    """Glue with a table of 2,500 days."""
    made = client("glue")
    made.create_database(DatabaseInput={"Name": "lake"})
    keys = [{"Name": "dt", "Type": "string"}]
    made.create_table(DatabaseName="lake", TableInput={"Name": "daily", "PartitionKeys": keys})
    for first in range(0, len(DAYS), 100):
        inputs = [
            {
                "Values": [day],
                "StorageDescriptor": {"Columns": COLUMNS, "Location": f"s3://lake/{day}/"},
                "Parameters": {"run": f"of {day}"},
            }
            for day in reversed(DAYS[first : first + 100])
        ]
        made.batch_create_partition(**WHERE, PartitionInputList=inputs)
    return made


def test_partitions_come_in_pages_each_once(catalogue: Any) -> None:
    pages = list(catalogue.get_paginator("get_partitions").paginate(**WHERE))
    assert [len(page["Partitions"]) for page in pages] == [1000, 1000, 500]
    found = [one for page in pages for one in page["Partitions"]]
    assert [one["Values"][0] for one in found] == DAYS
    assert found[7]["StorageDescriptor"] == {
        "Columns": COLUMNS,
        "Location": f"s3://lake/{DAYS[7]}/",
    }
    assert found[7]["Parameters"] == {"run": f"of {DAYS[7]}"}
    assert found[7]["CreationTime"].tzinfo is not None
    small = catalogue.get_partitions(**WHERE, MaxResults=3, ExcludeColumnSchema=True)
    assert len(small["Partitions"]) == 3
    assert "Columns" not in small["Partitions"][0]["StorageDescriptor"]


def test_partitions_are_filtered_and_found_by_name(catalogue: Any) -> None:
    filtered = catalogue.get_partitions(**WHERE, Expression=f"dt >= '{DAYS[-2]}'")
    assert [one["Values"][0] for one in filtered["Partitions"]] == DAYS[-2:]
    asked = [{"Values": [day]} for day in (DAYS[5], "1999-01-01", DAYS[2000])]
    named = catalogue.batch_get_partition(**WHERE, PartitionsToGet=asked)["Partitions"]
    assert [one["Values"][0] for one in named] == [DAYS[5], DAYS[2000]]
    too_many = [{"Values": [day]} for day in DAYS[:1001]]
    with pytest.raises(ClientError, match="ValidationException"):
        catalogue.batch_get_partition(**WHERE, PartitionsToGet=too_many)
    with pytest.raises(ClientError, match="EntityNotFound"):
        catalogue.get_partitions(DatabaseName="lake", TableName="none")


@pytest.fixture
def records() -> Any:
    """DynamoDB with a table of two keys."""
    made = client("dynamodb")
    names = ("pk", "HASH"), ("sk", "RANGE")
    made.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in names],
        BillingMode="PAY_PER_REQUEST",
    )
    return made


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def put(item: dict[str, Any], condition: str = "attribute_not_exists(pk)") -> dict[str, Any]:
    return {"Put": {"TableName": "t", "Item": item, "ConditionExpression": condition}}


def test_a_transaction_that_fails_leaves_everything_as_it_was(
    records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This includes what another caller has meanwhile written to another record."""
    records.put_item(TableName="t", Item=key("a", "there") | {"n": {"N": "1"}})
    records.put_item(TableName="t", Item=key("a", "taken"))
    real = Table.put_item

    def put_item(self: Table, *args: Any, **given: Any) -> Any:
        monkeypatch.setattr(Table, "put_item", real)
        real(self, key("a", "of another"))
        return real(self, *args, **given)

    monkeypatch.setattr(Table, "put_item", put_item)
    count = {
        "TableName": "t",
        "Key": key("a", "there"),
        "UpdateExpression": "SET n = :two",
        "ExpressionAttributeValues": {":two": {"N": "2"}},
    }
    items = [put(key("a", "new")), {"Update": count}, put(key("a", "taken"))]
    with pytest.raises(ClientError, match="TransactionCanceled"):
        records.transact_write_items(TransactItems=items)
    found = records.query(
        TableName="t",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "a"}},
    )["Items"]
    assert [item["sk"]["S"] for item in found] == ["of another", "taken", "there"]
    assert found[2]["n"] == {"N": "1"}


def test_a_transaction_is_made_once_however_often_it_is_sent_with_its_token(records: Any) -> None:
    """botocore sends the same token when it tries again, as after a reply that was lost."""
    for _ in range(2):
        records.transact_write_items(TransactItems=[put(key("a", "new"))], ClientRequestToken="one")
    for token in ("two", "two"):  # what has failed is not remembered
        with pytest.raises(ClientError, match="TransactionCanceled"):
            records.transact_write_items(
                TransactItems=[put(key("a", "new"))], ClientRequestToken=token
            )


def test_additions_at_once_are_all_counted(records: Any) -> None:
    def add() -> None:
        records.update_item(
            TableName="t",
            Key=key("a", "counter"),
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(add) for _ in range(200)]:
                done.result()
    finally:
        sys.setswitchinterval(before)
    assert records.get_item(TableName="t", Key=key("a", "counter"))["Item"]["n"] == {"N": "200"}


def test_a_query_looks_at_the_records_of_its_key_alone(
    records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        records.put_item(TableName="t", Item=key("other", f"{number:03d}"))
    for sk in "dbca":
        records.put_item(TableName="t", Item=key("mine", sk))
    looked: list[int] = []
    real: Callable[[Table], list[Any]] = Table.all_items

    def all_items(self: Table) -> list[Any]:
        found = real(self)
        looked.append(len(found))
        return found

    monkeypatch.setattr(Table, "all_items", all_items)
    found = records.query(
        TableName="t",
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={":pk": {"S": "mine"}, ":first": {"S": "b"}, ":last": {"S": "c"}},
    )["Items"]
    assert [item["sk"]["S"] for item in found] == ["b", "c"]
    assert looked == [4]
    nothing = records.query(
        TableName="t",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "nobody"}},
    )
    assert nothing["Items"] == []


@pytest.fixture
def objects() -> Any:
    made = client("s3")
    where = {"LocationConstraint": REGION}
    made.create_bucket(Bucket="lake", CreateBucketConfiguration=where)
    versioned = {"Status": "Enabled"}
    made.put_bucket_versioning(Bucket="lake", VersioningConfiguration=versioned)
    for name in ("a/1", "a/2", "b/3"):
        made.put_object(Bucket="lake", Key=name, Body=name.encode())
    return made


def test_a_listing_outlives_an_object_that_goes_meanwhile(
    objects: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = s3_backends["123456789012"]["aws"].buckets["lake"].keys
    lock = threading.Lock()

    def get_item(self: Any, name: str) -> Any:
        with lock:
            if dict.__contains__(keys, "b/3"):
                dict.pop(keys, "b/3")  # it goes while the others are looked at
        return dict.__getitem__(self, name)[-1]

    with monkeypatch.context() as patched:
        patched.setattr(_VersionedKeyStore, "__getitem__", get_item)
        found = objects.list_objects_v2(Bucket="lake")["Contents"]
    assert {"a/1", "a/2"} <= {one["Key"] for one in found}


def test_versions_below_a_prefix_are_listed(objects: Any) -> None:
    objects.put_object(Bucket="lake", Key="a/1", Body=b"newer")
    objects.delete_object(Bucket="lake", Key="a/2")
    found = objects.list_object_versions(Bucket="lake", Prefix="a/")
    latest = [(one["Key"], one["IsLatest"]) for one in found["Versions"]]
    assert latest == [("a/1", True), ("a/1", False), ("a/2", False)]
    assert [one["Key"] for one in found["DeleteMarkers"]] == ["a/2"]
    assert [one["Key"] for one in objects.list_objects_v2(Bucket="lake")["Contents"]] == [
        "a/1",
        "b/3",
    ]


def test_a_record_comes_back_with_each_kind_of_value() -> None:
    """Also with those that quick_moto leaves to moto, alone and within others."""
    made = client("dynamodb")
    made.create_table(
        TableName="kinds",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    plain = {
        "text": {"S": "é"},
        "empty": {"S": ""},
        "number": {"N": "12.50"},
        "yes": {"BOOL": True},
        "no": {"BOOL": False},
        "nothing": {"NULL": True},
        "texts": {"SS": ["a", "b"]},
        "bytes": {"B": b"\x00\xff"},
    }
    item = {
        "pk": {"S": "one"},
        **plain,
        "list": {"L": [{"S": "a"}, {"L": []}, {"M": {"n": {"N": "1"}}}]},
        "map": {"M": {"deep": {"M": {}}, "yes": {"BOOL": True}}},
        "all in a list": {"L": list(plain.values())},
        "all in a map": {"M": plain},
    }
    made.put_item(TableName="kinds", Item=item)
    assert made.get_item(TableName="kinds", Key={"pk": {"S": "one"}})["Item"] == item
    assert made.scan(TableName="kinds")["Items"] == [item]


def test_types_of_instances_are_not_read_and_other_files_of_moto_are() -> None:
    program = (
        "import local.cloudformation\n"
        "from moto.config.models import MANAGED_RULES\n"
        "from moto.ec2.models import instance_types as types\n"
        "assert not types.INSTANCE_TYPES\n"
        "for regions in types.INSTANCE_TYPE_OFFERINGS.values():\n"
        "    assert not any(regions.values())\n"
        "assert MANAGED_RULES['ManagedRules']\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
