"""Runs one execution: it takes a statement's text and writes objects on S3.

An Executor computes the rows: DuckDB (duck.py), or a real Trino (trino.py) if PULSE_ENGINE says so.
Everything else is the same for both: which objects are written, with whose rights and in which
order, and how an execution ends.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from botocore.exceptions import ClientError

from local.athena import clock
from local.athena.errors import StatementError
from local.athena.objects import Copies, Store
from local.athena.queries import Output
from local.athena.results import TextRow, csv_of
from local.athena.statement import Select, Unload, read_statement
from local.athena.tables import NULL_PARTITION, GlueCatalog

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

MOST_PARTITIONS = 100
# What Hive escapes in the name of a partition's folder.
_ESCAPED = frozenset("\"#%'*/:=?\\{[]^\x7f") | {chr(code) for code in range(1, 32)}


@dataclass(frozen=True, slots=True)
class Request:
    """A request of StartQueryExecution. `output` ends in a slash."""

    execution_id: str
    text: str
    parameters: Sequence[str]
    database: str
    output: str
    only_columns: bool = False
    """For tests: come back without any row."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of StartQueryExecution: the access key, and clients with its rights."""

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


@dataclass(frozen=True, slots=True)
class Job:
    """What an executor uses: S3 and Glue with the caller's rights, and a folder of its own."""

    catalog: GlueCatalog
    store: Store
    only_columns: bool

    @property
    def folder(self) -> Path:
        """The folder of the execution's local files, which is removed at its end."""
        return self.store.folder


@dataclass(frozen=True, slots=True)
class Piece:
    """A Parquet file of an UNLOAD, on local disk."""

    partition: Sequence[str | None]
    """The text of each partition key's value; None is NULL."""
    file: Path


class Executor(Protocol):
    """Computes what a query means over the tables of a lake."""

    def select(self, statement: Select, job: Job) -> tuple[tuple[Output, ...], list[TextRow]]:
        """The result's columns and rows. Raises StatementError for what Athena would refuse."""
        ...

    def unload(self, statement: Unload, job: Job) -> Iterator[Piece]:
        """The result as files by partition. Raises StatementError for what Athena would refuse."""
        ...

    def close(self) -> None:
        """Free all resources; it executes nothing afterwards."""
        ...


class Engine:
    """An executor and the copies of S3's objects, for every execution of this process."""

    def __init__(self, executor: Executor, copies: Copies) -> None:
        self.executor = executor
        self.copies = copies

    def run(self, request: Request, caller: Caller) -> Outcome:
        """Execute the statement with the caller's rights. Never raises: the outcome says why."""
        outcome = Outcome(f"{request.output}{request.execution_id}.csv")
        try:
            with self._job(request, caller) as job:
                try:
                    self._execute(request, job, outcome)
                finally:
                    outcome.scanned_bytes = job.store.scanned_bytes
        except StatementError as error:
            outcome.reason = str(error)
        except ClientError as error:
            outcome.reason = _refusal(error)
        except Exception as error:  # a bug of ours must end the execution, too
            outcome.reason = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
        return outcome

    @contextmanager
    def _job(self, request: Request, caller: Caller) -> Iterator[Job]:
        """The job with a folder of its own, which is gone afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.copies.folder))
        try:
            store = Store(caller.s3, caller.access_key, self.copies, folder)
            yield Job(GlueCatalog(caller.glue, request.database), store, request.only_columns)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _execute(self, request: Request, job: Job, outcome: Outcome) -> None:
        """Execute, write the result objects, fill the outcome in."""
        statement = read_statement(request.text, request.parameters)
        if isinstance(statement, Unload):
            self._unload(statement, request, job, outcome)
        else:
            self._select(statement, job, outcome)
        job.store.put(f"{outcome.output_location}.metadata", b"")

    def _select(self, statement: Select, job: Job, outcome: Outcome) -> None:
        outcome.outputs, outcome.rows = self.executor.select(statement, job)
        header: TextRow = [output.name for output in outcome.outputs]
        job.store.put(outcome.output_location, csv_of([header, *outcome.rows]))

    def _unload(self, statement: Unload, request: Request, job: Job, outcome: Outcome) -> None:
        outcome.output_location = f"{request.output}{request.execution_id}"
        if not job.store.is_empty(statement.target):
            raise StatementError(
                "HIVE_PATH_ALREADY_EXISTS: Target directory for table "
                f"'awsdatacatalog.{request.database}' already exists: {statement.target}"
            )
        stamp = f"{clock.now():%Y%m%d_%H%M%S}"
        urls = []
        for index, piece in enumerate(self.executor.unload(statement, job)):
            keys = zip(statement.partitioned_by, piece.partition, strict=True)
            folder = "".join(f"{name}={folder_name(value)}/" for name, value in keys)
            url = f"{statement.target}{folder}{stamp}_{index:05d}_{request.execution_id}"
            job.store.put_file(url, piece.file)
            urls.append(url)
        outcome.manifest = f"{outcome.output_location}-manifest.csv"
        job.store.put(outcome.manifest, "".join(f"{url}\n" for url in urls).encode())


def too_many_partitions() -> StatementError:
    """The error of an UNLOAD into more than MOST_PARTITIONS."""
    return StatementError(
        f"HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of {MOST_PARTITIONS} open writers for "
        "partitions/buckets"
    )


def folder_name(text: str | None) -> str:
    """A partition's value as Hive writes it into a folder's name."""
    if not text:
        return NULL_PARTITION
    return "".join(quote(char, safe="") if char in _ESCAPED else char for char in text)


def _refusal(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code", "")
    if "AccessDenied" in code or code == "403":
        return f"PERMISSION_DENIED: Insufficient permissions to execute the query. {error}"
    return f"GENERIC_USER_ERROR: {error}"


def engine_name() -> str:
    """The executor of this process by PULSE_ENGINE: `duckdb`, which is the default, or `trino`.

    Raises ValueError for any other name.
    """
    name = os.environ.get("PULSE_ENGINE") or "duckdb"
    if name not in ("duckdb", "trino"):
        raise ValueError(f"PULSE_ENGINE is {name!r}: duckdb or trino")
    return name
