"""Lines for the quarantine: events that could not be read, each with the reason, as JSON.

So no event is lost by a mistake of ours. A line holds all that resend.py needs to send its events
again, with the country in place of the network address: customers' addresses are stored nowhere,
not even here. While a line is being sent again, it has the member MARK.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pulse import days, formats

UNKNOWN_STREAM = "unknown"
"""The folder of messages whose stream is not known."""
MARK = "resent"
"""A member of lines that are being sent again: since when."""

_ADDRESS_MEMBERS = ("ip", "client_ip")
# The second pattern (IPv6) also matches some times of day. They are removed too: no address stays.
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){2,}[0-9A-Fa-f.]*")
_REMOVED = "[address removed]"

CountryOf = Callable[[Any], str | None]
"""Gives the country of a network address; None if it is not known or the value is no address."""


def row_line(reason: str, stream: str, received_us: int, row: Mapping[str, Any]) -> str:
    """The line for one item: its reason, its stream, and the row that its message made of it.

    `received_us` is the item's own time of receipt (UTC, microseconds).
    """
    return _line(reason, stream, received_us, {"row": _without_addresses(row)})


def message_line(
    reason: str, received_us: int, body: str, client_ip: str | None, country_of: CountryOf
) -> str:
    """The line for a whole message: as JSON if it is that, else as text; without addresses."""
    try:
        told = json.loads(body)
        message = _without_addresses(_with_countries(told, client_ip, country_of))
    except (ValueError, RecursionError):
        message = _ADDRESS.sub(_REMOVED, body)
    return _line(reason, UNKNOWN_STREAM, received_us, {"message": message})


def _line(reason: str, stream: str, received_us: int, content: Mapping[str, Any]) -> str:
    return json.dumps(
        {
            "format": formats.QUARANTINE.number,
            "reason": reason,
            "stream": stream,
            "received": days.iso(received_us),
            **content,
        }
    )


def _with_countries(message: Any, client_ip: str | None, country_of: CountryOf) -> Any:
    """The message with a country beside each address that has none."""
    if not isinstance(message, Mapping):
        return message
    if message.get("key_kind") == "publishable":
        return _with_country(message, country_of(client_ip))
    items = message.get("items")
    if not isinstance(items, list):
        return message
    located = [
        _with_country(one, country_of(one.get("ip"))) if isinstance(one, Mapping) else one
        for one in items
    ]
    return {**message, "items": located}


def _with_country(told: Mapping[str, Any], country: str | None) -> Mapping[str, Any]:
    return {**told, "country": country} if country and not told.get("country") else told


def _without_addresses(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _without_addresses(member)
            for name, member in value.items()
            if name not in _ADDRESS_MEMBERS
        }
    if isinstance(value, list | tuple):
        return [_without_addresses(member) for member in value]
    return value
