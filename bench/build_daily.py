"""Measures build_daily on the embedded Athena: rows a second and memory, by responses and days.

Raw lies in moto's S3 and Athena is DuckDB, both in one other process; on AWS, Athena is many
machines. What carries over is how the figures grow, and the memory of the function itself.
"""

# ruff: noqa: S608 - the statement is put together from the lake's own names

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import inf
from pathlib import Path

import duckdb

from bench.account import Account, deployed
from bench.data import Responses
from bench.measure import Goal, Scale, Section, alone
from pulse import lake
from pulse.daily.build import BuildDaily
from pulse.settings import BuildDailySettings
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects

MOST_TIMES = 2
"""The goal: the most that a build may take, in times of the same statement in DuckDB alone."""
FIRST_DAY = date(2026, 1, 1)
ROUNDS = 2
THREADS = 2
"""How many threads the embedded Athena has."""
IDENTITY = "dt, tenant, survey, key_kind, response_id"
VERSION = "received_us DESC, content_hash DESC"
MEMORY_GROWS = 1.25
"""Up to this factor memory counts as flat: allocators are not exact."""


@dataclass(frozen=True)
class Built:
    """One size, built several times."""

    rows: int
    days: int
    seconds: float
    """Of the fastest build, since other work on the machine only makes builds slower."""
    cpu_seconds: float
    """What the processor worked in Athena's process during that build."""
    function_mb: float
    athena_mb: float
    """The peaks of both processes' memory during the builds."""
    bare: tuple[float, float] | None
    """Seconds and CPU seconds of DuckDB alone, in turns with the builds; None if not measured."""

    @property
    def rate(self) -> float:
        """How many rows are built in a second."""
        return self.rows / self.seconds


def run(scale: Scale) -> Section:
    """Measure builds of every size, and of the second size over a tenth of the days."""
    few = max(1, scale.build_days // 10)
    sizes = [(rows, scale.build_days) for rows in scale.build_rows]
    middle = scale.build_rows[min(1, len(scale.build_rows) - 1)]
    built = [
        alone(_build, rows, days, rows == middle and days == scale.build_days)
        for rows, days in [*sizes, (middle, few)]
    ]
    least, most, condensed = built[0], built[len(sizes) - 1], built[-1]
    spread = next(b for b in built if b.bare)
    growth = (most.seconds / least.seconds) / (most.rows / least.rows)
    function_grows = spread.function_mb / condensed.function_mb
    athena_grows = spread.athena_mb / condensed.athena_mb
    bare, bare_cpu = spread.bare or (inf, inf)
    times = spread.seconds / bare
    real = scale.name != "tiny"
    return Section(
        title="build_daily: rows",
        about="BuildDaily.run over all days at once: raw counted, daily rows made and counted, "
        "partitions pointed. The first build fetches raw from S3 and is left out; the best of "
        f"{ROUNDS} after it. (Of more raw than a tenth of the free disk, or 4 GB, copies are not "
        "kept: each statement fetches it again.) Nearly every response is a row of the cube by "
        "itself (9 dimensions), the hardest case. Peaks are of resident memory. The function's is "
        "what a Lambda has to have, and is judged; Athena's includes S3's objects, as both are one "
        "process, and what DuckDB keeps of the quarter of the machine's memory that it may use. "
        "The last line is DuckDB by itself with as many threads: the same statement (identities "
        "told apart, counted, parted by day) straight from local files to local files, unsorted, "
        "in turns with the builds of as many responses.",
        header=(
            "responses",
            "days",
            "seconds",
            "rows/s",
            "Athena's CPU s",
            "function, MB",
            "Athena, MB",
        ),
        rows=(
            *(
                (
                    f"{b.rows:,}",
                    str(b.days),
                    f"{b.seconds:.1f}",
                    f"{b.rate:,.0f}",
                    f"{b.cpu_seconds:.1f}",
                    f"{b.function_mb:.0f}",
                    f"{b.athena_mb:.0f}",
                )
                for b in built
            ),
            (
                f"{spread.rows:,}, by DuckDB alone",
                str(spread.days),
                f"{bare:.1f}",
                f"{spread.rows / bare:,.0f}",
                f"{bare_cpu:.1f}",
                "",
                "",
            ),
        ),
        goals=(
            Goal(
                f"a build at most {MOST_TIMES} times the same statement in DuckDB alone",
                f"{times:.2f} times ({spread.cpu_seconds / bare_cpu:.2f} times the CPU time)",
                times <= MOST_TIMES if real else None,
            ),
            Goal(
                "time grows no faster than responses, by a quarter at most",
                f"factor {growth:.2f} from {least.rows:,} to {most.rows:,}",
                growth <= MEMORY_GROWS if real and most is not least else None,
            ),
            Goal(
                f"the function's memory flat in the number of days: {few} and {scale.build_days}",
                f"{function_grows:.2f} times (Athena's process {athena_grows:.2f})",
                function_grows <= MEMORY_GROWS if real else None,
            ),
        ),
    )


def _build(rows: int, days: int, beside_bare: bool) -> Built:
    responses = Responses(rows, FIRST_DAY, days)
    with deployed() as account, tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder:
        settings = BuildDailySettings.from_environment(account.environment("BuildDaily"))
        _put(responses, settings)
        stage = BuildDaily.from_settings(settings)
        bare = []
        if beside_bare:
            responses.write(Path(folder))
            alone(_bare, folder)  # brings the files into the page cache

        def build() -> None:
            result = stage.run(FIRST_DAY, date.max, remaining_s=lambda: inf, wake=False)
            if len(result.built) != days:
                raise RuntimeError(f"{len(result.built)} days built of {days}")

        build()
        for process in ("self", str(account.process)):
            Path(f"/proc/{process}/clear_refs").write_text("5")  # peaks begin anew
        took = []
        for _ in range(ROUNDS):
            took.append(_timed(build, account))
            if beside_bare:
                bare.append(alone(_bare, folder))
        return Built(
            rows,
            days,
            *min(took),
            _peak_mb("self"),
            _peak_mb(str(account.process)),
            min(bare, default=None),
        )


def _put(responses: Responses, settings: BuildDailySettings) -> None:
    """Store the responses as write_raw does: objects of raw, and their days in the ledger."""
    objects, ledger = Objects(settings.lake_bucket), Ledger(settings.table)
    for key, body in responses.objects():
        objects.put(key, body)
    for day in responses.dates:
        ledger.add(lake.SCORES.stream, day)


def _bare(folder: str) -> tuple[float, float]:
    """Seconds and CPU seconds that DuckDB takes for the same statement from local files."""
    dimensions = ", ".join(("tenant", *lake.SCORES.dimensions))
    counts = ", ".join(
        f"count(*) FILTER (WHERE score = {score}) AS c{score}" for score in range(11)
    )
    raw = (
        f"read_parquet('{folder}/raw/responses/*/*.parquet', "
        "hive_partitioning=true, hive_types={dt: VARCHAR})"
    )
    statement = (
        f"COPY (SELECT {dimensions}, {counts}, dt FROM (SELECT *, row_number() OVER ("
        f"PARTITION BY {IDENTITY} ORDER BY {VERSION}) AS place FROM {raw}) WHERE place = 1 "
        f"GROUP BY {dimensions}, dt) TO '{folder}/daily' "
        "(FORMAT parquet, COMPRESSION snappy, PARTITION_BY (dt), OVERWRITE)"
    )
    with duckdb.connect(config={"threads": THREADS}) as connection:
        cpu, start = time.process_time(), time.perf_counter()
        connection.execute(statement)
        return time.perf_counter() - start, time.process_time() - cpu


def _timed(work: Callable[[], None], account: Account) -> tuple[float, float]:
    cpu, start = account.cpu_seconds, time.perf_counter()
    work()
    return time.perf_counter() - start, account.cpu_seconds - cpu


def _peak_mb(process: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
