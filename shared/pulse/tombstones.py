"""What makes a row a person's, told by hashes alone: hashes of customers, interactions, responses.

A person's rows are those that name the customer; and of rows that name nobody, the updates of their
interactions, the responses to these, and other copies of the same responses. An interaction is
theirs if an update of it, or a response that a server sent about it, names them, and no update of
it names another customer. A row that names another customer is never theirs. Hashes are SHA-256, so
that neither the table nor a statement of Athena, which keeps its text for weeks, ever holds whom
somebody wanted forgotten.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pulse.texts import tidy


def identity_hash(kind: str, tenant: str, *parts: str) -> str:
    """The hash of `kind|tenant|part|…`; the statements of sql/erasing make the same ones."""
    return hashlib.sha256((prefix(kind, tenant) + "|".join(parts)).encode()).hexdigest()


def prefix(kind: str, tenant: str) -> str:
    """What the text of every such hash begins with. No tenant's id has a bar in it."""
    return f"{kind}|{tenant}|"


def customer_hash(tenant: str, customer: str) -> str:
    """The hash by which a person is known."""
    return identity_hash("customer", tenant, customer)


def interaction_hash(tenant: str, interaction: str) -> str:
    """The hash of all updates of an interaction, and of what refers to it."""
    return identity_hash("interaction", tenant, interaction)


def response_hash(row: Mapping[str, Any], day: date) -> str:
    """The hash of all copies of a response: of its identity, on its day."""
    return identity_hash(
        "response",
        row["tenant"],
        day.isoformat(),
        row["key_kind"],
        row["response_id"],
        row["survey"],
    )


def own_hashes(tenant: str, customer: str) -> frozenset[str]:
    """The hashes of the customer whom a row names: of the id's one form, and of how it is written.

    Tombstones hold the first. Those from before there was one form may hold another.
    """
    return frozenset(customer_hash(tenant, form) for form in (customer, tidy(customer)))


def connected(stream: str, row: Mapping[str, Any], day: date) -> Iterator[str]:
    """The hashes by which a row hangs together with others, besides its customer."""
    if stream == "interactions":
        yield interaction_hash(row["tenant"], row["interaction_id"])
    if stream == "responses":
        yield response_hash(row, day)
        if row["interaction"] is not None:
            yield interaction_hash(row["tenant"], row["interaction"])


def claimed(stream: str, row: Mapping[str, Any], day: date) -> Iterator[str]:
    """The hashes that a row which names a customer claims for them.

    A publishable key, which anybody has, could name any interaction: it claims none.
    """
    if stream == "responses" and row["key_kind"] != "secret":
        row = {**row, "interaction": None}
    return connected(stream, row, day)


@dataclass(frozen=True)
class Brought:
    """The rows of some streams that came with a key or within a time, whatever they say."""

    key_id: str | None
    """As `pulse key list` shows it; None: any key, and rows of which the key is unknown."""
    from_us: int
    """Received at this moment or later,"""
    to_us: int
    """and before this one."""
    streams: tuple[str, ...]

    def holds(self, stream: str, key_id: Any, received_us: int) -> bool:
        """Is a row of that stream, which came with that key at that moment, among these rows?"""
        return (
            stream in self.streams
            and self.from_us <= received_us < self.to_us
            and self.key_id in (None, key_id)
        )


@dataclass(frozen=True)
class Erasure:
    """An order to forget the rows that carry one of the hashes and were received until then.

    Or the order of a purge: to forget the rows that came with a key or within a time.
    """

    tenant: str
    customer: str
    """The hash of the person; a purge has one of its own."""
    hashes: frozenset[str]
    erased_us: int
    days: tuple[tuple[str, date], ...] = ()
    """Streams and days whose rows this takes away: they are to be built again."""
    brought: Brought | None = None
    """The rows that a purge removes; a purge has no hashes."""


@dataclass
class Tombstones:
    """All erasures and purges that are remembered."""

    _until: dict[str, dict[str, int]] = field(default_factory=dict)
    """By tenant and hash, up to when it was received."""
    _brought: dict[str, list[Brought]] = field(default_factory=lambda: defaultdict(list))
    """By tenant, the rows that were purged."""

    @classmethod
    def of(cls, erasures: Iterable[Erasure]) -> "Tombstones":
        """Those of the erasures given."""
        tombstones = cls()
        for erasure in erasures:
            tombstones.add(erasure)
        return tombstones

    def add(self, erasure: Erasure) -> None:
        """Remember one more."""
        if erasure.brought and erasure.brought not in self._brought[erasure.tenant]:
            self._brought[erasure.tenant].append(erasure.brought)
        if erasure.hashes:
            until = self._until.setdefault(erasure.tenant, {})
            for name in erasure.hashes:
                until[name] = max(until.get(name, 0), erasure.erased_us)

    @property
    def tenants(self) -> frozenset[str]:
        """Whose rows may be covered by a hash."""
        return frozenset(self._until)

    def purges(self) -> Iterator[tuple[str, Brought]]:
        """The rows that were purged, each description with its tenant."""
        return ((tenant, one) for tenant, purges in self._brought.items() for one in purges)

    def name(self, tenant: str, item: Any, received_us: int) -> bool:
        """Does an item that is no row name somebody to be left out?"""
        customer = item.get("customer") if isinstance(item, Mapping) else None
        if tenant not in self._until or not isinstance(customer, str):
            return False
        until = self._until[tenant]
        return any(received_us <= until.get(own, -1) for own in own_hashes(tenant, customer))

    def purged(self, tenant: str, stream: str, key_id: Any, received_us: int) -> bool:
        """Is a row that came with that key at that moment to be left out, whatever it says?"""
        purges: Sequence[Brought] = self._brought.get(tenant, ())
        return any(one.holds(stream, key_id, received_us) for one in purges)

    def cover(self, stream: str, row: Mapping[str, Any], day: date) -> bool:
        """Is this row, of the tenant-local day, to be left out?"""
        if self.purged(row["tenant"], stream, row.get("key_id"), row["received_us"]):
            return True
        until = self._until.get(row["tenant"])
        if until is None or stream == "sessions":  # a session names no customer
            return False
        customer = row["customer"]
        named = customer is not None
        found = own_hashes(row["tenant"], customer) if named else connected(stream, row, day)
        return any(row["received_us"] <= until.get(name, -1) for name in found)
