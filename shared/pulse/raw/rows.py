"""An item of a message → a row of its stream's raw table, with the day that it belongs to.

Times are microseconds; which of two rows of one identity is the later is told by its version:
`received_us`, then `content_hash`, and for interactions `updated_us` before them.
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
    """Where the items of a message come from."""

    message: Message
    client_ip: str | None
    """The caller's address; with a secret key it is a server's, and None here."""
    timezone: str


class Column(NamedTuple):
    """What a column may hold."""

    name: str
    kind: str
    type: type
    """Exactly this one: True is no number."""
    holds: Callable[[Any], bool] | None
    """What must be true of a value beyond its type, if anything."""
    is_required: bool
    is_moment: bool

    def takes(self, given: object) -> bool:
        """May a value of this very type stand here?"""
        return given is self.type or (given is NoneType and not self.is_required)


def _nothing(item: Mapping[str, Any], origin: Origin, countries: Countries) -> Row:
    return {}


@dataclass(frozen=True)
class RowsOf:
    """What sets the rows of a stream apart."""

    stream: Stream
    order: tuple[str, ...]
    """Identity and version: by these the rows of an object are sorted."""
    check: Callable[[Row], None]
    """Raises ValueError for values that do not go together."""
    moment: str | None = None
    """The column on whose local day the event counts; None: the item names its `day`."""
    enrich: Callable[[Mapping[str, Any], Origin, Countries], Row] = _nothing
    """What is known beyond the item."""

    def sort_key(self, row: Row) -> tuple[Any, ...]:
        """By identity, then by version."""
        return tuple([row[name] for name in self.order])

    @cached_property
    def nothing(self) -> Row:
        """A row of which nothing is known: every column, in the table's order."""
        return dict.fromkeys(self.stream.columns)

    @cached_property
    def declared(self) -> tuple[Column, ...]:
        """What each column may hold."""
        needed = self.stream.in_every_message
        return tuple(
            Column(name, kind, *_HOLDS[kind], name in needed, name.endswith("_us"))
            for name, kind in self.stream.columns.items()
        )

    @cached_property
    def bounded(self) -> tuple[Column, ...]:
        """The columns of which more is asked than a type."""
        return tuple(column for column in self.declared if column.holds or column.is_moment)

    @cached_property
    def misfit(self) -> Callable[[tuple[type, ...]], Column | None]:
        """Of a row's types, in the table's order, the first column that does not take its own.

        Rows of few patterns come again and again: each is looked at once.
        """

        @lru_cache(maxsize=10_000)
        def first(types: tuple[type, ...]) -> Column | None:
            pairs = zip(self.declared, types, strict=True)
            return next((column for column, given in pairs if not column.takes(given)), None)

        return first

    @cached_property
    def content(self) -> Callable[[Row], tuple[Any, ...]]:
        """What a row says, in the table's order: all but when and by which key it came."""
        said = [name for name in self.stream.columns if name not in _NOT_SAID]
        return itemgetter(*said)


def row_of(item: Any, index: int, origin: Origin, countries: Countries) -> tuple[date, Row]:
    """The tenant-local day of item `index`, and its row with the columns of the stream's table.

    Raises ValueError saying why there is none; the item then has to be set aside.
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
    """128 bits over all columns but _NOT_SAID: rows with equal hashes say the same."""
    return hashlib.sha256(_canonical(rows.content(row))).hexdigest()[:32]


_canonical = msgspec.json.Encoder(order="sorted").encode


# -- days


def _named_day(item: Mapping[str, Any]) -> date:
    text = item.get("day")
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("day must be YYYY-MM-DD")
    return date.fromisoformat(text)


def _check_day(day: date, timezone: str) -> None:
    """Raise ValueError where the raw table has no partition for the day."""
    if days.FIRST_DAY <= day <= days.now().date():
        return  # wherever it is still yesterday, this is tomorrow
    last = days.today(timezone) + DAYS_AHEAD * days.ONE_DAY
    if not days.FIRST_DAY <= day <= last:
        raise ValueError(f"the day {day} is outside of the table")


# -- what columns hold


def _check(row: Row, rows: RowsOf) -> None:
    """Raise ValueError unless every column holds what the table declares."""
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
    """Decimals travel as text, so that no float rounds them."""
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
    """The country that an item comes from; of a server's own request never."""
    if origin.message.key_kind == "publishable":
        return origin.message.country or countries.of(origin.client_ip)
    return item.get("country") or countries.of(item.get("ip"))


def _key_kind_and_client(item: Mapping[str, Any], origin: Origin, countries: Countries) -> Row:
    """Country, browser, os and device, but of a server's own request never; the kind of key."""
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
    """The rule that a response names. Raises ValueError for one that no reader would know."""
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
