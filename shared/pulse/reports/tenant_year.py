"""The object that a report is read from: one tenant's rows of one calendar year, sorted.

Sorted by the dimensions and then by day, equal values lie side by side: small to fetch, quick to
filter. The same rows give the same bytes, whatever order Athena wrote them in.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pulse import lake

_TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "decimal(38,4)": pa.decimal128(38, 4),
}


@dataclass(frozen=True)
class TenantYear:
    """One object: its bytes and their hash, its first day with rows, how many events it counts."""

    table: pa.Table
    body: bytes
    sha256: str
    first_day: date | None
    answers: int

    def body_after(self, claim: str) -> bytes:
        """The same rows in other bytes, which name the claim that they were put over."""
        return _encode(self.table.replace_schema_metadata({"pulse.after": claim}))


def schema(dataset: lake.Dataset) -> pa.Schema:
    """The columns of a tenant-year object: dimensions, day, measures."""
    kinds = dataset.daily_columns
    return pa.schema(
        [
            *(pa.field(name, _TYPES[kinds[name]]) for name in dataset.dimensions),
            pa.field("day", pa.date32()),
            *(pa.field(name, _TYPES[kinds[name]]) for name in dataset.measures),
        ]
    )


def arrange(dataset: lake.Dataset, pieces: Sequence[bytes]) -> TenantYear:
    """The object made of Parquet pieces that together hold a tenant's rows of one year."""
    wanted = schema(dataset)
    tables = [_read(piece, wanted) for piece in pieces]
    table = pa.concat_tables(tables) if tables else wanted.empty_table()
    table = table.take(pc.sort_indices(table, sort_keys=_order(dataset)))
    body = _encode(table)
    return TenantYear(
        table=table,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        first_day=pc.min(table["day"]).as_py(),
        answers=sum(pc.sum(table[name]).as_py() or 0 for name in dataset.counted),
    )


def _encode(table: pa.Table) -> bytes:
    # integers as differences: half the time to read that dictionaries take
    integers = [field.name for field in table.schema if pa.types.is_integer(field.type)]
    others = [name for name in table.column_names if name not in integers]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression=lake.CODEC,
        use_dictionary=others,  # type: ignore[arg-type] # the stubs know only all or none
        column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    )
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _order(dataset: lake.Dataset) -> list[tuple[str, Literal["ascending", "descending"]]]:
    return [(name, "ascending") for name in (*dataset.dimensions, "day")]


def _read(piece: bytes, wanted: pa.Schema) -> pa.Table:
    table = pq.ParquetFile(pa.BufferReader(piece)).read(columns=wanted.names)
    return table.select(wanted.names).cast(wanted).replace_schema_metadata().combine_chunks()
