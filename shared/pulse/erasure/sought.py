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
    """A message without some items: its body (None if no item is left), how many were removed."""

    body: str | None
    stream: str = ""
    removed: int = 0

    @classmethod
    def of(cls, message: Message, body: str, left: Sequence[Any]) -> "Mended":
        """The message in `body` with only the items `left`."""
        removed = len(message.items) - len(left)
        if not removed:
            return cls(body)
        return cls(with_items(body, left) if left else None, message.stream, removed)


class Sought(Protocol):
    """Says which rows are to be removed, and left out when they come again."""

    @property
    def tenant(self) -> str:
        """The tenant whose rows they are."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that may have such rows."""

    @property
    def identity_hash(self) -> str:
        """A hash by which a later run recognises that it looks for the same rows."""

    @property
    def erased_us(self) -> int:
        """When the removal was asked for (UTC, microseconds); rows received later stay."""

    @property
    def erasure(self) -> Erasure:
        """The order to remove the rows, as far as their hashes are known."""

    @property
    def told(self) -> Mapping[str, Any]:
        """The members of a receipt that say which rows were sought."""

    def mended(self, body: str) -> Mended:
        """A message without such items."""

    def is_in(self, line: str) -> bool:
        """Whether this line of the quarantine is about such a row."""
