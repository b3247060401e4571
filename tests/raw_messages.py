"""Messages for write_raw as SQS delivers them, and the rows in the lake afterwards."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError
from pyarrow.parquet import ParquetFile

from functions.write_raw import app
from pulse.store.clients import client
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from tests.unit.raw.mmdb import database

CONTEXT = SimpleNamespace(
    function_name="write_raw",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:write-raw",
    aws_request_id="0dc1c3d8-6a3d-4c3c-8a44-4c7d3f6f3b1e",
)
COUNTRIES = database(
    {"203.0.113.0/24": {"country_code": "DE"}, "2001:db8:1::/48": {"country": {"iso_code": "FR"}}}
)
T0 = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z, where the clock stands


def item(n: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "survey": "checkout",
        "metric": "csat",
        "scale": "1-5",
        "response_id": f"r-{n}",
        "answered_us": T0,
        "score": 5,
        "channel": "chat",
        **fields,
    }


def record(
    message_id: str, *items: Any, ip: str | None = None, body: str | None = None, **envelope: Any
) -> dict[str, Any]:
    """One message as a record of Lambda's event."""
    message = {
        "v": 1,
        "stream": "responses",
        "tenant": "demo",
        "key_kind": "secret",
        "received_us": T0,
        "request_id": "id",
        "items": items,
        "user_agent": None,
        **envelope,
    }
    attribute = {"client_ip": {"stringValue": ip, "dataType": "String"}} if ip else {}
    return {
        "messageId": message_id,
        "body": json.dumps(message) if body is None else body,
        "attributes": {"SentTimestamp": str(T0 // 1000)},
        "messageAttributes": attribute,
    }


def write(*records: Mapping[str, Any]) -> list[str]:
    """Let write_raw store messages; return the ids of those that failed."""
    reply = app.handler({"Records": list(records)}, CONTEXT)
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


def rows(objects: Objects, prefix: str = "raw/") -> list[dict[str, Any]]:
    found = []
    for key in objects.keys(prefix):
        found += ParquetFile(pa.BufferReader(objects.get(key))).read().to_pylist()
    return found


def aside(objects: Objects) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for key in objects.keys("quarantine/")
        for line in objects.get(key).decode().splitlines()
    ]


def versions(stream: str = "responses") -> dict[date, int]:
    return {day: entry.version for day, entry in Ledger("pulse").entries(stream).items()}


@contextmanager
def refusing(
    operation: str, when: Callable[[Any], bool] = lambda request: True, *, fail_fast: bool = False
) -> Iterator[None]:
    """Within the block AWS refuses the requests that `when` picks, without executing them."""
    service, name = operation.split(".")

    def hook(request: Any, **_: object) -> None:
        if when(request):
            raise ClientError({"Error": {"Code": "Refused", "Message": "by the test"}}, name)

    events = client(service, fail_fast=fail_fast).meta.events  # the one that the stores use
    events.register_first(f"before-send.{operation}", hook)
    try:
        yield
    finally:
        events.unregister(f"before-send.{operation}", hook)
