"""Comments from ingest to reader: the comments found are those in raw, whatever happens between."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from math import inf
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse import days, lake
from pulse.checks import run_checks
from pulse.comments.month import SCHEMA, Month
from pulse.comments.stored import Comments
from pulse.daily import comments as keep
from pulse.daily.build import BuildDaily
from pulse.daily.comments import KeepComments
from pulse.errors import BuildCheckError, NewerFormatError
from pulse.housekeep import Housekeep
from pulse.settings import HousekeepSettings
from pulse.store.events import Events
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from tests.aws_calls import AwsCalls
from tests.eraser import OTHER, World


def lies(world: World) -> dict[str, list[tuple[str, str]]]:
    """(response id, comment) of everything that lies where readers look, by month and tenant."""
    found = {}
    for key in world.driver.objects(lake.COMMENTS):
        rows = Month.decode(world.driver.read(key)).rows.to_pylist()
        found[key] = [(row["response_id"], row["comment"]) for row in rows]
    return found


def of_acme(world: World) -> dict[str, str]:
    """Its comments, by the response's id."""
    found = lies(world)
    return dict(c for key, some in found.items() if "tenant=acme." in key for c in some)


@pytest.mark.only_whole
def test_an_answers_comment_is_kept_with_what_it_is_filtered_by(world: World) -> None:
    more: dict[str, Any] = {
        "score": 2,
        "channel": "chat",
        "agent_id": "mia",
        "interaction_id": "T-1",
        "country": "DE",
        "tags": {"plan": "pro", "team": "north"},
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    }
    world.response(1, id="r-1", comment="Viel zu langsam 😠", **more)
    world.response(1, id="r-2")
    world.driver.build()
    key = lake.comments_key("acme", date(2026, 11, 20))
    [row] = Month.decode(world.driver.read(key)).rows.to_pylist()
    assert row | {"answered_us": 0} == {
        "day": date(2026, 11, 20),
        "answered_us": 0,
        "response_id": "r-1",
        "key_kind": "secret",
        "survey": "email",
        "metric": "nps",
        "scale": "0-10",
        "score": 2,
        "channel": "chat",
        "agent": "mia",
        "country": "DE",
        "browser": "Firefox",
        "os": "Linux",
        "device": "desktop",
        "interaction": "T-1",
        "comment": "Viel zu langsam 😠",
        "tags": [("plan", "pro"), ("team", "north")],
        **dict.fromkeys(lake.COMMENT_EXPERIENCE),
    }


def test_a_comment_that_comes_later_or_is_taken_back_changes_its_month_alone(
    world: World,
) -> None:
    world.response(1, id="r-1", comment="first")
    world.response(40, id="r-0", comment="long ago")
    world.response(1, id="u-1", tenant="umbrella", comment="theirs")
    world.driver.build()
    before = world.driver.objects(lake.COMMENTS)
    world.response(1, id="r-1", comment="second")  # with the same score: no figure changes
    world.driver.build()
    assert of_acme(world) == {"r-1": "second", "r-0": "long ago"}
    after = world.driver.objects(lake.COMMENTS)
    assert [key for key in after if after[key] != before[key]] == [
        lake.comments_key("acme", date(2026, 11, 20))
    ]
    world.response(1, id="r-1")
    world.driver.build()
    assert of_acme(world) == {"r-0": "long ago"}
    assert len(lies(world)) == 3


@pytest.mark.only_whole
def test_a_day_that_changes_and_its_comments_do_not_puts_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.response(1, id="r-1", comment="first")
    world.driver.build()
    before = world.driver.objects(lake.COMMENTS)
    world.response(1, id="r-2")
    world.driver.build()
    assert world.driver.objects(lake.COMMENTS) == before
    calls = AwsCalls(monkeypatch)
    assert calls.run(world.driver.build_daily)
    assert calls.made == ["Query", "PutEvents"]  # of what there is to do, and what comes next


@pytest.mark.only_whole
def test_of_two_builders_the_one_that_read_later_prevails(world: World) -> None:
    world.response(1, id="r-1", comment="first")
    world.driver.build()
    day = date(2026, 11, 20)
    key = lake.comments_key("acme", day)
    objects = Objects(world.driver.settings.lake_bucket)
    held = Month.decode(objects.get(key))
    before = held.as_of_us[day]
    assert held.replaced([day], SCHEMA.empty_table(), before - 1).rows.num_rows == 1
    assert held.replaced([day], SCHEMA.empty_table(), before + 1).rows.num_rows == 0


def test_an_erasure_takes_a_persons_comments_at_once_and_leaves_no_version(world: World) -> None:
    world.response(1, id="r-1", comment="mine, do forget", customer_id="C-1042")
    world.response(1, id="r-2", comment="somebody else's", customer_id=OTHER)
    world.driver.build()
    assert [key for key in world.holders("forget") if key.startswith(lake.COMMENTS)]

    def gone() -> None:
        assert not [key for key in world.holders("forget") if key.startswith(lake.COMMENTS)]

    world.meanwhile.append(gone)
    world.erase()
    assert world.meanwhile == []
    assert of_acme(world) == {"r-2": "somebody else's"}
    assert world.holders("forget") == []


@pytest.mark.only_whole
def test_a_build_that_read_before_an_erasure_brings_nothing_back(world: World) -> None:
    world.response(1, id="r-1", comment="mine", customer_id="C-1042")
    world.driver.build()
    day = date(2026, 11, 20)
    comments = Comments(Objects(world.driver.settings.lake_bucket))
    key = lake.comments_key("acme", day)
    old = Month.decode(world.driver.read(key)).rows
    read_us = days.now_us()
    world.pass_by()
    world.erase()
    comments.change(key, lambda month: month.replaced([day], old, read_us))
    assert of_acme(world) == {}


def test_a_check_tells_where_comments_are_not_those_of_raw(world: World) -> None:
    def told() -> tuple[str, tuple[Any, ...]]:
        found = {one.name: one for one in run_checks(world.driver.settings)}
        return found["comments = raw_responses"].state, found["comments = raw_responses"].rows

    world.response(1, id="r-1", comment="mine")
    assert world.driver.write() == []
    assert told() == ("waiting", ())
    world.driver.build()
    assert told() == ("ok", ())
    day = date(2026, 11, 20)
    key = lake.comments_key("acme", day)
    Comments(Objects(world.driver.settings.lake_bucket)).change(
        key, lambda month: month.replaced([day], SCHEMA.empty_table(), days.now_us())
    )
    wrong = {"tenant": "acme", "day": "2026-11-20", "raw": 1, "kept": 0}
    assert told() == ("failed", (wrong,))


@pytest.mark.only_whole
def test_a_day_that_raw_no_longer_keeps_has_no_comments(world: World) -> None:
    world.response(1, id="r-1", comment="new")
    world.response(3, id="r-2", comment="old")
    world.driver.build()
    ledger = Ledger(world.driver.settings.table)
    day = date(2026, 11, 18)
    entry = ledger.entries("responses")[day]
    assert ledger.expire("responses", day, entry.version)
    world.response(1, id="r-3")  # a builder looks at the stream's days again
    world.driver.build()
    assert of_acme(world) == {"r-1": "new"}
    assert ledger.entries("responses")[day].comments_of == "gone"


@pytest.mark.only_whole
def test_a_month_that_cannot_be_read_holds_up_no_sums_and_is_made_anew(world: World) -> None:
    world.response(1, id="r-1", comment="new")
    world.driver.build()
    day = date(2026, 11, 20)
    key = lake.comments_key("acme", day)
    objects = Objects(world.driver.settings.lake_bucket)
    objects.put(key, b"no Parquet")
    world.response(1, id="r-2", comment="newer")
    world.response(1, id="u-1", comment="theirs", tenant="umbrella")
    assert world.driver.write() == []
    for _ in range(2):  # it is not forgotten
        with pytest.raises(BuildCheckError, match=r"cannot be read .*: delete it"):
            world.driver.build_daily()
    world.driver.build_reports()
    world.driver.forget()
    assert world.responses() == 2
    theirs = Month.decode(objects.get(lake.comments_key("umbrella", day))).rows
    assert theirs["comment"].to_pylist() == ["theirs"]
    objects.delete([key])
    world.driver.build_daily(day, day)
    assert of_acme(world) == {"r-1": "new", "r-2": "newer"}


def test_where_time_runs_out_the_rest_is_for_another_run(world: World) -> None:
    world.response(1, id="r-1", comment="new")
    world.response(40, id="r-2", comment="old")
    assert world.driver.write() == []
    stage = BuildDaily.from_settings(world.driver.settings)
    announced: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Events, "announce", lambda events, kind: announced.append(kind))
        result = stage.run(remaining_s=lambda: 0.0 if world.driver.objects("daily/") else inf)
    assert not result.finished
    assert announced == ["daily built", "daily unfinished"]  # reports need not wait for the rest
    stage.run(remaining_s=lambda: inf)
    assert of_acme(world) == {"r-1": "new", "r-2": "old"}


@pytest.mark.only_whole
@pytest.mark.parametrize("newer", [False, True])
def test_a_month_that_cannot_be_read_holds_up_no_sums(world: World, newer: bool) -> None:
    world.response(1, id="r-1", comment="first")
    world.driver.build()
    key = lake.comments_key("acme", date(2026, 11, 20))
    objects = Objects(world.driver.settings.lake_bucket)
    sink = pa.BufferOutputStream()
    told = {"pulse.reader": "99"}
    pq.write_table(SCHEMA.with_metadata(told).empty_table(), sink)
    objects.put(key, sink.getvalue().to_pybytes() if newer else b"spoilt")
    world.response(1, id="r-2", comment="second")
    world.interaction(1, id="i-1")
    assert world.driver.write() == []
    with pytest.raises(NewerFormatError if newer else BuildCheckError):
        world.driver.build_daily()
    assert [key for key in world.driver.objects("daily/interactions/")]
    assert len(Ledger(world.driver.settings.table).changes.stands()["responses"].at_work) == 0


def test_of_what_was_gathered_a_part_of_the_tenants_is_held_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.response(1, id="r-1", comment="ours")
    world.response(1, id="u-1", tenant="umbrella", comment="theirs")
    held: list[int] = []
    split = keep._by_tenant

    def counted(pieces: Sequence[bytes]) -> Iterator[tuple[str, pa.Table]]:
        held.append(len({tenant for tenant, _ in split(pieces)}))
        return split(pieces)

    monkeypatch.setattr(keep, "_by_tenant", counted)
    world.driver.build()
    assert held == [1, 1]
    assert sorted(c for some in lies(world).values() for c in some) == [
        ("r-1", "ours"),
        ("u-1", "theirs"),
    ]


@pytest.mark.only_whole
def test_a_build_whose_clock_is_slow_does_not_say_that_it_has_kept_comments(world: World) -> None:
    world.response(1, id="r-1", comment="first")
    world.driver.build()
    now = world.now
    world.response(1, id="r-2", comment="second")
    assert world.driver.write() == []
    world.now = now - timedelta(minutes=2)
    world.driver.build_daily()
    world.now = now + timedelta(minutes=1)
    world.driver.build_daily()
    assert of_acme(world) == {"r-1": "first", "r-2": "second"}


def test_what_a_build_that_died_had_gathered_goes_within_two_days(world: World) -> None:
    objects = Objects(world.driver.settings.lake_bucket)
    long_ago, now = lake.ulid(world.now - timedelta(days=1)), lake.ulid(world.now)
    for run in (long_ago, now):
        objects.put(f"{lake.COMMENT_STAGING}run={run}/bucket=0/piece", b"what somebody wrote")
    settings = HousekeepSettings(
        table=world.driver.settings.table,
        lake_bucket=world.driver.settings.lake_bucket,
        database=world.driver.settings.database,
        event_source=world.driver.settings.event_source,
        raw_retention_days="0",
    )
    Housekeep.from_settings(settings).run(remaining_s=lambda: inf)
    [left] = objects.versions(lake.COMMENT_STAGING)
    assert f"run={now}/" in left.key


def test_sums_do_not_wait_for_comments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.response(1, id="r-1", comment="first")
    world.interaction(1, id="i-1")
    assert world.driver.write() == []
    seen: list[bool] = []
    gather = KeepComments.run

    def watched(*args: Any, **more: Any) -> keep.KeepResult:
        seen.append(bool(world.driver.objects("daily/interactions/")))
        return gather(*args, **more)

    monkeypatch.setattr(KeepComments, "run", watched)
    world.driver.build_daily()
    assert seen == [True]
