"""The columns of a reply: what each is called, and how it is read off a row to be.

The parser knows them by name (order_by), the reply lists them, and rows, JSON and CSV alike, are
made of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Literal

from pulse.reports.declarations import (
    CURRENCY,
    PERIOD,
    GroupSums,
    Label,
    Metric,
    Report,
    Unit,
    Value,
)
from pulse.reports.metrics import TextDecimal

Cell = Label | bool | Value
Names = Mapping[str, Mapping[str, str]]
"""By dimension what its values are called."""
NAMED = ("agent", "survey")
"""The dimensions whose values have names beside them."""
Kind = Literal[
    "period", "dimension", "name", "level", "metric", "previous", "change", "significant", "flag"
]

LEVEL = "level"
PARTIAL = "partial"
WITHHELD = "withheld"
PREVIOUS, CHANGE, SIGNIFICANT = "previous", "change", "significant"

CHANGE_UNITS: dict[Unit, Unit] = {
    "count": "count",
    "percent": "points",
    "points": "points",
    "adjusted": "adjusted",
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
class Coverage:
    """How much of a period a row tells; over several tenants what holds for any of them.

    `partial` where days of it are not among those asked for or stand beside another number of days,
    `uneven` where the latter.
    """

    partial: bool
    uneven: bool


@dataclass(frozen=True)
class ComparedRow:
    """A row to be: its sums of the days asked for and, where it is compared, of those before.

    `level` is how many of the dimensions asked for it tells: subtotals leave some out. `coverage`
    is None where it tells no period.
    """

    now: GroupSums
    before: GroupSums | None = None
    level: int = 0
    coverage: Coverage | None = None

    @property
    def too_few(self) -> bool:
        """True where figures of either side are withheld."""
        return self.now.too_few or (self.before is not None and self.before.too_few)


@dataclass(frozen=True)
class Column:
    """One column; `of` names the metric whose change it tells.

    `metric` is what its cells are figures of, if they are those of the days asked for.
    """

    name: str
    kind: Kind
    cell: Callable[[ComparedRow], Cell]
    unit: Unit | None = None
    of: str | None = None
    metric: Metric | None = None

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
    if PERIOD in group_by:
        found.append(
            Column(PARTIAL, "flag", lambda line: line.coverage.partial if line.coverage else None)
        )
    return found


def name_column(dimension: str) -> str:
    """What the column is called that tells the names of a dimension's values."""
    return f"{dimension}_name"


def with_names(found: Sequence[Column], names: Names) -> list[Column]:
    """The columns, and behind each dimension that has names what its values are called."""
    told: list[Column] = []
    for column in found:
        told.append(column)
        if column.name in names:
            told.append(_name(column.name, names[column.name]))
    return told


def _name(dimension: str, known: Mapping[str, str]) -> Column:
    def cell(line: ComparedRow) -> Cell:
        value = line.now.group.get(dimension)
        return known.get(value) if isinstance(value, str) else None

    return Column(name_column(dimension), "name", cell)


def withheld() -> Column:
    """The flag that says where figures were withheld."""
    return Column(WITHHELD, "flag", lambda line: line.too_few)


def _label(name: str) -> Column:
    kind: Kind = "period" if name == PERIOD else "dimension"
    return Column(name, kind, lambda line: line.now.group.get(name))


def _figure(metric: Metric) -> Column:
    return Column(
        metric.name, "metric", lambda line: metric.of(line.now), metric.unit, metric=metric
    )


def _comparison(metric: Metric) -> list[Column]:
    """The columns that compare a metric; they say nothing where there is nothing before."""

    def previous(line: ComparedRow) -> Value:
        return metric.of(line.before) if line.before else None

    def change(line: ComparedRow) -> Value:
        now, before = metric.of(line.now), previous(line)
        if not (line.before and line.before.whole):
            return None
        return _difference(metric, now, before)

    def significant(line: ComparedRow) -> bool | None:
        if metric.significant is None or line.before is None or change(line) is None:
            return None
        if line.coverage and line.coverage.uneven:
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
    """What a figure is now less what it was; None unless both are known, and numbers."""
    if isinstance(now, Mapping) or isinstance(before, Mapping):
        return _difference_by_currency(metric, _by_currency(now), _by_currency(before))
    if now is None or before is None or isinstance(now, str) or isinstance(before, str):
        return None
    if metric.unit == "money":
        return TextDecimal(_EXACT.subtract(now, before))
    return now - before


def _difference_by_currency(
    metric: Metric, now: Mapping[str, Decimal], before: Mapping[str, Decimal]
) -> Value:
    """The same for each currency; a sum in which a currency is missing is zero there."""
    nothing = TextDecimal("0.0000")
    known = now.keys() | before.keys() if metric.empty == "0" else now.keys() & before.keys()
    return {
        currency: TextDecimal(
            _EXACT.subtract(now.get(currency, nothing), before.get(currency, nothing))
        )
        for currency in sorted(known)
    } or None


def _by_currency(value: Value) -> Mapping[str, Decimal]:
    return value if isinstance(value, Mapping) else {}


def flat_names(columns: Sequence[Column], currencies: Sequence[str]) -> list[str]:
    """The columns of a table whose cells hold one figure each: one of each currency for money."""
    found: list[str] = []
    for column in columns:
        if column.unit == "money":
            found += [f"{column.name}_{currency}" for currency in currencies]
        else:
            found.append(column.name)
    return found


def flat_cells(
    columns: Sequence[Column], currencies: Sequence[str], row: Mapping[str, Cell]
) -> list[Cell]:
    """A row's cells in these columns."""
    found: list[Cell] = []
    for column in columns:
        value = row[column.name]
        if column.unit != "money":
            found.append(value)
        elif isinstance(value, Mapping):
            found += map(value.get, currencies)
        else:
            found += [value if row.get(CURRENCY) == one else None for one in currencies]
    return found
