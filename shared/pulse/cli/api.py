"""A client of Pulse's HTTP interface (docs/http.md)."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulse.cli.exits import CommandError, FailedError, NotAllowedError, WrongUseError

TIMEOUT_S = 40
"""Longer than API Gateway's own limit of 30 s, so that its reply arrives."""


class UnreachableError(FailedError):
    """There was no reply: the connection was refused, timed out, or broke."""


@dataclass(frozen=True)
class HttpReply:
    """One HTTP reply. Header names are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """The body's JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


_NAME = "pulse"
"""Python's own name is a bot's, whose answers reports leave out."""


@dataclass(frozen=True)
class Api:
    """The interface at `url`, used with one key."""

    url: str
    key: str

    def get(self, path: str, query: str = "", *, accept: str = "application/json") -> HttpReply:
        """GET a path; `query` is percent-encoded already. Raises UnreachableError."""
        address = self.url + path + ("?" + query if query else "")
        return self._ask(urllib.request.Request(address, headers={"Accept": accept}))  # noqa: S310 # the stack's own address

    def post(self, path: str, body: bytes) -> HttpReply:
        """POST a JSON body. Raises UnreachableError."""
        headers = {"Content-Type": "application/json"}
        return self._ask(urllib.request.Request(self.url + path, body, headers))  # noqa: S310 # the stack's own address

    def _ask(self, request: urllib.request.Request) -> HttpReply:
        request.add_header("Authorization", f"Bearer {self.key}")
        request.add_header("User-Agent", _NAME)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310 # the stack's own address
                return HttpReply(reply.status, reply.read(), _lower(reply.headers))
        except urllib.error.HTTPError as reply:
            with reply:
                return HttpReply(reply.code, reply.read(), _lower(reply.headers))
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise UnreachableError(f"{self.url} does not answer ({reason}).") from error


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def refusal(reply: HttpReply) -> CommandError:
    """The error for a reply other than 2xx, with the interface's own message."""
    problem = reply.json()
    problem = problem if isinstance(problem, dict) else {}
    words = [str(problem.get("detail") or problem.get("message") or f"HTTP {reply.status}")]
    faults = [f"{e['field']}: {e['message']}" for e in problem.get("errors", ())]
    words += [fault for fault in faults if fault not in words[0]]
    message = "\n  ".join(words)
    if reply.status in (401, 403):
        return NotAllowedError(message)
    if reply.status in (400, 404, 409, 413, 422):
        return WrongUseError(message)
    return FailedError(f"The interface answered {reply.status}: {message}")
