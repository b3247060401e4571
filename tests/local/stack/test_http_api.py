"""The HTTP server passes on and replies what API Gateway's HTTP API would."""

import base64
from pathlib import Path

import pytest

from local.stack import Stack
from tests.local.stack.conftest import Http, eventually

SHOP = {"Origin": "https://shop.example"}


def test_event_has_the_form_of_payload_2(http: Http, stack: Stack) -> None:
    answer = http(
        "POST",
        "/echo?b=2&a=1&a=%2C3&empty=",
        {
            "Content-Type": "application/json",
            "X-One": "1",
            "Cookie": "session=x; theme=dark",
            "User-Agent": "test",
        },
        b'{"score": 9}',
    )
    event = answer.json()
    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == "ANY /echo"
    assert event["rawPath"] == "/echo"
    assert event["rawQueryString"] == "b=2&a=1&a=%2C3&empty="
    assert event["queryStringParameters"] == {"b": "2", "a": "1,,3", "empty": ""}
    assert event["headers"]["x-one"] == "1"
    assert event["headers"]["content-type"] == "application/json"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["session=x", "theme=dark"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"score": 9}', False)
    assert "pathParameters" not in event
    assert context["http"] == {
        "method": "POST",
        "path": "/echo",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }
    assert context["stage"] == "$default"
    assert context["apiId"] == stack.deployment.resources["Api"]
    assert context["accountId"] == "123456789012"
    assert context["timeEpoch"] > 1_700_000_000_000
    assert context["requestId"]


def test_a_request_without_body_and_query_lacks_their_keys(http: Http) -> None:
    event = http("GET", "/echo").json()
    assert event["rawQueryString"] == ""
    assert event["isBase64Encoded"] is False
    assert not {"body", "queryStringParameters", "cookies", "pathParameters"} & event.keys()


@pytest.mark.parametrize(
    ("content_type", "body", "is_base64"),
    [
        ("text/plain;charset=UTF-8", "grüße".encode(), False),
        ("application/json", b"{}", False),
        ("application/xml", b"<a/>", False),
        ("application/javascript", b"1", False),
        ("application/octet-stream", b"abc", True),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("application/json", b"\xff\xfe", True),
    ],
)
def test_content_type_decides_about_base64(
    http: Http, content_type: str, body: bytes, is_base64: bool
) -> None:
    event = http("POST", "/echo", {"Content-Type": content_type}, body).json()
    assert event["isBase64Encoded"] is is_base64
    sent_on = base64.b64decode(event["body"]) if is_base64 else event["body"].encode()
    assert sent_on == body


def test_chunked_body_arrives_whole(http: Http) -> None:
    parts = iter([b'{"a":', b" 1", b"}"])
    event = http("POST", "/echo", {"Content-Type": "application/json"}, parts).json()
    assert event["body"] == '{"a": 1}'
    assert "transfer-encoding" not in event["headers"]


@pytest.mark.parametrize(
    ("path", "key", "parameters"),
    [
        ("/items/12", "GET /items/{id}", {"id": "12"}),
        ("/items/a%20b%C3%A4", "GET /items/{id}", {"id": "a bä"}),
        ("/items/special", "GET /items/special", None),
        ("/files/a/b.txt", "GET /files/{path+}", {"path": "a/b.txt"}),
    ],
)
def test_the_most_specific_route_answers(
    http: Http, path: str, key: str, parameters: dict[str, str] | None
) -> None:
    event = http("GET", path).json()
    assert event["routeKey"] == key
    assert event.get("pathParameters") == parameters


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("POST", "/items/1"), ("GET", "/items/1/2")]
)
def test_unknown_route_is_404_in_the_gateways_words(http: Http, method: str, path: str) -> None:
    answer = http(method, path)
    assert (answer.status, answer.json()) == (404, {"message": "Not Found"})


def test_binary_reply_with_cookies(http: Http) -> None:
    answer = http("GET", "/echo?do=binary")
    assert answer.status == 201
    assert answer.body == b"GIF89a"
    assert answer.headers["content-type"] == "image/gif"


def test_head_has_the_headers_and_no_body(http: Http) -> None:
    answer = http("HEAD", "/echo?do=binary")
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["content-length"] == "6"


def test_a_bare_value_is_a_200_in_json(http: Http) -> None:
    answer = http("GET", "/echo?do=about")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["layer"] == "from the layer"


@pytest.mark.parametrize("do", ["fail", "exit", "unserialisable", "large"])
def test_a_failing_function_is_a_500_without_details(http: Http, do: str) -> None:
    answer = http("GET", f"/echo?do={do}")
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})
    assert http("GET", "/echo").status == 200


def test_a_body_over_10_mb_is_413(http: Http) -> None:
    # only its length is sent: the answer comes before the body would
    answer = http("POST", "/echo", {"Content-Length": str(10 * 1024 * 1024 + 1)}, b"")
    assert (answer.status, answer.json()) == (413, {"message": "Request Entity Too Large"})


def test_throttle_admits_the_burst_then_says_429(http: Http) -> None:
    answers = [http("GET", "/limited") for _ in range(4)]
    assert [a.status for a in answers[:2]] == [200, 200]
    assert answers[3].status == 429
    assert answers[3].json() == {"message": "Too Many Requests"}
    assert http("GET", "/items/1").status == 200


def test_head_is_not_routed_as_get_is(http: Http) -> None:
    assert http("HEAD", "/items/1").status == 404


def test_a_preflight_without_a_route_is_answered_from_the_configuration(http: Http) -> None:
    asked = {"Access-Control-Request-Method": "POST", **SHOP}
    answer = http("OPTIONS", "/items/1", asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-methods"] == "GET,POST"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-api-key"
    assert answer.headers["access-control-max-age"] == "600"


def test_a_preflight_with_a_route_is_the_functions_with_the_configurations_headers(
    http: Http,
) -> None:
    asked = {"Access-Control-Request-Method": "POST", **SHOP}
    answer = http("OPTIONS", "/echo?do=binary", asked)
    assert (answer.status, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-methods"] == "GET,POST"
    assert http("OPTIONS", "/echo?do=fail", asked).status == 500


def test_preflight_of_another_origin_gets_no_permission(http: Http) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Origin": "https://evil.example"}
    answer = http("OPTIONS", "/items/1", asked)
    assert answer.status == 204
    assert not [h for h in answer.headers if h.lower().startswith("access-control-")]


def test_cors_headers_are_the_configurations_not_the_functions(http: Http) -> None:
    allowed = http("GET", "/echo?do=binary", SHOP).headers
    assert allowed["access-control-allow-origin"] == "https://shop.example"
    assert allowed["access-control-expose-headers"] == "etag"
    assert allowed["etag"] == '"1"'
    assert "access-control-allow-origin" not in http("GET", "/echo?do=binary").headers


def test_options_that_is_no_preflight_reaches_the_function(http: Http) -> None:
    event = http("OPTIONS", "/echo").json()
    assert event["requestContext"]["http"]["method"] == "OPTIONS"


def test_access_log_is_written_in_the_templates_format(http: Http, log_dir: Path) -> None:
    def logged(line: str) -> bool:
        return line in (log_dir / "access.log").read_text().splitlines()

    http("GET", "/files/logged")
    http("GET", "/not-there")
    # written once the reply is out
    assert eventually(lambda: logged("GET GET /files/{path+} 200"))
    assert eventually(lambda: logged("GET - 404"))
