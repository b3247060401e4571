"""From groups of sums to the rows of a reply: metrics, totals, breakdown and order.

Metrics are computed for the rows that are shown, and for those that are ordered by one.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

from pulse.lake import REST
from pulse.reports.declarations import CURRENCY, Breakdown, Facts, Family, Report
from pulse.reports.sums import Layout, Sums
from pulse.serve.columns import WITHHELD, Cell, Column, Line, by_currency
from pulse.serve.groups import Groups, Key, added, apart, is_rest, period_place, with_subtotals
from pulse.serve.query import Order

Row = dict[str, Cell]


@dataclass(frozen=True)
class Side:
    """The sums of one range of days: the one asked for, or the one it is compared with.

    `group_by` names the parts of the groups' keys, `layout` their sums. Below `min_sample`
    answers, figures that tell how somebody was judged are withheld (0: none is).
    """

    report: Report
    group_by: Sequence[str]
    layout: Layout
    groups: Groups
    subtotals: bool = False
    min_sample: int = 0

    def facts(self, key: Key) -> Facts:
        """What a row's metrics are computed from; nothing was counted of an unknown key."""
        group = dict(zip(self.group_by, key, strict=False))  # the key of a subtotal is shorter
        whole = self._wholes.get(self._frame_of(key), 0)
        too_few = self._is_too_few(self._sample(key))
        return Facts(group, self._sums_of(key), whole, too_few, self.layout)

    def total(self, key: Key) -> Facts:
        """The facts of one of the totals."""
        sums = self.totals.get(key, self._nothing)
        size = self.layout.size(sums)
        group = dict(zip(self.report.family.apart, key, strict=True))
        return Facts(group, sums, size, self._is_too_few(size), self.layout)

    @cached_property
    def totals(self) -> Groups:
        """The sums of each combination of the dimensions that are kept apart."""
        return added((key[self._apart], sums) for key, sums in self.groups.items())

    @cached_property
    def _apart(self) -> slice:
        return apart(self.report, self.group_by)

    # -- sums, and what shares refer to

    @cached_property
    def _nothing(self) -> Sums:
        return [0] * self.layout.width

    @cached_property
    def _sums(self) -> Groups:
        return with_subtotals(self.groups, self._apart.stop) if self.subtotals else self.groups

    @cached_property
    def _frame(self) -> tuple[int, ...]:
        """Where in a key the values stand within which shares and changes are told."""
        period = period_place(self.group_by)
        places = range(self._apart.start, self._apart.stop)
        return tuple(places) if period is None else tuple(sorted({period, *places}))

    def _frame_of(self, key: Key) -> Key:
        """These values of a row; a subtotal may leave some out."""
        if self._frame_leads:
            return key[: len(self._frame)]
        return tuple(key[place] for place in self._frame if place < len(key))

    @cached_property
    def _frame_leads(self) -> bool:
        """True where they are a key's first ones, as they mostly are: that is quicker told."""
        return self._frame == tuple(range(len(self._frame)))

    @cached_property
    def _wholes(self) -> Mapping[Key, int]:
        """What each frame counts, also those of subtotals that leave some of it out."""
        lengths = {self._apart.stop, *(p + 1 for p in self._frame if p >= self._apart.stop)}
        wholes: Counter[Key] = Counter()
        for key, sums in self.groups.items():
            size = self.layout.size(sums)
            for length in lengths:
                wholes[self._frame_of(key[:length])] += size
        return wholes

    def _sums_of(self, key: Key) -> Sums:
        return self._sums.get(key, self._nothing)

    def _size(self, groups: Groups, key: Key) -> int:
        return self.layout.size(groups.get(key, self._nothing))

    # -- samples

    def _is_too_few(self, size: int) -> bool:
        return 0 < size < self.min_sample

    def _sample(self, key: Key) -> int:
        """How many answers a row judges by: those of all counts where it tells a single one."""
        whole = self._sampled(key)
        return self._size(self._sums if whole == key else self._samples, whole)

    def _sampled(self, key: Key) -> Key:
        """The key without the position of a count."""
        if self.report.by_count is None:
            return key
        place = self.group_by.index(self.report.by_count.name)
        return (*key[:place], *key[place + 1 :])

    @cached_property
    def _samples(self) -> Groups:
        if not self.min_sample:
            return {}
        pairs = ((self._sampled(key), key, sums) for key, sums in self._sums.items())
        return added((whole, sums) for whole, key, sums in pairs if whole != key)


@dataclass(frozen=True)
class Folded:
    """How many of how many groups have been kept; the others are summed up under REST."""

    kept: int
    total: int


@dataclass(frozen=True)
class Figures:
    """A report's rows, each made when it is asked for; `keys` are those of all rows.

    `left_out` are the counts that no figure is made of, by what the family keeps apart.
    """

    now: Side
    before: Side | None
    keys: Collection[Key]
    columns: Sequence[Column]
    left_out: Groups = field(default_factory=dict)
    folded: Folded | None = None

    def rows(self, keys: Sequence[Key], start: int) -> Iterator[Row]:
        """The rows of these keys from a position on."""
        for key in islice(keys, start, None):
            yield self._row(self._line(key))

    def ordered(self, order_by: Sequence[Order]) -> list[Key]:
        """Every key: by its columns in order, None last; before that, as `order_by` says.

        A subtotal comes before its groups. Where an order is turned around, rows without a value
        still come last, and behind them those of groups that have been folded.
        """
        keys = sorted(self.keys, key=_rank_folded if self.folded else _rank)
        for order in reversed(order_by):  # sorting is stable: the first order prevails
            self._sort(keys, order)
        return keys

    def _sort(self, keys: list[Key], order: Order) -> None:
        column = next(column for column in self.columns if column.name == order.column)
        values: dict[Key, Any] = {key: column.cell(self._line(key)) for key in keys}
        folded = {key for key in keys if self._is_rest(key, values[key], column)}
        given = [key for key in keys if _has_order(values[key]) and key not in folded]
        given.sort(key=lambda key: values[key], reverse=order.descending)
        others = [key for key in keys if not _has_order(values[key]) and key not in folded]
        keys[:] = given + others + [key for key in keys if key in folded]

    def _is_rest(self, key: Key, value: Any, column: Column) -> bool:
        """Is the row's cell in this column the value or a figure of folded groups?"""
        if self.folded is None:
            return False
        return value == REST if column.name in self.now.group_by else is_rest(key)

    @property
    def flat(self) -> "Figures":
        """The same figures, with a column for each currency where a row may have several."""
        if CURRENCY in self.now.group_by and not self.now.subtotals:
            return self
        recorded = {
            currency
            for side in self._sides
            for sums in side.totals.values()
            for currency in side.layout.recorded(sums)
        }
        columns = [flat for one in self.columns for flat in by_currency(one, sorted(recorded))]
        return replace(self, columns=columns)

    @property
    def totals(self) -> list[Row]:
        """One row for each combination of the dimensions that are kept apart."""
        return [self._row(line) for line in self._totals]

    @property
    def breakdown(self) -> list[Row]:
        """The report's rows of a finer grain, made from the totals of the days asked for."""
        breakdown = self.now.report.breakdown
        if breakdown is None:
            return []
        return [
            row
            for line in self._totals
            if any(line.now.sums)
            for row in self._parts(line.now, breakdown)
        ]

    @property
    def formulas(self) -> list[str]:
        """The versioned formulas of the scores in this reply, or of its figures without one."""
        report = self.now.report
        if any(metric.significant for metric in report.metrics):
            scored = (line.now for line in self._totals if not line.now.mixed)
            return sorted({name for facts in scored for name in report.family.formulas(facts)})
        return sorted({metric.formula for metric in report.metrics if metric.formula})

    # -- one row

    def _row(self, line: Line) -> Row:
        return {column.name: column.cell(line) for column in self.columns}

    def _line(self, key: Key) -> Line:
        return Line(
            self.now.facts(key),
            self.before.facts(key) if self.before else None,
            level=len(key) - apart(self.now.report, self.now.group_by).stop,
        )

    def _parts(self, facts: Facts, breakdown: Breakdown) -> Iterator[Row]:
        """A total's rows of a finer grain; counts by score would tell a withheld score."""
        hidden = [metric.name for metric in breakdown.metrics] if facts.too_few else []
        flag: Row = {WITHHELD: facts.too_few} if self.now.min_sample else {}
        for part in breakdown.rows(facts):
            yield {**facts.group, **part, **dict.fromkeys(hidden), **flag}

    @property
    def _sides(self) -> list[Side]:
        return [self.now, self.before] if self.before else [self.now]

    @cached_property
    def _totals(self) -> list[Line]:
        keys = {key for side in self._sides for key in side.totals}
        return [
            Line(self.now.total(key), self.before.total(key) if self.before else None)
            for key in sorted(keys, key=_rank)
        ]


def _has_order(value: Any) -> bool:
    """False of nothing, and of the several currencies that a subtotal may have."""
    return value is not None and not isinstance(value, Mapping)


def _rank(key: Key) -> list[tuple[bool, Any]]:
    """By each part of a key in turn, None last; a column's values are all text or all numbers."""
    return [(part is None, "" if part is None else part) for part in key]


def _rank_folded(key: Key) -> list[tuple[bool, bool, Any]]:
    """The same, with folded groups after None."""
    return [(part == REST, part is None, "" if part is None else part) for part in key]


def min_sample(kind: str, threshold: int, family: Family, asked: Collection[str]) -> int:
    """The fewest answers whose figures a key may see where these dimensions are asked for.

    0 where all may be seen: docs/metrics.md withholds persons' scores from report keys alone.
    """
    persons = {dimension.name for dimension in family.dimensions if dimension.a_person}
    return threshold if kind == "report" and persons & set(asked) else 0
