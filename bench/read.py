"""serve_reports: how long a report takes, against one GET and against what else could answer.

The lake lies behind S3 that takes 25 ms to its first byte (slow_s3). Ours is the function's code
from API Gateway's event to its answer, with the key and the tenant known, as they are for a
minute after each first question; the tenant-years are fetched and read anew each time. All
answers are compared before anything is timed.
"""

# ruff: noqa: S608 - the statement is put together from the lake's own names

import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from bench import slow_s3
from bench.account import Account, deployed
from bench.data import TENANTS, Responses, tenant_of_size
from bench.engines import (
    Answer,
    ClickHouse,
    DuckDBOnFiles,
    DuckDBOnS3,
    Engine,
    PostgreSQL,
    postgresql,
)
from bench.measure import Goal, Part, Scale, Times, in_turns
from pulse import days, lake
from pulse.days import DateRange
from pulse.http import Door, Route, answer
from pulse.reports import tenant_year
from pulse.serve.dimensions import DisplayNames
from pulse.serve.service import Reports
from pulse.serve.years import Years
from pulse.store.clients import client
from pulse.store.names import Names
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory
from pulse.tenants.tenant import YearState

DELAY_MS = 25
BUCKET = "lake"
LARGEST = "largest"
POSTGRES_ROWS = 20_000_000
"""The most that PostgreSQL is given: loading more would take longer than all the rest."""
RANGES = {
    "a day": DateRange(date(2025, 12, 10), date(2025, 12, 10)),
    "a year": DateRange(date(2025, 1, 1), date(2025, 12, 31)),
    "three years": DateRange(date(2023, 1, 1), date(2025, 12, 31)),
}
YEAR = RANGES["a year"]


@dataclass
class Pulse:
    """serve_reports with nothing of the lake in memory, on the slow S3."""

    table: str
    keys: dict[str, str]
    """Report keys by tenant."""
    name: str = "Pulse"
    directory: Directory = field(init=False)
    gets: int = 0
    """GETs of objects so far."""

    def __post_init__(self) -> None:
        self.directory = Directory(Tenants(self.table, hurried=True))
        events = client("s3", hurried=True).meta.events
        events.register("before-send.s3.GetObject", self._count)

    def answer(self, tenant: str, dates: DateRange) -> Answer:
        """The report `geo`, by country."""
        rows = self.ask(self.cold(), tenant, dates)["rows"]
        return {
            (row["metric"], row["scale"], row["country"]): (row["responses"], row["average"])
            for row in rows
        }

    def cold(self) -> Route:
        """The route of a report in a process that has read no object yet."""
        names = DisplayNames(self.directory, Names(self.table, hurried=True))
        reports = Reports(self.directory, Years(Objects(BUCKET, hurried=True)), names)
        return reports.routes["GET /v1/reports/{report}"]

    def ask(self, route: Route, tenant: str, dates: DateRange) -> dict[str, list[dict[str, Any]]]:
        """The reply's JSON. Raises RuntimeError for anything but 200."""
        event = _event(self.keys[tenant], dates)
        reply = answer({"GET /v1/reports/{report}": route}, event, Door(""))
        if reply["statusCode"] != 200:
            raise RuntimeError(reply["body"])
        found: dict[str, list[dict[str, Any]]] = json.loads(reply["body"], parse_float=Decimal)
        return found

    def _count(self, **_: object) -> None:
        self.gets += 1


def run(scale: Scale) -> Part:
    """Every range, every way to answer it."""
    typical = tenant_of_size(scale.typical_rows, scale.raw_rows_a_year)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulse-bench-")))
        bucket = root / BUCKET
        stored = _store(scale, bucket, typical)
        endpoint_url = stack.enter_context(slow_s3.serving(root, DELAY_MS))
        account = stack.enter_context(deployed(AWS_ENDPOINT_URL_S3=endpoint_url))
        pulse = _pulse(account, stored)
        engines: list[Engine] = [DuckDBOnS3(bucket, endpoint_url), DuckDBOnFiles(bucket)]
        absent = []
        if ClickHouse.installed():
            engines += [ClickHouse(bucket, endpoint_url), ClickHouse(bucket)]
        else:
            absent.append(("ClickHouse on raw", "not installed"))
        database = stack.enter_context(postgresql())
        if database is None:
            absent.append((PostgreSQL.name, "not installed"))
        elif scale.raw_rows_a_year * scale.raw_days // 365 > POSTGRES_ROWS:
            absent.append((PostgreSQL.name, f"not loaded: more than {POSTGRES_ROWS:,} rows"))
        else:
            database.load(bucket)
            engines.append(database)
        part = _part(scale, pulse, engines, typical)
        return replace(part, rows=(*part.rows, *((*one, "", "") for one in absent)))


# -- what is stored


@dataclass(frozen=True)
class _Stored:
    """A tenant-year object that lies in the lake."""

    tenant: str
    year: int
    size: int


def _store(scale: Scale, bucket: Path, typical: str) -> list[_Stored]:
    """Raw of all tenants, and the tenant-years of the two that are asked for."""
    raw = _until_the_end(scale.raw_rows_a_year, scale.raw_days, TENANTS)
    raw.write(bucket)
    years = sorted({day.year for day in raw.dates})
    stored = [_put_year(bucket, bucket, typical, year) for year in years]
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as other:
        alone = _until_the_end(scale.largest_rows, min(scale.raw_days, 365), (LARGEST,))
        alone.write(Path(other))
        stored.append(_put_year(Path(other), bucket, LARGEST, YEAR.end.year))
    return stored


def _until_the_end(rows_a_year: int, days: int, tenants: tuple[str, ...]) -> Responses:
    first = YEAR.end - timedelta(days=days - 1)
    return Responses(rows_a_year * days // 365, first, days, tenants)


def _put_year(raw: Path, bucket: Path, tenant: str, year: int) -> _Stored:
    """What the two builders make of raw, by one statement of DuckDB and build_reports' own code."""
    counts = ", ".join(
        f"count(*) FILTER (WHERE score = {score}) AS {name}"
        for score, name in enumerate(lake.SCORE_COUNTS)
    )
    dimensions = ", ".join(lake.SCORES.dimensions)
    piece = bucket.parent / "piece.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (
                SELECT {dimensions}, CAST(dt AS date) AS day, {counts}
                FROM (
                    SELECT *, row_number() OVER (
                        PARTITION BY dt, survey, key_kind, response_id
                        ORDER BY received_us DESC, content_hash DESC
                    ) AS place
                    FROM read_parquet('{raw}/raw/responses/dt={year}-*/*.parquet',
                        hive_partitioning=true, hive_types={{dt: VARCHAR}})
                    WHERE tenant = '{tenant}'
                )
                WHERE place = 1
                GROUP BY ALL
            ) TO '{piece}' (FORMAT parquet)
        """)
    body = tenant_year.arrange(lake.SCORES, [piece.read_bytes()]).body
    piece.unlink()
    path = bucket / lake.report_key(lake.SCORES, tenant, year)
    path.parent.mkdir(parents=True, exist_ok=True)
    return _Stored(tenant, year, path.write_bytes(body))


def _pulse(account: Account, stored: list[_Stored]) -> Pulse:
    """serve_reports on the table, which knows the tenants and which of their years exist."""
    keys = {}
    for tenant in dict.fromkeys(one.tenant for one in stored):
        account.tenant(tenant)
        keys[tenant] = account.key(tenant, "report")
    for one in stored:
        first = date(one.year, 1, 1)
        state = YearState("bench", days.now_us(), first, published=True)
        account.tenants.set_year(one.tenant, lake.SCORES.name, one.year, state, before=None)
    return Pulse(account.environment("ServeReports")["PULSE_TABLE"], keys)


# -- what is measured


def _part(scale: Scale, pulse: Pulse, engines: list[Engine], typical: str) -> Part:
    objects = Objects(BUCKET, hurried=True)
    key = lake.report_key(lake.SCORES, typical, YEAR.start.year)
    _agree(pulse, engines, typical)
    gets = _gets(pulse, typical, YEAR)
    warm = pulse.cold()

    single = "a single GET of the typical tenant's year"
    ours: dict[str, Callable[[], object]] = {single: lambda: objects.get(key)}
    for name, dates in RANGES.items():
        ours[f"Pulse, typical tenant, {name}"] = _asking(pulse, typical, dates)
    ours["Pulse, typical tenant, a year, in memory"] = lambda: pulse.ask(warm, typical, YEAR)
    ours["Pulse, largest tenant, a year"] = _asking(pulse, LARGEST, YEAR)
    taken = in_turns(scale.rounds, ours)
    one = taken[single].median
    rows: list[tuple[str, ...]] = [
        (name, times.text, f"{times.median / one:.2f}", "") for name, times in taken.items()
    ]

    least: dict[str, float] = {}
    for name, dates in RANGES.items():
        ways = {way.name: _answering(way, typical, dates) for way in (pulse, *engines)}
        against = in_turns(_engine_rounds(scale), ways)
        mine = against[pulse.name].median
        for way, times in against.items():
            factor = times.median / mine
            rows.append(
                (f"{way}, {name}", times.text, f"{times.median / one:.2f}", f"{factor:.1f}")
            )
            if "S3" in way:
                least[name] = min(least.get(name, factor), factor)
    return _told(scale, rows, taken, single, gets, least)


def _told(
    scale: Scale,
    rows: list[tuple[str, ...]],
    taken: dict[str, Times],
    single: str,
    gets: int,
    least: dict[str, float],
) -> Part:
    real = scale.name != "tiny"
    one = taken[single].median
    typical = taken["Pulse, typical tenant, a year"].median / one
    largest = taken["Pulse, largest tenant, a year"].median / one
    return Part(
        title="serve_reports: latency",
        about=f"{scale.raw_rows_a_year:,} responses a year of 200 tenants, three years; the "
        f"typical tenant has about {scale.typical_rows:,} of them a year, the largest "
        f"{scale.largest_rows:,} (raw of its own). S3 takes {DELAY_MS} ms to the first byte. "
        "Pulse: from the event to the answer, objects fetched anew. Engines are told the objects "
        "to read; raw is one sorted object a day, as compaction leaves it. They may wait for S3 "
        "with 16 threads; on local files they use two, have no delay at all, and the files are in "
        "the page cache. PostgreSQL is on this machine without a network, and nothing is written "
        f"meanwhile. Beyond the first six lines, {_engine_rounds(scale)} rounds.",
        header=("what", "median (p5-p95)", "times a single GET", "times Pulse"),
        rows=tuple(rows),
        goals=(
            Goal("a year of a typical tenant takes at most 2 GETs", str(gets), gets <= 2),
            Goal(
                "it takes at most 1.5 times a single GET",
                f"{typical:.2f}",
                typical <= 1.5 if real else None,
            ),
            Goal(
                "the largest tenant's year at most 8 times a single GET",
                f"{largest:.2f}",
                largest <= 8 if real else None,
            ),
            Goal(
                "a year at least 10 times faster than either engine on raw",
                f"{least['a year']:.1f} times the faster one",
                least["a year"] >= 10 if real else None,
            ),
            Goal(
                "three years at least 10 times faster than either engine on raw",
                f"{least['three years']:.1f} times the faster one",
                least["three years"] >= 10 if real else None,
            ),
        ),
    )


def _engine_rounds(scale: Scale) -> int:
    return max(2, scale.rounds // 12)


def _asking(pulse: Pulse, tenant: str, dates: DateRange) -> Callable[[], object]:
    return lambda: pulse.ask(pulse.cold(), tenant, dates)


def _answering(way: Engine, tenant: str, dates: DateRange) -> Callable[[], object]:
    return lambda: way.answer(tenant, dates)


def _agree(pulse: Pulse, engines: list[Engine], tenant: str) -> None:
    """Raises RuntimeError unless all give the same answer for every range."""
    for name, dates in RANGES.items():
        wanted = pulse.answer(tenant, dates)
        for engine in engines:
            if engine.answer(tenant, dates) != wanted:
                raise RuntimeError(f"{engine.name} answers something else for {name}")


def _gets(pulse: Pulse, tenant: str, dates: DateRange) -> int:
    before = pulse.gets
    pulse.ask(pulse.cold(), tenant, dates)
    return pulse.gets - before


def _event(key: str, dates: DateRange) -> dict[str, object]:
    """A dashboard's request, as API Gateway hands it over."""
    return {
        "version": "2.0",
        "routeKey": "GET /v1/reports/{report}",
        "rawPath": "/v1/reports/geo",
        "rawQueryString": f"start_date={dates.start}&end_date={dates.end}&group_by=country",
        "headers": {"authorization": f"Bearer {key}"},
        "pathParameters": {"report": "geo"},
        "requestContext": {
            "http": {"method": "GET", "path": "/v1/reports/geo", "sourceIp": "203.0.113.7"},
            "requestId": "bench",
        },
    }
