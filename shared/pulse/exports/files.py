"""The file of an export, written a day at a time: what a reader of rows gets to see.

Both forms have the columns of COLUMNS in this order. CSV is as reports write it (RFC 4180, safe
against spreadsheet formulas), with times as RFC 3339 in UTC and tags as JSON; in Parquet times
are timestamps in UTC and tags are a map.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from pulse import days, lake
from pulse.exports.export import Format
from pulse.serve.formats import csv_line

_TEXT = pa.string()
_TIME = pa.timestamp("us", tz="UTC")
_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("day", pa.date32()),  # the tenant's, by which reports count
    ("tenant", _TEXT),
    ("survey", _TEXT),
    ("metric", _TEXT),
    ("scale", _TEXT),
    ("response_id", _TEXT),
    ("key_kind", _TEXT),
    ("answered_at", _TIME),
    ("received_at", _TIME),
    ("score", pa.int32()),
    ("channel", _TEXT),
    ("agent", _TEXT),
    ("agent_name", _TEXT),
    ("customer", _TEXT),
    ("interaction", _TEXT),
    ("comment", _TEXT),
    ("tags", pa.map_(_TEXT, _TEXT)),
    ("country", _TEXT),
    ("browser", _TEXT),
    ("os", _TEXT),
    ("device", _TEXT),
]
COLUMNS = pa.schema(_COLUMNS)
_ORDER = ("answered_us", "survey", "key_kind", "response_id")

WriteDay = Callable[[date, pa.Table], None]
"""Adds the rows of one day, as the statement of sql/exports gives them, to a file."""


def in_order(rows: pa.Table) -> pa.Table:
    """The rows of a day by the time of the answer, then by identity: one order for equal rows."""
    return rows.sort_by([(name, "ascending") for name in _ORDER])


@contextmanager
def _csv_file(path: Path) -> Iterator[WriteDay]:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_line(COLUMNS.names))

        def write_day(day: date, rows: pa.Table) -> None:
            for batch in rows.to_batches(max_chunksize=10_000):
                file.writelines(csv_line(_cells(day, row)) for row in batch.to_pylist())

        yield write_day


def _cells(day: date, row: Mapping[str, Any]) -> list[Any]:
    shown = {
        **row,
        "day": day.isoformat(),
        "answered_at": days.iso(row["answered_us"]),
        "received_at": days.iso(row["received_us"]),
        "tags": _json(row["tags"]),
    }
    return [shown[name] for name in COLUMNS.names]


def _json(tags: list[tuple[str, str]] | None) -> str | None:
    return None if tags is None else json.dumps(dict(tags), ensure_ascii=False, sort_keys=True)


@contextmanager
def _parquet_file(path: Path) -> Iterator[WriteDay]:
    with parquet.ParquetWriter(path, COLUMNS, compression=lake.CODEC) as file:

        def write_day(day: date, rows: pa.Table) -> None:
            found = {
                **{name: rows[name] for name in rows.column_names},
                "day": pa.array([day] * len(rows), pa.date32()),
                "answered_at": rows["answered_us"].cast(_TIME),
                "received_at": rows["received_us"].cast(_TIME),
            }
            file.write_table(pa.table({name: found[name] for name in COLUMNS.names}).cast(COLUMNS))

        yield write_day


FILES: Mapping[Format, Callable[[Path], AbstractContextManager[WriteDay]]] = {
    "csv": _csv_file,
    "parquet": _parquet_file,
}
"""Opens a file of a format; it is whole once the block is left."""
