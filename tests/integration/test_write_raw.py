"""write_raw as SQS meets it: batches through the handler, on moto's table and bucket."""

import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from pyarrow.parquet import ParquetFile

from functions.ingest import app as ingest
from functions.write_raw import app
from pulse import days
from pulse.errors import ConflictError, SettingsError
from pulse.observe import logger
from pulse.raw.zones import Zones
from pulse.store.clients import client
from pulse.store.events import Events
from pulse.store.ledger import Ledger
from pulse.store.names import Names
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant
from tests.account import OPEN_TO_ALL, make_bucket, make_table
from tests.unit.raw.mmdb import database

EVENTS = Path(__file__).parents[2] / "events"
CONTEXT = SimpleNamespace(
    function_name="write_raw",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:write-raw",
    aws_request_id="0dc1c3d8-6a3d-4c3c-8a44-4c7d3f6f3b1e",
)
COUNTRIES = database(
    {"203.0.113.0/24": {"country_code": "DE"}, "2001:db8:1::/48": {"country": {"iso_code": "FR"}}}
)
T0 = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z, where the clock stands

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def lake_objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    """An empty lake beside a table with one tenant in Berlin."""
    with mock_aws():
        make_table()
        make_bucket()
        objects = Objects("lake")
        objects.put("config/test.mmdb", COUNTRIES)
        Tenants("pulse").create(Tenant("demo", "Demo", "Europe/Berlin"))
        monkeypatch.setenv("PULSE_TABLE", "pulse")
        monkeypatch.setenv("PULSE_LAKE_BUCKET", "lake")
        monkeypatch.setenv("PULSE_COUNTRY_DATABASE", "config/test.mmdb")
        monkeypatch.setenv("PULSE_RAW_RETENTION_DAYS", "0")
        monkeypatch.setenv("PULSE_EVENT_SOURCE", "pulse.pulse")
        app.stage.cache_clear()
        yield objects
    app.stage.cache_clear()


# -- messages


def item(n: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "survey": "checkout",
        "metric": "csat",
        "scale": "1-5",
        "response_id": f"r-{n}",
        "answered_us": T0,
        "score": 5,
        "channel": "chat",
        **fields,
    }


def record(
    message_id: str, *items: Any, ip: str | None = None, body: str | None = None, **envelope: Any
) -> dict[str, Any]:
    """One message as Lambda hands it over."""
    message = {
        "v": 1,
        "stream": "responses",
        "tenant": "demo",
        "key_kind": "secret",
        "received_us": T0,
        "request_id": "id",
        "items": items,
        "user_agent": None,
        **envelope,
    }
    attribute = {"client_ip": {"stringValue": ip, "dataType": "String"}} if ip else {}
    return {
        "messageId": message_id,
        "body": json.dumps(message) if body is None else body,
        "attributes": {"SentTimestamp": str(T0 // 1000)},
        "messageAttributes": attribute,
    }


def write(*records: Mapping[str, Any]) -> list[str]:
    """The ids of the messages that failed."""
    reply = app.handler({"Records": list(records)}, CONTEXT)
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


def rows(objects: Objects, prefix: str = "raw/") -> list[dict[str, Any]]:
    found = []
    for key in objects.keys(prefix):
        found += ParquetFile(pa.BufferReader(objects.get(key))).read().to_pylist()
    return found


def aside(objects: Objects) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for key in objects.keys("quarantine/")
        for line in objects.get(key).decode().splitlines()
    ]


def versions(stream: str = "responses") -> dict[date, int]:
    return {day: entry.version for day, entry in Ledger("pulse").entries(stream).items()}


@contextmanager
def refusing(
    operation: str, when: Callable[[Any], bool] = lambda request: True, *, hurried: bool = False
) -> Iterator[None]:
    """Within the block AWS refuses what `when` picks, and has not done it."""
    service, name = operation.split(".")

    def hook(request: Any, **_: object) -> None:
        if when(request):
            raise ClientError({"Error": {"Code": "Refused", "Message": "by the test"}}, name)

    events = client(service, hurried=hurried).meta.events  # the one that the stores use
    events.register_first(f"before-send.{operation}", hook)
    try:
        yield
    finally:
        events.unregister(f"before-send.{operation}", hook)


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
    """Through ingest, the queue and write_raw, with everything that could get lost on the way."""
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


# -- what is set aside


def test_a_row_that_is_wrong_is_set_aside_and_its_neighbours_are_stored(
    lake_objects: Objects,
) -> None:
    bad = item(2, score="five", ip="203.0.113.7")
    assert write(record("a", item(1), bad, "text", item(3))) == []

    assert [row["response_id"] for row in rows(lake_objects)] == ["r-1", "r-3"]
    first, second = aside(lake_objects)
    kept = {name: value for name, value in bad.items() if name != "ip"}
    assert first == {
        "format": 3,
        "reason": "score must be a int",
        "stream": "responses",
        "received": "2026-11-21T12:00:00.000001Z",  # as the item that it is
        "row": {
            "tenant": "demo",
            "key_kind": "secret",
            "key_id": None,
            "user_agent": None,
            "country": first["row"]["country"],
            "item": kept,
        },
    }
    assert (second["reason"], second["row"]["item"]) == ("an item must be an object", "text")


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        ({"tenant": "nobody"}, "there is no tenant 'nobody'"),
        ({"tenant": ""}, "there is no tenant ''"),
        ({"tenant": "../demo"}, "there is no tenant '../demo'"),
        ({"stream": "clicks"}, "there is no stream 'clicks'"),
        ({"v": 0}, "no message: Invalid value 0 - at `$.v`"),
        ({"items": None}, "no message: Expected `array`, got `null` - at `$.items`"),
    ],
)
def test_a_message_that_is_none_of_ours_is_set_aside(
    lake_objects: Objects, envelope: dict[str, Any], reason: str
) -> None:
    assert write(record("a", item(), **envelope)) == []
    (line,) = aside(lake_objects)
    assert line["reason"] == reason
    assert line["message"] == json.loads(record("a", item(), **envelope)["body"])
    assert rows(lake_objects) == []


# -- what comes again


def test_a_message_for_a_newer_version_comes_again_until_it_is_a_dead_letter(
    lake_objects: Objects,
) -> None:
    newer = record("newer", body='{"v": 2, "format": 9, "streams": ["what it says of itself"]}')
    assert write(record("a", item(1)), newer) == ["newer"]
    assert [row["response_id"] for row in rows(lake_objects)] == ["r-1"]
    assert aside(lake_objects) == []


def test_what_a_newer_version_adds_to_a_message_is_passed_over(lake_objects: Objects) -> None:
    more = record("a", item(1, mood="calm"), format=9, mood={"of": "the caller"})
    assert write(more) == []
    assert [row["response_id"] for row in rows(lake_objects)] == ["r-1"]


def test_a_day_that_cannot_be_stored_fails_only_the_messages_that_have_rows_in_it(
    lake_objects: Objects,
) -> None:
    yesterday = T0 - days.DAY
    records = [
        record("today", item(1)),
        record("both", item(2), item(3, answered_us=yesterday)),
        record("yesterday", item(4, answered_us=yesterday)),
    ]
    with refusing("s3.PutObject", lambda request: "2026-11-20" in request.url):
        assert write(*records) == ["both", "yesterday"]
    assert versions() == {date(2026, 11, 21): 1}
    assert sorted(row["response_id"] for row in rows(lake_objects)) == ["r-1", "r-2"]

    assert write(*records[1:]) == []
    assert versions() == {date(2026, 11, 20): 1, date(2026, 11, 21): 2}


def test_an_object_that_the_ledger_does_not_count_fails_its_messages(
    lake_objects: Objects,
) -> None:
    write(record("first", item(1)))
    with refusing("dynamodb.UpdateItem"):
        assert write(record("a", item(2))) == ["a"]
    assert versions() == {date(2026, 11, 21): 1}


def test_a_message_is_not_done_before_its_bad_row_is_set_aside(lake_objects: Objects) -> None:
    with refusing("s3.PutObject", lambda request: "quarantine" in request.url):
        assert write(record("a", item(1), "bad"), record("b", item(2))) == ["a"]
    assert len(rows(lake_objects)) == 2


def test_a_table_that_does_not_answer_fails_the_message_and_sets_nothing_aside(
    lake_objects: Objects,
) -> None:
    with refusing("dynamodb.GetItem"):
        assert write(record("a", item())) == ["a"]
    assert aside(lake_objects) == []
    assert write(record("a", item())) == []


def test_a_name_that_cannot_be_noted_fails_no_message(lake_objects: Objects) -> None:
    named = item(agent="a1", agent_name="Ada")
    with refusing("dynamodb.UpdateItem", hurried=True):
        assert write(record("a", named)) == []
    assert len(rows(lake_objects)) == 1
    assert Names("pulse").agents("demo") == {}
    assert write(record("b", named)) == []
    assert Names("pulse").agents("demo") == {"a1": "Ada"}


# -- the country database


def test_a_country_database_that_is_none_is_an_error_that_names_it(lake_objects: Objects) -> None:
    lake_objects.put("config/test.mmdb", b"not a database")
    with pytest.raises(SettingsError, match=r"s3://lake/config/test\.mmdb"):
        write(record("a", item()))


# -- silence


def test_no_log_line_holds_a_body_an_address_or_a_user_agent(
    lake_objects: Objects, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = io.StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    stream = handler.setStream(lines)
    secret = item(1, comment="a secret", customer="c-4711", ip="203.0.113.7", user_agent="Lynx/2")
    with refusing("s3.PutObject"):
        write(
            record("a", secret, ip="198.51.100.20"),
            record("b", secret | {"score": "a secret"}),
            record("c", body="a secret"),
        )
    with refusing("dynamodb.GetItem"):
        app.stage.cache_clear()
        write(record("d", secret))
    if stream is not None:
        handler.setStream(stream)

    logged = lines.getvalue() + "".join(capsys.readouterr())
    assert "object not stored" in logged
    assert "message not read" in logged
    for told in ("a secret", "c-4711", "203.0.113.7", "198.51.100.20", "Lynx"):
        assert told not in logged
