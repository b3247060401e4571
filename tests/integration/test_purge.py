"""`pulse purge` removes what a key or a time has sent, and nothing else."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile, write_table

from pulse import days, lake
from pulse.cli import building
from pulse.cli.exits import FailedError
from pulse.conservation import events_conserved
from pulse.erasure.erase import Erase
from pulse.erasure.purge import Purge
from pulse.erasure.search import RowSearch
from pulse.erasure.sought import Sought
from pulse.errors import AthenaError, BuildCheckError
from pulse.raw.parquet import decode, encode
from pulse.settings import BuildDailySettings
from pulse.store import metrics, queue
from pulse.store.erasures import Erasures
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.store.stack import StackOutputs
from pulse.tenants.keys import sha256
from tests.aws_calls import AwsCalls
from tests.eraser import (
    Item,
    World,
    answer,
    dead,
    dead_letters,
    forget_erasures,
    message,
    record,
)
from tests.shell import Shell

ALL = ("responses", "interactions", "sessions")


def key_of(world: World, kind: str = "publishable", tenant: str = "acme") -> tuple[str, str]:
    """A key of its own, by its text and its id."""
    text = world.driver.key(tenant, kind, surveys=("email",))
    return text, sha256(text)[:12]


def purge(
    key_id: str | None = None, *, streams: tuple[str, ...] = ALL, tenant: str = "acme", **given: Any
) -> Purge:
    return Purge(tenant, streams, days.now_us(), key_id, **given)


def test_a_message_and_a_row_say_which_key_brought_them(world: World) -> None:
    text, key_id = key_of(world)
    world.flood(text, "r-1")
    world.response(id="r-2")
    world.interaction(id="T-1")
    world.session(id="s-1")
    assert world.driver.write() == []
    secret = sha256(world.driver.key("acme", "secret"))[:12]
    assert {row["response_id"]: row["key_id"] for row in world.rows("responses")} == {
        "r-1": key_id,
        "r-2": secret,
    }
    assert [row["key_id"] for row in world.rows("interactions")] == [secret]
    assert [row["key_id"] for row in world.rows("sessions")] == [secret]
    # its id is the one that people are shown
    shown = Shell(world.driver).json("key", "list", "acme")
    assert {key_id, secret} <= {key["id"] for key in shown}


@pytest.mark.only_whole
def test_messages_and_rows_of_before_name_no_key(world: World) -> None:
    world.response(id="r-1")
    (sent,) = world.driver.messages()
    body = json.loads(sent["body"])
    del body["key_id"]
    assert world.driver.write([{**sent, "body": json.dumps(body)}]) == []
    (row,) = world.rows("responses")
    assert row["key_id"] is None
    # an object without the column at all
    (key,) = world.driver.objects("raw/responses/")
    columns = {name: kind for name, kind in lake.SCORES.raw_columns.items() if name != "key_id"}
    old = encode([{name: row[name] for name in columns}], columns)
    Objects(world.driver.settings.lake_bucket).put(key, old)
    world.driver.build()
    assert world.responses() == 1
    assert world.remove(purge("0" * 12)).removed.total() == 0
    receipt = world.remove(purge(from_us=0))
    assert receipt.shown()["removed"] == {"responses": 1}
    assert receipt.found_again == 0


def test_the_key_is_no_part_of_what_a_row_says(world: World) -> None:
    world.response(id="r-1")
    (sent,) = world.driver.messages()
    bodies = [json.loads(sent["body"]), json.loads(sent["body"])]
    del bodies[1]["key_id"]
    assert world.driver.write([{**sent, "body": json.dumps(body)} for body in bodies]) == []
    assert len({row["content_hash"] for row in world.rows("responses")}) == 1


def test_what_a_key_brought_goes_and_nothing_else(world: World) -> None:
    flooding, key_id = key_of(world)
    world.flood(flooding, "f-1", "f-2")
    world.flood(flooding, "f-3", ago=3)
    world.page(id="by-another-key")
    world.response(id="by-a-server")
    world.interaction(id="T-1")
    world.session(id="s-1")
    world.response(id="theirs", tenant="umbrella")
    world.driver.build()
    assert world.responses() == 5
    before = world.driver.objects("raw/interactions/")
    receipt = world.remove(purge(key_id))
    assert world.ids() == (["by-a-server", "by-another-key", "theirs"], ["T-1"])
    assert (world.responses(), world.responses("umbrella")) == (2, 1)
    shown = receipt.shown()
    assert shown["removed"] == {"responses": 3}
    assert shown["days"] == {"responses": [world.day(3), world.day(1)]}
    assert shown["purged"]["key"] == key_id
    assert shown["found_again"] == 0
    assert world.driver.objects("raw/interactions/") == before
    # the days' old runs go a day later
    texts = {key: text for key, text in world.texts().items() if not key.startswith("daily/")}
    assert not [key for key, text in texts.items() if "agent-f-" in text]
    assert world.remove(purge(key_id)).removed.total() == 0
    world.check()


@pytest.mark.only_whole
def test_what_came_in_a_time_goes_from_every_stream_or_from_one(world: World) -> None:
    def bring(n: int) -> None:
        world.response(id=f"r-{n}")
        world.interaction(id=f"T-{n}")
        world.session(id=f"s-{n}")

    bring(1)
    world.now += timedelta(hours=1)
    start = days.now_us()
    bring(2)
    end = days.now_us()
    bring(3)
    world.driver.build()
    receipt = world.remove(purge(from_us=start, to_us=end, streams=("sessions",)))
    assert receipt.shown()["removed"] == {"sessions": 1}
    assert sorted(row["session_id"] for row in world.rows("sessions")) == ["s-1", "s-3"]
    assert world.ids() == (["r-1", "r-2", "r-3"], ["T-1", "T-2", "T-3"])
    receipt = world.remove(purge(from_us=start, to_us=end))
    assert receipt.shown()["removed"] == {"interactions": 1, "responses": 1}
    assert world.ids() == (["r-1", "r-3"], ["T-1", "T-3"])
    # the moment it ends at is no longer part of it, and the key narrows it down
    _, other = key_of(world)
    assert world.remove(purge(other, from_us=0)).removed.total() == 0
    world.check()


def test_what_is_queued_dead_or_set_aside_goes_too_and_what_comes_later_stays(
    world: World,
) -> None:
    flooding, key_id = key_of(world)
    world.flood(flooding, "queued")
    queued = world.driver.messages()
    brought = {"key_kind": "publishable", "key_id": key_id}
    bad = answer("bad", score="nine")
    unreadable = record(message(world, "responses", bad, **brought))
    assert world.driver.write([unreadable, record(message(world, "responses", bad))]) == []
    dead(world, message(world, "responses", answer("dead-1"), answer("dead-2"), **brought))
    dead(world, message(world, "responses", answer("left"), key_id="0" * 12))
    dead(world, message(world, "responses", answer("x"), tenant="umbrella", **brought))
    dead(world, "no message")
    world.pass_by()
    receipt = world.remove(purge(key_id))
    assert (receipt.quarantine_lines, receipt.dead_letters_removed) == (1, 1)
    assert receipt.shown()["removed"] == {"responses": 2}
    left = [
        item["response_id"] for body, _ in dead_letters_that_are(world) for item in body["items"]
    ]
    assert sorted(left) == ["left", "x"]
    assert world.driver.write([*queued, unreadable]) == []
    assert world.ids()[0] == []
    (lines,) = [world.driver.read(key) for key in world.driver.objects("quarantine/")]
    assert lines.count(b"\n") == 1
    world.flood(flooding, "later")
    world.driver.build()
    assert world.ids()[0] == ["later"]


def dead_letters_that_are(world: World) -> list[tuple[Item, dict[str, str]]]:
    """Dead letters that are messages; what is none is taken off."""
    url = world.driver.deployment.outputs["DeadLetterQueueUrl"]
    queue.mend(url, lambda body: body if body.startswith("{") else None)
    return dead_letters(world)


@pytest.mark.only_whole
def test_a_purge_that_names_no_end_ends_now(world: World) -> None:
    start = days.now_us()
    world.response(id="r-1")
    wanted = purge(from_us=start, to_us=days.now_us() + days.DAY)
    world.pass_by()
    world.response(id="r-2")
    world.driver.build()
    world.remove(wanted)
    assert world.ids()[0] == ["r-2"]


@pytest.mark.only_whole
def test_exports_of_what_was_purged_are_withdrawn(world: World) -> None:
    flooding, key_id = key_of(world)
    world.flood(flooding, "f-1")
    world.response(5, id="r-1")
    world.driver.build()
    asked = {"stream": "responses", "start_date": world.day(9)}
    holding = world.driver.export("acme", **asked, end_date=world.day(0))
    clean = world.driver.export("acme", **asked, end_date=world.day(5))
    world.pass_by()
    receipt = world.remove(purge(key_id))
    assert receipt.exports_withdrawn == [holding["id"]]
    kept = {key.split("/")[2] for key in world.driver.objects("exports/")}
    assert kept == {f"export={clean['id']}"}


def test_what_was_purged_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    flooding, key_id = key_of(world)
    world.flood(flooding, "f-1", "f-2")
    world.response(id="r-1")
    world.driver.build()
    world.now += timedelta(minutes=10)
    counted = Counter({"ResponsesAccepted": 3})
    monkeypatch.setattr(
        metrics,
        "sums",
        lambda space, names, start, end, *, period_s: {
            name: counted[name] * (period_s == 60 and start < end) for name in names
        },
    )
    outputs = StackOutputs.of("pulse")

    def found() -> str:
        (responses, *_) = events_conserved(outputs)
        return responses.state

    assert found() == "ok"

    def fail() -> None:
        raise BuildCheckError("some day of another tenant cannot be built")

    with pytest.raises(BuildCheckError):
        world.stage.run(purge(key_id), rebuild=fail)
    world.now += timedelta(minutes=10)
    assert found() == "ok"
    world.remove(purge(key_id))
    world.now += timedelta(minutes=10)
    assert found() == "ok"
    told = [json.loads(world.driver.read(key)) for key in world.driver.objects("erasures/")]
    assert [(one["removed"], one["found_again"]) for one in told] == [
        ({"responses": 2}, None),
        ({}, 0),
    ]
    for key in world.driver.objects("erasures/"):
        Objects(world.driver.settings.lake_bucket).delete([key])
    assert found() == "failed"


@pytest.mark.only_whole
def test_what_a_purge_has_removed_that_died_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    flooding, key_id = key_of(world)
    world.flood(flooding, "f-1", "f-2")
    world.response(id="r-1")
    world.driver.build()
    world.now += timedelta(minutes=10)

    def sums(
        space: str, names: Sequence[str], start: datetime, end: datetime, *, period_s: int
    ) -> dict[str, int]:
        counts = period_s == 60 and start < end
        return {name: 3 * (counts and name == "ResponsesAccepted") for name in names}

    monkeypatch.setattr(metrics, "sums", sums)
    outputs = StackOutputs.of("pulse")

    def die() -> None:
        assert world.ids()[0] == ["r-1"]
        raise InterruptedError

    world.meanwhile = [die]
    with pytest.raises(InterruptedError):
        world.remove(purge(key_id))
    assert events_conserved(outputs)[0].state == "ok"
    assert world.remove(purge(key_id)).removed.total() == 0
    assert events_conserved(outputs)[0].state == "ok"


def test_reports_are_built_though_some_day_cannot_be(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def build_daily(settings: BuildDailySettings) -> None:
        raise AthenaError("2026-09-10: bigint overflow")

    monkeypatch.setattr(building, "build_daily", build_daily)
    monkeypatch.setattr(building, "build_reports", lambda settings: done.append("reports"))
    with pytest.raises(FailedError, match="overflow"):
        building.rebuild(world.driver.settings)
    assert done == ["reports"]


@dataclass(frozen=True)
class Plain(RowSearch):
    """Finds the same without Athena, which takes most of a run's time."""

    objects: Objects

    def rows(self, sought: Sought, stream: str) -> Counter[date]:
        found: Counter[date] = Counter()
        for key in self.objects.keys(f"raw/{stream}/"):
            body = pa.BufferReader(self.objects.get(key))
            for row in ParquetFile(body).read().to_pylist():
                if row["key_id"] == sought.erasure.brought.key_id:  # type: ignore[union-attr]
                    found[date.fromisoformat(key.split("/")[2].removeprefix("dt="))] += 1
        return found


@pytest.mark.only_whole
def test_a_purge_may_die_after_any_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_HIDDEN_S", 0)
    objects = Objects(world.driver.settings.lake_bucket)
    ledger = Ledger(world.driver.settings.table)
    calls = AwsCalls(monkeypatch)
    cuts = [999]  # the first run is not cut, and tells which of the calls change anything
    for number, cut in enumerate(cuts):
        key_id = f"{number:012x}"
        brought = {"key_kind": "publishable", "key_id": key_id}
        forget_erasures(world.driver)
        letters = (
            message(world, "responses", answer("gone"), answer("gone-bad", score=""), **brought),
            message(world, "responses", answer("other")),
        )
        assert world.driver.write([record(letter) for letter in letters]) == []
        dead(world, message(world, "responses", answer("dead"), **brought))
        world.pass_by()
        built = {d: entry.version for d, entry in ledger.entries("responses").items()}
        stage = replace(world.stage, search=Plain(ledger, world.stage.search.athena, objects))

        def run(stage: Erase = stage, key_id: str = key_id) -> None:
            stage.run(purge(key_id), rebuild=lambda: None)

        if calls.run(run, kill_after=cut):
            assert cut == cuts[0]
            assert len(calls.changing) >= 10
            cuts += calls.changing
        world.now += timedelta(minutes=16)  # the lease of the dead one has ended
        run()
        held = [k for k, text in world.texts().items() if f"'{key_id}'" in text or "gone" in text]
        assert not held, cut
        assert world.ids()[0] == ["other"]
        assert dead_letters(world) == []
        after = {d: entry.version for d, entry in ledger.entries("responses").items()}
        assert all(after[day] > built[day] for day in after), cut
        # what is queued still is left out, whatever the run that died had stored
        assert world.driver.write([record(letters[0])]) == []
        assert world.ids()[0] == ["other"]
    world.rebuild()
    assert world.responses() == 1
    world.check()


def test_a_purge_is_remembered_as_it_was_asked_for(world: World) -> None:
    asked = purge("0" * 12, from_us=5, streams=("sessions",))
    Erasures(world.driver.settings.table).add(asked.erasure)
    known = Erasures(world.driver.settings.table).tombstones()
    assert list(known.purges()) == [("acme", asked.brought)]
    (unfinished,) = Erasures(world.driver.settings.table).unfinished("acme", asked.identity_hash)
    assert unfinished == asked.erasure


def spoil(world: World, body: bytes) -> str:
    """An object among those of the day before last that cannot be read; its key."""
    key = lake.raw_key("responses", date.fromisoformat(world.day(1)), lake.ulid())
    Objects(world.driver.settings.lake_bucket).put(key, body)
    return key


def test_where_athena_cannot_look_nothing_is_removed_and_the_error_says_what_to_do(
    world: World,
) -> None:
    world.page(id="r-1")
    world.driver.build()
    key = spoil(world, b"no Parquet")
    with pytest.raises(AthenaError, match=f"{key}.*pulse check.*run this again"):
        world.stage.preview(purge(from_us=0))
    with pytest.raises(AthenaError, match=f"{key}.*pulse check.*run this again"):
        world.remove(purge(from_us=0))


@pytest.mark.only_whole
def test_an_object_that_athena_can_read_and_a_purge_cannot_is_named(world: World) -> None:
    flooding, key_id = key_of(world)
    world.flood(flooding, "f-1")
    world.driver.build()
    rows = {"tenant": ["acme"], "received_us": [0], "comment": [{"of": "another kind"}]}
    sink = pa.BufferOutputStream()
    write_table(pa.table(rows), sink, compression=lake.CODEC)
    key = spoil(world, sink.getvalue().to_pybytes())
    with pytest.raises(BuildCheckError, match=f"{key} cannot be read .*restore .*run this again"):
        world.remove(purge(key_id))
    Objects(world.driver.settings.lake_bucket).delete([key])
    spoil(world, b"")  # no row is in it
    world.remove(purge(key_id))
    left = [world.driver.read(key) for key in world.driver.objects("raw/responses/")]
    assert not any(decode(body, lake.SCORES.raw_columns).num_rows for body in left if body)


def test_compaction_leaves_out_what_was_purged(world: World) -> None:
    flooding, key_id = key_of(world)
    for number in range(8):
        world.flood(flooding, f"f-{number}", ago=9)
        world.response(9, id=f"r-{number}")
        world.driver.write()
    Erasures(world.driver.settings.table).add(purge(key_id).erasure)
    assert world.driver.compact().compacted
    world.now += timedelta(days=2)
    world.driver.housekeep()
    assert world.ids()[0] == [f"r-{number}" for number in range(8)]
    (key,) = world.driver.objects("raw/responses/")
    assert decode(world.driver.read(key), lake.SCORES.raw_columns).num_rows == 8


# -- the command


@pytest.mark.only_whole
def test_the_command_purges_and_prints_the_receipt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Erase.from_settings
    monkeypatch.setattr(Erase, "from_settings", lambda *given: replace(made(*given), settle_s=0))
    shell = Shell(world.driver)
    flooding, key_id = key_of(world)
    world.flood(flooding, "f-1", "f-2")
    world.response(id="r-1")
    world.driver.build()
    world.pass_by()
    names = ("purge", "--tenant", "acme", "--key", key_id)
    before = world.driver.objects("raw/")
    planned = shell.json(*names, "--dry-run")
    assert (planned["removed"], planned["receipt"]) == ({"responses": 2}, None)
    assert world.driver.objects("raw/") == before
    done = shell.run(*names)
    assert "responses removed" in done.stdout
    assert key_id in done.stdout
    assert "key revoke" in done.stderr
    assert world.ids()[0] == ["r-1"]
    again = shell.json(*names, "--received-from", world.day(0), "--stream", "responses")
    assert (again["removed"], again["found_again"]) == ({}, 0)
    assert again["purged"] == {
        "key": key_id,
        "received_from": f"{world.day(0)}T00:00:00Z",
        "received_to": again["erased_at"],
        "streams": ["responses"],
    }
    shell.json("purge", "--tenant", "acme", "--received-from", f"{world.day(0)}T11:00")
    assert world.ids()[0] == []


@pytest.mark.parametrize(
    "wrong",
    [
        ("--tenant", "acme"),
        ("--tenant", "acme", "--stream", "responses"),
        ("--tenant", "nobody", "--key", "0" * 12),
        ("--tenant", "acme", "--key", "sk_secret"),
        ("--tenant", "acme", "--received-from", "yesterday"),
        ("--tenant", "acme", "--received-from", "2026-11-20", "--received-to", "2026-11-19"),
        ("--tenant", "acme", "--received-from", "2027-01-01"),
        ("--tenant", "acme", "--key", "0" * 12, "--stream", "answers"),
    ],
)
def test_what_says_too_little_or_nothing_is_refused(world: World, wrong: tuple[str, ...]) -> None:
    before = world.driver.objects("")
    Shell(world.driver).run("purge", *wrong, code=2)
    assert world.driver.objects("") == before
