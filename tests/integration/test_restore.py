"""Follows the section "Restore" of docs/operations.md step by step on the embedded stack."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pulse import lake
from pulse.erasure import deletion
from pulse.raw import parquet
from pulse.store.clients import client
from pulse.store.finance import Finance
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.tenants.keys import sha256
from pulse.tenants.rules import Rule
from tests.aws_calls import AwsCalls
from tests.eraser import GONE, OTHER, World, start_anew
from tests.past_days import meanwhile
from tests.shell import Shell

pytestmark = pytest.mark.only_whole

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
COPY = "pulse-before"


@pytest.fixture
def shell(world: World) -> Shell:
    return Shell(world.driver)


def lake_of(world: World) -> Objects:
    return Objects(world.driver.settings.lake_bucket)


def keys_with(world: World, text: str) -> list[str]:
    return [k for k in world.driver.objects("raw/") if text.encode() in world.driver.read(k)]


def restore(world: World, shell: Shell, *more: str, code: int = 0) -> Any:
    found = shell.json(
        "restore", "raw", "--start", world.day(30), "--end", world.day(0), *more, code=code
    )
    world.driver.forget()
    return found


def steps(title: str) -> list[list[str]]:
    """The commands of `pulse` that a section of docs/operations.md gives, as they stand there."""
    text = OPERATIONS.read_text()
    section = re.search(rf"^## {title}\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert section
    commands = re.findall(r"^pulse (.*?)(?:  .*)?$", section[1], re.MULTILINE)
    return [command.removesuffix(" --stack NAME").split() for command in commands]


# -- raw


def test_a_lost_object_of_raw_comes_back_as_the_section_says(world: World, shell: Shell) -> None:
    for number in range(3):
        world.response(1, id=f"r-{number}")
        world.driver.write()
    world.interaction(1, id="T-1")
    world.driver.build()
    before = world.ids(), world.responses()
    (lost,) = keys_with(world, "r-1")
    lake_of(world).delete([lost, *world.driver.objects("raw/interactions/")])
    world.pass_by()
    assert any(not result["ok"] for result in shell.json("check", code=1))
    followed = steps("Restore")
    assert followed[:3] == [
        ["restore", "raw", "--start", "2026-11-18", "--end", "2026-11-20", "--dry-run"],
        ["restore", "raw", "--start", "2026-11-18", "--end", "2026-11-20"],
        ["check"],
    ]
    planned = shell.json(*followed[0])
    assert sorted((one["stream"], one["rows"]) for one in planned["restored"]) == [
        ("interactions", 1),
        ("responses", 1),
    ]
    assert keys_with(world, "r-1") == []
    shell.run(*followed[1])
    world.driver.forget()
    assert (world.ids(), world.responses()) == before
    shell.run(*followed[2], code=None)
    world.check()
    assert shell.json(*followed[1])["restored"] == []
    assert (world.ids(), world.responses()) == before


def test_a_spoilt_object_is_replaced_by_the_last_version_that_can_be_read(
    world: World, shell: Shell
) -> None:
    world.response(1, id="r-1")
    world.driver.build()
    (key,) = world.driver.objects("raw/responses/")
    objects = lake_of(world)
    objects.put(key, b"PAR1 spoilt")
    objects.put(key, b"spoilt once more")
    beyond = lake.raw_key("responses", date.fromisoformat(world.day(1)), lake.ulid())
    objects.put(beyond, b"never anything else")
    world.pass_by()
    told = restore(world, shell, "--dry-run", code=1)
    assert told["unreadable"] == [beyond]
    objects.delete([beyond])
    restored = restore(world, shell)["restored"]
    assert [one["key"] for one in restored] == [key]
    assert world.ids()[0] == ["r-1"]
    world.check()


def test_an_object_that_lost_rows_gets_them_beside_it(world: World, shell: Shell) -> None:
    world.response(1, id="r-1")
    world.response(1, id="r-2")
    world.driver.build()
    (key,) = world.driver.objects("raw/responses/")
    objects = lake_of(world)
    whole = objects.get(key)
    world.response(1, id="r-3")
    world.driver.write()
    (other,) = keys_with(world, "r-3")
    objects.put(key, objects.get(other))
    objects.put(other, whole)
    objects.delete([other])
    world.pass_by()
    assert world.ids()[0] == ["r-3"]
    restore(world, shell)
    assert sorted(set(world.ids()[0])) == ["r-1", "r-2", "r-3"]
    assert world.responses() == 3
    world.check()


def test_who_was_erased_does_not_come_back_nor_what_was_purged_or_compacted(
    world: World, shell: Shell
) -> None:
    for number in range(8):
        world.response(9, id=f"r-{number}", customer_id=OTHER)
        world.response(9, id=f"gone-{number}", customer_id=GONE)
        world.driver.write()
    (lost,) = keys_with(world, "gone-7")
    body = lake_of(world).get(lost)
    world.driver.build()
    world.pass_by()
    world.erase()
    # an object that was lost before, and whose version the eraser has not seen
    unseen = lake.raw_key("responses", date.fromisoformat(world.day(9)), lake.ulid())
    lake_of(world).put(unseen, body)
    lake_of(world).delete([unseen])
    assert restore(world, shell)["restored"] == []
    world.driver.compact()
    world.now += timedelta(days=2)
    world.driver.housekeep()
    assert len(world.driver.objects("raw/responses/")) == 1
    assert lake_of(world).older_versions("raw/")  # for a week, of what was compacted
    assert restore(world, shell)["restored"] == []
    assert world.ids()[0] == [f"r-{number}" for number in range(8)]
    # what was compacted can be lost, too
    lake_of(world).delete(list(world.driver.objects("raw/responses/")))
    restore(world, shell)
    assert world.ids()[0] == [f"r-{number}" for number in range(8)]
    assert world.holders(GONE) == [f for f in world.holders(GONE) if unseen in f]
    world.check()


def test_who_is_erased_while_their_day_is_restored_does_not_come_back(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The eraser finds nothing of the person on that day, and so does not wait for it."""
    world.response(1, id="gone", customer_id=GONE)
    world.driver.write()
    world.response(1, id="other", customer_id=OTHER)
    world.driver.build()
    lake_of(world).delete(list(world.driver.objects("raw/responses/")))
    world.pass_by()
    meanwhile(monkeypatch, Objects, "get_version", world.erase)
    restore(world, shell)
    assert world.ids()[0] == ["other"]
    world.check()


def test_a_row_that_two_lost_objects_held_comes_back_once(world: World, shell: Shell) -> None:
    world.response(1, id="r-1")
    world.response(1, id="r-2")
    world.driver.write()
    (both,) = world.driver.objects("raw/responses/")
    rows = parquet.decode(lake_of(world).get(both), lake.SCORES.raw_columns)
    one = lake.raw_key("responses", date.fromisoformat(world.day(1)), "0" * 26)
    lake_of(world).put(one, parquet.encode_table(rows.slice(0, 1)))
    lake_of(world).delete([one, both])
    assert [part["rows"] for part in restore(world, shell)["restored"]] == [1, 1]
    assert world.ids()[0] == ["r-1", "r-2"]


def test_a_day_that_expired_is_gone_for_good(world: World, shell: Shell) -> None:
    world.response(3, id="r-1")
    world.driver.build()
    ledger, day = Ledger(world.driver.settings.table), date.fromisoformat(world.day(3))
    assert ledger.expire("responses", day, 1)
    world.driver.housekeep()
    assert list(lake_of(world).versions("raw/responses/")) == []
    version = ledger.entries("responses")[day].version
    assert restore(world, shell)["restored"] == []
    assert ledger.entries("responses")[day].version == version


def test_who_restores_may_die_after_any_call(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pulse.raw.restore import RestoreRaw

    calls = AwsCalls(monkeypatch)
    day = date.fromisoformat(world.day(1))
    cuts = [999]
    for cut in cuts:
        start_anew(world.driver)
        world.response(1, id="r-1")
        world.driver.build()
        (key,) = world.driver.objects("raw/responses/")
        lake_of(world).delete([key])
        world.driver.build_daily(day, day)  # somebody built what was left
        stage = RestoreRaw.from_settings(world.driver.settings, world.said.append, lambda _: None)

        def run(stage: RestoreRaw = stage) -> None:
            stage.day(lake.SCORES, day)

        if calls.run(run, kill_after=cut):
            assert cut == cuts[0]
            assert len(calls.changing) >= 3
            cuts += calls.changing
        world.now += timedelta(minutes=16)
        run()
        world.rebuild()
        assert world.ids()[0] == ["r-1"]
        assert world.responses() == 1, cut


# -- the table


def copy_of_the_table(world: World) -> None:
    """What `aws dynamodb restore-table-to-point-in-time` makes, which moto cannot."""
    dynamodb, table = client("dynamodb"), world.driver.settings.table
    described = dynamodb.describe_table(TableName=table)["Table"]
    if COPY in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=COPY)
    dynamodb.create_table(
        TableName=COPY,
        AttributeDefinitions=described["AttributeDefinitions"],
        KeySchema=described["KeySchema"],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.put_item(TableName=COPY, Item=item)


def spoil(world: World, *partitions: str) -> None:
    """Delete every record of these partitions, by the beginnings of their keys."""
    dynamodb, table = client("dynamodb"), world.driver.settings.table
    for item in dynamodb.scan(TableName=table)["Items"]:
        if item["pk"]["S"].startswith(partitions):
            dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})


def test_a_spoilt_table_comes_back_as_the_section_says(world: World, shell: Shell) -> None:
    world.response(1, id="r-1")
    world.interaction(1, id="T-1", agent_id="mia", agent_name="Mia")
    world.driver.build()
    world.report_key = world.driver.key("acme", "report")  # type: ignore[attr-defined]
    copy_of_the_table(world)
    world.response(1, id="r-2")  # what comes later is not forgotten for it
    world.driver.build()
    before = world.responses()
    spoil(world, "TENANTS", "SURVEYS#", "KEY", "LEDGER#", "NAMES#")
    world.driver.forget()
    followed = [step for step in steps("Restore") if step[:2] == ["restore", "table"]]
    assert len(followed) == 2
    assert followed[0] == [*followed[1], "--dry-run"]
    planned = shell.json(*followed[0])
    assert len(planned["missing"]) > 8
    assert world.driver.tenants.get("acme") is None
    shell.run(*followed[1])
    world.driver.forget()
    shell.run("build")
    world.driver.forget()
    assert world.responses() == before
    key = world.driver.key("acme", "secret")
    assert world.driver.call("GET", "/v1/dimensions/agent", key=key).status == 200
    world.check()
    again = shell.json(*followed[1])
    assert again["missing"] == []


def test_what_has_changed_since_stays_unless_it_is_to_be_replaced(
    world: World, shell: Shell
) -> None:
    copy_of_the_table(world)
    shell.run("tenant", "set", "acme", "name=Spoilt")
    shell.run("tenant", "create", "later")
    names = ("restore", "table", "--from", COPY, "--only", "TENANTS")
    told = shell.json(*names)
    assert (told["missing"], told["changed"]) == ([], [["TENANTS", "acme"]])
    assert shell.json("tenant", "show", "acme")["name"] == "Spoilt"
    shell.run(*names, "--replace", "--dry-run")
    assert shell.json("tenant", "show", "acme")["name"] == "Spoilt"
    shell.run(*names, "--replace")
    assert shell.json("tenant", "show", "acme")["name"] == "Acme"
    assert shell.json("tenant", "show", "later")["id"] == "later"


def test_a_tenant_that_was_deleted_since_does_not_come_back(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in ("acme", "umbrella"):
        world.interaction(1, id="T-1", tenant=tenant, agent_id="mia", agent_name="Mia")
        world.driver.survey(tenant, "phone", Rule.make("nps", 0, 10))
        for key in world.driver.tenants.keys(tenant):
            world.driver.tenants.note_key_use(key, date(2026, 11, 1))
    world.driver.build()
    world.driver.export_revenue()
    copy_of_the_table(world)
    monkeypatch.setattr(deletion, "REMEMBERED_US", 0)
    world.deletion.run(world.acme, with_finance=False, rebuild=world.rebuild)
    spoil(world, "TENANTS", "SURVEYS#", "KEY", "NAMES#")
    world.driver.forget()
    (_, followed) = [step for step in steps("Restore") if step[:2] == ["restore", "table"]]
    told = shell.json(*followed, "--replace")
    world.driver.forget()
    assert told["deleted_since"] == ["acme"]
    assert [tenant.id for tenant in world.driver.tenants.all()] == ["umbrella"]
    assert len(world.driver.tenants.surveys("umbrella")) == 2
    items = client("dynamodb").scan(TableName=world.driver.settings.table)["Items"]
    left = {item["pk"]["S"] for item in items if "acme" in json.dumps(item)}
    assert left == {"ERASURES", "FINANCE"}
    assert Finance(world.driver.settings.table).is_closed("acme")
    digests = {item["sha256"]["S"] for item in items if item["pk"]["S"] == "KEY_IDS"}
    assert digests == {sha256(world.driver.key("umbrella", "secret"))}


@pytest.mark.parametrize("only", ["ERASURES", "E", "COUNTERS", "C", ""])
def test_orders_to_erase_are_never_taken_back(world: World, shell: Shell, only: str) -> None:
    shell.run("restore", "table", "--from", COPY, "--only", only, code=2)
