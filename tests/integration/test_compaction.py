"""compact_raw turns past days into few objects, and changes no number, rebuild or late event."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile

from functions.compact_raw import app
from pulse import days, lake
from pulse.checks import run_checks
from pulse.raw import compact, parquet
from pulse.raw.compact import CompactRaw
from pulse.settings import CompactRawSettings
from pulse.store.catalog import Catalog
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects
from tests.account_state import Account
from tests.aws_calls import AwsCalls
from tests.clock import Clock
from tests.driver import CONTEXT, Driver, running
from tests.past_days import (
    PAST,
    TODAY,
    answer,
    fill,
    meanwhile,
    nights,
    set_up,
    taken_back,
    write_one_by_one,
)

RANGE = "start_date=2026-11-01&end_date=2026-11-21"
EVENTS = Path(__file__).parents[2] / "events" / "compact_raw"


@pytest.fixture(scope="module")
def stack() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running() as driver:
        set_up(driver)
        yield driver


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(TODAY)
    with days.clock(clock):
        yield clock


@pytest.fixture
def pulse(clock: Clock, stack: Driver) -> Iterator[Driver]:
    """An empty lake, and two tenants with the survey `email` (nps)."""
    with taken_back(stack):
        yield stack


def call(number: int, day: date = PAST, **more: Any) -> dict[str, Any]:
    at = f"{day}T12:00:{number % 60:02}Z"
    return {"interaction_id": f"i{number}", "media_type": "voice", "entered_at": at, **more}


def session(number: int, day: date = PAST) -> dict[str, Any]:
    known = {"session_id": f"s{number}", "agent_id": "a1", "media_type": "voice"}
    return known | {"day": str(day), "active_seconds": 60, "engaged_seconds": 30}


def keys(pulse: Driver, stream: str = "responses") -> set[str]:
    return set(pulse.objects(f"raw/{stream}/"))


def rows(pulse: Driver, stream: str = "responses") -> Counter[str]:
    """The rows in raw, copies counted, by all that they hold."""
    found: Counter[str] = Counter()
    for key in keys(pulse, stream):
        found.update(map(repr, table(pulse, key).to_pylist()))
    return found


def table(pulse: Driver, key: str) -> pa.Table:
    return ParquetFile(pa.BufferReader(Objects(pulse.settings.lake_bucket).get(key))).read()


def entry(pulse: Driver, day: date = PAST) -> Entry:
    return Ledger(pulse.settings.table).entries("responses")[day]


def stage(pulse: Driver) -> CompactRaw:
    environment = pulse.deployment.functions["CompactRaw"].environment
    return CompactRaw.from_settings(CompactRawSettings.from_environment(environment))


# -- nothing is noticed


def numbers(pulse: Driver) -> Any:
    """What readers see: reports, single rows, checks, and what the builders go by."""
    pulse.forget()
    told: dict[Any, Any] = {
        "built": (pulse.build_daily().built, pulse.build_reports().rewritten),
        "checks": [(check.name, check.state, check.detail) for check in run_checks(pulse.settings)],
    }
    for dataset in lake.DATASETS:
        partitions = Catalog(pulse.settings.database).partitions(dataset.daily_table)
        entries = Ledger(pulse.settings.table).entries(dataset.stream)
        told[dataset.name] = partitions, {day: entry.version for day, entry in entries.items()}
    for tenant in ("acme", "globex"):
        for report in ("nps", "customer-perspective", "agent-activity", "revenue"):
            told[tenant, report] = pulse.report(tenant, report, RANGE)["rows"]
        for stream in ("responses", "interactions"):
            wanted = {"start_date": "2026-11-01", "end_date": "2026-11-21", "format": "csv"}
            assert pulse.export(tenant, stream=stream, **wanted)["state"] == "done"
            (made,) = pulse.objects(f"exports/tenant={tenant}/")
            told[tenant, stream] = pulse.read(made)
            Objects(pulse.settings.lake_bucket).delete_all("exports/")
    return told


@pytest.mark.only_whole
def test_numbers_exports_and_rows_of_every_stream_are_as_before(
    pulse: Driver, clock: Clock
) -> None:
    for number in range(10):
        tenant = ("globex", "acme")[number % 2]
        tags = [{}, {"plan": "gold", "größe": "Ü"}, None][number % 3]
        said = [None, "", 'It\'s 漢字, "quoted"\nand long ' * 9][number % 3]
        pulse.post(tenant, [answer(number, tags=tags, comment=said, customer_id=f"c{number}")])
        money: dict[str, Any] = {
            "revenue": {"amount": "-99999999999.0001", "currency": "EUR"},
            "satisfaction": 3.5,
        }
        pulse.post_interactions(tenant, [call(number, **(money if number % 2 else {}))])
        pulse.post_sessions(tenant, [session(number)])
    pulse.post("acme", [answer(1, comment="said again, and later")])  # a second version of one
    write_one_by_one(pulse)
    pulse.build()
    before = numbers(pulse)
    held = {dataset.stream: rows(pulse, dataset.stream) for dataset in lake.DATASETS}
    assert held["responses"].total() == 11
    assert pulse.compact().compacted == tuple((d.stream, PAST) for d in lake.DATASETS)
    assert {stream: len(keys(pulse, stream)) for stream in held} == {
        "responses": 12,
        "interactions": 11,
        "sessions": 11,
    }
    assert numbers(pulse) == before
    clock.a_day_passes()
    pulse.housekeep()
    assert {stream: len(keys(pulse, stream)) for stream in held} == dict.fromkeys(held, 1)
    assert {stream: rows(pulse, stream) for stream in held} == held
    assert numbers(pulse) == before
    assert pulse.objects(lake.COMPACTIONS) == {}
    assert pulse.compact().compacted == ()


@pytest.mark.only_whole
def test_late_events_are_welcome_and_compacted_once_they_are_many(
    pulse: Driver, clock: Clock
) -> None:
    fill(pulse)
    pulse.compact()
    pulse.post("acme", [answer(100)])
    assert pulse.build()[0].built == (PAST,)
    clock.a_day_passes()
    pulse.housekeep()
    assert len(keys(pulse)) == 2
    assert pulse.compact().compacted == ()
    for number in range(101, 108):
        pulse.post("acme", [answer(number)])
    write_one_by_one(pulse)
    assert pulse.compact().compacted == (("responses", PAST),)
    clock.a_day_passes()
    pulse.housekeep()
    assert len(keys(pulse)) == 1
    assert rows(pulse).total() == 16


# -- sources


def test_sources_stay_a_day_and_then_exactly_they_are_removed(pulse: Driver, clock: Clock) -> None:
    fill(pulse)
    sources = keys(pulse)
    pulse.compact()
    (made,) = keys(pulse) - sources
    fill(pulse, objects=1)
    (late,) = keys(pulse) - sources - {made}
    clock.now += timedelta(hours=23, minutes=59)
    assert pulse.housekeep() == ()
    assert keys(pulse) == sources | {made, late}
    clock.now += timedelta(minutes=1)
    (manifest,) = pulse.objects(lake.COMPACTIONS)
    assert pulse.housekeep() == (manifest,)
    assert keys(pulse) == {made, late}
    assert pulse.housekeep() == ()


def test_sources_stay_while_what_was_made_of_them_is_lost(pulse: Driver, clock: Clock) -> None:
    """While the sources exist nothing is missing, either for checks or for `pulse restore`."""
    fill(pulse)
    sources, before = keys(pulse), rows(pulse)
    pulse.compact()
    (made,) = keys(pulse) - sources
    Objects(pulse.settings.lake_bucket).delete([made])
    clock.a_day_passes()
    pulse.housekeep()
    assert rows(pulse) == before
    assert pulse.objects(lake.COMPACTIONS) == {}
    # the day is compacted again once it is due
    fill(pulse)
    assert pulse.compact().compacted == (("responses", PAST),)
    clock.a_day_passes()
    pulse.housekeep()
    assert len(keys(pulse)) == 1


def test_a_day_is_not_compacted_again_while_its_sources_lie_there(
    pulse: Driver, clock: Clock
) -> None:
    fill(pulse)
    pulse.compact()
    fill(pulse)
    assert pulse.compact().compacted == ()
    clock.a_day_passes()
    pulse.housekeep()
    assert pulse.compact().compacted == (("responses", PAST),)


# -- others at work


@pytest.mark.only_whole
@pytest.mark.parametrize("moment", ["encode_table", "decode"])
def test_an_event_and_a_build_in_the_middle_of_a_compaction(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    fill(pulse)
    pulse.build()

    def event_and_build() -> None:
        pulse.post("acme", [answer(100)])
        assert pulse.build()[0].built == (PAST,)

    meanwhile(monkeypatch, parquet, moment, event_and_build)
    assert pulse.compact().compacted == (("responses", PAST),)
    assert (entry(pulse).compacted_version, entry(pulse).version) == (8, 9)
    for _ in range(2):
        assert len(rows(pulse)) == 9
        pulse.build_daily(PAST, PAST)
        pulse.build_reports()
        checks = run_checks(pulse.settings)
        assert {check.state for check in checks} == {"ok"}
        assert "9 responses on 1 days" in checks[1].detail
        clock.a_day_passes()
        pulse.housekeep()
    assert len(keys(pulse)) == 2


def test_of_two_compactions_at_once_one_leaves_the_day_to_the_other(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(pulse)
    held, second = rows(pulse), []
    meanwhile(monkeypatch, Objects, "sizes", lambda: second.append(pulse.compact()))
    assert pulse.compact().compacted == (("responses", PAST),)
    assert [result.compacted for result in second] == [()]
    clock.a_day_passes()
    pulse.housekeep()
    assert rows(pulse) == held


def test_housekeeping_leaves_a_day_that_somebody_rewrites(pulse: Driver, clock: Clock) -> None:
    fill(pulse)
    pulse.compact()
    clock.a_day_passes()
    ledger, until_us = Ledger(pulse.settings.table), days.now_us() + days.SECOND
    assert ledger.take("responses", PAST, "erase", until_us)
    assert pulse.housekeep() == ()
    ledger.give_back("responses", PAST, "erase")
    assert len(pulse.housekeep()) == 1


# -- killed at any moment


@pytest.mark.only_whole
def test_killed_after_any_call_and_run_again_it_ends_with_the_same_rows_in_one_object(
    pulse: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "LEAST_OBJECTS", 3)
    fill(pulse, objects=3)
    held = rows(pulse)
    account = Account((pulse.settings.lake_bucket,), pulse.settings.table)
    calls = AwsCalls(monkeypatch)
    for job in (pulse.compact, pulse.housekeep):
        start, state = clock.now, account.state()
        assert calls.run(job)
        # after a call that changed nothing everything is as it was before it
        cuts = calls.changing
        assert len(cuts) >= 4
        for cut in cuts:
            clock.now = start
            account.put_back(state)
            assert not calls.run(job, kill_after=cut)
            assert rows(pulse).keys() == held.keys(), f"killed after call {cut}"
            clock.now += timedelta(minutes=16)  # its lease has ended
            nights(pulse, clock)
            assert rows(pulse) == held, f"killed after call {cut}"
            assert len(keys(pulse)) == 1, f"killed after call {cut}"
            assert pulse.objects(lake.COMPACTIONS) == {}, f"killed after call {cut}"
            assert entry(pulse).compacted_version == entry(pulse).version == 3
        clock.now = start
        account.put_back(state)
        pulse.compact()
        clock.a_day_passes()


# -- the function


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_the_handler_tells_what_it_compacted(pulse: Driver, path: Path) -> None:
    app.stage.cache_clear()
    fill(pulse)
    reply = app.handler(json.loads(path.read_text()), CONTEXT)
    expected = {"compacted": [{"stream": "responses", "day": str(PAST)}], "finished": True}
    assert reply == expected
    app.stage.cache_clear()


def test_raw_is_kept_for_ever_unless_the_parameter_says_otherwise(
    pulse: Driver, clock: Clock
) -> None:
    fill(pulse, objects=1)
    pulse.build()
    clock.now += timedelta(days=3_000)
    pulse.housekeep()
    pulse.post("acme", [answer(1)])
    pulse.write()
    assert len(keys(pulse)) == 2
    assert pulse.objects("quarantine/") == {}
