"""Draws a report for a terminal: a heading, the rows with their totals, the breakdown.

Which columns are drawn follows from their kinds and units, for every report alike, because a
terminal has no room for all. Of counts it shows the first, and those beside their own percentage;
of durations only the text; the two ends of an interval are one column. With a comparison the first
count, the headline and money have their change. JSON and CSV have all columns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pulse.cli import output
from pulse.cli.sheet import Cell, FigureColumn, Sheet, SheetRow

Row = Mapping[str, Any]
Draw = Callable[[Row], Cell]

_LOW, _HIGH = "ci_low", "ci_high"
_CLOCK = "_fmt"
"""The ending of the names of columns that have a duration as HH:MM:SS."""


def report_tables(tenant: str, reply: Row) -> list[RenderableType]:
    """The tables of the interface's reply about a tenant, in order."""
    meta = reply["meta"]
    tenants = [each["tenant"] for each in meta["date_range"].get("tenants", ())] or [tenant]
    parts: list[RenderableType] = [_heading(f"{reply['report']} of {', '.join(tenants)}", meta)]
    parts.append(_sheet(reply) if reply["rows"] else "Nothing in these days.")
    if (linked := meta.get("linked")) and linked["of"]:
        told = f"{linked['responses']:,} of {linked['of']:,} responses"
        parts += ["", f"{told} are linked to an interaction."]
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
    basis = ", by the day on which interactions entered"
    basis = basis if meta.get("date_basis") == "entered" else ""
    built = f"as of {as_of[:16].replace('T', ' ')} UTC" if as_of else "not all built yet"
    return f"{name}{dates}{zone}{basis}{against}, {built}\n"


def _of_one(days: Row) -> Row:
    """The days of the reply's tenant; of an operator's reply over several tenants none."""
    each: Sequence[Row] = days.get("tenants") or [days]
    return each[0] if len(each) == 1 else {}


def _sheet(reply: Row) -> Sheet:
    """The rows and, below a line, the totals unless these are the same."""
    nested = any(column["kind"] == "level" for column in reply["columns"])
    # in a nested sheet a name would look like a level of its own
    kinds = ("period", "dimension") if nested else ("period", "dimension", "name")
    groups = [str(c["name"]) for c in reply["columns"] if c["kind"] in kinds]
    drawn = _Figures.of(reply["columns"]).drawn
    rows, totals = reply["rows"], reply.get("totals") or []
    deepest = max((row["level"] for row in rows), default=0) if nested else 0

    def line(row: Row, names: Sequence[str | None]) -> SheetRow:
        return SheetRow(tuple(names), tuple(draw(row) for _, draw in drawn))

    return Sheet(
        groups=[_words(name) for name in groups],
        figures=[figure for figure, _ in drawn],
        lines=[
            line(row, _names(row, groups, deepest - row["level"] if nested else 0))
            for row in rows
            if not (nested and row["level"] == 0 and row in totals)
        ],
        totals=[line(row, [row.get(name) for name in groups]) for row in totals if totals != rows],
        nested=nested,
    )


def _names(row: Row, groups: Sequence[str], left_out: int) -> list[str | None]:
    """The names of a row's group; None for the last ones if the row is over all their values."""
    given = groups[: len(groups) - left_out]
    return [_text(row.get(name)) or "–" for name in given] + [None] * left_out


# -- figures


@dataclass(frozen=True)
class _Figures:
    """The columns of a reply, by name, and which of them are the main ones."""

    listed: Mapping[str, Row]
    first: str
    """The name of the first figure, which is a count."""

    @classmethod
    def of(cls, columns: Sequence[Row]) -> "_Figures":
        """The columns of a reply as it lists them."""
        metrics = [str(column["name"]) for column in columns if column["kind"] == "metric"]
        return cls({str(column["name"]): column for column in columns}, next(iter(metrics), ""))

    @property
    def drawn(self) -> list[tuple[FigureColumn, Draw]]:
        """The columns that are drawn, in their order."""
        return [drawn for column in self.listed.values() if (drawn := self._drawn(column))]

    def _drawn(self, column: Row) -> tuple[FigureColumn, Draw] | None:
        name, kind, unit = str(column["name"]), column["kind"], column.get("unit")
        if name == _LOW:
            return FigureColumn("95 % interval"), _interval
        if kind == "flag":
            return FigureColumn("", right=False), lambda row: name if row.get(name) else ""
        if kind == "metric" and unit == "side":
            return FigureColumn(_title(name, unit), right=False), _side(name)
        if kind == "change" and self._shows_change(column):
            draw = _change(name, str(column["metric"]), coloured=not self._has_sides)
            return FigureColumn("change"), draw
        if kind == "metric" and name != _HIGH and self._has_room(name, unit):
            return FigureColumn(_title(name, unit)), _figure(name, unit)
        return None

    @property
    def _has_sides(self) -> bool:
        """Whether rows say on which side of the others they are; then colours mark only that."""
        return any(column.get("unit") == "side" for column in self.listed.values())

    def _has_room(self, name: str, unit: str | None) -> bool:
        """Whether the column is drawn: not if columns beside it follow from it or replace it."""
        if unit == "count":
            return name == self.first or f"{name}_pct" in self.listed
        return name + _CLOCK not in self.listed

    def _shows_change(self, column: Row) -> bool:
        metric = str(column["metric"])
        headline = f"{metric}_significant" in self.listed
        return metric == self.first or headline or column.get("unit") == "money"


def _title(name: str, unit: str | None) -> str:
    """A figure's name, with its unit if the values do not show it."""
    bare = name.removesuffix(_CLOCK).removesuffix("_seconds").removesuffix("_pct")
    units = {"percent": " %", "points": " (points)"}
    return _words(bare) + units.get(unit or "", "")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _figure(name: str, unit: str | None) -> Draw:
    if unit != "money":
        return lambda row: _text(row.get(name))
    write = _money(name)
    return lambda row: _by_currency(row.get(name), write)


def _side(name: str) -> Draw:
    """Draws whether a row is below the others (red) or above them (green) by more than chance."""

    def draw(row: Row) -> Text | None:
        side = row.get(name)
        return side and Text(side, style="bold red" if side == "below" else "bold green")

    return draw


def _interval(row: Row) -> str | None:
    low, high = _text(row.get(_LOW)), _text(row.get(_HIGH))
    return None if low is None else f"{low} … {high}"


def _change(name: str, metric: str, *, coloured: bool) -> Draw:
    """Draws a change as an arrow and a number; `coloured` if it is more than chance."""
    money = _money(metric)

    def changed_money(amount: str) -> str:
        change = Decimal(amount)
        return f"{_arrow(change)} {'+' if change >= 0 else ''}{money(amount)}"

    def draw(row: Row) -> Text | None:
        change = row.get(name)
        if change is None:
            return None
        if not isinstance(change, int | float):
            return Text(_by_currency(change, changed_money) or "")
        number = f"{change:+,.2f}" if isinstance(change, float) else f"{change:+,}"
        sure = coloured and row.get(f"{metric}_significant")
        up, down = ("bold green", "bold red") if sure else ("", "")
        return Text(f"{_arrow(change)} {number}", style=up if change > 0 else down)

    return draw


def _arrow(change: float | Decimal) -> str:
    return "▲" if change > 0 else "▼" if change < 0 else "="


def _text(value: Any) -> str | None:
    """A value as people read it: with separators of thousands, and at most two decimals."""
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return None if value is None else str(value)


# -- money


def _by_currency(value: Any, write: Callable[[str], str]) -> str | None:
    """An amount, or those of several currencies on a line each, with their codes."""
    if isinstance(value, Mapping):
        lines = [f"{write(amount)} {currency}" for currency, amount in value.items()]
        return "\n".join(lines) or None
    return None if value is None else write(value)


def _money(metric: str) -> Callable[[str], str]:
    """Writes an amount with all of its decimals, but at least two; an average has two."""
    if metric.startswith("avg_"):
        return lambda amount: f"{Decimal(amount):,.2f}"
    return lambda amount: f"{Decimal(amount):,.4f}".removesuffix("0").removesuffix("0")


def _breakdown(rows: Sequence[Row]) -> Table:
    names = list(rows[0])
    right = [name for name in names if not isinstance(rows[0][name], str)]
    cells = [[_text(row.get(name)) for name in names] for row in rows]
    return output.table(names, cells, right=right)
