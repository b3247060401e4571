"""write_raw as SQS calls it: batches to the handler, with moto's table and bucket."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from functions.ingest import app as ingest
from functions.write_raw import app
from pulse import days
from pulse.errors import ConflictError
from pulse.raw.zones import Zones
from pulse.store.clients import client
from pulse.store.events import Events
from pulse.store.names import Names
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant
from tests.account import OPEN_TO_ALL
from tests.raw_messages import CONTEXT, T0, aside, item, record, rows, versions, write

EVENTS = Path(__file__).parents[2] / "events"
pytestmark = pytest.mark.usefixtures("noon")


# -- what is stored


def test_a_batch_with_one_bad_message_stores_the_good_and_sets_the_bad_aside(
    lake_objects: Objects,
) -> None:
    event = json.loads((EVENTS / "write_raw" / "one_bad_message.json").read_text())

    assert app.handler(event, CONTEXT) == {"batchItemFailures": []}

    days_stored = sorted(key.split("/")[2] for key in lake_objects.keys("raw/responses/"))
    assert days_stored == ["dt=2026-11-20", "dt=2026-11-21"]
    assert versions() == {date(2026, 11, 20): 1, date(2026, 11, 21): 1}
    by_id = {row["response_id"]: row for row in rows(lake_objects)}
    assert by_id["01KAK0K2M0QW8E2YV9C7N5T3RB"] == {
        "tenant": "demo",
        "survey": "checkout",
        "metric": "csat",
        "scale": "1-5",
        "response_id": "01KAK0K2M0QW8E2YV9C7N5T3RB",
        "key_kind": "publishable",
        "answered_us": T0,
        "received_us": T0,
        "content_hash": by_id["01KAK0K2M0QW8E2YV9C7N5T3RB"]["content_hash"],
        "score": 5,
        "channel": "external",
        "agent": None,
        "agent_name": None,
        "customer": None,
        "interaction": None,
        "comment": "Très simple, merci 😀",
        "tags": [("page", "/basket")],
        "country": "DE",
        "browser": "Firefox",
        "os": "Linux",
        "device": "desktop",
        **dict.fromkeys(("tag1", "tag2", "tag3", "tag4")),
        "linkable": None,
        "key_id": None,  # the event is one of before
    }
    assert by_id["crm-1003"]["country"] == "FR"
    assert by_id["crm-1003"]["browser"] is None
    assert aside(lake_objects) == [
        {
            "format": 3,
            "reason": "no message: JSON is malformed: invalid character (byte 4)",
            "stream": "unknown",
            "received": "2026-11-21T12:00:00.123000Z",
            "message": "this is no message; it came from [address removed]",
        }
    ]


def test_interactions_and_sessions_are_stored_beside_the_responses(lake_objects: Objects) -> None:
    event = json.loads((EVENTS / "write_raw" / "interactions.json").read_text())

    assert app.handler(event, CONTEXT) == {"batchItemFailures": []}

    assert versions("interactions") == {date(2026, 11, 20): 1, date(2026, 11, 21): 1}
    assert versions("sessions") == {date(2026, 11, 20): 1}
    (mail,) = rows(lake_objects, "raw/interactions/dt=2026-11-20/")
    assert (mail["interaction_id"], mail["replies"], mail["abandoned"]) == ("mail-0815", 1, False)
    started, finished = rows(lake_objects, "raw/interactions/dt=2026-11-21/")
    assert (started["agent"], started["revenue"], started["received_us"]) == ("a-17", None, T0)
    assert (finished["agent"], finished["revenue"]) == (None, Decimal("12.5000"))
    assert finished["satisfaction"] == Decimal("4.5")
    (session,) = rows(lake_objects, "raw/sessions/")
    assert (session["engaged_us"], session["active_us"]) == (19_440_500_000, 27_000_000_000)
    assert Names("pulse").agents("demo") == {"a-17": "Aylin Kaya"}
    assert aside(lake_objects) == []


def test_updates_lie_by_identity_and_version_whatever_their_order(lake_objects: Objects) -> None:
    event = json.loads((EVENTS / "write_raw" / "interactions.json").read_text())
    for records in (event["Records"], event["Records"][::-1]):
        app.handler({"Records": records}, CONTEXT)
    one, other = (
        lake_objects.get(key) for key in lake_objects.keys("raw/interactions/dt=2026-11-21/")
    )
    assert one == other


def test_an_update_that_is_wrong_is_set_aside_under_its_stream(lake_objects: Objects) -> None:
    good = {"interaction_id": "i", "media_type": "sms", "entered_us": T0, "updated_us": T0}
    bad = good | {"revenue": "0.00001", "currency": "EUR"}
    assert write(record("a", good, bad, stream="interactions")) == []
    assert len(rows(lake_objects)) == 1
    (line,) = aside(lake_objects)
    assert (line["stream"], line["row"]["item"]) == ("interactions", bad)
    assert line["reason"] == "revenue must be a decimal(18,4)"
    (key,) = lake_objects.keys("quarantine/")
    assert key.startswith("quarantine/interactions/")


def test_no_byte_of_the_lake_holds_an_address(lake_objects: Objects) -> None:
    event = json.loads((EVENTS / "write_raw" / "one_bad_message.json").read_text())
    broken = item(1, ip="203.0.113.7", score="five")
    app.handler(event, CONTEXT)
    write(record("a", broken), record("b", item(2), ip="203.0.113.7", tenant="nobody"))

    stored = [lake_objects.get(key) for key in lake_objects.keys("") if "config" not in key]
    assert len(stored) >= 4
    for content in stored:
        for address in (b"203.0.113.7", b"2001:db8:1::1", b"198.51.100.20"):
            assert address not in content


def test_messages_of_one_day_share_one_object_in_a_settled_order(lake_objects: Objects) -> None:
    first, second = record("a", item(2), item(1)), record("b", item(3), received_us=T0 - 1)
    assert write(first, second) == []
    assert write(second, first) == []

    one, other = (lake_objects.get(key) for key in lake_objects.keys("raw/"))
    assert one == other
    assert [row["response_id"] for row in rows(lake_objects)][:3] == ["r-1", "r-2", "r-3"]
    assert versions() == {date(2026, 11, 21): 2}


def test_a_message_delivered_twice_gives_equal_rows(lake_objects: Objects) -> None:
    message = record("a", item(1, comment="x"), item(1, comment="y"))
    write(message)
    write(message)
    first, later, *again = rows(lake_objects)
    assert again == [first, later]
    assert (later["comment"], later["received_us"] - first["received_us"]) == ("y", 1)


def test_the_day_is_the_tenants_and_late_events_go_to_their_own_day(lake_objects: Objects) -> None:
    midnight = days.parse_instant("2026-11-01T00:00:00+01:00")
    write(record("a", item(1, answered_us=midnight), item(2, answered_us=midnight - 1)))
    assert versions() == {date(2026, 11, 1): 1, date(2026, 10, 31): 1}


def test_the_first_event_fixes_the_tenants_time_zone(lake_objects: Objects) -> None:
    tenants = Tenants("pulse")
    write(record("a", item()))
    tenant = tenants.get("demo")
    assert tenant is not None
    assert tenant.started
    with pytest.raises(ValueError, match="time zone"):
        tenants.set(tenant, timezone="UTC")


def test_a_tenants_first_events_wake_a_builder_once(
    lake_objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(Events, "announce", lambda self, what: woken.append(what))
    Tenants("pulse").create(Tenant("other", "Other"))
    write(record("a", item(score="seven")))  # which is set aside: there is nothing to build yet
    assert woken == []
    write(record("b", item()))
    assert woken == ["first events written"]
    write(record("c", item()), record("d", item(), tenant="other"))
    write(record("e", item(), tenant="other"))
    assert woken == ["first events written"] * 2


def test_events_are_kept_where_no_builder_can_be_woken(
    lake_objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Events, what: str) -> None:
        raise RuntimeError("refused")

    monkeypatch.setattr(Events, "announce", refuse)
    assert write(record("a", item())) == []


def test_a_zone_that_changes_just_before_the_first_event_is_the_one_used(
    lake_objects: Objects,
) -> None:
    stale = Tenants("pulse").get("demo")
    assert stale is not None
    Tenants("pulse").set(stale, timezone="Asia/Tokyo")

    class Stale(Tenants):
        """Reads once what is no longer true."""

        reads = 0

        def get(self, tenant: str) -> Tenant | None:
            self.reads += 1
            return stale if self.reads == 1 else super().get(tenant)

    assert Zones(Stale("pulse")).of("demo") == "Asia/Tokyo"


def test_a_zone_that_never_rests_is_a_conflict(lake_objects: Objects) -> None:
    class Restless(Tenants):
        def start(self, tenant: Tenant) -> Tenant:
            raise ConflictError("changed")

    with pytest.raises(ConflictError, match="demo"):
        Zones(Restless("pulse")).of("demo")


def test_a_response_keeps_its_text_from_the_page_to_the_lake(
    lake_objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text passes ingest, the queue and write_raw, with all that could get lost on the way."""
    comment = (
        "NUL \x00, bell \x07, DEL \x7f, 😀👩‍👩‍👧, \u2028, bidi \u202e, \ufffe, 漢, \\u0041\r\n"
    )
    queue: str = client("sqs").create_queue(QueueName="pulse")["QueueUrl"]
    monkeypatch.setenv("PULSE_QUEUE_URL", queue)
    for name, value in OPEN_TO_ALL.items():
        monkeypatch.setenv(name, value)
    ingest.stage.cache_clear()
    key = "pk_any"
    Tenants("pulse").add_key(Key(sha256(key), "publishable", "demo", 0))
    Tenants("pulse").put_survey(Survey("demo", "s \x00😀", ((0, Rule.make("csat", 1, 5)),)))
    posted = json.loads((EVENTS / "ingest" / "beacon.json").read_text()) | {
        "rawQueryString": f"key={key}",
        "body": json.dumps(
            {"survey_id": "s \x00😀", "score": 4, "comment": comment, "tags": {comment[:9]: "\x00"}}
        ),
    }
    assert ingest.handler(posted, CONTEXT)["statusCode"] == 202
    (message,) = client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])[
        "Messages"
    ]
    ip = message["MessageAttributes"]["client_ip"]["StringValue"]

    assert write(record("a", body=message["Body"], ip=ip)) == []

    (row,) = rows(lake_objects)
    assert (row["survey"], row["comment"]) == ("s \x00😀", comment)
    assert row["tags"] == [(comment[:9], "\x00")]
    assert (row["browser"], row["os"], row["device"]) == ("Mobile Safari", "iOS", "mobile")
    ingest.stage.cache_clear()
