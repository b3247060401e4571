"""Rows that came with one key or within a time, and how they are found in messages and lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulse import days, lake
from pulse.erasure.sought import Mended
from pulse.errors import NewerFormatError
from pulse.ingest.message import Message
from pulse.tombstones import Brought, Erasure, identity_hash


@dataclass(frozen=True)
class Purge:
    """A request to remove the rows that came with a key or within a time."""

    tenant: str
    streams: tuple[str, ...]
    erased_us: int
    key_id: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    """None: everything received before `erased_us`. Later rows are never purged."""

    @classmethod
    def of_all(cls, tenant: str, erased_us: int) -> "Purge":
        """The request to remove every row of a tenant that is deleted."""
        return cls(tenant, lake.STREAMS, erased_us)

    @property
    def brought(self) -> Brought:
        """The rows to remove."""
        to_us = min(self.erased_us, self.erased_us if self.to_us is None else self.to_us)
        return Brought(self.key_id, self.from_us or 0, to_us, self.streams)

    @property
    def is_whole(self) -> bool:
        """Whether these are all rows of the tenant."""
        return self.key_id is None and self.from_us is None and self.to_us is None

    @property
    def identity_hash(self) -> str:
        """A hash of the request. A later request that also has no end has the same hash."""
        asked = (self.key_id, self.from_us, self.to_us, ",".join(self.streams))
        return identity_hash("purge", self.tenant, *map(str, asked))

    @property
    def erasure(self) -> Erasure:
        """The order to leave these rows out."""
        order = self.identity_hash
        return Erasure(self.tenant, order, frozenset(), self.erased_us, brought=self.brought)

    @property
    def told(self) -> Mapping[str, Any]:
        """The members of a receipt that say what was purged."""
        brought = self.brought
        return {
            "purged": {
                "key": self.key_id,
                "received_from": None if self.from_us is None else days.iso(self.from_us),
                "received_to": days.iso(brought.to_us),
                "streams": list(self.streams),
            }
        }

    def mended(self, body: str) -> Mended:
        """A message without the items that are to be removed."""
        try:
            message = Message.decode(body)
        except NewerFormatError:
            return Mended(body)  # a newer write_raw reads it, and the tombstone covers its rows
        except ValueError:
            return Mended(body)  # no key or time can be read
        if message.tenant != self.tenant:
            return Mended(body)
        brought, at = self.brought, message.received_us
        left = [
            item
            for index, item in enumerate(message.items)
            if not brought.holds(message.stream, message.key_id, at + index)
        ]
        return Mended.of(message, body, left)

    def is_in(self, line: str) -> bool:
        """Whether this line of the quarantine is about such a row."""
        told = json.loads(line)
        about = told.get("row", told.get("message"))
        if not isinstance(about, Mapping) or about.get("tenant") != self.tenant:
            return False
        received_us = days.parse_instant(told["received"])
        if self.is_whole:  # also lines of an unknown stream
            return received_us < self.erased_us
        stream = told["stream"] if "row" in told else about.get("stream")
        return self.brought.holds(str(stream), about.get("key_id"), received_us)
