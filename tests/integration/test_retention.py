"""Retention of raw: single events are removed by their day, and what was built of them stays."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from local.template import TemplateError
from pulse import days, lake
from pulse.checks import run_checks
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog
from pulse.store.ledger import Entry, Ledger
from tests.account_state import Account
from tests.aws_calls import AwsCalls
from tests.clock import Clock
from tests.driver import Driver, running
from tests.past_days import PAST, TODAY, fill, meanwhile, nights, set_up, taken_back

pytestmark = pytest.mark.only_whole

OLD = TODAY.date() - timedelta(days=30)
"""Beyond the retention as soon as six days have passed."""
KEPT = OLD + timedelta(days=1)
ALL_TIME = "start_date=2026-10-01&end_date=2026-11-21"


@pytest.fixture(scope="module")
def stack() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running(RawRetentionDays="35") as driver:
        set_up(driver)
        post(driver, OLD, number=1)
        post(driver, KEPT, number=2)
        driver.build()
        yield driver


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(TODAY)
    with days.clock(clock):
        yield clock


@pytest.fixture
def pulse(clock: Clock, stack: Driver) -> Iterator[Driver]:
    """Raw is kept for 35 days; an answer stands on a day that is about to go, one on the next."""
    with taken_back(stack):
        yield stack


def post(pulse: Driver, day: date, number: int) -> None:
    at = f"{day}T12:00:00Z"
    known = {"response_id": f"r{number}", "score": 9, "answered_at": at, "comment": "too late?"}
    assert pulse.post("acme", [{"survey_id": "email", **known}]).status == 202


def responses(pulse: Driver) -> dict[str, int]:
    """By day, as the report tells."""
    pulse.forget()
    rows = pulse.report("acme", "daily", ALL_TIME)["rows"]
    return {row["period"]: row["responses"] for row in rows}


def set_aside(pulse: Driver) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for key in pulse.objects("quarantine/")
        for line in pulse.read(key).decode().splitlines()
    ]


def entry(pulse: Driver, day: date = OLD) -> Entry:
    return Ledger(pulse.settings.table).entries("responses")[day]


def raw(pulse: Driver, day: date = OLD) -> dict[str, str]:
    return pulse.objects(lake.raw_prefix("responses", day))


def let_it_expire(pulse: Driver, clock: Clock) -> None:
    clock.now += timedelta(days=6)
    assert lake.raw_prefix("responses", OLD) in pulse.housekeep()
    assert raw(pulse) == {}


@pytest.mark.parametrize("too_few", ["1", "34", "-35", "035", "for ever"])
def test_no_fewer_days_than_a_publishable_key_may_answer_for(too_few: str) -> None:
    with pytest.raises(TemplateError, match="RawRetentionDays"), running(RawRetentionDays=too_few):
        pass


def test_raw_of_a_day_goes_and_its_numbers_stay(pulse: Driver, clock: Clock) -> None:
    before = responses(pulse)
    clock.now += timedelta(days=5)
    assert pulse.housekeep() == ()
    clock.now += timedelta(days=1)
    assert pulse.housekeep() == (lake.raw_prefix("responses", OLD),)
    assert raw(pulse) == {}
    assert len(raw(pulse, KEPT)) == 1
    assert entry(pulse).expired
    assert pulse.housekeep() == ()
    assert pulse.build_daily().built == ()
    assert pulse.build_daily(OLD, KEPT).built == (KEPT,)  # not by hand either
    pulse.build_reports()
    assert responses(pulse) == before == {str(OLD): 1, str(KEPT): 1}
    checks = run_checks(pulse.settings)
    assert {check.state for check in checks} == {"ok"}
    assert checks[0].detail == "1 of 1 days are built, 1 older ones are no longer in raw_responses"


def test_what_comes_late_for_such_a_day_is_set_aside_with_the_reason(
    pulse: Driver, clock: Clock
) -> None:
    post(pulse, OLD, number=3)
    post(pulse, KEPT, number=4)
    records = pulse.messages()
    clock.now += timedelta(days=6)  # they waited; housekeeping has not even been there
    pulse.write(records)
    (line,) = set_aside(pulse)
    assert line["reason"] == f"the day {OLD} is older than what is kept"
    assert line["row"]["item"]["response_id"] == "r3"
    checks = {check.name: check for check in run_checks(pulse.settings)}
    told = checks["responses: quarantine"]
    assert (told.state, told.rows) == ("ok", ())
    assert told.detail == "0 lines that could not be read; 1 of days that are no longer kept"
    assert len(raw(pulse)) == 1
    assert len(raw(pulse, KEPT)) == 2


def refusal(reply: Any) -> tuple[int, str]:
    return reply.status, reply.json["code"]


def test_what_is_older_than_what_is_kept_is_refused_at_the_door(
    pulse: Driver, clock: Clock
) -> None:
    """The limit is in days of UTC, as housekeep's is, whatever the tenant's time zone."""
    clock.now += timedelta(days=6)
    last = {"survey_id": "email", "score": 9, "answered_at": f"{KEPT}T00:00:00Z"}
    old = last | {"answered_at": f"{OLD}T23:59:59Z"}
    reply = pulse.post("acme", [old | {"response_id": "old"}])
    assert refusal(reply) == (422, "answered_at_too_old")
    assert f"back to {KEPT}" in reply.json["detail"]
    both = pulse.post("acme", [old | {"response_id": "old"}, last | {"response_id": "kept"}])
    assert (both.status, both.json["accepted"]) == (202, 1)
    call = {"interaction_id": "c-1", "media_type": "voice"}
    assert refusal(pulse.post_interactions("acme", [call | {"entered_at": f"{OLD}"}])) == (
        422,
        "entered_at_too_old",
    )
    session = {"session_id": "s", "agent_id": "a", "media_type": "voice", "day": f"{OLD}"}
    worked = {"active_seconds": 5, "engaged_seconds": 5}
    assert refusal(pulse.post_sessions("acme", [session | worked])) == (422, "day_too_old")
    assert pulse.post_sessions("acme", [session | worked | {"day": f"{KEPT}"}]).status == 202
    pulse.write()
    assert set_aside(pulse) == []


def test_a_day_is_kept_until_its_events_are_counted(pulse: Driver, clock: Clock) -> None:
    post(pulse, OLD, number=3)
    pulse.write()
    clock.now += timedelta(days=6)
    assert pulse.housekeep() == ()
    pulse.build()
    assert pulse.housekeep()[-1] == lake.raw_prefix("responses", OLD)
    assert responses(pulse)[str(OLD)] == 2


def test_an_event_in_the_moment_of_expiry_keeps_the_day(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(pulse, OLD, number=3)
    records = pulse.messages()
    clock.now += timedelta(days=6)

    def be_quick() -> None:
        clock.now -= timedelta(days=1)  # write_raw began before midnight
        pulse.write(records)
        clock.now += timedelta(days=1)

    meanwhile(monkeypatch, Ledger, "expire", be_quick)
    assert pulse.housekeep() == ()
    assert len(raw(pulse)) == 2
    pulse.build()
    assert responses(pulse)[str(OLD)] == 2


def test_an_event_after_expiry_is_set_aside_whatever_the_parameter_says_then(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_it_expire(pulse, clock)
    monkeypatch.setenv("PULSE_RAW_RETENTION_DAYS", "0")  # so that ingest takes it, too
    pulse.forget()
    post(pulse, OLD, number=3)
    pulse.write()
    (line,) = set_aside(pulse)
    assert line["reason"] == f"the day {OLD} is older than what is kept"
    assert line["row"]["item"]["comment"] == "too late?"
    assert line["row"]["tenant"] == "acme"
    assert pulse.build_daily().built == ()
    assert lake.raw_prefix("responses", OLD) in pulse.housekeep()
    assert raw(pulse) == {}
    assert pulse.housekeep() == ()


def test_a_build_that_was_reading_when_the_day_expired_is_not_published(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now += timedelta(days=6)
    before = Catalog(pulse.settings.database).partitions("daily_scores")
    meanwhile(monkeypatch, Athena, "rows", pulse.housekeep)
    pulse.build_daily(OLD, OLD)  # it finds nothing before, counts nothing, and finds nothing after
    assert raw(pulse) == {}
    assert Catalog(pulse.settings.database).partitions("daily_scores") == before
    pulse.build_reports()
    assert responses(pulse)[str(OLD)] == 1


def test_a_day_in_the_middle_of_its_compaction_goes_whole(pulse: Driver, clock: Clock) -> None:
    fill(pulse)
    pulse.build()
    pulse.compact()
    clock.now += timedelta(days=50)
    ledger, until_us = Ledger(pulse.settings.table), days.now_us() + days.SECOND
    ledger.take("responses", PAST, "compaction", until_us)
    pulse.housekeep()
    assert len(raw(pulse, PAST)) == 9
    ledger.give_back("responses", PAST, "compaction")
    pulse.housekeep()
    assert pulse.objects("raw/") == {}
    assert pulse.objects(lake.COMPACTIONS) == {}
    assert pulse.compact().compacted == ()


def test_killed_after_any_call_and_run_again_raw_is_gone_and_the_numbers_stay(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(pulse)
    pulse.build()
    pulse.compact()
    clock.now += timedelta(days=50)
    before = responses(pulse)
    account = Account((pulse.settings.lake_bucket,), pulse.settings.table)
    state, calls = account.state(), AwsCalls(monkeypatch)
    assert calls.run(pulse.housekeep)
    # after a call that changed nothing everything is as it was before it
    cuts = calls.changing
    assert len(cuts) >= 12
    for cut in cuts:
        account.put_back(state)
        assert not calls.run(pulse.housekeep, kill_after=cut)
        for day in (OLD, KEPT, PAST):  # nobody may build from what is left
            assert raw(pulse, day) or entry(pulse, day).expired, f"killed after call {cut}"
        clock.now += timedelta(minutes=16)  # its lease has ended
        nights(pulse, clock, many=1)
        assert pulse.objects("raw/") == {}, f"killed after call {cut}"
        assert pulse.objects(lake.COMPACTIONS) == {}, f"killed after call {cut}"
        assert {entry(pulse, day).removed_version for day in (OLD, KEPT, PAST)} == {1, 8}
    assert pulse.build_daily(OLD, PAST).built == ()
    pulse.build_reports()
    assert responses(pulse) == before
