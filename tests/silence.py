"""Finds in logs what they must not hold: addresses, keys and comments.

Keys and addresses are found by their form; tests say here which comments they send. The logs of a
test's own process are searched after every test (tests/conftest.py), those of `make run` after
tests/e2e.
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
"""The fewest different letters of a comment that no log holds by chance."""

comments: set[str] = set()
"""The comments that were sent in this process."""


def leaks(log: str, sent: Iterable[str] = comments) -> list[str]:
    """The addresses, keys and comments in a log, in this order."""
    if not log:
        return []
    told = _TIME.sub("", log)
    found = [*KEY.findall(log), *ADDRESS.findall(told)]
    return found + [comment for comment in sent if comment in log or _escaped(comment) in log]


@cache
def _escaped(comment: str) -> str:
    """The comment as it is within JSON."""
    return json.dumps(comment)[1:-1]


def sending(body: bytes | str | None) -> None:
    """Remember the comments of a request or a message that is about to be sent."""
    try:
        _collect(json.loads(body or ""))
    except (ValueError, RecursionError):
        return


def is_telling(comment: str) -> bool:
    """Whether a comment is long enough that a log holds it only because it was sent."""
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
    """Keeps all log messages, in the form in which CloudWatch gets them."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
