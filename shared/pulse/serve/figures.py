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
from pulse.reports.declarations import (
    CURRENCY,
    Breakdown,
    GroupSums,
    Metric,
    OfAmounts,
    OfSums,
)
from pulse.reports.metrics import Quotient
from pulse.serve.columns import LEVEL, PARTIAL, WITHHELD, Cell, Column, name_column
from pulse.serve.compare import Rows
from pulse.serve.encoding import Integers, ranks
from pulse.serve.folding import Folded
from pulse.serve.formats import Written, json_texts, to_json
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
        for values in self._by_column(rows, written=True):
            yield from json_texts(self._names, values)

    @property
    def _names(self) -> list[str]:
        return [column.name for column in self.columns]

    def _by_column(self, rows: Rows, *, written: bool = False) -> Iterator[list[Sequence[Cell]]]:
        """The cells of each column, of so many rows at once; `written` ones as far as may be."""
        for some in rows.batches(_AT_ONCE):
            yield [_values(column, some, written=written) for column in self.columns]

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
                for value in _values(column, some)
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


def _values(column: Column, rows: Rows, *, written: bool = False) -> Sequence[Cell]:
    """The cells of one column; `written` ones if they are made of whole columns of sums."""
    if column.metric is not None:
        return _figures(column.metric, rows, written=written)
    if column.kind in ("period", "dimension"):
        return rows.labels(column.name)
    if column.name == PARTIAL:
        return [one.partial if one else None for one in rows.coverage]
    return list(map(column.cell, rows.lines()))


def _figures(metric: Metric, rows: Rows, *, written: bool) -> Sequence[Cell]:
    """A metric's figures; `written` ones if they are made of whole columns of sums."""
    compute, is_shown = metric.compute, _is_shown(metric, rows)
    if metric.measure is not None and is_shown.all():
        return _measured(metric.measure, rows)
    if isinstance(compute, OfSums):
        return (_written if written else _made)(compute, rows, is_shown)
    if isinstance(compute, OfAmounts) and written and CURRENCY not in rows.names:
        return _written_amounts(compute, rows, is_shown)
    lines = zip(rows.lines(), is_shown.tolist(), strict=True)
    return [compute(line.now) if shown else None for line, shown in lines]


def _is_shown(metric: Metric, rows: Rows) -> npt.NDArray[np.bool_]:
    """Of each row: is the figure neither withheld nor without a meaning? As of Metric.of."""
    shown = np.ones(len(rows), np.bool_)
    if metric.withheld:
        shown &= ~rows.now.too_few
    if not metric.of_any_scale:
        shown &= ~rows.mixed
    return shown


def _measured(measure: str, rows: Rows) -> Sequence[Cell]:
    """The sum of a measure in each row; nothing where no table has it."""
    place = rows.layout.places.get(measure)
    found: Sequence[Cell] = rows.now.sums[:, place].tolist() if place is not None else ()
    return found or [None] * len(rows)


def _made(figure: OfSums, rows: Rows, is_shown: npt.NDArray[np.bool_]) -> Sequence[Cell]:
    """What is made of the sums of each row that is shown; nothing where one is not known."""
    shown = figure.kind.shown
    return [
        None if number is None else shown(number) for number in _numbers(figure, rows, is_shown)
    ]


def _written(figure: OfSums, rows: Rows, is_shown: npt.NDArray[np.bool_]) -> Written:
    """The same as JSON."""
    written = figure.kind.written
    return Written(
        "null" if number is None else written(number) for number in _numbers(figure, rows, is_shown)
    )


def _written_amounts(figure: OfAmounts, rows: Rows, is_shown: npt.NDArray[np.bool_]) -> Written:
    """Each row's amounts by currency as JSON, of the currencies in which anything was recorded."""
    layout, written = rows.layout, figure.kind.written
    found: list[list[str]] = [[] for _ in range(len(rows))]
    for currency, first in layout.currency_places.items():
        places = [first + layout.by_currency.index(name) for name in figure.by_currency]
        its_sums = rows.now.sums[:, first : first + len(layout.by_currency)]
        is_recorded = is_shown & (its_sums != 0).any(axis=1)
        name = to_json(currency)
        for amounts, number in zip(
            found, _told(figure.kind, rows, places, is_recorded), strict=True
        ):
            if number is not None:
                amounts.append(f"{name}:{written(number)}")
    return Written(f"{{{','.join(amounts)}}}" if amounts else "null" for amounts in found)


def _numbers(figure: OfSums, rows: Rows, is_shown: npt.NDArray[np.bool_]) -> Iterator[int | None]:
    """The whole numbers that stand for each row's figure."""
    places = [rows.layout.places[name] for name in figure.measures if name in rows.layout.places]
    if len(places) < len(figure.measures):
        return iter([None] * len(rows))
    return _told(figure.kind, rows, places, is_shown)


def _told(
    kind: Quotient[Any], rows: Rows, places: Sequence[int], is_shown: npt.NDArray[np.bool_]
) -> Iterator[int | None]:
    """The numbers of the figures of the sums at these places, of the rows that show one."""
    made = kind.of_many(*(rows.now.sums[:, place] for place in places))
    return (
        number if is_told and shown else None
        for number, is_told, shown in zip(*made, is_shown.tolist(), strict=True)
    )


def _has_order(value: Any) -> bool:
    """False of nothing, and of the several currencies that a subtotal may have."""
    return value is not None and not isinstance(value, Mapping)
