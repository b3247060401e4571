"""ingest as callers meet it: API Gateway's events through the handler, on moto's table and queue.

The inputs are events/ingest/*.json; a test changes only what it is about.
"""

import base64
import copy
import gzip
import hashlib
import io
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from functions.ingest import app
from pulse import days
from pulse.ingest.words import words
from pulse.observe import logger
from pulse.store.clients import client
from pulse.store.queue import depth, redrive
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant
from tests.account import OPEN_TO_ALL, make_table

EVENTS = Path(__file__).parents[2] / "events" / "ingest"
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


@pytest.fixture(autouse=True)
def _at_noon(noon: object) -> None:
    """The clock stands where the sample events were made."""


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty queue, beside a table with one tenant, its surveys and keys."""
    with mock_aws():
        make_table()
        url: str = client("sqs").create_queue(QueueName="pulse")["QueueUrl"]
        _people(Tenants("pulse"))
        monkeypatch.setenv("PULSE_TABLE", "pulse")
        monkeypatch.setenv("PULSE_QUEUE_URL", url)
        for name, value in OPEN_TO_ALL.items():
            monkeypatch.setenv(name, value)
        app.stage.cache_clear()
        yield url
    app.stage.cache_clear()


def _people(tenants: Tenants) -> None:
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


# -- calling


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


# -- what is taken


def test_a_page_posts_a_response_and_the_queue_has_it(queue: str) -> None:
    answer = send(event("publishable"))

    assert answer.status == 202
    assert answer.headers["X-Request-Id"] == "UQ3hKjA5FiAEPxg="
    (sent,) = received(queue)
    body = json.loads(sent["Body"])
    key = event("publishable")["headers"]["authorization"].removeprefix("Bearer ")
    assert answer.json == {
        "accepted": 1,
        "rejected": [],
        "ids": [body["items"][0]["response_id"]],
    }
    assert body == {
        "v": 1,
        "format": 3,
        "stream": "responses",
        "tenant": "demo",
        "key_kind": "publishable",
        "key_id": hashlib.sha256(key.encode()).hexdigest()[:12],
        "received_us": T0,
        "request_id": "UQ3hKjA5FiAEPxg=",
        "user_agent": event("publishable")["headers"]["user-agent"],
        "items": [
            {
                "survey": "checkout",
                "metric": "csat",
                "scale": "1-5:good5",
                "response_id": answer.json["ids"][0],
                "answered_us": T0,
                "score": 5,
                "channel": "external",
                "comment": "Très simple, merci 😀",
                "tags": {"page": "/basket"},
            }
        ],
    }


def test_the_callers_address_travels_beside_the_body_and_only_for_pages(queue: str) -> None:
    send(event("publishable"))
    send(event("batch"))
    page, server = sorted(received(queue), key=lambda m: json.loads(m["Body"])["key_kind"])

    assert page["MessageAttributes"]["client_ip"]["StringValue"] == "203.0.113.7"
    assert "203.0.113.7" not in page["Body"]
    assert "MessageAttributes" not in server
    assert "198.51.100.20" not in server["Body"]
    assert "user_agent" not in json.loads(server["Body"])


def test_a_beacon_as_plain_text_with_its_key_in_the_query(queue: str) -> None:
    assert send(event("beacon")).status == 202
    assert message(queue)["items"][0]["score"] == 2


def test_a_binary_body_with_an_idempotency_key_and_x_api_key(queue: str) -> None:
    answer = send(event("base64"))

    assert (answer.status, answer.json["ids"]) == (202, ["6f1c0e9e-2f6b-4c36-9a54-7f3f7d2f6c11"])
    assert message(queue)["items"][0]["comment"] == "Très simple, merci 😀"


def test_a_batch_takes_the_good_and_lists_the_bad(queue: str) -> None:
    answer = send(event("batch"))

    assert answer.status == 202
    assert answer.json == {
        "accepted": 2,
        "rejected": [
            {
                "index": 1,
                "field": "score",
                "code": "score_out_of_range",
                "message": "score must lie within 0 and 10 on this survey.",
            }
        ],
        "ids": ["crm-1001", None, "crm-1003"],
    }
    first, last = message(queue)["items"]
    assert (first["country"], first["agent"], first["customer"]) == ("DE", "a-17", "c-1")
    assert last["ip"] == "2001:db8:1::1"
    assert last["answered_us"] == days.parse_instant("2026-11-21T04:59:59.999999Z")


def test_nothing_good_is_a_422_with_the_same_list(queue: str) -> None:
    answer = send(batch({"survey_id": "email"}, "text", {"survey_id": "no", "score": 1}))

    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == "urn:pulse:problem:nothing_accepted"
    assert (answer.json["status"], answer.json["code"]) == (422, "nothing_accepted")
    assert (answer.json["accepted"], answer.json["ids"]) == (0, [None, None, None])
    assert [(r["index"], r["field"], r["code"]) for r in answer.json["rejected"]] == [
        (0, "score", "score_missing"),
        (1, "", "response_not_object"),
        (2, "survey_id", "survey_unknown"),
    ]
    assert received(queue) == []


def test_an_idempotency_key_stands_for_the_id_and_its_index_in_a_batch(queue: str) -> None:
    at = "2026-11-20T09:30:00Z"
    items = [
        {"survey_id": "email", "score": 1, "answered_at": at},
        {"survey_id": "email", "score": 2, "answered_at": at, "response_id": "own"},
        {"survey_id": "email", "score": 3},
    ]
    answer = send(batch(*items, idempotency_key="try.1"))

    assert answer.json["ids"] == ["try.1:0", "own", None]
    assert [r["code"] for r in answer.json["rejected"]] == ["answered_at_missing"]


def test_two_of_one_identity_in_a_batch_are_both_taken_in_their_order(queue: str) -> None:
    item = {"survey_id": "email", "response_id": "r", "answered_at": "2026-11-20T09:30:00Z"}
    answer = send(batch({**item, "score": 1}, {**item, "score": 9}))

    assert (answer.status, answer.json["ids"]) == (202, ["r", "r"])
    assert [i["score"] for i in message(queue)["items"]] == [1, 9]


def test_the_rule_in_force_when_it_was_answered_is_stamped(queue: str) -> None:
    for back, scale in ((9, "1-5:good5"), (11, "1-5")):
        send(one(answered_at=days.iso(T0 - back * days.DAY)))
        assert message(queue)["items"][0]["scale"] == scale


def test_an_answer_of_some_age_was_given_that_long_before_it_came(queue: str) -> None:
    items = [
        {"survey_id": "email", "score": 7, "response_id": "r-1", "age_ms": 90_500},
        {"survey_id": "email", "score": 7},
        {"survey_id": "email", "score": 11, "age_ms": 1},
    ]
    answer = send(batch(*items))

    assert answer.json["answered_at"] == ["2026-11-21T11:58:29.500000Z", None, None]
    assert message(queue)["items"][0]["answered_us"] == T0 - 90_500_000


def test_an_answer_of_a_day_was_given_at_the_tenants_noon(queue: str) -> None:
    send(batch({"survey_id": "email", "score": 7, "answered_at": "2026-11-20"}))
    assert message(queue)["items"][0]["answered_us"] == days.parse_instant("2026-11-20T17:00:00Z")


def test_ids_that_are_numbers_are_taken_as_their_text(queue: str) -> None:
    ids = {"agent_id": 17, "customer_id": 9007199254740993, "interaction_id": 4.50}
    at = "2026-11-20T09:30:00Z"
    send(batch({"survey_id": "email", "score": 7, "response_id": 42, "answered_at": at, **ids}))
    item = message(queue)["items"][0]
    assert (item["response_id"], item["agent"], item["customer"], item["interaction"]) == (
        "42",
        "17",
        "9007199254740993",
        "4.5",
    )


def test_an_idempotency_key_may_be_a_structured_fields_string(queue: str) -> None:
    item = {"survey_id": "email", "score": 1, "answered_at": "2026-11-20T09:30:00Z"}
    assert send(batch(item, idempotency_key='"try.1"')).json["ids"] == ["try.1:0"]
    assert send(batch(item, idempotency_key='"try.1')).json["code"] == "idempotency_key_invalid"


def test_a_long_comment_may_be_escaped_throughout(queue: str) -> None:
    comment = "\u6f22" * 3_900
    body = json.dumps({"survey_id": "checkout", "score": 5, "comment": comment}).encode()
    assert len(body) > 16 * 1024
    assert send(changed("publishable", body=body)).status == 202
    assert message(queue)["items"][0]["comment"] == comment


@pytest.mark.parametrize(
    ("ip", "taken"),
    [
        ("8.8.8.8:443", "8.8.8.8"),
        ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("unknown, 203.0.113.9", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("-", None),
        ("203.0.113.0/24", None),
        ("a, b", None),
        (5, None),
    ],
)
def test_an_answer_is_kept_whatever_its_address_says(
    queue: str, ip: object, taken: str | None
) -> None:
    answer = send(from_server(ip=ip))
    assert answer.status == 202
    assert message(queue)["items"][0].get("ip") == taken


@pytest.mark.parametrize(
    ("code", "stored", "warning"),
    [
        ("at", "AT", None),
        ("UK", "GB", "country_renamed"),
        ("EU", None, "country_unknown"),
        ("XX", None, "country_unknown"),
    ],
)
def test_a_country_is_one_of_iso_3166_or_left_out_with_a_warning(
    queue: str, code: str, stored: str | None, warning: str | None
) -> None:
    answer = send(from_server(country=code))
    assert answer.status == 202
    assert [one["code"] for one in answer.json.get("warnings", [])] == [warning] * bool(warning)
    assert message(queue)["items"][0].get("country") == stored


def test_a_key_tied_to_one_survey_needs_no_survey_id(queue: str) -> None:
    answer = send(
        changed("batch", body={"responses": [{"score": 7}]}, authorization=f"Bearer {TIED}")
    )

    assert answer.status == 202
    assert message(queue)["items"][0]["survey"] == "email"


def test_text_is_kept_byte_for_byte_and_the_message_is_ascii(queue: str) -> None:
    comment = "NUL \x00, bell \x07, emoji 😀, \u2028, ü, \ufffe"
    send(one(comment=comment, agent_id=" spaces "))

    (sent,) = received(queue)
    assert sent["Body"].isascii()
    assert not any(ord(letter) < 32 for letter in sent["Body"])
    item = json.loads(sent["Body"])["items"][0]
    assert (item["comment"], item["agent"]) == (comment, "spaces")


@pytest.mark.parametrize("letter", ["é", "😀", "漢", "\u0000", "\u007f"])
def test_the_largest_batch_fits_into_one_message_whatever_its_letters(
    queue: str, letter: str
) -> None:
    """Escaping makes the letters up to three times as long; SQS takes a mebibyte."""
    envelope = {"survey_id": "email", "score": 10, "comment": ""}
    room = 256 * 1024 // 500 - len(json.dumps(envelope)) - 2
    size = len(json.dumps(letter, ensure_ascii=False)[1:-1].encode())
    item = {**envelope, "comment": letter * (room // size)}
    body = json.dumps({"responses": [item] * 500}, ensure_ascii=False).encode()
    assert 250 * 1024 < len(body) <= 256 * 1024

    answer = send(changed("batch", body=body))
    assert answer.json.get("accepted") == 500, answer.json
    assert len(message(queue)["items"]) == 500


def test_a_batch_that_outgrows_a_message_is_refused_as_too_large(queue: str) -> None:
    """Only a survey's id that the key adds to every response can make it so long."""
    sent = changed(
        "batch",
        body={"responses": [{"score": 1, "comment": "x" * 450}] * 500},
        authorization=f"Bearer {LONG_SURVEY}",
    )
    answer = send(sent)

    assert (answer.status, answer.json["code"]) == (413, "message_too_large")
    assert received(queue) == []


# -- what is refused

ITEM = {"survey_id": "checkout", "score": 5}
SOON = days.iso(T0 + 5 * 60 * days.SECOND + 1)
REFUSED = [
    # keys
    ("no key", changed("publishable", authorization=None), 401, "missing_key"),
    ("unknown key", changed("publishable", authorization="Bearer pk_x"), 401, "invalid_key"),
    ("not a key", changed("publishable", authorization="Bearer x"), 401, "invalid_key"),
    ("revoked key", changed("publishable", authorization=f"Bearer {REVOKED}"), 401, "invalid_key"),
    ("report key", changed("publishable", authorization=f"Bearer {REPORT}"), 403, "wrong_key_kind"),
    (
        "page's key for a batch",
        batch(ITEM, authorization=f"Bearer {PUBLISHABLE}"),
        403,
        "wrong_key_kind",
    ),
    (
        "secret key in the query",
        event("beacon") | {"rawQueryString": f"key={SECRET}"},
        401,
        "key_kind_not_in_query",
    ),
    # origins
    ("no origin", changed("publishable", origin=None), 403, "origin_not_allowed"),
    (
        "wrong origin",
        changed("publishable", origin="https://evil.example"),
        403,
        "origin_not_allowed",
    ),
    (
        "wrong scheme",
        changed("publishable", origin="http://shop.example.com"),
        403,
        "origin_not_allowed",
    ),
    ("wrong port", changed("publishable", origin=f"{SHOP}:8443"), 403, "origin_not_allowed"),
    ("sandboxed page", changed("publishable", origin="null"), 403, "origin_not_allowed"),
    # bodies
    ("empty", changed("publishable", body=b""), 400, "body_empty"),
    ("white space", changed("publishable", body=b" \n"), 400, "body_empty"),
    ("not JSON", changed("publishable", body=b"{"), 400, "body_not_json"),
    ("two values", changed("publishable", body=b"{} {}"), 400, "body_not_json"),
    ("raw NUL", changed("publishable", body=b'{"comment": "\x00"}'), 400, "body_not_json"),
    ("a list", changed("publishable", body=[ITEM]), 400, "body_not_object"),
    ("a number", changed("publishable", body=b"5"), 400, "body_not_object"),
    ("NaN", changed("publishable", body=b'{"score": NaN}'), 400, "number_not_finite"),
    ("-Infinity", changed("publishable", body=b'{"score": -Infinity}'), 400, "number_not_finite"),
    ("1e400", changed("publishable", body=b'{"score": 1e400}'), 400, "number_too_large"),
    (
        "5000 digits",
        changed("publishable", body=b'{"score": ' + b"9" * 5000 + b"}"),
        400,
        "number_too_large",
    ),
    (
        "lone surrogate",
        changed("publishable", body=rb'{"comment": "\ud83d"}'),
        400,
        "lone_surrogate",
    ),
    (
        "lone surrogate as a name",
        changed("publishable", body=rb'{"\uDC00": 1}'),
        400,
        "lone_surrogate",
    ),
    ("BOM", changed("publishable", body=b'\xef\xbb\xbf{"score": 5}'), 400, "body_has_bom"),
    ("UTF-16", changed("publishable", body='{"score": 5}'.encode("utf-16")), 400, "body_not_utf8"),
    (
        "Latin-1",
        changed("publishable", body='{"comment": "é"}'.encode("latin-1")),
        400,
        "body_not_utf8",
    ),
    ("100,000 brackets", changed("batch", body=b"[" * 100_000), 400, "body_too_deep"),
    ("100,000 objects", changed("batch", body=b'{"a":' * 50_000), 400, "body_too_deep"),
    ("a key twice", changed("publishable", body=b'{"score": 5, "score": 1}'), 400, "duplicate_key"),
    ("over 64 KiB", changed("publishable", body=b" " * (64 * 1024 + 1)), 413, "body_too_large"),
    ("batch over 256 KiB", changed("batch", body=b" " * (256 * 1024 + 1)), 413, "body_too_large"),
    ("501 items", batch(*[ITEM] * 501), 413, "too_many_items"),
    ("no items", batch(), 422, "responses_empty"),
    ("no list", changed("batch", body={"responses": ITEM}), 400, "responses_not_list"),
    ("no responses", changed("batch", body={}), 400, "responses_not_list"),
    (
        "a batch's unknown member",
        changed("batch", body={"responses": [], "x": 1}),
        400,
        "unknown_field",
    ),
    (
        "idempotency key of odd letters",
        changed("publishable", idempotency_key="a b"),
        400,
        "idempotency_key_invalid",
    ),
    (
        "empty idempotency key",
        changed("publishable", idempotency_key=""),
        400,
        "idempotency_key_invalid",
    ),
    (
        "idempotency key too long with its index",
        batch(ITEM, ITEM, idempotency_key="k" * 63),
        400,
        "idempotency_key_invalid",
    ),
    # fields
    ("score as text", one(score="5"), 422, "score_not_whole_number"),
    ("score as fraction", one(score=4.5), 422, "score_not_whole_number"),
    ("score true", one(score=True), 422, "score_not_whole_number"),
    ("score null", one(score=None), 422, "score_not_whole_number"),
    ("score missing", changed("publishable", body={"survey_id": "checkout"}), 422, "score_missing"),
    ("score above", one(score=6), 422, "score_out_of_range"),
    ("score below", one(score=0), 422, "score_out_of_range"),
    ("survey missing", batch({"score": 5}), 422, "survey_missing"),
    ("survey unknown", batch({"survey_id": "none", "score": 5}), 422, "survey_unknown"),
    ("survey's id too long", batch({"survey_id": "x" * 2000, "score": 5}), 422, "survey_unknown"),
    ("survey's id true", batch({"survey_id": True, "score": 5}), 422, "not_text"),
    ("another survey's key", one(survey_id="email"), 422, "survey_not_allowed"),
    ("id without time", one(response_id="r"), 422, "answered_at_missing"),
    (
        "idempotency key without time",
        changed("publishable", body=ITEM, idempotency_key="k"),
        422,
        "answered_at_missing",
    ),
    (
        "id of odd letters",
        one(response_id="r/1", answered_at="2026-11-21T12:00:00Z"),
        422,
        "response_id_invalid",
    ),
    (
        "id with a line's end",
        one(response_id="r\n", answered_at="2026-11-21T12:00:00Z"),
        422,
        "response_id_invalid",
    ),
    (
        "id too long",
        one(response_id="r" * 65, answered_at="2026-11-21T12:00:00Z"),
        422,
        "response_id_invalid",
    ),
    ("time without offset", one(answered_at="2026-11-21T12:00:00"), 422, "answered_at_invalid"),
    ("year 0001", from_server(answered_at="0001-01-01T00:00:00Z"), 422, "answered_at_invalid"),
    ("30 February", one(answered_at="2026-02-30T12:00:00Z"), 422, "answered_at_invalid"),
    ("seconds since 1970", one(answered_at=1795262400), 422, "answered_at_invalid"),
    ("5 minutes ahead and more", one(answered_at=SOON), 422, "answered_at_in_future"),
    (
        "an age and a time",
        one(age_ms=5, answered_at="2026-11-21T12:00:00Z"),
        422,
        "age_and_answered_at",
    ),
    ("an age of the future", one(age_ms=-1), 422, "age_ms_out_of_range"),
    ("an age with a fraction", one(age_ms=1.5), 422, "age_ms_not_whole_number"),
    ("an age of 36 days", one(age_ms=36 * 86_400_000), 422, "answered_at_too_old"),
    ("an age of ages", from_server(age_ms=10**18), 422, "answered_at_too_old"),
    ("year 9999", one(answered_at="9999-12-31T23:59:59Z"), 422, "answered_at_in_future"),
    ("36 days back", one(answered_at="2026-10-16T12:00:00Z"), 422, "answered_at_too_old"),
    (
        "before 1990 in New York",
        from_server(answered_at="1990-01-01T04:59:59Z"),
        422,
        "answered_at_too_old",
    ),
    ("year 0002", from_server(answered_at="0002-01-01T00:00:00+14:00"), 422, "answered_at_too_old"),
    ("channel too long", one(channel="x" * 41), 422, "text_too_long"),
    ("channel that filters read as none", one(channel="(none)"), 422, "reserved_text"),
    ("channel a list", one(channel=["chat"]), 422, "not_text"),
    ("agent that filters read as none", one(agent_id="(none)"), 422, "reserved_text"),
    ("agent that reports add others up as", one(agent_id="(rest)"), 422, "reserved_text"),
    ("agent that reports say of many", one(agent_id="(other)"), 422, "reserved_text"),
    ("agent too long", one(agent_id="x" * 129), 422, "text_too_long"),
    ("comment too long", one(comment="😀" * 4001), 422, "text_too_long"),
    ("comment a number", one(comment=5), 422, "not_text"),
    ("tags a list", one(tags=["a"]), 422, "tags_not_map"),
    ("21 tags", one(tags={str(n): "" for n in range(21)}), 422, "tags_too_many"),
    ("tag key too long", one(tags={"k" * 65: "v"}), 422, "tag_key_invalid"),
    ("tag key empty", one(tags={"": "v"}), 422, "tag_key_invalid"),
    ("tag too long", one(tags={"k": "v" * 129}), 422, "text_too_long"),
    ("tag null", one(tags={"k": None}), 422, "not_text"),
    ("unknown field", one(comments="typo"), 422, "unknown_field"),
    ("a page's own country", one(country="DE"), 422, "field_not_allowed"),
    ("a page's own address", one(ip="203.0.113.1"), 422, "field_not_allowed"),
    ("a page's own user agent", one(user_agent="x"), 422, "field_not_allowed"),
    ("country of three letters", from_server(country="DEU"), 422, "country_invalid"),
    # paths
    ("unknown path", event("unknown_path"), 404, "unknown_path"),
]


@pytest.mark.parametrize(
    ("sent", "status", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_bad_input_is_refused_with_its_status_and_code(
    queue: str, sent: dict[str, Any], status: int, code: str
) -> None:
    answer = send(sent)

    assert (answer.status, answer.json["status"], answer.json["code"]) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "detail"} <= answer.json.keys()
    assert received(queue) == []


@pytest.mark.parametrize(
    "sent",
    [
        one(score=4.0),
        one(answered_at=days.iso(T0 + 5 * 60 * days.SECOND)),
        one(answered_at="2026-10-17T12:00:00Z"),
        from_server(answered_at="1990-01-01T05:00:00Z"),
        one(comment="😀" * 4000, tags={str(n): "" for n in range(20)}),
        one(agent_id="x" * 128, tags={"k" * 64: "v" * 128}),
        one(comment=None, tags={}, country=None, response_id=None, answered_at=None),
        changed("publishable", origin="HTTPS://SHOP.example.com:443"),
        changed("publishable", content_type="application/x-www-form-urlencoded"),
    ],
)
def test_what_is_just_within_a_limit_is_taken(queue: str, sent: dict[str, Any]) -> None:
    assert send(sent).status == 202


def test_an_empty_text_is_not_given(queue: str) -> None:
    send(one(comment="", agent_id="", tags={}))
    assert not {"comment", "agent", "tags"} & message(queue)["items"][0].keys()


# -- surveys


def test_a_page_learns_what_to_ask(queue: str) -> None:
    answer = send(event("survey"))

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.json == {
        "id": "checkout",
        "question": "Wie war es?",
        "style": "faces",
        "metric": "csat",
        "scale": {"min": 1, "max": 5, "lower_is_better": False},
        "labels": ["Furchtbar", "Schlecht", "Mäßig", "Gut", "Super"],
        "ends": ["Furchtbar", "Super"],
        "thanks": "Danke!",
        "language": "de",
        "direction": "ltr",
        "words": words("de"),
        "display": {
            "trigger": "button",
            "delay": 0,
            "event": None,
            "sample_pct": 100,
            "again_days": 30,
        },
        "asked_by": {"name": None, "logo_url": None, "privacy_url": None},
        "served_at": days.iso(T0),
        "fresh_s": 300,
        "back_s": 35 * 86_400,
    }


@pytest.mark.parametrize(
    ("lang", "language", "direction"), [("ar", "ar", "rtl"), ("fr", "en", "ltr"), ("", "en", "ltr")]
)
def test_the_nearest_language_is_shown(
    queue: str, lang: str, language: str, direction: str
) -> None:
    asked = event("survey") | {"rawQueryString": f"key={PUBLISHABLE}&lang={lang}"}
    answer = send(asked)
    assert (answer.json["language"], answer.json["direction"]) == (language, direction)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"pathParameters": {"id": "email"}}, 403, "survey_not_allowed"),
        ({"rawQueryString": ""}, 401, "missing_key"),
        ({"headers": {"origin": "https://evil.example"}}, 403, "origin_not_allowed"),
        ({"headers": {"authorization": f"Bearer {SECRET}"}}, 403, "wrong_key_kind"),
    ],
)
def test_a_survey_is_shown_to_its_own_pages_alone(
    queue: str, change: dict[str, Any], status: int, code: str
) -> None:
    answer = send(event("survey") | change)
    assert (answer.status, answer.json["code"]) == (status, code)


def test_an_unknown_survey_is_a_404(queue: str) -> None:
    any_survey = "pk_for-any-survey"
    Tenants("pulse").add_key(Key(sha256(any_survey), "publishable", "demo", 0))
    for name in ("none", "x" * 3000):
        change = {"pathParameters": {"id": name}, "rawQueryString": f"key={any_survey}"}
        answer = send(event("survey") | change)
        assert (answer.status, answer.json["code"]) == (404, "survey_unknown")


# -- outages


@contextmanager
def queue_says(answer: Callable[[Any], AWSResponse]) -> Iterator[None]:
    """Within the block, what SQS says to SendMessage; botocore's retries go on as they do."""

    def hook(request: Any, **_: object) -> AWSResponse:
        return answer(request)

    events = client("sqs", hurried=True).meta.events
    events.register_first("before-send.sqs.SendMessage", hook)
    try:
        yield
    finally:
        events.unregister("before-send.sqs.SendMessage", hook)


def test_a_queue_that_always_says_503_becomes_a_503_in_time(queue: str) -> None:
    send(event("publishable"))  # a warm function
    began = time.monotonic()
    with queue_says(lambda request: AWSResponse(request.url, 503, HTTPHeaders(), _Raw())):
        answer = send(event("publishable"))

    assert time.monotonic() - began < 4
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


class _Raw:
    """An empty body, as urllib3 gives one."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield b""


def test_a_503_says_what_may_be_sent_again_without_counting_twice(queue: str) -> None:
    def detail(sent: dict[str, Any]) -> str:
        with queue_says(lambda request: AWSResponse(request.url, 503, HTTPHeaders(), _Raw())):
            answer = send(sent)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        text: str = answer.json["detail"]
        return text

    for name in ("publishable", "batch"):
        told = detail(event(name))
        assert "response_id (or Idempotency-Key) and answered_at" in told
        assert "may have been stored" in told
    for name in ("interaction", "agent_sessions"):  # what identifies them is required
        sent = event(name)
        sent["headers"]["authorization"] = f"Bearer {SECRET}"
        assert detail(sent).endswith("Send the same request again.")


def test_a_table_that_refuses_is_a_503_not_a_500(
    queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_TABLE", "gone")
    app.stage.cache_clear()
    answer = send(event("publishable"))
    assert (answer.status, answer.json["code"]) == (503, "unavailable")


def test_a_queue_that_never_answers_becomes_a_503_after_3_s(queue: str) -> None:
    """A real socket that takes connections and says nothing."""
    send(event("publishable"))
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def wait(request: Any) -> AWSResponse:
            with socket.create_connection(silent.getsockname(), timeout=10) as connection:
                connection.recv(1)
            return AWSResponse(request.url, 200, HTTPHeaders(), _Raw())

        began = time.monotonic()
        with queue_says(wait):
            answer = send(event("publishable"))
        took = time.monotonic() - began

    assert (answer.status, answer.json["code"]) == (503, "deadline_exceeded")
    assert "what does not may then count twice" in answer.json["detail"]
    assert 2.9 < took < 3.5
    assert int(answer.headers["Retry-After"]) > 0


# -- limits


@pytest.fixture
def limits(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three writes a minute for a key, four for its tenant."""
    monkeypatch.setenv("PULSE_KEY_WRITES_PER_MINUTE", "3")
    monkeypatch.setenv("PULSE_TENANT_WRITES_PER_MINUTE", "4")
    app.stage.cache_clear()


@pytest.mark.usefixtures("limits")
def test_a_key_that_writes_too_much_waits_and_the_others_do_not(queue: str) -> None:
    assert [send(one()).status for _ in range(3)] == [202] * 3
    refused = send(one())
    assert (refused.status, refused.json["code"]) == (429, "key_limit")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "20"
    assert send(from_server()).status == 202
    refused = send(from_server())
    assert (refused.status, refused.json["code"]) == (429, "tenant_limit")
    Tenants("pulse").add_key(Key(sha256("pk_other"), "publishable", "other", 0))
    assert send(changed("publishable", authorization="Bearer pk_other")).status == 422
    assert depth(queue) == 4
    with days.clock(lambda: days.from_us(T0 + 20 * days.SECOND)):
        assert send(one()).status == 202


@pytest.mark.usefixtures("limits")
def test_a_flood_costs_neither_the_table_nor_the_queue_a_call(queue: str) -> None:
    for _ in range(3):
        send(one())
    asked: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        asked.append(event_name)

    for service in ("dynamodb", "sqs"):
        client(service, hurried=True).meta.events.register_first(f"before-send.{service}", note)
    try:
        for _ in range(50):
            assert send(one()).status == 429
    finally:
        for service in ("dynamodb", "sqs"):
            client(service, hurried=True).meta.events.unregister(f"before-send.{service}", note)
    assert asked == []


@pytest.mark.usefixtures("limits")
def test_a_question_may_be_shown_ten_times_as_often_as_it_is_answered(queue: str) -> None:
    assert [send(event("survey")).status for _ in range(31)] == [200] * 30 + [429]
    assert send(one()).status == 202  # showing it uses up nobody's answers


# -- compressed bodies


def compressed(name: str, body: bytes, coding: str = "gzip") -> dict[str, Any]:
    return changed(name, body=body, content_encoding=coding)


def test_a_compressed_body_is_read(queue: str) -> None:
    items = [{"survey_id": "email", "score": 9, "comment": "x" * 200}] * 500
    body = gzip.compress(json.dumps({"responses": items}).encode())
    answer = send(compressed("batch", body))
    assert (answer.status, answer.json["accepted"]) == (202, 500)
    one = gzip.compress(b'{"survey_id": "checkout", "score": 5}')
    assert send(compressed("publishable", one)).status == 202


def test_the_limits_hold_for_what_was_compressed(queue: str) -> None:
    for name, limit in (("publishable", 64 * 1024), ("batch", 256 * 1024)):
        answer = send(compressed(name, gzip.compress(b" " * (limit + 1))))
        assert (answer.status, answer.json["code"]) == (413, "body_too_large")
        answer = send(compressed(name, gzip.compress(b" " * limit)))
        assert (answer.status, answer.json["code"]) == (400, "body_empty")


def test_a_body_in_no_coding_or_in_a_broken_one_is_refused(queue: str) -> None:
    answer = send(compressed("batch", b"{}"))
    assert (answer.status, answer.json["code"]) == (400, "body_not_gzip")
    answer = send(compressed("batch", b"{}", "br"))
    assert (answer.status, answer.json["code"]) == (415, "content_encoding_unsupported")
    assert answer.headers["Accept-Encoding"] == "gzip"
    assert received(queue) == []


def test_who_shows_no_key_has_nothing_inflated(queue: str) -> None:
    sent = compressed("batch", b"{}") | {"headers": {"content-encoding": "gzip"}}
    assert send(sent).status == 401


# -- preflights and HEAD


def test_a_preflight_is_answered_without_a_key(queue: str) -> None:
    reply = app.handler(event("preflight"), CONTEXT)
    assert (reply["statusCode"], reply["body"]) == (204, "")


def test_head_of_a_survey_has_the_status_and_headers_of_get(queue: str) -> None:
    asked = event("survey")
    got = app.handler(asked, CONTEXT)
    assert app.handler(asked | {"routeKey": "HEAD /v1/surveys/{id}"}, CONTEXT) == got
    assert got["statusCode"] == 200


# -- silence


def test_no_log_line_holds_a_body_an_address_or_a_key(
    queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = io.StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    stream = handler.setStream(lines)
    for sent in (event("publishable"), event("batch"), one(comment="a secret", score=9)):
        send(sent)
    Tenants("pulse").add_key(Key(sha256("pk_broken"), "publishable", "gone", 0))
    send(changed("publishable", authorization="Bearer pk_broken"))
    client("sqs").delete_queue(QueueUrl=queue)
    send(event("publishable"))  # fails and is logged

    if stream is not None:
        handler.setStream(stream)
    logged = lines.getvalue() + "".join(capsys.readouterr())
    assert "AWS refused" in logged
    for secret in ("203.0.113.7", "198.51.100.20", "Très", "simple", "a secret", "pk_", "sk_"):
        assert secret not in logged


# -- dead letters


def test_redrive_moves_every_dead_letter_with_its_attributes(queue: str) -> None:
    dead: str = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    for n in range(12):
        client("sqs").send_message(
            QueueUrl=dead,
            MessageBody=str(n),
            MessageAttributes={"client_ip": {"DataType": "String", "StringValue": "203.0.113.7"}},
        )
    assert (depth(dead), depth(queue)) == (12, 0)

    assert redrive(dead, queue) == 12

    assert (depth(dead), depth(queue)) == (0, 12)
    again = received(queue) + received(queue)
    assert {m["Body"] for m in again} == {str(n) for n in range(12)}
    assert {m["MessageAttributes"]["client_ip"]["StringValue"] for m in again} == {"203.0.113.7"}


def test_a_redrive_that_fails_loses_no_letter(queue: str) -> None:
    dead: str = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    client("sqs").send_message(QueueUrl=dead, MessageBody="letter")
    with pytest.raises(Exception, match="does not exist"):
        redrive(dead, queue + "-gone")
    assert depth(dead) == 1


def test_a_letter_that_comes_back_during_a_redrive_does_not_go_round(queue: str) -> None:
    """The dead-letter queue doubles as the queue: every letter is back at once."""
    client("sqs").send_message(QueueUrl=queue, MessageBody="letter")
    assert redrive(queue, queue) == 1
    assert depth(queue) == 1
