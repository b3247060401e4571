"""pulse erase over the whole flow: whoever is erased is nowhere, and nobody else is touched."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow.parquet import ParquetFile, write_table

from pulse import days, lake
from pulse.daily import build
from pulse.days import DateRange
from pulse.erasure.erase import Erase
from pulse.erasure.person import Person
from pulse.erasure.search import Search
from pulse.erasure.sought import Sought
from pulse.errors import BuildCheckError
from pulse.export_orders import LEASE_US, Export, Request
from pulse.finance.check import finance_equals_reports
from pulse.raw.covered import rewritten
from pulse.raw.parquet import decode, encode
from pulse.raw.resend import Quarantine, Wanted
from pulse.sql import statement
from pulse.store import queue
from pulse.store.athena import Athena
from pulse.store.erasures import Erasures
from pulse.store.exports import Exports
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.store.queue import Queue
from pulse.tombstones import Tombstones
from tests.aws_calls import AwsCalls, changes
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
    forget_erasures,
    message,
    record,
    update,
)
from tests.past_days import meanwhile
from tests.shell import Shell

STREAMS = ("responses", "interactions")


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


# -- whose an interaction is

MONEY = {"amount": "100.00", "currency": "EUR"}


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


def test_exports_and_results_that_may_hold_the_person_are_withdrawn(world: World) -> None:
    for tenant in ("acme", "umbrella"):
        world.response(1, id="gone", tenant=tenant, customer_id=GONE)
        world.response(5, id="gone", tenant=tenant, customer_id=OTHER)
    world.driver.build()
    athena = Athena(world.driver.settings.database, world.driver.settings.workgroup)
    span = {"first_day": world.day(9), "last_day": world.day(0)}
    athena.rows(statement("checks", "scores_on_two_days"), span, remaining_s=lambda: inf)
    asked = {"stream": "responses", "start_date": world.day(9)}
    holding = world.driver.export("acme", **asked, end_date=world.day(0))
    clean = world.driver.export("acme", **asked, end_date=world.day(5))
    foreign = world.driver.export("umbrella", **asked, end_date=world.day(0))
    objects = Objects(world.driver.settings.lake_bucket)
    (file,) = world.driver.objects(f"exports/tenant=acme/export={holding['id']}/")
    broken_off = lake.export_key("acme", lake.ulid(), lake.ulid(), "responses.csv")
    objects.put(broken_off, objects.get(file))
    for tenant in ("acme", "umbrella"):
        rows = [row for row in world.rows("responses") if row["tenant"] == tenant]
        staged = lake.export_staging_prefix(lake.ulid(), TODAY.date())
        objects.put(f"{staged}dt={world.day(1)}/{tenant}", encode(rows, lake.SCORES.raw_columns))
    assert any(b"response_id" in world.driver.read(key) for key in world.driver.objects("athena/"))

    world.pass_by()
    receipt = world.erase()
    key = world.driver.key("acme", "secret")
    shown = world.driver.call("GET", f"/v1/exports/{holding['id']}", key=key).json
    assert (shown["state"], shown["link"]) == ("failed", None)
    assert "erased" in shown["reason"]
    assert world.driver.call("GET", f"/v1/exports/{clean['id']}", key=key).json["state"] == "done"
    kept = {k.split("/")[2] for k in world.driver.objects("exports/")}
    assert kept == {f"export={export['id']}" for export in (clean, foreign)}
    assert [k.rsplit("/", 1)[1] for k in world.driver.objects("staging/exports/")] == ["umbrella"]
    assert not any(
        b"response_id" in world.driver.read(key) for key in world.driver.objects("athena/")
    )
    assert (receipt.exports_withdrawn, receipt.files_removed) == ([holding["id"]], 3)
    assert receipt.results_removed


def test_an_export_that_is_being_made_is_waited_for(world: World) -> None:
    world.response(id="gone", customer_id=GONE)
    world.driver.build()
    key = world.driver.key("acme", "secret")
    body = json.dumps({"stream": "responses", "start_date": world.day(1), "end_date": world.day(1)})
    order = world.driver.call("POST", "/v1/exports", key=key, body=body).json["id"]
    Exports(world.driver.settings.table).take_line("acme", "event", days.now_us() + LEASE_US)
    world.meanwhile = [lambda: None, lambda: world.driver.make_export("acme", "event")]
    receipt = world.erase()
    assert "Waiting for an export that is being made …" in world.said
    assert receipt.exports_withdrawn == [order]
    assert not world.driver.objects("exports/")


# -- older versions


def test_no_older_version_of_any_object_holds_the_person(world: World) -> None:
    world.response(1, id="gone", customer_id=GONE, comment="it was me")
    world.response(1, id="other", customer_id=OTHER)
    unreadable = answer("bad", customer=GONE, score="nine"), answer("bad-2", score="nine")
    world.driver.write([record(message(world, "responses", *unreadable))])
    world.driver.build()
    asked = {"stream": "responses", "start_date": world.day(9), "end_date": world.day(0)}
    assert world.driver.export("acme", **asked)["state"] == "done"
    objects = Objects(world.driver.settings.lake_bucket)
    spoilt = lake.raw_key("responses", date.fromisoformat(world.day(1)), lake.ulid())
    (key, *_) = world.driver.objects("raw/responses/")  # before another may come first
    objects.put(spoilt, b"it was me, said nobody")
    objects.put(spoilt, objects.get(key))
    lost = lake.raw_key("responses", date.fromisoformat(world.day(1)), lake.ulid())
    objects.put(lost, objects.get(key))
    objects.delete([lost])
    before = {(v.key, v.id) for v in objects.versions("raw/") if not v.is_latest}
    assert len(before) == 2
    world.pass_by()
    receipt = world.erase()
    left = world.texts()
    assert not [name for name, text in left.items() if GONE in text.replace(OTHER, "")]
    assert not [name for name, text in left.items() if "it was me" in text]
    # two that lay, one that each of three rewritten objects left: of raw twice, of the quarantine
    assert receipt.versions_removed >= 5
    assert world.ids()[0] == ["other"] * 2


def test_what_others_have_in_older_versions_stays_to_be_restored(world: World) -> None:
    world.response(1, id="gone", customer_id=GONE)
    world.driver.write()
    world.response(1, id="other", customer_id=OTHER)
    world.driver.write()
    objects = Objects(world.driver.settings.lake_bucket)
    (lost,) = [key for key in world.driver.objects("raw/") if b"other" in world.driver.read(key)]
    body = objects.get(lost)
    objects.delete([lost])
    world.pass_by()
    receipt = world.erase()
    assert receipt.versions_removed >= 1
    (kept,) = objects.older_versions("raw/")
    assert (kept.key, objects.get_version(kept)) == (lost, body)


def test_a_report_of_few_is_not_told_from_what_it_was_before(world: World) -> None:
    world.response(1, id="gone", customer_id=GONE, score=3)
    world.response(1, id="other", tenant="umbrella")
    world.driver.build()
    world.response(1, id="more", customer_id=OTHER)
    world.response(1, id="more", tenant="umbrella")
    world.driver.build()
    objects = Objects(world.driver.settings.lake_bucket)
    before = Counter(key.split("/")[2] for key in world.driver.objects("reports/"))
    assert before == {"tenant=acme": 2, "tenant=umbrella": 2}
    world.pass_by()
    world.erase()
    left = Counter(v.key.split("/")[2] for v in objects.versions("reports/"))
    assert left == {"tenant=acme": 1, "tenant=umbrella": 2}
    assert world.responses() == 1
    assert not objects.older_versions("staging/")
    # the days' old runs go for good when nobody can be reading them any more
    world.now += timedelta(days=2)
    world.driver.housekeep()
    assert not objects.older_versions("daily/")
    days_now = {v.key.split("/")[2] for v in objects.versions("daily/")}
    assert len(days_now) == 1


# -- others at work


def test_what_a_write_that_had_begun_before_stores_is_found(world: World) -> None:
    world.response(id="gone", customer_id=GONE, interaction_id="T-1")
    queued = world.driver.messages()

    def write_without_tombstones() -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Erasures, "tombstones", lambda store: Tombstones())
            assert world.driver.write(queued) == []

    world.meanwhile = [write_without_tombstones]
    receipt = world.erase()
    assert receipt.shown()["removed"] == {"responses": 1}
    assert world.ids() == ([], [])
    assert len([said for said in world.said if "had begun" in said]) == 2
    world.check()


def test_a_compaction_at_work_is_waited_for_and_what_it_has_written_is_found(world: World) -> None:
    for number in range(8):
        world.response(9, id=f"gone-{number}", customer_id=GONE)
        world.response(9, id=f"other-{number}", customer_id=OTHER)
        world.driver.write()
    world.rebuild()
    (day,) = {key.split("/")[2] for key in world.driver.objects("raw/")}
    ledger, at = Ledger(world.driver.settings.table), datetime.fromisoformat(day[3:]).date()
    until_us = days.to_us(world.now + timedelta(minutes=15))
    assert ledger.take("responses", at, "a compaction", until_us)

    def end() -> None:
        ledger.give_back("responses", at, "a compaction")
        world.driver.compact()

    world.meanwhile = [end]
    before = world.responses()
    receipt = world.erase()
    others = [f"other-{number}" for number in range(8)]
    assert sorted(set(world.ids()[0])) == others
    assert receipt.removed["responses"] >= 8
    assert (before, world.responses()) == (16, 8)
    world.driver.compact()
    world.now += timedelta(days=2)
    world.driver.housekeep()
    assert sorted(world.ids()[0]) == others
    world.check()


def test_compaction_leaves_out_whom_an_erasure_names(world: World) -> None:
    for number in range(8):
        world.response(9, id=f"gone-{number}", customer_id=GONE)
        world.response(9, id=f"other-{number}")
        world.driver.write()
    person = Person("acme", GONE, "UTC", days.to_us(world.now))
    Erasures(world.driver.settings.table).add(person.erasure)
    assert world.driver.compact().compacted
    world.now += timedelta(days=2)
    world.driver.housekeep()
    assert world.ids()[0] == [f"other-{number}" for number in range(8)]


# -- what an eraser that dies leaves behind


@dataclass(frozen=True)
class Plain(Search):
    """Finds the same without Athena, which takes most of a run's time."""

    objects: Objects

    def learn(self, person: Person) -> None:
        for stream in STREAMS:
            for row, day in self._rows(stream):
                if row["customer"] is not None:
                    person.learn(stream, row, day)

    def rows(self, sought: Sought, stream: str) -> Counter[date]:
        tombstones = Tombstones.of([sought.erasure])
        return Counter(d for row, d in self._rows(stream) if tombstones.cover(stream, row, d))

    def _rows(self, stream: str) -> Iterator[tuple[Item, date]]:
        for key in self.objects.keys(f"raw/{stream}/"):
            day = date.fromisoformat(key.split("/")[2].removeprefix("dt="))
            body = pa.BufferReader(self.objects.get(key))
            for row in ParquetFile(body).read().to_pylist():
                yield row, day


def versions(ledger: Ledger) -> dict[tuple[str, date], int]:
    return {
        (stream, day): entry.version
        for stream in STREAMS
        for day, entry in ledger.entries(stream).items()
    }


def test_an_eraser_may_die_after_any_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_HIDDEN_S", 0)
    objects = Objects(world.driver.settings.lake_bucket)
    ledger = Ledger(world.driver.settings.table)
    exports = Exports(world.driver.settings.table)
    acme = world.driver.tenants.get("acme")
    calls = AwsCalls(monkeypatch)
    asked = Request("responses", DateRange(date(2026, 1, 1), TODAY.date()), {}, "csv")
    assert acme
    cuts = [999]  # the first run is not cut, and tells which of the calls change anything
    for number, cut in enumerate(cuts):
        who = f"K-{number}"
        forget_erasures(world.driver)
        letters = (
            message(
                world, "responses", answer("gone", customer=who), answer("on", interaction="T")
            ),
            message(world, "responses", answer("other", customer=OTHER)),
            message(world, "interactions", update("T", customer=who), update("U")),
            message(world, "responses", answer("gone-bad", customer=who, score="")),
        )
        assert world.driver.write([record(letter) for letter in letters]) == []
        dead(world, message(world, "responses", answer("dead", customer=who), answer("left")))
        name = lake.ulid(world.now)
        key = lake.export_key("acme", name, name, "responses.csv")
        exports.create(
            Export("acme", name, asked, days.now_us(), state="done", finished_us=1, rows=1, key=key)
        )
        objects.put(key, who.encode())
        world.pass_by()
        built = versions(ledger)
        stage = replace(world.stage, search=Plain(ledger, world.stage.search.athena, objects))

        def run(stage: Erase = stage, who: str = who) -> None:
            person = Person(acme.id, who, acme.timezone, days.now_us())
            stage.run(person, rebuild=lambda: None)

        if calls.run(run, kill_after=cut):
            assert cut == cuts[0]
            cuts += [at for at, call in enumerate(calls.made, 1) if changes(call)]
        world.pass_by()
        world.now += timedelta(minutes=16)  # the lease of the dead one has ended
        run()
        texts = world.texts()
        assert not [key for key, text in texts.items() if who in text], cut
        raw = "".join(text for key, text in texts.items() if key.startswith("raw/"))
        assert set(re.findall("_id': '(\\w+)'", raw)) == {"other", "U"}
        assert {
            item["response_id"] for body, _ in dead_letters(world) for item in body["items"]
        } == {"left"}
        after = versions(ledger)
        assert all(after[stream, day] > built[stream, day] for stream, day in after), cut
        export = exports.get("acme", name)
        assert export
        assert (export.state, export.key) == ("failed", None)
    assert len(cuts) > 15
    world.rebuild()
    assert world.responses() == 1
    world.check()


# -- what follows from raw


def test_a_closed_month_of_revenue_gets_an_adjustment(world: World) -> None:
    world.now = datetime(2026, 10, 30, 12, tzinfo=UTC)
    at: Item = {"entered_at": "2026-10-29T09:00:00Z"}
    for id, customer, amount in (("T-1", GONE, "10.00"), ("T-2", OTHER, "5.50")):
        money = {"amount": amount, "currency": "EUR"}
        world.interaction(id=id, customer_id=customer, revenue=money, **at)
    world.driver.build()
    world.now = TODAY
    world.driver.export_revenue()
    world.erase()
    world.driver.export_revenue()
    finance = Objects(world.driver.finance_settings.finance_bucket)
    files = {k.rsplit("/", 1)[1]: k for k in finance.keys(lake.revenue_prefix("acme", "2026-10"))}
    assert b"15.5000" in finance.get(files["revenue.csv"])
    assert b"-1,-10.0000" in finance.get(files["0001.csv"])
    assert finance_equals_reports(world.driver.finance_settings).state == "ok"


def test_objects_without_the_person_stay_byte_by_byte(world: World) -> None:
    world.response(id="other", customer_id=OTHER)
    world.driver.write()
    before = world.driver.objects("raw/")
    world.response(id="gone", customer_id=GONE)
    world.response(id="shared", customer_id=OTHER, tags={"a": "1"}, comment="ä")
    world.driver.write()
    shared = [row for row in world.rows("responses") if row["response_id"] != "gone"]
    receipt = world.erase()
    after = world.driver.objects("raw/")
    assert {key: after[key] for key in before} == before
    assert world.rows("responses") == shared
    (rewritten,) = receipt.objects
    body = world.driver.read(rewritten.key)
    assert hashlib.sha256(body).hexdigest() == rewritten.sha256_after != rewritten.sha256_before
    assert (rewritten.removed, rewritten.left) == (1, 1)


def test_columns_that_a_newer_version_has_added_stay_in_rewritten_objects(world: World) -> None:
    """Somebody rolled back, and a customer wants to be forgotten."""
    world.response(id="gone", customer_id=GONE)
    world.response(id="other", customer_id=OTHER)
    world.driver.write()
    (key,) = world.driver.objects("raw/responses/")
    table = decode(world.driver.read(key), lake.SCORES.raw_columns)
    newer = table.append_column("mood", pa.array(["calm"] * len(table)))
    sink = pa.BufferOutputStream()
    write_table(newer.replace_schema_metadata({"pulse.format": "9"}), sink, compression="snappy")
    Objects(world.driver.settings.lake_bucket).put(key, sink.getvalue().to_pybytes())
    world.erase()
    left = ParquetFile(pa.BufferReader(world.driver.read(key)))
    assert left.schema_arrow.metadata[b"pulse.format"] == b"9"
    (row,) = left.read().to_pylist()
    assert (row["response_id"], row["mood"]) == ("other", "calm")
    assert world.responses() == 1


# -- the selection, against an oracle that knows no marks

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


@given(st.lists(RESPONSES, max_size=12), st.lists(INTERACTIONS, max_size=12))
@settings(max_examples=12, deadline=None, derandomize=True)
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
    search = Search(ledger, athena)
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


# -- the command


def do_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was being written when the command began."""
    made = Erase.from_settings
    monkeypatch.setattr(Erase, "from_settings", lambda *given: replace(made(*given), settle_s=0))


def test_the_command_erases_and_prints_the_receipt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(world.driver)
    do_not_settle(monkeypatch)
    world.response(id="gone", customer_id=GONE)
    world.response(id="other", customer_id=OTHER)
    world.driver.build()
    names = ("erase", "--tenant", "acme", "--customer", GONE)
    world.pass_by()
    before = world.driver.objects("")
    planned = shell.json(*names, "--dry-run")
    assert (planned["removed"], planned["receipt"]) == ({"responses": 1}, None)
    after = world.driver.objects("")
    assert {k: v for k, v in after.items() if not k.startswith("athena/")} == {
        k: v for k, v in before.items() if not k.startswith("athena/")
    }

    done = shell.run(*names)
    assert "responses removed" in done.stdout
    assert "a new search finds" in done.stdout
    assert "Waiting 0 s" in done.stderr
    world.driver.forget()
    assert world.responses() == 1
    again = shell.json(*names)
    assert (again["removed"], again["found_again"]) == ({}, 0)
    assert again["objects"] == again["days_rebuilt"] == []
    receipts = world.driver.objects("erasures/")
    assert len(receipts) == 2
    assert world.holders(GONE) == []
    shell.run("erase", "--tenant", "acme", "--customer", "", code=2)
    shell.run("erase", "--tenant", "nobody", "--customer", GONE, code=2)


def test_a_build_that_met_the_eraser_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_not_settle(monkeypatch)
    world.response(id="gone", customer_id=GONE)
    world.response(id="other", customer_id=OTHER)
    world.driver.write()
    world.pass_by()
    real, failing = build.wrong_counts, [1, 2]

    def wrong_counts(*counts: Any) -> dict[date, BuildCheckError]:
        if failing:
            failing.pop()
            error = BuildCheckError("a day was rewritten meanwhile")
            return dict.fromkeys(map(date.fromisoformat, counts[0]), error)
        return real(*counts)

    monkeypatch.setattr(build, "wrong_counts", wrong_counts)
    shell = Shell(world.driver)
    shell.json("erase", "--tenant", "acme", "--customer", GONE)
    assert world.responses() == 1
    failing[:] = range(9)
    world.pass_by()
    world.response(id="gone", customer_id=GONE)
    world.driver.write()
    world.pass_by()
    failed = shell.run("erase", "--tenant", "acme", "--customer", GONE, code=1)
    assert "run `pulse build`" in failed.stderr
    assert not world.holders(GONE)


@pytest.mark.parametrize("method", ["look", "replace"])
def test_somebody_who_sends_again_what_was_set_aside_is_no_obstacle(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """What he sends of the person is left out; what he sends of others is stored."""
    theirs = answer("gone", score="nine", customer=GONE)
    others = answer("other", score="nine", customer=OTHER)
    world.driver.write([record(message(world, "responses", theirs, others))])
    world.pass_by()
    quarantine = Quarantine(
        Objects(world.driver.settings.lake_bucket),
        Queue(world.driver.deployment.outputs["QueueUrl"]),
    )

    def resend() -> None:
        sent = quarantine.resend(Wanted(), lambda line: line.with_values({"score": 9}))
        assert sent.lines == 2

    meanwhile(monkeypatch, Objects, method, resend)
    world.erase()
    assert world.driver.objects("quarantine/") == {}
    world.driver.build()
    assert world.ids()[0] == ["other"]
    assert [key for key in world.holders(GONE) if not key.startswith("erasures/")] == []


def test_an_id_is_erased_in_every_coding_and_near_equals_are_told_and_stay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows as they were stored before ids had one form, beside rows of today."""
    theirs = ["Jos\u00e9", "Jose\u0301", " Jose\u0301", "Jos\u00e9\u00a0"]
    others = ["jos\u00e9", "Jose", "JOSE\u0301 ", "Josef"]
    for number, name in enumerate([*theirs, *others]):
        answered = answer(f"r-{number}", customer=name)
        updated = update(f"T-{number}", customer=name)
        world.driver.write(
            [
                record(message(world, "responses", answered)),
                record(message(world, "interactions", updated, update(f"T-{number}"))),
            ]
        )
    world.response(id="of-T-1", interaction_id="T-1")
    dead(world, message(world, "responses", answer("dead", customer="Jose\u0301\n")))
    world.driver.build()
    world.pass_by()
    do_not_settle(monkeypatch)
    shell = Shell(world.driver)
    planned = shell.json("erase", "--tenant", "acme", "--customer", "Jose\u0301 ", "--dry-run")
    assert planned["left"] == {"JOS\u00c9": 2, "Jose": 2, "jos\u00e9": 2}

    done = shell.json("erase", "--tenant", "acme", "--customer", "Jos\u00e9")

    left = [4, 5, 6, 7]
    assert world.ids() == (
        [f"r-{number}" for number in left],
        sorted(2 * [f"T-{number}" for number in left]),
    )
    assert dead_letters(world) == []
    assert planned["removed"] == done["removed"] == {"responses": 6, "interactions": 8}
    assert done["left"] == planned["left"]
    assert "Jos" not in world.driver.read(done["receipt"]).decode()
    queued = answer("late", customer="Jose\u0301\t")  # sent before, written after
    body = message(world, "responses", queued, received_us=days.to_us(TODAY))
    world.driver.write([record(body)])
    assert len(world.ids()[0]) == len(left)
