"""Writes what DuckDB reads of Glue's tables: one query for each mention in a statement."""

# ruff: noqa: S608 - this module's work is to write SQL; names and texts in it are quoted

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from local.athena.errors import NotEmulatedError, StatementError
from local.athena.expressions import identifier, quoted
from local.athena.objects import Store
from local.athena.projection import is_projected, projected_partitions
from local.athena.pruning import KeyFilter, Value, parse_value
from local.athena.queries import PATH, Scan
from local.athena.trino_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    VARCHAR,
    TrinoType,
    from_glue,
    is_decimal,
    to_duckdb,
)

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import TableTypeDef

_MOST_SCHEMAS = 10_000
_LEAST_BYTES = 12
"""The bytes of the shortest Parquet file: a magic number at both ends, the footer's length."""
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_PLACE = "file_index"
"""DuckDB's virtual column with the index of the file that a row comes from, from 0."""


@dataclass(frozen=True, slots=True)
class GlueTable:
    """A table of the catalogue: its columns, its keys and its location."""

    database: str
    name: str
    columns: Mapping[str, TrinoType]
    keys: Mapping[str, TrinoType]
    location: str
    properties: Mapping[str, str]


class GlueCatalog:
    """Glue, read with the caller's rights; each table is read once in an execution."""

    def __init__(self, client: "GlueClient", database: str) -> None:
        self.client = client
        self.database = database.lower()
        self._tables: dict[tuple[str, str], GlueTable] = {}

    def table(self, database: str | None, name: str) -> GlueTable:
        """The table; raises StatementError if there is none or it is of a kind not handled."""
        place = (database or self.database, name)
        if place not in self._tables:
            self._tables[place] = self._read(*place)
        return self._tables[place]

    def _read(self, database: str, name: str) -> GlueTable:
        found = self._found(database, name)
        if found is None:
            raise StatementError(
                f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist"
            )
        return _described(found, database, name)

    def _found(self, database: str, name: str) -> "TableTypeDef | None":
        try:
            return self.client.get_table(DatabaseName=database, Name=name)["Table"]
        except self.client.exceptions.EntityNotFoundException:
            return None

    def location(self, database: str | None, name: str) -> list[str]:
        """The locations of a table of any kind; empty if there is no table, or it has none."""
        found = self._found(database or self.database, name)
        place = found and found.get("StorageDescriptor", {}).get("Location")
        return [place] if place else []

    def partitions(
        self, table: GlueTable, filters: Mapping[str, KeyFilter], now: dt.datetime
    ) -> list[tuple[tuple[str, ...], str]]:
        """Values and location of the partitions that the filters admit."""
        if not table.keys:
            return [((), table.location)]
        if is_projected(table.properties):
            return projected_partitions(table.keys, table.location, table.properties, filters, now)
        pages = self.client.get_paginator("get_partitions").paginate(
            DatabaseName=table.database, TableName=table.name, ExcludeColumnSchema=True
        )
        return [
            (tuple(p["Values"]), p["StorageDescriptor"]["Location"])
            for page in pages
            for p in page["Partitions"]
            if _admitted(table, p["Values"], filters)
        ]


def _described(found: "TableTypeDef", database: str, name: str) -> GlueTable:
    if found.get("TableType") == "VIRTUAL_VIEW":
        raise NotEmulatedError(f"the view {name}", "only tables are read")
    storage = found["StorageDescriptor"]
    serde = storage.get("SerdeInfo", {}).get("SerializationLibrary", "parquet")
    if "parquet" not in serde.lower():
        raise NotEmulatedError(f"table {name} in {serde}", "only Parquet is read")
    keys = {c["Name"].lower(): from_glue(c["Type"]) for c in found.get("PartitionKeys", [])}
    columns = {c["Name"].lower(): from_glue(c["Type"]) for c in storage.get("Columns", [])}
    return GlueTable(
        database,
        name,
        columns | keys,
        keys,
        storage.get("Location", ""),
        found.get("Parameters", {}),
    )


def _admitted(table: GlueTable, values: Sequence[str], filters: Mapping[str, KeyFilter]) -> bool:
    for (key, kind), text in zip(table.keys.items(), values, strict=True):
        if key in filters:
            value = _partition_value(text, kind)
            if value is None or not filters[key].admits(value):
                return False
    return True


def _partition_value(text: str, kind: TrinoType) -> Value | None:
    return None if text == NULL_PARTITION else parse_value(text, kind)


class Tables:
    """Fetches the objects that a compiled statement reads."""

    def __init__(self, catalog: GlueCatalog, store: Store, now: dt.datetime) -> None:
        self.catalog = catalog
        self.store = store
        self.now = now

    def query(self, scan: Scan) -> str:
        """Fetch the objects that the scan needs; return the query of their rows.

        Columns are found by name and have the types that Glue says; what a file lacks is NULL.
        """
        table = cast(GlueTable, scan.table)
        files = self._fetch(table, scan)
        columns = [n for n in table.columns if n in scan.columns and n not in table.keys]
        keys = [n for n in (*table.keys, PATH) if n in scan.columns]
        if not files:
            return _no_rows(table, [*columns, *keys])
        return _parquet_rows(table, columns, keys, files)

    def _fetch(self, table: GlueTable, scan: Scan) -> dict[Path, tuple[str, ...]]:
        """The local files to read, each with the values of its partition and its address."""
        partitions = self.catalog.partitions(table, scan.filters, self.now)
        objects = self.store.data_objects([location for _, location in partitions])
        files: dict[Path, tuple[str, ...]] = {}
        for values, location in partitions:
            for item in objects[location.rstrip("/") + "/"]:
                if not scan.filters.get(PATH, KeyFilter()).admits(item.url):
                    continue
                path = self.store.fetch(item)
                _check_file(path, item.url, table, scan.columns)
                files[path] = (*values, item.url)
        return files


def _parquet_rows(
    table: GlueTable,
    columns: list[str],
    keys: list[str],
    files: Mapping[Path, Sequence[str]],
) -> str:
    """The rows of the files, each with the values of its file's partition and its address.

    DuckDB has the index of each row's file, which is the same for all rows of a block. So it looks
    up a key's value once for a block, instead of joining each row with the files' names.
    """
    if keys and _PLACE in columns:
        raise NotEmulatedError(f"a column {_PLACE}", "DuckDB calls the place of a file so")
    schema = ", ".join(
        f"{quoted(n)}: {{name: {quoted(n)}, type: {quoted(to_duckdb(t))}, default_value: NULL}}"
        for n, t in ({n: table.columns[n] for n in columns} or {"_none": INTEGER}).items()
    )
    cells = [f"f.{identifier(n)}" for n in columns]
    for name in keys:
        place, key_type = [*table.keys, PATH].index(name), table.keys.get(name, VARCHAR)
        values = [_partition_value(of_file[place], key_type) for of_file in files.values()]
        listed = ", ".join("NULL" if value is None else quoted(str(value)) for value in values)
        kind = to_duckdb(key_type)
        cells.append(
            f"list_extract(CAST(CAST([{listed}] AS VARCHAR[]) AS {kind}[]), "
            f"CAST(f.{_PLACE} AS BIGINT) + 1) AS {identifier(name)}"
        )
    paths = ", ".join(quoted(str(path)) for path in files)
    return (
        f"SELECT {', '.join(cells) or '1 AS _none'} FROM read_parquet([{paths}], "
        f"schema=MAP {{{schema}}}, hive_partitioning=false) AS f"
    )


def _no_rows(table: GlueTable, columns: list[str]) -> str:
    types = {**table.columns, PATH: VARCHAR}
    cells = [f"CAST(NULL AS {to_duckdb(types[n])}) AS {identifier(n)}" for n in columns]
    return f"SELECT {', '.join(cells) or '1 AS _none'} WHERE false"


# ---- what a Parquet file may hold for a column of the table


def _check_file(path: Path, url: str, table: GlueTable, wanted: set[str]) -> None:
    """Raise StatementError, in Athena's words, if the file cannot be read as the table's rows.

    It cannot where it is no Parquet, or holds a wanted column with another type than the table's.
    """
    try:
        schema = _schema(path)
    except pa.ArrowInvalid as error:
        raise StatementError(
            f"HIVE_BAD_DATA: Malformed Parquet file. {_malformed(path.read_bytes(), url)} [{url}]"
        ) from error
    for field in schema:
        name = field.name.lower()
        if name not in wanted or name in table.keys:
            continue
        if not _fits(field.type, table.columns[name]):
            raise StatementError(
                f"HIVE_BAD_DATA: Field {name}'s type {field.type} in parquet file {url} is "
                f"incompatible with type {table.columns[name]} defined in table schema"
            )


_schemas: dict[str, pa.Schema] = {}


def _schema(path: Path) -> pa.Schema:
    """The schema of a file, which is read once: its name says what bytes it has."""
    schema = _schemas.get(path.name)
    if schema is None:
        schema = pq.read_schema(path)
        if len(_schemas) >= _MOST_SCHEMAS:
            _schemas.clear()
        _schemas[path.name] = schema
    return schema


def _malformed(body: bytes, url: str) -> str:
    """Trino's message for an object that is no Parquet."""
    if len(body) < _LEAST_BYTES:
        return f"{url} is not a valid Parquet File"
    return f"Expected magic number: PAR1 got: {body[-4:].decode(errors='replace')}"


def _fits(kind: Any, declared: TrinoType) -> bool:
    """Whether Athena reads an Arrow type (Any: one class per kind) as the declared one."""
    if declared.name == "map":
        return bool(pa.types.is_map(kind)) and all(
            _fits(k, d)
            for k, d in zip((kind.key_type, kind.item_type), declared.parts, strict=True)
        )
    if declared.name == "array":
        return bool(pa.types.is_list(kind)) and _fits(kind.value_type, declared.parts[0])
    if is_decimal(declared):
        return (
            bool(pa.types.is_decimal(kind))
            and kind.scale == declared.scale
            and kind.precision <= declared.precision
        )
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return kind in _FITTING.get(declared, ())


_FITTING: dict[TrinoType, tuple[pa.DataType, ...]] = {
    BOOLEAN: (pa.bool_(),),
    INTEGER: (pa.int8(), pa.int16(), pa.int32()),
    BIGINT: (pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    DOUBLE: (pa.float32(), pa.float64()),
    VARCHAR: (pa.string(), pa.large_string(), pa.string_view()),
    DATE: (pa.date32(),),
}
