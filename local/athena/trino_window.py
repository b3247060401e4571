"""Serves moto's Glue and S3 on a port of their own, for Trino only.

The port serves the account of this process, whether moto is mocked or runs as a server here. It
differs from moto in two things, without which Trino could not read:

- The owner of the key may do everything. Trino does not read with a caller's rights; what the
  caller of a statement may read was tried before, with those rights. Any other key is refused.
- A projection's NOW is replaced by the day of `local.athena.clock`. Trino would take the day of its
  machine, while a test may have set another.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from local.athena import clock
from local.athena.errors import NotEmulatedError
from local.athena.projection import day_of

_shown: ContextVar[bool] = ContextVar("_shown", default=False)
"""Whether this thread handles a call that came through a window."""
_SHOWS_TABLES = ("AWSGlue.GetTable", "AWSGlue.GetTables")

Environment = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """The address of a window and its key."""

    url: str
    access_key: str
    secret_key: str


@contextmanager
def window() -> Iterator[Window]:
    """Within the block this process's moto is served on a free port of 127.0.0.1."""
    _judge_no_call_through_a_window()
    access_key = f"TRINO{secrets.token_hex(8).upper()}"
    app = _Application(DomainDispatcherApplication(create_backend_app), access_key)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Window(f"http://127.0.0.1:{server.server_port}", access_key, secrets.token_hex(16))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Silent(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: nobody reads a line for each call."""


@dataclass(frozen=True, slots=True)
class _Application:
    """The WSGI application in front of moto's."""

    moto: Callable[..., Iterable[bytes]]
    access_key: str

    def __call__(self, environ: Environment, start: Callable[..., Any]) -> Iterable[bytes]:
        if f"Credential={self.access_key}/" not in environ.get("HTTP_AUTHORIZATION", ""):
            return Response("This port is for Trino alone.\n", 403)(environ, start)
        token = _shown.set(True)
        try:
            answer = Response.from_app(self.moto, environ, buffered=True)
        finally:
            _shown.reset(token)
        if environ.get("HTTP_X_AMZ_TARGET") in _SHOWS_TABLES and answer.status_code == 200:
            answer.set_data(json.dumps(_without_now(json.loads(answer.get_data()))))
        return answer(environ, start)


def _without_now(told: Mapping[str, Any]) -> dict[str, Any]:
    """Glue's description of tables, with days in place of NOW."""
    tables = told.get("TableList") or [told["Table"]]
    for table in tables:
        properties = table.get("Parameters") or {}
        for name, value in properties.items():
            projected = re.fullmatch(r"projection\.([^.]+)\.range", name)
            if projected and properties.get(f"projection.{projected[1]}.format") == "yyyy-MM-dd":
                properties[name] = ",".join(map(_written_out, value.split(",")))
    return dict(told)


def _written_out(end: str) -> str:
    """The end of a range with NOW replaced by a day; unchanged if its form is not known here."""
    try:
        return str(day_of(end, clock.now()))
    except NotEmulatedError:
        return end


@cache
def _judge_no_call_through_a_window() -> None:
    """Make moto skip IAM for calls that come through a window."""
    mixin: Any = ActionAuthenticatorMixin
    for name in (
        "_authenticate_and_authorize_normal_action",
        "_authenticate_and_authorize_s3_action",
    ):
        setattr(mixin, name, _unless_shown(getattr(mixin, name)))


def _unless_shown(judge: Callable[..., None]) -> Callable[..., None]:
    def judged(*given: Any, **named: Any) -> None:
        if not _shown.get():
            judge(*given, **named)

    return judged
