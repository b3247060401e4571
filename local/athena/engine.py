"""One execution: a statement's text in, objects on S3 and rows out."""

# ruff: noqa: S608 - this module's work is to write SQL; names and texts in it are quoted

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import duckdb
from botocore.exceptions import ClientError
from sqlglot import exp

from local.athena.errors import NotEmulatedError, StatementError
from local.athena.expressions import identifier
from local.athena.objects import Copies, Store
from local.athena.queries import Compiled, Output, QueryCompiler
from local.athena.results import TextRow, csv_of, text_of
from local.athena.statement import Unload, read_statement
from local.athena.tables import NULL_PARTITION, GlueCatalog, Tables
from local.athena.trino_types import NULL, TrinoType, is_decimal
from pulse import days

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

MOST_PARTITIONS = 100
_ROWS_AT_ONCE = 10_000
# What Hive escapes in the name of a partition's folder.
_ESCAPED = frozenset("\"#%'*/:=?\\{[]^\x7f") | {chr(code) for code in range(1, 32)}
_DUCKDB_REASONS: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE: "),
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT: "),
    (duckdb.BinderException, "SYNTAX_ERROR: "),
)


@dataclass(frozen=True, slots=True)
class Request:
    """What StartQueryExecution asked for. `output` ends in a slash."""

    execution_id: str
    text: str
    parameters: Sequence[str]
    database: str
    output: str
    only_columns: bool = False
    """For tests: come back without any row."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked: the access key, and clients that use it."""

    access_key: str
    s3: "S3Client"
    glue: "GlueClient"


@dataclass(slots=True)
class Outcome:
    """How an execution ended. `reason` is None if it succeeded."""

    output_location: str
    reason: str | None = None
    manifest: str | None = None
    outputs: tuple[Output, ...] = ()
    rows: list[TextRow] = field(default_factory=list)
    scanned_bytes: int = 0


class Engine:
    """DuckDB and the copies of S3's objects, for every execution of this process."""

    def __init__(self) -> None:
        self.copies = Copies()
        self.database = duckdb.connect(
            config={
                "threads": 2,
                "memory_limit": "1GB",
                "temp_directory": str(self.copies.folder / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )

    def run(self, request: Request, caller: Caller) -> Outcome:
        """Execute the statement as the caller. Never raises: what went wrong is the reason."""
        outcome = Outcome(f"{request.output}{request.execution_id}.csv")
        try:
            with self._execution(request, caller) as execution:
                try:
                    execution.run(outcome)
                finally:
                    outcome.scanned_bytes = execution.store.scanned_bytes
        except StatementError as error:
            outcome.reason = str(error)
        except duckdb.Error as error:
            outcome.reason = _reason(error)
        except ClientError as error:
            outcome.reason = _refusal(error)
        except RecursionError:
            outcome.reason = str(NotEmulatedError("this statement", "it is nested too deeply"))
        except Exception as error:  # a mistake of ours: an execution says so, a poller goes on
            outcome.reason = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
        return outcome

    @contextmanager
    def _execution(self, request: Request, caller: Caller) -> Iterator["_Execution"]:
        """An execution with its own connection and folder, both gone afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.copies.folder))
        connection = self.database.cursor()
        try:
            store = Store(caller.s3, caller.access_key, self.copies, folder)
            yield _Execution(request, store, GlueCatalog(caller.glue, request.database), connection)
        finally:
            connection.close()
            shutil.rmtree(folder, ignore_errors=True)


def _reason(error: duckdb.Error) -> str:
    text = str(error).split("\n")[0].split(" Error: ", 1)[-1]
    if "Division by zero" in text:
        return "DIVISION_BY_ZERO: Division by zero"
    prefix = next((p for kind, p in _DUCKDB_REASONS if isinstance(error, kind)), "")
    return prefix + text


def _refusal(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code", "")
    if "AccessDenied" in code or code == "403":
        return f"PERMISSION_DENIED: Insufficient permissions to execute the query. {error}"
    return f"GENERIC_USER_ERROR: {error}"


@dataclass(slots=True)
class _Execution:
    request: Request
    store: Store
    catalog: GlueCatalog
    connection: duckdb.DuckDBPyConnection

    def run(self, outcome: Outcome) -> None:
        """Execute, write the result objects, fill the outcome in."""
        statement = read_statement(self.request.text, self.request.parameters)
        if isinstance(statement, Unload):
            self._unload(statement, outcome)
        else:
            self._select(self._compiled(statement.query), outcome)

    def _compiled(self, query: exp.Expr) -> Compiled:
        """The query as DuckDB text, the views that it reads made."""
        compiler = QueryCompiler(self.catalog)
        compiled = compiler.compile(query)
        tables = Tables(self.catalog, self.store, self.connection, days.now())
        for scan in compiler.scans:
            tables.create_view(scan)
        if self.request.only_columns:
            return Compiled(f"SELECT * FROM ({compiled.sql}) LIMIT 0", compiled.outputs)
        return compiled

    # ---- SELECT

    def _select(self, query: Compiled, outcome: Outcome) -> None:
        outcome.outputs = query.outputs
        cursor = self.connection.execute(query.sql)
        while batch := cursor.fetchmany(_ROWS_AT_ONCE):
            outcome.rows += [[text_of(cell) for cell in row] for row in batch]
        header: TextRow = [output.name for output in query.outputs]
        self.store.put(outcome.output_location, csv_of([header, *outcome.rows]))
        self.store.put(f"{outcome.output_location}.metadata", b"")

    # ---- UNLOAD

    def _unload(self, statement: Unload, outcome: Outcome) -> None:
        outcome.output_location = f"{self.request.output}{self.request.execution_id}"
        if not self.store.is_empty(statement.target):
            raise StatementError(
                "HIVE_PATH_ALREADY_EXISTS: Target directory for table "
                f"'awsdatacatalog.{self.request.database}' already exists: {statement.target}"
            )
        query = self._compiled(statement.query)
        _check_columns(query.outputs, statement.partitioned_by)
        self.connection.execute(f"CREATE TEMP TABLE unloaded AS {_in_order(statement, query)}")
        urls = list(self._write_partitions(statement, query.outputs))
        outcome.manifest = f"{outcome.output_location}-manifest.csv"
        self.store.put(outcome.manifest, "".join(f"{url}\n" for url in urls).encode())
        self.store.put(f"{outcome.output_location}.metadata", b"")

    def _write_partitions(self, statement: Unload, outputs: Sequence[Output]) -> Iterator[str]:
        """Write one object per partition, or one in all; nothing if there are no rows."""
        keys = [identifier(name) for name in statement.partitioned_by]
        plain = [identifier(o.name) for o in outputs if o.name not in statement.partitioned_by]
        stamp = f"{days.now():%Y%m%d_%H%M%S}"
        for index, values in enumerate(self._partitions(keys)):
            folder = "".join(
                f"{name}={_folder_name(value)}/"
                for name, value in zip(statement.partitioned_by, values, strict=True)
            )
            file = self.store.folder / f"unload-{index}.parquet"
            # "=" rather than IS NOT DISTINCT FROM: it is looked for before the rows are read
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
            url = f"{statement.target}{folder}{stamp}_{index:05d}_{self.request.execution_id}"
            self.store.put_file(url, file)
            yield url

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
            raise StatementError(
                f"HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of {MOST_PARTITIONS} open writers "
                "for partitions/buckets"
            )
        return found


def _in_order(statement: Unload, query: Compiled) -> str:
    """The query whose rows lie in the order in which they are to be written.

    That is the statement's own; without one it is an order of ours, partition by partition, so
    that the same input gives the same bytes (Athena promises no order either way).
    """
    if statement.query.args.get("order"):
        return query.sql
    keys = statement.partitioned_by
    names = [*keys, *(o.name for o in query.outputs if o.name not in keys)]
    return f"SELECT {', '.join(map(identifier, names))} FROM ({query.sql}) ORDER BY ALL"


def _check_columns(outputs: Sequence[Output], keys: Sequence[str]) -> None:
    """Raises StatementError for columns that UNLOAD cannot write."""
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
    if keys and (names[-len(keys) :] != list(keys) or len(keys) == len(names)):
        raise StatementError(
            "INVALID_TABLE_PROPERTY: Partition keys must be the last columns, in the order of "
            "partitioned_by, and not the only ones"
        )
    for output in outputs[len(outputs) - len(keys) :] if keys else ():
        if not _names_folders(output.type):
            raise NotEmulatedError(
                f"partitions by {output.name} of type {output.type}", "their names may differ"
            )


def _names_folders(kind: TrinoType) -> bool:
    return not (kind.parts or is_decimal(kind) or kind.name == "double")


def _folder_name(value: object) -> str:
    """A partition's value as Hive writes it into a folder's name."""
    text = text_of(value)
    if not text:
        return NULL_PARTITION
    return "".join(quote(char, safe="") if char in _ESCAPED else char for char in text)


def _codec(compression: str) -> str:
    return "uncompressed" if compression == "none" else compression
