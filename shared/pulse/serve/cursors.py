"""Cursors: where a page ended, and of which reply.

A cursor is opaque to callers. It goes on only in the very rows that it was cut from: other
objects in the lake, or a preset that means other days by now, make it outdated.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from pulse.errors import OutdatedError
from pulse.serve.query import refusal

_MOST_ROWS = 1_000_000
"""No reply has so many rows or comments, over all its pages."""


def fingerprint(*parts: Any) -> str:
    """A short text that is the same for the same JSON-like parts alone."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def outdated() -> OutdatedError:
    """The rows have changed since the page that the cursor comes from."""
    return OutdatedError(
        "cursor_outdated",
        "The report was rebuilt since that page: start over, with the same query and no cursor.",
    )


@dataclass(frozen=True)
class Cursor:
    """The next row's position, in the rows `content` made for the question `asked`."""

    asked: str
    content: str
    position: int

    def text(self) -> str:
        """As `next_cursor` shows it."""
        parts = json.dumps([self.asked, self.content, self.position], separators=(",", ":"))
        return base64.urlsafe_b64encode(parts.encode()).decode().rstrip("=")

    @classmethod
    def of_question(cls, text: str, asked: str) -> Self:
        """The cursor of a text, which has to be one of this question. Raises BadRequestError."""
        cursor = cls.parse(text)
        if cursor.asked != asked:
            raise refusal("cursor", "invalid_cursor", "It belongs to another query.")
        return cursor

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cursor of a text. Raises BadRequestError for one that was never given out."""
        try:
            padded = text + "=" * (-len(text) % 4)
            parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError, RecursionError):
            parts = None
        match parts:
            case [str(asked), str(content), int(position)] if (
                position is not True and 0 < position < _MOST_ROWS
            ):
                return cls(asked, content, position)
        raise refusal("cursor", "invalid_cursor", "Send next_cursor of the page before, unchanged.")
