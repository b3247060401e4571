"""An item of a message → a row of the raw table, with the day that it belongs to.

Times are microseconds; which of two rows of one identity is the later is told by `received_us`,
then by `content_hash`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pulse import days, lake
from pulse.ingest.message import Message
from pulse.raw.countries import Countries
from pulse.raw.user_agents import client_of

Row = dict[str, Any]

KEY_KINDS = ("publishable", "secret")
DAYS_AHEAD = 2
"""The raw table's partitions end this many days after the present one."""

_TYPES: Mapping[str, type] = {
    "string": str,
    "int": int,
    "bigint": int,
    "map<string,string>": dict,
}
_OPTIONAL = frozenset(
    (
        "agent",
        "agent_name",
        "customer",
        "interaction",
        "comment",
        "tags",
        "country",
        "browser",
        "os",
        "device",
    )
)
_FROM_ITEM = (
    "survey",
    "metric",
    "scale",
    "response_id",
    "answered_us",
    "score",
    "channel",
    "agent",
    "agent_name",
    "customer",
    "interaction",
    "comment",
    "tags",
)


@dataclass(frozen=True)
class Origin:
    """Where the items of a message come from."""

    message: Message
    client_ip: str | None
    """The caller's address; with a secret key it is a server's, and None here."""
    timezone: str


def response_row(
    item: Mapping[str, Any], index: int, origin: Origin, countries: Countries
) -> tuple[date, Row]:
    """The tenant-local day and the row (columns of lake.RAW_RESPONSES) of item `index`.

    Raises ValueError saying why there is none; the row then has to be set aside.
    """
    if not isinstance(item, Mapping):
        raise ValueError("an item must be an object")
    message = origin.message
    row: Row = {
        "tenant": message.tenant,
        "key_kind": message.key_kind,
        "received_us": message.received_us + index,  # of one request, the later item wins
        **{name: item.get(name) for name in _FROM_ITEM},
        **_enriched(item, origin, countries),
    }
    row["content_hash"] = _content_hash(row)
    _check(row)
    return _day(row["answered_us"], origin.timezone), row


def _enriched(item: Mapping[str, Any], origin: Origin, countries: Countries) -> Row:
    """Country, browser, os and device; of a server's own request never."""
    if origin.message.key_kind == "publishable":
        country = countries.of(origin.client_ip)
        client = client_of(origin.message.user_agent)
    else:
        country = item.get("country") or countries.of(item.get("ip"))
        client = client_of(item.get("user_agent"))
    return {
        "country": country,
        "browser": client.browser,
        "os": client.os,
        "device": client.device,
    }


def _content_hash(row: Row) -> str:
    """128 bits over all columns but received_us: rows with equal hashes are equal."""
    content = {name: value for name, value in row.items() if name != "received_us"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _check(row: Row) -> None:
    """Raise ValueError unless every column holds what the table declares."""
    for name, kind in lake.RAW_RESPONSES.items():
        value = row[name]
        if value is None and name in _OPTIONAL:
            continue
        if type(value) is not _TYPES[kind]:  # not isinstance: True is no number
            raise ValueError(f"{name} must be a {kind}")
    if row["key_kind"] not in KEY_KINDS:
        raise ValueError("key_kind must be publishable or secret")
    if not 0 <= row["score"] <= 10:
        raise ValueError("score must lie within 0 and 10")
    tags = row["tags"] or {}
    if not all(isinstance(value, str) for value in tags.values()):
        raise ValueError("tags must be texts")


def _day(answered_us: int, timezone: str) -> date:
    last = days.today(timezone) + DAYS_AHEAD * days.ONE_DAY
    try:
        day = days.local_day(answered_us, timezone)
    except OverflowError as error:
        raise ValueError("answered_us is no time") from error
    if not days.FIRST_DAY <= day <= last:
        raise ValueError(f"the day {day} is outside of the table")
    return day
