"""One tenant-year object in memory: filtered and grouped as columns, never row by row.

Text columns are codes into their values, in the fewest bytes. Of the counts only what is not
zero is kept, since a row is hardly ever more than one response: eleven columns of int64 would
be ten times the size, and ten times the work to add up. Sums are exact: what could outgrow the
float64 that adds it up is kept in several parts, by its bits.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pulse import days, lake
from pulse.days import DateRange
from pulse.reports.declarations import PERIOD
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
class Part:
    """An additive column's bits from `shift` on: which rows have any, and their amounts.

    The amounts' sum is below 2**53, up to which float64 counts.
    """

    rows: Integers
    amounts: Integers
    shift: int = 0


@dataclass(frozen=True)
class Cells:
    """The rows of one table, tenant and year; `day` counts from 1970."""

    table: lake.Dataset
    day: Integers
    columns: "Columns"
    counts: Sequence[Sequence[Part]]
    """The parts of each of the table's measures, mostly one; none where all is zero."""

    @property
    def nbytes(self) -> int:
        """The memory that the columns take."""
        arrays = [self.day]
        for parts in self.counts:
            for part in parts:
                arrays += [part.rows, part.amounts]
        return self.columns.nbytes + sum(array.nbytes for array in arrays)

    def group(
        self,
        dates: DateRange,
        filters: Filters,
        dimensions: Sequence[str],
        *,
        granularity: str = "day",
        week_start: str = "monday",
    ) -> Groups:
        """Sums of the rows that the days and filters leave, by dimensions; `period` may be one.

        Raises UnprocessableError for more than MOST_GROUPS groups.
        """
        rows = np.flatnonzero(self._holds(dates, filters))
        columns = [
            _periods(self.day[rows], granularity, week_start)
            if name == PERIOD
            else Column(self.columns[name].codes[rows], self.columns[name].values)
            for name in dimensions
        ]
        numbers, members = _number(columns, len(rows))
        check_size(len(members))
        labels = [[one.values[code] for code in one.codes[members].tolist()] for one in columns]
        keys = list(zip(*labels, strict=True)) if labels else [()] * len(members)
        return dict(zip(keys, self._add_up(rows, numbers, len(members)), strict=True))

    def _holds(self, dates: DateRange, filters: Filters) -> npt.NDArray[np.bool_]:
        """For each row: is it of these days, and does it pass every filter?"""
        first, last = (day.toordinal() - _EPOCH_DAY for day in (dates.start, dates.end))
        holds: npt.NDArray[np.bool_] = (self.day >= first) & (self.day <= last)
        for name, condition in filters.items():
            column = self.columns[name]
            passes = np.array([condition.holds(value) for value in column.values])
            holds &= passes[column.codes]
        return holds

    def _add_up(self, rows: Integers, numbers: Integers, groups: int) -> list[list[int]]:
        """The counts' sums, one line for each group."""
        group_of = np.full(len(self.day), groups)  # what is filtered out falls behind the last
        group_of[rows] = numbers
        sums = np.zeros((groups, len(self.counts)), np.int64)
        higher: list[tuple[int, int, list[int]]] = []
        for at, parts in enumerate(self.counts):
            for part in parts:
                added = np.bincount(
                    group_of[part.rows], weights=part.amounts, minlength=groups + 1
                )[:groups]
                if part.shift:  # may be beyond 64 bits: for Python's integers
                    higher.append((at, part.shift, added.astype(np.int64).tolist()))
                else:
                    sums[:, at] = added
        lines: list[list[int]] = sums.tolist()
        for at, shift, bits in higher:
            for line, some in zip(lines, bits, strict=True):
                line[at] += some << shift
        return lines


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


def read(body: bytes, table: lake.Dataset) -> Cells:
    """The cells of one object of a report table, as build_reports writes it."""
    source = _Source(body, pq.ParquetFile(pa.BufferReader(body)).metadata)
    # two at a time: all of them together would be most of the memory that reading takes
    with ThreadPoolExecutor(max_workers=2) as pool:
        counts = list(pool.map(lambda name: _count(source.read(name)), table.measures))
    return Cells(
        table=table,
        day=_integers(source.read("day"), pa.int32()),
        columns=Columns(source, table.dimensions),
        counts=counts,
    )


@dataclass(frozen=True)
class _Source:
    """An object's bytes, of which columns are read one by one."""

    body: bytes
    metadata: Any

    def read(self, name: str, *, as_codes: bool = False) -> Any:
        """One column; by a reader of its own, because one is not for two threads."""
        file = pq.ParquetFile(
            pa.BufferReader(self.body),
            metadata=self.metadata,
            read_dictionary=[name] if as_codes else None,
        )
        table = file.read(columns=[name], use_threads=False)
        return (table.unify_dictionaries() if as_codes else table).column(name)


class Columns:
    """The dimensions of an object by name; each is read when it is first asked for.

    A question names two or three of them, and reading all takes half of its time.
    """

    def __init__(self, source: _Source, names: Collection[str]) -> None:
        self._source = source
        self._names = names
        self._read: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = _column(self._source.read(name, as_codes=True))
        return self._read[name]

    @property
    def nbytes(self) -> int:
        """The memory that they take so far, the object's own bytes included."""
        return len(self._source.body) + sum(one.codes.nbytes for one in self._read.values())


def _integers(chunked: Any, kind: pa.DataType) -> Integers:
    return _numbers(chunked.cast(kind).combine_chunks())


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
    if not indices.null_count:
        return _numbers(indices)
    codes = np.full(len(indices), none, np.int32)
    is_valid = _numbers(indices.is_valid().cast(pa.uint8())) == 1
    codes[is_valid] = _numbers(indices.drop_null())
    return codes


def _count(chunked: Any) -> list[Part]:
    """An additive column in parts; decimals as whole numbers of their last place."""
    if not pa.types.is_decimal(chunked.type):
        return _parts(_integers(chunked, pa.int64()))
    low, high = _halves(chunked.combine_chunks())
    if np.array_equal(high, low >> 63):  # nothing but signs: 64 bits are enough
        return _parts(low)
    return [*_parts(low & 0xFFFFFFFF), *_parts(low >> 32 & 0xFFFFFFFF, 32), *_parts(high, 64)]


def _halves(array: Any) -> tuple[Integers, Integers]:
    """The lower and the higher 64 bits of an array of decimals without nulls."""
    if not len(array):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    words = np.frombuffer(array.buffers()[1], "<i8").reshape(-1, 2)
    words = words[array.offset : array.offset + len(array)]
    return words[:, 0], words[:, 1]


_PART_BITS = 22


def _parts(amounts: Integers, shift: int = 0) -> list[Part]:
    """The amounts' bits in as few parts as keep every sum below 2**53."""
    rows = np.flatnonzero(amounts != 0)  # numpy finds the true ones three times as fast
    if not len(rows):
        return []
    kept = amounts[rows]
    if np.abs(kept.astype(np.float64)).sum() < 2**52:  # a bit to spare, as this sum is not exact
        rows = rows.astype(np.min_scalar_type(len(amounts)))
        return [Part(rows, kept.astype(_fewest_bytes(kept)), shift)]
    lowest = _parts(amounts & (2**_PART_BITS - 1), shift)
    return [*lowest, *_parts(amounts >> _PART_BITS, shift + _PART_BITS)]


def _fewest_bytes(amounts: Integers) -> np.dtype[Any]:
    least, most = int(amounts.min()), int(amounts.max())
    return np.min_scalar_type(most if least >= 0 else min(least, -most - 1))
