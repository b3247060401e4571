"""Stores tenants' years in the lake as build_reports does, and asks serve_reports about them."""

# ruff: noqa: S608 - the statement is put together from the lake's own names

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.account import Account
from pulse import days, lake
from pulse.days import DateRange
from pulse.http import Door, Route, reply_to
from pulse.reports import tenant_year
from pulse.reports.rollups import ROLLUPS
from pulse.serve.dimensions import DisplayNames
from pulse.serve.service import Reports
from pulse.serve.statements import Statements
from pulse.serve.years import Years
from pulse.store.clients import client
from pulse.store.executions import Executions
from pulse.store.names import Names
from pulse.store.objects import Objects
from pulse.store.questions import Questions
from pulse.store.tenants import Tenants
from pulse.tenant_years.writing import bodies
from pulse.tenants.access import Directory
from pulse.tenants.tenant import CUBE, Part, YearState

BUCKET = "lake"
_REPORT = "GET /v1/reports/{report}"


def cube_of_raw(
    raw: Path, tenant: str, year: int, extra: Mapping[str, str] | None = None
) -> pa.Table:
    """What build_daily makes of a tenant's answers of a year, by one statement of DuckDB.

    The columns are those of the cube of scores, and `extra` ones: SQL by the name.
    """
    counts = ", ".join(
        f"count(*) FILTER (WHERE score = {score}) AS {name}"
        for score, name in enumerate(lake.SCORE_COUNTS)
    )
    more = "".join(f"{sql} AS {name}, " for name, sql in (extra or {}).items())
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder, duckdb.connect() as database:
        piece = Path(folder) / "piece.parquet"
        database.execute(f"""
            COPY (
                SELECT {", ".join(lake.SCORES.dimensions)}, {more}
                    CAST(dt AS date) AS day, {counts}
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
        if extra:
            return pq.read_table(piece)
        return tenant_year.read(lake.SCORES, ROLLUPS[lake.SCORES.name][0], [piece.read_bytes()])


@dataclass(frozen=True)
class Laid:
    """A tenant's year as it is stored in the lake."""

    tenant: str
    table: lake.DailyTable
    year: int
    state: YearState

    def key(self, place: int = 0, rollup: str = CUBE) -> str:
        """The key of an object of one of its parts, the newest first."""
        run = self.state.parts[place].run
        return lake.part_key(self.table, self.tenant, self.year, run, rollup)


def lay(
    lake_folder: Path,
    table: lake.DailyTable,
    tenant: str,
    year: int,
    rows: pa.Table,
    newest: Sequence[int] = (),
) -> Laid:
    """Put the year of these rows, with its roll-ups.

    `newest` are the days of the parts before the last one, which has all days: the rows of the
    days that newer parts have lie in it once more.
    """
    every = list(DateRange(date(year, 1, 1), date(year, 12, 31)))
    parts = []
    for count in (*newest, len(every)):
        held = every[-count:]
        some = rows.filter(pc.is_in(rows["day"], value_set=pa.array(held, pa.date32())))
        parts.append(_put(lake_folder, table, tenant, year, held, some))
    return Laid(tenant, table, year, YearState(tuple(parts), "bench", days.now_us(), every[0], 1))


def _put(
    folder: Path, table: lake.DailyTable, tenant: str, year: int, held: list[date], rows: pa.Table
) -> Part:
    run, sizes = lake.ulid(), {}
    for name, body in bodies(table, rows, held):
        path = folder / lake.part_key(table, tenant, year, run, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        sizes[name] = path.write_bytes(body)
    return Part(run, frozenset(held), sizes)


def publish(account: Account, stored: Sequence[Laid]) -> dict[str, str]:
    """Make tenants whose records name these years; return a report key of each, by tenant."""
    keys = {}
    for tenant in dict.fromkeys(one.tenant for one in stored):
        account.tenant(tenant)
        keys[tenant] = account.key(tenant, "report")
    for one in stored:
        account.tenants.set_year(one.tenant, one.table.name, one.year, one.state, before=None)
    return keys


@dataclass
class Pulse:
    """serve_reports on the slow S3, with nothing of the lake in memory."""

    table: str
    keys: dict[str, str]
    """Report keys by tenant."""
    name: str = "Pulse"
    directory: Directory = field(init=False)
    gets: int = 0
    """How many objects have been fetched so far."""

    def __post_init__(self) -> None:
        self.directory = Directory(Tenants(self.table, fail_fast=True))
        events = client("s3", fail_fast=True).meta.events
        events.register("before-send.s3.GetObject", self._count)

    def answer(self, tenant: str, dates: DateRange) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """The report `geo`, by country."""
        body = self.ask(self.cold(), tenant, dates, "geo", "group_by=country")
        rows = json.loads(body, parse_float=Decimal)["rows"]
        return {
            (row["metric"], row["scale"], row["country"]): (row["responses"], row["average"])
            for row in rows
        }

    def cold(self) -> Route:
        """The route of a report in a process that has read no object yet."""
        return self._routes()[_REPORT]

    def _routes(self) -> Mapping[str, Route]:
        names = DisplayNames(self.directory, Names(self.table, fail_fast=True))
        objects = Objects(BUCKET, fail_fast=True)
        statements = Statements(Executions("none", "none"), Questions(self.table), objects)
        return Reports(self.directory, Years(objects), names, statements).routes

    def ask(
        self, route: Route, tenant: str, dates: DateRange, report: str = "geo", query: str = ""
    ) -> str:
        """The reply's JSON, which nobody has read yet. Raises RuntimeError for anything but 200."""
        asked = f"start_date={dates.start}&end_date={dates.end}"
        asked = f"{asked}&{query}" if query else asked
        event = _event(self.keys[tenant], _REPORT, f"/v1/reports/{report}", asked)
        event["pathParameters"] = {"report": report}
        return _replied({_REPORT: route}, event)

    def get(self, tenant: str, path: str, query: str) -> str:
        """What a process that has read no object yet answers to a GET: JSON, as `ask` returns it.

        Raises RuntimeError for anything but 200.
        """
        return _replied(self._routes(), _event(self.keys[tenant], f"GET {path}", path, query))

    def _count(self, **_: object) -> None:
        self.gets += 1


def _replied(routes: Mapping[str, Route], event: Mapping[str, Any]) -> str:
    reply = reply_to(routes, event, Door(""))
    if reply["statusCode"] != 200:
        raise RuntimeError(reply["body"])
    body: str = reply["body"]
    return body


def _event(key: str, route: str, path: str, query: str) -> dict[str, Any]:
    """A dashboard's request, as API Gateway hands it over."""
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"authorization": f"Bearer {key}"},
        "requestContext": {
            "http": {"method": "GET", "path": path, "sourceIp": "203.0.113.7"},
            "requestId": "bench",
        },
    }


# -- interactions and sessions, which no bench has as raw

MEDIA = ("voice", "chat", "email", "social")
SEGMENTS = ("gold", "silver", None)
SERVICES = ("billing", "repair", "sales", "contract", None)
CURRENCIES = (None, "EUR", "CHF")


def interactions_cube(year: int, total: int, agents: int) -> pa.Table:
    """The cube of a year of so many interactions, each of random dimensions."""
    rng = np.random.default_rng([year, total])
    values = (MEDIA, SEGMENTS, SERVICES, [f"agent-{n:02}" for n in range(agents)], CURRENCIES)
    return _cube(rng, lake.INTERACTIONS, year, total, values)


def sessions_cube(year: int, total: int, agents: int) -> pa.Table:
    """The cube of a year of so many sessions."""
    rng = np.random.default_rng([year, total])
    values = ([f"agent-{n:02}" for n in range(agents)], MEDIA)
    return _cube(rng, lake.SESSIONS, year, total, values)


def experience_cube(year: int, total: int, agents: int) -> pa.Table:
    """The cube of a year of so many answers, of which a third are linked to an interaction."""
    rng = np.random.default_rng([year, total])
    names = [f"agent-{n:02}" for n in range(agents)]
    known: dict[str, Sequence[str | None]] = {
        "metric": ("csat",),
        "scale": ("1-5",),
        "survey": ("survey-0", "survey-1"),
        "channel": ("ticket", "chat", "external"),
        "device": ("desktop", "mobile", "tablet", None),
        **{name: names if values is None else values for name, values in lake.EXPERIENCED.items()},
    }
    known |= {"media_type": MEDIA, "customer_segment": SEGMENTS, "service_type": SERVICES}
    schema = tenant_year.schema(lake.EXPERIENCE, ROLLUPS[lake.EXPERIENCE.name][0])
    day = np.sort(rng.integers(0, 365, total))
    linked = rng.random(total) < 1 / 3
    first = np.datetime64(date(year, 1, 1))
    columns: dict[str, Any] = {"day": pa.array(first + day)}
    for name in lake.EXPERIENCE.dimensions:
        values = known[name]
        codes = rng.integers(0, len(values), total)
        column = pa.DictionaryArray.from_arrays(codes, pa.array(values, pa.string()))
        has_none = name in lake.EXPERIENCED
        columns[name] = _where(linked, column.cast(pa.string())) if has_none else column
    entered = first + np.maximum(day - rng.integers(0, 3, total), 0)
    columns["entered_on"] = _where(linked, pa.array(entered).cast(pa.string()))
    score = rng.integers(1, 6, total)
    for name in lake.SCORE_COUNTS:
        columns[name] = pa.array((score == int(name[1:])).astype(np.int64))
    return pa.table({name: columns[name] for name in schema.names}).cast(schema)


def _where(linked: Any, column: Any) -> Any:
    return pc.if_else(pa.array(linked), column, pa.scalar(None, pa.string()))


def _cube(
    rng: np.random.Generator,
    table: lake.DailyTable,
    year: int,
    total: int,
    values: Sequence[Sequence[str | None]],
) -> pa.Table:
    schema = tenant_year.schema(table, ROLLUPS[table.name][0])
    found: list[pa.Table] = []
    for number in range(365):  # the year that is asked for is no leap year
        size = total * (number + 1) // 365 - total * number // 365
        codes = [rng.integers(0, len(known), size) for known in values]
        combined = np.ravel_multi_index(codes, [len(known) for known in values])
        present, group = np.unique(combined, return_inverse=True)
        places = np.unravel_index(present, [len(known) for known in values])
        columns: list[Any] = [
            pa.array([known[code] for code in place.tolist()], pa.string())
            for known, place in zip(values, places, strict=True)
        ]
        day = date(year, 1, 1) + timedelta(days=number)
        columns.append(pa.array([day] * len(present), pa.date32()))
        for name in table.measures:
            events = _events(rng, table, name, size, codes)
            sums = np.bincount(group, weights=events, minlength=len(present)).astype(np.int64)
            columns.append(pa.array(sums).cast(schema.field(name).type))
        found.append(pa.table(columns, schema=schema))
    return pa.concat_tables(found).combine_chunks()


def _events(
    rng: np.random.Generator, table: lake.DailyTable, name: str, size: int, codes: Sequence[Any]
) -> Any:
    """What each event adds to a measure."""
    if name in table.counted:
        return np.ones(size)
    if name.endswith("_us"):
        return rng.integers(1, 3600, size) * 1_000_000
    if name in ("revenue", "with_revenue"):
        amounts = rng.integers(1, 500, size) if name == "revenue" else np.ones(size)
        return np.where(codes[table.dimensions.index("currency")] > 0, amounts, 0)
    return rng.integers(0, 2, size)
