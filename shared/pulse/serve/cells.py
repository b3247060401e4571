"""One tenant-year object in memory: filtered and grouped as columns, never row by row.

Text columns are codes into their values, in the fewest bytes. Of the counts only what is not
zero is kept, since a row is hardly ever more than one response: eleven columns of int64 would
be ten times the size, and ten times the work to add up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pulse import days
from pulse.days import DateRange
from pulse.reports.registry import Family
from pulse.serve.conditions import Filters
from pulse.serve.groups import Groups, check_size

Integers = npt.NDArray[Any]  # of whichever width holds them

_FEW = 2**20  # so many numbers are told apart by a table of them rather than by sorting
_EPOCH_DAY = days.EPOCH.date().toordinal()


@dataclass(frozen=True)
class Column:
    """A dimension: each row's code, and the values by code; the last value is None."""

    codes: Integers
    values: Sequence[str | None]


@dataclass(frozen=True)
class Count:
    """An additive column: which rows have other than zero, and how much."""

    rows: Integers
    amounts: Integers


@dataclass(frozen=True)
class Cells:
    """The rows of one tenant and year; `day` counts from 1970."""

    day: Integers
    columns: Mapping[str, Column]
    counts: Sequence[Count]

    @property
    def nbytes(self) -> int:
        """The memory that the columns take."""
        arrays = [self.day, *(column.codes for column in self.columns.values())]
        for count in self.counts:
            arrays += [count.rows, count.amounts]
        return sum(array.nbytes for array in arrays)

    def group(
        self,
        dates: DateRange,
        filters: Filters,
        dimensions: Sequence[str],
        *,
        granularity: str = "total",
        week_start: str = "monday",
    ) -> Groups:
        """Sums of the rows that the days and filters leave, by period (if any) and dimensions.

        Raises UnprocessableError for more than MOST_GROUPS groups.
        """
        rows = np.flatnonzero(self._holds(dates, filters))
        parts = [self.columns[name] for name in dimensions]
        parts = [Column(part.codes[rows], part.values) for part in parts]
        if granularity != "total":
            parts.insert(0, _periods(self.day[rows], granularity, week_start))
        numbers, members = _number(parts, len(rows))
        check_size(len(members))
        labels = [[part.values[code] for code in part.codes[members].tolist()] for part in parts]
        keys = list(zip(*labels, strict=True)) if labels else [()] * len(members)
        return dict(zip(keys, self._add_up(rows, numbers, len(members)).tolist(), strict=True))

    def _holds(self, dates: DateRange, filters: Filters) -> npt.NDArray[np.bool_]:
        """For each row: is it of these days, and does it pass every filter?"""
        first, last = (day.toordinal() - _EPOCH_DAY for day in (dates.start, dates.end))
        holds: npt.NDArray[np.bool_] = (self.day >= first) & (self.day <= last)
        for name, condition in filters.items():
            column = self.columns[name]
            passes = np.array([condition.holds(value) for value in column.values])
            holds &= passes[column.codes]
        return holds

    def _add_up(self, rows: Integers, numbers: Integers, groups: int) -> npt.NDArray[np.int64]:
        """The counts' sums, one line for each group.

        bincount adds as float64, exact up to 2**53: more responses than anybody has.
        """
        group_of = np.full(len(self.day), groups)  # what is filtered out falls behind the last
        group_of[rows] = numbers
        sums = np.empty((groups, len(self.counts)), np.int64)
        for at, count in enumerate(self.counts):
            sums[:, at] = np.bincount(
                group_of[count.rows], weights=count.amounts, minlength=groups + 1
            )[:groups]
        return sums


def _periods(day: Integers, granularity: str, week_start: str) -> Column:
    """Each row's period, named by its first day."""
    first = int(day.min()) if len(day) else 0
    last = int(day.max()) if len(day) else -1
    starts = [
        days.period_start(date.fromordinal(number + _EPOCH_DAY), granularity, week_start)
        for number in range(first, last + 1)  # of one year, so that few are not there
    ]
    values = sorted(set(starts))
    code_of_day = np.array([values.index(start) for start in starts], np.int64)
    return Column(code_of_day[day - first], [value.isoformat() for value in values])


def _number(parts: Sequence[Column], rows: int) -> tuple[Integers, Integers]:
    """(each row's group number, one row of each group): rows of equal codes share a group."""
    numbers = np.zeros(rows, np.int64)
    size = 1
    for part in parts:
        if size * len(part.values) > 2**62:  # would no longer fit: number what there is so far
            numbers, members = _renumber(numbers, size)
            size = len(members)
        numbers = numbers * len(part.values) + part.codes
        size *= len(part.values)
    return _renumber(numbers, size)


def _renumber(numbers: Integers, size: int) -> tuple[Integers, Integers]:
    """Numbers below `size` as numbers without gaps, and for each of them a row that has it."""
    if size > max(_FEW, 4 * len(numbers)):
        _, members, dense = np.unique(numbers, return_index=True, return_inverse=True)
        return dense, members
    row_of = np.full(size, -1, np.int64)
    row_of[numbers] = np.arange(len(numbers))
    present = np.flatnonzero(row_of >= 0)
    members = row_of[present]
    row_of[present] = np.arange(len(present))
    return row_of[numbers], members


# -- from Parquet: arrays leave Arrow by DLPack, because to_numpy(), fill_null() and whatever else
#    turns a Python value into an Arrow one import pandas where it is installed


def read(body: bytes, family: Family) -> Cells:
    """The cells of one object as build_reports writes it."""
    names = list(family.dimension_names)
    file = pq.ParquetFile(pa.BufferReader(body), read_dictionary=names)
    table = file.read(columns=[*names, "day"]).unify_dictionaries()
    return Cells(
        day=_integers(table, "day", pa.int32()),
        columns={name: _column(table.column(name)) for name in names},
        # one at a time: all of them together would be most of the memory that reading takes
        counts=[
            _count(_integers(file.read(columns=[name]), name, pa.int64())) for name in family.counts
        ],
    )


def _integers(table: pa.Table, name: str, kind: pa.DataType) -> Integers:
    return _numbers(table.column(name).cast(kind).combine_chunks())


def _numbers(array: Any) -> Integers:
    """An array of integers without nulls, not copied."""
    return np.from_dlpack(array)


def _column(chunked: Any) -> Column:  # a ChunkedArray of dictionaries, which the stubs lack
    values = chunked.chunk(0).dictionary.to_pylist() if chunked.num_chunks else []
    codes = [_codes(chunk.indices, len(values)) for chunk in chunked.chunks]
    joined = np.concatenate(codes) if codes else np.empty(0, np.int32)
    return Column(joined.astype(np.min_scalar_type(len(values))), [*values, None])


def _codes(indices: Any, none: int) -> Integers:
    """The codes of one chunk, with `none` where it has a null."""
    codes = np.full(len(indices), none, np.int32)
    is_valid = _numbers(indices.is_valid().cast(pa.uint8())) == 1
    codes[is_valid] = _numbers(indices.drop_null())
    return codes


def _count(amounts: Integers) -> Count:
    rows = np.flatnonzero(amounts)
    kept = amounts[rows]
    most = int(kept.max()) if len(kept) else 0
    return Count(
        rows.astype(np.min_scalar_type(len(amounts))), kept.astype(np.min_scalar_type(most))
    )
