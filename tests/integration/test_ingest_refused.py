"""Requests that ingest refuses, each with its status and code, and some just within the limits."""

from typing import Any

import pytest

from pulse import days
from tests.ingest_events import (
    PUBLISHABLE,
    REPORT,
    REVOKED,
    SECRET,
    SHOP,
    T0,
    batch,
    changed,
    event,
    from_server,
    message,
    one,
    received,
    send,
)

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
