"""The functions' HTTP: events of API Gateway become calls, and replies and problems come out."""

import base64
import gzip
import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from pulse.errors import FieldError, SettingsError, UnavailableError, UnprocessableError
from pulse.http import Call, Door, Reply, Route, reply_to
from pulse.observe import metrics
from pulse.settings import RoutedSettings

ANYBODY = Door("")


def answer(routes: Mapping[str, Route], event: dict[str, Any], door: Door = ANYBODY) -> Any:
    return reply_to(routes, event, door)


def event(**changes: Any) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "POST /v1/responses",
        "rawPath": "/v1/responses",
        "rawQueryString": "a=1%2C2,3&b=%21x&a=",
        "headers": {"Content-Type": "application/json"},
        "body": "{}",
        "isBase64Encoded": False,
        "requestContext": {
            "http": {"method": "POST", "sourceIp": "192.0.2.1"},
            "requestId": "JKJaX",
        },
    } | changes


def test_a_call_keeps_the_query_raw() -> None:
    call = Call.from_event(event())
    assert call.query == [("a", "1%2C2,3"), ("b", "%21x"), ("a", "")]
    assert call.headers == {"content-type": "application/json"}


def test_a_body_may_come_as_base64() -> None:
    assert Call.from_event(event(body="8J+YgA==", isBase64Encoded=True)).body == "😀".encode()
    assert Call.from_event(event(body=None)).body == b""


def test_every_answer_carries_the_request_id() -> None:
    routes = {"POST /v1/responses": lambda call: Reply.json(202, {"accepted": 1})}
    reply = answer(routes, event())
    assert (reply["statusCode"], json.loads(reply["body"])) == (202, {"accepted": 1})
    assert reply["headers"]["X-Request-Id"] == "JKJaX"


def test_head_is_answered_as_get_is() -> None:
    """API Gateway removes the body, and needs it to compute Content-Length."""
    routes = {"GET /v1/surveys/{id}": lambda call: Reply.json(200, {"id": "support"})}
    got, asked = (
        answer(routes, event(routeKey=f"{method} /v1/surveys/{{id}}")) for method in ("GET", "HEAD")
    )
    assert asked == got
    assert asked["statusCode"] == 200
    assert answer(routes, event(routeKey="HEAD /v1/reports"))["statusCode"] == 404


def sent(body: str, accept_encoding: str | None) -> dict[str, Any]:
    headers = {} if accept_encoding is None else {"Accept-Encoding": accept_encoding}
    routes = {"POST /v1/responses": lambda call: Reply(200, body, {"Vary": "Accept"})}
    reply: dict[str, Any] = answer(routes, event(headers=headers))
    return reply


@pytest.mark.parametrize("route", ["POST /v1/responses", "OPTIONS /{proxy+}", "$default"])
def test_who_does_not_come_through_the_pages_reaches_no_route(route: str) -> None:
    asked: list[str] = []

    def note(call: Call) -> Reply:
        asked.append(call.route)
        return Reply(204)

    routes = {"POST /v1/responses": note, "OPTIONS /{proxy+}": note}
    door = Door("1-secret", only_through_pages=True)
    for shown in ({}, {"x-pulse-origin": "1-secreT"}, {"x-pulse-origin": ""}):
        reply = answer(routes, event(routeKey=route, headers=shown), door)
        assert (reply["statusCode"], json.loads(reply["body"])["code"]) == (
            403,
            "only_through_pages",
        )
        assert reply["headers"]["Content-Type"] == "application/problem+json"
    assert asked == []
    reply = answer(routes, event(routeKey=route, headers={"X-Pulse-Origin": "1-secret"}), door)
    assert reply["statusCode"] == (404 if route == "$default" else 204)


def test_without_a_secret_a_closed_door_lets_nobody_in() -> None:
    shown = event(headers={"x-pulse-origin": ""})
    assert answer({}, shown, Door("", only_through_pages=True))["statusCode"] == 403


def test_an_open_door_asks_for_nothing() -> None:
    routes = {"POST /v1/responses": lambda call: Reply(204)}
    assert answer(routes, event(), Door("1-secret"))["statusCode"] == 204


def test_a_door_that_is_told_neither_true_nor_false_is_none() -> None:
    with pytest.raises(SettingsError, match="PULSE_ONLY_THROUGH_PAGES"):
        Door.from_settings(RoutedSettings("pulse", "1-secret", "yes"))


def test_a_long_body_goes_compressed_to_who_takes_it_so() -> None:
    body = "ä😀" * 1_000
    reply = sent(body, "gzip, br")
    assert (reply["isBase64Encoded"], reply["headers"]["Content-Encoding"]) == (True, "gzip")
    assert gzip.decompress(base64.b64decode(reply["body"])).decode() == body


@pytest.mark.parametrize(
    ("body", "accept_encoding"),
    [("a" * 1_023, "gzip"), ("a" * 1_024, "gzip;q=0"), ("a" * 1_024, None), ("", "identity;q=0")],
)
def test_any_other_goes_as_it_is(body: str, accept_encoding: str | None) -> None:
    reply = sent(body, accept_encoding)
    assert (reply["body"], reply["isBase64Encoded"]) == (body, False)
    assert "Content-Encoding" not in reply["headers"]


def test_caches_are_told_that_the_coding_depends_on_the_caller() -> None:
    for body in ("a" * 2_000, "a"):
        assert sent(body, None)["headers"]["Vary"] == "Accept, Accept-Encoding"


def test_half_of_a_pair_that_a_caller_sent_is_no_failure() -> None:
    reply = sent("\ud800" * 2_000, "gzip")
    assert gzip.decompress(base64.b64decode(reply["body"])) == b"?" * 2_000


def test_the_largest_page_leaves_lambda_whatever_it_is_made_of() -> None:
    """Lambda allows 6 MB, of which base64 takes a quarter; random bytes cannot be compressed."""
    noise = "".join(map(chr, Random(1).choices(range(33, 127), k=4_000_000)))
    assert len(json.dumps(sent(noise, "gzip"))) < 6_000_000


def test_an_unknown_path_is_a_problem() -> None:
    reply = answer({}, event(routeKey="$default", rawPath="/nowhere"))
    problem = json.loads(reply["body"])
    assert reply["headers"]["Content-Type"] == "application/problem+json"
    assert (reply["statusCode"], problem["code"]) == (404, "unknown_path")


def test_a_problem_says_which_field_is_at_fault() -> None:
    def route(call: Call) -> Reply:
        error = FieldError("score", "score_missing", "A score is required.")
        raise UnprocessableError("score_missing", "Nothing accepted.", errors=[error])

    problem = json.loads(answer({"POST /v1/responses": route}, event())["body"])
    assert problem == {
        "type": "urn:pulse:problem:score_missing",
        "title": "Unprocessable content",
        "status": 422,
        "detail": "Nothing accepted.",
        "code": "score_missing",
        "errors": [{"field": "score", "code": "score_missing", "message": "A score is required."}],
    }


def test_what_may_be_tried_again_says_when() -> None:
    def route(call: Call) -> Reply:
        raise UnavailableError("unavailable", "Try again.")

    reply = answer({"POST /v1/responses": route}, event())
    assert (reply["statusCode"], reply["headers"]["Retry-After"]) == (503, "5")


def test_an_unforeseen_error_tells_neither_caller_nor_log_what_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def route(call: Call) -> Reply:
        raise ValueError(f"cannot make sense of {call.body!r}")

    reply = answer({"POST /v1/responses": route}, event(body="a customer's words"))
    assert reply["statusCode"] == 500
    assert json.loads(reply["body"])["code"] == "internal"
    assert metrics.metric_set["RequestsFailed"]["Value"] == [1]
    (record,) = caplog.records
    written = str(vars(record))
    assert "ValueError" in written
    assert "test_http.py" in written
    for told in (reply["body"], written):
        assert "customer" not in told
