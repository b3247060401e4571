"""The rows that an erasure or a purge removes: one interface for both.

An erasure looks for a person's rows (person.py), a purge for rows that came with a key or within a
time (purge.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pulse.ingest.message import Message, with_items
from pulse.tombstones import Erasure


@dataclass(frozen=True)
class Mended:
    """What a message becomes: its body (None: nothing is left); how many items were removed."""

    body: str | None
    stream: str = ""
    removed: int = 0

    @classmethod
    def of(cls, message: Message, body: str, left: Sequence[Any]) -> "Mended":
        """The message that `body` holds, with only these of its items left."""
        removed = len(message.items) - len(left)
        if not removed:
            return cls(body)
        return cls(with_items(body, left) if left else None, message.stream, removed)


class Sought(Protocol):
    """Describes rows that are to be removed, and to stay out."""

    @property
    def tenant(self) -> str:
        """The tenant whose rows they are."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that may have such rows."""

    @property
    def identity_hash(self) -> str:
        """A hash by which a later run knows that it looks for the same rows."""

    @property
    def erased_us(self) -> int:
        """Rows that are received later stay."""

    @property
    def erasure(self) -> Erasure:
        """The order to forget the rows, as far as they are known."""

    @property
    def told(self) -> Mapping[str, Any]:
        """The members of a receipt that say which rows were sought."""

    def mended(self, body: str) -> Mended:
        """A message without such items."""

    def is_in(self, line: str) -> bool:
        """Is this line of an object under quarantine/ about such a row?"""
