"""Rows to Parquet and back."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow.parquet import ParquetFile

from pulse import lake
from pulse.raw.parquet import encode, schema

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.none() | st.text(),
    "boolean": st.none() | st.booleans(),
    "int": st.none() | st.integers(-(2**31), 2**31 - 1),
    "bigint": st.none() | st.integers(-(2**63), 2**63 - 1),
    "map<string,string>": st.none() | st.dictionaries(st.text(), st.text()),
}
COLUMNS = {"a": "string", "y": "boolean", "i": "int", "b": "bigint", "m": "map<string,string>"}
ROWS = st.lists(
    st.fixed_dictionaries({name: _VALUES[kind] for name, kind in COLUMNS.items()}), min_size=1
)


def decoded(content: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ParquetFile(pa.BufferReader(content)).read().to_pylist()
    return [row | {"m": row["m"] if row["m"] is None else dict(row["m"])} for row in rows]


@given(ROWS)
@settings(deadline=None)  # the first example imports half of pyarrow
def test_rows_come_back_as_they_were(rows: list[dict[str, Any]]) -> None:
    content = encode(rows, COLUMNS)
    assert decoded(content) == rows
    assert encode(rows, COLUMNS) == content


@given(st.lists(st.none() | st.integers(-(10**18) + 1, 10**18 - 1), min_size=1))
def test_decimals_are_read_from_text_to_the_last_digit(units: list[int | None]) -> None:
    amounts = [None if unit is None else Decimal(unit).scaleb(-4) for unit in units]
    rows = [{"d": None if amount is None else f"{amount:f}"} for amount in amounts]
    content = encode(rows, {"d": "decimal(18,4)"})
    table = ParquetFile(pa.BufferReader(content)).read()
    assert table["d"].to_pylist() == amounts
    assert table.schema.field("d").type == pa.decimal128(18, 4)


@pytest.mark.parametrize("dataset", lake.DATASETS, ids=lambda dataset: dataset.name)
def test_every_raw_table_can_be_written(dataset: lake.Dataset) -> None:
    content = encode([dict.fromkeys(dataset.raw_columns)], dataset.raw_columns)
    assert ParquetFile(pa.BufferReader(content)).schema_arrow.names == list(dataset.raw_columns)


def test_the_columns_have_the_declared_names_types_and_codec() -> None:
    row = dict.fromkeys(lake.SCORES.raw_columns)
    file = ParquetFile(pa.BufferReader(encode([row], lake.SCORES.raw_columns)))
    assert file.schema_arrow.equals(schema(lake.SCORES.raw_columns))
    assert file.schema_arrow.names == list(lake.SCORES.raw_columns)
    kinds = {name: file.schema_arrow.field(name).type for name in ("score", "answered_us", "tags")}
    assert kinds["score"] == pa.int32()
    assert kinds["answered_us"] == pa.int64()
    assert kinds["tags"] == pa.map_(pa.string(), pa.string())
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"


def test_an_object_tells_the_number_of_its_format() -> None:
    body = encode([dict.fromkeys(lake.SESSIONS.raw_columns)], lake.SESSIONS.raw_columns)
    assert ParquetFile(pa.BufferReader(body)).schema_arrow.metadata == {b"pulse.format": b"3"}
