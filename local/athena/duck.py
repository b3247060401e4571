"""DuckDB as the embedded Athena's executor: compiles statements of the subset and runs them."""

# ruff: noqa: S608 - this module's work is to write SQL; names and texts in it are quoted

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from local.athena import clock
from local.athena.engine import MOST_PARTITIONS, Job, Piece, too_many_partitions
from local.athena.errors import NotEmulatedError, StatementError
from local.athena.expressions import identifier
from local.athena.objects import Copies
from local.athena.queries import Compiled, Output, QueryCompiler
from local.athena.results import TextRow, text_of
from local.athena.statement import Select, Unload, read_query
from local.athena.tables import Tables
from local.athena.trino_types import NULL, TrinoType, is_decimal

_ROWS_AT_ONCE = 10_000
_LEAST_MEMORY = 1_000_000_000
"""The least bytes that DuckDB may use; on most machines it may use a quarter of the memory."""
_DUCKDB_REASONS: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE: "),
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT: "),
    (duckdb.BinderException, "SYNTAX_ERROR: "),
)
# Trino's names of errors for which DuckDB has only one kind of exception.
_TRINO_NAMES = (
    (re.compile("Division by zero"), "DIVISION_BY_ZERO"),
    (re.compile("More than one row returned by a subquery"), "SUBQUERY_MULTIPLE_ROWS"),
    (re.compile("must appear in the GROUP BY clause"), "EXPRESSION_NOT_AGGREGATE"),
    (re.compile("HAVING clause cannot contain window"), "NESTED_WINDOW"),
    (re.compile("clause cannot contain (aggregate|window)"), "EXPRESSION_NOT_SCALAR"),
    (re.compile("aggregate function calls cannot be nested"), "NESTED_AGGREGATION"),
    (re.compile("Type INT(64|128) with value"), "NUMERIC_VALUE_OUT_OF_RANGE"),
)


class DuckExecutor:
    """DuckDB, for every execution of this process."""

    def __init__(self, copies: Copies) -> None:
        self.database = duckdb.connect(
            config={
                "threads": 2,
                "memory_limit": f"{_memory_bytes()}B",
                "temp_directory": str(copies.folder / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def select(self, statement: Select, job: Job) -> tuple[tuple[Output, ...], list[TextRow]]:
        """The result's columns and rows."""
        with self._run(statement, job) as run:
            cursor = run.connection.execute(run.query.sql)
            rows: list[TextRow] = []
            while batch := cursor.fetchmany(_ROWS_AT_ONCE):
                rows += [[text_of(cell) for cell in row] for row in batch]
            return run.query.outputs, rows

    def unload(self, statement: Unload, job: Job) -> Iterator[Piece]:
        """One file for each partition, or one in all; nothing if there are no rows."""
        with self._run(statement, job) as run:
            _check_columns(run.query.outputs, statement.partitioned_by)
            run.connection.execute(f"CREATE TEMP TABLE unloaded AS {run.in_order(statement)}")
            yield from run.pieces(statement)

    @contextmanager
    def _run(self, statement: Select | Unload, job: Job) -> Iterator["_Run"]:
        """The statement, compiled, on a connection of its own."""
        connection = self.database.cursor()
        try:
            yield _Run(job, connection, _compiled(statement, job))
        except duckdb.Error as error:
            raise StatementError(_reason(error)) from error
        except RecursionError as error:
            raise NotEmulatedError("this statement", "it is nested too deeply") from error
        finally:
            connection.close()


def _memory_bytes() -> int:
    """How much memory DuckDB may use before it uses the disk, which takes several times as long."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(_LEAST_MEMORY, machine // 4)


def _compiled(statement: Select | Unload, job: Job) -> Compiled:
    """The query as DuckDB text, which begins with what it reads; the objects are there."""
    compiler = QueryCompiler(job.catalog)
    compiled = compiler.compile(read_query(statement.text))
    tables = Tables(job.catalog, job.store, clock.now())
    # not as views: DuckDB takes milliseconds to make one
    scans = ", ".join(
        f"{identifier(scan.name)} AS NOT MATERIALIZED ({tables.query(scan)})"
        for scan in compiler.scans
    )
    sql = compiled.sql
    if job.only_columns:
        sql = f"SELECT * FROM ({sql}) LIMIT 0"
    if scans and sql.startswith("WITH "):
        sql = f"WITH {scans}, {sql.removeprefix('WITH ')}"
    elif scans:
        sql = f"WITH {scans} {sql}"
    return Compiled(sql, compiled.outputs)


def _reason(error: duckdb.Error) -> str:
    text = str(error).split("\n")[0].split(" Error: ", 1)[-1]
    for words, name in _TRINO_NAMES:
        if words.search(text):
            return f"{name}: {text}"
    prefix = next((p for kind, p in _DUCKDB_REASONS if isinstance(error, kind)), "")
    return prefix + text


@dataclass(frozen=True, slots=True)
class _Run:
    job: Job
    connection: duckdb.DuckDBPyConnection
    query: Compiled

    def in_order(self, statement: Unload) -> str:
        """The query with its rows sorted by all columns, partition by partition.

        So the same input gives the same bytes. The statement's own order is not kept, as Trino's
        CREATE TABLE AS does not keep it.
        """
        keys = statement.partitioned_by
        names = [*keys, *(o.name for o in self.query.outputs if o.name not in keys)]
        return f"SELECT {', '.join(map(identifier, names))} FROM ({self.query.sql}) ORDER BY ALL"

    def pieces(self, statement: Unload) -> Iterator[Piece]:
        """The files of the table `unloaded`."""
        keys = [identifier(name) for name in statement.partitioned_by]
        plain = [
            identifier(o.name) for o in self.query.outputs if o.name not in statement.partitioned_by
        ]
        for index, values in enumerate(self._partitions(keys)):
            file = self.job.folder / f"unload-{index}.parquet"
            # DuckDB filters by "=" while it reads, and by IS NOT DISTINCT FROM only afterwards
            conditions = [
                f"{key} {'IS NULL' if value is None else '= ?'}"
                for key, value in zip(keys, values, strict=True)
            ]
            where = " AND ".join(conditions) or "true"
            self.connection.execute(
                f"COPY (SELECT {', '.join(plain)} FROM unloaded WHERE {where}) "
                f"TO '{file}' (FORMAT parquet, COMPRESSION {_codec(statement.compression)})",
                [value for value in values if value is not None],
            )
            yield Piece([text_of(value) for value in values], file)

    def _partitions(self, keys: Sequence[str]) -> list[tuple[object, ...]]:
        """The values of every partition that the result has."""
        if not keys:
            count = self.connection.execute("SELECT count(*) FROM unloaded").fetchone()
            return [()] if count and count[0] else []
        found = self.connection.execute(
            f"SELECT DISTINCT {', '.join(keys)} FROM unloaded ORDER BY ALL "
            f"LIMIT {MOST_PARTITIONS + 1}"
        ).fetchall()
        if len(found) > MOST_PARTITIONS:
            raise too_many_partitions()
        for value in (value for values in found for value in values):
            _check_partition_value(text_of(value) or "")
        return found


def _check_columns(outputs: Sequence[Output], keys: Sequence[str]) -> None:
    """Raise StatementError for columns that UNLOAD cannot write."""
    names = [output.name for output in outputs]
    if not all(output.named for output in outputs):
        position = next(i for i, output in enumerate(outputs, 1) if not output.named)
        raise StatementError(
            f"MISSING_COLUMN_NAME: Column name not specified at position {position}"
        )
    if len(set(names)) < len(names):
        raise StatementError("DUPLICATE_COLUMN_NAME: Column name specified more than once")
    if unknown := [output.name for output in outputs if output.type == NULL]:
        raise StatementError(f"COLUMN_TYPE_UNKNOWN: Column type is unknown: {unknown[0]}")
    if keys and len(keys) == len(names):
        raise StatementError("INVALID_TABLE_PROPERTY: Table contains only partition columns")
    if keys and names[-len(keys) :] != list(keys):
        raise StatementError(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and "
            f"in the same order as the table properties: [{', '.join(keys)}]"
        )
    for output in outputs[len(outputs) - len(keys) :] if keys else ():
        if not _names_folders(output.type):
            raise NotEmulatedError(
                f"partitions by {output.name} of type {output.type}", "their names may differ"
            )


def _check_partition_value(text: str) -> None:
    """Raise StatementError for a text that Hive's partitions cannot have."""
    if not all(" " <= char <= "~" for char in text):
        raise StatementError(
            "HIVE_INVALID_PARTITION_VALUE: Hive partition keys can only contain printable ASCII "
            f"characters (0x20 - 0x7E). Invalid value: {text.encode().hex(' ').upper()}"
        )


def _names_folders(kind: TrinoType) -> bool:
    return not (kind.parts or is_decimal(kind) or kind.name == "double")


def _codec(compression: str) -> str:
    return "uncompressed" if compression == "none" else compression
