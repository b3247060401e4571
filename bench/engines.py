"""Other engines that could answer a report: they scan raw, or are a database with its rows.

All answer one question and have to agree: of one tenant and some days, the responses by metric,
scale and country, each identity counted once by its greatest version, and their mean score.
"""

# ruff: noqa: S608 - the statements are put together from this module's own words

import getpass
import io
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from pyarrow import csv, dataset, fs, parquet

from bench.account import REGION
from pulse.days import DateRange
from pulse.reports import metrics

Answer = dict[tuple[str, str, str], tuple[int, Decimal | None]]
"""(metric, scale, country) → responses and their mean score, to two decimals."""

THREADS = 2
S3_THREADS = 16
"""How many threads read: more than there are cores, since most of them wait for S3."""
RAW = "raw/responses"
_IDENTITY = "dt, survey, key_kind, response_id"
_VERSION = "received_us DESC, content_hash DESC"
_COLUMNS = (
    "tenant",
    "survey",
    "metric",
    "scale",
    "response_id",
    "key_kind",
    "received_us",
    "content_hash",
    "score",
    "country",
)


class Engine(Protocol):
    """An engine that can answer the question."""

    @property
    def name(self) -> str:
        """The engine's name, and where it reads from, as the page shows them."""

    def answer(self, tenant: str, dates: DateRange) -> Answer:
        """The answer. Nothing of an earlier one is kept but what the engine itself caches."""


def _question(source: str, tenant: str, dates: DateRange) -> str:
    """The question as a statement of DuckDB that selects from `source`."""
    return f"""
        SELECT metric, scale, country, count(*), sum(score)
        FROM (
            SELECT metric, scale, country, score
            FROM {source}
            WHERE tenant = '{tenant}' AND dt BETWEEN '{dates.start}' AND '{dates.end}'
            QUALIFY row_number() OVER (PARTITION BY {_IDENTITY} ORDER BY {_VERSION}) = 1
        )
        GROUP BY ALL
    """


def _answer(rows: Any) -> Answer:
    return {
        (metric, scale, country): (int(n), metrics.ratio(int(total), int(n)))
        for metric, scale, country, n, total in rows
    }


def _objects(bucket: Path, dates: DateRange) -> list[Path]:
    """The paths of the days' objects, so that engines need not list them."""
    day_of = {path: path.parent.name.removeprefix("dt=") for path in bucket.glob(f"{RAW}/*/*")}
    wanted = str(dates.start), str(dates.end)
    return sorted(path for path, day in day_of.items() if wanted[0] <= day <= wanted[1])


@dataclass(frozen=True)
class DuckDBOnFiles:
    """DuckDB on local files, which are read without the delay that any lake has."""

    bucket: Path
    name: str = "DuckDB on raw, local files"

    def answer(self, tenant: str, dates: DateRange) -> Answer:
        """The answer of a new database."""
        paths = [str(path) for path in _objects(self.bucket, dates)]
        source = f"read_parquet({paths}, hive_partitioning=true, hive_types={{dt: VARCHAR}})"
        with duckdb.connect(config={"threads": THREADS}) as connection:
            return _answer(connection.execute(_question(source, tenant, dates)).fetchall())


@dataclass(frozen=True)
class DuckDBOnS3:
    """DuckDB over Arrow's S3 client, which reads ahead; filters are pushed into the scan.

    DuckDB's own S3 extension is not in its package.
    """

    bucket: Path
    endpoint_url: str
    name: str = "DuckDB on raw, S3"

    def answer(self, tenant: str, dates: DateRange) -> Answer:
        """The answer of a new database over a new data set."""
        s3 = fs.S3FileSystem(
            access_key="made-up",
            secret_key="made-up",  # noqa: S106 - of no account
            endpoint_override=self.endpoint_url.removeprefix("http://"),
            scheme="http",
            region=REGION,
        )
        root = self.bucket.parent
        paths = [str(path.relative_to(root)) for path in _objects(self.bucket, dates)]
        days = dataset.partitioning(pa.schema([("dt", pa.string())]), flavor="hive")
        raw = dataset.dataset(
            paths,
            filesystem=s3,
            format="parquet",
            partitioning=days,
            partition_base_dir=f"{self.bucket.name}/{RAW}",
        )
        pa.set_io_thread_count(2 * S3_THREADS)
        with duckdb.connect(config={"threads": S3_THREADS}) as connection:
            connection.register("objects", raw)
            return _answer(connection.execute(_question("objects", tenant, dates)).fetchall())


@dataclass(frozen=True)
class ClickHouse:
    """ClickHouse inside this process (chdb), on local files or through the slow S3."""

    bucket: Path
    endpoint_url: str = ""

    @property
    def name(self) -> str:
        """The engine's name, and where it reads from, as the page shows them."""
        return f"ClickHouse on raw, {'S3' if self.endpoint_url else 'local files'}"

    @staticmethod
    def installed() -> bool:
        """Is chdb installed, the package that ClickHouse comes in?"""
        return find_spec("chdb") is not None

    def answer(self, tenant: str, dates: DateRange) -> Answer:
        """The answer of a query that shares nothing with earlier ones."""
        chdb: Any = import_module("chdb")  # bench/requirements.in has it
        days = self._days(dates)
        if self.endpoint_url:
            url = f"{self.endpoint_url}/{self.bucket.name}/{RAW}/{days}/*.parquet"
            source = f"s3('{url}', 'made-up', 'made-up', 'Parquet')"
        else:
            source = f"file('{self.bucket}/{RAW}/{days}/*.parquet', 'Parquet')"
        threads = S3_THREADS if self.endpoint_url else THREADS
        query = f"""
            SELECT metric, scale, country, count(), sum(score)
            FROM (
                SELECT metric, scale, country, score
                FROM {source}
                WHERE tenant = '{tenant}'
                    AND toString(dt) BETWEEN '{dates.start}' AND '{dates.end}'
                ORDER BY {_VERSION}
                LIMIT 1 BY {_IDENTITY}
            )
            GROUP BY metric, scale, country
            SETTINGS max_threads = {threads}, use_hive_partitioning = 1
        """
        return _answer(json.loads(str(chdb.query(query, "JSONCompact")))["data"])

    def _days(self, dates: DateRange) -> str:
        """A glob of the days' folders: that of the one day, or those of whole years."""
        if dates.start == dates.end:
            return f"dt={dates.start}"
        if dates.start.year == dates.end.year:
            return f"dt={dates.start.year}-*"
        return f"dt={{{dates.start.year}..{dates.end.year}}}-*"


class PostgreSQL:
    """A table of raw's rows with an index on tenant and day; its server is on this machine."""

    name = "PostgreSQL, indexed table"

    def __init__(self, connection: Any) -> None:
        """Only `postgresql` calls this, once its server runs."""
        self._connection = connection

    def load(self, bucket: Path) -> None:
        """Copy every object's rows into the table, in the order in which they came."""
        execute = self._connection.execute
        texts = ", ".join(f"{name} text" for name in _COLUMNS if name not in _NUMBERS)
        execute(
            "CREATE UNLOGGED TABLE responses "
            f"(dt date, {texts}, received_us bigint, score smallint)"
        )
        names = ", ".join(("dt", *_COLUMNS))
        copy = f"COPY responses ({names}) FROM STDIN (FORMAT csv)"
        with self._connection.cursor() as cursor, cursor.copy(copy) as rows:
            for path in sorted(bucket.glob(f"{RAW}/*/*")):
                rows.write(_as_csv(path))
        execute("CREATE INDEX ON responses (tenant, dt)")
        execute("VACUUM (ANALYZE) responses")

    def answer(self, tenant: str, dates: DateRange) -> Answer:
        """The answer of one statement."""
        query = f"""
            SELECT metric, scale, country, count(*), sum(score)
            FROM (
                SELECT DISTINCT ON ({_IDENTITY}) metric, scale, country, score
                FROM responses
                WHERE tenant = %s AND dt BETWEEN %s AND %s
                ORDER BY {_IDENTITY}, {_VERSION}
            ) AS counted
            GROUP BY metric, scale, country
        """
        return _answer(self._connection.execute(query, (tenant, dates.start, dates.end)).fetchall())


_NUMBERS = ("received_us", "score")


def _as_csv(path: Path) -> bytes:
    table = parquet.ParquetFile(path).read(columns=list(_COLUMNS)).select(list(_COLUMNS))
    day = path.parent.name.removeprefix("dt=")
    table = table.add_column(0, "dt", [[day] * len(table)])
    sink = io.BytesIO()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False))
    return sink.getvalue()


@contextmanager
def postgresql() -> Iterator[PostgreSQL | None]:
    """Within the block an empty server runs; None where it or psycopg is not installed."""
    programs = _programs()
    if programs is None or find_spec("psycopg") is None:
        yield None
        return
    psycopg: Any = import_module("psycopg")  # bench/requirements.in has it
    # it refuses to run as root
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="pulse-bench-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    data = folder / "data"
    started = None
    try:
        _run([programs / "initdb", "-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8"], user)
        settings = ("fsync=off", "shared_buffers=1GB", "work_mem=64MB", "max_wal_size=8GB")
        command: list[Path | str] = [programs / "postgres", "-D", data, "-k", folder, "-h", ""]
        options = [word for setting in settings for word in ("-c", setting)]
        started = subprocess.Popen(  # noqa: S603 - what was found to be PostgreSQL
            [*command, *options],
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with _connected(psycopg, folder) as connection:
            yield PostgreSQL(connection)
    finally:
        if started:
            started.terminate()
            started.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    initdb = Path(on_path).resolve() if on_path else found[-1] if found else None
    return initdb.parent if initdb and (initdb.parent / "postgres").is_file() else None


def _run(command: list[Path | str], user: str) -> None:
    subprocess.run(  # noqa: S603 - what was found to be PostgreSQL
        command,
        user=user,
        cwd="/",
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _connected(psycopg: Any, folder: Path) -> Any:
    deadline = time.monotonic() + 30
    while True:
        with suppress(psycopg.OperationalError):
            return psycopg.connect(
                host=str(folder), user="bench", dbname="postgres", autocommit=True
            )
        if time.monotonic() > deadline:
            raise TimeoutError("PostgreSQL did not start within 30 seconds")
        time.sleep(0.1)
