"""The columns of a reply: what each is called, and how it is read off a row to be.

The parser knows them by name (order_by), the reply lists them, and rows, JSON and CSV alike, are
made of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pulse.reports.registry import PERIOD, Facts, Label, Metric, Report, Unit, Value

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
}
"""The unit of a metric's change: percentages change by percentage points."""


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
        if now is None or before is None or not (line.before and line.before.whole):
            return None
        return now - before

    def significant(line: Line) -> bool | None:
        if metric.significant is None or line.before is None or change(line) is None:
            return None
        return metric.significant(line.now, line.before)

    name = metric.name
    found = [
        Column(f"{name}_{PREVIOUS}", "previous", previous, metric.unit, name),
        Column(f"{name}_{CHANGE}", "change", change, CHANGE_UNITS[metric.unit], name),
    ]
    if metric.significant:
        found.append(Column(f"{name}_{SIGNIFICANT}", "significant", significant, of=name))
    return found
