"""Makes a row of a stream's raw table from an item of a message, with the day that it belongs to.

Times are microseconds in UTC. Of two rows of one identity the one with the greater version counts:
`received_us`, then `content_hash`; for interactions `updated_us` comes before them.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple

import msgspec

from pulse import days, lake
from pulse.ingest.message import Message
from pulse.raw.countries import Countries
from pulse.raw.user_agents import client_of
from pulse.streams import INTERACTIONS, RESPONSES, SESSIONS, Stream
from pulse.streams.interactions import LONGEST_US as LONGEST_INTERACTION_US
from pulse.streams.sessions import LONGEST_US as LONGEST_SESSION_US
from pulse.tenants.rules import Rule

Row = dict[str, Any]

KEY_KINDS = ("publishable", "secret")
DAYS_AHEAD = 2
"""The raw tables' partitions end this many days after the present one."""

_NOT_SAID = ("received_us", "key_id", "content_hash")
_LAST_US = days.to_us(datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Origin:
    """The message that items come from, as far as their rows need it."""

    message: Message
    client_ip: str | None
    """The caller's network address; None with a secret key, whose caller is a server."""
    timezone: str


class ColumnRule(NamedTuple):
    """Which values a column may hold."""

    name: str
    kind: str
    type: type
    """The values' type and no subclass: True is no int."""
    holds: Callable[[Any], bool] | None
    """A condition on values beyond their type; None if there is none."""
    is_required: bool
    is_moment: bool

    def takes(self, given: object) -> bool:
        """Whether the column may hold a value of exactly this type."""
        return given is self.type or (given is NoneType and not self.is_required)


def _nothing(item: Mapping[str, Any], origin: Origin, countries: Countries) -> Row:
    return {}


@dataclass(frozen=True)
class RowsOf:
    """How the rows of one stream are made and checked."""

    stream: Stream
    order: tuple[str, ...]
    """The columns of identity and version, by which the rows of an object are sorted."""
    check: Callable[[Row], None]
    """Raises ValueError for values that contradict each other."""
    moment: str | None = None
    """The column whose tenant-local day is the event's; None if the item names its `day`."""
    enrich: Callable[[Mapping[str, Any], Origin, Countries], Row] = _nothing
    """Gives columns that the item does not hold itself, such as its country."""

    def sort_key(self, row: Row) -> tuple[Any, ...]:
        """The row's place in an object: by identity, then by version."""
        return tuple([row[name] for name in self.order])

    @cached_property
    def nothing(self) -> Row:
        """A row whose columns are all None, in the table's order."""
        return dict.fromkeys(self.stream.columns)

    @cached_property
    def declared(self) -> tuple[ColumnRule, ...]:
        """Which values each column may hold, in the table's order."""
        needed = self.stream.in_every_message
        return tuple(
            ColumnRule(name, kind, *_HOLDS[kind], name in needed, name.endswith("_us"))
            for name, kind in self.stream.columns.items()
        )

    @cached_property
    def bounded(self) -> tuple[ColumnRule, ...]:
        """The columns that have a condition beyond the type."""
        return tuple(column for column in self.declared if column.holds or column.is_moment)

    @cached_property
    def misfit(self) -> Callable[[tuple[type, ...]], ColumnRule | None]:
        """Finds the first column that does not take its type, among a row's types in table order.

        Most rows have one of a few patterns of types; the result for each pattern is remembered.
        """

        @lru_cache(maxsize=10_000)
        def first(types: tuple[type, ...]) -> ColumnRule | None:
            pairs = zip(self.declared, types, strict=True)
            return next((column for column, given in pairs if not column.takes(given)), None)

        return first

    @cached_property
    def content(self) -> Callable[[Row], tuple[Any, ...]]:
        """Takes from a row all columns except _NOT_SAID, in the table's order."""
        said = [name for name in self.stream.columns if name not in _NOT_SAID]
        return itemgetter(*said)


def row_of(item: Any, index: int, origin: Origin, countries: Countries) -> tuple[date, Row]:
    """Return the tenant-local day of item `index`, and its row with the stream's columns.

    Raises ValueError with the reason if the item cannot be a row; it is then to be set aside.
    """
    if not isinstance(item, dict):
        raise ValueError("an item must be an object")
    message = origin.message
    rows = ROWS[message.stream]
    row: Row = {**rows.nothing, **item}
    if len(row) > len(rows.nothing):
        for name in item.keys() - rows.nothing.keys():
            del row[name]
    row["tenant"] = message.tenant
    row["received_us"] = message.received_us + index  # of one request, the later item wins
    row["key_id"] = message.key_id
    row.update(rows.enrich(item, origin, countries))
    _check(row, rows)
    rows.check(row)
    row["content_hash"] = _content_hash(row, rows)
    if rows.moment is None:
        day = _named_day(item)
    else:
        day = days.local_day(row[rows.moment], origin.timezone)
    _check_day(day, origin.timezone)
    return day, row


def _content_hash(row: Row, rows: RowsOf) -> str:
    """A hash of 128 bits over all columns except _NOT_SAID, as hexadecimal text."""
    return hashlib.sha256(_canonical(rows.content(row))).hexdigest()[:32]


_canonical = msgspec.json.Encoder(order="sorted").encode


# -- days


def _named_day(item: Mapping[str, Any]) -> date:
    text = item.get("day")
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("day must be YYYY-MM-DD")
    return date.fromisoformat(text)


def _check_day(day: date, timezone: str) -> None:
    """Raise ValueError if the raw table has no partition for the day."""
    if days.FIRST_DAY <= day <= days.now().date():
        return  # in every time zone this is tomorrow at the latest
    last = days.today(timezone) + DAYS_AHEAD * days.ONE_DAY
    if not days.FIRST_DAY <= day <= last:
        raise ValueError(f"the day {day} is outside of the table")


# -- what columns hold


def _check(row: Row, rows: RowsOf) -> None:
    """Raise ValueError unless every column holds a value that the table allows."""
    misfit = rows.misfit(tuple(map(type, row.values())))  # the row has its table's order
    if misfit:
        raise ValueError(f"{misfit.name} must be a {misfit.kind}")
    for name, kind, _, holds, _, is_moment in rows.bounded:
        value = row[name]
        if value is None:
            continue
        if holds and not holds(value):
            raise ValueError(f"{name} must be a {kind}")
        if is_moment and not 0 <= value < _LAST_US:
            raise ValueError(f"{name} is outside of the years 1970 to 9998")


def _within_bits(bits: int) -> Callable[[int], bool]:
    most = 1 << bits - 1
    return lambda value: -most <= value < most


def _written_with(digits: int, places: int) -> Callable[[str], bool]:
    """A condition on decimals, which are texts in rows so that no float rounds them."""
    pattern = re.compile(rf"-?\d{{1,{digits - places}}}(\.\d{{1,{places}}})?", re.ASCII)
    return lambda value: bool(pattern.fullmatch(value))


def _holds_texts(value: Mapping[str, Any]) -> bool:
    return all(type(text) is str for text in value.values())


_HOLDS: Mapping[str, tuple[type, Callable[[Any], bool] | None]] = {
    "string": (str, None),
    "boolean": (bool, None),
    "int": (int, _within_bits(32)),
    "bigint": (int, _within_bits(64)),
    "decimal(9,4)": (str, _written_with(9, 4)),
    "decimal(18,4)": (str, _written_with(18, 4)),
    "map<string,string>": (dict, _holds_texts),
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


# -- responses


def country_of(item: Mapping[str, Any], origin: Origin, countries: Countries) -> str | None:
    """The country that the item names, else that of its address; None if the caller is a server."""
    if origin.message.key_kind == "publishable":
        return origin.message.country or countries.of(origin.client_ip)
    return item.get("country") or countries.of(item.get("ip"))


def _key_kind_and_client(item: Mapping[str, Any], origin: Origin, countries: Countries) -> Row:
    """The columns country, browser, os, device and key_kind of a response.

    With a secret key the caller is a server, whose own country and client say nothing.
    """
    own = origin.message.key_kind == "publishable"
    client = client_of(origin.message.user_agent if own else item.get("user_agent"))
    return {
        "key_kind": origin.message.key_kind,
        "country": country_of(item, origin, countries),
        "browser": client.browser,
        "os": client.os,
        "device": client.device,
    }


def _check_response(row: Row) -> None:
    if row["key_kind"] not in KEY_KINDS:
        raise ValueError("key_kind must be publishable or secret")
    rule = _rule(row["metric"], row["scale"])
    if row["score"] not in rule.scores:
        raise ValueError(f"score must lie within the scale {rule.low}-{rule.high}")


@lru_cache(maxsize=1024)
def _rule(metric: str, scale: str) -> Rule:
    """The rule that a response names. Raises ValueError if readers do not know such a rule."""
    rule = Rule.parse(metric, scale)
    if rule.label != scale:
        raise ValueError(f"the scale {rule.label!r} is written {scale!r}")
    return rule


# -- interactions and sessions

_MILESTONES = ("offered_us", "accepted_us", "first_response_us", "finished_us")


def _check_interaction(row: Row) -> None:
    if (row["revenue"] is None) != (row["currency"] is None):
        raise ValueError("revenue and currency must come together")
    if (row["replies"] or 0) < 0:
        raise ValueError("replies must not be negative")
    for name in _MILESTONES:
        us = row[name]
        if us is not None and us - row["entered_us"] > LONGEST_INTERACTION_US:
            raise ValueError(f"{name} lies more than two years after entered_us")


def _check_session(row: Row) -> None:
    if not 0 <= row["engaged_us"] <= row["active_us"]:
        raise ValueError("engaged_us must not be negative, nor more than active_us")
    if row["active_us"] > LONGEST_SESSION_US:
        raise ValueError("active_us must not be longer than a day")


ROWS: Mapping[str, RowsOf] = {
    "responses": RowsOf(
        RESPONSES,
        order=lake.SCORES.raw_order,
        check=_check_response,
        moment="answered_us",
        enrich=_key_kind_and_client,
    ),
    "interactions": RowsOf(
        INTERACTIONS,
        order=lake.INTERACTIONS.raw_order,
        check=_check_interaction,
        moment="entered_us",
    ),
    "sessions": RowsOf(
        SESSIONS,
        order=lake.SESSIONS.raw_order,
        check=_check_session,
    ),
}
"""Every stream by its name in a message."""
