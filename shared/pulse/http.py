"""Turns API Gateway's event into a request, and a reply into API Gateway's form.

API Gateway has matched the route already (`routeKey`), so routing is a look-up in a table. Errors
are replies by RFC 9457. An HTTP API does not compress, so this module does, for all functions.
"""

import base64
import hmac
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote_plus

from pulse.encodings import GZIP, compress, wants_gzip
from pulse.errors import BadRequestError, ForbiddenError, NotFoundError, RequestError
from pulse.observe import count, logger
from pulse.settings import RoutedSettings

PROBLEM = "application/problem+json"
JSON = "application/json; charset=utf-8"
ORIGIN = "x-pulse-origin"
"""The header in which CloudFront sends the secret that it shares with the functions."""


@dataclass(frozen=True)
class Call:
    """One request (HTTP API, payload format 2.0). Header names are lower-case."""

    route: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    request_id: str
    method: str = "GET"
    path_parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """The request in an event of API Gateway."""
        context = event["requestContext"]
        text = event.get("body") or ""
        return cls(
            route=event["routeKey"],
            method=context["http"]["method"],
            path=event["rawPath"],
            raw_query=event.get("rawQueryString") or "",
            headers={name.lower(): value for name, value in event.get("headers", {}).items()},
            body=base64.b64decode(text) if event.get("isBase64Encoded") else _encode(text),
            source_ip=context["http"]["sourceIp"],
            request_id=context["requestId"],
            path_parameters=event.get("pathParameters") or {},
        )

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's (name, raw value) pairs; values are still percent-encoded.

        They are not decoded here, because a comma separates values while %2C is a part of one;
        `decode` decodes a value.
        """
        pairs = (part.partition("=") for part in self.raw_query.split("&") if part)
        return [(decode(name), value) for name, _, value in pairs]


def decode(raw: str) -> str:
    """A percent-encoded piece of a query as text. Raises BadRequestError if it is not UTF-8."""
    try:
        return unquote_plus(raw, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequestError("invalid_query", "The query string is not UTF-8.") from error


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Reply:
    """One reply."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(
        cls, status: int, body: Any, headers: Mapping[str, str] | None = None, kind: str = JSON
    ) -> Self:
        """A reply whose body is JSON."""
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return cls(status, text, {"Content-Type": kind, **(headers or {})})

    @classmethod
    def problem(cls, error: RequestError) -> Self:
        """The reply that says what is wrong with the request (RFC 9457)."""
        return cls.json(error.status, error.problem(), error.headers, PROBLEM)


@dataclass(frozen=True)
class Door:
    """Decides whether a function serves all callers, or only those through the distribution.

    A web ACL protects the distribution; calls to the API's own address would avoid it.
    """

    secret: str
    """The secret in each request from CloudFront; if empty, no request counts as from there."""
    only_through_pages: bool = False

    @classmethod
    def from_settings(cls, settings: RoutedSettings) -> Self:
        """Make it from the function's settings. Raises SettingsError if they are wrong."""
        return cls(settings.origin_secret, settings.is_only_through_pages)

    def is_from_pages(self, call: Call) -> bool:
        """Whether the call came through the distribution; secrets are compared in constant time."""
        shown = _encode(call.headers.get(ORIGIN, ""))
        return bool(self.secret) and hmac.compare_digest(shown, _encode(self.secret))

    def check(self, call: Call) -> None:
        """Raise ForbiddenError for a call that is not served."""
        if self.only_through_pages and not self.is_from_pages(call):
            raise ForbiddenError(
                "only_through_pages",
                "This address answers nobody directly: call the one that the pages are at.",
            )


Route = Callable[[Call], Reply]


def reply_to(routes: Mapping[str, Route], event: Mapping[str, Any], door: Door) -> dict[str, Any]:
    """The route's reply to an event, in API Gateway's form; never raises.

    A call that `door` refuses reaches no route, not even if it is a preflight. A RequestError
    becomes its problem. Any other error is logged, counted in RequestsFailed, and becomes a 500
    that says nothing but the request id.
    """
    call = Call.from_event(event)
    try:
        door.check(call)
        reply = _route(routes, call)(call)
    except RequestError as error:
        reply = Reply.problem(error)
    except Exception as error:
        count("RequestsFailed")
        logger.error("request failed", extra=_where(error) | {"request_id": call.request_id})
        reply = Reply.problem(_InternalError("internal", "Something went wrong on our side."))
    return _as_result(call, reply)


def _as_result(call: Call, reply: Reply) -> dict[str, Any]:
    """The reply in API Gateway's form, compressed if the caller accepts that."""
    headers = {"X-Request-Id": call.request_id, **reply.headers}
    headers["Vary"] = ", ".join(filter(None, (headers.get("Vary"), "Accept-Encoding")))
    result = {"statusCode": reply.status, "headers": headers}
    body = reply.body.encode(errors="replace")  # it may quote a lone surrogate of the caller's
    if not body or not wants_gzip(call.headers.get("accept-encoding", ""), len(body)):
        return result | {"body": reply.body, "isBase64Encoded": False}
    headers["Content-Encoding"] = GZIP
    return result | {"body": base64.b64encode(compress(body)).decode(), "isBase64Encoded": True}


def _route(routes: Mapping[str, Route], call: Call) -> Route:
    """The route of the call. HEAD has the route of GET; API Gateway removes the body."""
    method, _, path = call.route.partition(" ")
    key = f"GET {path}" if method == "HEAD" else call.route
    return routes.get(key, _unknown)


def _where(error: Exception) -> dict[str, Any]:
    """What is logged of an unexpected error, without its message, which may quote the request."""
    frames = traceback.extract_tb(error.__traceback__)
    at = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": at}


class _InternalError(RequestError):
    status = 500
    title = "Internal error"


def _unknown(call: Call) -> Reply:
    raise NotFoundError("unknown_path", f"There is no {call.method} {call.path}.")
