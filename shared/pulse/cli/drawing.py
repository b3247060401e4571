"""A report drawn for a terminal: a heading, the rows with their totals, the breakdown.

The two ends of an interval are one column. Compared, the number of answers and the headline show
their change; the other figures' changes are for JSON and CSV, which have room.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pulse.cli import output

Row = Mapping[str, Any]
Draw = Callable[[Row], str | Text | None]

_LOW, _HIGH = "ci_low", "ci_high"
_COUNT = "responses"


@dataclass(frozen=True)
class _Column:
    title: str
    draw: Draw
    right: bool = False
    label: bool = False
    """True for a group's name, as against a figure."""


def report_tables(tenant: str, reply: Row) -> list[RenderableType]:
    """The parts of a reply of the interface on a tenant, in order."""
    meta = reply["meta"]
    tenants = [each["tenant"] for each in meta["date_range"].get("tenants", ())] or [tenant]
    parts: list[RenderableType] = [_heading(f"{reply['report']} of {', '.join(tenants)}", meta)]
    parts.append(_table(reply) if reply["rows"] else "No answers in these days.")
    if reply.get("breakdown"):
        parts += ["", _breakdown(reply["breakdown"])]
    return parts


def _heading(name: str, meta: Row) -> str:
    span = _of_one(meta["date_range"])
    dates = f", {span['start_date']} to {span['end_date']}" if "start_date" in span else ""
    zone = f" ({span['timezone']})" if "timezone" in span else ""
    before = _of_one(meta.get("compare") or {})
    against = ""
    if "start_date" in before:
        against = f", against {before['start_date']} to {before['end_date']}"
    as_of = meta.get("as_of")
    built = f"as of {as_of[:16].replace('T', ' ')} UTC" if as_of else "nothing built yet"
    return f"{name}{dates}{zone}{against}, {built}\n"


def _of_one(days: Row) -> Row:
    """The days of the one tenant, also of an operator's reply; of several: none of theirs."""
    each: Sequence[Row] = days.get("tenants") or [days]
    return each[0] if len(each) == 1 else {}


def _table(reply: Row) -> Table:
    """The rows and, below a line, the totals where they say more than the rows."""
    totals = reply.get("totals") or []
    listed = {column["name"]: column for column in reply["columns"]}
    columns = [drawn for column in listed.values() for drawn in _drawn(column, listed)]
    deepest = max((row["level"] for row in reply["rows"] if "level" in row), default=0)
    return output.table(
        [column.title for column in columns],
        [_cells(row, columns, deepest) for row in reply["rows"]],
        right=[column.title for column in columns if column.right],
        totals=[_total(row, columns) for row in totals if totals != reply["rows"]],
    )


def _drawn(column: Row, listed: Mapping[str, Row]) -> list[_Column]:
    """What is drawn of a column of the reply: itself, with its change or interval, or nothing."""
    name, kind = str(column["name"]), column["kind"]
    if name == _LOW:
        return [_Column("95 % interval", _interval, right=True)]
    if kind in ("level", "previous", "significant") or name == _HIGH:
        return []
    if kind == "flag":
        return [_Column("", lambda row: name if row.get(name) else "")]
    if kind == "change":
        headline = f"{column['metric']}_significant" in listed
        if not headline and column["metric"] != _COUNT:
            return []
        return [_Column("change", _change(name, str(column["metric"])), right=True)]
    return [
        _Column(
            _title(column),
            lambda row: _text(row.get(name)),
            right=kind == "metric",
            label=kind in ("period", "dimension"),
        )
    ]


def _title(column: Row) -> str:
    """A column's name with its unit, where that is neither a count nor the scale's own."""
    name = str(column["name"])
    if column.get("unit") == "percent":
        return f"{name.removesuffix('_pct')} %"
    return f"{name} (points)" if column.get("unit") == "points" else name


def _interval(row: Row) -> str | None:
    low, high = _text(row.get(_LOW)), _text(row.get(_HIGH))
    return None if low is None else f"{low} … {high}"


def _change(name: str, metric: str) -> Draw:
    """The change as an arrow and a number; in colour where it is more than chance."""

    def draw(row: Row) -> Text | None:
        change = row.get(name)
        if change is None:
            return None
        arrow = "▲" if change > 0 else "▼" if change < 0 else "="
        number = f"{change:+,.2f}" if isinstance(change, float) else f"{change:+,}"
        up, down = ("bold green", "bold red") if row.get(f"{metric}_significant") else ("", "")
        return Text(f"{arrow} {number}", style=up if change > 0 else down)

    return draw


def _text(value: Any) -> str | None:
    """A value for eyes: thousands apart, broken numbers with two decimals."""
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return None if value is None else str(value)


def _cells(row: Row, columns: Sequence[_Column], deepest: int) -> list[str | Text | None]:
    """A row's cells; a subtotal is bold, and "all" stands in the columns that it leaves out."""
    cells = [column.draw(row) for column in columns]
    left_out = deepest - row.get("level", deepest)
    if not left_out:
        return cells
    labels = [index for index, column in enumerate(columns) if column.label]
    every = labels[-left_out:]
    return [
        Text("all" if index in every else str(cell or "–"), style="bold")
        for index, cell in enumerate(cells)
    ]


def _total(row: Row, columns: Sequence[_Column]) -> list[str | Text]:
    """A row of totals: it names no group, so the first cell that is left out says "total"."""
    cells = [column.draw(row) for column in columns]
    first = next((index for index, cell in enumerate(cells) if cell is None), None)
    return [
        cell if cell is not None else "total" if index == first else ""
        for index, cell in enumerate(cells)
    ]


def _breakdown(rows: Sequence[Row]) -> Table:
    names = list(rows[0])
    right = [name for name in names if not isinstance(rows[0][name], str)]
    cells = [[_text(row.get(name)) for name in names] for row in rows]
    return output.table(names, cells, right=right)
