"""A reply's text: JSON, and how many rows of either form a page holds.

Figures are exact decimals up to here. JSON has them as numbers, or as text where a number would
lose their form; CSV (pulse.csv_cells) has all their decimals.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from pulse.reports.metrics import TextDecimal

_AT_ONCE = 1_000
PAGE_BYTES = 4_000_000
"""Where a page ends at the latest: Lambda lets 6 MB out, once escaped."""


def to_json(value: Any) -> str:
    """Compact JSON text; decimals as numbers, but for those that are meant to be text."""
    return _ENCODER.encode(value)


def _figure(value: Any) -> int | float | str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    if isinstance(value, TextDecimal):
        return str(value)
    # two decimals survive the way through a float: JSON writes the shortest text that reads back
    return int(value) if value.same_quantum(_WHOLE) else float(value)


_WHOLE = Decimal(1)
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_figure
)


def json_object(members: Mapping[str, str]) -> str:
    """One JSON object of members that are JSON text already."""
    return "{" + ",".join(f"{to_json(name)}:{text}" for name, text in members.items()) + "}"


def json_rows(rows: Iterable[Mapping[str, Any]], *, room: int) -> tuple[str, int]:
    """One JSON array of as many rows as fit into the room, of one at least, and their number.

    Many are written at once; where they do not fit, one by one.
    """
    parts: list[str] = []
    count = 0
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        text, taken = to_json(some)[1:-1], len(some)
        if len(text.encode()) + 1 > room:
            texts = fill(map(to_json, some), limit=taken, room=room, least=0 if count else 1)
            text, taken = ",".join(texts), len(texts)
        if taken:
            parts.append(text)
        count += taken
        room -= len(text.encode()) + 1
        if taken < len(some):
            break
    return f"[{','.join(parts)}]", count


def fill(texts: Iterable[str], *, limit: int, room: int, least: int = 1) -> list[str]:
    """As many texts as a page holds: at most `limit`, at most `room` bytes, but the `least`."""
    page: list[str] = []
    for text in islice(texts, limit):
        room -= len(text.encode()) + 1  # what parts it from the next
        if room < 0 and len(page) >= least:
            break
        page.append(text)
    return page
