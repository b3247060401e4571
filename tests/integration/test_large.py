"""Large tenants: their rows laid out apart, and the roll-ups that Athena makes of them.

The daily rows are put where build_daily puts them; each statement runs on the embedded Athena over
the template's own tables.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from math import inf
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse import lake
from pulse.days import DateRange
from pulse.errors import AthenaError
from pulse.reports import large, tenant_year
from pulse.reports.large import LargeTenants
from pulse.reports.rollups import ROLLUPS, Rollup
from pulse.serve.conditions import Condition
from pulse.serve.distributed import Distributed
from pulse.serve.distributed_sql import Wanted
from pulse.store.athena import Athena
from pulse.store.clients import client
from pulse.store.executions import Executions
from pulse.store.objects import Objects
from pulse.store.questions import Questions
from tests.driver import Driver, running

FIRST = date(2025, 2, 20)
DAYS = [FIRST + timedelta(days=number) for number in range(120)]
YEAR = DateRange(date(2025, 1, 1), date(2025, 12, 31))
RUNS = [lake.ulid(), lake.ulid()]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with running() as driver:
        yield driver


@pytest.fixture(scope="module")
def rows(pulse: Driver) -> list[Row]:
    """What two tenants' rows are in two runs; a day's run is told by `run_of`."""
    chance = random.Random(3)
    made = []
    for day in DAYS[::3]:
        for run in RUNS:
            some = [
                row(tenant, day, run, chance) for tenant in ("acme", "globex") for _ in range(3)
            ]
            put(pulse, run, day, some)
            made += some
    return made


def row(tenant: str, day: date, run: str, chance: random.Random) -> Row:
    dimensions: Row = dict.fromkeys(lake.SCORE_DIMENSIONS)
    dimensions |= {"metric": "csat", "scale": "1-5", "survey": chance.choice("ab")}
    dimensions |= {"agent": chance.choice(["ada", None]), "channel": "chat"}
    counts = {name: chance.randint(0, 3) for name in lake.SCORE_COUNTS}
    return {"tenant": tenant, **dimensions, **counts, "day": day, "run": run}


def put(pulse: Driver, run: str, day: date, rows: list[Row]) -> None:
    kinds = {"string": pa.string(), "bigint": pa.int64()}
    columns = {
        name: pa.array([row[name] for row in rows], kinds[kind])
        for name, kind in lake.DAILY_SCORES.items()
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    key = f"{lake.run_prefix(lake.SCORES, run)}dt={day}/rows"
    client("s3").put_object(
        Bucket=pulse.settings.lake_bucket, Key=key, Body=sink.getvalue().to_pybytes()
    )


def run_of(day: date) -> str:
    return RUNS[day.month % 2]


def stage(pulse: Driver) -> LargeTenants:
    settings = pulse.settings
    return LargeTenants(
        Athena(settings.database, settings.workgroup), Objects(settings.lake_bucket)
    )


def laid_out(pulse: Driver) -> large.Laid:
    wanted = {day: run_of(day) for day in DAYS}
    return stage(pulse).lay_out(lake.SCORES, "acme", wanted, remaining_s=lambda: inf)


def sums(rows: list[Row], rollup: Rollup) -> dict[Any, list[int]]:
    """Plain loops over the rows that count."""
    found: dict[Any, Counter[str]] = {}
    for one in rows:
        if one["tenant"] == "acme" and one["run"] == run_of(one["day"]):
            day = one["day"].replace(day=1) if rollup.grain == "month" else one["day"]
            key = (*(one[name] for name in rollup.dimensions), day)
            found.setdefault(key, Counter()).update({n: one[n] for n in lake.SCORE_COUNTS})
    return {key: [count[name] for name in lake.SCORE_COUNTS] for key, count in found.items()}


@pytest.mark.parametrize("rollup", ROLLUPS["scores"], ids=lambda rollup: rollup.name)
def test_a_roll_up_has_the_sums_of_the_tenants_rows_as_each_days_run_has_them(
    pulse: Driver, rows: list[Row], rollup: Rollup
) -> None:
    laid = laid_out(pulse)
    made = stage(pulse).roll_up(lake.SCORES, "acme", 2025, laid, rollup, remaining_s=lambda: inf)
    assert made is not None
    assert made.schema == tenant_year.schema(lake.SCORES, rollup)
    found = {
        (*(one[name] for name in rollup.dimensions), one["day"]): [
            one[name] for name in lake.SCORE_COUNTS
        ]
        for one in made.to_pylist()
    }
    assert len(found) == len(made)
    assert found == sums(rows, rollup)
    assert not list(pulse.objects(lake.STAGING))


def test_more_days_than_a_statement_may_write_are_laid_out_by_several(
    pulse: Driver, rows: list[Row]
) -> None:
    one_run = dict.fromkeys(DAYS, RUNS[0])
    laid = stage(pulse).lay_out(lake.SCORES, "acme", one_run, remaining_s=lambda: inf)
    assert [len(some) for some in laid.values()] == [100, 20]
    assert frozenset().union(*laid.values()) == {*DAYS}
    for run, its_days in laid.items():
        prefix = lake.large_run_prefix(lake.SCORES, "acme", run)
        folders = {key.removeprefix(prefix).split("/")[0] for key in pulse.objects(prefix)}
        assert folders == {"complete", *(f"dt={day}" for day in {*its_days} & {*DAYS[::3]})}


def test_a_question_is_answered_from_the_rows_laid_out(pulse: Driver, rows: list[Row]) -> None:
    settings = pulse.settings
    distributed = Distributed(
        Executions(settings.database, settings.workgroup),
        Questions(settings.table),
        Objects(settings.lake_bucket),
    )
    filters = {"agent": Condition(frozenset({"ada"}))}
    wanted = Wanted(lake.SCORES, "acme", laid_out(pulse), (YEAR,), ("survey",), filters)
    cells = distributed.cells(wanted, lambda: None, remaining_s=lambda: 0.0)
    found = cells.group(None, filters, ["survey"])
    expected: dict[tuple[str], list[int]] = {}
    for one in rows:
        if (one["tenant"], one["agent"], one["run"]) == ("acme", "ada", run_of(one["day"])):
            known = expected.setdefault((one["survey"],), [0] * len(lake.SCORE_COUNTS))
            expected[one["survey"],] = [
                a + one[name] for a, name in zip(known, lake.SCORE_COUNTS, strict=True)
            ]
    assert found == expected


def test_a_statement_that_athena_refuses_has_failed(pulse: Driver) -> None:
    executions = Executions(pulse.settings.database, pulse.settings.workgroup)
    target = f"s3://{pulse.settings.lake_bucket}/{lake.question_prefix('acme', 'f', lake.ulid())}"
    begun = executions.unload("SELECT nothing FROM large_scores", (), target=target, token="t" * 32)
    found = executions.look(begun)
    assert found.state == "failed"
    assert "nothing" in found.reason


def test_a_workgroup_that_is_not_there_is_an_error_of_athena(pulse: Driver) -> None:
    executions = Executions(pulse.settings.database, "nobodys")
    with pytest.raises(AthenaError, match="not begun"):
        executions.unload("SELECT 1 AS one", (), target="s3://lake/x/", token="t" * 32)


def test_a_roll_up_of_too_many_rows_is_left_out(
    pulse: Driver, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "MOST_ROWS", 5)
    made = stage(pulse).roll_up(
        lake.SCORES, "acme", 2025, laid_out(pulse), ROLLUPS["scores"][0], remaining_s=lambda: inf
    )
    assert made is None
