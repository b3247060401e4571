"""Questions that Athena answers: one at a time, shared, kept, and limited by who asks.

Athena is played by a fake, so that a statement can take as long as a test wants; DynamoDB and S3
are moto's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from pulse import days, lake
from pulse.days import DateRange
from pulse.errors import (
    AthenaError,
    GoneError,
    RequestError,
    TooManyRequestsError,
    UnavailableError,
    UnprocessableError,
)
from pulse.filters import Condition
from pulse.serve.distributed import Distributed, laid_out
from pulse.serve.distributed_sql import Wanted
from pulse.serve.needs import Needs
from pulse.serve.years import Left, Uncovered
from pulse.store.executions import Execution, Executions
from pulse.store.laid import LaidRows
from pulse.store.objects import Objects
from pulse.store.questions import BEGIN_US, KEEP_FAILED_US, KEEP_US, RUN_US, Questions
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import CUBE, Part, Tenant, YearState
from tests.account import make_bucket, make_table

DAY = date(2026, 3, 1)
RUN = "01KASR10000000000000000000"
OTHER_RUN = RUN[:-1] + "1"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class FakeExecutions(Executions):
    """Statements that run until the test says otherwise."""

    states: dict[str, Execution] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)
    refuse: bool = False
    at_once: bool = False

    def unload(self, sql: str, parameters: Sequence[str], *, target: str, token: str) -> str:
        if self.refuse:
            raise AthenaError("not begun: TooManyRequestsException", retryable=True)
        name = f"execution-{len(self.targets)}"
        self.targets.append(target)
        self.states[name] = Execution("running")
        if self.at_once:
            self.finish(name)
        return name

    def look(self, execution: str) -> Execution:
        return self.states[execution]

    def finish(self, name: str, score: int = 1) -> None:
        """The statement has written one row."""
        columns = {measure: [int(measure == f"c{score}")] for measure in lake.SCORES.measures}
        row = pa.table({"day": pa.array([DAY], pa.date32()), **columns, "mark": [0]})
        sink = pa.BufferOutputStream()
        pq.write_table(row, sink)
        target = self.targets[int(name.split("-")[1])]
        bucket, _, prefix = target.removeprefix("s3://").partition("/")
        Objects(bucket).put(f"{prefix}rows", sink.getvalue().to_pybytes())
        self.states[name] = Execution("done", scanned_bytes=7)


@dataclass
class World:
    """One process that answers, its account, and a clock."""

    table: str
    bucket: str
    athena: FakeExecutions = field(default_factory=FakeExecutions)
    now: datetime = NOON
    admitted: int = 0

    def process(self) -> Distributed:
        return Distributed(self.athena, Questions(self.table), Objects(self.bucket))

    def admit(self) -> None:
        self.admitted += 1

    def ask(self, wanted: Wanted, process: Distributed | None = None) -> int:
        """How many answers of score 1 the roll-up counts."""
        process = process or self.process()
        block = process.block(wanted, self.admit, remaining_s=lambda: 0.0)
        [sums] = block.group([DAY], {}, []).sums.tolist()
        return int(sums[1])

    def refused(self, wanted: Wanted) -> str:
        with pytest.raises(RequestError) as error:
            self.ask(wanted)
        assert error.value.headers["Retry-After"]
        return error.value.code

    def later(self, us: int) -> None:
        self.now += timedelta(microseconds=us)


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        world = World(make_table(), make_bucket())
        for tenant in ("acme", "globex"):
            for run in (RUN, OTHER_RUN):
                lay_out(world, run, tenant)
        with days.clock(lambda: world.now):
            yield world


def lay_out(world: World, run: str = RUN, tenant: str = "acme") -> None:
    """As if the run had laid out rows."""
    prefix = lake.large_run_prefix(lake.SCORES, tenant, run)
    LaidRows(Objects(world.bucket)).complete(prefix, [DAY])


def wanted(country: str = "DE", run: str = RUN, tenant: str = "acme") -> Wanted:
    laid = {run: frozenset({DAY})}
    filters = {"country": Condition(frozenset({country}))}
    return Wanted(lake.SCORES, tenant, laid, (DateRange(DAY, DAY),), (), filters)


def test_a_statement_that_ends_in_time_answers_at_once(world: World) -> None:
    world.athena.at_once = True
    assert world.ask(wanted()) == 1
    assert (len(world.athena.targets), world.admitted) == (1, 1)


def test_who_comes_again_finds_the_statement_and_then_its_rows(world: World) -> None:
    assert world.refused(wanted()) == "still_computing"
    assert world.refused(wanted()) == "still_computing"
    world.athena.finish("execution-0")
    assert world.ask(wanted()) == 1
    assert world.ask(wanted()) == 1
    assert (len(world.athena.targets), world.admitted) == (1, 1)


def test_a_process_reads_the_rows_once(world: World) -> None:
    world.athena.at_once = True
    process = world.process()
    assert world.ask(wanted(), process) == 1
    Objects(world.bucket).wipe(lake.QUESTIONS)
    assert world.ask(wanted(), process) == 1


def test_a_tenant_has_one_statement_at_a_time_and_others_have_theirs(world: World) -> None:
    assert world.refused(wanted("DE")) == "still_computing"
    assert world.refused(wanted("FR")) == "question_running"
    assert world.refused(wanted("DE", tenant="globex")) == "still_computing"
    assert (len(world.athena.targets), world.admitted) == (2, 2)
    # the first one ends, and nobody has asked for it since
    world.athena.finish("execution-0")
    assert world.refused(wanted("FR")) == "still_computing"
    assert world.ask(wanted("DE")) == 1


def test_a_statement_that_began_and_was_lost_sight_of_holds_nobody_up_for_ever(
    world: World,
) -> None:
    assert world.refused(wanted("DE")) == "still_computing"
    world.later(RUN_US - 1)
    assert world.refused(wanted("FR")) == "question_running"
    world.later(1)
    assert world.refused(wanted("FR")) == "still_computing"


def test_who_died_before_the_statement_began_holds_others_up_for_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(world.athena, "unload", dies)
        world.ask(wanted("DE"))
    assert world.refused(wanted("DE")) == "still_computing"
    assert world.refused(wanted("FR")) == "question_running"
    world.later(BEGIN_US)
    assert world.refused(wanted("FR")) == "still_computing"
    assert len(world.athena.targets) == 1


def test_a_statement_that_athena_does_not_take_leaves_the_turn_free(world: World) -> None:
    world.athena.refuse = True
    assert world.refused(wanted()) == "question_failed"
    world.athena.refuse = False
    world.athena.at_once = True
    assert world.ask(wanted("FR")) == 1
    assert world.ask(wanted("DE")) == 1


def test_a_question_that_athena_would_not_take_is_refused_before_it_counts(world: World) -> None:
    long = wanted()
    few = frozenset(f"{number:x}" for number in range(80_000))
    many = frozenset(f"{number:x}" for number in range(90_000))
    with pytest.raises(UnprocessableError) as refused:
        world.ask(replace(long, filters={"country": Condition(many)}))
    assert refused.value.code == "question_too_long"
    assert (len(world.athena.targets), world.admitted) == (0, 0)
    world.athena.at_once = True
    assert world.ask(replace(long, filters={"country": Condition(few)})) == 1  # the turn is free


def test_a_statement_that_failed_is_not_tried_again_at_once(world: World) -> None:
    assert world.refused(wanted()) == "still_computing"
    world.athena.states["execution-0"] = Execution("failed", "EXCEEDED_LOCAL_MEMORY_LIMIT")
    assert [world.refused(wanted()) for _ in range(3)] == ["question_failed"] * 3
    assert len(world.athena.targets) == 1
    world.later(KEEP_FAILED_US)
    assert world.refused(wanted()) == "still_computing"
    assert len(world.athena.targets) == 2


def test_other_rows_are_another_question(world: World) -> None:
    world.athena.at_once = True
    assert world.ask(wanted()) == 1
    assert world.ask(wanted(run=OTHER_RUN)) == 1
    assert world.ask(wanted(country="FR")) == 1
    assert len(world.athena.targets) == 3


def test_rows_that_were_removed_are_no_answer_of_zeros(world: World) -> None:
    world.athena.at_once = True
    assert world.ask(wanted()) == 1
    Objects(world.bucket).wipe(lake.questions_prefix("acme"))
    assert world.refused(wanted()) == "question_outdated"
    assert world.ask(wanted()) == 1
    assert len(world.athena.targets) == 2


def test_rows_that_went_while_they_were_read_are_looked_up_once_more(world: World) -> None:
    assert world.refused(wanted()) == "still_computing"
    world.athena.finish("execution-0")
    Objects(world.bucket).wipe(lake.large_tenant_prefix(lake.SCORES, "acme"))
    with pytest.raises(GoneError, match=RUN):
        world.ask(wanted())


def test_a_day_that_went_from_a_run_is_looked_up_once_more_and_others_are_not(
    world: World,
) -> None:
    other = DAY + timedelta(days=1)
    laid = LaidRows(Objects(world.bucket))
    laid.complete(lake.large_run_prefix(lake.SCORES, "acme", RUN), [other])
    world.athena.at_once = True
    with pytest.raises(GoneError, match=RUN):
        world.ask(wanted())
    remaining = Wanted(
        lake.SCORES, "acme", {RUN: frozenset({DAY, other})}, (DateRange(other, other),), (), {}
    )
    world.process().block(remaining, world.admit, remaining_s=lambda: 0.0)


def test_days_that_are_not_asked_for_make_no_other_question(world: World) -> None:
    world.athena.at_once = True
    assert world.ask(wanted()) == 1
    more = replace(wanted(), laid={RUN: frozenset({DAY}), OTHER_RUN: numbered(0)})
    assert world.ask(more) == 1
    assert len(world.athena.targets) == 1


def test_rows_answer_for_less_than_the_day_that_they_are_kept(world: World) -> None:
    assert KEEP_US < 24 * 3600 * days.SECOND
    world.athena.at_once = True
    assert world.ask(wanted()) == 1
    world.later(KEEP_US)
    assert world.ask(wanted()) == 1
    assert len(world.athena.targets) == 2


def test_who_has_asked_too_much_begins_nothing_but_reads_what_is_there(world: World) -> None:
    world.athena.at_once = True
    assert world.ask(wanted("DE")) == 1

    def admit() -> None:
        raise TooManyRequestsError("key_limit", "Too many.", retry_after_s=1)

    block = world.process().block(wanted("DE"), admit, remaining_s=lambda: 0.0)
    assert len(block.day) == 1
    with pytest.raises(TooManyRequestsError):
        world.process().block(wanted("FR"), admit, remaining_s=lambda: 0.0)
    assert world.ask(wanted("FR")) == 1
    assert len(world.athena.targets) == 2


def test_of_two_who_begin_at_the_same_moment_one_has_the_turn(world: World) -> None:
    assert world.refused(wanted("DE")) == "still_computing"

    class Late(Questions):
        def turn(self, tenant: str) -> None:
            return None

    late = replace(world.process(), questions=Late(world.table))
    with pytest.raises(UnavailableError, match="one at a time"):
        late.block(wanted("FR"), world.admit, remaining_s=lambda: 0.0)
    assert len(world.athena.targets) == 1


def test_forgetting_a_tenant_forgets_its_questions(world: World) -> None:
    world.athena.at_once = True
    assert world.ask(wanted()) == 1
    assert Questions(world.table).remove("acme", Objects(world.bucket)) == 3
    assert not list(Objects(world.bucket).keys(lake.QUESTIONS))
    assert world.ask(wanted()) == 1
    assert len(world.athena.targets) == 2


def numbered(*numbers: int) -> frozenset[date]:
    """Days of 2026 by their numbers."""
    return frozenset(date(2026, 1, 1) + timedelta(days=number) for number in numbers)


def left(*parts: tuple[Part, frozenset[date]]) -> Left:
    """What is left of a year, of which everything is asked."""
    state = YearState(tuple(part for part, _ in parts), "content", 0, None, 1)
    year = DateRange(date(2026, 1, 1), date(2026, 12, 31))
    tenant = Tenant("acme", "Acme")
    needs = Needs(lake.SCORES, tenant, frozenset(), {}, (year,), True, frozenset(), "total")
    return Left(needs, [Uncovered(state, part, live) for part, live in parts])


def test_athena_reads_of_each_part_the_days_that_count() -> None:
    new = Part("new", numbered(5, 6), {}, laid={"c": numbered(5, 6)})
    old = Part(
        "old", numbered(*range(8)), {}, laid={"a": numbered(4, 5, 7), "b": numbered(*range(4), 6)}
    )
    found = laid_out(left((new, numbered(5, 6)), (old, numbered(*range(5), 7))))
    assert found == {"c": numbered(5, 6), "a": numbered(4, 7), "b": numbered(*range(4))}


def test_a_run_none_of_whose_days_count_is_not_read() -> None:
    old = Part("old", numbered(1, 2), {}, laid={"a": numbered(1), "b": numbered(2)})
    assert laid_out(left((old, numbered(2)))) == {"b": numbered(2)}


def test_days_that_are_laid_out_nowhere_are_no_zeros() -> None:
    old = Part("old", numbered(*range(8)), {CUBE: 1}, laid={"a": numbered(*range(4))})
    with pytest.raises(UnavailableError, match="no sums by them"):
        laid_out(left((old, numbered(*range(8)))))


def test_the_tenants_record_tells_where_rows_are_laid_out(world: World) -> None:
    tenants = Tenants(world.table)
    tenants.create(Tenant("acme", "Acme"))
    new = Part("new", numbered(8, 9), {CUBE: 1})
    laid = {"a": numbered(0, 1), "b": numbered(2, 3)}
    old = Part("old", numbered(*range(4)), {"month": 1}, laid=laid)
    state = YearState((new, old), "content", 0, None, 1)
    tenants.set_year("acme", "scores", 2026, state, before=None)
    found = tenants.get("acme")
    assert found is not None
    assert found.table("scores").years[2026].parts == (new, old)
