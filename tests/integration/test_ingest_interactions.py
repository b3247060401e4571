"""Interactions and agent sessions as callers send them, from the request to the queue.

The inputs are events/ingest/*.json; the tables of faults name one change each.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.ingest import app
from pulse import days
from pulse.tenants.keys import Key, sha256
from pulse.tenants.tenant import Tenant
from tests.conftest import NOON
from tests.driver import CONTEXT, Driver, Reply, running

EVENTS = Path(__file__).parents[2] / "events" / "ingest"
T0 = days.to_us(NOON)
LIMIT = 256 * 1024
INTERACTIONS, SESSIONS = "/v1/interactions", "/v1/agent-sessions"
CALL: dict[str, Any] = {
    "interaction_id": "i-1",
    "media_type": "voice",
    "entered_at": "2026-11-20T15:00:00Z",
}
SESSION: dict[str, Any] = {
    "session_id": "s-1",
    "agent_id": "a-1",
    "media_type": "chat",
    "day": "2026-11-20",
    "active_seconds": 3600,
    "engaged_seconds": 1800,
}
BOTH = pytest.mark.parametrize(
    ("path", "stream", "good"),
    [(INTERACTIONS, "interactions", CALL), (SESSIONS, "sessions", SESSION)],
    ids=["interactions", "sessions"],
)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Driver]:
    with days.clock(lambda: NOON), running() as driver:
        thresholds = {"voice.accept": ((days.FIRST_DAY, 20),)}
        driver.tenants.create(Tenant("demo", "Demo", "America/New_York", thresholds=thresholds))
        sample = Key(sha256("sk_sample-of-a-secret-key"), "secret", "demo", 0)
        driver.tenants.add_key(sample)
        yield driver


@pytest.fixture
def pulse(deployed: Driver) -> Driver:
    """Pulse with an empty queue."""
    deployed.messages()
    return deployed


def send(pulse: Driver, path: str, body: object, **headers: str) -> Reply:
    """A request with the secret key; bytes are sent as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return pulse.call("POST", path, key=pulse.key("demo", "secret"), body=raw, headers=headers)


def handle(name: str) -> Reply:
    """What becomes of a sample event."""
    reply = app.handler(json.loads((EVENTS / f"{name}.json").read_text()), CONTEXT)
    return Reply(reply["statusCode"], reply["headers"], reply["body"])


def message(pulse: Driver) -> dict[str, Any]:
    """The body of the queue's only message."""
    (record,) = pulse.messages()
    assert record["messageAttributes"] == {}
    body: dict[str, Any] = json.loads(record["body"])
    return body


# -- what is taken


def test_an_interaction_is_in_the_queue_with_its_thresholds(pulse: Driver) -> None:
    answer = handle("interaction")

    assert (answer.status, answer.json) == (
        202,
        {"accepted": 1, "rejected": [], "ids": ["call-2041"]},
    )
    assert message(pulse) == {
        "v": 1,
        "format": 3,
        "stream": "interactions",
        "tenant": "demo",
        "key_kind": "secret",
        "received_us": T0,
        "request_id": "UQ3hKjA5FiAEPxg=",
        "key_id": hashlib.sha256(b"sk_sample-of-a-secret-key").hexdigest()[:12],
        "items": [
            {
                "interaction_id": "call-2041",
                "media_type": "voice",
                "entered_us": days.parse_instant("2026-11-20T21:02:11.25Z"),
                "updated_us": days.parse_instant("2026-11-20T21:09:31Z"),
                "customer_segment": "Gold",
                "service_type": "Loans",
                "agent": "a-17",
                "agent_name": "Ana Pérez",
                "customer": "c-1",
                "offered_us": days.parse_instant("2026-11-20T21:02:40Z"),
                "accepted_us": days.parse_instant("2026-11-20T21:02:52Z"),
                "finished_us": days.parse_instant("2026-11-20T21:09:30Z"),
                "abandoned": False,
                "replies": 1,
                "satisfaction": "4.5000",
                "revenue": "12.5000",
                "currency": "EUR",
                "accept_threshold_us": 20_000_000,
                "synchronous": True,
            }
        ],
    }


def test_a_batch_of_interactions_takes_the_good_and_lists_the_bad(pulse: Driver) -> None:
    answer = handle("interactions")

    assert answer.status == 202
    assert answer.json["ids"] == ["mail-77", None, "mail-77"]
    (fault,) = answer.json["rejected"]
    assert (fault["index"], fault["field"], fault["code"]) == (
        1,
        "media_type",
        "not_text",
    )
    first, second = message(pulse)["items"]
    assert "first_response_us" not in first
    assert (second["replies"], second["revenue"], second["currency"]) == (2, "-0.1000", "USD")
    assert first["updated_us"] == second["updated_us"] == T0


def test_agent_sessions_are_in_the_queue(pulse: Driver) -> None:
    answer = handle("agent_sessions")

    assert answer.status == 202
    assert answer.json["ids"] == ["a-17/2026-11-20/voice", None]
    assert answer.json["rejected"][0]["code"] == "engaged_seconds_out_of_range"
    sent = message(pulse)
    assert sent["stream"] == "sessions"
    assert sent["items"] == [
        {
            "session_id": "a-17/2026-11-20/voice",
            "agent": "a-17",
            "media_type": "voice",
            "day": "2026-11-20",
            "active_us": 27_000_000_000,
            "engaged_us": 19_830_250_000,
        }
    ]


@BOTH
def test_a_retry_says_the_same_again(
    pulse: Driver, path: str, stream: str, good: dict[str, Any]
) -> None:
    again = [send(pulse, path, {stream: [good]}, **{"idempotency-key": "a b"}) for _ in range(2)]

    assert [answer.status for answer in again] == [202, 202]
    assert again[0].json == again[1].json
    first, second = (json.loads(record["body"])["items"] for record in pulse.messages())
    assert first == second


@BOTH
def test_one_object_is_as_good_as_a_batch_of_one(
    pulse: Driver, path: str, stream: str, good: dict[str, Any]
) -> None:
    alone, batch = send(pulse, path, good), send(pulse, path, {stream: [good]})
    assert (alone.status, alone.json) == (batch.status, batch.json) == (202, alone.json)
    first, second = (json.loads(record["body"]) for record in pulse.messages())
    assert first == second


def test_a_number_in_a_body_loses_no_digit(pulse: Driver) -> None:
    body = (
        json.dumps(CALL)[:-1] + ', "revenue": {"amount": 99999999999999.9999, "currency": "JPY"}}'
    )
    assert send(pulse, INTERACTIONS, body.encode()).status == 202
    assert message(pulse)["items"][0]["revenue"] == "99999999999999.9999"


def test_the_fullest_batch_fits_into_a_message(pulse: Driver) -> None:
    """Its letters have escapes three times as long, and every item is stamped."""
    item = CALL | {"interaction_id": "é" * 128, "customer_segment": "é" * 60}
    body = json.dumps({"interactions": [item] * 500}, ensure_ascii=False).encode()
    assert 235 * 1024 < len(body) <= LIMIT
    answer = send(pulse, INTERACTIONS, body)
    assert (answer.status, answer.json["accepted"]) == (202, 500)


@pytest.mark.parametrize(
    "change",
    [
        {"entered_at": "1990-01-01T05:00:00Z"},
        {"entered_at": days.iso(T0 + 5 * 60 * days.SECOND)},
        {"updated_at": days.iso(T0 + 5 * 60 * days.SECOND)},
        {"finished_at": days.iso(T0 + 5 * 60 * days.SECOND)},
        {"offered_at": CALL["entered_at"]},
        {"accepted_at": "2026-11-20T15:00:01Z", "offered_at": "2026-11-20T15:00:02Z"},
        {"interaction_id": "😀" * 128},
        {"interaction_id": "(none)", "agent_name": "(none)", "customer_id": "(none)"},
        {"agent_id": "x" * 128, "customer_segment": "NUL \0", "service_type": " "},
        {"replies": 2**31 - 1},
        {"replies": 3.0},
        {"satisfaction": 5},
        {"revenue": {"amount": -99999999999999, "currency": "bhd"}},
        {"abandoned": True, "accepted_at": "2026-11-20T15:00:01Z"},
        dict.fromkeys(("updated_at", "agent_id", "abandoned", "replies", "revenue"), None),
        dict.fromkeys(("updated_at", "agent_id", "abandoned", "replies", "revenue"), ""),
    ],
)
def test_an_interaction_just_within_its_limits_is_taken(
    pulse: Driver, change: dict[str, Any]
) -> None:
    answer = send(pulse, INTERACTIONS, CALL | change)
    assert answer.status == 202, answer.body


@pytest.mark.parametrize(
    "change",
    [
        {"day": "1990-01-01"},
        {"day": "2026-11-21"},
        {"active_seconds": 90_000, "engaged_seconds": 90_000},
        {"active_seconds": 0, "engaged_seconds": 0},
        {"active_seconds": 0.000001, "engaged_seconds": 1e-6},
        {"session_id": "(none)", "agent_id": "x" * 128},
    ],
)
def test_a_session_just_within_its_limits_is_taken(pulse: Driver, change: dict[str, Any]) -> None:
    answer = send(pulse, SESSIONS, SESSION | change)
    assert answer.status == 202, answer.body


# -- what is refused

SOON = days.iso(T0 + 5 * 60 * days.SECOND + 1)
BEFORE = "2026-11-20T14:59:59.999999Z"
EURO = {"amount": "1", "currency": "EUR"}
BAD_INTERACTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"interaction_id": None}, "interaction_id", "interaction_id_missing"),
    ({"interaction_id": ""}, "interaction_id", "interaction_id_missing"),
    ({"interaction_id": [5]}, "interaction_id", "not_text"),
    ({"interaction_id": "x" * 129}, "interaction_id", "text_too_long"),
    ({"media_type": None}, "media_type", "media_type_missing"),
    ({"media_type": " "}, "media_type", "media_type_missing"),
    ({"media_type": "x" * 41}, "media_type", "text_too_long"),
    ({"media_type": "(other)"}, "media_type", "reserved_text"),
    ({"media_type": ["voice"]}, "media_type", "not_text"),
    ({"entered_at": None}, "entered_at", "entered_at_missing"),
    ({"entered_at": "2026-11-20T15:00:00"}, "entered_at", "entered_at_invalid"),
    ({"entered_at": "2026-02-30T15:00:00Z"}, "entered_at", "entered_at_invalid"),
    ({"entered_at": 1795262400}, "entered_at", "entered_at_invalid"),
    ({"entered_at": "0001-01-01T00:00:00Z"}, "entered_at", "entered_at_invalid"),
    ({"entered_at": SOON}, "entered_at", "entered_at_in_future"),
    ({"entered_at": "9999-12-31T23:59:59Z"}, "entered_at", "entered_at_in_future"),
    ({"entered_at": "1990-01-01T04:59:59Z"}, "entered_at", "entered_at_too_old"),
    ({"entered_at": "0002-01-01T00:00:00+14:00"}, "entered_at", "entered_at_too_old"),
    ({"updated_at": "yesterday"}, "updated_at", "updated_at_invalid"),
    ({"updated_at": SOON}, "updated_at", "updated_at_in_future"),
    ({"updated_at": "1900-01-01T00:00:00Z"}, "updated_at", "updated_at_too_old"),
    ({"updated_at": "1990-01-01T04:59:59Z"}, "updated_at", "updated_at_too_old"),
    ({"customer_segment": "(none)"}, "customer_segment", "reserved_text"),
    ({"customer_segment": "(other)"}, "customer_segment", "reserved_text"),
    ({"service_type": "(none)"}, "service_type", "reserved_text"),
    ({"service_type": "(rest)"}, "service_type", "reserved_text"),
    ({"agent_id": "(none)"}, "agent_id", "reserved_text"),
    ({"customer_segment": 1}, "customer_segment", "not_text"),
    ({"service_type": "x" * 129}, "service_type", "text_too_long"),
    ({"agent_id": "x" * 129}, "agent_id", "text_too_long"),
    ({"agent_name": "x" * 129}, "agent_name", "text_too_long"),
    ({"customer_id": {}}, "customer_id", "not_text"),
    *(
        case
        for field in ("offered_at", "accepted_at", "first_response_at", "finished_at")
        for case in (
            ({field: BEFORE}, field, "negative_duration"),
            (
                {"entered_at": "2024-11-19T14:59:59Z", field: "2026-11-20T15:00:00Z"},
                field,
                "duration_too_long",
            ),
            ({field: SOON}, field, f"{field}_in_future"),
            ({field: "2026-11"}, field, f"{field}_invalid"),
        )
    ),
    ({"abandoned": 1}, "abandoned", "abandoned_not_boolean"),
    ({"abandoned": "true"}, "abandoned", "abandoned_not_boolean"),
    ({"replies": -1}, "replies", "replies_out_of_range"),
    ({"replies": 2**31}, "replies", "replies_out_of_range"),
    ({"replies": 1.5}, "replies", "replies_not_whole_number"),
    ({"replies": True}, "replies", "replies_not_whole_number"),
    ({"replies": "2"}, "replies", "replies_not_whole_number"),
    ({"satisfaction": 0}, "satisfaction", "satisfaction_out_of_range"),
    ({"satisfaction": 5.5}, "satisfaction", "satisfaction_out_of_range"),
    ({"satisfaction": 3.00001}, "satisfaction", "satisfaction_too_precise"),
    ({"satisfaction": True}, "satisfaction", "satisfaction_not_number"),
    ({"satisfaction": "good"}, "satisfaction", "satisfaction_not_number"),
    ({"revenue": 12.5}, "revenue", "revenue_not_object"),
    ({"revenue": "12.50 EUR"}, "revenue", "revenue_not_object"),
    ({"revenue": {}}, "revenue.amount", "amount_missing"),
    ({"revenue": {"currency": "EUR"}}, "revenue.amount", "amount_missing"),
    ({"revenue": {"amount": 1}}, "revenue.currency", "currency_missing"),
    ({"revenue": {**EURO, "amount": None}}, "revenue.amount", "amount_missing"),
    ({"revenue": {**EURO, "amount": [1]}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": False}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": "1,50"}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": " 1"}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": "+1"}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": ".5"}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": "1_000"}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": "١"}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": "Infinity"}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": "1\n"}}, "revenue.amount", "amount_not_number"),
    ({"revenue": {**EURO, "amount": 0.00001}}, "revenue.amount", "amount_too_precise"),
    ({"revenue": {**EURO, "amount": 0.1 + 0.2}}, "revenue.amount", "amount_too_precise"),
    ({"revenue": {**EURO, "amount": 10**14}}, "revenue.amount", "amount_out_of_range"),
    ({"revenue": {**EURO, "amount": "1e999999999999"}}, "revenue.amount", "amount_out_of_range"),
    ({"revenue": {**EURO, "currency": "EURO"}}, "revenue.currency", "currency_unknown"),
    ({"revenue": {**EURO, "currency": "ZZZ"}}, "revenue.currency", "currency_unknown"),
    ({"revenue": {**EURO, "currency": "XXX"}}, "revenue.currency", "currency_unknown"),
    ({"revenue": {**EURO, "currency": "DEM"}}, "revenue.currency", "currency_unknown"),
    ({"revenue": {**EURO, "currency": 978}}, "revenue.currency", "not_text"),
    ({"revenue": {**EURO, "tax": 1}}, "revenue.tax", "unknown_field"),
    ({"entered": "2026-11-20T15:00:00Z"}, "entered", "unknown_field"),
    ({"survey_id": "s"}, "survey_id", "unknown_field"),
]
BAD_SESSIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"session_id": None}, "session_id", "session_id_missing"),
    ({"session_id": "x" * 129}, "session_id", "text_too_long"),
    ({"session_id": [1]}, "session_id", "not_text"),
    ({"agent_id": None}, "agent_id", "agent_id_missing"),
    ({"agent_id": "(none)"}, "agent_id", "reserved_text"),
    ({"agent_id": "x" * 129}, "agent_id", "text_too_long"),
    ({"media_type": None}, "media_type", "media_type_missing"),
    ({"media_type": "x" * 41}, "media_type", "text_too_long"),
    ({"day": None}, "day", "day_missing"),
    ({"day": "20261120"}, "day", "day_invalid"),
    ({"day": "2026-W47-5"}, "day", "day_invalid"),
    ({"day": "2026-02-30"}, "day", "day_invalid"),
    ({"day": "2026-11-20T00:00:00Z"}, "day", "day_invalid"),
    ({"day": 20261120}, "day", "day_invalid"),
    ({"day": "2026-11-22"}, "day", "day_in_future"),
    ({"day": "1989-12-31"}, "day", "day_too_old"),
    ({"active_seconds": None}, "active_seconds", "active_seconds_missing"),
    ({"active_seconds": "an hour"}, "active_seconds", "active_seconds_not_number"),
    ({"active_seconds": True}, "active_seconds", "active_seconds_not_number"),
    ({"active_seconds": -1}, "active_seconds", "active_seconds_out_of_range"),
    ({"active_seconds": 90_000.000001}, "active_seconds", "active_seconds_out_of_range"),
    ({"active_seconds": 3600.0000001}, "active_seconds", "active_seconds_too_precise"),
    ({"engaged_seconds": None}, "engaged_seconds", "engaged_seconds_missing"),
    ({"engaged_seconds": -0.5}, "engaged_seconds", "engaged_seconds_out_of_range"),
    ({"engaged_seconds": 3600.000001}, "engaged_seconds", "engaged_seconds_out_of_range"),
    ({"agent_name": "Ana"}, "agent_name", "unknown_field"),
]
FAULTS = [
    *((INTERACTIONS, CALL | change, *fault) for change, *fault in BAD_INTERACTIONS),
    *((SESSIONS, SESSION | change, *fault) for change, *fault in BAD_SESSIONS),
]


@pytest.mark.parametrize(
    ("path", "item", "field", "code"), FAULTS, ids=[f"{case[2]}-{case[3]}" for case in FAULTS]
)
def test_a_bad_field_is_refused_by_its_name_and_code(
    pulse: Driver, path: str, item: dict[str, Any], field: str, code: str
) -> None:
    answer = send(pulse, path, item)

    assert (answer.status, answer.json["code"]) == (422, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [(field, code)]
    assert (answer.json["accepted"], answer.json["ids"]) == (0, [None])
    assert pulse.messages() == []


@BOTH
def test_what_is_no_item_is_refused_and_nothing_good_is_a_422(
    pulse: Driver, path: str, stream: str, good: dict[str, Any]
) -> None:
    noun = stream.removesuffix("s")
    answer = send(pulse, path, {stream: ["text", None, good | {"media_type": ["fax"]}]})

    assert (answer.status, answer.json["code"]) == (422, "nothing_accepted")
    assert [fault["code"] for fault in answer.json["rejected"]] == [
        f"{noun}_not_object",
        f"{noun}_not_object",
        "not_text",
    ]
    assert answer.json["ids"] == [None, None, None]
    assert pulse.messages() == []


@BOTH
def test_a_body_that_cannot_be_read_is_refused_whole(
    pulse: Driver, path: str, stream: str, good: dict[str, Any]
) -> None:
    cases: list[tuple[object, int, str]] = [
        (b"", 400, "body_empty"),
        (b"{", 400, "body_not_json"),
        ([good], 400, "body_not_object"),
        (b'{"active_seconds": NaN}', 400, "number_not_finite"),
        (b'{"active_seconds": 1e400}', 400, "number_too_large"),
        (b'{"a": 1, "a": 2}', 400, "duplicate_key"),
        ({stream: good}, 400, f"{stream}_not_list"),
        ({stream: None}, 400, f"{stream}_not_list"),
        ({stream: [good], "x": 1}, 400, "unknown_field"),
        ({stream: []}, 422, f"{stream}_empty"),
        ({stream: [good] * 501}, 413, "too_many_items"),
        (json.dumps(good).encode() + b" " * LIMIT, 413, "body_too_large"),
    ]
    for body, status, code in cases:
        answer = send(pulse, path, body)
        assert (answer.status, answer.json["code"]) == (status, code)
    assert pulse.messages() == []


@BOTH
def test_the_limits_of_a_batch_are_inclusive(
    pulse: Driver, path: str, stream: str, good: dict[str, Any]
) -> None:
    body = json.dumps({stream: [good] * 500}).encode()
    answer = send(pulse, path, body.ljust(LIMIT))
    assert (answer.status, answer.json["accepted"]) == (202, 500)


@BOTH
def test_only_a_secret_key_may_write_them(
    pulse: Driver, path: str, stream: str, good: dict[str, Any]
) -> None:
    body = json.dumps(good)
    for kind in ("publishable", "report", "feed", "operator"):
        tenant = None if kind == "operator" else "demo"
        answer = pulse.call("POST", path, key=pulse.key(tenant, kind), body=body)
        assert (answer.status, answer.json["code"]) == (403, "wrong_key_kind"), kind
    shown = pulse.call("POST", f"{path}?key={pulse.key('demo', 'publishable')}", body=body)
    assert (shown.status, shown.json["code"]) == (403, "wrong_key_kind")
    shown = pulse.call("POST", f"{path}?key={pulse.key('demo', 'secret')}", body=body)
    assert (shown.status, shown.json["code"]) == (401, "key_kind_not_in_query")
    for key, code in ((None, "missing_key"), ("sk_unknown", "invalid_key")):
        answer = pulse.call("POST", path, key=key, body=body)
        assert (answer.status, answer.json["code"]) == (401, code)
    assert pulse.messages() == []


@BOTH
def test_what_cannot_be_stored_is_a_503(
    pulse: Driver,
    path: str,
    stream: str,
    good: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = pulse.key("demo", "secret")
    monkeypatch.setenv("PULSE_QUEUE_URL", "http://sqs.eu-central-1.amazonaws.com/1/gone")
    pulse.forget()
    answer = pulse.call("POST", path, key=key, body=json.dumps(good))
    pulse.forget()
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
