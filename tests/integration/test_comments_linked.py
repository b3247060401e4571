"""What stored comments tell of the interactions that their answers are linked to, as these change.

Which links there are is held against plain Python in test_experience.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from math import inf
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse import days, lake
from pulse.checks import run_checks
from pulse.comments.month import Month
from pulse.comments.stored import Comments
from pulse.daily.build import BuildDaily
from pulse.daily.comments import KeepComments, made_of
from pulse.erasure.purge import Purge
from pulse.errors import AthenaError
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.store.records import Records
from tests.eraser import OTHER, World

pytestmark = pytest.mark.only_whole

DAY = date(2026, 11, 20)
"""A day before the world's present: what it sends one day ago."""
KEY = lake.comments_key("acme", DAY)


@pytest.fixture(autouse=True)
def _time_passes(world: World) -> Iterator[None]:
    """A build is later than the one before."""
    build = world.driver.build_daily

    def later(*given: Any, **more: Any) -> Any:
        world.pass_by()
        return build(*given, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.driver, "build_daily", later)
        yield


def months(world: World) -> Iterator[Month]:
    for key in world.driver.objects(lake.COMMENTS):
        if "tenant=acme." in key:
            yield Month.decode(world.driver.read(key))


def told(world: World, *names: str) -> Mapping[str, Any]:
    """By response, what its comment tells of these columns; None where none is linked."""
    return {
        row["response_id"]: tuple(row[name] for name in names) if row["media_type"] else None
        for month in months(world)
        for row in month.rows.to_pylist()
    }


def agents(world: World) -> Mapping[str, str | None]:
    """By response, who dealt with the customer; None where nothing is linked."""
    return {response: row and row[0] for response, row in told(world, "handled_by").items()}


def written(world: World) -> None:
    """Build daily what has been sent, and nothing else."""
    assert world.driver.write() == []
    world.driver.build_daily()


def look(world: World, link_days: int = 35, **given: Any) -> None:
    """Let a builder look at all days, though nothing may have changed."""
    world.pass_by()
    stage = replace(BuildDaily.from_settings(world.driver.settings), link_days=link_days)
    stage.run(remaining_s=lambda: inf, wake=False, whole=True, **given)


def ledger(world: World) -> Ledger:
    return Ledger(world.driver.settings.table)


# -- interactions that come later


def test_an_interaction_that_comes_late_and_its_updates_restate_comments(world: World) -> None:
    world.response(1, id="r-1", comment="slow", interaction_id="T-1", agent_id="ben")
    world.response(1, id="r-2", comment="other")
    written(world)
    assert agents(world) == {"r-1": None, "r-2": None}
    at = f"{world.day(4)}T09:00:00Z"
    world.interaction(4, id="T-1", agent_id="mia", offered_at=at, updated_at=at)
    written(world)
    names = ("media_type", "handled_by", "agent", "accept", "wait", "entered_on")
    linked = ("voice", "mia", "ben", "no_threshold", None, world.day(4))
    assert told(world, *names) == {"r-1": linked, "r-2": None}
    accepted = {
        "accepted_at": f"{world.day(4)}T09:03:00Z",
        "updated_at": f"{world.day(3)}T00:00:00Z",
    }
    world.interaction(4, id="T-1", agent_id="zoe", **accepted)
    written(world)
    assert told(world, "handled_by", "wait") == {"r-1": ("zoe", "2-5min"), "r-2": None}
    world.driver.build_reports()
    world.check()


def test_an_interaction_that_no_comment_names_puts_nothing(world: World) -> None:
    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    world.interaction(1, id="T-1")
    written(world)
    before = world.driver.objects(lake.COMMENTS)
    world.interaction(1, id="T-2")
    written(world)
    assert world.driver.objects(lake.COMMENTS) == before


def test_comments_of_two_months_are_linked_to_one_interaction(world: World) -> None:
    world.response(25, id="r-1", comment="first", interaction_id="T-1")
    world.response(2, id="r-2", comment="second", interaction_id="T-1")
    written(world)
    world.interaction(30, id="T-1", agent_id="mia")
    written(world)
    assert agents(world) == {"r-1": "mia", "r-2": "mia"}
    assert len([*months(world)]) == 2


def test_days_of_interactions_that_cannot_be_read_hold_up_no_comment(world: World) -> None:
    """The comments are kept without what that day tells, until it can be read again."""
    world.response(1, id="r-1", comment="of a sound day", interaction_id="T-1")
    world.interaction(1, id="T-1", agent_id="mia")
    world.response(1, id="r-2", comment="of a spoilt day", interaction_id="T-2")
    world.interaction(3, id="T-2", agent_id="zoe")
    written(world)
    spoilt = DAY - timedelta(days=2)
    objects = Objects(world.driver.settings.lake_bucket)
    broken = lake.raw_key("interactions", spoilt, "spoilt")
    objects.put(broken, b"no Parquet")
    ledger(world).add("interactions", spoilt)
    world.response(1, id="r-3", comment="new", interaction_id="T-1")
    assert world.driver.write() == []
    with pytest.raises(AthenaError):  # now it is found which day it is
        world.driver.build_daily()
    with pytest.raises(AthenaError):
        look(world, impatient=True)
    assert agents(world) == {"r-1": "mia", "r-2": None, "r-3": "mia"}
    objects.wipe_keys([broken])
    ledger(world).add("interactions", spoilt, rewritten=True)
    look(world, impatient=True)
    assert agents(world) == {"r-1": "mia", "r-2": "zoe", "r-3": "mia"}


# -- what is not kept, or not to be kept


def holders_of_mia(world: World) -> list[str]:
    """Every object of comments that names the agent, older versions too."""
    return [key for key in world.holders("mia-of-T1") if key.startswith(lake.COMMENTS)]


def test_what_an_erased_interaction_was_is_told_by_no_comment_at_once(world: World) -> None:
    world.response(1, id="r-1", comment="of another", interaction_id="T-1", customer_id=OTHER)
    world.interaction(25, id="T-1", agent_id="mia-of-T1", customer_id="C-1042")
    world.response(1, id="r-2", comment="stays linked", interaction_id="T-2")
    world.interaction(25, id="T-2", agent_id="zoe")
    world.driver.build()
    assert agents(world) == {"r-1": "mia-of-T1", "r-2": "zoe"}
    assert holders_of_mia(world)

    def gone() -> None:  # the other one's link comes back with the next build
        assert agents(world) == {"r-1": None, "r-2": None}
        assert holders_of_mia(world) == []

    world.meanwhile.append(gone)
    world.erase()
    assert world.meanwhile == []
    assert agents(world) == {"r-1": None, "r-2": "zoe"}
    assert holders_of_mia(world) == []


def test_a_purge_of_interactions_takes_the_links_and_leaves_the_comments(world: World) -> None:
    world.response(1, id="r-1", comment="stays", interaction_id="T-1")
    world.interaction(1, id="T-1", agent_id="mia-of-T1")
    world.driver.build()

    def gone() -> None:
        assert agents(world) == {"r-1": None}
        assert holders_of_mia(world) == []

    world.meanwhile.append(gone)
    world.remove(Purge("acme", ("interactions",), days.now_us()))
    assert world.meanwhile == []
    assert agents(world) == {"r-1": None}
    assert holders_of_mia(world) == []


def test_a_build_that_read_before_an_erasure_brings_no_link_back(world: World) -> None:
    world.response(1, id="r-1", comment="of another", interaction_id="T-1", customer_id=OTHER)
    world.interaction(1, id="T-1", customer_id="C-1042")
    world.driver.build()
    old, read_us = Month.decode(world.driver.read(KEY)).rows, days.now_us()
    world.pass_by()

    def late() -> None:
        comments = Comments(Objects(world.driver.settings.lake_bucket))
        comments.change(KEY, lambda month: month.replaced([DAY], old, read_us))
        assert agents(world) == {"r-1": None}

    world.meanwhile.append(late)
    world.erase()
    assert world.meanwhile == []
    assert agents(world) == {"r-1": None}


def test_a_link_to_what_raw_no_longer_keeps_stays(world: World) -> None:
    """Whatever changes the day, and over however many days answers are linked by then."""
    world.response(1, id="r-1", comment="old", interaction_id="T-1")
    world.interaction(4, id="T-1", agent_id="mia")
    world.interaction(1, id="T-9")
    written(world)
    past = DAY - timedelta(days=3)
    version = ledger(world).entries("interactions")[past].version
    assert ledger(world).expire("interactions", past, version)
    Objects(world.driver.settings.lake_bucket).wipe(lake.raw_prefix("interactions", past))
    world.response(1, id="r-2", comment="new", interaction_id="T-1")
    written(world)
    assert agents(world) == {"r-1": "mia", "r-2": None}
    look(world, 1)
    assert agents(world) == {"r-1": "mia", "r-2": None}
    # another interaction, or none, is another link
    world.interaction(1, id="T-1", agent_id="zoe")
    written(world)
    assert agents(world) == {"r-1": "zoe", "r-2": "zoe"}
    world.response(1, id="r-1", comment="old")
    written(world)
    assert agents(world) == {"r-1": None, "r-2": "zoe"}


# -- other versions, other settings


def test_another_number_of_days_takes_and_gives_links(world: World) -> None:
    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    world.interaction(4, id="T-1", agent_id="mia")
    written(world)
    for link_days, expected in ((1, None), (4, "mia"), (3, None), (35, "mia")):
        look(world, link_days)
        assert agents(world) == {"r-1": expected}, link_days
    before = world.driver.objects(lake.COMMENTS)
    look(world)
    assert world.driver.objects(lake.COMMENTS) == before


def as_before(world: World, *its_days: date) -> None:
    """Leave the month as a version does that knows no links, which has built some of its days."""
    objects = Objects(world.driver.settings.lake_bucket)
    rows = pq.ParquetFile(pa.BufferReader(objects.get(KEY))).read()
    told = {**(rows.schema.metadata or {}), b"pulse.format": b"1"}
    sink = pa.BufferOutputStream()
    without = rows.drop_columns([*lake.COMMENT_EXPERIENCE]).replace_schema_metadata(told)
    pq.write_table(without, sink)
    objects.put(KEY, sink.getvalue().to_pybytes())
    for day in its_days:
        version = ledger(world).entries("responses")[day].version
        Records(world.driver.settings.table).update(
            "LEDGER#responses",
            str(day),
            "SET comments_version = :version",
            values={":version": version},
        )


@pytest.mark.parametrize("is_upgrade", [True, False])
def test_a_month_that_a_former_version_has_written_is_made_anew(
    world: World, is_upgrade: bool
) -> None:
    """It writes a whole month without links, even if only one of its days was due."""
    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    world.response(2, id="r-2", comment="slow, too", interaction_id="T-1")
    world.interaction(4, id="T-1", agent_id="mia")
    written(world)
    yesterday = DAY - timedelta(days=1)
    as_before(world, *([DAY, yesterday] if is_upgrade else [yesterday]))
    if is_upgrade:
        records = Records(world.driver.settings.table)
        for day in (DAY, yesterday):
            records.update("LEDGER#responses", str(day), "REMOVE comments_of", values={})
    assert agents(world) == {"r-1": None, "r-2": None}
    look(world)
    assert agents(world) == {"r-1": "mia", "r-2": "mia"}
    entries = ledger(world).entries("responses")
    assert {entry.former_comments for entry in entries.values()} == {None}
    before = world.driver.objects(lake.COMMENTS)
    look(world)
    assert world.driver.objects(lake.COMMENTS) == before


def test_a_former_version_that_writes_while_a_build_is_at_work_is_made_good(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    world.interaction(4, id="T-1", agent_id="mia")
    update = KeepComments._update

    def overtaken(*given: Any) -> Any:
        later = update(*given)
        as_before(world, DAY)
        return later

    with monkeypatch.context() as patched:
        patched.setattr(KeepComments, "_update", overtaken)
        written(world)
    assert agents(world) == {"r-1": None}
    look(world)
    assert agents(world) == {"r-1": "mia"}


def test_an_interaction_that_comes_while_a_build_is_at_work_is_left_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    world.interaction(4, id="T-1", agent_id="mia")
    written(world)
    noted = ledger(world).entries("responses")[DAY].comments_of
    gather = KeepComments._gather

    def meanwhile(*given: Any) -> None:
        gather(*given)
        world.interaction(3, id="T-1", agent_id="zoe")
        assert world.driver.write() == []

    with monkeypatch.context() as patched:
        patched.setattr(KeepComments, "_gather", meanwhile)
        world.response(1, id="r-2", comment="new")
        written(world)
    assert agents(world) == {"r-1": "mia"}
    assert ledger(world).entries("responses")[DAY].comments_of == noted
    world.driver.build_daily()
    assert agents(world) == {"r-1": "zoe", "r-2": None}


def test_two_builders_at_once_that_make_the_same_note_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    world.interaction(4, id="T-1", agent_id="mia")
    update = KeepComments._update

    def beside(*given: Any) -> Any:
        monkeypatch.setattr(KeepComments, "_update", update)
        world.driver.build_daily()
        return update(*given)

    monkeypatch.setattr(KeepComments, "_update", beside)
    written(world)
    world.driver.build_reports()
    world.check()


def test_what_two_builders_at_once_make_of_different_events_is_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    world.interaction(4, id="T-1", agent_id="mia")
    note = Ledger.note_comments

    def beside(*given: Any) -> None:
        monkeypatch.setattr(Ledger, "note_comments", note)
        world.interaction(3, id="T-1", agent_id="zoe")
        written(world)
        note(*given)

    monkeypatch.setattr(Ledger, "note_comments", beside)
    written(world)
    assert ledger(world).entries("responses")[DAY].comments_of == ""
    world.driver.build_daily()  # it does not wait for the night
    assert agents(world) == {"r-1": "zoe"}
    world.driver.build_reports()
    world.check()


def test_a_check_waits_for_links_that_have_changed(world: World) -> None:
    def state() -> str:
        found = {one.name: one.state for one in run_checks(world.driver.settings)}
        return found["comments = raw_responses"]

    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    written(world)
    assert state() == "ok"
    world.interaction(4, id="T-1")
    assert world.driver.write() == []
    assert state() == "waiting"
    world.driver.build_daily()
    assert state() == "ok"


def test_a_stack_without_interactions_is_not_built_anew_for_another_number_of_days(
    world: World,
) -> None:
    world.response(1, id="r-1", comment="slow", interaction_id="T-1")
    written(world)
    entries = ledger(world).entries("responses")
    assert made_of(entries[DAY], {}, 35) == made_of(entries[DAY], {}, 3) == entries[DAY].comments_of
