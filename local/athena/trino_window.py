"""moto's Glue and S3 on a port of their own, for Trino alone.

The port shows the account of this process, whether moto is mocked here or is the server that runs
here. It differs from moto in two things, without which Trino could not read there:

- Whoever has the key may do everything. Trino reads as nobody in particular: what the caller of a
  statement may read has been tried before, as the caller. Any other key is refused.
- The NOW of a projection is the day that `local.athena.clock` says, written out: Trino takes its
  own machine's, and a test's clock may stand elsewhere.
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
"""Whether this thread is answering a call that came through a window."""
_SHOWS_TABLES = ("AWSGlue.GetTable", "AWSGlue.GetTables")

Environment = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Where it is, and the key that opens it."""

    url: str
    access_key: str
    secret_key: str


@contextmanager
def window() -> Iterator[Window]:
    """A window on this process's moto, on a free port of 127.0.0.1, for as long as the block."""
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
        """Nobody reads a line for each call."""


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
    """What Glue tells of tables, with days in the place of NOW."""
    tables = told.get("TableList") or [told["Table"]]
    for table in tables:
        properties = table.get("Parameters") or {}
        for name, value in properties.items():
            projected = re.fullmatch(r"projection\.([^.]+)\.range", name)
            if projected and properties.get(f"projection.{projected[1]}.format") == "yyyy-MM-dd":
                properties[name] = ",".join(map(_written_out, value.split(",")))
    return dict(told)


def _written_out(end: str) -> str:
    """The end of a range of days without NOW; one of a kind that is not known here as it is."""
    try:
        return str(day_of(end, clock.now()))
    except NotEmulatedError:
        return end


@cache
def _judge_no_call_through_a_window() -> None:
    """From now on moto asks nothing of IAM while it answers a call that came through a window."""
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
