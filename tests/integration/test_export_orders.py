"""Orders for exports: replies, links, who may order what, and orders that fail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from openapi_schema_validator import OAS31Validator

from functions.order_exports import app
from local.athena.faults import failed, next_executions
from pulse import days
from pulse.documents.openapi import document
from pulse.errors import AthenaError
from pulse.store.clients import client
from pulse.tenants.rules import Rule
from tests.driver import CONTEXT, Driver, running

EVENTS = Path(__file__).parents[2] / "events"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ALL = {"stream": "responses", "start_date": "2026-11-10", "end_date": "2026-11-30"}


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """Two tenants with an answer each."""
    with days.clock(lambda: NOW), running() as driver:
        for tenant in ("acme", "globex"):
            driver.tenant(tenant)
            driver.survey(tenant, "mail", Rule.make("csat", 1, 5))
            answer = {"survey_id": "mail", "score": 4, "answered_at": NOW.isoformat()}
            assert driver.post(tenant, [answer]).status == 202
        driver.build()
        yield driver


@pytest.fixture(autouse=True)
def empty_line(pulse: Driver) -> Iterator[None]:
    """What a test has only ordered is not left for the next to make."""
    yield
    for tenant in ("acme", "globex"):
        place = {"pk": {"S": "EXPORT_LINES"}, "sk": {"S": tenant}}
        client("dynamodb").delete_item(TableName=pulse.settings.table, Key=place)


def order(pulse: Driver, key: str | None = None, **members: Any) -> Any:
    key = key or pulse.key("acme", "secret")
    body = json.dumps({**ALL, **members})
    return pulse.call("POST", "/v1/exports", key=key, body=body)


@contextmanager
def announced() -> Iterator[list[dict[str, Any]]]:
    """What is put on the bus within the block."""
    seen: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        seen.extend(json.loads(params["body"])["Entries"])

    events = client("events", fail_fast=True).meta.events
    events.register("before-call.events.PutEvents", note)
    try:
        yield seen
    finally:
        events.unregister("before-call.events.PutEvents", note)


# -- orders


def test_an_order_is_answered_at_once_and_wakes_its_worker(pulse: Driver) -> None:
    event = json.loads((EVENTS / "order_exports" / "order.json").read_text())
    event["headers"]["authorization"] = f"Bearer {pulse.key('acme', 'secret')}"
    with announced() as entries:
        reply = app.handler(event, CONTEXT)
    told = json.loads(reply["body"])
    assert (reply["statusCode"], told["state"], told["link"]) == (202, "waiting", None)
    assert reply["headers"]["Location"] == f"/v1/exports/{told['id']}"
    assert told["filters"] == {
        "channel": {"is": ["chat", "ticket"]},
        "country": {"is_not": ["DE", None]},
    }
    (entry,) = entries
    sample = json.loads((EVENTS / "export_rows" / "requested.json").read_text())
    assert (entry["Source"], entry["DetailType"]) == (sample["source"], sample["detail-type"])
    assert json.loads(entry["Detail"]) == {"tenant": "acme"}
    assert sample["detail"].keys() == {"tenant"}


def test_replies_are_as_the_document_says(pulse: Driver) -> None:
    key = pulse.key("acme", "secret")
    ordered = order(pulse, format="parquet", agent="ada")
    pulse.make_export("acme")
    shown = pulse.call("GET", ordered.headers["Location"], key=key)
    components = document()["components"]
    validator = OAS31Validator(
        {"$ref": "#/components/schemas/Export", "components": components},
        format_checker=OAS31Validator.FORMAT_CHECKER,
    )
    for reply in (ordered, shown):
        assert list(validator.iter_errors(reply.json)) == []
        assert reply.headers["Cache-Control"] == "no-store"
    assert shown.status == 200


def test_the_link_downloads_a_named_file_and_ends_after_an_hour(pulse: Driver) -> None:
    export = pulse.export("acme", **ALL)
    query = parse_qs(urlsplit(export["link"]).query)
    assert query["X-Amz-Expires"] == ["3600"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    got = requests.get(export["link"], timeout=10)
    name = "responses_2026-11-10_2026-11-30.csv"
    assert got.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert got.headers["Content-Type"].startswith("text/csv; charset=utf-8")


@pytest.mark.parametrize("kind", ["publishable", "report", "feed", "operator"])
def test_only_a_secret_key_exports(pulse: Driver, kind: str) -> None:
    key = pulse.key(None if kind == "operator" else "acme", kind)
    made = pulse.export("acme", **ALL)
    for reply in (
        order(pulse, key),
        pulse.call("GET", f"/v1/exports/{made['id']}", key=key),
    ):
        assert (reply.status, reply.json["code"]) == (403, "wrong_key_kind")


def test_without_a_key_nothing_is_told(pulse: Driver) -> None:
    made = pulse.export("acme", **ALL)
    assert pulse.call("GET", f"/v1/exports/{made['id']}").status == 401
    assert pulse.call("POST", "/v1/exports", body="not even JSON").status == 401


def test_another_tenants_export_does_not_exist(pulse: Driver) -> None:
    made = pulse.export("acme", **ALL)
    reply = pulse.call("GET", f"/v1/exports/{made['id']}", key=pulse.key("globex", "secret"))
    assert (reply.status, reply.json["code"]) == (404, "unknown_export")
    assert made["id"] not in reply.body


@pytest.mark.parametrize("name", ["x", "01KAMRDXG0F3C1C0E1A4E4F3B9", "%00", "a" * 3000, "a#b"])
def test_an_unknown_export_is_a_404(pulse: Driver, name: str) -> None:
    key = pulse.key("acme", "secret")
    reply = pulse.call("GET", f"/v1/exports/{unquote(name)}", key=key)
    assert (reply.status, reply.json["code"]) == (404, "unknown_export")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "body_empty"),
        ("[]", 400, "body_not_object"),
        ('{"stream": "responses"', 400, "body_not_json"),
        ('{"stream": "responses", "stream": "responses"}', 400, "duplicate_key"),
        (json.dumps(ALL | {"stream": "sessions"}), 400, "unknown_stream"),
        (json.dumps(ALL | {"tenant": "globex"}), 400, "unknown_parameter"),
        (json.dumps(ALL | {"start_date": "2020-01-01"}), 400, "range_too_long"),
        (json.dumps(ALL | {"agent": "a" * 17_000}), 413, "body_too_large"),
    ],
)
def test_a_bad_order_is_refused_and_wakes_nobody(
    pulse: Driver, body: str, status: int, code: str
) -> None:
    with announced() as entries:
        reply = pulse.call("POST", "/v1/exports", key=pulse.key("acme", "secret"), body=body)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert entries == []


# -- when it does not go well


def test_a_failed_export_says_so_in_words(pulse: Driver) -> None:
    ordered = order(pulse)
    reason = "ACCESS_DENIED: SELECT tenant FROM raw_responses; arn:aws:s3:::lake"
    with (
        next_executions(failed(reason), region="eu-central-1"),
        pytest.raises(AthenaError),
    ):
        pulse.make_export("acme")
    key = pulse.key("acme", "secret")
    told = pulse.call("GET", ordered.headers["Location"], key=key).json
    assert (told["state"], told["link"], told["rows"]) == ("failed", None, None)
    assert told["reason"] == "The rows could not be read in time. Try again, or ask for fewer days."
    # Lambda tries again; the order has had its answer
    assert pulse.make_export("acme") == {"state": "nothing to do"}
    assert pulse.call("GET", ordered.headers["Location"], key=key).json == told


class _Empty:
    """The body of a reply without one."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield b""


def test_an_export_that_cannot_be_stored_has_failed_too(pulse: Driver) -> None:
    ordered = order(pulse)

    def refuse(request: Any, **_: Any) -> AWSResponse | None:
        if "/exports/tenant" not in request.url:
            return None
        return AWSResponse(request.url, 403, HTTPHeaders(), _Empty())

    events = client("s3").meta.events
    events.register_first("before-send.s3.PutObject", refuse)
    try:
        with pytest.raises(ClientError, match="403"):
            pulse.make_export("acme")
    finally:
        events.unregister("before-send.s3.PutObject", refuse)
    key = pulse.key("acme", "secret")
    told = pulse.call("GET", ordered.headers["Location"], key=key).json
    assert (told["state"], told["link"]) == ("failed", None)
    assert told["reason"] == "Something went wrong on our side. Try again."


def test_an_event_that_comes_twice_makes_one_file(pulse: Driver) -> None:
    ordered = order(pulse)
    prefix = f"exports/tenant=acme/export={ordered.json['id']}/"
    assert pulse.make_export("acme") == {"state": "done"}
    before = pulse.objects(prefix)
    assert pulse.make_export("acme") == {"state": "nothing to do"}
    assert pulse.objects(prefix) == before
    assert len(before) == 1


def test_an_event_for_a_tenant_without_orders_does_nothing(pulse: Driver) -> None:
    pulse.export("acme", **ALL)
    assert pulse.make_export("globex") == {"state": "nothing to do"}


def test_what_is_laid_out_on_the_way_is_removed(pulse: Driver) -> None:
    pulse.export("acme", **ALL)
    assert pulse.objects("staging/exports/") == {}


def test_an_export_is_forgotten_after_a_week(pulse: Driver) -> None:
    made, key = pulse.export("acme", **ALL), pulse.key("acme", "secret")
    path = f"/v1/exports/{made['id']}"
    with days.clock(lambda: NOW + timedelta(days=7, seconds=-1)):
        assert pulse.call("GET", path, key=key).json["state"] == "done"
    with days.clock(lambda: NOW + timedelta(days=7)):
        assert pulse.call("GET", path, key=key).status == 404
    table = pulse.settings.table
    item = client("dynamodb").get_item(
        TableName=table, Key={"pk": {"S": "EXPORTS#acme"}, "sk": {"S": made["id"]}}
    )["Item"]
    forgotten = datetime.fromtimestamp(int(item["expires_s"]["N"]), UTC)
    assert forgotten == NOW + timedelta(days=7)
