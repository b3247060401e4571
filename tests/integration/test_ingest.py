"""ingest as callers see it: API Gateway's events to the handler, with moto's table and queue.

The inputs are events/ingest/*.json; a test changes only what it is about.
"""

import gzip
import hashlib
import io
import json
import logging
from typing import Any

import pytest

from functions.ingest import app
from pulse import days
from pulse.ingest.translations import translation
from pulse.observe import logger
from pulse.store.clients import client
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from tests.ingest_events import (
    CONTEXT,
    LONG_SURVEY,
    PUBLISHABLE,
    SECRET,
    T0,
    TIED,
    batch,
    changed,
    event,
    from_server,
    message,
    one,
    received,
    send,
)

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
    """Escapes make some letters up to three times as long, and SQS accepts one mebibyte."""
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
    """Only a survey's id that the key adds to every response can make a batch so long."""
    sent = changed(
        "batch",
        body={"responses": [{"score": 1, "comment": "x" * 450}] * 500},
        authorization=f"Bearer {LONG_SURVEY}",
    )
    answer = send(sent)

    assert (answer.status, answer.json["code"]) == (413, "message_too_large")
    assert received(queue) == []


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
        "words": translation("de"),
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
