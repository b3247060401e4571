"""moto's server as the embedded stack needs it: the main module of a process of its own.

local.aws.Moto starts the process with the number of a pipe's file descriptor and, optionally, the
file to which each decision of IAM is written. When the server is ready, it sends one message over
the pipe, {endpoint_url, credentials}; then it sends the calls of Lambda functions. The process ends
when the pipe ends, so it never outlives the stack.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local import athena, cloudformation, dynamodb, events, glue, iam, quick_moto, sqs
from local.channel import CallingEnd
from local.template import ACCOUNT_ID


def main(pipe: int, permissions: Path | None) -> None:
    """Run the server until the pipe ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # INFO is a line for each call
    calls = CallingEnd(Connection(pipe))
    quick_moto.install()
    cloudformation.install()
    sqs.install()
    dynamodb.install()
    glue.install()
    events.install(calls.call)
    credentials = _administrator()
    iam.enforce(permissions)

    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    endpoint_url = f"http://127.0.0.1:{server.server_port}"
    athena.install(endpoint_url)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    calls.send({"endpoint_url": endpoint_url, "credentials": credentials})
    calls.receive_answers()
    athena.close()
    os._exit(0)  # a return would wait for threads whose callers have ended


def _administrator() -> dict[str, str]:
    """Make a user who may do everything; return its credentials, which the stack itself uses."""
    backend = iam_backends[ACCOUNT_ID]["aws"]
    backend.create_user("eu-central-1", "administrator")
    backend.put_user_policy("administrator", "everything", iam.EVERYTHING)
    key = backend.create_access_key("administrator")
    return {"AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key}


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
