"""Writes rows as a Parquet object with the columns that lake.py declares, and reads them back.

An object holds the number of its format (formats.py). If an object has a newer format, the columns
that this version does not know are kept when its rows are written again.

The columns go to Arrow as one JSON object under a declared schema: every other way from Python
objects (`pa.array(list)`) imports pandas where that is installed, half a second of a cold start.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.json
from pyarrow import parquet

from pulse import formats, lake

_FORMAT = b"pulse.format"
ROW_GROUP = 100_000
"""Rows of a row group: a reader of one tenant skips those whose tenants cannot include it."""

_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "decimal(9,4)": pa.decimal128(9, 4),  # Arrow reads it from text: a JSON number would be a float
    "decimal(18,4)": pa.decimal128(18, 4),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
}
_ENTRIES = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))


def schema(columns: Mapping[str, str]) -> pa.Schema:
    """The Arrow schema of columns given by their Glue types."""
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])


def encode(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> bytes:
    """The bytes of a Parquet object with the rows in order; the same rows give the same bytes."""
    return encode_table(_table(rows, schema(columns)))


def encode_table(table: pa.Table) -> bytes:
    """The bytes of a Parquet object with a table's rows in order; equal tables give equal bytes.

    Its format is the present one, or a newer one if rows come from objects of that.
    """
    table = table.replace_schema_metadata({_FORMAT: str(max(formats.RAW.number, _number(table)))})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression=lake.CODEC, row_group_size=ROW_GROUP)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def rows_in(body: bytes) -> int:
    """How many rows a Parquet object has."""
    rows: int = parquet.ParquetFile(pa.BufferReader(body)).metadata.num_rows
    return rows


def decode(body: bytes, columns: Mapping[str, str]) -> pa.Table:
    """The rows of an object: the declared columns, then those that a newer version added.

    Columns that were declared after the object was written are null. Raises ArrowException for an
    object that is no Parquet, or whose column has another type than is declared.
    """
    wanted = schema(columns)
    found = parquet.ParquetFile(pa.BufferReader(body)).read()
    given = [
        found[field.name] if field.name in found.column_names else pa.nulls(len(found), field.type)
        for field in wanted
    ]
    rows = pa.table(given, names=wanted.names).cast(wanted)
    for name in found.column_names:
        if name not in columns:
            rows = rows.append_column(name, found[name])
    return rows.replace_schema_metadata(found.schema.metadata)


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of all tables, in order, with the columns of all. The tables come from `decode`.

    Where a table lacks a column, its rows are null there. Raises ArrowException if a column that is
    not declared has different types.
    """
    newest = max(tables, key=_number)
    rows = pa.concat_tables(tables, promote_options="default").combine_chunks()
    return rows.replace_schema_metadata(newest.schema.metadata)


def _number(table: pa.Table) -> int:
    """The number of the format of the object that a table comes from; 1 if the object has none."""
    told = (table.schema.metadata or {}).get(_FORMAT, b"")
    return int(told) if told.isdigit() else 1


def _table(rows: Sequence[Mapping[str, Any]], wanted: pa.Schema) -> pa.Table:
    maps = {field.name for field in wanted if pa.types.is_map(field.type)}
    columns = {name: [row[name] for row in rows] for name in wanted.names}
    for name in maps:  # Arrow's JSON reader reads no maps: they go as lists of entries
        columns[name] = [_entries(value) for value in columns[name]]
    kinds = [_ENTRIES if field.name in maps else field.type for field in wanted]
    body = msgspec.json.encode(columns)
    read = pyarrow.json.read_json(
        BytesIO(body),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema(
                [(name, pa.list_(kind)) for name, kind in zip(wanted.names, kinds, strict=True)]
            ),
            unexpected_field_behavior="error",
        ),
    )
    lists: list[Any] = [column.combine_chunks() for column in read.columns]
    arrays = [
        _map(one.values) if name in maps else one.values
        for name, one in zip(wanted.names, lists, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=wanted)


def _entries(value: Mapping[str, str] | None) -> list[dict[str, str]] | None:
    return None if value is None else [{"key": k, "value": value[k]} for k in sorted(value)]


def _map(lists: Any) -> "pa.Array[Any]":
    keys, values = lists.values.field("key"), lists.values.field("value")
    return pa.MapArray.from_arrays(lists.offsets, keys, values, mask=lists.is_null())
