"""The file of an export, written a day at a time: what a reader of rows gets to see.

Both forms have the stream's COLUMNS in this order. CSV is as reports write it (pulse.csv_cells:
`pulse import` reads it back unchanged), with times as RFC 3339 in UTC, tags as JSON and decimals to
their last place; in Parquet times are timestamps in UTC, tags are a map and decimals are decimals.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from pulse import days, lake
from pulse.csv_cells import CsvForm
from pulse.export_orders import Format
from pulse.raw.parquet import schema
from pulse.streams import STREAMS, Stream

_TIME = pa.timestamp("us", tz="UTC")


def _columns(stream: Stream) -> pa.Schema:
    """The tenant's day, by which reports count, and what the stream declares as exported."""
    kinds = schema(stream.columns)
    found: list[tuple[str, pa.DataType]] = [("day", pa.date32())]
    for name in stream.exported:
        if name.endswith("_at"):
            found.append((name, _TIME))
        elif name.endswith("_seconds"):
            found.append((name, pa.int64()))
        else:
            found.append((name, kinds.field(name).type))
    return pa.schema(found)


COLUMNS: Mapping[str, pa.Schema] = {
    stream.name: _columns(stream) for stream in STREAMS.values() if stream.exported
}
"""What a file of each stream has."""
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "responses": ("answered_us", "survey", "key_kind", "response_id"),
    "interactions": ("entered_us", "interaction_id"),
}

WriteDay = Callable[[date, pa.Table], None]
"""Adds the rows of one day, as the statement of sql/exports gives them, to a file."""


def in_order(stream: str, rows: pa.Table) -> pa.Table:
    """The rows of a day by their time, then by identity: one order for equal rows."""
    return rows.sort_by([(name, "ascending") for name in _ORDERS[stream]])


def _shown(day: date, rows: pa.Table, columns: pa.Schema) -> pa.Table:
    """The rows with the file's columns: what the lake counts in microseconds as it is read."""
    found = [_column(field, day, rows) for field in columns]
    return pa.table(found, names=columns.names).cast(columns)


def _column(field: "pa.Field[Any]", day: date, rows: pa.Table) -> Any:
    if field.name == "day":
        return pa.array([day] * len(rows), field.type)
    if field.name.endswith("_at"):
        return rows[f"{field.name.removesuffix('_at')}_us"].cast(_TIME)
    if field.name.endswith("_seconds"):
        return pc.divide(rows[f"{field.name.removesuffix('_seconds')}_us"], days.SECOND)
    return rows[field.name]


@contextmanager
def _csv_file(path: Path, columns: pa.Schema, form: CsvForm) -> Iterator[WriteDay]:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(form.start + form.line(columns.names))

        def write_day(day: date, rows: pa.Table) -> None:
            for batch in _shown(day, rows, columns).to_batches(max_chunksize=10_000):
                file.writelines(form.line(_cells(row, columns)) for row in batch.to_pylist())

        yield write_day


def _cells(row: Mapping[str, Any], columns: pa.Schema) -> list[Any]:
    return [_cell(row[field.name], field.type) for field in columns]


def _cell(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return days.iso(days.to_us(value))
    if pa.types.is_map(kind):
        return json.dumps(dict(value), ensure_ascii=False, sort_keys=True)
    return value


@contextmanager
def _parquet_file(path: Path, columns: pa.Schema, form: CsvForm) -> Iterator[WriteDay]:
    with parquet.ParquetWriter(path, columns, compression=lake.CODEC) as file:

        def write_day(day: date, rows: pa.Table) -> None:
            file.write_table(_shown(day, rows, columns))

        yield write_day


OpenFile = Callable[[Path, pa.Schema, CsvForm], AbstractContextManager[WriteDay]]
FILES: Mapping[Format, OpenFile] = {
    "csv": _csv_file,
    "parquet": _parquet_file,
}
"""Opens a file of a format; it is whole once the block is left."""
