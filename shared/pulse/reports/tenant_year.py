"""The objects that reports are read from: rows of one tenant and calendar year, sorted.

Sorted by the dimensions and then by day, equal values lie side by side: small to fetch, quick to
filter. The same rows give the same bytes, whatever order Athena wrote them in.

How it is written makes it quick to read. Row groups end where a scale does: of another scale's
scores they hold nothing but zeros, which their statistics tell. Measures and days are declared to
be there in every row, and integers are no wider than they need be. Its metadata tell the number of
its format, and the least number whose readers understand it (formats.py).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pulse import formats, lake
from pulse.reports.rollups import Rollup

ROW_GROUP = 2**17
"""The most rows of a row group, all of whose measures a reader has in memory at once."""

_TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "decimal(38,4)": pa.decimal128(38, 4),
}


def schema(dataset: lake.DailyTable, rollup: Rollup) -> pa.Schema:
    """The columns of a roll-up's object: its dimensions, day, measures."""
    kinds = dataset.daily_columns
    return pa.schema(
        [
            *(pa.field(name, _TYPES[kinds[name]]) for name in rollup.dimensions),
            pa.field("day", pa.date32(), nullable=False),
            *(pa.field(name, _TYPES[kinds[name]], nullable=False) for name in dataset.measures),
        ]
    )


def read(dataset: lake.DailyTable, rollup: Rollup, pieces: Iterable[bytes]) -> pa.Table:
    """The rows of some Parquet objects with a roll-up's columns, in any order.

    What an object lacks came later than it, so that it need not be built again: a dimension has no
    value in its rows, and a measure is what another one said before (lake.DailyTable.before), or
    zero. So it is where Athena has found nothing for some rows. Raises NewerFormatError for an
    object that this version would read wrongly.
    """
    wanted = schema(dataset, rollup)
    tables = [_read(dataset, piece, wanted) for piece in pieces]
    return pa.concat_tables(tables) if tables else wanted.empty_table()


def merge(parts: Iterable[tuple[Collection[date], pa.Table]]) -> pa.Table:
    """The rows of several parts, the newest first: each day's are those of the first that has it.

    A part is its days and its rows, of one roll-up by day.
    """
    taken: set[date] = set()
    kept: list[pa.Table] = []
    for its_days, rows in parts:
        kept.append(of_days(rows, {*its_days} - taken))
        taken |= {*its_days}
    return pa.concat_tables(kept)


def of_days(rows: pa.Table, wanted: Collection[date]) -> pa.Table:
    """The rows of these days."""
    return rows.filter(pc.is_in(rows["day"], value_set=pa.array(sorted(wanted), pa.date32())))


def count_events(dataset: lake.DailyTable, rows: pa.Table) -> int:
    """How many events the rows of any roll-up stand for."""
    return sum(pc.sum(rows[name]).as_py() or 0 for name in dataset.counted)


def encode(dataset: lake.DailyTable, rollup: Rollup, rows: pa.Table) -> bytes:
    """The object that holds these rows of a roll-up. Equal rows in any order give equal bytes."""
    columns = {name: rows[name].combine_chunks() for name in rows.schema.names}
    for name in rollup.dimensions:
        columns[name] = columns[name].dictionary_encode()
    order = _order(columns, [*rollup.dimensions, "day"])
    table = pa.table({name: column.take(order) for name, column in columns.items()})
    parted_by = [name for name in dataset.parted_by if name in rollup.dimensions]
    return _encode(table, rows.schema, parted_by)


def _order(columns: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """The places of the rows, sorted by these columns, and where they are equal by the others.

    Sorting numbers of few values takes a fraction of the time that sorting texts does.
    """
    numbers, size = np.zeros(len(columns["day"]), np.int64), 1
    for name in keys:
        ranks, values = _ranks(columns[name])
        if size * values > 2**62:  # would no longer fit: number what there is so far
            found, numbers = np.unique(numbers, return_inverse=True)
            size = len(found)
        numbers = numbers * values + ranks
        size *= values
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    if (ordered[1:] == ordered[:-1]).any():
        others = [name for name in columns if name not in keys]
        by = pa.table({name: columns[name] for name in others})
        first: Any = pc.sort_indices(by, sort_keys=[(name, "ascending") for name in others])
        order = np.from_dlpack(first).astype(np.int64)
        order = order[np.argsort(numbers[order], kind="stable")]
    return pa.array(order)


def _ranks(column: Any) -> tuple[Any, int]:
    """Each row's place among the column's values, and how many these may be; no value is last."""
    if not len(column):
        return np.zeros(0, np.int64), 1
    if not pa.types.is_dictionary(column.type):
        numbers = np.from_dlpack(column.cast(pa.int32())).astype(np.int64)
        numbers -= numbers.min()
        return numbers, int(numbers.max()) + 1
    order: Any = pc.sort_indices(column.dictionary)
    rank = np.empty(len(order) + 1, np.int64)
    rank[np.from_dlpack(order)] = np.arange(len(order))
    rank[-1] = len(order)
    codes = pc.coalesce(column.indices.cast(pa.int64()), pa.scalar(-1, pa.int64()))
    return rank[np.from_dlpack(codes)], len(rank)


def _encode(table: pa.Table, schema: pa.Schema, parted_by: Sequence[str]) -> bytes:
    stored = _narrow_schema(table, schema)
    # integers as differences: half the time to read that dictionaries take
    integers = [field.name for field in stored if pa.types.is_integer(field.type)]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        stored,
        compression=lake.CODEC,
        use_dictionary=[name for name in stored.names if name not in integers],  # type: ignore[arg-type] # the stubs know only all or none
        column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
        store_schema=False,  # Arrow's copy of it: a third of a small object, and needed for nothing
    ) as writer:
        writer.add_key_value_metadata(formats.REPORT.metadata)
        for rows in _row_groups(table, parted_by):
            writer.write_table(rows.cast(stored))
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _narrow_schema(table: pa.Table, schema: pa.Schema) -> pa.Schema:
    """The schema with 32 bits for each integer column that they are enough for."""
    fields = []
    for field in schema:
        if pa.types.is_integer(field.type):
            ends: Any = pc.min_max(table[field.name])
            if all(-(2**31) <= (end.as_py() or 0) < 2**31 for end in ends.values()):
                field = field.with_type(pa.int32())
        fields.append(field)
    return pa.schema(fields)


def _row_groups(table: pa.Table, names: Sequence[str]) -> Iterator[pa.Table]:
    """A table that is sorted by these columns, cut where one of them changes, and not too long."""
    start = 0
    if names:
        counts: Any = pc.value_counts(table[names[0]])
        for rows in counts.field("counts").to_pylist():
            yield from _row_groups(table.slice(start, rows), names[1:])
            start += rows
    else:
        for start in range(0, len(table), ROW_GROUP):
            yield table.slice(start, ROW_GROUP)


def _read(dataset: lake.DailyTable, piece: bytes, wanted: pa.Schema) -> pa.Table:
    file = pq.ParquetFile(pa.BufferReader(piece))
    formats.REPORT.check(file.metadata.metadata)
    names = [name for name in wanted.names if name in file.schema_arrow.names]
    table = file.read(columns=[*names, *_said_before(dataset, file.schema_arrow.names)])
    columns = [_column(dataset, table, field.name, field.type) for field in wanted]
    return pa.table(columns, schema=wanted).combine_chunks()


def _said_before(dataset: lake.DailyTable, names: Collection[str]) -> list[str]:
    """Columns that are not wanted themselves, but say what missing ones would."""
    return [same for name, same in dataset.before.items() if name not in names and same in names]


def _column(dataset: lake.DailyTable, table: pa.Table, name: str, kind: Any) -> Any:
    """A column, as of a table that has always had it."""
    found = table[name].cast(kind) if name in table.schema.names else None
    if name not in dataset.measures:
        return pa.nulls(len(table), kind) if found is None else found
    if found is not None and not found.null_count:
        return found
    same = dataset.before.get(name)
    before = table[same].cast(kind) if same in table.schema.names else None
    zeros = pa.repeat(pa.scalar(0, pa.int64()).cast(kind), len(table))
    return pc.coalesce(*[one for one in (found, before) if one is not None], zeros)
