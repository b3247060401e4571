"""`pulse erase` withdraws exports and results that may hold the person."""

import json
from math import inf

import pytest

from pulse import days, lake
from pulse.export_orders import LEASE_US
from pulse.raw.parquet import encode
from pulse.sql import statement
from pulse.store.athena import Athena
from pulse.store.exports import Exports
from pulse.store.objects import Objects
from tests.eraser import GONE, OTHER, TODAY, World

pytestmark = pytest.mark.only_whole


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
