"""Measures a tenant too large for one process: what questions take, and what Athena reads.

Its answers are made day by day as the rows that build_daily leaves, built by months through the
entry point that build_reports has for such tenants, and thrown away. What stays are the rows laid
out apart and the roll-ups. Then a process that has read nothing answers: each report's own question
from objects behind S3 that takes 25 ms to its first byte, and questions that no object covers from
the embedded Athena, which is DuckDB on this machine: its bytes tell something, its seconds do not.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import slow_s3
from bench.account import deployed
from bench.data import CLIENTS, COUNTRIES, SURVEYS, zipf
from bench.measure import Goal, Scale, Section, Taken, alone, milliseconds, worked_in_turns
from pulse import days, lake
from pulse.http import Door, reply_to
from pulse.reports import tenant_year
from pulse.reports.registry import REPORTS
from pulse.reports.rollups import ROLLUPS
from pulse.serve.dimensions import DisplayNames
from pulse.serve.distributed import Distributed
from pulse.serve.service import Reports
from pulse.serve.years import Years
from pulse.settings import BuildDailySettings, ServeReportsSettings
from pulse.store.clients import client
from pulse.store.names import Names
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.streams.responses import CHANNELS
from pulse.tenant_years.large import LargeTenants
from pulse.tenants.access import Directory
from pulse.tenants.tenant import CUBE, YearState

TENANT = "colossus"
DELAY_MS = 25
AGENTS = 400
YEAR = 2025
WHOLE = f"start_date={YEAR}-01-01&end_date={YEAR}-12-31"
GOAL_GETS = 3.0
GOAL_MB = 1024
WAIT_S = 600.0
"""How long is waited for the embedded Athena, whose time says nothing about Athena's."""
SINGLE = "single"
"""The key of an object as large as a typical tenant's year."""
QUESTIONS: Mapping[str, str] = {
    "a year by agent, country and survey": f"geo?{WHOLE}&group_by=agent,country,survey",
    "a year by week, of one agent, by country and survey": (
        f"geo?{WHOLE}&agent=agent-007&group_by=country,survey&granularity=week"
    ),
    "a month by agent, country and survey": (
        f"geo?start_date={YEAR}-06-01&end_date={YEAR}-06-29&group_by=agent,country,survey"
    ),
    "a day by agent, country and survey": (
        f"geo?start_date={YEAR}-06-01&end_date={YEAR}-06-01&group_by=agent,country,survey"
    ),
}
"""Questions that no object covers, unless the tenant is so small that its sums by month do."""


@dataclass(frozen=True)
class _Built:
    """What the builds have made, and how long they took."""

    rows: int
    """How many daily rows there are, one for each combination of dimensions of a day."""
    seconds: float
    laid_bytes: int
    sizes: Mapping[str, int]
    key: str
    """A report key's text."""


@dataclass(frozen=True)
class _Asked:
    """One question that Athena was asked."""

    seconds: float
    scanned: int
    rows: int


def run(scale: Scale) -> Section:
    """Build a year, and measure what its questions take."""
    with (
        tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder,
        deployed() as account,
    ):
        settings = BuildDailySettings.from_environment(account.environment("BuildDaily"))
        account.tenant(TENANT)
        built = _build(scale, settings, account.key(TENANT, "report"))
        bucket = Path(folder) / settings.lake_bucket
        _download(Objects(settings.lake_bucket), bucket, scale)
        asked, peak_mb = alone(_ask_athena, built.key)
        with slow_s3.serving(Path(folder), DELAY_MS) as endpoint_url:
            os.environ["AWS_ENDPOINT_URL_S3"] = endpoint_url
            taken = alone(_ask_objects, built.key, scale.rounds)
    return _told(scale, built, taken, asked, peak_mb)


# -- what is stored


def daily_rows(day: date, answers: int) -> pa.Table:
    """The tenant's daily rows of a day with so many answers."""
    rng = np.random.default_rng([20_261_130, day.toordinal(), answers])
    survey = rng.integers(0, len(SURVEYS), answers)
    highest = np.array([int(scale.split("-")[1]) for _, scale in SURVEYS])[survey]
    lowest = np.array([int(scale.split("-")[0]) for _, scale in SURVEYS])[survey]
    score = rng.integers(lowest, highest + 1)
    dimensions = (
        (survey, len(SURVEYS)),
        (rng.choice(3, answers, p=(0.3, 0.5, 0.2)), 3),
        (rng.integers(0, AGENTS, answers), AGENTS),
        (rng.choice(len(COUNTRIES), answers, p=zipf(len(COUNTRIES))), len(COUNTRIES)),
        (rng.choice(len(CLIENTS), answers, p=zipf(len(CLIENTS))), len(CLIENTS)),
    )
    number = np.zeros(answers, np.int64)
    for codes, size in dimensions:
        number = number * size + codes
    found, group = np.unique(number, return_inverse=True)
    width = len(lake.SCORE_COUNTS)
    counts = np.bincount(group * width + score, minlength=len(found) * width)
    counts = counts.reshape(-1, width)
    codes_of: list[Any] = []
    for _, size in reversed(dimensions):
        found, code = np.divmod(found, size)
        codes_of.insert(0, code)
    survey, channel, agent, country, one_client = codes_of
    columns = {
        "tenant": pa.array([TENANT] * len(counts)),
        "survey": _named(survey, [f"survey-{one}" for one in range(len(SURVEYS))]),
        "metric": _named(survey, [metric for metric, _ in SURVEYS]),
        "scale": _named(survey, [scale for _, scale in SURVEYS]),
        "channel": _named(channel, CHANNELS),
        "agent": _named(agent, [f"agent-{one:03d}" for one in range(AGENTS)]),
        "country": _named(country, COUNTRIES),
        **{
            name: _named(one_client, [row[place] for row in CLIENTS])
            for place, name in enumerate(("browser", "os", "device"))
        },
        **{name: pa.array(counts[:, place]) for place, name in enumerate(lake.SCORE_COUNTS)},
    }
    own = {name: pa.nulls(len(counts), pa.string()) for name in lake.SCORES.slots}
    return pa.table({name: (columns | own)[name] for name in lake.DAILY_SCORES})


def _named(codes: Any, values: Any) -> Any:
    return pa.array(values).take(pa.array(codes))


def _days() -> list[date]:
    return [date(YEAR, 1, 1) + timedelta(days=number) for number in range(365)]


def _built_together(scale: Scale) -> Iterator[list[date]]:
    """The days of each build, in order."""
    first, last = scale.large_months
    for start in range(first, last + 1, scale.months_a_build):
        yield [day for day in _days() if start <= day.month < start + scale.months_a_build]


def _build(scale: Scale, settings: BuildDailySettings, key: str) -> _Built:
    """Build a year in several builds, each as if its months had just ended."""
    objects, tenants = Objects(settings.lake_bucket), Tenants(settings.table)
    stage = LargeTenants.from_settings(settings)
    run_of: dict[date, str] = {}
    state: YearState | None = None
    rows, seconds = 0, 0.0
    for changed in _built_together(scale):
        run = lake.ulid()
        for day in changed:
            made = daily_rows(day, scale.large_answers // 365)
            rows += len(made)
            objects.put(f"{lake.run_prefix(lake.SCORES, run)}dt={day}/rows", _parquet(made))
        run_of |= dict.fromkeys(changed, run)
        start = time.perf_counter()
        written = stage.write(
            lake.SCORES,
            TENANT,
            YEAR,
            state,
            changed,
            run_of,
            as_of_us=days.now_us(),
            remaining_s=lambda: inf,
        )
        seconds += time.perf_counter() - start
        objects.wipe(lake.run_prefix(lake.SCORES, run))
        if state:
            for part in state.parts:
                objects.wipe(lake.part_prefix(lake.SCORES, TENANT, YEAR, part.run))
        state = written.state
    if state is None:
        raise RuntimeError("nothing was built")
    tenants.set_year(TENANT, lake.SCORES.name, YEAR, state, before=None)
    (part,) = state.parts
    laid = sum(
        size
        for run in part.laid
        for size in objects.sizes(lake.large_run_prefix(lake.SCORES, TENANT, run)).values()
    )
    return _Built(rows, seconds, laid, part.sizes, key)


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="snappy")
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _download(objects: Objects, bucket: Path, scale: Scale) -> None:
    """Write the report objects as files, and one that is as large as a typical tenant's year."""
    for key in objects.keys(lake.tenant_prefix(lake.SCORES, TENANT)):
        path = bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(objects.get(key))
    rows = pa.concat_tables(
        _with_day(daily_rows(day, max(1, scale.typical_rows // 365)), day) for day in _days()
    )
    (cube, *_) = ROLLUPS[lake.SCORES.name]
    wanted = tenant_year.schema(lake.SCORES, cube)
    body = tenant_year.encode(lake.SCORES, cube, rows.select(wanted.names).cast(wanted))
    (bucket / SINGLE).write_bytes(body)


def _with_day(rows: pa.Table, day: date) -> pa.Table:
    return rows.append_column("day", pa.array([day] * len(rows), pa.date32()))


# -- what is asked, each in a process of its own


def _ask_objects(key: str, rounds: int) -> dict[str, Taken]:
    """Measure each report's own question over the year in a process that has read no object."""
    settings = ServeReportsSettings.from_environment()
    objects = Objects(settings.lake_bucket, fail_fast=True)
    directory = Directory(Tenants(settings.table, fail_fast=True))
    names = DisplayNames(directory, Names(settings.table, fail_fast=True))
    statements = Distributed.from_settings(settings).statements

    def asking(report: str) -> Callable[[], object]:
        def ask() -> object:
            reports = Reports(directory, Years(objects), names, statements)
            return _reply(reports, key, f"{report}?{WHOLE}")

        return ask

    things: dict[str, Callable[[], object]] = {SINGLE: lambda: objects.get(SINGLE)}
    things |= {
        f"report {name}": asking(name)
        for name, report in REPORTS.items()
        if report.tables == (lake.SCORES,)
    }
    for thing in things.values():
        thing()
    return worked_in_turns(rounds, things, DELAY_MS / 1000)


def _ask_athena(key: str) -> tuple[dict[str, _Asked], float]:
    """Measure the questions that no object covers; return them and the process's peak in MB."""
    settings = ServeReportsSettings.from_environment()
    stage = Reports.from_settings(settings)
    distributed = Distributed.from_settings(settings)
    distributed.wait_s = WAIT_S
    stage.years.elsewhere = distributed.years
    for name, report in REPORTS.items():
        if report.tables == (lake.SCORES,):
            _reply(stage, key, f"{name}?{WHOLE}")
    found = {}
    for name, question in QUESTIONS.items():
        known = set(_executions(settings))
        start = time.perf_counter()
        reply = _reply(stage, key, question)
        seconds = time.perf_counter() - start
        scanned = sum(map(_scanned, set(_executions(settings)) - known))
        found[name] = _Asked(seconds, scanned, len(json.loads(reply)["rows"]))
    return found, _peak_mb()


def _executions(settings: ServeReportsSettings) -> Iterator[str]:
    pages = client("athena").get_paginator("list_query_executions")
    for page in pages.paginate(WorkGroup=settings.workgroup):
        yield from page["QueryExecutionIds"]


def _scanned(execution: str) -> int:
    told = client("athena").get_query_execution(QueryExecutionId=execution)
    return int(told["QueryExecution"]["Statistics"]["DataScannedInBytes"])


def _reply(stage: Reports, key: str, question: str) -> str:
    """The reply's JSON, which nobody has read yet. Raises RuntimeError for anything but 200."""
    report, _, query = question.partition("?")
    event = {
        "routeKey": "GET /v1/reports/{report}",
        "rawPath": f"/v1/reports/{report}",
        "rawQueryString": query,
        "headers": {"authorization": f"Bearer {key}"},
        "pathParameters": {"report": report},
        "requestContext": {
            "http": {"method": "GET", "path": f"/v1/reports/{report}", "sourceIp": "203.0.113.7"},
            "requestId": "bench",
        },
    }
    reply = reply_to(stage.routes, event, Door(""))
    if reply["statusCode"] != 200:
        raise RuntimeError(reply["body"])
    body: str = reply["body"]
    return body


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


# -- what is told


def _told(
    scale: Scale,
    built: _Built,
    taken: dict[str, Taken],
    asked: Mapping[str, _Asked],
    peak_mb: float,
) -> Section:
    real = scale.name != "tiny"
    single = taken.pop(SINGLE)
    worst = max(each.alone for each in taken.values()) / single.alone
    most = max(built.sizes.values()) / 2**20
    total = sum(built.sizes.values()) / 2**20
    return Section(
        title="a large tenant",
        about=f"{scale.large_answers:,} answers a year of one tenant with {AGENTS} agents, which "
        f"make {built.rows:,} daily rows; {built.laid_bytes / 2**20:,.0f} MB of them are laid out "
        f"apart. {scale.large_builds} builds of {scale.months_a_build} months each took "
        f"{built.seconds:,.0f} s beside the embedded Athena. "
        f"{sum(size > 0 for size in built.sizes.values())} roll-ups are objects ({total:,.1f} MB, "
        f"the largest {most:,.1f}); {CUBE} is none. Reports are asked their own "
        "question over the year in a process that has read nothing, behind S3 that takes "
        f"{DELAY_MS} ms; the single GET is of an object like a typical tenant's year. Both are "
        f"judged as {DELAY_MS} ms and their processor's time, which other work on the machine "
        "makes longer least. What no object covers is asked once; Athena's bytes are what the "
        "embedded one reads, and it has DuckDB's time on this machine, not Athena's.",
        header=("what", "median (p5-p95)", "processor", "times", "MB that Athena reads", "rows"),
        rows=(
            (
                "a single GET",
                single.wall.text,
                milliseconds(single.processor.median),
                "1.00",
                "",
                "",
            ),
            *(
                (
                    name,
                    each.wall.text,
                    milliseconds(each.processor.median),
                    f"{each.alone / single.alone:.2f}",
                    "",
                    "",
                )
                for name, each in taken.items()
            ),
            *(
                (
                    name,
                    milliseconds(one.seconds),
                    "",
                    "",
                    f"{one.scanned / 2**20:,.1f}",
                    f"{one.rows:,}",
                )
                for name, one in asked.items()
            ),
        ),
        goals=(
            Goal(
                f"each report's own question over a year at most {GOAL_GETS:.0f} times a GET",
                f"{worst:.2f}",
                worst <= GOAL_GETS if real else None,
            ),
            Goal(
                f"the reader's memory under {GOAL_MB:,} MB, with questions through Athena",
                f"{peak_mb:,.0f} MB",
                peak_mb < GOAL_MB if real else None,
            ),
        ),
    )
