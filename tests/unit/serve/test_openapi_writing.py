"""The OpenAPI document's declarations of events agree with ingest itself."""

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from pulse.documents.openapi import document
from pulse.documents.openapi_writing import SCHEMAS
from pulse.errors import FieldError
from pulse.ingest import fields, pages, routes
from pulse.ingest.interactions import InteractionReader
from pulse.ingest.message import Event
from pulse.ingest.reader import ItemReader
from pulse.ingest.responses import ResponseReader
from pulse.ingest.sessions import SessionReader
from pulse.tenants.keys import Key
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant
from tests.unit.ingest.memory import directory

SURVEY = Survey("acme", "s1", ((0, Rule.make("csat", 1, 5)),), texts={"en": Texts("How?", "Ta.")})
NOON_US = 1_795_262_400_000_000
INTAKE_KEY = Key("0" * 64, "secret", "acme", 0)
FULL: dict[str, Any] = {
    "survey_id": "s1",
    "score": 4,
    "response_id": "r-1",
    "answered_at": "2026-11-21T11:00:00Z",
    "age_ms": None,
    "channel": "chat",
    "agent_id": "a1",
    "agent_name": "Ada",
    "customer_id": "c1",
    "interaction_id": "i1",
    "comment": "Fine.",
    "tags": {"page": "/basket"},
    "country": "DE",
    "signature": "1a.AAAAAAAAAAAAAAAAAAAAAA",
    "ip": "192.0.2.1",
    "user_agent": "Mozilla/5.0",
}


def problems(name: str, value: Any) -> list[str]:
    components = document()["components"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    return [error.message for error in OAS31Validator(schema).iter_errors(value)]


FULL_INTERACTION: dict[str, Any] = {
    "interaction_id": "i1",
    "media_type": "voice",
    "entered_at": "2026-11-21T11:00:00Z",
    "updated_at": "2026-11-21T11:30:00Z",
    "customer_segment": "Gold",
    "service_type": "Loans",
    "agent_id": "a1",
    "agent_name": "Ada",
    "customer_id": "c1",
    "offered_at": "2026-11-21T11:00:00Z",
    "accepted_at": "2026-11-21T11:00:10Z",
    "first_response_at": "2026-11-21T11:00:10Z",
    "finished_at": "2026-11-21T11:05:00Z",
    "abandoned": False,
    "replies": 1,
    "satisfaction": 4.5,
    "revenue": {"amount": "12.50", "currency": "EUR"},
}
FULL_SESSION: dict[str, Any] = {
    "session_id": "s1",
    "agent_id": "a1",
    "media_type": "voice",
    "day": "2026-11-20",
    "active_seconds": 3600,
    "engaged_seconds": "1800.5",
}
WRITTEN: dict[str, tuple[type[ItemReader], dict[str, Any]]] = {
    "Response": (ResponseReader, FULL),
    "Interaction": (InteractionReader, FULL_INTERACTION),
    "AgentSession": (SessionReader, FULL_SESSION),
}


def take(name: str, item: dict[str, Any]) -> Event:
    known = directory(Tenant("acme", "Acme"), SURVEY)
    return WRITTEN[name][0](known, INTAKE_KEY, "acme", NOON_US).read(item)


@pytest.mark.parametrize("name", WRITTEN)
def test_every_declared_field_is_taken(name: str) -> None:
    reader, full = WRITTEN[name]
    assert set(full) == set(SCHEMAS[name]["properties"]) == set(reader.stream.sent)
    assert problems(name, full) == []
    assert (
        take(name, full).id == {"Response": "r-1", "Interaction": "i1", "AgentSession": "s1"}[name]
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_a_batch_is_declared_under_its_streams_name(name: str) -> None:
    reader, full = WRITTEN[name]
    assert problems(f"{name}Batch", {reader.stream.name: [full] * 500}) == []
    assert problems(f"{name}Batch", {reader.stream.name: [full] * 501})
    assert problems(f"{name}Batch", {reader.stream.name: [full], "more": 1})


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("Response", {"score": "4"}),
    ("Response", {"score": 4.5}),
    ("Response", {"channel": "x" * 41}),
    ("Response", {"response_id": "a b"}),
    ("Response", {"agent_id": "x" * 129}),
    ("Response", {"comment": "x" * 4_001}),
    ("Response", {"tags": {"k": "v" * 129}}),
    ("Response", {"tags": {str(number): "v" for number in range(21)}}),
    ("Response", {"country": "Germany"}),
    ("Response", {"rating": 4}),
    ("Response", {"answered_at": None, "age_ms": -1}),
    ("Response", {"answered_at": None, "age_ms": "5"}),
    ("Interaction", {"interaction_id": ""}),
    ("Interaction", {"interaction_id": None}),
    ("Interaction", {"media_type": "x" * 41}),
    ("Interaction", {"entered_at": None}),
    ("Interaction", {"service_type": "x" * 129}),
    ("Interaction", {"abandoned": "yes"}),
    ("Interaction", {"replies": -1}),
    ("Interaction", {"replies": 2**31}),
    ("Interaction", {"replies": 1.5}),
    ("Interaction", {"satisfaction": "good"}),
    ("Interaction", {"revenue": 12.5}),
    ("Interaction", {"revenue": {"amount": 1}}),
    ("Interaction", {"revenue": {"amount": "1,50", "currency": "EUR"}}),
    ("Interaction", {"revenue": {"amount": "", "currency": "EUR"}}),
    ("Interaction", {"revenue": {"amount": None, "currency": "EUR"}}),
    ("Interaction", {"revenue": {"amount": 1, "currency": "EURO"}}),
    ("Interaction", {"revenue": {"amount": 1, "currency": "EUR", "tax": 0}}),
    ("Interaction", {"entered": "2026-11-21T11:00:00Z"}),
    ("AgentSession", {"agent_id": None}),
    ("AgentSession", {"media_type": None}),
    ("AgentSession", {"active_seconds": 90_001}),
    ("AgentSession", {"engaged_seconds": -1}),
    ("AgentSession", {"engaged_seconds": ""}),
    ("AgentSession", {"agent_name": "Ada"}),
]


@pytest.mark.parametrize(("name", "change"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_the_declaration_refuses_ingest_refuses_too(name: str, change: dict[str, Any]) -> None:
    full = WRITTEN[name][1]
    assert problems(name, full | change)
    with pytest.raises(fields.RejectedError):
        take(name, full | change)


OPTIONAL = [
    (name, field)
    for name, (_, full) in WRITTEN.items()
    for field in full
    if field not in (*SCHEMAS[name]["required"], "survey_id")
]


@pytest.mark.parametrize(("name", "field"), OPTIONAL)
def test_what_may_be_null_ingest_takes_as_not_given(name: str, field: str) -> None:
    without = WRITTEN[name][1] | {field: None}
    if field == "answered_at":
        without["response_id"] = None
    assert problems(name, without) == []
    assert take(name, without)


def test_no_session_is_longer_than_a_day() -> None:
    assert SCHEMAS["AgentSession"]["properties"]["active_seconds"]["maximum"] == 25 * 3600


def test_replies_are_as_declared() -> None:
    asking = Tenant("acme", "A", display_name="Acme", logo_url="https://acme.example/logo.svg")
    assert problems("Survey", pages.page(Tenant("acme", "A"), SURVEY, "en")) == []
    assert problems("Survey", pages.page(asking, SURVEY, "en")) == []
    verdict = routes.Verdict(
        {0: take("Response", FULL)}, {1: FieldError("score", "score_missing", "score is required.")}
    )
    assert problems("Accepted", verdict.summary()) == []
