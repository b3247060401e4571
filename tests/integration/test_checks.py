"""What `pulse check` reports about a sound lake, one that waits for builds, and a faulty one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulse import days, lake
from pulse.checks import CheckResult, run_checks
from pulse.store.catalog import Catalog
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running() as driver:
        driver.tenant("acme", "Europe/Berlin")
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        post(driver, ago=1, number=1)
        driver.build()
        yield driver


def post(pulse: Driver, *, ago: int, number: int) -> None:
    at = (TODAY - timedelta(days=ago)).isoformat()
    answer = {"survey_id": "email", "score": 9, "response_id": f"r{number}", "answered_at": at}
    assert pulse.post("acme", [answer]).status == 202


def states(results: list[CheckResult]) -> list[str]:
    return [result.state for result in results]


def call(pulse: Driver, *, ago: int) -> None:
    at = (TODAY - timedelta(days=ago)).isoformat()
    told = {"interaction_id": "i1", "media_type": "voice", "entered_at": at}
    assert pulse.post_interactions("acme", [told]).status == 202


def of_experience(pulse: Driver) -> list[CheckResult]:
    """Whether its days are built, have every answer, and are what the reports count."""
    return [one for one in run_checks(pulse.settings) if "experience" in one.name]


@pytest.mark.only_whole
def test_days_of_experience_wait_for_changes_of_either_stream(pulse: Driver) -> None:
    assert [one.detail for one in of_experience(pulse)] == [
        "0 of 0 days are built",
        "0 responses on 0 days, 0 days of tenants differ",
        "0 tenant-years compared, 0 differ, none wait for their build",
    ]
    call(pulse, ago=30)
    pulse.write()
    assert states(of_experience(pulse)) == ["waiting", "ok", "ok"]
    pulse.build_daily()
    assert states(of_experience(pulse)) == ["ok", "ok", "waiting"]
    pulse.build()
    built, counted, reported = of_experience(pulse)
    assert (built.name, built.state, built.detail) == (
        "experience: days built",
        "ok",
        "1 of 1 days are built",
    )
    assert (counted.name, counted.state, counted.detail) == (
        "daily_experience = daily_scores",
        "ok",
        "1 responses on 1 days, 0 days of tenants differ",
    )
    assert (reported.name, reported.state, reported.detail) == (
        "reports experience = daily_experience",
        "ok",
        "1 tenant-years compared, 0 differ, none wait for their build",
    )
    post(pulse, ago=1, number=2)
    post(pulse, ago=0, number=3)
    pulse.write()
    built, counted, reported = of_experience(pulse)
    assert (built.state, built.detail) == ("waiting", "0 of 2 days are built")
    assert [row["day"] for row in built.rows] == ["2026-11-20", "2026-11-21"]
    assert (counted.state, reported.state) == ("ok", "ok")


@pytest.mark.only_whole
def test_an_answer_that_is_missing_in_experience_is_found(pulse: Driver) -> None:
    call(pulse, ago=2)
    post(pulse, ago=0, number=2)
    pulse.build()
    table, day = lake.EXPERIENCE, TODAY.date()
    run = Catalog(pulse.settings.database).partitions(table.daily_table)[day].run
    Objects(pulse.settings.lake_bucket).wipe(f"{lake.run_prefix(table, run)}dt={day}/")
    built, counted, reported = of_experience(pulse)
    assert (built.state, counted.state) == ("ok", "failed")
    assert counted.rows == ({"tenant": "acme", "dt": "2026-11-21", "scores": 1, "experience": 0},)
    assert reported.rows == ({"tenant": "acme", "year": 2026, "daily": 1, "reports": 2},)


def test_a_sound_lake_passes_every_check(pulse: Driver) -> None:
    results = run_checks(pulse.settings)
    assert states(results) == ["ok"] * len(results)
    assert "1 responses on 1 days" in results[1].detail
    assert "1 tenant-years compared" in results[2].detail


def test_what_waits_for_a_build_is_told_as_waiting(pulse: Driver) -> None:
    post(pulse, ago=2, number=2)
    pulse.write()
    assert states(run_checks(pulse.settings))[:3] == ["waiting", "ok", "ok"]
    pulse.build_daily()
    assert states(run_checks(pulse.settings))[:3] == ["ok", "ok", "waiting"]


def test_an_event_that_was_lost_behind_the_ledgers_back_is_found(pulse: Driver) -> None:
    Objects(pulse.settings.lake_bucket).delete_all("raw/responses/")
    days_built, daily, *_ = run_checks(pulse.settings)
    assert (days_built.state, daily.state, daily.ok) == ("ok", "failed", False)
    assert daily.rows == ({"day": "2026-11-20", "raw": 0, "daily": 1},)


def test_a_report_object_that_shows_something_else_is_found(pulse: Driver) -> None:
    (old,) = pulse.objects("reports/")
    post(pulse, ago=2, number=2)
    pulse.build()
    (key,) = pulse.objects("reports/").keys() - {old}
    Objects(pulse.settings.lake_bucket).put(key, pulse.read(old))
    results = run_checks(pulse.settings)
    assert states(results)[:3] == ["ok", "ok", "failed"]
    assert results[2].rows == ({"tenant": "acme", "year": 2026, "daily": 2, "reports": 1},)


@pytest.mark.only_whole
def test_a_report_object_of_experience_that_lacks_an_answer_is_found(pulse: Driver) -> None:
    call(pulse, ago=3)
    pulse.build()
    of_one = pulse.objects(f"{lake.EXPERIENCE.report_prefix}tenant=acme/").keys()
    post(pulse, ago=2, number=2)
    pulse.build()
    of_two = pulse.objects(f"{lake.EXPERIENCE.report_prefix}tenant=acme/").keys() - of_one
    former = {key.rpartition("/")[2]: pulse.read(key) for key in of_one}
    for key in of_two:
        Objects(pulse.settings.lake_bucket).put(key, former[key.rpartition("/")[2]])
    built, counted, reported = of_experience(pulse)
    assert [one.state for one in (built, counted, reported)] == ["ok", "ok", "failed"]
    assert reported.rows == ({"tenant": "acme", "year": 2026, "daily": 2, "reports": 1},)


@pytest.mark.only_whole
def test_an_id_on_two_days_is_something_to_look_at(pulse: Driver) -> None:
    post(pulse, ago=2, number=1)
    pulse.build()
    on_two_days = run_checks(pulse.settings)[3]
    assert (on_two_days.state, on_two_days.ok) == ("look", True)
    assert [row["response_id"] for row in on_two_days.rows] == ["r1"]


@pytest.mark.only_whole
def test_whole_messages_that_were_set_aside_are_something_to_look_at(pulse: Driver) -> None:
    (record,) = accepted(pulse)
    assert pulse.write([record | {"body": "no message"}]) == []
    *_, whole = run_checks(pulse.settings)
    assert (whole.name, whole.state, len(whole.rows)) == ("unknown: quarantine", "look", 1)
    assert whole.detail == "1 lines that could not be read, see pulse quarantine list"


def test_a_tenant_whose_record_cannot_be_read_is_named(pulse: Driver) -> None:
    client("dynamodb").update_item(
        TableName=pulse.settings.table,
        Key={"pk": {"S": "TENANTS"}, "sk": {"S": "acme"}},
        UpdateExpression="SET #zone = :gone",
        ExpressionAttributeNames={"#zone": "timezone"},
        ExpressionAttributeValues={":gone": {"S": "right/UTC"}},
    )
    (found,) = [check for check in run_checks(pulse.settings) if check.name == "tenants read"]
    assert found.state == "failed"
    assert "acme" in found.detail


def accepted(pulse: Driver) -> list[dict[str, Any]]:
    """The message of an answer, off the queue."""
    post(pulse, ago=1, number=9)
    return pulse.messages()


@pytest.mark.only_whole
def test_milestones_out_of_order_are_something_to_look_at(pulse: Driver) -> None:
    call = {"media_type": "voice", "entered_at": "2026-11-19T09:00:00Z"}
    calls = [
        {"interaction_id": "1", "accepted_at": "2026-11-19T09:10:00Z"},
        {"interaction_id": "2", "accepted_at": "2026-11-19"},
        {
            "interaction_id": "3",
            "accepted_at": "2026-11-19T09:10:00Z",
            "finished_at": "2026-11-19T09:05:00Z",
        },
    ]
    assert pulse.post_interactions("acme", [call | one for one in calls]).status == 202
    pulse.build()
    (found,) = (r for r in run_checks(pulse.settings) if r.name.endswith("order of milestones"))
    assert (found.state, found.ok) == ("look", True)
    assert found.rows == ({"tenant": "acme", "dt": "2026-11-19", "interactions": 1},)
