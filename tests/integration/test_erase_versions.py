"""Erasures remove older versions of objects that hold the person, and no others."""

import hashlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from pyarrow.parquet import ParquetFile, write_table

from pulse import lake
from pulse.finance.check import finance_equals_reports
from pulse.raw.parquet import decode
from pulse.store.objects import Objects
from tests.eraser import GONE, OTHER, TODAY, Item, World, answer, message, record

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


@pytest.mark.only_whole
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


@pytest.mark.only_whole
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


@pytest.mark.only_whole
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


@pytest.mark.only_whole
def test_columns_that_a_newer_version_has_added_stay_in_rewritten_objects(world: World) -> None:
    """An operator has rolled back to this version, and then a customer asks to be erased."""
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
