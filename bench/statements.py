"""Measures the builders' statements on DuckDB, which stands for Athena here, and on Trino.

Both are executors of the embedded Athena, over one lake in moto in this process. The lake is a
build's: raw as compaction leaves it, and the daily rows that build_daily makes of it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from math import inf
from time import perf_counter, process_time
from typing import Any

from moto import mock_aws
from pyarrow import BufferReader, parquet

from bench.account import REGION, ROOT
from bench.build_daily import FIRST_DAY
from bench.data import TENANTS, Responses
from bench.measure import Scale, Section
from local import athena, cloudformation
from local.athena.duck import DuckExecutor
from local.athena.engine import Caller, Engine, Executor, Outcome, Request
from local.athena.objects import Copies
from local.athena.trino_server import RELEASE, TrinoMissingError, installed, java_home, running
from local.aws import Account
from local.deployment import create_stack
from local.template import translate
from pulse import days, lake
from pulse.daily.build import BuildDaily
from pulse.settings import BuildDailySettings
from pulse.sql import spread, statement
from pulse.store.athena import statement_text
from pulse.store.catalog import Catalog
from pulse.store.clients import client
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.tenant_years.comparing import NEW, pair

STATEMENTS: Sequence[tuple[str, str, str | None]] = (
    ("checks", "scores_in_raw", None),
    ("daily", "scores", "dt"),
    ("daily", "scores_folded", "dt"),
    ("checks", "scores_in_run", None),
    ("reports", "scores_changed", None),
    ("reports", "scores", "bucket"),
    ("checks", "scores_on_two_days", None),
)
"""Folder and name below pulse/sql, and by what an UNLOAD parts the rows: those of build_daily, of
build_reports and of `pulse check`, in the order of the flow. Of the two daily ones a build executes
one: scores_folded on days that have more public values than are told apart."""
ROUNDS = 2
TRINO_HEAP_GB = 6
"""Twice as much as in tests: to tell five million answers' identities apart takes 2 GB."""
_CODE = "code"


@dataclass(frozen=True)
class Took:
    """A statement on one engine, the fastest of ROUNDS executions."""

    rows: Any
    """What engines must agree on: the rows of a SELECT, or how many an UNLOAD has written."""
    seconds: float
    """How long it took until the result was on S3."""
    cpu_seconds: float
    read_bytes: int


def run(scale: Scale) -> Section:
    """Measure each statement on DuckDB, and on Trino if it is installed."""
    responses = _responses(scale)
    with _lake(responses) as settings:
        texts = _texts(responses, settings)
        ours = _duckdb(texts, settings)
        try:
            theirs = _trino(texts, settings)
            missing = None
        except TrinoMissingError as error:
            theirs, missing = {}, str(error).splitlines()[0]
    for name, took in theirs.items():
        if took.rows != ours[name].rows:
            raise RuntimeError(f"{name}: DuckDB and Trino have different rows")
    return Section(
        title="The builders' statements: DuckDB and Trino",
        about=f"{responses.rows:,} responses over {responses.days} days, one sorted object a day; "
        f"the same rows from either engine, the best of {ROUNDS} after one that is left out. "
        "DuckDB is what the embedded Athena runs on, with two threads over local copies of the "
        "objects; seconds go from listing the objects to the results on S3, and MB are those of "
        "whole objects. "
        + (
            f"**Trino was not measured: {missing}.**"
            if missing
            else f"Trino {RELEASE}, on the same two cores and with a heap of {TRINO_HEAP_GB} GB, "
            "reads the objects from moto by HTTP, and only the columns that it needs: MB are what "
            "it says that it has read, and about what Athena would ask money for. Seconds are the "
            "statement's own, until its rows are there or written to local disk; its start is left "
            "out. Athena has more than two cores and shares them with others: no time carries "
            "over, but which statements weigh. Of the two daily ones a build executes one: the "
            "folded one on days with more values from public keys than are told apart."
        ),
        header=("statement", "DuckDB, s", "CPU s", "MB", "Trino, s", "CPU s", "MB", "times DuckDB"),
        rows=tuple(
            (name, *_cells(ours[name]), *_cells(theirs.get(name)), _times(theirs, ours, name))
            for name in texts
        ),
    )


def _cells(took: Took | None) -> tuple[str, ...]:
    if took is None:
        return "", "", ""
    return f"{took.seconds:.2f}", f"{took.cpu_seconds:.2f}", f"{took.read_bytes / 1e6:,.1f}"


def _times(theirs: dict[str, Took], ours: dict[str, Took], name: str) -> str:
    return f"{theirs[name].seconds / ours[name].seconds:.1f}" if name in theirs else ""


def _responses(scale: Scale) -> Responses:
    """Responses of build_daily's second size, on as many days as one statement may have."""
    rows = scale.build_rows[min(1, len(scale.build_rows) - 1)]
    return Responses(rows, FIRST_DAY, min(scale.build_days, lake.PARTITION_LIMIT))


# ---- the lake


@contextmanager
def _lake(responses: Responses) -> Iterator[BuildDailySettings]:
    """An account in this process, its raw filled and its days built (by DuckDB).

    The process is the part's own: its environment is left as the functions'.
    """
    os.environ.update(AWS_DEFAULT_REGION=REGION, AWS_REGION=REGION, PULSE_ENGINE="duckdb")
    with mock_aws():
        cloudformation.install()
        athena.install()
        translated = translate(ROOT / "template.yaml", {}, bucket=_CODE, region=REGION)
        deployment = create_stack(translated, Account(REGION), stack_name="pulse", bucket=_CODE)
        environment = deployment.functions["BuildDaily"].environment
        os.environ.update(environment)
        settings = BuildDailySettings.from_environment(environment)
        objects, ledger = Objects(settings.lake_bucket), Ledger(settings.table)
        for key, body in responses.objects():
            objects.put(key, body)
        for day in responses.dates:
            ledger.add(lake.SCORES.stream, day)
        BuildDaily.from_settings(settings).run(remaining_s=lambda: inf, wake=False)
        yield settings


def _texts(responses: Responses, settings: BuildDailySettings) -> dict[str, tuple[str, str | None]]:
    """By name, each statement with its parameters put in, and by what its rows are parted."""
    (run,) = {one.run for one in Catalog(settings.database).partitions("daily_scores").values()}
    dates = responses.dates
    parameters = {
        "first_day": str(dates[0]),
        "last_day": str(dates[-1]),
        "days": [str(day) for day in dates],
        "tenants": list(TENANTS[: lake.PARTITION_LIMIT]),
        "everybody": False,
        "run": run,
        "runs": [run],
        "pairs": [pair(run, day) for day in dates],
        "newest": [pair(run, day) for day in dates],
        "compared": NEW,
        "public_values": settings.most_public_values,
    }
    return {
        f"{folder}/{name}": (
            statement_text(*spread(statement(folder, name), parameters, "runs")),
            by,
        )
        for folder, name, by in STATEMENTS
    }


# ---- the engines


def _duckdb(
    texts: dict[str, tuple[str, str | None]], settings: BuildDailySettings
) -> dict[str, Took]:
    copies = Copies()
    with _closing(DuckExecutor(copies), copies) as engine:
        return _measured(engine, texts, settings, lambda took: took)


def _trino(
    texts: dict[str, tuple[str, str | None]], settings: BuildDailySettings
) -> dict[str, Took]:
    """Measure the statements on Trino. Raises TrinoMissingError where it is not installed."""
    installed(), java_home()
    try:
        from local.athena.trino import TrinoExecutor
    except ImportError as error:
        raise TrinoMissingError(f"Trino's client is not installed ({error})") from error
    copies = Copies()

    def as_told(took: Took) -> Took:
        effort = executor.effort
        return replace(
            took,
            seconds=effort.seconds,
            cpu_seconds=effort.cpu_seconds,
            read_bytes=effort.read_bytes,
        )

    with (
        running(TRINO_HEAP_GB) as server,
        _closing(executor := TrinoExecutor(server), copies) as engine,
    ):
        return _measured(engine, texts, settings, as_told)


@contextmanager
def _closing(executor: Executor, copies: Copies) -> Iterator[Engine]:
    try:
        yield Engine(executor, copies)
    finally:
        executor.close()
        copies.remove()


def _measured(
    engine: Engine,
    texts: dict[str, tuple[str, str | None]],
    settings: BuildDailySettings,
    told: Callable[[Took], Took],
) -> dict[str, Took]:
    """Each statement's fastest execution; `told` adds what the engine itself measures better."""
    numbers = count()
    found = {}
    for name, (text, by) in texts.items():
        took = [
            told(_took(engine, text, by, settings, f"bench/{next(numbers)}/"))
            for _ in range(ROUNDS + 1)  # the first finds nothing in memory
        ]
        found[name] = min(took[1:], key=lambda one: one.seconds)
    return found


def _took(
    engine: Engine, text: str, by: str | None, settings: BuildDailySettings, place: str
) -> Took:
    bucket = settings.lake_bucket
    if by:
        text = (
            f"UNLOAD (\n{text}\n) TO 's3://{bucket}/{place}' "
            f"WITH (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = ARRAY['{by}'])"
        )
    request = Request(days.now().isoformat(), text, (), settings.database, f"s3://{bucket}/out/")
    caller = Caller("bench", client("s3"), client("glue"))
    cpu, start = process_time(), perf_counter()
    outcome = engine.run(request, caller)
    seconds, cpu_seconds = perf_counter() - start, process_time() - cpu
    if outcome.reason:
        raise RuntimeError(outcome.reason)
    rows = _written(Objects(bucket), place) if by else _sorted(outcome)
    return Took(rows, seconds, cpu_seconds, outcome.scanned_bytes)


def _sorted(outcome: Outcome) -> list[Any]:
    return sorted(outcome.rows, key=repr)


def _written(objects: Objects, place: str) -> int:
    """How many rows an UNLOAD has written there; the objects are removed."""
    rows = sum(
        parquet.ParquetFile(BufferReader(objects.get(key))).metadata.num_rows
        for key in objects.keys(place)
    )
    objects.delete_all(place)
    return rows
