"""How a stream and its fields are declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

NAME_LIMIT = 128
"""The most characters of a name or an id."""
WORD_LIMIT = 40
"""The most characters of a channel's or a medium's name."""

Kind = Literal[
    "text",  # as it was sent
    "name",  # a text, stored in one form (pulse.texts)
    "id",  # the same; a JSON number counts as its digits
    "word",  # the name of a channel or medium
    "boolean",
    "count",
    "country",
    "tags",
    # kinds whose values depend on more than themselves, such as the tenant's settings
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
"""The kinds of values that senders write. Readers, schemas and imports have a table by kind."""
Type = Literal[
    "string", "bigint", "int", "boolean", "decimal(9,4)", "decimal(18,4)", "map<string,string>"
]
"""A column's type in Glue."""


@dataclass(frozen=True)
class Dimension:
    """A column by which reports group and filter; `values` are all of them, if they are fixed.

    The values of a dimension that is `a_person` are people, whose figures need a minimum sample
    (docs/metrics.md, "Survey scores"). Publishable keys may send any number of values of an `open`
    dimension: the rare values of a day are counted together. Rows are in the order of the `values`
    if these are `in_order`, and else in that of the alphabet. The values of one that `is_day` are
    days, written YYYY-MM-DD.
    """

    name: str
    title: str
    text: str
    values: tuple[str, ...] | None = None
    a_person: bool = False
    open: bool = False
    in_order: bool = False
    is_day: bool = False


@dataclass(frozen=True)
class Sent:
    """What senders write into a field, and its description in the API's documents."""

    kind: Kind
    text: str
    name: str = ""
    """Its name in the API, if that is not the field's."""
    required: bool = False
    limit: int = NAME_LIMIT
    """The most characters of a text."""
    default: str | None = None
    """What is stored if the field is absent."""


@dataclass(frozen=True)
class Field:
    """One field of a stream's events, which is sent, or added by ingest or write_raw."""

    name: str
    """Its name in messages and in the raw table."""
    type: Type | None = "string"
    """Its column's type; None if it is not stored."""
    sent: Sent | None = None
    by: Literal["ingest", "write_raw"] = "ingest"
    """The function that adds it to an event."""
    always: bool = False
    """Whether every item of a message has it."""
    in_message: bool = True
    """False if only ingest uses it."""
    since: int = 1
    """The first format of raw that has it (pulse.formats); it is null in older rows."""
    dimension: Dimension | None = None

    @property
    def sent_as(self) -> str:
        """Its name in the API."""
        return (self.sent and self.sent.name) or self.name


@dataclass(frozen=True)
class Stream:
    """A stream and the fields of its events, in the order of the raw table's columns."""

    name: str
    noun: str
    """The word for one of its events."""
    fields: tuple[Field, ...]
    identity: str
    """The field that distinguishes an event from the others of its day."""
    exported: tuple[str, ...] = ()
    """The columns of an export's file, in order. Columns `…_us` are exported as times `…_at` or as
    durations `…_seconds`."""
    text: str = ""
    """The description of an event in the API's documents."""

    @cached_property
    def sent(self) -> Mapping[str, Sent]:
        """The fields that senders may write, by their names in the API."""
        return {field.sent_as: field.sent for field in self.fields if field.sent}

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """The raw table's columns and their Glue types, without the partition `dt`."""
        return {field.name: field.type for field in self.fields if field.type}

    @cached_property
    def in_message(self) -> frozenset[str]:
        """The members that an item of a message may have."""
        return frozenset(f.name for f in self.fields if f.by == "ingest" and f.in_message)

    @cached_property
    def in_every_message(self) -> frozenset[str]:
        """The members that every item of a message has."""
        return frozenset(field.name for field in self.fields if field.always)

    @cached_property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The dimensions by which reports group and filter."""
        return tuple(field.dimension for field in self.fields if field.dimension)
