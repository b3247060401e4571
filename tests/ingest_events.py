"""The sample events of ingest, changed as tests need them, and the messages that they become.

`people` are the tenant, surveys and keys that the samples name.
"""

import base64
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from functions.ingest import app
from pulse import days
from pulse.store.clients import client
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant

EVENTS = Path(__file__).parents[1] / "events" / "ingest"
CONTEXT = SimpleNamespace(
    function_name="ingest",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:ingest",
    aws_request_id="0dc1c3d8-6a3d-4c3c-8a44-4c7d3f6f3b1e",
)
PUBLISHABLE = "pk_sample-of-a-publishable-key"
SECRET = "sk_sample-of-a-secret-key"
REPORT = "rk_sample"
REVOKED = "pk_revoked"
TIED = "sk_tied-to-one-survey"
LONG_SURVEY = "sk_tied-to-a-survey-with-an-absurd-id"
SHOP = "https://shop.example.com"
T0 = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z, where the clock stands


def people(tenants: Tenants) -> None:
    tenants.create(Tenant("demo", "Demo", "America/New_York"))
    texts = {
        "en": Texts("How was it?", "Thank you!", ("Awful", "Bad", "Fair", "Good", "Great")),
        "de": Texts("Wie war es?", "Danke!", ("Furchtbar", "Schlecht", "Mäßig", "Gut", "Super")),
        "ar": Texts("كيف كان؟", "شكرا"),
    }
    stricter = (T0 - 10 * days.DAY, Rule.make("csat", 1, 5, good=5))
    checkout = Survey("demo", "checkout", ((0, Rule.make("csat", 1, 5)), stricter), "faces", texts)
    tenants.put_survey(checkout)
    tenants.put_survey(Survey("demo", "email", ((0, Rule.make("nps", 0, 10)),)))
    absurd = "😀" * 128
    tenants.put_survey(Survey("demo", absurd, ((0, Rule.make("nps", 0, 10)),)))
    for text, kind, limits in (
        (PUBLISHABLE, "publishable", {"surveys": ("checkout",), "origins": (SHOP,)}),
        (SECRET, "secret", {}),
        (REPORT, "report", {}),
        (REVOKED, "publishable", {}),
        (TIED, "secret", {"surveys": ("email",)}),
        (LONG_SURVEY, "secret", {"surveys": (absurd,)}),
    ):
        tenants.add_key(Key(sha256(text), kind, "demo", 0, **limits))  # type: ignore[arg-type] # limits of several kinds
    tenants.revoke_key(sha256(REVOKED)[:12], T0 - 1)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    json: Any


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


def send(sent: Mapping[str, Any]) -> Answer:
    reply = app.handler(dict(sent), CONTEXT)
    return Answer(reply["statusCode"], reply["headers"], json.loads(reply["body"]))


def changed(name: str, *, body: object = None, **headers: str | None) -> dict[str, Any]:
    """A sample event with another body (bytes, or a value for JSON) and other headers."""
    sent = copy.deepcopy(event(name))
    for header, value in headers.items():
        sent["headers"].pop(header.replace("_", "-"), None)
        if value is not None:
            sent["headers"][header.replace("_", "-")] = value
    if body is not None:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        sent["body"], sent["isBase64Encoded"] = base64.b64encode(raw).decode(), True
    return sent


def one(**fields: object) -> dict[str, Any]:
    """The publishable sample with another response."""
    return changed("publishable", body={"survey_id": "checkout", "score": 5, **fields})


def from_server(**fields: object) -> dict[str, Any]:
    """One response with the secret key."""
    return changed(
        "publishable",
        body={"survey_id": "email", "score": 5, **fields},
        authorization=f"Bearer {SECRET}",
    )


def batch(*items: object, **headers: str | None) -> dict[str, Any]:
    return changed("batch", body={"responses": list(items)}, **headers)


def received(url: str) -> list[dict[str, Any]]:
    """The queue's messages, taken off it."""
    reply = client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    messages: list[dict[str, Any]] = reply.get("Messages", [])
    for message in messages:
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def message(url: str) -> dict[str, Any]:
    """The body of the queue's only message."""
    (only,) = received(url)
    body: dict[str, Any] = json.loads(only["Body"])
    return body
