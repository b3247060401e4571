"""An erasure that dies, waits, meets a builder, or is run as a command."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile

from pulse import days, lake
from pulse.daily import build, counts
from pulse.days import DateRange
from pulse.erasure.erase import Erase
from pulse.erasure.person import Person
from pulse.erasure.search import RowSearch
from pulse.erasure.sought import Sought
from pulse.errors import BuildCheckError
from pulse.export_orders import Export, ExportRequest
from pulse.raw.resend import LineFilter, Quarantine
from pulse.store import queue
from pulse.store.erasures import Erasures
from pulse.store.exports import Exports
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.store.queue import Queue
from pulse.tombstones import Tombstones
from tests.aws_calls import AwsCalls
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
    forget_erasures,
    message,
    record,
    update,
)
from tests.past_days import meanwhile
from tests.shell import Shell

pytestmark = pytest.mark.only_whole

STREAMS = ("responses", "interactions")


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


def test_who_erases_after_one_that_died_is_told_how_long_its_day_is_held(world: World) -> None:
    """2026-11-20 is the answer's day; a lease lasts as long as a function may: 15 minutes."""
    world.response(1, id="gone", customer_id=GONE)
    world.driver.write()
    died_at = world.now
    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Ledger, "give_back", lambda *_: None)  # as if by a lack of power
        patched.setattr(Ledger, "add", dies)
        world.erase()
    before = len(world.said)

    def later() -> None:
        world.now += timedelta(minutes=5)

    world.meanwhile = [later] * 3
    world.erase()
    assert world.ids() == ([], [])
    told = [said for said in world.said[before:] if "rewrites" in said]
    until = f"{died_at + timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}"
    assert told == [
        "Waiting for an erasure that rewrites responses of 2026-11-20 and holds the day "
        f"until {until} at most. Should it have died, this goes on then …"
    ]


def dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_whoever_holds_a_day_is_told_also_as_a_former_version_has_noted_it(world: World) -> None:
    ledger, day = Ledger(world.driver.settings.table), date(2026, 11, 20)
    assert ledger.held("responses", day) is None
    for holder, told in (("01KASR10000000000000000000", "somebody"), ("an x 01KASR", "somebody")):
        until_us = days.to_us(world.now + timedelta(minutes=15))
        assert ledger.take("responses", day, holder, until_us)
        held = ledger.held("responses", day)
        assert held
        assert (held.by, held.until_us) == (told, until_us)
        ledger.give_back("responses", day, holder)
    with ledger.lease("responses", day, "a compaction"):
        held = ledger.held("responses", day)
        assert held
        assert held.by == "a compaction"
    assert ledger.held("responses", day) is None


@dataclass(frozen=True)
class Plain(RowSearch):
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
    asked = ExportRequest("responses", DateRange(date(2026, 1, 1), TODAY.date()), {}, "csv")
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
            cuts += calls.changing
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


# -- the command


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
    real, failing = counts.wrong_counts, [1, 2]

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
    """The person's rows are left out when they are sent again, and those of others are stored."""
    theirs = answer("gone", score="nine", customer=GONE)
    others = answer("other", score="nine", customer=OTHER)
    world.driver.write([record(message(world, "responses", theirs, others))])
    world.pass_by()
    quarantine = Quarantine(
        Objects(world.driver.settings.lake_bucket),
        Queue(world.driver.deployment.outputs["QueueUrl"]),
    )

    def resend() -> None:
        sent = quarantine.resend(LineFilter(), lambda line: line.with_values({"score": 9}))
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
    """Some rows were stored before ids had a single form, and some were stored after that."""
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
