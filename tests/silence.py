"""What no log may hold: an address, a key, a comment. Tests say here which comments they send.

Keys and addresses are known by their form. What reaches a log of a test's own process is searched
after every test (tests/conftest.py), the logs of `make run` after those of tests/e2e.
"""

import json
import logging
import re
from collections.abc import Iterable
from functools import cache

KEY = re.compile(r"\b[psrfo]k_[A-Za-z0-9_-]{20,}")
ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|\b(?:[0-9a-f]{1,4}:){2,7}:?[0-9a-f]{1,4}\b"
    r"|\b[0-9a-f]{1,4}::[0-9a-f]{1,4}\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"\d\d:\d\d:\d\d")  # is written like an address
_LEAST = 12
"""Different letters of a comment that no log has by chance."""

comments: set[str] = set()
"""Those that were sent in this process."""


def leaks(log: str, sent: Iterable[str] = comments) -> list[str]:
    """What of all that stands in the log, in the order of its kinds."""
    if not log:
        return []
    told = _TIME.sub("", log)
    found = [*KEY.findall(log), *ADDRESS.findall(told)]
    return found + [comment for comment in sent if comment in log or _escaped(comment) in log]


@cache
def _escaped(comment: str) -> str:
    """As it stands within JSON."""
    return json.dumps(comment)[1:-1]


def sending(body: bytes | str | None) -> None:
    """Remember the comments of a request or a message that is about to be sent."""
    try:
        _collect(json.loads(body or ""))
    except (ValueError, RecursionError):
        return


def is_telling(comment: str) -> bool:
    """Is it long enough to be found in a log for no other reason than that it was sent?"""
    return len(set(comment)) >= _LEAST


def _collect(value: object) -> None:
    if isinstance(value, dict):
        comment = value.get("comment")
        if isinstance(comment, str) and is_telling(comment):
            comments.add(comment)
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            _collect(member)


class Listener(logging.Handler):
    """Keeps what is logged, in the form in which CloudWatch would keep it."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
