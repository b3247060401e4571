"""The object that a report is read from: one tenant's rows of one calendar year, sorted.

Sorted by the dimensions and then by day, equal values lie side by side: small to fetch, quick to
filter. The same rows give the same bytes, whatever order Athena wrote them in.

How it is written makes it quick to read. Row groups end where a scale does: of another scale's
scores they hold nothing but zeros, which their statistics tell. Measures and days are declared to
be there in every row, and integers are no wider than they need be. Its metadata tell the number of
its format, and the least number whose readers understand it (formats.py).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pulse import formats, lake

ROW_GROUP = 2**17
"""The most rows of a row group, all of whose measures a reader has in memory at once."""

_TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "decimal(38,4)": pa.decimal128(38, 4),
}


@dataclass(frozen=True)
class TenantYear:
    """One object: its bytes and their hash, its first day with rows, how many events it counts."""

    dataset: lake.Dataset
    table: pa.Table
    body: bytes
    sha256: str
    first_day: date | None
    answers: int

    def body_after(self, claim: str) -> bytes:
        """The same rows in other bytes, which name the claim that they were put over."""
        return _encode(self.dataset, self.table, {"pulse.after": claim})


def schema(dataset: lake.Dataset) -> pa.Schema:
    """The columns of a tenant-year object: dimensions, day, measures."""
    kinds = dataset.daily_columns
    return pa.schema(
        [
            *(pa.field(name, _TYPES[kinds[name]]) for name in dataset.dimensions),
            pa.field("day", pa.date32(), nullable=False),
            *(pa.field(name, _TYPES[kinds[name]], nullable=False) for name in dataset.measures),
        ]
    )


def arrange(dataset: lake.Dataset, pieces: Sequence[bytes]) -> TenantYear:
    """The object made of Parquet pieces that together hold a tenant's rows of one year."""
    wanted = schema(dataset)
    tables = [_read(piece, wanted) for piece in pieces]
    table = pa.concat_tables(tables) if tables else wanted.empty_table()
    table = table.take(pc.sort_indices(table, sort_keys=_order(dataset)))
    body = _encode(dataset, table)
    return TenantYear(
        dataset=dataset,
        table=table,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        first_day=pc.min(table["day"]).as_py(),
        answers=sum(pc.sum(table[name]).as_py() or 0 for name in dataset.counted),
    )


def _encode(dataset: lake.Dataset, table: pa.Table, told: Mapping[str, str] | None = None) -> bytes:
    stored = _narrow_schema(table).with_metadata({**formats.REPORT.metadata, **(told or {})})
    # integers as differences: half the time to read that dictionaries take
    integers = [field.name for field in stored if pa.types.is_integer(field.type)]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        stored,
        compression=lake.CODEC,
        use_dictionary=[name for name in stored.names if name not in integers],  # type: ignore[arg-type] # the stubs know only all or none
        column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    ) as writer:
        for rows in _row_groups(table, dataset.parted_by):
            writer.write_table(rows.cast(stored))
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _narrow_schema(table: pa.Table) -> pa.Schema:
    """The table's schema with 32 bits for each integer column that they are enough for."""
    fields = []
    for field in table.schema:
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


def _order(dataset: lake.Dataset) -> list[tuple[str, Literal["ascending", "descending"]]]:
    return [(name, "ascending") for name in (*dataset.dimensions, "day")]


def _read(piece: bytes, wanted: pa.Schema) -> pa.Table:
    table = pq.ParquetFile(pa.BufferReader(piece)).read(columns=wanted.names)
    return table.select(wanted.names).cast(wanted).replace_schema_metadata().combine_chunks()
