"""Measures serve_reports: how long a report takes, beside one GET and beside other engines.

The lake lies behind S3 that takes 25 ms to its first byte (slow_s3). Ours is the function's code
from API Gateway's event to its answer, with the key and the tenant known, as they are for a
minute after each first question; the tenant-years are fetched and read anew each time. All
answers are compared before anything is timed.
"""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from bench import slow_s3
from bench.account import deployed
from bench.data import TENANTS, Responses, tenant_of_size
from bench.engines import (
    ClickHouse,
    DuckDBOnFiles,
    DuckDBOnS3,
    Engine,
    PostgreSQL,
    postgresql,
)
from bench.laid import BUCKET, Laid, Pulse, cube_of_raw, lay, publish
from bench.measure import Goal, Scale, Section, Times, in_turns
from pulse import lake
from pulse.days import DateRange
from pulse.store.objects import Objects

DELAY_MS = 25
LARGEST = "largest"
POSTGRES_ROWS = 20_000_000
"""The most rows that PostgreSQL loads: more would take longer than all other measurements."""
RANGES = {
    "a day": DateRange(date(2025, 12, 10), date(2025, 12, 10)),
    "a year": DateRange(date(2025, 1, 1), date(2025, 12, 31)),
    "three years": DateRange(date(2023, 1, 1), date(2025, 12, 31)),
}
YEAR = RANGES["a year"]


def run(scale: Scale) -> Section:
    """Measure every range with every engine that can answer it."""
    typical = tenant_of_size(scale.typical_rows, scale.raw_rows_a_year)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulse-bench-")))
        bucket = root / BUCKET
        stored = _store(scale, bucket, typical)
        endpoint_url = stack.enter_context(slow_s3.serving(root, DELAY_MS))
        account = stack.enter_context(deployed(AWS_ENDPOINT_URL_S3=endpoint_url))
        pulse = Pulse(account.environment("ServeReports")["PULSE_TABLE"], publish(account, stored))
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
        (key,) = (one.key() for one in stored if (one.tenant, one.year) == (typical, YEAR.end.year))
        part = _part(scale, pulse, engines, typical, key)
        return replace(part, rows=(*part.rows, *((*one, "", "") for one in absent)))


# -- what is stored


def _store(scale: Scale, bucket: Path, typical: str) -> list[Laid]:
    """Store raw of all tenants, and the years of the two tenants that are asked about."""
    raw = _until_the_end(scale.raw_rows_a_year, scale.raw_days, TENANTS)
    raw.write(bucket)
    years = sorted({day.year for day in raw.dates})
    stored = [
        lay(bucket, lake.SCORES, typical, year, cube_of_raw(bucket, typical, year))
        for year in years
    ]
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as other:
        alone = _until_the_end(scale.largest_rows, min(scale.raw_days, 365), (LARGEST,))
        alone.write(Path(other))
        year = YEAR.end.year
        rows = cube_of_raw(Path(other), LARGEST, year)
        stored.append(lay(bucket, lake.SCORES, LARGEST, year, rows))
    return stored


def _until_the_end(rows_a_year: int, days: int, tenants: tuple[str, ...]) -> Responses:
    first = YEAR.end - timedelta(days=days - 1)
    return Responses(rows_a_year * days // 365, first, days, tenants)


# -- what is measured


def _part(scale: Scale, pulse: Pulse, engines: list[Engine], typical: str, key: str) -> Section:
    objects = Objects(BUCKET, fail_fast=True)
    _agree(pulse, engines, typical)
    gets = _gets(pulse, typical, YEAR)
    warm = pulse.cold()

    single = "a single GET of the typical tenant's year"
    ours: dict[str, Callable[[], object]] = {single: lambda: objects.get(key)}
    for name, dates in RANGES.items():
        ours[f"Pulse, typical tenant, {name}"] = _asking(pulse, typical, dates)
    ours["Pulse, typical tenant, a year, in memory"] = lambda: pulse.ask(warm, typical, YEAR, "geo")
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
) -> Section:
    real = scale.name != "tiny"
    one = taken[single].median
    typical = taken["Pulse, typical tenant, a year"].median / one
    largest = taken["Pulse, largest tenant, a year"].median / one
    return Section(
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
    return lambda: pulse.ask(pulse.cold(), tenant, dates, "geo", "group_by=country")


def _answering(way: Engine, tenant: str, dates: DateRange) -> Callable[[], object]:
    return lambda: way.answer(tenant, dates)


def _agree(pulse: Pulse, engines: list[Engine], tenant: str) -> None:
    """Raise RuntimeError unless all engines give the same answer for every range."""
    for name, dates in RANGES.items():
        wanted = pulse.answer(tenant, dates)
        for engine in engines:
            if engine.answer(tenant, dates) != wanted:
                raise RuntimeError(f"{engine.name} answers something else for {name}")


def _gets(pulse: Pulse, tenant: str, dates: DateRange) -> int:
    before = pulse.gets
    pulse.ask(pulse.cold(), tenant, dates, "geo", "group_by=country")
    return pulse.gets - before
