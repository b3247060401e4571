"""The declarations of ingest's routes are held against ingest itself."""

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from pulse.errors import FieldError
from pulse.ingest import fields, pages, routes
from pulse.ingest.message import Response
from pulse.ingest.responses import Intake
from pulse.serve.openapi import document
from pulse.serve.openapi_writing import BATCH_ITEMS, SCHEMAS
from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory
from pulse.tenants.keys import Key
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant

SURVEY = Survey("acme", "s1", ((0, Rule.make("csat", 1, 5)),), texts={"en": Texts("How?", "Ta.")})
NOON_US = 1_795_262_400_000_000
INTAKE_KEY = Key("0" * 64, "secret", "acme", 0)
FULL: dict[str, Any] = {
    "survey_id": "s1",
    "score": 4,
    "response_id": "r-1",
    "answered_at": "2026-11-21T11:00:00Z",
    "channel": "chat",
    "agent_id": "a1",
    "agent_name": "Ada",
    "customer_id": "c1",
    "interaction_id": "i1",
    "comment": "Fine.",
    "tags": {"page": "/basket"},
    "country": "DE",
    "ip": "192.0.2.1",
    "user_agent": "Mozilla/5.0",
}


class OneSurvey(Directory):
    """Knows one tenant with one survey."""

    def __init__(self) -> None:
        super().__init__(Tenants("none"))

    def survey(self, tenant: str, survey: str) -> Survey | None:
        return SURVEY if survey == "s1" else None

    def tenant(self, tenant: str) -> Tenant | None:
        return Tenant("acme", "Acme")


def problems(name: str, value: Any) -> list[str]:
    components = document()["components"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    return [error.message for error in OAS31Validator(schema).iter_errors(value)]


def take(item: dict[str, Any]) -> Response:
    return Intake(OneSurvey(), INTAKE_KEY, "acme", NOON_US).read(item, None)


def test_every_declared_field_is_taken() -> None:
    assert set(FULL) == set(SCHEMAS["Response"]["properties"])
    assert problems("Response", FULL) == []
    assert take(FULL).score == 4


@pytest.mark.parametrize(
    "change",
    [
        {"score": "4"},
        {"score": 4.5},
        {"channel": "fax"},
        {"response_id": "a b"},
        {"agent_id": "x" * 129},
        {"comment": "x" * 4_001},
        {"tags": {"k": "v" * 129}},
        {"tags": {str(number): "v" for number in range(21)}},
        {"country": "Germany"},
        {"rating": 4},
    ],
    ids=lambda change: str(change)[:40],
)
def test_what_the_declaration_refuses_ingest_refuses_too(change: dict[str, Any]) -> None:
    assert problems("Response", FULL | change)
    with pytest.raises(fields.RejectedError):
        take(FULL | change)


@pytest.mark.parametrize("name", [n for n in FULL if n not in ("survey_id", "score")])
def test_what_may_be_null_ingest_takes_as_not_given(name: str) -> None:
    without = FULL | {name: None} | ({"response_id": None} if name == "answered_at" else {})
    assert problems("Response", without) == []
    assert take(without)


def test_limits_are_the_same() -> None:
    assert BATCH_ITEMS == routes.BATCH_ITEMS


def test_replies_are_as_declared() -> None:
    assert problems("Survey", pages.page(SURVEY, "en")) == []
    verdict = routes.Verdict(
        {0: take(FULL)}, {1: FieldError("score", "score_missing", "score is required.")}
    )
    assert problems("Accepted", verdict.summary()) == []
