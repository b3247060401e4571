"""The columns of a reply: what each is called, and how it is read off a row to be.

The parser knows them by name (order_by), the reply lists them, and rows, JSON and CSV alike, are
made of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import Literal

from pulse.reports.declarations import CURRENCY, PERIOD, Facts, Label, Metric, Report, Unit, Value
from pulse.reports.metrics import Written

Cell = Label | bool | Value
Kind = Literal[
    "period", "dimension", "level", "metric", "previous", "change", "significant", "flag"
]

LEVEL = "level"
WITHHELD = "withheld"
PREVIOUS, CHANGE, SIGNIFICANT = "previous", "change", "significant"

CHANGE_UNITS: dict[Unit, Unit] = {
    "count": "count",
    "percent": "points",
    "points": "points",
    "scale": "scale",
    "ratio": "ratio",
    "seconds": "seconds",
    "satisfaction": "satisfaction",
    "money": "money",
}
"""The unit of a metric's change: percentages change by percentage points.

What only writes another metric in another way has no change of its own.
"""
_EXACT = Context(prec=60)


@dataclass(frozen=True)
class Line:
    """A row to be: its sums of the days asked for and, where it is compared, of those before.

    `level` is how many of the dimensions asked for it tells: subtotals leave some out.
    """

    now: Facts
    before: Facts | None = None
    level: int = 0

    @property
    def too_few(self) -> bool:
        """True where figures of either side are withheld."""
        return self.now.too_few or (self.before is not None and self.before.too_few)


@dataclass(frozen=True)
class Column:
    """One column; `of` names the metric whose change it tells."""

    name: str
    kind: Kind
    cell: Callable[[Line], Cell]
    unit: Unit | None = None
    of: str | None = None

    @property
    def shown(self) -> dict[str, str]:
        """As the reply lists it."""
        given = {"name": self.name, "kind": self.kind, "unit": self.unit, "metric": self.of}
        return {name: value for name, value in given.items() if value is not None}


def columns(
    report: Report, group_by: Sequence[str], *, compared: bool, subtotals: bool
) -> list[Column]:
    """Every column of a report grouped like this, in order."""
    found = [_label(name) for name in group_by]
    if subtotals:
        found.append(Column(LEVEL, "level", lambda line: line.level))
    for metric in report.metrics:
        found.append(_figure(metric))
        if compared:
            found += _comparison(metric)
    return found


def withheld() -> Column:
    """The flag that says where figures were withheld."""
    return Column(WITHHELD, "flag", lambda line: line.too_few)


def _label(name: str) -> Column:
    kind: Kind = "period" if name == PERIOD else "dimension"
    return Column(name, kind, lambda line: line.now.group.get(name))


def _figure(metric: Metric) -> Column:
    return Column(metric.name, "metric", lambda line: metric.of(line.now), metric.unit)


def _comparison(metric: Metric) -> list[Column]:
    """The columns that compare a metric; they say nothing where there is nothing before."""

    def previous(line: Line) -> Value:
        return metric.of(line.before) if line.before else None

    def change(line: Line) -> Value:
        now, before = metric.of(line.now), previous(line)
        if not (line.before and line.before.whole):
            return None
        return _difference(metric, now, before)

    def significant(line: Line) -> bool | None:
        if metric.significant is None or line.before is None or change(line) is None:
            return None
        return metric.significant(line.now, line.before)

    name = metric.name
    found = [Column(f"{name}_{PREVIOUS}", "previous", previous, metric.unit, name)]
    if unit := CHANGE_UNITS.get(metric.unit):
        found.append(Column(f"{name}_{CHANGE}", "change", change, unit, name))
    if metric.significant:
        found.append(Column(f"{name}_{SIGNIFICANT}", "significant", significant, of=name))
    return found


def _difference(metric: Metric, now: Value, before: Value) -> Value:
    """What a figure is now less what it was; None unless both are known."""
    if isinstance(now, Mapping) or isinstance(before, Mapping):
        return _difference_by_currency(metric, _by_currency(now), _by_currency(before))
    if now is None or before is None:
        return None
    if metric.unit == "money":
        return Written(_EXACT.subtract(now, before))
    return now - before


def _difference_by_currency(
    metric: Metric, now: Mapping[str, Decimal], before: Mapping[str, Decimal]
) -> Value:
    """The same for each currency; a sum in which a currency is missing is zero there."""
    nothing = Written("0.0000")
    known = now.keys() | before.keys() if metric.empty == "0" else now.keys() & before.keys()
    return {
        currency: Written(
            _EXACT.subtract(now.get(currency, nothing), before.get(currency, nothing))
        )
        for currency in sorted(known)
    } or None


def _by_currency(value: Value) -> Mapping[str, Decimal]:
    return value if isinstance(value, Mapping) else {}


def by_currency(column: Column, currencies: Sequence[str]) -> Iterator[Column]:
    """The column as one for each currency, if it is of money: a table's cell holds one figure."""
    if column.unit != "money":
        yield column
        return
    told = _OncePerLine(column.cell)
    for currency in currencies:
        yield replace(column, name=f"{column.name}_{currency}", cell=_in_currency(told, currency))


class _OncePerLine:
    """A cell that is worked out once for a line: a map of amounts is read for each currency."""

    def __init__(self, cell: Callable[[Line], Cell]) -> None:
        self._cell = cell
        self._line: Line | None = None
        self._told: Cell = None

    def __call__(self, line: Line) -> Cell:
        if line is not self._line:
            self._line, self._told = line, self._cell(line)
        return self._told


def _in_currency(told: Callable[[Line], Cell], currency: str) -> Callable[[Line], Cell]:
    def cell(line: Line) -> Cell:
        value = told(line)
        if isinstance(value, Mapping):
            return value.get(currency)
        return value if line.now.group.get(CURRENCY) == currency else None

    return cell
