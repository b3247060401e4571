"""Measures serve_reports: every report's own question and others over a year, beside one GET.

The years lie behind S3 that takes 25 ms to its first byte (slow_s3), with the roll-ups that
build_reports makes. All objects are fetched and read anew for each question. What the objects take
in bytes, and what one more dimension would, is told beside.

What is judged is the delay of S3, which is waited for once as all objects are fetched side by side,
and the processor's time of this process. On a machine that has nothing else to do a question takes
about as long; how long it took here is told too.
"""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench import slow_s3
from bench.account import deployed
from bench.data import AGENTS, Responses
from bench.laid import (
    BUCKET,
    Laid,
    Pulse,
    cube_of_raw,
    experience_cube,
    interactions_cube,
    lay,
    publish,
    sessions_cube,
)
from bench.measure import Goal, Scale, Section, Taken, milliseconds, worked_in_turns
from pulse import lake
from pulse.days import DateRange
from pulse.reports import tenant_year
from pulse.reports.registry import REPORTS
from pulse.reports.rollups import Rollup
from pulse.store.objects import Objects
from pulse.tenants.tenant import CUBE

DELAY_MS = 25
YEAR = DateRange(date(2025, 1, 1), date(2025, 12, 31))
NEWEST = (1, 20)
"""How many days the newer two parts have where a year is stored in three."""
ROUNDS_LESS = 4
"""By this the rounds are divided, since there are more than a hundred questions."""
SESSIONS_A_DAY = 3
"""The sessions of each agent on each day."""
OTHERS: Mapping[str, tuple[str, str]] = {
    "by agent and country": ("source", "group_by=agent,country&granularity=total&metric=csat"),
    "by agent and browser": ("source", "group_by=agent,browser&granularity=total"),
    "by country and browser": ("source", "group_by=country,browser&granularity=total"),
    "by survey and agent": ("source", "group_by=survey,agent&granularity=total"),
    "by channel and agent, on one system": (
        "source",
        "group_by=channel,agent&granularity=total&os=Windows",
    ),
    "by month, of an agent on one system": (
        "daily",
        "group_by=period&granularity=month&agent=agent-07&os=Windows",
    ),
    "by week, of an agent on one system": (
        "daily",
        "group_by=period&granularity=week&agent=agent-07&os=Windows",
    ),
    "by day, of an agent in one country, NPS": (
        "nps",
        "group_by=period&granularity=day&agent=agent-07&country=DE",
    ),
    "by day, of an agent, a survey and a country": (
        "csat",
        "group_by=period&granularity=day&agent=agent-07&survey=survey-0&country=DE",
    ),
    "NPS by agent and country": ("nps", "group_by=agent,country&granularity=total"),
    "interactions by medium and agent": (
        "customer-perspective",
        "group_by=media_type,agent&granularity=total",
    ),
    "activity by agent and service": (
        "agent-activity",
        "group_by=agent,service_type&granularity=total",
    ),
    "revenue by service": ("revenue", "group_by=service_type,currency&granularity=total"),
    "interactions by week, of an agent and a service": (
        "customer-perspective",
        "group_by=period&granularity=week&agent=agent-07&service_type=billing",
    ),
}
"""Questions with up to 1,000 rows: by what they are called, their report and query."""


@dataclass(frozen=True)
class _Stock:
    """The tenants' years in the lake, some stored in one part and some in three."""

    laid: list[Laid]
    cubes: Mapping[tuple[str, str], pa.Table]
    """The cube's rows by tenant and table."""
    wider: Mapping[str, dict[str, int]]
    """By tenant, the bytes of its cube of scores, and with one more dimension of each kind."""

    def one(self, tenant: str, table: lake.DailyTable = lake.SCORES) -> Laid:
        return next(one for one in self.laid if (one.tenant, one.table) == (tenant, table))


def run(scale: Scale) -> Section:
    """Measure every question of both tenants, and the bytes of the objects."""
    tenants = {"typical": scale.typical_rows, "largest": scale.largest_rows}
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulse-bench-")))
        stock = _stock(root / BUCKET, tenants)
        endpoint_url = stack.enter_context(slow_s3.serving(root, DELAY_MS))
        account = stack.enter_context(deployed(AWS_ENDPOINT_URL_S3=endpoint_url))
        table = account.environment("ServeReports")["PULSE_TABLE"]
        pulse = Pulse(table, publish(account, stock.laid))
        _agree(pulse, tenants)
        return _part(scale, stock, pulse, tenants)


# -- what is stored


def _stock(bucket: Path, tenants: Mapping[str, int]) -> _Stock:
    laid: list[Laid] = []
    cubes: dict[tuple[str, str], pa.Table] = {}
    wider: dict[str, dict[str, int]] = {}
    for tenant, size in tenants.items():
        with tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder:
            raw = Path(folder)
            Responses(size, YEAR.start, YEAR.days, (tenant,)).write(raw)
            cubes[tenant, lake.SCORES.name] = cube_of_raw(raw, tenant, YEAR.start.year)
            wider[tenant] = _with_one_more(raw, tenant)
        cubes[tenant, lake.INTERACTIONS.name] = interactions_cube(YEAR.start.year, size, AGENTS)
        sessions = AGENTS * SESSIONS_A_DAY * YEAR.days
        cubes[tenant, lake.SESSIONS.name] = sessions_cube(YEAR.start.year, sessions, AGENTS)
        cubes[tenant, lake.EXPERIENCE.name] = experience_cube(YEAR.start.year, size, AGENTS)
        for table in lake.DAILY_TABLES:
            rows = cubes[tenant, table.name]
            laid.append(lay(bucket, table, tenant, YEAR.start.year, rows))
            laid.append(lay(bucket, table, f"{tenant}-3", YEAR.start.year, rows, NEWEST))
    return _Stock(laid, cubes, wider)


ONE_MORE: Mapping[str, str] = {
    "with a dimension that no row has": "CAST(NULL AS varchar)",
    "with a dimension of two values": "CAST(hash(response_id) % 2 AS varchar)",
    "with a dimension of 24 values": "CAST(hour(make_timestamp(answered_us)) AS varchar)",
}
"""Cubes with one dimension more, and the column of raw that it comes from."""


def _with_one_more(raw: Path, tenant: str) -> dict[str, int]:
    found = {}
    for what, sql in ONE_MORE.items():
        rows = cube_of_raw(raw, tenant, YEAR.start.year, {"more": sql})
        names = (*lake.SCORES.dimensions, "more")
        table = replace(
            lake.SCORES,
            dimensions=names,
            daily_columns={**lake.DAILY_SCORES, "more": "string"},
        )
        cube = Rollup(CUBE, names)
        rows = rows.select(tenant_year.schema(table, cube).names).cast(
            tenant_year.schema(table, cube)
        )
        found[what] = len(tenant_year.encode(table, cube, rows))
    return found


# -- what is measured


def _agree(pulse: Pulse, tenants: Mapping[str, int]) -> None:
    """Raise RuntimeError unless a year in three parts gives the same replies as one in one part."""
    for tenant in tenants:
        for report, query in [*((name, "") for name in REPORTS), *OTHERS.values()]:
            told, again = (
                json.loads(pulse.ask(pulse.cold(), name, YEAR, report, query))
                for name in (tenant, f"{tenant}-3")
            )
            if report == "customer-perspective":  # which names the tenant in each row
                told, again = _without_tenant(told), _without_tenant(again)
            if told["rows"] != again["rows"] or not told["rows"]:
                raise RuntimeError(f"{report}?{query} of {tenant} differs by how it lies")
            if (report, query) in OTHERS.values() and len(told["rows"]) > 1_000:
                raise RuntimeError(f"{report}?{query} has more than 1,000 rows")


def _without_tenant(told: Mapping[str, Any]) -> dict[str, Any]:
    rows = [{name: row[name] for name in row if name != "tenant"} for row in told["rows"]]
    return {**told, "rows": rows}


def _part(scale: Scale, stock: _Stock, pulse: Pulse, tenants: Mapping[str, int]) -> Section:
    single = "a single GET of the typical tenant's year"
    bucket, key = Objects(BUCKET, fail_fast=True), stock.one("typical").key()
    things: dict[str, Callable[[], object]] = {single: lambda: bucket.get(key)}
    gets: dict[str, int] = {}
    for name, (tenant, report, query) in _questions(tenants).items():
        things[name] = _asking(pulse, tenant, report, query)
        before = pulse.gets
        things[name]()
        gets[name] = pulse.gets - before
    taken = worked_in_turns(max(1, scale.rounds // ROUNDS_LESS), things, DELAY_MS / 1000)
    one = taken[single]
    rows = [
        (
            name,
            each.wall.text,
            milliseconds(each.processor.median),
            f"{each.alone / one.alone:.2f}",
            f"{gets.get(name, 1)}",
        )
        for name, each in taken.items()
    ]
    return Section(
        title="serve_reports: questions over a year",
        about=f"The typical tenant has {scale.typical_rows:,} answers and as many interactions in "
        f"the year, the largest {scale.largest_rows:,}, which makes rows for nearly each of them; "
        f"{AGENTS} agents. S3 takes {DELAY_MS} ms to the first byte, objects are fetched and read "
        f"anew. A single GET is judged as {DELAY_MS} ms and its processor's time, and so is each "
        "question: other work on the machine makes that longer least. A year lies in one part, or "
        "in three, of which those of the last day and the last twenty have the cube alone while it "
        "is small. In the lines of bytes, times are of the cube's bytes, and the last column tells "
        "its rows.",
        header=("what", "median (p5-p95), or bytes", "processor", "times", "GETs"),
        rows=(*rows, *_bytes(stock, tenants)),
        goals=tuple(_goals(scale, taken, single, gets)),
    )


def _questions(tenants: Mapping[str, int]) -> dict[str, tuple[str, str, str]]:
    """The questions: by what they are called, their tenant, report and query."""
    found = {}
    for tenant in tenants:
        for lies, name in (("", tenant), (", three parts", f"{tenant}-3")):
            for report in REPORTS:
                found[f"{tenant}{lies}: {report}"] = (name, report, "")
            for what, (report, query) in OTHERS.items():
                found[f"{tenant}{lies}: {what}"] = (name, report, query)
    return found


def _asking(pulse: Pulse, tenant: str, report: str, query: str) -> Callable[[], object]:
    return lambda: pulse.ask(pulse.cold(), tenant, YEAR, report, query)


def _bytes(stock: _Stock, tenants: Mapping[str, int]) -> list[tuple[str, ...]]:
    """The bytes of each tenant's objects, as rows of the page."""
    rows: list[tuple[str, ...]] = []
    for tenant in tenants:
        for table in lake.DAILY_TABLES:
            sizes = dict(stock.one(tenant, table).state.parts[0].sizes)
            cube = sizes.pop(CUBE)
            count = len(stock.cubes[tenant, table.name])
            rows.append((f"{tenant}: {table.name}", f"{cube:,}", "", "1.00", f"{count:,}"))
            wider = stock.wider[tenant] if table == lake.SCORES else {}
            for name, size in [*sizes.items(), *wider.items()]:
                rows.append(
                    (f"{tenant}: {table.name}, {name}", f"{size:,}", "", _of(size, cube), "")
                )
    return rows


def _of(size: int, cube: int) -> str:
    return f"{size / cube:.2f}"


def _goals(
    scale: Scale, taken: Mapping[str, Taken], single: str, gets: Mapping[str, int]
) -> list[Goal]:
    real = scale.name != "tiny"
    one = taken[single].alone
    most = max(gets.values())
    goals = [
        Goal(
            "a question within a year takes at most 3 GETs of each table that it asks",
            f"{most}, where two tables are asked",
            most <= 6,
        )
    ]
    for tenant, least, other in (("typical", 1.5, 3), ("largest", 2, 8)):
        for names, limit, what in (
            (REPORTS, least, "each report's own question"),
            (OTHERS, other, "any other with up to 1,000 rows"),
        ):
            for lies in ("", ", three parts"):
                worst = _worst(taken, [f"{tenant}{lies}: {name}" for name in names])
                ratio = taken[worst].alone / one
                goals.append(
                    Goal(
                        f"the {tenant} tenant{lies}: {what} at most {limit} times a single GET",
                        f"{ratio:.2f} ({worst.partition(': ')[2]})",
                        ratio <= limit if real else None,
                    )
                )
    return goals


def _worst(taken: Mapping[str, Taken], names: Sequence[str]) -> str:
    return max(names, key=lambda name: taken[name].alone)
