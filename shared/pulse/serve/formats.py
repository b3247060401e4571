"""A reply's text: JSON, and how many rows of either form a page holds.

Figures are exact decimals up to here. JSON has them as numbers, or as text where a number would
lose their form; CSV (pulse.csv_cells) has all their decimals.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from types import NoneType
from typing import Any

from pulse.reports.metrics import TextDecimal

PAGE_BYTES = 4_000_000
"""Where a page ends at the latest: Lambda lets 6 MB out, once escaped."""


def to_json(value: Any) -> str:
    """Compact JSON text; decimals as numbers, but for those that are meant to be text."""
    return _ENCODER.encode(value)


def _figure(value: Any) -> int | float | str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return str(value) if isinstance(value, TextDecimal) else _number(value)


def _number(value: Decimal) -> int | float:
    # two decimals survive the way through a float: JSON writes the shortest text that reads back
    return int(value) if value.same_quantum(_WHOLE) else float(value)


_WHOLE = Decimal(1)
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_figure
)


def json_object(members: Mapping[str, str]) -> str:
    """One JSON object of members that are JSON text already."""
    return "{" + ",".join(f"{to_json(name)}:{text}" for name, text in members.items()) + "}"


class Written(list[str]):
    """The cells of a column as JSON already."""


def json_texts(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> Iterator[str]:
    """A JSON object for each row of some columns, with the members of these names.

    As to_json writes them, in a third of the time: a page has some ten thousand figures.
    """
    members = ",".join(f"{to_json(name)}:".replace("%", "%%") + "%s" for name in names)
    return map(f"{{{members}}}".__mod__, zip(*map(_texts, columns), strict=True))


def _texts(values: Sequence[Any]) -> Sequence[Any]:
    """What stands for each value in JSON; whole numbers as they are."""
    if isinstance(values, Written):
        return values
    kinds = {*map(type, values)}
    if kinds == {int}:
        return values
    if kinds <= {Decimal, NoneType}:
        return ["null" if value is None else repr(_number(value)) for value in values]
    known: dict[Any, str] = {}  # labels and flags, of which there are few
    return [_text(value, known) for value in values]


def _text(value: Any, known: dict[Any, str]) -> str:
    if type(value) in (str, bool, NoneType):
        return known.get(value) or known.setdefault(value, to_json(value))
    if isinstance(value, TextDecimal):
        return f'"{value!s}"'
    if isinstance(value, Mapping):  # amounts by currency
        members = [f"{_text(name, known)}:{_text(amount, known)}" for name, amount in value.items()]
        return f"{{{','.join(members)}}}"
    return "null" if value is None else to_json(value)


def json_rows(texts: Iterable[str], *, room: int) -> tuple[str, int]:
    """One JSON array of as many rows as fit into the room, of one at least, and their number."""
    taken = fill(texts, room=room)
    return f"[{','.join(taken)}]", len(taken)


def fill(texts: Iterable[str], *, limit: int | None = None, room: int) -> list[str]:
    """As many texts as a page holds: at most `limit`, at most `room` bytes, but one at least."""
    page: list[str] = []
    for text in islice(texts, limit):
        room -= len(text.encode()) + 1  # what parts it from the next
        if room < 0 and page:
            break
        page.append(text)
    return page
