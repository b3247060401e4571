"""What an erasure or a purge removes: one interface for a person and for what was brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pulse.erasure.marks import Erasure
from pulse.ingest.message import Message, with_items


@dataclass(frozen=True)
class Mended:
    """What a message becomes: its body (None: nothing is left), and how many items that took."""

    body: str | None
    stream: str = ""
    removed: int = 0

    @classmethod
    def of(cls, message: Message, body: str, left: Sequence[Any]) -> "Mended":
        """The message, which `body` holds, with these of its items."""
        removed = len(message.items) - len(left)
        if not removed:
            return cls(body)
        return cls(with_items(body, left) if left else None, message.stream, removed)


class Sought(Protocol):
    """What is to be removed, and stay out."""

    @property
    def tenant(self) -> str:
        """Whose it is."""

    @property
    def streams(self) -> tuple[str, ...]:
        """Those of which rows may be removed."""

    @property
    def mark(self) -> str:
        """A hash by which another run knows that it looks for the same."""

    @property
    def erased_us(self) -> int:
        """What is received later stays."""

    @property
    def erasure(self) -> Erasure:
        """The order to forget it, as far as it is known."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What a receipt says of it."""

    def mended(self, body: str) -> Mended:
        """A message without it."""

    def is_in(self, line: str) -> bool:
        """Is it what this line of an object under quarantine/ tells of?"""
