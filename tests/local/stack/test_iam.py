"""Which calls a policy allows, tried by users with one policy each on the running stack."""

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.stack import Stack

REGION, ACCOUNT = "eu-central-1", "123456789012"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
DYNAMODB = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}"
LAKE = "pulse_lake"

Clients = Callable[[str], Any]
_numbers = itertools.count()
_session = boto3.Session(region_name=REGION)  # one for all: it keeps what it read about services


def user(stack: Stack, *statements: dict[str, Any]) -> Clients:
    """Makes clients for a new user who has these rights only."""
    name = f"user-{next(_numbers)}"
    iam = stack.client("iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    make: Any = _session.client
    return lambda service: make(
        service,
        endpoint_url=stack.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def allow(action: str | list[str], *resources: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources), **more}


def deny(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def is_denied(call: Callable[[], Any]) -> bool:
    """Whether the call ends in AccessDenied; any other error is raised."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}:
            return True
        raise
    return False


@pytest.fixture
def bucket(stack: Stack) -> str:
    name: str = stack.deployment.outputs["BucketName"]
    for key in ("a/1", "a/2", "b/1", "a.1"):
        stack.client("s3").put_object(Bucket=name, Key=key, Body=b"x")
    return name


@pytest.fixture
def table(stack: Stack) -> str:
    return stack.deployment.resources["Table"]


def test_objects_are_judged_by_their_key(stack: Stack, bucket: str) -> None:
    s3 = user(stack, allow(["s3:GetObject", "s3:DeleteObject"], f"arn:aws:s3:::{bucket}/a/*"))("s3")
    assert not is_denied(lambda: s3.get_object(Bucket=bucket, Key="a/1"))
    assert is_denied(lambda: s3.get_object(Bucket=bucket, Key="b/1"))
    assert is_denied(lambda: s3.put_object(Bucket=bucket, Key="a/1", Body=b""))
    assert is_denied(lambda: s3.list_objects_v2(Bucket=bucket))
    assert is_denied(lambda: s3.copy_object(Bucket=bucket, Key="a/3", CopySource=f"{bucket}/b/1"))


def test_a_deletion_of_many_needs_the_right_to_each(stack: Stack, bucket: str) -> None:
    s3 = user(stack, allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/a/*"))("s3")

    def delete(*keys: str) -> list[Any]:
        objects = {"Objects": [{"Key": key} for key in keys]}
        errors: list[Any] = s3.delete_objects(Bucket=bucket, Delete=objects).get("Errors", [])
        return errors

    assert [error["Code"] for error in delete("a/1", "b/1")] == ["AccessDenied"] * 2
    assert delete("a/1", "a/2") == []


def test_versions_are_rights_of_their_own(stack: Stack, bucket: str) -> None:
    """The bucket keeps versions, as this stack's does."""
    plain = ["s3:GetObject", "s3:DeleteObject"]
    on = (f"arn:aws:s3:::{bucket}/a/*", f"arn:aws:s3:::{bucket}")
    narrow = user(stack, allow([*plain, "s3:ListBucket"], *on))("s3")
    versions = [f"{action}Version" for action in plain]
    wide = user(stack, allow([*versions, "s3:ListBucketVersions"], *on))("s3")
    admin = stack.client("s3")
    (found,) = admin.list_object_versions(Bucket=bucket, Prefix="a/2")["Versions"][:1]
    asked = {"Bucket": bucket, "Key": "a/2", "VersionId": found["VersionId"]}

    def delete(s3: Any, **named: str) -> list[str]:
        objects = {"Objects": [{"Key": "a/2", **named}]}
        reply = s3.delete_objects(Bucket=bucket, Delete=objects)
        return [error["Code"] for error in reply.get("Errors", [])]

    assert is_denied(lambda: narrow.list_object_versions(Bucket=bucket))
    assert is_denied(lambda: narrow.get_object(**asked))
    assert delete(narrow, VersionId=found["VersionId"]) == ["AccessDenied"]
    assert delete(wide) == ["AccessDenied"]
    assert not is_denied(lambda: wide.list_object_versions(Bucket=bucket))
    assert not is_denied(lambda: wide.get_object(**asked))
    assert delete(narrow) == []
    assert delete(wide, VersionId=found["VersionId"]) == []


def test_what_was_deleted_is_missing_and_makes_no_folder(stack: Stack, bucket: str) -> None:
    admin = stack.client("s3")
    admin.put_object(Bucket=bucket, Key="gone/1", Body=b"x")
    admin.delete_object(Bucket=bucket, Key="gone/1")
    listed = admin.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert "gone/" not in [found["Prefix"] for found in listed["CommonPrefixes"]]
    s3 = user(stack, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))("s3")
    assert is_denied(lambda: s3.get_object(Bucket=bucket, Key="gone/1"))


def test_listing_is_a_right_to_the_bucket(stack: Stack, bucket: str) -> None:
    s3 = user(stack, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"))("s3")
    assert not is_denied(lambda: s3.list_objects_v2(Bucket=bucket))
    assert not is_denied(lambda: s3.head_bucket(Bucket=bucket))
    assert is_denied(lambda: s3.get_object(Bucket=bucket, Key="a/1"))


def test_who_may_list_is_told_that_an_object_is_missing(stack: Stack, bucket: str) -> None:
    everything = allow("s3:*", f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*")
    s3 = user(stack, everything)("s3")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="missing")


def test_globs_are_not_regular_expressions(stack: Stack, bucket: str) -> None:
    s3 = user(
        stack,
        allow("s3:getobject", f"arn:aws:s3:::{bucket}/a.1", f"arn:aws:s3:::{bucket}/b/?"),
    )("s3")
    assert not is_denied(lambda: s3.get_object(Bucket=bucket, Key="a.1"))
    assert not is_denied(lambda: s3.get_object(Bucket=bucket, Key="b/1"))
    assert is_denied(lambda: s3.get_object(Bucket=bucket, Key="a/1"))


def test_deny_wins_and_a_condition_never_denies(stack: Stack, bucket: str) -> None:
    everywhere = f"arn:aws:s3:::{bucket}/*"
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    allowed = allow("s3:GetObject", everywhere, Condition={"StringEquals": {"aws:x": "y"}})
    s3 = user(
        stack,
        allowed,
        deny("s3:*", f"arn:aws:s3:::{bucket}/b/*"),
        deny("s3:*", everywhere, Condition=insecure),
    )("s3")
    assert not is_denied(lambda: s3.get_object(Bucket=bucket, Key="a/1"))
    assert is_denied(lambda: s3.get_object(Bucket=bucket, Key="b/1"))


def test_a_signed_link_works_without_credentials(stack: Stack, bucket: str) -> None:
    link = stack.client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "a/1"}
    )
    with urllib.request.urlopen(link) as reply:
        assert reply.read() == b"x"


def test_a_signed_link_may_what_its_signer_may(stack: Stack, bucket: str) -> None:
    s3 = user(stack, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/a/*"))("s3")

    def follow(key: str) -> int:
        link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        try:
            with urllib.request.urlopen(link) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert [follow("a/1"), follow("b/1")] == [200, 403]


def test_the_catalogue_is_judged_with_all_that_holds_an_object(stack: Stack) -> None:
    tails = ("catalog", f"database/{LAKE}", f"table/{LAKE}/readings")
    whole = user(stack, allow("glue:GetTable", *(f"{GLUE}:{t}" for t in tails)))("glue")
    table_only = user(stack, allow("glue:GetTable", f"{GLUE}:table/{LAKE}/readings"))("glue")
    assert not is_denied(lambda: whole.get_table(DatabaseName=LAKE, Name="readings"))
    assert is_denied(lambda: whole.get_partitions(DatabaseName=LAKE, TableName="readings"))
    assert is_denied(lambda: table_only.get_table(DatabaseName=LAKE, Name="readings"))


def test_items_are_judged_by_their_table_and_a_transaction_by_what_it_does(
    stack: Stack, table: str
) -> None:
    put = {"Put": {"TableName": table, "Item": {"pk": {"S": "1"}}}}
    delete = {"Delete": {"TableName": table, "Key": {"pk": {"S": "1"}}}}
    db = user(stack, allow(["dynamodb:PutItem", "dynamodb:Query"], f"{DYNAMODB}:table/{table}"))(
        "dynamodb"
    )
    assert not is_denied(lambda: db.put_item(TableName=table, Item={"pk": {"S": "1"}}))
    assert is_denied(lambda: db.get_item(TableName=table, Key={"pk": {"S": "1"}}))
    assert not is_denied(lambda: db.transact_write_items(TransactItems=[put]))
    assert is_denied(lambda: db.transact_write_items(TransactItems=[delete]))
    keys = {table: {"Keys": [{"pk": {"S": "1"}}]}}
    assert is_denied(lambda: db.batch_get_item(RequestItems=keys))


def test_items_are_judged_by_their_partition(stack: Stack, table: str) -> None:
    mine = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["mine", "mine#*"]}}
    actions = ["GetItem", "PutItem", "Query", "UpdateItem"]
    arn = f"{DYNAMODB}:table/{table}"
    db = user(stack, allow([f"dynamodb:{a}" for a in actions], arn, Condition=mine))("dynamodb")

    def calls(pk: str) -> list[Callable[[], Any]]:
        item, key = {"pk": {"S": pk}}, ":anything"
        return [
            lambda: db.get_item(TableName=table, Key=item),
            lambda: db.update_item(
                TableName=table,
                Key=item,
                UpdateExpression="SET n = :n",
                ExpressionAttributeValues={":n": {"N": "1"}},
            ),
            lambda: db.transact_write_items(
                TransactItems=[{"Put": {"TableName": table, "Item": item}}]
            ),
            lambda: db.query(
                TableName=table,
                KeyConditionExpression=f"#p = {key}",
                ExpressionAttributeNames={"#p": "pk"},
                ExpressionAttributeValues={key: {"S": pk}},
            ),
        ]

    for pk, denied in (("mine", False), ("mine#1", False), ("mines", True), ("other", True)):
        assert [is_denied(call) for call in calls(pk)] == [denied] * 4, pk


def test_listing_is_judged_by_the_prefix_and_an_event_by_its_source(
    stack: Stack, bucket: str
) -> None:
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    clients = user(
        stack,
        allow(
            "s3:ListBucket",
            f"arn:aws:s3:::{bucket}",
            Condition={"StringLike": {"s3:prefix": "a/*"}},
        ),
        allow("events:PutEvents", bus, Condition={"StringEquals": {"events:source": "me"}}),
    )
    s3, events = clients("s3"), clients("events")
    assert not is_denied(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="a/"))
    assert is_denied(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="b/"))
    assert is_denied(lambda: s3.list_objects_v2(Bucket=bucket))
    entry = {"Source": "me", "DetailType": "x", "Detail": "{}"}
    assert not is_denied(lambda: events.put_events(Entries=[entry]))
    assert is_denied(lambda: events.put_events(Entries=[{**entry, "Source": "you"}]))


def test_an_index_is_a_resource_of_its_own(stack: Stack, table: str) -> None:
    db = user(stack, allow("dynamodb:Query", f"{DYNAMODB}:table/{table}"))("dynamodb")
    query = {
        "TableName": table,
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "1"}},
    }
    assert not is_denied(lambda: db.query(**query))
    assert is_denied(lambda: db.query(IndexName="by-other", **query))


def test_statements_of_athena_are_judged_by_their_workgroup(stack: Stack) -> None:
    group = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/pulse-queries"
    athena = user(stack, allow("athena:GetWorkGroup", group))("athena")
    assert not is_denied(lambda: athena.get_work_group(WorkGroup="pulse-queries"))
    assert is_denied(lambda: athena.get_work_group(WorkGroup="primary"))
    assert is_denied(
        lambda: athena.start_query_execution(QueryString="SELECT 1", WorkGroup="pulse-queries")
    )


def test_queues_and_event_buses_are_judged_by_their_arn(stack: Stack) -> None:
    queue, dead = stack.deployment.resources["Queue"], stack.deployment.resources["DeadLetters"]
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    dead_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead.rsplit('/', 1)[1]}"
    clients = user(stack, allow("sqs:GetQueueAttributes", dead_arn), allow("events:PutEvents", bus))
    sqs, events = clients("sqs"), clients("events")
    entry = {"Source": "nobody", "DetailType": "x", "Detail": "{}"}
    assert not is_denied(lambda: sqs.get_queue_attributes(QueueUrl=dead))
    assert is_denied(lambda: sqs.get_queue_attributes(QueueUrl=queue))
    assert not is_denied(lambda: events.put_events(Entries=[entry]))
    assert is_denied(lambda: events.put_events(Entries=[{**entry, "EventBusName": "other"}]))


def test_a_wrong_secret_is_refused(stack: Stack) -> None:
    key = stack.admin_credentials["AWS_ACCESS_KEY_ID"]
    session = boto3.Session(key, "wrong", region_name=REGION)
    with pytest.raises(ClientError) as caught:
        session.client("s3", endpoint_url=stack.endpoint_url).list_buckets()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


# -- calls without a body: Lambda's


def test_a_call_without_a_body_is_signed_like_any_other(stack: Stack) -> None:
    echo = stack.deployment.functions["Echo"]
    rights = allow(["lambda:InvokeFunction", "lambda:GetFunction"], echo.arn)
    functions = user(stack, rights, allow("lambda:ListFunctions", "*"))("lambda")
    reply = functions.invoke(FunctionName=echo.name)
    assert json.load(reply["Payload"])["statusCode"] == 200
    assert functions.invoke(FunctionName=echo.arn, InvocationType="Event")["StatusCode"] == 202
    assert functions.get_function(FunctionName=echo.name)["Configuration"]["Handler"]
    assert echo.name in {one["FunctionName"] for one in functions.list_functions()["Functions"]}
    worker = stack.deployment.functions["Worker"].name
    assert is_denied(lambda: functions.invoke(FunctionName=worker))
    assert is_denied(lambda: functions.get_function(FunctionName=worker))


def test_a_dry_run_judges_the_right_and_calls_nothing(stack: Stack, log_dir: Path) -> None:
    echo = stack.deployment.functions["Echo"]
    calls = stack.client("lambda")
    stack.wait_until_idle(20)
    before = (log_dir / "Echo.log").read_text()
    asked = {"InvocationType": "DryRun", "Payload": b'{"do": "about"}'}  # which is printed
    assert calls.invoke(FunctionName=echo.name, **asked)["StatusCode"] == 204
    stack.wait_until_idle(20)
    assert (log_dir / "Echo.log").read_text() == before
    nobody = user(stack, allow("lambda:InvokeFunction", echo.arn + "-other"))("lambda")
    assert is_denied(lambda: nobody.invoke(FunctionName=echo.name, **asked))


@pytest.mark.parametrize("payload", [{}, {"Payload": b"{}"}])
def test_another_secret_signs_nothing(stack: Stack, payload: dict[str, bytes]) -> None:
    forged: Any = _session.client(
        "lambda",
        endpoint_url=stack.endpoint_url,
        aws_access_key_id=stack.admin_credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="another",
    )
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        forged.invoke(FunctionName=stack.deployment.functions["Echo"].name, **payload)
