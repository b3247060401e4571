"""`pulse erase` removes a person everywhere, and changes nothing of anybody else."""

import json
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow.parquet import ParquetFile

from pulse import days, lake
from pulse.erasure.person import Person
from pulse.erasure.search import RowSearch
from pulse.raw.covered import rewritten
from pulse.raw.parquet import decode, encode
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from tests.driver import Driver
from tests.eraser import (
    GONE,
    OTHER,
    TODAY,
    Item,
    World,
    answer,
    dead,
    dead_letters,
    do_not_settle,
    message,
    record,
    update,
)
from tests.sampling import either
from tests.shell import Shell


def test_a_person_is_erased_and_nobody_else(world: World) -> None:
    world.response(1, id="gone-1", customer_id=GONE, comment="it was me", interaction_id="T-1")
    world.response(2, id="gone-2", customer_id=GONE)
    world.response(1, id="of-T-1", interaction_id="T-1")
    world.response(1, id="by-another", interaction_id="T-1", customer_id=OTHER)
    world.response(1, id="other", customer_id=OTHER)
    world.response(1, id="nobody")
    world.response(1, id="theirs", tenant="umbrella", customer_id=GONE, interaction_id="T-1")
    money = {"amount": "10.00", "currency": "EUR"}
    world.interaction(2, id="T-1", agent_id="anna")
    world.interaction(3, id="T-2", customer_id=GONE, revenue=money)
    world.interaction(3, id="T-2", updated_at=f"{world.day(1)}T12:00:00Z", revenue=money)
    world.interaction(3, id="T-3", customer_id=OTHER, revenue=money)
    world.interaction(3, id="T-2", tenant="umbrella", customer_id=GONE)
    world.driver.build()
    assert (world.responses(), world.revenue()) == (6, {"EUR": "20.0000"})

    receipt = world.erase()
    assert world.ids() == (
        ["by-another", "nobody", "other", "theirs"],
        ["T-2", "T-3"],
    )
    assert (world.responses(), world.revenue()) == (3, {"EUR": "10.0000"})
    assert world.responses("umbrella") == 1
    world.check()
    assert receipt.shown()["removed"] == {"responses": 3, "interactions": 3}
    assert receipt.shown()["days"] == {
        "responses": [world.day(2), world.day(1)],
        "interactions": [world.day(3), world.day(2)],
    }
    assert receipt.found_again == 0
    assert "it was me" not in repr(world.rows("responses"))
    again = world.erase()
    assert (again.removed.total(), again.objects, again.days_rebuilt) == (0, [], set())


@pytest.mark.only_whole
def test_tags_that_a_tenant_has_declared_are_erased_from_what_counts_them(world: World) -> None:
    world.driver.tenants.set(world.acme, dimensions={"team": ((days.FIRST_DAY, True),)})
    world.driver.forget()
    world.response(1, id="gone", customer_id=GONE, tags={"team": "theirs alone"})
    world.response(1, id="other", customer_id=OTHER, tags={"team": "north"})
    world.driver.build()

    def teams() -> dict[str, int]:
        rows = world.driver.report("acme", "nps", "preset=all_time&group_by=team")["rows"]
        return {row["team"]: row["responses"] for row in rows}

    assert teams() == {"theirs alone": 1, "north": 1}
    world.erase()
    assert teams() == {"north": 1}
    objects = world.driver.objects("reports/scores/tenant=acme/")
    held = [str(ParquetFile(pa.BufferReader(world.driver.read(o))).read()) for o in objects]
    assert [text for text in held if "north" in text]
    assert not [text for text in held if "theirs alone" in text]


# -- whose an interaction is

MONEY = {"amount": "100.00", "currency": "EUR"}


@pytest.mark.only_whole
def test_updates_that_may_be_another_customers_stay(world: World) -> None:
    world.interaction(id="call-2041", customer_id=OTHER)
    world.interaction(id="call-2041", updated_at=f"{world.day(1)}T12:00:00Z", revenue=MONEY)
    world.interaction(id="shared", customer_id=GONE)
    world.interaction(id="shared", customer_id=OTHER)
    world.interaction(id="shared", updated_at=f"{world.day(1)}T12:00:00Z", revenue=MONEY)
    world.response(id="on-shared", interaction_id="shared")
    world.response(id="gone", customer_id=GONE, interaction_id="call-2041")
    world.driver.build()
    receipt = world.erase()
    kept = (["on-shared"], ["call-2041", "call-2041", "shared", "shared"])
    assert world.ids() == kept
    assert world.revenue() == {"EUR": "200.0000"}
    assert receipt.shown()["removed"] == {"responses": 1, "interactions": 1}
    assert receipt.found_again == 0
    assert world.erase().removed.total() == 0
    assert world.ids() == kept
    world.check()
    # what the two shared is the other's alone now
    world.erase(OTHER)
    assert world.ids() == ([], [])


@pytest.mark.only_whole
def test_what_they_went_through_is_no_longer_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.driver, "link_days", 2)

    def answers_by_agent() -> dict[str | None, int]:
        catalog = Catalog(world.driver.settings.database)
        run = catalog.partitions(lake.EXPERIENCE.daily_table)[date.fromisoformat(world.day(1))].run
        prefix = f"{lake.run_prefix(lake.EXPERIENCE, run)}dt={world.day(1)}/"
        bodies = (pa.BufferReader(world.driver.read(key)) for key in world.driver.objects(prefix))
        rows = (row for body in bodies for row in ParquetFile(body).read().to_pylist())
        return {row["agent"]: row["c9"] for row in rows}

    world.interaction(2, id="theirs", customer_id=GONE, agent_id="ada")
    world.interaction(2, id="other", customer_id=OTHER, agent_id="bob")
    world.response(id="r1", customer_id=GONE, interaction_id="theirs")
    world.response(id="r2", customer_id=OTHER, interaction_id="theirs")
    world.response(id="r3", customer_id=OTHER, interaction_id="other")
    world.driver.build()
    assert answers_by_agent() == {"ada": 2, "bob": 1}
    world.erase()
    assert answers_by_agent() == {None: 1, "bob": 1}


@pytest.mark.only_whole
def test_a_publishable_key_aims_at_no_interaction(world: World) -> None:
    for number in (1, 2):
        world.interaction(id=f"call-{number}", revenue=MONEY)
        world.page(id=f"aimed-{number}", customer_id=GONE, interaction_id=f"call-{number}")
    world.response(id="on-call-1", interaction_id="call-1")
    world.page(id="on-call-2", interaction_id="call-2")
    world.page(id="aimed-1", interaction_id="call-1")  # another copy
    queued = world.driver.messages()
    assert world.driver.write(queued) == []
    receipt = world.erase()
    kept = (["on-call-1", "on-call-2"], ["call-1", "call-2"])
    assert world.ids() == kept
    assert world.revenue() == {"EUR": "200.0000"}
    assert receipt.shown()["removed"] == {"responses": 3}
    # what comes again is judged alike
    assert world.driver.write(queued) == []
    assert (set(world.ids()[0]), set(world.ids()[1])) == tuple(map(set, kept))
    assert world.erase().removed.total() == 0


@pytest.mark.only_whole
def test_an_interaction_of_theirs_goes_with_all_that_names_nobody(world: World) -> None:
    world.interaction(id="named", customer_id=GONE)
    world.interaction(id="named", updated_at=f"{world.day(1)}T12:00:00Z", revenue=MONEY)
    world.page(id="on-named", interaction_id="named")
    world.interaction(id="told", revenue=MONEY)
    world.response(id="gone", customer_id=GONE, interaction_id="told")
    world.page(id="on-told", interaction_id="told")
    world.response(id="by-another", customer_id=OTHER, interaction_id="named")
    queued = world.driver.messages()
    assert world.driver.write(queued) == []
    world.erase()
    assert world.ids() == (["by-another"], [])
    assert world.driver.write(queued) == []
    assert set(world.ids()[0]) == {"by-another"}
    assert world.ids()[1] == []


@pytest.mark.only_whole
def test_what_comes_late_takes_no_mark_back(world: World) -> None:
    world.interaction(id="T-1", customer_id=GONE)
    world.interaction(id="T-1", updated_at=f"{world.day(1)}T12:00:00Z", revenue=MONEY)
    queued = world.driver.messages()
    world.interaction(id="T-1", customer_id=OTHER)
    late = world.driver.messages()
    assert world.driver.write(queued) == []
    world.meanwhile = [lambda: world.driver.write(late)]
    receipt = world.erase()
    assert world.driver.write(queued) == []
    assert world.erase().removed.total() == 0
    assert [row["customer"] for row in world.rows("interactions")] == [OTHER]
    assert receipt.shown()["removed"] == {"interactions": 2}


@pytest.mark.only_whole
def test_dead_letters_and_raw_tell_together_whose_an_interaction_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = days.to_us(TODAY - timedelta(days=1))
    world.interaction(id="B-in-raw", customer_id=OTHER)
    world.interaction(id="B-dead")
    world.interaction(id="paged")
    world.interaction(id="B-aside")
    world.interaction(id="mine")
    world.response(id="gone-1", customer_id=GONE, interaction_id="B-dead")
    world.response(id="gone-2", customer_id=GONE, interaction_id="B-aside")
    world.driver.write()
    aside = update("B-aside", customer=OTHER, replies=-1, updated_us=at + 1)
    world.driver.write([record(message(world, "interactions", aside))])
    dead(world, message(world, "responses", answer("dead-1", customer=GONE, interaction="mine")))
    dead(world, message(world, "interactions", update("B-in-raw"), update("mine")))
    dead(world, message(world, "interactions", update("B-dead", customer=OTHER)))
    dead(world, message(world, "interactions", update("B-in-raw", customer=GONE)))
    paged = answer("dead-2", customer=GONE, interaction="paged")
    dead(world, message(world, "responses", paged, answer("left"), key_kind="publishable"))
    world.pass_by()
    shell = Shell(world.driver)
    do_not_settle(monkeypatch)
    planned = shell.json("erase", "--tenant", "acme", "--customer", GONE, "--dry-run")
    receipt = world.erase()
    assert world.ids() == ([], ["B-aside", "B-dead", "B-in-raw", "paged"])
    assert sorted(
        item.get("interaction_id", item.get("response_id"))
        for body, _ in dead_letters(world)
        for item in body["items"]
    ) == ["B-dead", "B-in-raw", "left"]
    assert receipt.shown()["removed"] == {"responses": 4, "interactions": 3} == planned["removed"]
    assert receipt.shown()["dead_letters"] == {"changed": 2, "removed": 2}
    assert planned["dead_letters"] == receipt.shown()["dead_letters"]


@pytest.mark.only_whole
def test_a_person_of_thousands_of_marks_is_found_in_statements_that_athena_takes(
    world: World,
) -> None:
    for first in (0, 500, 1000):
        items = [
            {
                "interaction_id": f"T-{n}",
                "media_type": "chat",
                "entered_at": f"{world.day(1)}T09:00:00Z",
            }
            | {"customer_id": GONE}
            for n in range(first, first + 500)
        ]
        assert world.driver.post_interactions("acme", items).status == 202
    world.response(id="of-a-late-one", interaction_id="T-1499")
    world.response(id="other", customer_id=OTHER)
    world.driver.build()
    receipt = world.erase()
    assert receipt.shown()["removed"] == {"interactions": 1500, "responses": 1}
    assert (world.ids(), receipt.found_again) == ((["other"], []), 0)


# -- where else a person may be


@pytest.mark.only_whole
def test_what_is_queued_or_comes_again_is_left_out(world: World) -> None:
    world.interaction(id="T-1", customer_id=GONE)
    assert world.driver.write() == []
    world.response(id="gone", customer_id=GONE)
    world.response(id="on-T-1", interaction_id="T-1")
    world.response(id="other", customer_id=OTHER)
    unreadable = answer("unreadable", customer=GONE, score="nine")
    queued = [*world.driver.messages(), record(message(world, "responses", unreadable))]
    world.pass_by()
    world.erase()
    assert world.driver.write(queued) == []
    assert world.ids() == (["other"], [])
    assert world.holders("unreadable") == []

    # who comes back is a new customer
    world.response(id="new", customer_id=GONE)
    world.interaction(id="T-1", agent_id="anna")
    world.driver.build()
    assert world.ids() == (["new", "other"], ["T-1"])


def test_a_dead_letter_keeps_the_items_and_the_attributes_of_others(world: World) -> None:
    kept = [answer("other", customer=OTHER), answer("nobody")]
    dead(world, message(world, "responses", answer("on-T-1", interaction="T-1")))
    dead(world, message(world, "interactions", update("T-1", customer=GONE), update("T-2")))
    dead(
        world,
        message(world, "responses", kept[0], answer("gone", customer=GONE), kept[1]),
        client_ip="192.0.2.7",
    )
    foreign = message(world, "responses", answer("x", customer=GONE), tenant="umbrella")
    later = message(world, "responses", answer("later", customer=GONE), received_us=1 << 52)
    for body in (foreign, later, json.dumps({"who": GONE}), json.dumps({"who": OTHER}), "{}"):
        dead(world, body)
    world.pass_by()
    receipt = world.erase()
    left = dead_letters(world)
    assert ([body["items"] for body, _ in left if "items" in body]) == [
        [answer("x", customer=GONE)],
        [answer("later", customer=GONE)],
        [update("T-2")],
        kept,
    ]
    assert [body for body, _ in left if "items" not in body] == [{"who": OTHER}, {}]
    assert [attributes for _, attributes in left if attributes] == [{"client_ip": "192.0.2.7"}]
    assert receipt.shown()["removed"] == {"responses": 2, "interactions": 1}
    assert (receipt.dead_letters_changed, receipt.dead_letters_removed) == (2, 2)


def test_of_an_object_of_the_quarantine_the_lines_of_others_stay(world: World) -> None:
    bad = [answer(id, score="nine", **more) for id, more in LINES.items()]
    world.driver.write([record(message(world, "responses", *bad))])
    world.driver.write([record(f"no message, but from {GONE}: hello")])
    world.driver.write([record(f"no message, but from {OTHER}: hello")])
    only = message(world, "interactions", update("T-1", customer=GONE, replies=-1))
    world.driver.write([record(only)])
    world.pass_by()
    receipt = world.erase()
    text = "".join(world.driver.read(key).decode() for key in world.driver.objects("quarantine/"))
    for id in LINES:
        assert (id in text) == id.startswith("kept"), id
    assert f"from {OTHER}: hello" in text
    assert f"from {GONE}: hello" not in text
    assert receipt.quarantine_lines == 4
    assert not world.driver.objects("quarantine/interactions/")


LINES: dict[str, Item] = {
    "kept-other": {"customer": OTHER},
    "gone": {"customer": GONE},
    "kept-nobody": {"comment": f"not{GONE}"},
    "misplaced": {"agent": [GONE]},
}


# -- the selection, against an oracle that knows no hashes

PEOPLE = st.sampled_from([None, GONE, OTHER])
IDS = st.sampled_from(["T-1", "T-2", "T-3"])
RESPONSES = st.fixed_dictionaries(
    {
        "tenant": st.sampled_from(["acme", "umbrella"]),
        "response_id": st.sampled_from(["r-1", "r-2", "r-3"]),
        "key_kind": st.sampled_from(["secret", "publishable"]),
        "survey": st.sampled_from(["email", "e|mail"]),
        "interaction": st.none() | IDS,
        "customer": PEOPLE,
        "ago": st.integers(1, 2),
        "late": st.booleans(),
    }
)
INTERACTIONS = st.fixed_dictionaries(
    {
        "tenant": st.sampled_from(["acme", "umbrella"]),
        "interaction_id": IDS,
        "customer": PEOPLE,
        "ago": st.integers(1, 2),
        "late": st.booleans(),
    }
)


def theirs(responses: list[Item], interactions: list[Item]) -> tuple[list[bool], list[bool]]:
    """Which of the rows are the person's, by the words of decision 0017."""

    def is_early(row: Item) -> bool:
        return row["tenant"] == "acme" and not row["late"]

    named = [
        row for row in [*responses, *interactions] if is_early(row) and row["customer"] == GONE
    ]
    claimed = {
        row.get("interaction_id", row.get("interaction"))
        for row in named
        if row.get("key_kind") != "publishable"
    }
    others = {
        row["interaction_id"] for row in interactions if is_early(row) and row["customer"] == OTHER
    }
    contacts = claimed - others - {None}
    copies = [identity(row) for row in named if "response_id" in row]

    def is_theirs(row: Item) -> bool:
        if not is_early(row) or row["customer"] == OTHER:
            return False
        if row["customer"] == GONE or row.get("interaction_id", row.get("interaction")) in contacts:
            return True
        return "response_id" in row and identity(row) in copies

    return [is_theirs(row) for row in responses], [is_theirs(row) for row in interactions]


def identity(row: Item) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("tenant", "survey", "key_kind", "response_id", "ago"))


@pytest.mark.sampled
@given(st.lists(RESPONSES, max_size=12), st.lists(INTERACTIONS, max_size=12))
@settings(max_examples=either(4, 12), deadline=None)
@pytest.mark.usefixtures("noon")
def test_what_is_found_and_removed_is_what_is_theirs(
    driver: Driver, responses: list[Item], interactions: list[Item]
) -> None:
    objects, ledger = Objects(driver.settings.lake_bucket), Ledger(driver.settings.table)
    objects.delete_all("raw/")
    given_rows = {"responses": responses, "interactions": interactions}
    for stream, rows in given_rows.items():
        columns = dict.fromkeys(RAW[stream])
        for ago in (1, 2):
            day = (TODAY - timedelta(days=ago)).date()
            some = [
                {
                    **columns,
                    **{n: v for n, v in row.items() if n in columns},
                    "content_hash": str(at),
                }
                | {"received_us": 2_000 if row["late"] else 1_000}
                for at, row in enumerate(rows)
                if row["ago"] == ago
            ]
            ledger.add(stream, day)
            if some:
                objects.put(lake.raw_key(stream, day, lake.ulid()), encode(some, RAW[stream]))
    athena = Athena(driver.settings.database, driver.settings.workgroup)
    person = Person("acme", GONE, "UTC", 1_000)
    search = RowSearch(ledger, athena)
    search.learn(person)
    person.settle()
    for stream, expected in zip(given_rows, theirs(responses, interactions), strict=True):
        found = search.rows(person, stream)
        left = set()
        for key in objects.keys(f"raw/{stream}/"):
            day = date.fromisoformat(key.split("/")[2].removeprefix("dt="))
            new = rewritten(objects.get(key), stream, day, person.tombstones)
            assert found[day] == (new.removed if new else 0)
            body = new.body if new else objects.get(key)
            left |= {row["content_hash"] for row in decode(body, RAW[stream]).to_pylist()}
        assert left == {str(at) for at, gone in enumerate(expected) if not gone}


RAW = {"responses": lake.SCORES.raw_columns, "interactions": lake.INTERACTIONS.raw_columns}
