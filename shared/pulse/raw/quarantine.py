"""What could not be read, set aside with its reason: JSON lines under `quarantine/`.

Nobody loses data by our mistake: a row can be mended and sent again. No address of a customer
is kept even here.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from pulse import days

UNKNOWN_STREAM = "unknown"
"""Where whole messages are set aside."""

_ADDRESS_MEMBERS = ("ip", "client_ip")
# Also a time of day can look like the second one; it is better to lose that than to keep this.
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){2,}[0-9A-Fa-f.]*")
_REMOVED = "[address removed]"


def row_line(reason: str, stream: str, received_us: int, row: Mapping[str, Any]) -> str:
    """A line for one item, with what its message said of it."""
    return _line(reason, stream, received_us, {"row": _without_addresses(row)})


def message_line(reason: str, stream: str, received_us: int, body: str) -> str:
    """A line for a whole message: as JSON without addresses, or else as text without any."""
    try:
        message = _without_addresses(json.loads(body))
    except (ValueError, RecursionError):
        message = _ADDRESS.sub(_REMOVED, body)
    return _line(reason, stream, received_us, {"message": message})


def _line(reason: str, stream: str, received_us: int, content: Mapping[str, Any]) -> str:
    return json.dumps(
        {"reason": reason, "stream": stream, "received": days.iso(received_us), **content}
    )


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
