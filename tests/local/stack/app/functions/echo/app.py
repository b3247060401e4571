"""A function behind the API: it does what `do` in the query says, or replies with the event."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import wording  # type: ignore[import-not-found]


def handler(event: dict[str, Any], context: Any) -> Any:
    query = {k: v[0] for k, v in parse_qs(event.get("rawQueryString", "")).items()}
    do = globals()["do_" + query.get("do", event.get("do", "echo"))]
    return do(event, context)


def do_echo(event: dict[str, Any], context: Any) -> Any:
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(event),
    }


def do_about(event: dict[str, Any], context: Any) -> Any:
    print("printed by the handler")  # noqa: T201
    os.write(1, b"written to the file descriptor\n")
    return {
        "layer": wording.LAYER,
        "environment": dict(os.environ),
        "path": sys.path,
        "cwd": str(Path.cwd()),
        "context": [
            context.function_name,
            context.memory_limit_in_mb,
            context.invoked_function_arn,
        ],
        "remaining": context.get_remaining_time_in_millis(),
        "request_id": context.aws_request_id,
        "pid": os.getpid(),
    }


def do_count(event: dict[str, Any], context: Any) -> Any:
    """Prints a metric as CloudWatch's embedded metric format has it, and what is none."""
    for value in ([2.0, 3.0], 4.0):
        metric = {
            "Namespace": "Echo",
            "Dimensions": [["of"]],
            "Metrics": [{"Name": "Echoes", "Unit": "Count"}],
        }
        told = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
        print(json.dumps({"_aws": told, "of": "test", "Echoes": value}, separators=(",", ":")))  # noqa: T201
        print('{"level": "INFO"}')  # noqa: T201


def do_parquet(event: dict[str, Any], context: Any) -> Any:
    """Writes a table with the codec that is asked for."""
    from pyarrow import BufferOutputStream, parquet, table

    parquet.write_table(table({"a": [1]}), BufferOutputStream(), compression=event["codec"])
    return event["codec"]


def do_fail(event: dict[str, Any], context: Any) -> Any:
    raise ValueError("as asked")


def do_exit(event: dict[str, Any], context: Any) -> Any:
    os._exit(7)


def do_unserialisable(event: dict[str, Any], context: Any) -> Any:
    return {"statusCode": 200, "body": {1, 2}}


def do_large(event: dict[str, Any], context: Any) -> Any:
    return {"statusCode": 200, "body": "x" * (7 * 1024 * 1024)}


def do_binary(event: dict[str, Any], context: Any) -> Any:
    return {
        "statusCode": 201,
        "headers": {"Content-Type": "image/gif", "Access-Control-Allow-Origin": "*", "ETag": '"1"'},
        "cookies": ["a=1", "b=2"],
        "body": "R0lGODlh",
        "isBase64Encoded": True,
    }


def do_sleep(event: dict[str, Any], context: Any) -> Any:
    time.sleep(event["seconds"])
    return os.getpid()


def do_read(event: dict[str, Any], context: Any) -> Any:
    return (
        boto3.client("s3")
        .get_object(Bucket=os.environ["BUCKET"], Key=event["key"])["Body"]
        .read()
        .decode()
    )


def do_get_item(event: dict[str, Any], context: Any) -> Any:
    table = os.environ["TABLE"]
    return boto3.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "1"}}).get("Item")


def do_put_item(event: dict[str, Any], context: Any) -> Any:
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": "1"}})


def do_announce(event: dict[str, Any], context: Any) -> Any:
    detail = json.dumps(event["detail"])
    reply = boto3.client("events").put_events(
        Entries=[{"Source": event["source"], "DetailType": event["type"], "Detail": detail}]
    )
    return reply["FailedEntryCount"]


def do_call(event: dict[str, Any], context: Any) -> Any:
    reply = boto3.client("lambda").invoke(
        FunctionName=event["function"],
        InvocationType=event["type"],
        Payload=json.dumps(event["payload"]),
    )
    return [reply["StatusCode"], reply.get("FunctionError"), reply["Payload"].read().decode()]
