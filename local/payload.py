"""Payload format 2.0: makes a Lambda event of an HTTP request, and a reply of a handler's result.

Both are as API Gateway's HTTP API does it.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from local.template import ACCOUNT_ID

_TEXT_TYPES = {"application/json", "application/javascript", "application/xml"}
_CORS_PREFIX = "access-control-"


@dataclass(frozen=True)
class Request:
    """An HTTP request as it was sent."""

    method: str
    target: str
    """Path and query, still percent-encoded."""
    protocol: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str

    @property
    def path(self) -> str:
        """The path, percent-decoded: an HTTP API, unlike a REST API, passes it on decoded."""
        encoded = self.target.partition("?")[0].encode("latin-1")
        return unquote_to_bytes(encoded).decode("utf-8", "replace")

    @property
    def query(self) -> str:
        """The query string, still percent-encoded, without its question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """All values of a header, joined by commas; None if the request has no such header."""
        values = [value for key, value in self.headers if key.lower() == name]
        return ",".join(values) if values else None


@dataclass(frozen=True)
class Reply:
    """An HTTP reply."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    function_status: int | None = None
    """The status that a function returned; None if none was called or the call failed."""

    def without_cors(self) -> Reply:
        """The reply without CORS headers, which API Gateway removes if it has a configuration."""
        kept = tuple(h for h in self.headers if not h[0].lower().startswith(_CORS_PREFIX))
        return replace(self, headers=kept)


def gateway_reply(status: int, message: str) -> Reply:
    """A reply of API Gateway's own."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return Reply(status, (("content-type", "application/json"),), body)


def to_event(
    request: Request, *, route_key: str, path_parameters: Mapping[str, str], api_id: str
) -> dict[str, Any]:
    """The event for a request. Members without a value are left out, as by API Gateway."""
    now = time.time()
    request_id = str(uuid.uuid4())
    body, is_base64 = _body(request)
    cookies = [c.strip() for c in (request.header("cookie") or "").split(";") if c.strip()]
    optional: dict[str, Any] = {
        "cookies": cookies,
        "queryStringParameters": _query_parameters(request.query),
        "pathParameters": dict(path_parameters),
        "body": body,
    }
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": _headers(request),
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": api_id,
            "domainName": request.header("host") or "localhost",
            "domainPrefix": api_id,
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent") or "",
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": is_base64,
    } | {key: value for key, value in optional.items() if value}


def _headers(request: Request) -> dict[str, str]:
    joined: dict[str, str] = {}
    for key, value in request.headers:
        name = key.lower()
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    joined.pop("cookie", None)
    if request.body:
        # a chunked body is complete by now
        joined.pop("transfer-encoding", None)
        joined["content-length"] = str(len(request.body))
    forwarded = joined.get("x-forwarded-for")
    joined["x-forwarded-for"] = (
        f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip
    )
    joined["x-forwarded-proto"] = "http"
    return joined


def _query_parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        parameters[key] = f"{parameters[key]},{value}" if key in parameters else value
    return parameters


def _body(request: Request) -> tuple[str, bool]:
    """The body as text or in base64: by the content type, then by whether it is UTF-8."""
    content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if not request.body:
        return "", False
    if content_type.startswith("text/") or content_type in _TEXT_TYPES:
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass  # it is passed on in base64
    return base64.b64encode(request.body).decode(), True


def to_reply(result: Any) -> Reply:
    """The reply in a handler's result. Raises ValueError if the result is none."""
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result)
        return Reply(200, (("content-type", "application/json"),), text.encode(), 200)
    headers = [
        (str(key).lower(), _header_value(value))
        for key, value in (result.get("headers") or {}).items()
    ]
    headers += [("set-cookie", str(cookie)) for cookie in result.get("cookies") or []]
    if not any(key == "content-type" for key, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    status = _status(result["statusCode"])
    return Reply(status, tuple(headers), _reply_body(result), status)


def _status(value: Any) -> int:
    status = int(value)
    if not 100 <= status <= 599:
        raise ValueError(f"status {status}")
    return status


def _header_value(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise ValueError("a header's value has a line break")
    return text


def _reply_body(result: Mapping[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise ValueError("body is not text")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError("body is not base64") from error
