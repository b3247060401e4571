"""An item of a message → a row of its stream's raw table, with the day that it belongs to.

Times are microseconds; which of two rows of one identity is the later is told by its version:
`received_us`, then `content_hash`, and for interactions `updated_us` before them.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pulse import days, lake
from pulse.ingest.message import Message
from pulse.raw.countries import Countries
from pulse.raw.user_agents import client_of

Row = dict[str, Any]

KEY_KINDS = ("publishable", "secret")
DAYS_AHEAD = 2
"""The raw tables' partitions end this many days after the present one."""

_LAST_US = days.to_us(datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Origin:
    """Where the items of a message come from."""

    message: Message
    client_ip: str | None
    """The caller's address; with a secret key it is a server's, and None here."""
    timezone: str


def _nothing(item: Mapping[str, Any], origin: Origin, countries: Countries) -> Row:
    return {}


@dataclass(frozen=True)
class Stream:
    """What sets the rows of a stream apart."""

    columns: Mapping[str, str]
    required: frozenset[str]
    """What an item has to give."""
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
        return tuple(row[name] for name in self.order)


def row_of(
    item: Mapping[str, Any], index: int, origin: Origin, countries: Countries
) -> tuple[date, Row]:
    """The tenant-local day of item `index`, and its row with the columns of the stream's table.

    Raises ValueError saying why there is none; the item then has to be set aside.
    """
    if not isinstance(item, Mapping):
        raise ValueError("an item must be an object")
    message = origin.message
    stream = STREAMS[message.stream]
    row: Row = {
        **{name: item.get(name) for name in stream.columns},
        "tenant": message.tenant,
        "received_us": message.received_us + index,  # of one request, the later item wins
        **stream.enrich(item, origin, countries),
    }
    row["content_hash"] = _content_hash(row)
    _check(row, stream)
    stream.check(row)
    if stream.moment is None:
        day = _named_day(item)
    else:
        day = days.local_day(row[stream.moment], origin.timezone)
    _check_day(day, origin.timezone)
    return day, row


def _content_hash(row: Row) -> str:
    """128 bits over all columns but received_us: rows with equal hashes are equal."""
    hidden = ("received_us", "content_hash")
    content = {name: value for name, value in row.items() if name not in hidden}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# -- days


def _named_day(item: Mapping[str, Any]) -> date:
    text = item.get("day")
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("day must be YYYY-MM-DD")
    return date.fromisoformat(text)


def _check_day(day: date, timezone: str) -> None:
    """Raise ValueError where the raw table has no partition for the day."""
    last = days.today(timezone) + DAYS_AHEAD * days.ONE_DAY
    if not days.FIRST_DAY <= day <= last:
        raise ValueError(f"the day {day} is outside of the table")


# -- what columns hold


def _check(row: Row, stream: Stream) -> None:
    """Raise ValueError unless every column holds what the table declares."""
    for name, kind in stream.columns.items():
        value = row[name]
        if value is None and name not in stream.required:
            continue
        if not _HOLDS[kind](value):
            raise ValueError(f"{name} must be a {kind}")
        if name.endswith("_us") and not 0 <= value < _LAST_US:
            raise ValueError(f"{name} is outside of the years 1970 to 9998")


# Exactly these types, not isinstance: True is no number.


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_truth(value: Any) -> bool:
    return type(value) is bool


def _is_number(bits: int) -> Callable[[Any], bool]:
    most = 1 << bits - 1
    return lambda value: type(value) is int and -most <= value < most


def _is_decimal(digits: int, places: int) -> Callable[[Any], bool]:
    """Decimals travel as text, so that no float rounds them."""
    pattern = re.compile(rf"-?\d{{1,{digits - places}}}(\.\d{{1,{places}}})?", re.ASCII)
    return lambda value: type(value) is str and bool(pattern.fullmatch(value))


def _is_map(value: Any) -> bool:
    return type(value) is dict and all(map(_is_text, value.values()))


_HOLDS: Mapping[str, Callable[[Any], bool]] = {
    "string": _is_text,
    "boolean": _is_truth,
    "int": _is_number(32),
    "bigint": _is_number(64),
    "decimal(9,4)": _is_decimal(9, 4),
    "decimal(18,4)": _is_decimal(18, 4),
    "map<string,string>": _is_map,
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


# -- responses


def _key_kind_and_client(item: Mapping[str, Any], origin: Origin, countries: Countries) -> Row:
    """Country, browser, os and device, but of a server's own request never; the kind of key."""
    if origin.message.key_kind == "publishable":
        country = countries.of(origin.client_ip)
        client = client_of(origin.message.user_agent)
    else:
        country = item.get("country") or countries.of(item.get("ip"))
        client = client_of(item.get("user_agent"))
    return {
        "key_kind": origin.message.key_kind,
        "country": country,
        "browser": client.browser,
        "os": client.os,
        "device": client.device,
    }


def _check_response(row: Row) -> None:
    if row["key_kind"] not in KEY_KINDS:
        raise ValueError("key_kind must be publishable or secret")
    if not 0 <= row["score"] <= 10:
        raise ValueError("score must lie within 0 and 10")


# -- interactions and sessions


def _check_interaction(row: Row) -> None:
    _check_media_type(row)
    if (row["revenue"] is None) != (row["currency"] is None):
        raise ValueError("revenue and currency must come together")
    if (row["replies"] or 0) < 0:
        raise ValueError("replies must not be negative")


def _check_session(row: Row) -> None:
    _check_media_type(row)
    if row["engaged_us"] > row["active_us"]:
        raise ValueError("engaged_us must not be more than active_us")


def _check_media_type(row: Row) -> None:
    if row["media_type"] not in lake.MEDIA_TYPES:
        raise ValueError(f"media_type must be one of {', '.join(lake.MEDIA_TYPES)}")


STREAMS: Mapping[str, Stream] = {
    "responses": Stream(
        columns=lake.RAW_RESPONSES,
        required=frozenset(
            ("survey", "metric", "scale", "response_id", "answered_us", "score", "channel")
        ),
        order=("tenant", "survey", "key_kind", "response_id", "received_us", "content_hash"),
        check=_check_response,
        moment="answered_us",
        enrich=_key_kind_and_client,
    ),
    "interactions": Stream(
        columns=lake.RAW_INTERACTIONS,
        required=frozenset(("interaction_id", "media_type", "entered_us", "updated_us")),
        order=("tenant", "interaction_id", "updated_us", "received_us", "content_hash"),
        check=_check_interaction,
        moment="entered_us",
    ),
    "sessions": Stream(
        columns=lake.RAW_SESSIONS,
        required=frozenset(("session_id", "agent", "media_type", "active_us", "engaged_us")),
        order=("tenant", "session_id", "received_us", "content_hash"),
        check=_check_session,
    ),
}
"""Every stream by its name in a message."""
