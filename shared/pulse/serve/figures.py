"""From rows of sums to the cells of a reply: order, metrics, totals and breakdown.

Metrics are computed for the rows that are shown, and for those that are ordered by one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pulse.lake import REST
from pulse.reports.declarations import CURRENCY, Breakdown, GroupSums, Metric, OfSums
from pulse.serve.columns import LEVEL, WITHHELD, Cell, Column, ComparedRow, name_column
from pulse.serve.compare import Rows
from pulse.serve.encoding import Integers, ranks
from pulse.serve.folding import Folded
from pulse.serve.formats import json_texts
from pulse.serve.groups import Key
from pulse.serve.plan import Plan
from pulse.serve.query import Order
from pulse.texts import plain_form

Row = dict[str, Cell]
_AT_ONCE = 1_000
"""So many rows are worked out at once."""


@dataclass(frozen=True)
class Figures:
    """A report's rows, each made when it is asked for.

    `left_out` is how many answers no figure is made of, by the required dimensions.
    """

    plan: Plan
    columns: Sequence[Column]
    rows: Rows
    totals: Rows
    left_out: Mapping[Key, int] = field(default_factory=dict)
    folded: Folded | None = None

    def cells(self, rows: Rows) -> Iterator[Row]:
        """The cells of these rows."""
        for values in self._by_column(rows):
            for row in zip(*values, strict=True):
                yield dict(zip(self._names, row, strict=True))

    def texts(self, rows: Rows) -> Iterator[str]:
        """These rows as JSON."""
        for values in self._by_column(rows):
            yield from json_texts(self._names, values)

    @property
    def _names(self) -> list[str]:
        return [column.name for column in self.columns]

    def _by_column(self, rows: Rows) -> Iterator[list[Sequence[Cell]]]:
        """The cells of each column, of so many rows at once."""
        for some in rows.batches(_AT_ONCE):
            lines = some.lines()
            yield [_values(column, some, lines) for column in self.columns]

    def ordered(self, order_by: Sequence[Order]) -> Integers:
        """The places of all rows: by their columns in order, None last; before that by `order_by`.

        A subtotal comes before its groups. Where an order is turned around, rows without a value
        still come last, and behind them those of groups that have been folded.
        """
        if not self.rows.columns:
            return np.arange(len(self.rows))
        found: Integers = np.lexsort([self._ranks(name) for name in reversed(self.rows.names)])
        for order in reversed(order_by):  # sorting is stable: the first order prevails
            found = found[self._order(order, found)]
        return found

    @cached_property
    def _order_of(self) -> Mapping[str, Sequence[str]]:
        """The values of the dimensions that have an order of their own."""
        return {one.name: one.values or () for one in self.plan.report.filters if one.in_order}

    def _ranks(self, name: str) -> Integers:
        """Each row's place in the order of a grouped column; -1 where it is left out."""
        column = self.rows.columns[self.rows.names.index(name)]
        order = self._order_of.get(name, ())
        places = ranks(column.values, order=order, last=[REST] if self.folded else [])
        return np.append(places, -1)[column.codes]

    def _order(self, order: Order, rows: Integers) -> Integers:
        """How to order these rows, which stand in the order of before."""
        if order.column in self.rows.names:
            places = self._ranks(order.column)
            return self._by_label(order.column, places, rows, descending=order.descending)
        for dimension in self.plan.names:
            if order.column == name_column(dimension):
                places = self._name_ranks(dimension)
                return self._by_label(dimension, places, rows, descending=order.descending)
        if order.column == LEVEL:
            values = self.rows.levels[rows].tolist()
        else:
            column = next(column for column in self.columns if column.name == order.column)
            values = [
                value
                for some in self.rows.take(rows).batches(_AT_ONCE)
                for value in _values(column, some, some.lines())
            ]
        is_rest = self._is_rest(self.rows.names)[rows].tolist()
        told = [at for at, value in enumerate(values) if _has_order(value) and not is_rest[at]]
        told.sort(key=values.__getitem__, reverse=order.descending)
        others = [at for at, value in enumerate(values) if not (_has_order(value) or is_rest[at])]
        return np.array([*told, *others, *np.flatnonzero(is_rest)], np.int64)

    def _name_ranks(self, dimension: str) -> Integers:
        """Each row's place in the order of what a grouped column's values are called.

        As people look them up: without regard to case and accents. -1 where there is no name.
        """
        column = self.rows.columns[self.rows.names.index(dimension)]
        known = self.plan.names[dimension]
        called = [known.get(value) if isinstance(value, str) else None for value in column.values]
        order = {name: (plain_form(name), name) for name in called if name is not None}
        place = {name: at for at, name in enumerate(sorted(order, key=order.__getitem__))}
        places = [-1 if name is None else place[name] for name in called]
        return np.array([*places, -1], np.int64)[column.codes]

    def _by_label(
        self, dimension: str, places: Integers, rows: Integers, *, descending: bool
    ) -> Integers:
        """How to order these rows by each row's place, a negative one last.

        Rows whose value of the dimension is null come last, too, and behind them folded groups.
        """
        column = self.rows.columns[self.rows.names.index(dimension)]
        none = column.values.index(None) if None in column.values else -1
        codes, places = column.codes[rows], places[rows]
        is_rest = self._is_rest([dimension])[rows]
        last = np.where(is_rest, 2, (codes == none) | (codes < 0) | (places < 0))
        places = np.where(last > 0, 0, -places if descending else places)
        found: Integers = np.lexsort([places, last])
        return found

    def _is_rest(self, names: Sequence[str]) -> Integers:
        """Of each row: has it the value of folded groups in any of these columns?"""
        found: Integers = np.zeros(len(self.rows), np.bool_)
        for name, column in zip(self.rows.names, self.rows.columns, strict=True):
            if self.folded and name in names and REST in column.values:
                found |= column.codes == column.values.index(REST)
        return found

    @property
    def currencies(self) -> list[str] | None:
        """All currencies where a row may have several, else None."""
        if CURRENCY in self.rows.names and not self.plan.query.subtotals:
            return None
        recorded = {
            currency
            for line in self.totals.lines()
            for summed in (line.now, line.before)
            if summed
            for currency in summed.layout.recorded(summed.sums)
        }
        return sorted(recorded)

    @property
    def breakdown(self) -> list[Row]:
        """The report's rows of a finer grain, made from the totals of the days asked for."""
        breakdown = self.plan.report.breakdown
        if breakdown is None:
            return []
        return [
            row
            for line in self.totals.lines()
            if any(line.now.sums)
            for row in self._parts(line.now, breakdown)
        ]

    @property
    def formulas(self) -> list[str]:
        """The versioned formulas of the scores in this reply, or of its figures without one."""
        report = self.plan.report
        if any(metric.significant for metric in report.metrics):
            scored = (line.now for line in self.totals.lines() if not line.now.mixed)
            return sorted({name for summed in scored for name in report.family.formulas(summed)})
        return sorted({metric.formula for metric in report.metrics if metric.formula})

    def _parts(self, summed: GroupSums, breakdown: Breakdown) -> Iterator[Row]:
        """A total's rows of a finer grain; counts by score would tell a withheld score."""
        hidden = [metric.name for metric in breakdown.metrics] if summed.too_few else []
        flag: Row = {WITHHELD: summed.too_few} if self.plan.min_sample else {}
        for part in breakdown.rows(summed):
            yield {**summed.group, **part, **dict.fromkeys(hidden), **flag}


def _values(column: Column, rows: Rows, lines: Sequence[ComparedRow]) -> Sequence[Cell]:
    """The cells of one column, of rows and their lines."""
    if column.metric is None:
        return list(map(column.cell, lines))
    hidden = _is_hidden(column.metric, rows)
    if column.metric.measure is not None:
        made = _measured(column.metric.measure, rows)
    elif isinstance(column.metric.compute, OfSums):
        made = _made(column.metric.compute, rows)
    else:
        compute = column.metric.compute
        told = zip(lines, hidden.tolist(), strict=True)
        return [None if is_hidden else compute(line.now) for line, is_hidden in told]
    if not hidden.any():
        return made
    return [
        None if is_hidden else cell for cell, is_hidden in zip(made, hidden.tolist(), strict=True)
    ]


def _is_hidden(metric: Metric, rows: Rows) -> npt.NDArray[np.bool_]:
    """Of each row: is the figure withheld, or would it mean nothing? As of Metric.of."""
    hidden = np.zeros(len(rows), np.bool_)
    if metric.withheld:
        hidden |= rows.now.too_few
    if not metric.of_any_scale:
        hidden |= rows.mixed
    return hidden


def _measured(measure: str, rows: Rows) -> Sequence[Cell]:
    """The sum of a measure in each row; nothing where no table has it."""
    place = rows.layout.places.get(measure)
    found: Sequence[Cell] = rows.now.sums[:, place].tolist() if place is not None else ()
    return found or [None] * len(rows)


def _made(figure: OfSums, rows: Rows) -> Sequence[Cell]:
    """What is made of each row's sums; nothing where one of them is not known."""
    places = [rows.layout.places[name] for name in figure.measures if name in rows.layout.places]
    if len(places) < len(figure.measures):
        return [None] * len(rows)
    return list(map(figure.function, *(rows.now.sums[:, place].tolist() for place in places)))


def _has_order(value: Any) -> bool:
    """False of nothing, and of the several currencies that a subtotal may have."""
    return value is not None and not isinstance(value, Mapping)
