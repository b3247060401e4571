"""The HTTP server in front of the functions: API Gateway's HTTP API in the embedded stack."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, ClassVar, Protocol

from local.functions import Function, FunctionError
from local.payload import Reply, Request, gateway_reply, to_event, to_reply
from local.routes import HttpApi

LARGEST_BODY = 10 * 1024 * 1024
INTEGRATION_SECONDS = 30.0
IDLE_SECONDS = 60
"""After so many seconds without a request a connection is closed."""

_LOG_FIELD = re.compile(r"\$context\.([A-Za-z.]+)")


class Answerer(Protocol):
    """Replies to the requests that reach the port."""

    def answer(self, request: Request) -> tuple[Reply, str | None]:
        """The reply, and the key of the API's route that made it; None if no route did."""


class Gateway:
    """Replies to requests by the rules of an HTTP API."""

    def __init__(self, api: HttpApi, functions: Mapping[str, Function]) -> None:
        self._api = api
        self._functions = functions

    def answer(self, request: Request) -> tuple[Reply, str]:
        """The reply, and the key of the route that made it.

        A preflight goes to its route, which may be `$default`; only if there is none does the
        gateway reply itself. In both cases the CORS headers are those of the configuration.
        """
        reply, route_key = self._route(request)
        cors, origin = self._api.cors, request.header("origin")
        if cors is None:
            return reply, route_key
        added = {}
        if origin:
            added = cors.preflight(origin) if _is_preflight(request) else cors.response(origin)
        plain = reply.without_cors()
        return replace(plain, headers=plain.headers + tuple(added.items())), route_key

    def _route(self, request: Request) -> tuple[Reply, str]:
        found = self._api.find(request.method, request.path)
        if found is None and self._api.cors and _is_preflight(request):
            return Reply(204), "OPTIONS"
        if found is None:
            return gateway_reply(404, "Not Found"), "-"
        route, parameters = found
        if route.throttle and not route.throttle.admits():
            return gateway_reply(429, "Too Many Requests"), route.key
        event = to_event(
            request, route_key=route.key, path_parameters=parameters, api_id=self._api.api_id
        )
        return self._call(self._functions[route.function], event), route.key

    def _call(self, function: Function, event: dict[str, Any]) -> Reply:
        try:
            return to_reply(function.submit(event).result(INTEGRATION_SECONDS))
        except FutureTimeoutError:
            return gateway_reply(503, "Service Unavailable")  # the function still runs, as on AWS
        except (CancelledError, RuntimeError):
            return gateway_reply(503, "Service Unavailable")  # the stack is stopping
        except (FunctionError, ValueError, TypeError, AttributeError):
            return gateway_reply(500, "Internal Server Error")


def _is_preflight(request: Request) -> bool:
    asked = (request.header("origin"), request.header("access-control-request-method"))
    return request.method == "OPTIONS" and None not in asked


class _BadRequest(Exception):
    """A request that cannot be read; its connection has to be closed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """Reads requests from a connection and writes the replies."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # buffered, so that a reply is sent at once
    timeout = IDLE_SECONDS
    answerer: ClassVar[Answerer]
    access_log: ClassVar[AccessLog | None]

    def _serve(self) -> None:
        started = time.monotonic()
        request_id = uuid.uuid4().hex[:16]
        try:
            request = self._read()
        except _BadRequest as error:
            self.close_connection = True
            self._write(gateway_reply(error.status, str(error)), request_id)
            return
        reply, route_key = self.answerer.answer(request)
        if route_key is None:
            self._write(reply)
            return
        self._write(reply, request_id)
        if self.access_log:
            self.access_log.write(request, reply, route_key, request_id, time.monotonic() - started)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _read(self) -> Request:
        return Request(
            method=self.command,
            target=self.path,
            protocol=self.request_version,
            headers=tuple(self.headers.items()),
            body=self._body(),
            source_ip=self.client_address[0],
        )

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return self._chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if length < 0:
            raise _BadRequest(400, "Bad Request")
        if length > LARGEST_BODY:
            raise _BadRequest(413, "Request Entity Too Large")
        return self.rfile.read(length)

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(64).split(b";")[0], 16)
            except ValueError as error:
                raise _BadRequest(400, "Bad Request") from error
            if size < 0 or len(body) + size > LARGEST_BODY:
                raise _BadRequest(413, "Request Entity Too Large")
            if size == 0:
                while self.rfile.readline(8192).strip():
                    """Skip the trailers."""
                return bytes(body)
            body += self.rfile.read(size)
            self.rfile.readline(8)

    def _write(self, reply: Reply, request_id: str | None = None) -> None:
        self.send_response(reply.status)
        for key, value in reply.headers:
            if key not in {"content-length", "connection", "transfer-encoding"}:
                self.send_header(key, value)
        if request_id:
            self.send_header("apigw-requestid", request_id)
        if reply.status not in {204, 304}:
            self.send_header("content-length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD" and reply.status not in {204, 304}:
            self.wfile.write(reply.body)
        self.wfile.flush()

    def version_string(self) -> str:
        return "embedded"

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the access log has every request."""


class AccessLog:
    """Writes one line for each request, in the template's AccessLogSettings.Format."""

    def __init__(self, line: str, file: IO[str]) -> None:
        self._line = line
        self._file = file
        self._lock = threading.Lock()

    def write(
        self, request: Request, reply: Reply, route_key: str, request_id: str, seconds: float
    ) -> None:
        """Write the request's line; `seconds` is how long its reply took."""
        values = {
            "requestId": request_id,
            "extendedRequestId": request_id,
            "identity.sourceIp": request.source_ip,
            "identity.userAgent": request.header("user-agent") or "-",
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "requestTimeEpoch": str(int(time.time() * 1000)),
            "httpMethod": request.method,
            "path": request.path,
            "routeKey": route_key,
            "protocol": request.protocol,
            "status": str(reply.status),
            "integration.status": str(reply.function_status or "-"),
            "responseLength": str(len(reply.body)),
            "responseLatency": str(int(seconds * 1000)),
            "integrationLatency": str(int(seconds * 1000)),
        }
        line = _LOG_FIELD.sub(lambda found: values.get(found[1], "-"), self._line)
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: a client that closed its connection is no error."""


class HttpFront:
    """The stack's HTTP server. It binds its port when made, so that a taken port is known early."""

    def __init__(self, port: int) -> None:
        """Bind the port, or any free one if it is 0. Raises OSError if the port is taken."""
        self._handler = type("Handler", (_Handler,), {"access_log": None})
        self._server = _Server(("127.0.0.1", port), self._handler)
        self._serving: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, answerer: Answerer, access_log: AccessLog | None) -> None:
        """Start to answer requests, in a thread."""
        self._handler.answerer = answerer  # type: ignore[attr-defined]
        self._handler.access_log = access_log  # type: ignore[attr-defined]
        self._serving = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._serving.start()

    def stop(self) -> None:
        """Stop the server and free its port. Open connections end when their functions end."""
        if self._serving:
            self._server.shutdown()
            self._serving.join()
        self._server.server_close()
