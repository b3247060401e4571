"""Trino, Athena's own engine, as the embedded Athena's executor, on moto's Glue and S3.

Athena engine version 3 is a Trino with AWS's connectors. Here a real Trino gets the query's text
unchanged. It reads through a Hive catalog whose metastore is moto's Glue and whose files are on
moto's S3 (trino_window), where it may read everything. So before that, all objects that the query
may read are listed and fetched with the caller's rights, which may be fewer. An UNLOAD is a CREATE
TABLE AS in a second catalog with files on local disk, which the engine uploads with the caller's
rights.
"""

# ruff: noqa: S608 - this module's work is to write SQL; names and texts in it are quoted

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from trino.dbapi import Connection, connect
from trino.exceptions import TrinoQueryError

from local.athena import clock
from local.athena.engine import MOST_PARTITIONS, Job, Piece, too_many_partitions
from local.athena.errors import StatementError
from local.athena.pruning import KeyFilter
from local.athena.queries import PATH, Output, QueryCompiler
from local.athena.results import TextRow, text_of
from local.athena.statement import Select, Unload, check_is_query, read_query
from local.athena.tables import NULL_PARTITION, GlueTable
from local.athena.trino_server import Server, at_hand
from local.athena.trino_types import from_trino
from local.athena.trino_window import Window, window

_USER = "pulse"
_open: Any = connect  # the client publishes no types
_CODECS = {"snappy": "SNAPPY", "gzip": "GZIP", "none": "NONE"}


@dataclass(frozen=True, slots=True)
class Effort:
    """The resources of a statement, as Trino reports them."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    read_bytes: int = 0
    """The bytes read from S3; of a Parquet file Trino reads only the columns that it needs."""


@dataclass
class TrinoExecutor:
    """A Trino with catalogs of this process's moto, for all executions of the process."""

    server: Server | None = None
    """A Trino that runs already; if None, `at_hand` finds or starts one."""
    effort: Effort = Effort()
    """The resources of the last statement."""
    _resources: ExitStack = field(default_factory=ExitStack)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _catalogs: dict[str, str] = field(default_factory=dict)
    _server: Server | None = None
    _window: Window | None = None
    _unloads: str = ""

    def close(self) -> None:
        """Stop the Trino that this executor started."""
        self._resources.close()

    def select(self, statement: Select, job: Job) -> tuple[tuple[Output, ...], list[TextRow]]:
        """The result's columns and rows."""
        connection = self._connection(statement, job)
        outputs, rows, self.effort = _executed(connection, statement.text)
        texts = [] if job.only_columns else [[text_of(cell) for cell in row] for row in rows]
        return outputs, texts

    def unload(self, statement: Unload, job: Job) -> Iterator[Piece]:
        """The files of each partition, in the order of the partitions' names."""
        connection = self._connection(statement, job)
        name = f"t{uuid.uuid4().hex}"
        table = f"{self._unloads}.x.{name}"
        properties = ["format = 'PARQUET'"]
        if statement.partitioned_by:
            keys = ", ".join(f"'{key}'" for key in statement.partitioned_by)
            properties.append(f"partitioned_by = ARRAY[{keys}]")
        query = f"SELECT * FROM ({statement.text}) LIMIT 0" if job.only_columns else statement.text
        _executed(
            connection,
            f"SET SESSION {self._unloads}.compression_codec = '{_CODECS[statement.compression]}'",
        )
        created = f"CREATE TABLE {table} WITH ({', '.join(properties)}) AS {query}"
        _, _, self.effort = _executed(connection, created)
        try:
            yield from _pieces(self._folder / "x" / name)
        finally:
            _executed(connection, f"DROP TABLE {table}")

    # ---- what is at hand

    def _connection(self, statement: Select | Unload, job: Job) -> Connection:
        """A connection whose default catalog is the caller's region of moto.

        Raises NotEmulatedError for anything but a query: Trino would run it, with all rights.
        """
        check_is_query(statement.text)
        with self._lock:
            if self._server is None:
                self._start()
            region = job.catalog.client.meta.region_name
            if region not in self._catalogs:
                self._catalogs[region] = self._reading_catalog(region)
            catalog = self._catalogs[region]
        _read_as_caller(statement.text, job)
        return self._connect(catalog, job.catalog.database)

    def _connect(self, catalog: str | None = None, schema: str | None = None) -> Connection:
        assert self._server is not None  # noqa: S101 - narrows for the type checker
        made: Connection = _open(
            host=self._server.host,
            port=self._server.port,
            user=_USER,
            catalog=catalog,
            schema=schema,
            timezone="UTC",
            request_timeout=600,
        )
        return made

    def _start(self) -> None:
        self._server = self.server or self._resources.enter_context(at_hand())
        self._window = self._resources.enter_context(window())
        self._unloads = f"unload_{uuid.uuid4().hex}"
        self._folder.mkdir(parents=True)
        self._create_catalog(
            self._unloads,
            {
                "hive.metastore": "file",
                "hive.metastore.catalog.dir": f"local:///{self._unloads}",
                "hive.metastore.disable-location-checks": "true",
                "hive.collect-column-statistics-on-write": "false",
                "hive.storage-format": "PARQUET",
                "fs.native-local.enabled": "true",
                "local.location": str(self._server.folder),
            },
        )
        _executed(self._connect(self._unloads), f"CREATE SCHEMA {self._unloads}.x")

    @property
    def _folder(self) -> Path:
        assert self._server is not None  # noqa: S101 - narrows for the type checker
        return self._server.folder / self._unloads

    def _reading_catalog(self, region: str) -> str:
        assert self._window is not None  # noqa: S101 - narrows for the type checker
        name = f"lake_{uuid.uuid4().hex}"
        self._create_catalog(
            name,
            {
                "hive.metastore": "glue",
                "hive.metastore.glue.endpoint-url": self._window.url,
                "hive.metastore.glue.region": region,
                "hive.metastore.glue.aws-access-key": self._window.access_key,
                "hive.metastore.glue.aws-secret-key": self._window.secret_key,
                "hive.partition-projection-enabled": "true",
                "hive.recursive-directories": "true",  # as Athena reads
                "fs.native-s3.enabled": "true",
                "s3.endpoint": self._window.url,
                "s3.region": region,
                "s3.path-style-access": "true",
                "s3.aws-access-key": self._window.access_key,
                "s3.aws-secret-key": self._window.secret_key,
            },
        )
        return name

    def _create_catalog(self, name: str, properties: Mapping[str, str]) -> None:
        """Make a catalog, which exists as long as this executor."""
        listed = ", ".join(f"\"{key}\" = '{value}'" for key, value in properties.items())
        _executed(self._connect(), f"CREATE CATALOG {name} USING hive WITH ({listed})")
        self._resources.callback(lambda: _executed(self._connect(), f"DROP CATALOG {name}"))


def _executed(
    connection: Connection, text: str
) -> tuple[tuple[Output, ...], Sequence[Sequence[Any]], Effort]:
    """Columns and rows of a statement, and its effort. Raises StatementError in Trino's words."""
    cursor = connection.cursor()
    try:
        cursor.execute(text)
        rows = cursor.fetchall()
    except TrinoQueryError as error:
        raise StatementError(f"{error.error_name}: {error.message}") from error
    columns = cursor.description or []
    told = cursor.stats
    effort = Effort(
        told["elapsedTimeMillis"] / 1000, told["cpuTimeMillis"] / 1000, told["physicalInputBytes"]
    )
    return tuple(Output(c.name, from_trino(c.type_code)) for c in columns), rows, effort


def _read_as_caller(text: str, job: Job) -> None:
    """Look up, list and fetch with the caller's rights everything that the query may read.

    For a query of the portable subset these are the partitions that its WHERE can need, for any
    other all tables that it names. Raises the error of a right that the caller lacks.
    """
    compiler = QueryCompiler(job.catalog)
    try:
        compiler.compile(read_query(text))
    except StatementError:
        tables = ((locations, KeyFilter()) for locations in _named_tables(text, job))
    else:
        tables = (
            (_locations(scan.table, scan.filters, job), scan.filters.get(PATH, KeyFilter()))
            for scan in compiler.scans
            if isinstance(scan.table, GlueTable)
        )
    for locations, of_path in tables:
        for some in job.store.data_objects(locations).values():
            for item in some:
                if of_path.admits(item.url):
                    job.store.fetch(item)


def _locations(table: GlueTable, filters: Mapping[str, KeyFilter], job: Job) -> list[str]:
    return [location for _, location in job.catalog.partitions(table, filters, clock.now())]


def _named_tables(text: str, job: Job) -> Iterator[list[str]]:
    """The locations of each table that a query names."""
    try:
        tree = parse_one(text, read="athena")
    except SqlglotError:
        return  # Trino will say what is wrong with it
    defined = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table.name and table.name not in defined:
            place = table.db or None, table.name.lower()
            try:
                yield _locations(job.catalog.table(*place), {}, job)
            except StatementError:  # not Parquet, or partitions that a WHERE has to name
                yield job.catalog.location(*place)


def _pieces(folder: Path) -> list[Piece]:
    """The files with rows. Raises StatementError if there are more partitions than Athena allows.

    Trino limits the partitions of each of its writers, Athena those of the statement.
    """
    files = sorted(file for file in folder.rglob("*") if _is_data(file, folder))
    if len({file.parent for file in files}) > MOST_PARTITIONS:
        raise too_many_partitions()
    return [
        Piece(_partition(file.relative_to(folder).parts[:-1]), file)
        for file in files
        if pq.ParquetFile(file).metadata.num_rows
    ]


def _is_data(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    return file.is_file() and not hidden


def _partition(folders: Sequence[str]) -> list[str | None]:
    """The values in the names of Hive's folders."""
    values = [unquote(folder.partition("=")[2]) for folder in folders]
    return [None if value == NULL_PARTITION else value for value in values]
