"""A person who is to be erased, and how they are found in messages that never became rows.

These messages are dead letters and lines of the quarantine. An item that can be read is judged as a
row is. One that cannot be read is the person's if it holds their id as a whole value: it counts in
no figure, so it is better to remove too much than too little.

An id is the same in each of its codings (pulse.texts): rows that were stored before ids had one
form have others. An id in another case, or without its accents, may be somebody else's.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from pulse import days
from pulse.erasure.sought import Mended
from pulse.errors import NewerFormatError
from pulse.ingest.message import Message, with_items
from pulse.texts import codings, near_equals, tidy
from pulse.tombstones import Erasure, Tombstones, claimed, customer_hash, interaction_hash

_KEYS = {"interactions": ("interaction_id",), "responses": ("survey", "response_id")}
"""The members that an item must have as text; its hashes cannot be computed without them."""


@dataclass
class Person:
    """A person to be erased, and which hashes are known to be theirs so far."""

    tenant: str
    customer: str
    timezone: str
    erased_us: int
    streams: tuple[str, ...] = ("responses", "interactions")
    """The streams whose rows may name a customer."""
    hashes: set[str] = field(default_factory=set)
    """The identity hashes of their rows. None is ever removed, since a tombstone may hold it."""
    claims: set[str] = field(default_factory=set)
    """The identity hashes of rows that name the person."""
    others: set[str] = field(default_factory=set)
    """The identity hashes of interactions of which an update names another customer."""

    def __post_init__(self) -> None:
        """Bring the id into the form in which ids are stored. Raises ValueError if it is blank."""
        self.customer = tidy(self.customer)
        if not self.customer:
            raise ValueError("a customer's id is no blank")
        self.hashes.add(self.identity_hash)

    @cached_property
    def named(self) -> frozenset[str]:
        """The hashes of their id in each of its codings, with which statements compare rows."""
        return frozenset(customer_hash(self.tenant, one) for one in codings(self.customer))

    @cached_property
    def nearly(self) -> Mapping[str, str]:
        """Ids that differ from theirs only in case and accents, by their hashes."""
        others = near_equals(self.customer)
        return {customer_hash(self.tenant, other): other for other in others}

    def is_called(self, customer: object) -> bool:
        """Whether this is their id, in any of its codings."""
        return isinstance(customer, str) and tidy(customer) == self.customer

    @property
    def identity_hash(self) -> str:
        """The hash that stands for the person in tombstones and receipts."""
        return customer_hash(self.tenant, self.customer)

    @property
    def erasure(self) -> Erasure:
        """The order to erase them, as it is stored."""
        return Erasure(self.tenant, self.identity_hash, frozenset(self.hashes), self.erased_us)

    @property
    def tombstones(self) -> Tombstones:
        """Tombstones that cover their rows and no others."""
        return Tombstones.of([self.erasure])

    @property
    def told(self) -> Mapping[str, Any]:
        """The members of a receipt that say who was erased."""
        return {"customer_sha256": self.identity_hash}

    def mended(self, body: str) -> Mended:
        """A message without their items."""
        return mended(body, self)

    def is_in(self, line: str) -> bool:
        """Whether this line of the quarantine is about them."""
        return is_line_of(line, self)

    def learn(self, stream: str, row: Mapping[str, Any], day: date) -> None:
        """Note for whom a row that names a customer claims its interaction and its response."""
        if self.is_called(row["customer"]):
            self.claims.update(claimed(stream, row, day))
        elif stream == "interactions":
            self.others.add(interaction_hash(self.tenant, row["interaction_id"]))

    def settle(self) -> None:
        """Take as theirs the claimed hashes that no other customer has; call it after a search."""
        self.hashes |= self.claims - self.others


def mended(body: str, person: Person) -> Mended:
    """A message without the person's items. `person` notes the claims of its items."""
    try:
        message = Message.decode(body)
    except NewerFormatError:
        return _mended_newer(body, person)
    except ValueError:
        return Mended(None if _stands_whole(body, person) else body)
    if message.tenant != person.tenant or message.received_us > person.erased_us:
        return Mended(body)
    left = [item for item in message.items if not _is_theirs(item, message, person)]
    return Mended.of(message, body, left)


def _mended_newer(body: str, person: Person) -> Mended:
    """A message of a newer version, without the items that have the person's id as a whole value.

    The newer version will read the other items.
    """
    told = json.loads(body)
    items = told.get("items")
    if told.get("tenant", person.tenant) != person.tenant:
        return Mended(body)
    if not isinstance(items, list):
        return Mended(None if _stands_whole(body, person) else body)
    left = [item for item in items if not _holds(item, person)]
    if len(left) == len(items):
        return Mended(body)
    stream = told.get("stream")
    new = with_items(body, left) if left else None
    return Mended(new, stream if isinstance(stream, str) else "", len(items) - len(left))


def is_line_of(line: str, person: Person) -> bool:
    """Whether this line of the quarantine is about the person."""
    told = json.loads(line)
    if days.parse_instant(told["received"]) > person.erased_us:
        return False
    about = told.get("row", told.get("message"))
    tenant = about.get("tenant") if isinstance(about, Mapping) else None
    if isinstance(tenant, str) and tenant != person.tenant:
        return False
    if "row" in told:
        item, key_kind = about.get("item"), about.get("key_kind")
        if _covers(told["stream"], item, key_kind, person):
            return True
    return _holds(about, person)


def _stands_whole(text: str, person: Person) -> bool:
    """Whether a text, JSON or not, holds their id as a whole value."""
    try:
        return _holds(json.loads(text), person)
    except (ValueError, RecursionError):
        return _stands_in(text, person)


def _is_theirs(item: Any, message: Message, person: Person) -> bool:
    if isinstance(item, Mapping):
        return _covers(message.stream, item, message.key_kind, person)
    return _holds(item, person)


def _covers(stream: str, item: Any, key_kind: Any, person: Person) -> bool:
    """Whether the item of a message is theirs, as far as it can be read."""
    if not isinstance(item, Mapping) or stream not in _KEYS:
        return False
    row = {"customer": None, "interaction": None, **item, "tenant": person.tenant}
    row |= {"key_kind": str(key_kind), "received_us": person.erased_us}  # the message's is earlier
    is_named = person.is_called(row["customer"])
    day = _day(stream, row, person.timezone)
    readable = all(isinstance(row.get(name), str) for name in _KEYS[stream]) and (
        isinstance(row["interaction"], str | None)
    )
    if not readable or day is None:
        return is_named
    if row["customer"] is None:
        return person.tombstones.cover(stream, row, day)
    person.learn(stream, row, day)
    return is_named


def _day(stream: str, row: Mapping[str, Any], timezone: str) -> date | None:
    """The tenant-local day of an item; None if it has no time."""
    moment = row.get("answered_us" if stream == "responses" else "entered_us")
    if type(moment) is not int:
        return None
    try:
        return days.local_day(moment, timezone)
    except (ValueError, OverflowError):
        return None


def _holds(value: Any, person: Person) -> bool:
    return any(person.is_called(text) or _stands_in(text, person) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _stands_in(text: str, person: Person) -> bool:
    """Whether their id is in the text, and not as a part of a longer word, number or address."""
    written = {unicodedata.normalize(form, person.customer) for form in ("NFC", "NFD")}
    forms = written | {json.dumps(one)[1:-1] for one in written}
    return any(
        re.search(rf"(?<![\w@.+-]){re.escape(form)}(?![\w@+-]|\.\w)", text) for form in forms
    )
