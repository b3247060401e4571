"""Rows → the bytes of a Parquet object, with the columns that lake.py declares.

The rows go to Arrow as JSON lines under a declared schema: every other way from Python objects
(`pa.array(list)`) imports pandas where that is installed, half a second of a cold start.
"""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.json
from pyarrow import parquet

from pulse import lake

_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "decimal(9,4)": pa.decimal128(9, 4),  # read from texts: JSON's numbers would be floats
    "decimal(18,4)": pa.decimal128(18, 4),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
}
_ENTRIES = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))


def schema(columns: Mapping[str, str]) -> pa.Schema:
    """The Arrow schema of columns given by their Glue types."""
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])


def encode(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> bytes:
    """One Parquet object with the rows in their order; the same rows give the same bytes."""
    table = _table(rows, schema(columns))
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression=lake.CODEC)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(rows: Sequence[Mapping[str, Any]], wanted: pa.Schema) -> pa.Table:
    maps = [field.name for field in wanted if pa.types.is_map(field.type)]
    lines = "\n".join(json.dumps({**row, **{m: _entries(row[m]) for m in maps}}) for row in rows)
    read = wanted
    for name in maps:  # Arrow's JSON reader knows lists of entries, but no maps
        read = read.set(read.get_field_index(name), pa.field(name, _ENTRIES))
    body = lines.encode()
    table = pyarrow.json.read_json(
        BytesIO(body),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=read, unexpected_field_behavior="error"
        ),
    )
    for name in maps:
        table = table.set_column(wanted.get_field_index(name), name, _map(table[name]))
    return table.cast(wanted)


def _entries(value: Mapping[str, str] | None) -> list[dict[str, str]] | None:
    return None if value is None else [{"key": k, "value": value[k]} for k in sorted(value)]


def _map(column: "pa.ChunkedArray[Any]") -> "pa.Array[Any]":
    lists: Any = column.combine_chunks()
    keys, values = lists.values.field("key"), lists.values.field("value")
    return pa.MapArray.from_arrays(lists.offsets, keys, values, mask=lists.is_null())
