"""The edge of the functions: API Gateway's events in, answers and problems out."""

import json
from typing import Any

import pytest

from pulse.errors import FieldError, UnavailableError, UnprocessableError
from pulse.http import Call, Reply, answer
from pulse.observe import metrics


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
    """API Gateway leaves the body away, and needs it for Content-Length."""
    routes = {"GET /v1/surveys/{id}": lambda call: Reply.json(200, {"id": "support"})}
    got, asked = (
        answer(routes, event(routeKey=f"{method} /v1/surveys/{{id}}")) for method in ("GET", "HEAD")
    )
    assert asked == got
    assert asked["statusCode"] == 200
    assert answer(routes, event(routeKey="HEAD /v1/reports"))["statusCode"] == 404


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
