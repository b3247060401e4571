"""From aggregated groups to rows: both sides beside each other, subtotals and totals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pulse.reports.declarations import ALL, PERIOD, TENANT, GroupSums, Label, Value
from pulse.reports.sums import Layout
from pulse.serve.aggregate import Aggregate
from pulse.serve.columns import ComparedRow, Coverage
from pulse.serve.coverage import Covered
from pulse.serve.encoding import Encoded, Integers, keys, number, ranks, summed
from pulse.serve.folding import times_computed
from pulse.serve.groups import Groups, Key, check_size, levels, lined_up, nothing
from pulse.serve.plan import Plan

_NO_FIGURES: Mapping[str, Value] = {}


@dataclass(frozen=True)
class RangeSums:
    """Of each row the sums of one range of days: the one asked for, or the one compared with.

    `whole` is the number of answers that the row's share refers to, `among` the figures by row that
    took all rows at once.
    """

    sums: Integers
    whole: Integers
    too_few: Integers
    among: Mapping[Key, Mapping[str, Value]] = field(default_factory=dict)

    def take(self, rows: Integers) -> "RangeSums":
        """These rows of the side."""
        return RangeSums(self.sums[rows], self.whole[rows], self.too_few[rows], self.among)


@dataclass(frozen=True)
class Rows:
    """The rows of a reply before figures are worked out, in columns.

    `lengths` says of each row how many of its columns it tells: subtotals leave the last ones out,
    whose code is then -1. The shortest may have `least`. `covered` tells which periods are whole.
    """

    names: Sequence[str]
    columns: Sequence[Encoded]
    lengths: Integers
    least: int
    layout: Layout
    covered: Covered
    now: RangeSums
    before: RangeSums | None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def levels(self) -> Integers:
        """How many of the dimensions asked for each row tells."""
        return self.lengths - self.least

    @property
    def mixed(self) -> Integers:
        """Of each row: are its answers on different scales? As of GroupSums.mixed."""
        found: Integers = np.zeros(len(self), np.bool_)
        for name, column in zip(self.names, self.columns, strict=True):
            if name == "metric" and ALL in column.values:
                found = column.codes == column.values.index(ALL)
        return found

    def take(self, rows: Integers) -> "Rows":
        """These of the rows, in this order."""
        return Rows(
            self.names,
            [column.take(rows) for column in self.columns],
            self.lengths[rows],
            self.least,
            self.layout,
            self.covered,
            self.now.take(rows),
            self.before.take(rows) if self.before else None,
        )

    def batches(self, rows: int) -> Iterator["Rows"]:
        """The rows in their order, so many at once."""
        for first in range(0, len(self), rows):
            yield self.take(np.arange(first, min(first + rows, len(self))))

    def labels(self, name: str) -> list[Label]:
        """Each row's value of a column; None where it tells none."""
        if name not in self.names:
            return [None] * len(self)
        column = self.columns[self.names.index(name)]
        values = [*column.values, None]
        return [values[code] for code in column.codes.tolist()]

    @property
    def coverage(self) -> list[Coverage | None]:
        """How much of its period each row tells."""
        return list(map(self.covered.of, self.labels(TENANT.name), self.labels(PERIOD)))

    def lines(self) -> list[ComparedRow]:
        """What the figures of each row are computed from that no column tells by itself."""
        return self._lines

    @cached_property
    def _lines(self) -> list[ComparedRow]:
        groups = [
            dict(zip(self.names, key[:length], strict=False))
            for key, length in zip(
                keys(self.columns, len(self)), self.lengths.tolist(), strict=True
            )
        ]
        now = self._summed(groups, self.now)
        before = self._summed(groups, self.before) if self.before else [None] * len(self)
        return list(map(ComparedRow, now, before, self.levels.tolist(), self.coverage))

    def _summed(self, groups: Sequence[dict[str, Label]], side: RangeSums) -> list[GroupSums]:
        return [
            GroupSums(
                group,
                sums,
                whole,
                too_few,
                self.layout,
                side.among.get(tuple(group.values()), _NO_FIGURES) if side.among else _NO_FIGURES,
            )
            for group, sums, whole, too_few in zip(
                groups,
                side.sums.tolist(),
                side.whole.tolist(),
                side.too_few.tolist(),
                strict=True,
            )
        ]


def compare(plan: Plan, found: Aggregate) -> Rows:
    """The rows of the reply, in no order. Raises TooManyGroupsError for more than can be told."""
    least = plan.required.stop
    sides = [found.now, found.before] if found.before is not None else [found.now]
    lined = lined_up(found.rows, sides)
    tables = levels(lined, least) if plan.query.subtotals else [lined]
    rows = _below_each_other(plan, found.layout, tables)
    check_size(len(rows), times=times_computed(plan.query))
    return rows


def totals(plan: Plan, found: Aggregate) -> Rows:
    """A row for each combination of required dimensions that was counted, in order."""
    names = plan.report.family.required
    sides = [found.now.by(plan.required)]
    if found.before is not None:
        sides.append(found.before.by(plan.required))
    groups = lined_up(nothing(len(names)), sides)
    by_value = [ranks(column.values)[column.codes] for column in groups.columns]
    if by_value:
        groups = groups.take(np.lexsort(by_value[::-1]))
    now, *before = (_total(plan, found.layout, sums) for sums in _sides(found.layout, groups))
    return Rows(
        names,
        groups.columns,
        np.full(len(groups), len(names)),
        len(names),
        found.layout,
        Covered(plan),
        now,
        before[0] if before else None,
    )


def _below_each_other(plan: Plan, layout: Layout, tables: Sequence[Groups]) -> Rows:
    """The rows of every level."""
    made = [_level(plan, layout, table) for table in tables]
    full = tables[0].columns
    columns = []
    for at, column in enumerate(full):
        codes = [
            table.columns[at].codes if at < len(table.columns) else np.full(len(table), -1)
            for table in tables
        ]
        columns.append(Encoded(np.concatenate(codes), column.values))
    now, *before = (_side_of(sides) for sides in zip(*made, strict=True))
    lengths = np.concatenate([np.full(len(table), len(table.columns)) for table in tables])
    return Rows(
        plan.query.group_by,
        columns,
        lengths,
        plan.required.stop,
        layout,
        Covered(plan),
        now,
        before[0] if before else None,
    )


def _side_of(levels: Sequence[RangeSums]) -> RangeSums:
    if len(levels) == 1:
        return levels[0]
    return RangeSums(
        np.concatenate([side.sums for side in levels]),
        np.concatenate([side.whole for side in levels]),
        np.concatenate([side.too_few for side in levels]),
    )


def _level(plan: Plan, layout: Layout, table: Groups) -> list[RangeSums]:
    """The sides of the rows that tell the same columns."""
    within = [column for at, column in enumerate(table.columns) if at in plan.frame]
    by_count = plan.report.by_count
    sampled = [
        column
        for name, column in zip(plan.query.group_by, table.columns, strict=False)
        if by_count is None or name != by_count.name
    ]
    found = []
    for sums in _sides(layout, table):
        sizes = _sizes(layout, sums)
        sample = sizes if len(sampled) == len(table.columns) else _added_within(sampled, sizes)
        too_few = _is_too_few(plan, sample)
        found.append(RangeSums(sums, _added_within(within, sizes), too_few))
    return found


def _total(plan: Plan, layout: Layout, sums: Integers) -> RangeSums:
    sizes = _sizes(layout, sums)
    return RangeSums(sums, sizes, _is_too_few(plan, sizes))


def _sides(layout: Layout, table: Groups) -> list[Integers]:
    """The sums of the days asked for, and of those compared with if there are any."""
    width = layout.width
    return [table.sums[:, at : at + width] for at in range(0, table.sums.shape[1], width)]


def _sizes(layout: Layout, sums: Integers) -> Integers:
    """How many events each line of sums stands for."""
    sizes: Integers = sums[:, list(layout.counted)].astype(np.int64).sum(axis=1)
    return sizes


def _added_within(columns: Sequence[Encoded], sizes: Integers) -> Integers:
    """For each row the sum over all rows that have the same values in these columns."""
    numbers, members = number(columns, len(sizes))
    found: Integers = summed(numbers, sizes, len(members))[numbers]
    return found


def _is_too_few(plan: Plan, sample: Integers) -> Integers:
    found: Integers = (sample > 0) & (sample < plan.min_sample)
    return found
