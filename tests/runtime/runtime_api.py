"""Lambda's runtime API for one function, where AWS's emulator cannot be built.

awslambdaric asks it for events and hands it results, as on AWS (Lambda's documentation: "Using the
Lambda runtime API"): GET …/invocation/next, POST …/invocation/ID/response or /error, POST
…/init/error, all below /2018-06-01/runtime.
"""

import json
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Any

PREFIX = "/2018-06-01/runtime/"


class RuntimeApi:
    """A server on a free port of 127.0.0.1, until it is stopped. One call at a time."""

    def __init__(self, function_arn: str, timeout_s: int) -> None:
        """It listens when this returns."""
        self.function_arn = function_arn
        self.timeout_s = timeout_s
        self.events: SimpleQueue[bytes] = SimpleQueue()
        self.replies: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.asked = threading.Event()
        """Set once the runtime has asked for an event: its start is over."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """For AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def invoke(self, event: Any) -> dict[str, Any]:
        """{"result"} of the function, or its {"error"}. Raises TimeoutError after its timeout."""
        self.events.put(json.dumps(event).encode())
        try:
            return self.replies.get(timeout=self.timeout_s)
        except Empty as error:
            raise TimeoutError(f"no answer within {self.timeout_s} seconds") from error

    def stop(self) -> None:
        """The port is free. A runtime that waits for an event gets none."""
        self._server.shutdown()
        self._server.server_close()


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the server's own name for it
            if self.path != f"{PREFIX}invocation/next":
                return self._answer(404, b"{}")
            api.asked.set()
            event = api.events.get()
            deadline = int((time.time() + api.timeout_s) * 1000)
            return self._answer(
                200,
                event,
                {
                    "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": api.function_arn,
                },
            )

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kind = "result" if self.path.endswith("/response") else "error"
            api.replies.put({kind: body})
            self._answer(202, b'{"status":"OK"}')

        def log_message(self, *_: Any) -> None:
            """Nothing: the function's own log is enough."""

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str] = {}) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
