"""Makes Parquet objects of the lake's tables, raw and daily, from rows that a test invents."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from pulse import lake

_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "decimal(9,4)": pa.decimal128(9, 4),
    "decimal(18,4)": pa.decimal128(18, 4),
    "decimal(38,4)": pa.decimal128(38, 4),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
}


def body(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The object of rows that have all of the columns, which are given by their Glue types."""
    schema = pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(list(rows), schema), sink, compression=lake.CODEC)
    content: bytes = sink.getvalue().to_pybytes()
    return content
