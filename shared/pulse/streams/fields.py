"""What a field of an event is, from the request to the raw table and to an export."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

NAME_LIMIT = 128
"""The longest text that names somebody or something."""
WORD_LIMIT = 40
"""The longest name that a sender may give to a channel or a medium of its own."""

Kind = Literal[
    "text",  # as it was sent
    "name",  # a text in its one form (pulse.texts)
    "id",  # the same, or a JSON number, which is its text
    "word",  # the name of a channel or medium
    "boolean",
    "count",
    "country",
    "tags",
    # what is judged by more than itself, such as the tenant's settings
    "survey",
    "response_id",
    "moment",  # a time, or a day alone
    "day",
    "score",
    "milliseconds",
    "seconds",
    "decimal",
    "money",
    "signature",
    "address",
    "user_agent",
]
"""What senders write: readers, schemas and imports each say what they make of a kind."""
Type = Literal[
    "string", "bigint", "int", "boolean", "decimal(9,4)", "decimal(18,4)", "map<string,string>"
]
"""A column's, as Glue has it."""


@dataclass(frozen=True)
class Dimension:
    """A column to group and filter by; `values` where they are a closed set.

    Figures of one that is `a_person` judge somebody, which takes a minimum sample
    (docs/metrics.md, "Survey scores"). Of one that is `open` public keys may send any number of
    values: the rarer ones of a day are counted together.
    """

    name: str
    title: str
    text: str
    values: tuple[str, ...] | None = None
    a_person: bool = False
    open: bool = False


@dataclass(frozen=True)
class Sent:
    """What a sender writes into a field, and what the API's documents say of it."""

    kind: Kind
    text: str
    name: str = ""
    """In the API, where it is not the field's own."""
    required: bool = False
    limit: int = NAME_LIMIT
    """Of texts: how many characters one may have."""
    default: str | None = None
    """What is stored where nothing is sent."""


@dataclass(frozen=True)
class Field:
    """One field of a stream's events: sent, or said of an event by ingest or write_raw."""

    name: str
    """In messages and in the raw table."""
    type: Type | None = "string"
    """Its column's; None where it is not stored."""
    sent: Sent | None = None
    by: Literal["ingest", "write_raw"] = "ingest"
    """Who puts it into an event: from what was sent, or from what is known besides."""
    always: bool = False
    """True where every item of a message has it."""
    in_message: bool = True
    """False where ingest alone has a use for it."""
    since: int = 1
    """The first format of raw that has it (pulse.formats); it is null in older rows."""
    dimension: Dimension | None = None

    @property
    def sent_as(self) -> str:
        """Its name in the API."""
        return (self.sent and self.sent.name) or self.name


@dataclass(frozen=True)
class Stream:
    """The fields of one kind of events, in the order of the raw table's columns."""

    name: str
    noun: str
    """What one event is."""
    fields: tuple[Field, ...]
    identity: str
    """The field that tells one event from another on its day."""
    exported: tuple[str, ...] = ()
    """The columns of an export's file in their order: times as `…_at`, durations as `…_seconds`,
    both of columns `…_us`."""
    text: str = ""
    """What the API's documents say of an event."""

    @cached_property
    def sent(self) -> Mapping[str, Sent]:
        """What a sender may give, by its name in the API."""
        return {field.sent_as: field.sent for field in self.fields if field.sent}

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """The raw table's columns and their Glue types, without the partition `dt`."""
        return {field.name: field.type for field in self.fields if field.type}

    @cached_property
    def in_message(self) -> frozenset[str]:
        """What an item of a message may have."""
        return frozenset(f.name for f in self.fields if f.by == "ingest" and f.in_message)

    @cached_property
    def in_every_message(self) -> frozenset[str]:
        """What an item of a message has to have."""
        return frozenset(field.name for field in self.fields if field.always)

    @cached_property
    def dimensions(self) -> tuple[Dimension, ...]:
        """What reports group and filter by."""
        return tuple(field.dimension for field in self.fields if field.dimension)
