"""build_daily on the embedded Athena: rows a second and memory, as responses and days grow.

Raw lies in moto's S3 and Athena is DuckDB, both in one other process; on AWS, Athena is many
machines. What carries over is how the figures grow, and the memory of the function itself.
"""

# ruff: noqa: S608 - the statement is put together from the lake's own names

import os
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
from bench.measure import Goal, Part, Scale, alone
from pulse import lake
from pulse.daily.build import BuildDaily
from pulse.settings import BuildDailySettings
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects

GOAL = 2_000_000
FIRST_DAY = date(2026, 1, 1)
ROUNDS = 2
THREADS = 2
"""The embedded Athena's."""
MEMORY_GROWS = 1.25
"""Up to this factor memory counts as flat: allocators are not exact."""


@dataclass(frozen=True)
class Built:
    """One size, built several times."""

    rows: int
    days: int
    seconds: float
    """The best of the builds: other work on the machine only ever adds."""
    cpu_seconds: float
    """Of Athena's process in that build."""
    function_mb: float
    athena_mb: float
    """Peaks while building."""

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def run(scale: Scale) -> Part:
    """Builds of every size, and of the second over a tenth of the days."""
    few = max(1, scale.build_days // 10)
    sizes = [(rows, scale.build_days) for rows in scale.build_rows]
    middle = scale.build_rows[min(1, len(scale.build_rows) - 1)]
    built = [alone(_build, rows, days) for rows, days in [*sizes, (middle, few)]]
    least, most, condensed = built[0], built[len(sizes) - 1], built[-1]
    spread = next(b for b in built if b.rows == middle and b.days == scale.build_days)
    growth = (most.seconds / least.seconds) / (most.rows / least.rows)
    function_grows = spread.function_mb / condensed.function_mb
    athena_grows = spread.athena_mb / condensed.athena_mb
    bare = spread.rows / alone(_bare, spread.rows, spread.days)
    real = scale.name != "tiny"
    return Part(
        title="build_daily: rows",
        about="BuildDaily.run over all days at once: raw counted, daily rows made and counted, "
        "partitions pointed. The first build fetches raw from S3 and is left out; the best of "
        f"{ROUNDS} after it. (Of more than 512 MB of raw, some 5.5 million responses, copies are "
        "not kept: each statement fetches it again.) Nearly every response is a row of the cube by "
        "itself (9 dimensions), the hardest case. Peaks are of resident memory. The function's is "
        "what a Lambda has to have, and is judged; Athena's includes S3's objects, as both are one "
        "process, and what DuckDB keeps of the gigabyte that it may use. The last line "
        "is DuckDB by itself with as many threads, on local files: the same grouping and nothing "
        "else, no identity told apart, nothing counted, ordered or parted by day. No build on it "
        "takes less.",
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
                f"{spread.rows:,}, grouped by DuckDB alone",
                str(spread.days),
                f"{spread.rows / bare:.1f}",
                f"{bare:,.0f}",
                "",
                "",
                "",
            ),
        ),
        goals=(
            Goal(
                f"at least {GOAL:,} rows/s on two cores",
                f"{most.rate:,.0f} (DuckDB's grouping alone: {bare:,.0f})",
                most.rate >= GOAL if real else None,
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


def _build(rows: int, days: int) -> Built:
    with deployed() as account:
        settings = BuildDailySettings.from_environment(account.environment("BuildDaily"))
        _put(Responses(rows, FIRST_DAY, days), settings)
        stage = BuildDaily.from_settings(settings)

        def build() -> None:
            result = stage.run(FIRST_DAY, date.max, remaining_s=lambda: inf, wake=False)
            if len(result.built) != days:
                raise RuntimeError(f"{len(result.built)} days built of {days}")

        build()
        for process in ("self", str(account.process)):
            Path(f"/proc/{process}/clear_refs").write_text("5")  # peaks begin anew
        seconds, cpu = min(_timed(build, account) for _ in range(ROUNDS))
        return Built(rows, days, seconds, cpu, _peak_mb("self"), _peak_mb(str(account.process)))


def _put(responses: Responses, settings: BuildDailySettings) -> None:
    """Raw as write_raw leaves it: objects and their ledger."""
    objects, ledger = Objects(settings.lake_bucket), Ledger(settings.table)
    for key, body in responses.objects():
        objects.put(key, body)
    for day in responses.dates:
        ledger.add(lake.SCORES.stream, day)


def _bare(rows: int, days: int) -> float:
    """The seconds that DuckDB takes, at best, to group the same rows into one file."""
    counts = ", ".join(f"count(*) FILTER (WHERE score = {score})" for score in range(11))
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder:
        Responses(rows, FIRST_DAY, days).write(Path(folder))
        raw = f"read_parquet('{folder}/raw/responses/*/*.parquet', hive_partitioning=true)"
        statement = (
            f"COPY (SELECT tenant, {', '.join(lake.SCORE_DIMENSIONS)}, dt, {counts} FROM {raw} "
            f"GROUP BY ALL) TO '{folder}/daily.parquet' (FORMAT parquet, COMPRESSION snappy)"
        )
        taken = []
        for _ in range(ROUNDS + 1):  # the first brings the files into the page cache
            with duckdb.connect(config={"threads": THREADS}) as connection:
                start = time.perf_counter()
                connection.execute(statement)
                taken.append(time.perf_counter() - start)
        return min(taken)


def _timed(work: Callable[[], None], account: Account) -> tuple[float, float]:
    cpu, start = _cpu_seconds(account.process), time.perf_counter()
    work()
    return time.perf_counter() - start, _cpu_seconds(account.process) - cpu


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(process: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
