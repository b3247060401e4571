"""Which rows are a person's, by hashes of customers, interactions and responses.

A person's rows are those that name them as the customer. Of rows that name no customer, the updates
of their interactions, the responses to these, and other copies of the same responses are theirs. An
interaction is theirs if an update of it, or a response that a server sent about it, names them, and
no update of it names another customer. A row that names another customer is never theirs.

Hashes are SHA-256. So neither the table nor the text of a statement, which Athena keeps for weeks,
holds the name of a person who is to be erased.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pulse.texts import tidy


def identity_hash(kind: str, tenant: str, *parts: str) -> str:
    """The hash of `kind|tenant|part|…`; the statements of sql/erasing compute the same ones."""
    return hashlib.sha256((prefix(kind, tenant) + "|".join(parts)).encode()).hexdigest()


def prefix(kind: str, tenant: str) -> str:
    """The beginning of the text of every hash of a kind and tenant. No tenant's id has a bar."""
    return f"{kind}|{tenant}|"


def customer_hash(tenant: str, customer: str) -> str:
    """The hash of a person."""
    return identity_hash("customer", tenant, customer)


def interaction_hash(tenant: str, interaction: str) -> str:
    """The hash of an interaction, which all its updates and responses to it have."""
    return identity_hash("interaction", tenant, interaction)


def response_hash(row: Mapping[str, Any], day: date) -> str:
    """The hash of a response's identity and day, which all its copies have."""
    return identity_hash(
        "response",
        row["tenant"],
        day.isoformat(),
        row["key_kind"],
        row["response_id"],
        row["survey"],
    )


def own_hashes(tenant: str, customer: str) -> frozenset[str]:
    """The hashes of the customer of a row: of the id in its stored form, and of the id as written.

    Tombstones hold the first. Those from before there was one form may hold another.
    """
    return frozenset(customer_hash(tenant, form) for form in (customer, tidy(customer)))


def connected(stream: str, row: Mapping[str, Any], day: date) -> Iterator[str]:
    """The hashes that a row shares with other rows, without that of its customer."""
    if stream == "interactions":
        yield interaction_hash(row["tenant"], row["interaction_id"])
    if stream == "responses":
        yield response_hash(row, day)
        if row["interaction"] is not None:
            yield interaction_hash(row["tenant"], row["interaction"])


def claimed(stream: str, row: Mapping[str, Any], day: date) -> Iterator[str]:
    """The hashes of interaction and response that a row with a customer claims for them.

    A row from a publishable key claims no interaction: anybody can use such a key and name any
    interaction.
    """
    if stream == "responses" and row["key_kind"] != "secret":
        row = {**row, "interaction": None}
    return connected(stream, row, day)


@dataclass(frozen=True)
class Brought:
    """The rows of some streams that came with a key or within a time, whatever they hold."""

    key_id: str | None
    """The key's id in `pulse key list`; None for any key, and rows of which it is not known."""
    from_us: int
    """The first moment of receipt (UTC, microseconds)."""
    to_us: int
    """The moment of receipt before which they came (UTC, microseconds)."""
    streams: tuple[str, ...]

    def holds(self, stream: str, key_id: Any, received_us: int) -> bool:
        """Whether a row of that stream, key and moment of receipt is among these rows."""
        return (
            stream in self.streams
            and self.from_us <= received_us < self.to_us
            and self.key_id in (None, key_id)
        )


@dataclass(frozen=True)
class Erasure:
    """An order to remove rows, as it is stored.

    An erasure's rows are those that have one of the hashes and were received before it; those of a
    purge came with a key or within a time.
    """

    tenant: str
    customer: str
    """The hash of the person, or of a purge's request."""
    hashes: frozenset[str]
    erased_us: int
    days: tuple[tuple[str, date], ...] = ()
    """The streams and days that lose rows by it and are to be built again."""
    brought: Brought | None = None
    """The rows that a purge removes; a purge has no hashes."""


@dataclass
class Tombstones:
    """All erasures and purges that are remembered."""

    _until: dict[str, dict[str, int]] = field(default_factory=dict)
    """By tenant and hash, the moment up to which rows with that hash are removed."""
    _brought: dict[str, list[Brought]] = field(default_factory=lambda: defaultdict(list))
    """By tenant, the rows that are purged."""

    @classmethod
    def of(cls, erasures: Iterable[Erasure]) -> "Tombstones":
        """The tombstones of these erasures."""
        tombstones = cls()
        for erasure in erasures:
            tombstones.add(erasure)
        return tombstones

    def add(self, erasure: Erasure) -> None:
        """Add the tombstone of one more erasure."""
        if erasure.brought and erasure.brought not in self._brought[erasure.tenant]:
            self._brought[erasure.tenant].append(erasure.brought)
        if erasure.hashes:
            until = self._until.setdefault(erasure.tenant, {})
            for name in erasure.hashes:
                until[name] = max(until.get(name, 0), erasure.erased_us)

    @property
    def tenants(self) -> frozenset[str]:
        """The tenants that have rows which a hash may cover."""
        return frozenset(self._until)

    def purges(self) -> Iterator[tuple[str, Brought]]:
        """The rows that were purged, each description with its tenant."""
        return ((tenant, one) for tenant, purges in self._brought.items() for one in purges)

    def name(self, tenant: str, item: Any, received_us: int) -> bool:
        """Whether an item that cannot become a row names a person who was erased."""
        customer = item.get("customer") if isinstance(item, Mapping) else None
        if tenant not in self._until or not isinstance(customer, str):
            return False
        until = self._until[tenant]
        return any(received_us <= until.get(own, -1) for own in own_hashes(tenant, customer))

    def purged(self, tenant: str, stream: str, key_id: Any, received_us: int) -> bool:
        """Whether a row that came with that key at that moment is purged."""
        purges: Sequence[Brought] = self._brought.get(tenant, ())
        return any(one.holds(stream, key_id, received_us) for one in purges)

    def cover(self, stream: str, row: Mapping[str, Any], day: date) -> bool:
        """Whether a tombstone covers this row, which is of that tenant-local day."""
        if self.purged(row["tenant"], stream, row.get("key_id"), row["received_us"]):
            return True
        until = self._until.get(row["tenant"])
        if until is None or stream == "sessions":  # a session names no customer
            return False
        customer = row["customer"]
        named = customer is not None
        found = own_hashes(row["tenant"], customer) if named else connected(stream, row, day)
        return any(row["received_us"] <= until.get(name, -1) for name in found)
