"""One warm Lambda environment: it imports the handler once, then runs one event after another.

It is run by its path in a process of its own, which can import only the function's code and layers:

    python -P worker.py PIPE HANDLER

PIPE is the file descriptor of a duplex pipe. The process first sends one message: {}, or {"error"}
if the import failed. Then it receives events ({"event", "request_id", "deadline"}) and replies to
each with {"result"} or {"error"}. What the handler prints goes to stdout, which is the function's
log. The process ends when the pipe ends, even in the middle of an event, so it never outlives the
stack. pyarrow has only those of Parquet's codecs that AWS's layer has (layer_codecs.py).
"""

import importlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from runpy import run_path
from typing import Any

LAYER_CODECS = Path(__file__).with_name("layer_codecs.py")
LARGEST_REPLY = 6 * 1024 * 1024 + 100 * 1024  # bytes of JSON, Lambda's own limit

Handler = Callable[[Any, "Context"], Any]


class Context:
    """The context object that Lambda passes to a handler with the event."""

    def __init__(self, request_id: str, deadline: float) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = "$LATEST"
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = os.environ["_FUNCTION_ARN"]
        self.aws_request_id = request_id
        self.client_context = None
        self.identity = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """How many milliseconds are left before the function's timeout; 0 after it."""
        return max(0, int((self._deadline - time.time()) * 1000))


def main(pipe: int, handler_name: str) -> None:
    """Import the handler and run events until the pipe ends."""
    os.set_inheritable(pipe, False)  # a process that the handler starts must not keep it open
    connection = Connection(pipe)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    run_path(str(LAYER_CODECS))["install"]()
    try:
        handler = _load(handler_name)
    except Exception as error:
        _send(connection, {"error": _describe(error, "Runtime.ImportModuleError")})
        return
    _send(connection, {})
    events: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, events), daemon=True).start()
    while True:
        call = events.get()
        _send(connection, _run(handler, call))


def _load(handler_name: str) -> Handler:
    module, _, function = handler_name.replace("/", ".").rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def _receive(connection: Connection, events: "SimpleQueue[dict[str, Any]]") -> None:
    while True:
        try:
            events.put(json.loads(connection.recv_bytes()))
        except (EOFError, OSError):
            os._exit(1)


def _run(handler: Handler, call: dict[str, Any]) -> dict[str, Any]:
    try:
        result = handler(call["event"], Context(call["request_id"], call["deadline"]))
    except Exception as error:
        return {"error": _describe(error)}
    try:
        size = len(json.dumps(result, default=_plain))
    except (TypeError, ValueError) as error:
        return {"error": _describe(error, "Runtime.MarshalError")}
    if size > LARGEST_REPLY:
        message = f"Response payload size exceeded maximum allowed payload size ({size} bytes)."
        return {"error": {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}}
    return {"result": result}


def _describe(error: Exception, error_type: str = "") -> dict[str, Any]:
    print("[ERROR]", traceback.format_exc())  # noqa: T201 - stdout is the function's log
    return {
        "errorType": error_type or type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _plain(value: Any) -> Any:
    """A Decimal as a number, as Lambda's own runtime encodes it; raises TypeError for all else."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _send(connection: Connection, message: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(message, default=_plain).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
