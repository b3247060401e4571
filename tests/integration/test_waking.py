"""A builder that is woken reads one record, and a stream's days only if they have changed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest

from pulse import days
from pulse.daily.build import BuildDaily
from pulse.errors import AthenaError
from pulse.store.athena import Athena
from pulse.store.changes import LONGEST_RUN_US
from pulse.store.clients import client
from pulse.store.ledger import Ledger
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

pytestmark = pytest.mark.only_whole

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SERVICES = ("dynamodb", "glue", "athena", "s3")


@pytest.fixture
def pulse() -> Iterator[Driver]:
    """A tenant with one answer, built."""
    with days.clock(lambda: NOON), running() as driver:
        driver.tenant("acme")
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        answer(driver)
        driver.build()
        yield driver


def answer(driver: Driver, ago: int = 1) -> None:
    moment = (NOON - timedelta(days=ago)).isoformat()
    driver.post("acme", [{"survey_id": "email", "score": 9, "answered_at": moment}])
    assert driver.write() == []


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """What AWS is asked within the block, by the name of the operation."""
    made: Counter[str] = Counter()

    def note(model: Any, **_: Any) -> None:
        made[model.name] += 1

    for service in SERVICES:
        client(service).meta.events.register(f"before-call.{service}", note)
    try:
        yield made
    finally:
        for service in SERVICES:
            client(service).meta.events.unregister(f"before-call.{service}", note)


def test_with_nothing_to_do_one_record_is_read(pulse: Driver) -> None:
    with calls() as made:
        assert pulse.build_daily().built == ()
    assert made == {"Query": 1}


def test_a_build_of_reports_with_nothing_to_do_reads_two_records(pulse: Driver) -> None:
    with calls() as made:
        assert pulse.build_reports().rewritten == ()
    assert made == {"Query": 2}
    with days.clock(lambda: NOON + timedelta(hours=25)), calls() as made:
        assert pulse.build_reports().rewritten == ()
    assert made["GetPartitions"] == made["BatchGetPartition"] == 0  # there is no notice of any day


def test_a_build_of_reports_looks_at_the_days_that_changed_alone(pulse: Driver) -> None:
    answer(pulse, ago=2)
    pulse.build_daily()
    with calls() as made:
        assert pulse.build_reports().rewritten == (("acme", 2026),)
    assert (made["GetPartitions"], made["BatchGetPartition"]) == (0, 1)
    with calls() as made:
        assert pulse.build_reports().rewritten == ()
    assert made == {"Query": 2}


def test_only_the_stream_that_changed_is_looked_at(pulse: Driver) -> None:
    answer(pulse, ago=2)
    with calls() as made:
        assert len(pulse.build_daily().built) == 1
    assert made["GetPartitions"] == 1
    with calls() as made:
        assert pulse.build_daily().built == ()
    assert made == {"Query": 1}


def test_all_days_are_looked_at_once_a_night(pulse: Driver) -> None:
    with days.clock(lambda: NOON + timedelta(hours=25)), calls() as made:
        assert pulse.build_daily().built == ()
    # the record, the days of the three streams, and what experience and comments are made of
    assert made["Query"] == 1 + 3 + 3 + 2
    assert made["GetPartitions"] == 1  # of the one table that has days


def test_what_comes_while_a_builder_looks_is_built_by_the_next(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(pulse, ago=2)
    real, late = Ledger.entries, [3]

    def entries(self: Ledger, stream: str, *between: Any) -> Any:
        found = real(self, stream, *between)
        if stream == "responses" and late:
            answer(pulse, ago=late.pop())
        return found

    monkeypatch.setattr(Ledger, "entries", entries)
    assert [str(day) for day in pulse.build_daily().built] == ["2026-11-19"]
    assert [str(day) for day in pulse.build_daily().built] == ["2026-11-18"]


def test_a_day_that_fails_is_tried_again_when_it_is_due(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(pulse, ago=2)
    answer(pulse, ago=3)
    real = Athena.unload

    def unload(self: Athena, sql: str, params: dict[str, Any], **given: Any) -> None:
        if "2026-11-19" in params["days"]:
            raise AthenaError("the rows are at fault")
        real(self, sql, params, **given)

    with monkeypatch.context() as broken:
        broken.setattr(Athena, "unload", unload)
        with pytest.raises(AthenaError, match="the rows are at fault"):
            pulse.build_daily()
    with calls() as made:
        assert pulse.build_daily().built == ()
    assert made == {"Query": 1}
    with days.clock(lambda: NOON + timedelta(hours=25)):
        assert len(pulse.build_daily().built) == 1


def test_what_a_dead_builder_left_is_looked_at_until_another_has(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(pulse, ago=2)
    stage = BuildDaily.from_settings(pulse.settings)
    with monkeypatch.context() as dying:
        dying.setattr(type(stage.ledger.changes), "end", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stage.run(remaining_s=lambda: inf)
    for _ in range(2):  # it may still be at work
        with calls() as made:
            assert pulse.build_daily().built == ()
        assert made["GetPartitions"] == 1
    dead = NOON + timedelta(microseconds=LONGEST_RUN_US)
    with days.clock(lambda: dead):
        pulse.build_daily()
        with calls() as made:
            assert pulse.build_daily().built == ()
    assert made == {"Query": 1}
