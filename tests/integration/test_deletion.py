"""`pulse tenant delete` leaves nothing of the tenant, and everything of others."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulse import days, lake
from pulse.erasure import deletion
from pulse.erasure.erase import Erase
from pulse.store import queue
from pulse.store.clients import client
from pulse.store.finance import Finance
from pulse.store.objects import Objects
from pulse.tenants.rules import Rule
from tests.aws_calls import AwsCalls
from tests.eraser import (
    World,
    answer,
    dead,
    dead_letters,
    message,
    record,
    start_anew,
    update,
)
from tests.shell import Shell


def delete(world: World, *, with_finance: bool = False) -> Any:
    def rebuild() -> None:
        world.driver.build_daily()

    key, receipt = world.deletion.run(world.acme, with_finance=with_finance, rebuild=rebuild)
    world.driver.build_reports()
    world.driver.forget()
    assert json.loads(world.driver.read(key)) == receipt
    return receipt


def fill(world: World) -> None:
    """Everything that a tenant may have, of two tenants, beside each other in shared objects."""
    money = {"amount": "10.00", "currency": "EUR"}
    for tenant in ("acme", "umbrella"):
        world.response(1, id="r-1", tenant=tenant, agent_id="mia", agent_name="Mia")
        world.interaction(2, id="T-1", tenant=tenant, agent_id="mia", revenue=money)
        world.session(1, id="s-1", tenant=tenant)
    world.driver.build()
    world.driver.export_revenue()
    for tenant in ("acme", "umbrella"):
        asked = {"stream": "responses", "start_date": world.day(9), "end_date": world.day(0)}
        assert world.driver.export(tenant, **asked)["state"] == "done"
        bad = message(world, "responses", answer("bad", score="nine"), tenant=tenant)
        nowhere = message(world, "nowhere", answer("bad"), tenant=tenant)
        world.driver.write([record(bad), record(nowhere)])
        dead(world, message(world, "interactions", update("dead"), tenant=tenant))
    world.pass_by()


def everything_of(world: World, tenant: str) -> dict[str, str]:
    """What tells of the tenant, in the table and in the lake, older versions too.

    Left out are results of statements, which count its events or name objects, for a week.
    """
    found = {}
    for item in client("dynamodb").scan(TableName=world.driver.settings.table)["Items"]:
        place = f"{item['pk']['S']} {item['sk']['S']}"
        if tenant in json.dumps(item):
            found[place] = json.dumps(item)
    for key, text in world.texts().items():
        if not key.startswith("athena/") and (tenant in key or tenant in text):
            found[key] = text
    return found


def test_nothing_of_the_tenant_is_left_and_all_of_the_others(world: World) -> None:
    fill(world)
    theirs = world.driver.report("umbrella", "daily", "preset=all_time")["totals"]
    finance = Objects(world.driver.deployment.outputs["FinanceBucket"])
    booked = finance.etags("")
    secret = world.driver.key("acme", "secret")
    reports = [key for key in world.driver.objects("reports/") if "tenant=acme/" in key]
    assert {key.split("/")[1] for key in reports} >= {"scores", "interactions", "sessions"}
    receipt = delete(world)

    left = everything_of(world, "acme")
    old_runs = {key for key in left if key.startswith("daily/")}
    orders = {place for place in left if place.startswith("ERASURES ")}
    of_receipts = {place for place in left if place.startswith("erasures/")}
    assert set(left) - old_runs - orders - of_receipts == {"FINANCE acme"}
    assert len(orders) == 2
    assert len(world.driver.objects("erasures/")) == 1
    # days that were replaced go as they always do
    world.now += timedelta(days=2)
    world.driver.housekeep()
    assert not [key for key in everything_of(world, "acme") if key.startswith("daily/")]

    assert receipt["removed"] == {"responses": 1, "interactions": 2, "sessions": 1}
    assert receipt["tenant_deleted"] == {
        "keys_revoked": 1,
        "exports": 1,
        "report_objects": len(reports),
        "names": 1,
        "imports": 0,
        "surveys": 1,
        "keys": 1,
        "finance_files": 0,
    }
    assert (receipt["found_again"], receipt["quarantine_lines"]) == (0, 2)
    assert finance.etags("") == booked
    assert "Waiting 60 s until its keys are forgotten …" in world.said

    assert world.driver.call("POST", "/v1/batch/responses", key=secret, body="{}").status == 401
    assert [body["tenant"] for body, _ in dead_letters(world)] == ["umbrella"]
    assert world.driver.report("umbrella", "daily", "preset=all_time")["totals"] == theirs
    assert [row["tenant"] for row in world.rows("sessions")] == ["umbrella"]
    key = world.driver.key("umbrella", "secret")
    assert len(world.driver.objects("exports/")) == 1
    assert world.driver.call("GET", "/v1/surveys/email", key=key).status == 403
    lines = "".join(world.driver.read(k).decode() for k in world.driver.objects("quarantine/"))
    assert lines.count("umbrella") == 2
    assert world.driver.tenants.get("acme") is None
    world.check()


@pytest.mark.only_whole
def test_what_is_queued_still_or_comes_again_is_left_out_and_not_set_aside(world: World) -> None:
    world.response(id="r-1")
    world.interaction(id="T-1")
    queued = world.driver.messages()
    assert world.driver.write(queued) == []
    world.pass_by()
    delete(world)
    world.driver.forget()
    assert world.driver.write(queued) == []
    assert world.ids() == ([], [])
    assert world.driver.objects("quarantine/") == {}
    # the id may be given again; who comes then is somebody else
    Finance(world.driver.settings.table).remove("acme")
    world.driver.tenant("acme", "UTC")
    world.driver.keys.clear()
    world.interaction(id="T-2")
    assert world.driver.write(queued) == []
    world.driver.build()
    assert world.ids() == ([], ["T-2"])


def test_revenue_that_was_booked_is_not_adjusted(world: World) -> None:
    world.now = datetime(2026, 10, 30, 12, tzinfo=UTC)
    money = {"amount": "10.00", "currency": "EUR"}
    world.interaction(id="T-1", revenue=money, entered_at="2026-10-29T09:00:00Z")
    world.driver.build()
    world.now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    world.driver.export_revenue()
    finance = Objects(world.driver.deployment.outputs["FinanceBucket"])
    booked = finance.etags("")
    assert booked

    def export() -> None:
        world.driver.build_reports()
        world.driver.export_revenue()

    world.meanwhile = [export, export]  # a builder may well be at work
    delete(world)
    world.driver.export_revenue()
    assert finance.etags("") == booked
    shell = Shell(world.driver)
    assert "another id" in shell.run("tenant", "create", "acme", code=1).stderr
    assert world.driver.tenants.get("acme") is None


@pytest.mark.only_whole
def test_with_finance_its_files_go_for_good_and_the_id_is_free(world: World) -> None:
    fill(world)
    receipt = delete(world, with_finance=True)
    finance = Objects(world.driver.deployment.outputs["FinanceBucket"])
    assert receipt["tenant_deleted"]["finance_files"] >= 3
    assert list(finance.versions(lake.finance_prefix("acme"))) == []
    assert list(finance.keys(lake.finance_prefix("umbrella")))
    Shell(world.driver).run("tenant", "create", "acme")


@pytest.mark.only_whole
def test_a_tenant_of_the_same_id_has_nothing_of_the_one_before(world: World) -> None:
    """A process that has written for the earlier tenant does not use what it knows of its days."""

    def rebuild() -> None:  # no process starts anew for it
        world.driver.build_daily()

    fill(world)
    world.deletion.run(world.acme, with_finance=True, rebuild=rebuild)
    world.now += timedelta(minutes=1)
    world.driver.tenant("acme", "Asia/Tokyo")
    world.driver.survey("acme", "email", Rule.make("nps", 0, 10))
    world.driver.keys.clear()
    at = f"{world.day(1)}T20:00:00Z"
    item = {"survey_id": "email", "score": 9, "answered_at": at, "response_id": "new"}
    assert world.driver.post("acme", [item]).status == 202
    world.driver.build()
    (key,) = [k for k in world.driver.objects("raw/responses/") if f"dt={world.day(0)}" in k]
    assert b"new" in world.driver.read(key)
    assert world.acme.started
    assert world.responses() == 1
    assert world.driver.export("acme", stream="responses", start_date=world.day(9),
                               end_date=world.day(0))["rows"] == 1  # fmt: skip
    world.check()


def test_somebody_who_exports_its_revenue_is_waited_for(world: World) -> None:
    finance = Finance(world.driver.settings.table)
    lease = finance.take("acme", "an exporter", days.now_us() + 900 * days.SECOND)
    assert lease
    world.meanwhile = [lambda: finance.give_back(lease, {})]
    delete(world)
    assert "Waiting until its revenue has been exported …" in world.said
    assert finance.is_closed("acme")


@pytest.mark.only_whole
def test_who_deletes_may_die_after_any_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_HIDDEN_S", 0)
    monkeypatch.setattr(Erase, "_count", lambda erase, sought: 0)  # Athena takes most of the time
    monkeypatch.setattr(deletion, "REMEMBERED_US", 0)
    calls = AwsCalls(monkeypatch)
    cuts = [999]
    for cut in cuts:
        start_anew(world.driver)
        world.response(id="r-1", agent_id="mia", agent_name="Mia")
        world.response(id="r-1", tenant="umbrella")
        world.driver.write()
        letter = message(world, "responses", answer("dead"))
        dead(world, letter)
        world.driver.write([record(message(world, "responses", answer("bad", score="")))])
        for dataset in lake.DATASETS:
            key = lake.part_key(dataset, "acme", 2026, lake.ulid(), "cube")
            Objects(world.driver.settings.lake_bucket).put(key, b"acme")
        world.pass_by()

        def run() -> None:
            world.deletion.run(world.acme, with_finance=True, rebuild=lambda: None)

        if calls.run(run, kill_after=cut):
            assert cut == cuts[0]
            assert len(calls.changing[::2]) >= 10
            cuts += calls.changing
        world.pass_by()
        world.now += timedelta(minutes=16)
        if world.driver.tenants.get("acme"):
            run()
        left = everything_of(world, "acme")
        assert all(place.startswith(("ERASURES ", "erasures/")) for place in left), (cut, set(left))
        assert any(place.startswith("erasures/") for place in left)
        assert dead_letters(world) == []
        assert [row["tenant"] for row in world.rows("responses")] == ["umbrella"]
        assert world.driver.write([record(letter)]) == []
        assert [row["tenant"] for row in world.rows("responses")] == ["umbrella"]


# -- the command


@pytest.mark.only_whole
def test_the_command_wants_the_id_again_and_prints_the_receipt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Erase.from_settings
    monkeypatch.setattr(
        Erase,
        "from_settings",
        lambda *given: replace(made(*given), settle_s=0, pause=lambda seconds: None),
    )
    fill(world)
    shell = Shell(world.driver)
    before = world.driver.objects("raw/"), everything_of(world, "acme").keys()
    for confirmed in ((), ("--yes",), ("--yes", "umbrella"), ("--yes", "ACME")):
        shell.run("tenant", "delete", "acme", *confirmed, code=2)
    shell.run("tenant", "delete", "nobody", "--yes", "nobody", code=2)
    planned = shell.json("tenant", "delete", "acme", "--dry-run")
    assert (world.driver.objects("raw/"), everything_of(world, "acme").keys()) == before
    assert planned["receipt"] is None
    done = shell.json("tenant", "delete", "acme", "--yes", "acme")
    assert done["removed"] == planned["removed"]
    assert done["tenant_deleted"] == planned["tenant_deleted"]
    assert world.driver.objects(done["receipt"])
    assert [one["id"] for one in shell.json("tenant", "list")] == ["umbrella"]
    world.driver.forget()
    assert world.responses("umbrella") == 1
