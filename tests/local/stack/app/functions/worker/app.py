"""A function behind the queue and the rule: it stores its events, and fails when told to."""

import json
import os
import time
import uuid
from typing import Any

import boto3

s3 = boto3.client("s3")


def handler(event: dict[str, Any], context: Any) -> Any:
    if "Records" in event:
        return take_batch(event["Records"])
    if event.get("do") == "sleep":
        time.sleep(60)
    store("events", event)
    if event.get("detail", {}).get("fail") or event.get("do") == "fail":
        raise RuntimeError("as asked")
    return {"stored": True}


def take_batch(records: list[dict[str, Any]]) -> dict[str, Any]:
    store("batches", records)
    bodies = {r["messageId"]: r["body"] for r in records}
    if "explode" in bodies.values():
        raise RuntimeError("the whole batch")
    return {"batchItemFailures": [{"itemIdentifier": i} for i, b in bodies.items() if b == "bad"]}


def store(folder: str, content: Any) -> None:
    key = f"{folder}/{time.time_ns()}-{uuid.uuid4()}.json"
    s3.put_object(Bucket=os.environ["BUCKET"], Key=key, Body=json.dumps(content).encode())
