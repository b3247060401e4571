"""One object of a part in memory: filtered and grouped as columns, never row by row.

Text columns are codes into their values, in the fewest bytes. Of the counts only what is not
zero is kept, since a row is hardly ever more than one response: eleven columns of int64 would
be ten times the size, and ten times the work to add up. Sums are exact: what could outgrow the
float64 that adds it up is kept in several columns, by its bits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pulse import days, lake
from pulse.filters import Filters
from pulse.reports.declarations import PERIOD, Label
from pulse.serve.encoding import Encoded, Integers, number
from pulse.serve.groups import Groups, check_size

EPOCH_DAY = days.EPOCH.date().toordinal()
_NO_DAY = np.iinfo(np.int32).min


@dataclass(frozen=True)
class SparseColumn:
    """An additive column's bits from `shift` on: which rows have any, and their amounts.

    Where many rows have some, they are a slice, in which others have zeros. The amounts' sum is
    below 2**53, up to which float64 counts.
    """

    rows: Integers | slice
    amounts: Integers
    shift: int = 0

    @property
    def nbytes(self) -> int:
        """The memory that it takes."""
        rows = 0 if isinstance(self.rows, slice) else self.rows.nbytes
        return rows + self.amounts.nbytes


ShownOn = Callable[[date], date]
"""On which day what happened on a day is shown: days.DateRange.shown_on."""


def _itself(day: date) -> date:
    return day


Fold = Callable[[Sequence[str], Sequence[Encoded]], Sequence[Encoded]]
"""Makes the columns of these names have fewer values: one value may stand for many."""


@dataclass(frozen=True)
class Apart:
    """Measures that are also added up for each of a dimension's values: money by its currency."""

    dimension: str
    values: Sequence[Label]
    measures: Sequence[str]


class Columns(Protocol):
    """The dimensions of an object by name."""

    def __getitem__(self, name: str) -> Encoded: ...

    def __contains__(self, name: str) -> bool: ...

    @property
    def nbytes(self) -> int:
        """The memory that they take."""
        ...


class Counts(Protocol):
    """What the rows of an object count, by measure."""

    def of(self, names: Sequence[str], rows: Integers | slice) -> Sequence[Sequence[SparseColumn]]:
        """The columns of these measures; what they lack is of other rows than these."""
        ...

    @property
    def nbytes(self) -> int:
        """The memory that they take."""
        ...


@dataclass(frozen=True)
class CountsInMemory:
    """Columns by measure, each of all rows; a measure that is not there is zero throughout."""

    columns: Mapping[str, Sequence[SparseColumn]]

    def of(self, names: Sequence[str], rows: Integers | slice) -> Sequence[Sequence[SparseColumn]]:
        """The columns of these measures."""
        return [self.columns.get(name, ()) for name in names]

    @property
    def nbytes(self) -> int:
        """The memory that they take."""
        return sum(column.nbytes for columns in self.columns.values() for column in columns)


@dataclass(frozen=True)
class Block:
    """Rows of one table, tenant and year; `day` counts from 1970.

    Methods take the days whose rows count, None for all rows. In a roll-up by month a row's day is
    the first of its month.
    """

    table: lake.DailyTable
    day: Integers
    columns: Columns
    counts: Counts

    @property
    def nbytes(self) -> int:
        """The memory that the columns take."""
        return self.day.nbytes + self.columns.nbytes + self.counts.nbytes

    def group(
        self,
        dates: Iterable[date] | None,
        filters: Filters,
        dimensions: Sequence[str],
        *,
        granularity: str = "day",
        week_start: str = "monday",
        shown_on: ShownOn = _itself,
        fold: Fold | None = None,
        measures: Sequence[str] | None = None,
        apart: Apart | None = None,
    ) -> Groups:
        """Sums of the rows that the days and filters leave, by dimensions; `period` may be one.

        It is that of the day that a row's day is `shown_on`. Rows whose values `fold` makes one are
        one group. The sums are those of all measures, or of these, and behind them for each of its
        values those that are told `apart`. Raises TooManyGroupsError for more than MOST_GROUPS
        groups.
        """
        rows, columns = self._selected(
            dates, filters, dimensions, granularity, week_start, shown_on
        )
        if fold:
            columns = fold(dimensions, columns)
        numbers, members = number(columns, len(self.day[rows]))
        check_size(len(members), len(apart.values) * len(apart.measures) if apart else 0)
        counts = self.counts.of(self.table.measures if measures is None else measures, rows)
        group_of = self._group_of(rows, numbers, len(members))
        sums = [_sums(sparse, group_of, len(members)) for sparse in counts]
        if apart:
            sums += self._apart(apart, rows, group_of, len(members))
        return Groups([column.take(members) for column in columns], _side_by_side(sums))

    def _apart(
        self, apart: Apart, rows: Integers | slice, group_of: Integers, groups: int
    ) -> list[Integers]:
        """The sums in each group that are told apart: for each value those of each measure."""
        column = self.columns[apart.dimension]
        place = {value: at for at, value in enumerate(apart.values)}
        values = len(place)
        places = np.array([place.get(value, values) for value in column.values], np.int64)
        cell_of = group_of * (values + 1) + places[column.codes]
        cells = groups * (values + 1)
        found = [_sums(s, cell_of, cells) for s in self.counts.of(apart.measures, rows)]
        return [sums[at :: values + 1] for at in range(values) for sums in found]

    def only(self, dates: Iterable[date] | None, filters: Filters) -> "Block":
        """The rows of these days that pass the filters, as a block: for many questions about few.

        Columns are taken as they are asked for.
        """
        rows = self._rows(dates, filters)
        return self if isinstance(rows, slice) else self._taken(rows)

    def by_day_of(self, name: str) -> "Block":
        """The rows that have a value of a dimension which names days (YYYY-MM-DD), on that day."""
        column = self.columns[name]
        day_of = np.array([_numbered(value) for value in column.values], np.int32)
        found = day_of[column.codes]
        rows = np.flatnonzero(found != _NO_DAY)
        return replace(self._taken(rows), day=found[rows])

    def has(self, dates: Iterable[date] | None, name: str, value: str) -> bool:
        """Is there a row of these days with this value of a dimension?"""
        return value in self.columns[name].values and value in self.values(dates, name)

    def values(self, dates: Iterable[date] | None, name: str) -> set[Label]:
        """The values that a dimension has in the rows of these days."""
        column = self.columns[name]
        is_present = np.zeros(len(column.values), np.bool_)
        is_present[column.codes[self._rows(dates, {})]] = True
        return {column.values[code] for code in np.flatnonzero(is_present).tolist()}

    def sizes(
        self,
        dates: Iterable[date] | None,
        filters: Filters,
        dimensions: Sequence[str],
        *,
        granularity: str = "day",
        week_start: str = "monday",
        shown_on: ShownOn = _itself,
    ) -> tuple[Sequence[Encoded], Integers]:
        """The same groups, however many, as columns, and how many events each of them stands for.

        No group is made an object of its own: a million of them take some megabytes.
        """
        rows, columns = self._selected(
            dates, filters, dimensions, granularity, week_start, shown_on
        )
        numbers, members = number(columns, len(self.day[rows]))
        group_of = self._group_of(rows, numbers, len(members))
        sizes = np.zeros(len(members), np.int64)
        for sparse in self.counts.of(self.table.counted, rows):
            for column in sparse:
                sizes += _added(column, group_of, len(members)) << column.shift
        return [column.take(members) for column in columns], sizes

    def _taken(self, rows: Integers) -> "Block":
        """These rows as a block."""
        place: Integers = np.full(len(self.day), -1, np.int64)
        place[rows] = np.arange(len(rows))
        names = self.table.measures
        counts = {
            name: [_only(column, place) for column in sparse]
            for name, sparse in zip(names, self.counts.of(names, rows), strict=True)
        }
        columns = _Taken(self.columns, rows)
        return Block(self.table, self.day[rows], columns, CountsInMemory(counts))

    def _selected(
        self,
        dates: Iterable[date] | None,
        filters: Filters,
        dimensions: Sequence[str],
        granularity: str,
        week_start: str,
        shown_on: ShownOn,
    ) -> tuple[Integers | slice, Sequence[Encoded]]:
        """The rows that the days and filters leave, and their columns."""
        rows = self._rows(dates, filters)
        return rows, [
            _periods(self.day[rows], granularity, week_start, shown_on)
            if name == PERIOD
            else self.columns[name].take(rows)
            for name in dimensions
        ]

    def _rows(self, dates: Iterable[date] | None, filters: Filters) -> Integers | slice:
        """The places of the rows that are of these days and pass every filter, in order.

        What few values pass is asked first: what comes next looks at the rows alone that are left.
        """
        narrowing = []
        for name, condition in filters.items():
            column = self.columns[name]
            passes = np.array([condition.holds(value) for value in column.values], np.bool_)
            if not passes.all():
                narrowing.append((passes.mean(), passes, column.codes))
        rows: Integers | slice = slice(None)
        for _, passes, codes in sorted(narrowing, key=lambda one: one[0]):
            rows = _narrowed(rows, passes[codes[rows]])
        return rows if dates is None else _narrowed(rows, _of_days(self.day[rows], dates))

    def _group_of(self, rows: Integers | slice, numbers: Integers, groups: int) -> Integers:
        """Each row's group; what is filtered out falls behind the last."""
        if len(numbers) == len(self.day):
            return numbers
        group_of: Integers = np.full(len(self.day), groups, numbers.dtype)
        group_of[rows] = numbers
        return group_of


def _numbered(value: Label) -> int:
    """A day's number, counted from 1970."""
    return date.fromisoformat(value).toordinal() - EPOCH_DAY if isinstance(value, str) else _NO_DAY


@dataclass(frozen=True)
class _Taken:
    """Some of the rows of columns."""

    columns: Columns
    rows: Integers
    taken: dict[str, Encoded] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Encoded:
        if name not in self.taken:
            self.taken[name] = self.columns[name].take(self.rows)
        return self.taken[name]

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    @property
    def nbytes(self) -> int:
        """The memory that the columns taken so far need."""
        return sum(column.codes.nbytes for column in self.taken.values())


def _narrowed(rows: Integers | slice, holds: npt.NDArray[np.bool_]) -> Integers | slice:
    """Those of the rows of which it holds."""
    if holds.all():
        return rows
    kept = np.flatnonzero(holds)
    return kept if isinstance(rows, slice) else rows[kept]


def _only(column: SparseColumn, place: Integers) -> SparseColumn:
    """The column of some rows, whose new places are given; -1 of all others."""
    places = place[column.rows]
    kept = places >= 0
    return SparseColumn(places[kept], column.amounts[kept], column.shift)


def _of_days(day: Integers, dates: Iterable[date]) -> npt.NDArray[np.bool_]:
    """For each row: is its day among these?"""
    wanted = {found.toordinal() - EPOCH_DAY for found in dates}
    if not len(day) or not wanted:
        return np.zeros(len(day), np.bool_)
    low, high = int(day.min()), int(day.max())
    first, last = min(wanted), max(wanted)
    if last - first + 1 == len(wanted):  # as mostly; quicker than a table
        return (day >= first) & (day <= last)
    is_wanted = np.zeros(high - low + 1, np.bool_)
    is_wanted[[number - low for number in wanted if low <= number <= high]] = True
    found: npt.NDArray[np.bool_] = is_wanted[day - low]
    return found


def _side_by_side(measures: Sequence[Integers]) -> Integers:
    """The measures' sums, a line for each group."""
    sums: Integers = np.empty((len(measures[0]), len(measures)), np.result_type(*measures))
    for at, measure in enumerate(measures):
        sums[:, at] = measure
    return sums


def _sums(columns: Sequence[SparseColumn], group_of: Integers, groups: int) -> Integers:
    """A measure's sum in each group: Python's integers where one may be beyond 64 bits."""
    found = [(_added(column, group_of, groups), column.shift) for column in columns]
    reach = sum(int(np.abs(added).max(initial=0)) << shift for added, shift in found)
    sums: Integers = np.zeros(groups, np.int64 if reach < 2**63 else np.object_)
    for added, shift in found:
        sums += added.astype(sums.dtype) << shift
    return sums


def _added(column: SparseColumn, group_of: Integers, groups: int) -> Integers:
    """The column's sum in each group."""
    weights = column.amounts
    sums = np.bincount(group_of[column.rows], weights=weights, minlength=groups)[:groups]
    return sums.astype(np.int64)


def _periods(day: Integers, granularity: str, week_start: str, shown_on: ShownOn) -> Encoded:
    """Each row's period, named by its first day."""
    first = int(day.min()) if len(day) else 0
    last = int(day.max()) if len(day) else -1
    starts = [
        days.period_start(shown_on(date.fromordinal(number + EPOCH_DAY)), granularity, week_start)
        for number in range(first, last + 1)  # of one year, so that few are not there
    ]
    values = sorted(set(starts))
    code = {start: place for place, start in enumerate(values)}
    code_of_day = np.array([code[start] for start in starts], np.int64)
    return Encoded(code_of_day[day - first], [value.isoformat() for value in values])
