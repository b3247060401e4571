"""Writes the file of an export, one day after another.

Both formats have the stream's COLUMNS in order, and behind them the tenant's own dimensions. CSV is
written as in reports (pulse.csv_cells), and `pulse import` reads it back unchanged: times are RFC
3339 in UTC, tags are JSON, and decimals have all places. In Parquet times are timestamps in UTC,
tags are a map, and decimals are decimals.
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
from pulse.export_orders import ExportRequest, Format
from pulse.raw.parquet import schema
from pulse.streams import STREAMS, Stream

_TIME = pa.timestamp("us", tz="UTC")


def _columns(stream: Stream) -> pa.Schema:
    """The columns of a file: the tenant's day, then the exported fields of the stream."""
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
"""The columns of every file, by stream."""
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "responses": ("answered_us", "survey", "key_kind", "response_id"),
    "interactions": ("entered_us", "interaction_id"),
}


def columns_of(request: ExportRequest) -> pa.Schema:
    """The columns of the file that is asked for: the tenant's own dimensions are the last."""
    own = [(_own_column(key), pa.string()) for key in request.own]
    return pa.schema([*COLUMNS[request.stream], *own])


def with_own(rows: pa.Table, request: ExportRequest) -> pa.Table:
    """The rows with the tenant's own dimensions under the names that the file has for them."""
    for key, column in request.own.items():
        rows = rows.append_column(_own_column(key), rows[column])
    return rows


def _own_column(key: str) -> str:
    """The column of a dimension that is a tag: as `pulse import --map` writes it."""
    return f"tags.{key}"


WriteDay = Callable[[date, pa.Table], None]
"""Adds the rows of one day to a file, with the columns of the statement in sql/exports."""


def in_order(stream: str, rows: pa.Table) -> pa.Table:
    """The rows of a day, sorted by time and then by identity, so that their order is fixed."""
    return rows.sort_by([(name, "ascending") for name in _ORDERS[stream]])


def _shown(day: date, rows: pa.Table, columns: pa.Schema) -> pa.Table:
    """The rows with the file's columns; the lake's microseconds become timestamps or seconds."""
    found = [_column(field, day, rows) for field in columns]
    return pa.table(found, names=columns.names).cast(columns)


def _column(field: "pa.Field[Any]", day: date, rows: pa.Table) -> Any:
    if field.name in rows.schema.names:
        return rows[field.name]
    if field.name == "day":
        return pa.array([day] * len(rows), field.type)
    if field.name.endswith("_at"):
        return rows[f"{field.name.removesuffix('_at')}_us"].cast(_TIME)
    return pc.divide(rows[f"{field.name.removesuffix('_seconds')}_us"], days.SECOND)


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
"""Opens a file for writing, by format. The file is complete after the block."""
