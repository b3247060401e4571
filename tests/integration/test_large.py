"""Large tenants: their rows are stored apart, and Athena makes their roll-ups.

The daily rows are put where build_daily puts them; each statement runs on the embedded Athena over
the template's own tables.
"""

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from math import inf
from typing import Any

import pyarrow as pa
import pytest

from pulse import lake
from pulse.errors import AthenaError
from pulse.filters import Condition
from pulse.reports import tenant_year
from pulse.reports.rollups import COUNTING_BOTS, OF_LARGE, ROLLUPS, Rollup
from pulse.serve.distributed import Distributed
from pulse.serve.distributed_sql import Wanted
from pulse.store.clients import client
from pulse.store.executions import Executions
from pulse.store.laid import LaidRows
from pulse.store.objects import Objects
from pulse.store.questions import Questions
from pulse.tenant_years import large
from pulse.tenant_years.writing import is_outdated
from pulse.tenants.tenant import CUBE, UNTOLD, TableState, Tenant
from tests import report_parts, sampling
from tests.driver import Driver, running
from tests.large_years import (
    DAYS,
    RUNS,
    YEAR,
    LargeYear,
    Row,
    as_sums,
    bots_of_every_day,
    events,
    laid_out,
    people,
    plain_sums,
    put,
    row,
    run_of,
    stage,
    sums,
)


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


OF_ONE_PART = [rollup for rollup in ROLLUPS["scores"] if rollup.grain != "tail"]


@pytest.mark.sampled
@pytest.mark.parametrize("rollup", sampling.some(OF_ONE_PART, 4), ids=lambda rollup: rollup.name)
def test_a_roll_up_has_the_sums_of_the_tenants_rows_as_each_days_run_has_them(
    pulse: Driver, rows: list[Row], rollup: Rollup
) -> None:
    laid = laid_out(pulse)
    made = stage(pulse).roll_up(lake.SCORES, "acme", 2025, laid, rollup, remaining_s=lambda: inf)
    assert made is not None
    assert made.schema == tenant_year.schema(lake.SCORES, rollup)
    found = as_sums(made, rollup)
    assert len(found) == len(made)
    assert found == sums(rows, rollup)
    assert not list(pulse.objects(lake.STAGING))


def test_more_days_than_a_statement_may_write_are_laid_out_by_several(
    pulse: Driver, rows: list[Row]
) -> None:
    one_run = dict.fromkeys(DAYS, RUNS[0])
    laid = stage(pulse).lay_out(lake.SCORES, "acme", one_run, remaining_s=lambda: inf)
    assert [len(some) for some in laid.values()] == [100, 20]
    many_runs = {day: lake.ulid() for day in DAYS}  # so that Athena looks in few places
    laid_apart = stage(pulse).lay_out(lake.SCORES, "acme", many_runs, remaining_s=lambda: inf)
    assert [len(some) for some in laid_apart.values()] == [44, 44, 32]
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
    block = distributed.block(wanted, lambda: None, remaining_s=lambda: 0.0)
    found = report_parts.by_key(block.group(None, filters, ["survey"]))
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


# -- a year, build after build


@pytest.mark.only_whole
@pytest.mark.parametrize("seed", range(3))
def test_after_every_build_the_objects_have_the_sums_of_the_rows(pulse: Driver, seed: int) -> None:
    chance = random.Random(seed)
    year = LargeYear(pulse, chance, tenant=f"hooli-{seed}")
    for number in range(5):
        changed = {*chance.sample(DAYS, 30 if number == 0 else chance.choice([1, 3, 9]))}
        year.change(changed)
        if number == 3:  # a day that is published no longer
            gone = chance.choice(sorted(year.run_of))
            del year.run_of[gone]
            changed |= {gone}
        written = year.build(changed)
        assert written.events == events(
            one for day in changed if day in year.run_of for one in year.rows[day]
        )
        year.check()
    assert not list(pulse.objects(lake.STAGING))


@pytest.mark.only_whole
def test_what_lies_in_several_runs_of_about_as_many_days_is_laid_out_together(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"scores": OF_LARGE["scores"][2:3]}  # by month, the smallest: the others are no matter
    monkeypatch.setattr(large, "OF_LARGE", few)
    year = LargeYear(pulse, random.Random(5), tenant="nightly")

    def night(some: Sequence[date]) -> list[int]:
        year.change(some)
        year.build(some)
        return sorted(len(its_days) for its_days in year.part.laid.values())

    assert [night([day]) for day in DAYS[:9]] == [
        *([1] * number for number in range(1, 8)),
        [8],
        [1, 8],
    ]
    for number, first in enumerate(range(9, 72, 9)):
        sizes = night(DAYS[first : first + 9])
        if number < 6:
            assert sizes == [1, 8, *[9] * (number + 1)]
    assert sizes == [1, 71]
    (rollup,) = few["scores"]
    rows = [one for some in year.rows.values() for one in some]
    assert year.held(rollup) == plain_sums(people(rows), rollup)
    laid = [day for its_days in year.part.laid.values() for day in its_days]
    assert sorted(laid) == sorted(year.run_of)


def test_a_tenant_that_grew_large_is_laid_out_whole(pulse: Driver) -> None:
    year = LargeYear(pulse, random.Random(6), tenant="grown")
    year.change(DAYS[:40])
    (cube, *_) = ROLLUPS["scores"]
    rows = [one for some in year.rows.values() for one in some]
    laid = report_parts.lay(
        lake.SCORES,
        "grown",
        2025,
        [(DAYS[:40], pa.Table.from_pylist(rows, tenant_year.schema(lake.SCORES, cube)))],
    )
    for key, body in laid.bodies.items():
        client("s3").put_object(Bucket=pulse.settings.lake_bucket, Key=key, Body=body)
    year.state = laid.state
    ask = partial(stage(pulse).is_large, lake.SCORES, "grown", 2025, laid.state)
    assert laid.state.parts[0].sizes[CUBE] > 1000  # so that the object is looked at
    assert ask(1000 - len(rows)) is False
    assert ask(1001 - len(rows)) is True
    year.change(DAYS[38:42])
    written = year.build(DAYS[38:42])
    year.check()
    assert written.events == events(one for day in DAYS[38:42] for one in year.rows[day])
    assert stage(pulse).is_large(lake.SCORES, "grown", 2025, year.state, 1) is True


def test_a_year_without_rows_has_no_part(pulse: Driver) -> None:
    year = LargeYear(pulse, random.Random(7), tenant="empty")
    year.change(DAYS[:2])
    year.build(DAYS[:2])
    year.run_of.clear()
    written = year.build(DAYS[:2])
    assert (written.state.parts, written.state.first_day, written.events) == ((), None, 0)


@pytest.mark.only_whole
def test_what_is_too_much_for_a_reader_is_no_object(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = LargeYear(pulse, random.Random(8), tenant="wide")
    year.change(DAYS[:30])
    with monkeypatch.context() as patched:
        patched.setattr(large, "MOST_ROWS", 10)
        year.build(DAYS[:30])
        assert 0 < len(year.part.sizes) < len(OF_LARGE["scores"])
        kept = {*year.part.sizes}
    year.change(DAYS[30:31])
    year.build(DAYS[30:31])  # what was left out stays so, as nothing tells of the other days
    assert kept <= {*year.part.sizes}
    rows = [one for some in year.rows.values() for one in some]
    for rollup in OF_LARGE["scores"]:
        if rollup.name in year.part.sizes:
            assert year.held(rollup) == plain_sums(people(rows), rollup)


def check_counting(year: LargeYear, too_many: Collection[str] = ()) -> None:
    """What counts bots has the sums of their rows, but for what is too much for an object."""
    bots = people((one for some in year.rows.values() for one in some), bots=True)
    for rollup in COUNTING_BOTS["scores"]:
        if rollup.name in too_many:
            assert year.part.sizes[rollup.name] == UNTOLD
        else:
            assert year.held(rollup) == plain_sums(bots, rollup), rollup.name
    assert year.part.sizes["bots"] == UNTOLD


@pytest.mark.only_whole
def test_bots_that_are_too_many_for_one_object_are_summed_up_in_several(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = LargeYear(pulse, random.Random(10), tenant="flooded")
    bots_of_every_day(year, DAYS[:8])
    year.build(DAYS[:8])  # sixteen rows of bots, which one object holds
    assert year.part.sizes["bots"] > 0
    assert not any(rollup.name in year.part.sizes for rollup in COUNTING_BOTS["scores"])
    by_agent = {
        rollup.name
        for rollup in COUNTING_BOTS["scores"]
        if "agent" in rollup.dimensions and rollup.grain == "day"
    }
    monkeypatch.setattr(large, "MOST_ROWS", 17)
    bots_of_every_day(year, DAYS[7:9])
    year.build(DAYS[7:9])  # eighteen, whether or not the older days' are in that object
    check_counting(year, too_many=by_agent)
    bots_of_every_day(year, DAYS[3:4])
    year.build(DAYS[3:4])
    check_counting(year, too_many=by_agent)


@pytest.mark.only_whole
def test_bots_that_a_former_version_has_left_to_athena_are_summed_up(pulse: Driver) -> None:
    year = LargeYear(pulse, random.Random(12), tenant="flooded-before")
    bots_of_every_day(year, DAYS[:8])
    year.build(DAYS[:8])
    assert year.state is not None
    former = replace(year.part, sizes={**year.part.sizes, "bots": UNTOLD})
    assert is_outdated(lake.SCORES, former)
    year.state = replace(year.state, parts=(former,))
    bots_of_every_day(year, DAYS[7:8])
    year.build(DAYS[7:8])
    check_counting(year)
    assert not is_outdated(lake.SCORES, year.part)


@pytest.mark.only_whole
def test_what_a_former_version_has_summed_up_with_bots_is_summed_up_without(pulse: Driver) -> None:
    year = LargeYear(pulse, random.Random(11), tenant="former")
    year.change(DAYS[:30])
    year.build(DAYS[:30])
    rows = [one for some in year.rows.values() for one in some]
    assert people(rows, bots=True)
    assert year.state is not None
    sizes = {}
    for rollup in OF_LARGE["scores"]:
        found = stage(pulse).roll_up(
            lake.SCORES, "former", 2025, year.part.laid, rollup, remaining_s=lambda: inf
        )
        assert found is not None
        body = tenant_year.encode(lake.SCORES, rollup, found)
        key = lake.part_key(lake.SCORES, "former", 2025, year.part.run, rollup.name)
        client("s3").put_object(Bucket=pulse.settings.lake_bucket, Key=key, Body=body)
        sizes[rollup.name] = len(body)
    year.state = replace(year.state, parts=(replace(year.part, sizes=sizes),))
    year.change(DAYS[29:31])
    year.build(DAYS[29:31])
    year.check()


# -- removal


def test_only_runs_that_the_record_does_not_name_are_removed(pulse: Driver) -> None:
    year = LargeYear(pulse, random.Random(9), tenant="erased")
    year.change(DAYS[:9])
    year.build(DAYS[:9])
    before = {*year.part.laid}
    year.change(DAYS[:9])
    year.build(DAYS[:9])
    assert year.state is not None
    record = Tenant("erased", "E", tables={"scores": TableState({2025: year.state})})
    laid = LaidRows(Objects(pulse.settings.lake_bucket))
    assert {run for run, _ in laid.unnamed(lake.SCORES, "erased", record)} == before
    others = [key for key in pulse.objects("large/") if "tenant=erased/" not in key]
    assert laid.remove_unnamed(laid.runs("erased"), record) == len(before)
    left = list(pulse.objects(lake.large_tenant_prefix(lake.SCORES, "erased")))
    assert {key.split("run=")[1][:26] for key in left} == {*year.part.laid}
    assert laid.remove_unnamed(laid.runs("erased"), record) == 0
    # and of a run that is named the days alone that count no more
    ((run, its_days),) = year.part.laid.items()
    fewer = replace(year.part, laid={run: its_days - {DAYS[0]}})
    state = replace(year.state, parts=(fewer,))
    left_over = Tenant("erased", "E", tables={"scores": TableState({2025: state})})
    assert laid.remove_unnamed(laid.runs("erased"), left_over) == 0
    prefix = lake.large_run_prefix(lake.SCORES, "erased", run)
    assert laid.days(prefix) == its_days - {DAYS[0]}
    assert not list(pulse.objects(f"{prefix}dt={DAYS[0]}/"))
    assert len([*pulse.objects(prefix)]) > 1
    assert laid.remove_unnamed(laid.runs("erased"), None) == len(year.part.laid)
    assert list(pulse.objects("large/")) == others


def test_what_says_that_a_run_is_complete_goes_first() -> None:
    class Watched(Objects):
        def __init__(self) -> None:
            super().__init__("lake")
            self.asked: list[Any] = []

        def wipe_keys(self, keys: Iterable[str]) -> int:
            self.asked.append(list(keys))
            return 0

        def wipe(self, prefix: str) -> int:
            self.asked.append(prefix)
            return 0

    watched = Watched()
    prefix = lake.large_run_prefix(lake.SCORES, "acme", RUNS[0])
    LaidRows(watched).remove(prefix)
    assert watched.asked == [[f"{prefix}complete"], prefix]
