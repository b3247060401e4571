"""Writes the figures of a month as CSV and as Parquet, and reads them back.

CSV is written as in reports (pulse.csv_cells). The same figures give the same bytes.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pulse import lake
from pulse.csv_cells import csv_line, unguard
from pulse.finance.figures import Figure, FigureKey, Figures

CSV = "revenue.csv"
PARQUET = "revenue.parquet"

_MONEY = pa.decimal128(38, 4)
_FIELDS: list[tuple[str, pa.DataType]] = [
    ("day", pa.date32()),
    ("media_type", pa.string()),
    ("customer_segment", pa.string()),
    ("service_type", pa.string()),
    ("currency", pa.string()),
    ("interactions_with_revenue", pa.int64()),
    ("revenue", _MONEY),
    ("avg_revenue", _MONEY),
]
COLUMNS = pa.schema(_FIELDS)
ADJUSTED = COLUMNS.names[:-1]
"""The columns of an adjustment: those that can be added, so without the average."""


def csv_file(figures: Figures) -> bytes:
    """The bytes of revenue.csv."""
    return _csv(COLUMNS.names, _rows(figures))


def parquet_file(figures: Figures) -> bytes:
    """The bytes of revenue.parquet, which has the same rows as revenue.csv."""
    return _parquet(COLUMNS, _rows(figures))


def read_parquet(body: bytes) -> Figures:
    """The figures of a revenue.parquet."""
    table = pq.ParquetFile(pa.BufferReader(body)).read(columns=ADJUSTED)
    columns = [table[name].to_pylist() for name in ADJUSTED]
    return {FigureKey(*row[:5]): Figure(*row[5:]) for row in zip(*columns, strict=True)}


def adjustment_file(changes: Figures) -> bytes:
    """The bytes of an adjustment as CSV: the figures to be added to those of a closed month."""
    return _csv(ADJUSTED, (row[:-1] for row in _rows(changes)))


def adjustment_parquet(changes: Figures) -> bytes:
    """The bytes of an adjustment as Parquet."""
    columns = pa.schema([COLUMNS.field(name) for name in ADJUSTED])
    return _parquet(columns, (row[:-1] for row in _rows(changes)))


def parquet_of(adjustment: str) -> str:
    """The name of the Parquet file beside an adjustment's CSV file."""
    return f"{adjustment.removesuffix('.csv')}.parquet"


def read_adjustment(body: bytes) -> Figures:
    """The figures of an adjustment's CSV file.

    A file whose header has no quotes is of an older version, which wrote an apostrophe before every
    text that begins with one, or with a character that a spreadsheet might take for a formula. That
    apostrophe is removed.
    """
    header, *lines = csv.reader(io.StringIO(body.decode(), newline=""))
    if header != ADJUSTED:
        raise ValueError(f"not the columns of an adjustment: {', '.join(header)}")
    read = unguard if body.startswith(b'"') else _without_apostrophe
    return dict(_change(line, read) for line in lines)


def _without_apostrophe(text: str) -> str:
    return text.removeprefix("'")


def _rows(figures: Figures) -> Iterator[Sequence[Any]]:
    for key in sorted(figures, key=lambda key: key.rank):
        figure = figures[key]
        yield (*key, figure.interactions, figure.revenue, figure.average)


def _csv(header: Sequence[str], rows: Iterator[Sequence[Any]]) -> bytes:
    return "".join([csv_line(header), *map(csv_line, rows)]).encode()


def _parquet(schema: pa.Schema, rows: Iterator[Sequence[Any]]) -> bytes:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays, schema=schema), sink, compression=lake.CODEC)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _change(line: Sequence[str], read: Callable[[str], str]) -> tuple[FigureKey, Figure]:
    day, media_type, segment, service, currency, interactions, revenue = line
    return (
        FigureKey(
            date.fromisoformat(day),
            read(media_type),
            read(segment) or None,
            read(service) or None,
            currency,
        ),
        Figure(int(interactions), Decimal(revenue)),
    )
