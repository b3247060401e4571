"""A block out of the Parquet of a part's object, reading no more of it than its statistics leave.

A row group's statistics tell measures that are zero throughout and dimensions that have one value;
of sorted rows that is half of everything. Dimensions are read when they are first asked for, and
measures too, of the row groups alone that a question's filters leave.

Arrays leave Arrow by DLPack, because to_numpy(), fill_null() and whatever else turns a Python
value into an Arrow one import pandas where it is installed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse import formats, lake
from pulse.reports.rollups import Rollup
from pulse.serve.block import Block, SparseColumn
from pulse.serve.encoding import Encoded, Integers

_FEW_ROWS = 2**18
"""So many are read before a second thread would have begun."""


def read(body: bytes, table: lake.DailyTable, rollup: Rollup) -> Block:
    """The block of one object of a report table, a roll-up as build_reports writes it.

    A column that its version did not know has nothing in any row, or what another one said before
    it came. Raises NewerFormatError for an object that this version would read wrongly.
    """
    metadata = pq.read_metadata(pa.BufferReader(body))
    formats.REPORT.check(metadata.metadata)
    file = _open(body, table, metadata)
    groups = list(_row_groups(file.metadata))
    day: Any = file.read(columns=["day"], use_threads=False).column("day")
    return Block(
        table=table,
        day=_numbers(day.cast(pa.int32()).combine_chunks()),
        columns=Dimensions(file, groups, rollup.dimensions, len(body)),
        counts=Measures(file, groups, body, table),
    )


def _open(body: bytes, table: lake.DailyTable, metadata: Any) -> pq.ParquetFile:
    """A reader, which is for one thread at a time."""
    source = pa.BufferReader(body)
    names = [name for name in table.dimensions if name in metadata.schema.names]
    return pq.ParquetFile(source, metadata=metadata, read_dictionary=names)


@dataclass(frozen=True)
class _RowGroup:
    """Some of an object's rows, which lie together."""

    number: int
    first_row: int
    rows: int
    columns: Mapping[str, Any]
    """What the object's metadata tell of each column."""

    def has_any(self, rows: Integers | slice) -> bool:
        """Is any of these rows in it? They come in order."""
        if isinstance(rows, slice):
            return True
        first, last = np.searchsorted(rows, [self.first_row, self.first_row + self.rows])
        return bool(first < last)

    def is_zero(self, name: str) -> bool:
        """Does the column hold nothing but zeros? False also where nothing tells."""
        if name not in self.columns:
            return True
        told = self.columns[name].statistics
        return bool(told and told.has_min_max and told.min == told.max == 0)

    def only_value(self, name: str) -> str | None:
        """The column's one value in all of the rows. Raises LookupError where nothing tells."""
        if name not in self.columns:
            return None
        told = self.columns[name].statistics
        if told and told.has_null_count:
            if told.null_count == self.rows:
                return None
            if told.null_count == 0 and told.has_min_max and told.min == told.max:
                value: str = told.min
                return value
        raise LookupError(name)


def _row_groups(metadata: Any) -> Iterator[_RowGroup]:
    """All of them, in their order."""
    first_row = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        told = [group.column(place) for place in range(group.num_columns)]
        columns = {one.path_in_schema: one for one in told}
        yield _RowGroup(number, first_row, group.num_rows, columns)
        first_row += group.num_rows


class Dimensions:
    """The dimensions of an object by name; each is read when it is first asked for.

    A question names two or three of them, and reading all takes half of its time.
    """

    def __init__(
        self,
        file: pq.ParquetFile,
        groups: Sequence[_RowGroup],
        names: Collection[str],
        file_bytes: int,
    ) -> None:
        self._file = file
        self._groups = groups
        self._names = names
        self._file_bytes = file_bytes
        self._read: dict[str, Encoded] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> Encoded:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = self._column(name)
        return self._read[name]

    @property
    def nbytes(self) -> int:
        """The memory that they take so far, the object's own bytes included."""
        return self._file_bytes + sum(one.codes.nbytes for one in self._read.values())

    def _column(self, name: str) -> Encoded:
        known: dict[str | None, int] = {None: 0}
        codes = [np.empty(0, np.uint8)]
        for group in self._groups:
            try:
                code = known.setdefault(group.only_value(name), len(known))
                codes.append(np.full(group.rows, code, np.min_scalar_type(code)))
            except LookupError:
                read: Any = self._file.read_row_group(group.number, [name], use_threads=False)
                codes += [_codes(chunk, known) for chunk in read.column(name).chunks]
        return Encoded(np.concatenate(codes), list(known))


def _codes(chunk: Any, known: dict[str | None, int]) -> Integers:
    """The codes of an array of texts that Arrow has numbered by itself; new ones become known."""
    local = [known.setdefault(value, len(known)) for value in chunk.dictionary.to_pylist()]
    codes = np.array(local or [0], np.min_scalar_type(len(known)))
    if not chunk.null_count:
        return codes[_numbers(chunk.indices)]
    found = np.zeros(len(chunk), codes.dtype)
    is_valid = _numbers(chunk.indices.is_valid().cast(pa.uint8())) == 1
    found[is_valid] = codes[_numbers(chunk.indices.drop_null())]
    return found


def _numbers(array: Any) -> Integers:
    """An array of integers without nulls, not copied."""
    return np.from_dlpack(array)


_Found = dict[str, list[SparseColumn]]
"""Columns by measure."""


class Measures:
    """The measures of an object; each is read of a row group when rows of it are first asked for.

    A question's filters leave few of a large object's row groups, as rows lie sorted.
    """

    def __init__(
        self, file: pq.ParquetFile, groups: Sequence[_RowGroup], body: bytes, table: lake.DailyTable
    ) -> None:
        self._file = file
        self._groups = groups
        self._body = body
        self._table = table
        self._names = frozenset(file.metadata.schema.names)
        self._read: list[_Found] = [{} for _ in groups]

    def of(self, names: Sequence[str], rows: Integers | slice) -> list[list[SparseColumn]]:
        """The columns of these measures, of the row groups in which these rows are."""
        stored = [self._stored(name) for name in names]
        touched = [at for at, group in enumerate(self._groups) if group.has_any(rows)]
        self._read_all(touched, frozenset(stored))
        return [[column for at in touched for column in self._read[at][name]] for name in stored]

    @property
    def nbytes(self) -> int:
        """The memory that they take so far."""
        return sum(
            column.nbytes
            for found in self._read
            for columns in found.values()
            for column in columns
        )

    def _stored(self, name: str) -> str:
        """The column that has a measure: in an object of before it what said the same."""
        return name if name in self._names else self._table.before.get(name, name)

    def _read_all(self, touched: Sequence[int], names: frozenset[str]) -> None:
        """Read what is not there yet of some row groups, by two threads if it is much."""
        missing = [at for at in touched if not names <= self._read[at].keys()]
        if sum(self._groups[at].rows for at in missing) <= _FEW_ROWS:
            self._read_some(self._file, missing, names)
            return
        files = [self._file, _open(self._body, self._table, self._file.metadata)]
        with ThreadPoolExecutor(max_workers=2) as pool:
            parts = [missing[::2], missing[1::2]]
            list(pool.map(self._read_some, files, parts, [names, names]))

    def _read_some(
        self, file: pq.ParquetFile, missing: Sequence[int], names: frozenset[str]
    ) -> None:
        for at in missing:
            group, found = self._groups[at], self._read[at]
            wanted = [name for name in names if name not in found]
            stored = [name for name in wanted if not group.is_zero(name)]
            found |= {name: [] for name in wanted}
            read = file.read_row_group(group.number, stored, use_threads=False)
            for name, column in zip(stored, read.columns, strict=True):
                found[name] = _count(column.combine_chunks(), group.first_row)


def _count(array: Any, first_row: int) -> list[SparseColumn]:
    """An additive column as sparse ones; decimals as whole numbers of their last place."""
    if not pa.types.is_decimal(array.type):
        return _sparse(_numbers(array), first_row)
    low, high = _halves(array)
    if np.array_equal(high, low >> 63):  # nothing but signs: 64 bits are enough
        return _sparse(low, first_row)
    return [
        *_sparse(low & 0xFFFFFFFF, first_row),
        *_sparse(low >> 32 & 0xFFFFFFFF, first_row, 32),
        *_sparse(high, first_row, 64),
    ]


def _halves(array: Any) -> tuple[Integers, Integers]:
    """The lower and the higher 64 bits of an array of decimals without nulls."""
    if not len(array):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    words = np.frombuffer(array.buffers()[1], "<i8").reshape(-1, 2)
    words = words[array.offset : array.offset + len(array)]
    return words[:, 0], words[:, 1]


_PART_BITS = 22


def _sparse(amounts: Integers, first_row: int, shift: int = 0) -> list[SparseColumn]:
    """The amounts' bits in as few columns as keep every sum below 2**53."""
    least, most = int(amounts.min(initial=0)), int(amounts.max(initial=0))
    if least == most == 0:
        return []
    if not _fits(amounts, max(-least, most)):
        lowest = _sparse(amounts & (2**_PART_BITS - 1), first_row, shift)
        return [*lowest, *_sparse(amounts >> _PART_BITS, first_row, shift + _PART_BITS)]
    kept = amounts.astype(_fewest_bytes(least, most))
    is_any = kept != 0
    if np.count_nonzero(is_any) * 2 > len(kept):  # looking up places would take longer
        return [SparseColumn(slice(first_row, first_row + len(kept)), kept, shift)]
    rows = np.flatnonzero(is_any)
    kept = kept[rows]
    rows += first_row
    return [SparseColumn(rows.astype(np.min_scalar_type(rows[-1])), kept, shift)]


def _fits(amounts: Integers, most: int) -> bool:
    """Is the sum of the amounts, none of which is larger than `most`, below 2**53?"""
    if most * len(amounts) < 2**53:
        return True
    found = np.abs(amounts.astype(np.float64)).sum()
    return bool(found < 2**52)  # a bit to spare, as this sum is not exact


def _fewest_bytes(least: int, most: int) -> np.dtype[Any]:
    return np.min_scalar_type(most if least >= 0 else min(least, -most - 1))
