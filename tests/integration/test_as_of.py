"""`as_of` keeps its promise: the figures contain everything that was stored before it.

Stored is an answer once write_raw is through with its message. What the promise leaves out are days
that `meta.warnings` names.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest

from pulse import days
from pulse.daily.build import BuildDaily
from pulse.errors import AthenaError
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.catalog import Catalog
from pulse.tenant_years.build import BuildReports
from pulse.tenants.rules import Rule
from tests.clock import Clock
from tests.driver import Driver, running

pytestmark = pytest.mark.only_whole

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WHOLE = "start_date=2025-01-01&end_date=2026-11-21"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def pulse(clock: Clock) -> Iterator[Driver]:
    with days.clock(clock), running() as driver:
        driver.tenant("acme")
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        yield driver


def store(pulse: Driver, *ago: int) -> None:
    """An answer of each of these days, posted and written to raw."""
    answers = [
        {"survey_id": "email", "score": 9, "answered_at": (NOON - timedelta(days=n)).isoformat()}
        for n in ago
    ]
    assert pulse.post("acme", answers).status == 202
    assert pulse.write() == []


def read(pulse: Driver, report: str = "nps") -> tuple[datetime | None, Any]:
    """(as_of, how many responses or interactions there are)."""
    pulse.forget()
    reply = pulse.report("acme", report, WHOLE)
    as_of = reply["meta"]["as_of"]
    counted = "responses" if report == "nps" else "entered"
    count = sum(row[counted] for row in reply["totals"])
    return as_of and datetime.fromisoformat(as_of), count


def build_daily(pulse: Driver, remaining_s: float = inf) -> bool:
    stage = BuildDaily.from_settings(pulse.settings)
    return stage.run(remaining_s=lambda: remaining_s).finished


def test_what_is_stored_between_the_two_builds_was_not_stored_before_as_of(
    pulse: Driver, clock: Clock
) -> None:
    store(pulse, 1, 2)
    looked = clock.a_minute_passes()
    pulse.build_daily()
    late = clock.a_minute_passes()
    store(pulse, *range(1, 61))
    clock.a_minute_passes()
    pulse.build_reports()
    assert read(pulse) == (looked, 2)
    assert looked < late
    again = clock.a_minute_passes()
    pulse.build_daily()
    clock.a_minute_passes()
    pulse.build_reports()
    as_of, count = read(pulse)
    assert count == 62
    assert as_of is not None and as_of >= again


def test_where_nothing_has_come_since_it_is_when_the_reports_were_built(
    pulse: Driver, clock: Clock
) -> None:
    store(pulse, 1)
    pulse.build_daily()
    looked = clock.a_minute_passes()
    pulse.build_reports()
    assert read(pulse) == (looked, 1)


def test_interactions_have_their_own(pulse: Driver, clock: Clock) -> None:
    call = {"interaction_id": "c-1", "media_type": "voice", "entered_at": "2026-11-20T10:00:00Z"}
    pulse.post_interactions("acme", [call])
    pulse.write()
    looked = clock.a_minute_passes()
    pulse.build_daily()
    clock.a_minute_passes()
    pulse.post_interactions("acme", [call | {"interaction_id": "c-2"}])
    pulse.write()
    reported = clock.a_minute_passes()
    pulse.build_reports()
    assert read(pulse, "revenue")[0] == looked
    assert read(pulse)[0] == reported


def test_a_build_of_some_days_or_without_time_moves_nothing(pulse: Driver, clock: Clock) -> None:
    store(pulse, 1)
    looked = clock.a_minute_passes()
    pulse.build()
    store(pulse, 1, 2, 3)
    clock.a_minute_passes()
    day = (NOON - timedelta(days=2)).date()
    pulse.build_daily(day, day)
    pulse.build_reports()
    assert read(pulse) == (looked, 2)
    clock.a_minute_passes()
    assert not build_daily(pulse, RESERVE_S - 1)
    pulse.build_reports()
    assert read(pulse) == (looked, 2)


def test_a_build_of_reports_that_time_ran_out_for_moves_nothing(
    pulse: Driver, clock: Clock
) -> None:
    store(pulse, 1, 400)
    looked = clock.a_minute_passes()
    pulse.build()
    clock.a_minute_passes()
    store(pulse, 1, 400)
    pulse.build_daily()
    clock.a_minute_passes()
    times = iter([inf] * 4)  # enough for the older of the two years
    stage = BuildReports.from_settings(pulse.settings)
    stage.run(remaining_s=lambda: next(times, 0.0))
    as_of, count = read(pulse)
    assert as_of == looked
    assert 2 <= count < 4


def test_before_a_build_was_through_nothing_is_promised(pulse: Driver) -> None:
    store(pulse, 1)
    pulse.build_daily()
    assert read(pulse) == (None, 0)
    stage = BuildReports.from_settings(pulse.settings)
    stage.run(remaining_s=lambda: RESERVE_S - 1)
    assert read(pulse) == (None, 0)


def test_what_a_dead_builder_left_moves_nothing_until_another_has_looked(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(pulse, 1)
    looked = clock.a_minute_passes()
    pulse.build()
    clock.a_minute_passes()
    store(pulse, 1, 2)
    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "point", _die)
        with pytest.raises(KeyboardInterrupt):
            pulse.build_daily()
    clock.a_minute_passes()
    pulse.build_reports()
    assert read(pulse) == (looked, 1)
    clock.now += timedelta(hours=2)
    again = clock.a_minute_passes()
    pulse.build()
    assert read(pulse) == (again, 3)


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_day_that_cannot_be_built_is_named_and_holds_up_no_promise(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Athena.unload

    def poisoned(self: Athena, sql: str, params: Any, **more: Any) -> Any:
        if "2026-11-19" in params.get("days", ()):
            raise AthenaError("FAILED: HIVE_BAD_DATA")
        return real(self, sql, params, **more)

    store(pulse, 1, 2, 3)
    monkeypatch.setattr(Athena, "unload", poisoned)
    clock.a_minute_passes()
    with pytest.raises(AthenaError, match="HIVE_BAD_DATA"):
        pulse.build_daily()
    looked = clock.a_minute_passes()
    pulse.build_reports()
    as_of, count = read(pulse)
    assert (as_of, count) == (looked, 2)
    warned = pulse.report("acme", "nps", WHOLE)["meta"]["warnings"]
    assert [one["code"] for one in warned] == ["days_failing"]
    assert "2026-11-19" in warned[0]["message"]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_order_nothing_that_was_stored_before_is_missing(
    pulse: Driver, clock: Clock, seed: int
) -> None:
    dice = random.Random(seed)
    stored: list[datetime] = []
    promised = 0
    for _ in range(18):
        clock.a_minute_passes()
        step = dice.choice(("store", "store", "daily", "ranged", "short", "reports", "reports"))
        ago = dice.choice((0, 1, 2, 300))
        if step == "store":
            store(pulse, ago)
            stored.append(clock.now)
        elif step == "daily":
            build_daily(pulse)
        elif step == "ranged":
            day = (NOON - timedelta(days=ago)).date()
            pulse.build_daily(day, day)
        elif step == "short":
            build_daily(pulse, RESERVE_S - 1)
        else:
            pulse.build_reports()
        as_of, count = read(pulse)
        if as_of is not None:
            promised += 1
            assert count >= sum(moment < as_of for moment in stored), step
    assert promised
