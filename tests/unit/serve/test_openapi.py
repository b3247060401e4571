"""The OpenAPI document is valid, complete and true of replies; the catalogue is the registry's."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from pulse import days, lake
from pulse.documents.openapi import document
from pulse.errors import BadRequestError
from pulse.reports.registry import EXPERIENCE, INTERACTION, REPORTS, SURVEY
from pulse.serve.answer import answer
from pulse.serve.catalogue import catalogue
from pulse.serve.plan import plan_of
from pulse.serve.query import PARAMETERS, parse
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.serve import interactions
from tests.unit.serve.events import Answer, as_years, built, pairs

DECLARED = {
    ("post", "/v1/responses"),
    ("post", "/v1/batch/responses"),
    ("post", "/v1/interactions"),
    ("post", "/v1/agent-sessions"),
    ("get", "/v1/surveys/{id}"),
    ("post", "/v1/exports"),
    ("get", "/v1/exports/{id}"),
    ("get", "/v1/reports"),
    ("get", "/v1/reports/{report}"),
    ("post", "/v1/reports/{report}"),
    ("get", "/v1/dimensions/{name}"),
    ("get", "/v1/insights"),
    ("get", "/v1/insights/drivers"),
    ("get", "/v1/comments"),
    ("get", "/v1/words"),
    ("get", "/v1/openapi.json"),
}
ROUTES = DECLARED | {("head", path) for method, path in DECLARED if method == "get"}


def schema(name: str) -> OAS31Validator:
    components = document()["components"]
    return OAS31Validator({"$ref": f"#/components/schemas/{name}", "components": components})


def problems(name: str, value: Any) -> list[str]:
    return [error.message for error in schema(name).iter_errors(value)]


def test_the_document_is_valid_openapi() -> None:
    validate(document())
    json.dumps(document(), allow_nan=False)


def test_every_route_is_described_with_its_problems() -> None:
    paths = document()["paths"]
    assert {(method, path) for path, item in paths.items() for method in item} == ROUTES
    for method, path in ROUTES:
        statuses = set(paths[path][method]["responses"])
        assert {"429", "500"} <= statuses
        assert bool(paths[path][method].get("security", True)) == ("401" in statuses)
    writing = paths["/v1/responses"]["post"]["responses"]
    assert set(writing) == {"202", "400", "401", "403", "413", "415", "422", "429", "500", "503"}
    reading = paths["/v1/reports/{report}"]["get"]["responses"]
    assert {"200", "304", "400", "401", "403", "404", "409", "422", "503"} <= set(reading)


def test_head_promises_what_get_does_but_no_body() -> None:
    for item in document()["paths"].values():
        if "get" in item:
            got, asked = (item[method]["responses"] for method in ("get", "head"))
            assert asked.keys() == got.keys()
            assert not [status for status, reply in asked.items() if "content" in reply]
            assert asked["401" if "401" in asked else "200"]["headers"]["X-Request-Id"]


def test_what_the_parser_takes_is_what_the_document_says() -> None:
    named = document()["paths"]["/v1/reports/{report}"]["get"]["parameters"]
    in_query = [parameter["name"] for parameter in named if parameter["in"] == "query"]
    families = (SURVEY, INTERACTION, EXPERIENCE)
    every = dict.fromkeys(name for family in families for name in family.dimension_names)
    assert in_query == [*PARAMETERS, "date_basis", "tenant", *every]
    (report,) = (parameter for parameter in named if parameter["in"] == "path")
    assert report["schema"]["enum"] == list(REPORTS)
    (preset,) = (parameter for parameter in named if parameter["name"] == "preset")
    assert tuple(preset["schema"]["enum"]) == days.PRESETS


FOUND = [
    Answer(date(2026, 11, 20), 9, metric="nps", scale="0-10", agent="ada"),
    Answer(date(2026, 10, 20), 3, metric="nps", scale="0-10", agent="ada"),
    Answer(date(2026, 11, 20), 4),
    Answer(date(2026, 11, 20), 2, metric="ces", scale="1-7:low"),
]
TABLES: interactions.Tables = {
    "interactions": [
        {
            **{"day": day, "agent": "ada", "media_type": "voice", "currency": currency},
            **{"entered": 2, "accepted": 2, "handled": 1, "handle_us": 1_500_000, "accept_us": 7},
            **{"accept_timed": 2, "handle_timed": 1},
            **{"with_revenue": 1, "revenue": -125_000, "with_satisfaction": 1},
        }
        for day in (date(2026, 11, 20), date(2025, 11, 20))
        for currency in ("EUR", "USD", None)
    ],
    "sessions": [
        {
            **{"day": date(2026, 11, 20), "agent": "ada", "media_type": "voice"},
            **{"sessions": 1, "active_us": 90_000_000_000, "engaged_us": 1_234_567},
        }
    ],
    "experience": [
        {"day": day, "survey": "s1", "channel": "chat", "metric": "nps", "scale": "0-10", **known}
        for day in (date(2026, 11, 20), date(2026, 10, 20), date(2025, 11, 20))
        for known in (
            {"c9": 2},
            {"c3": 1, "media_type": "voice", "accept": "late", "agent": "ada"}
            | {"entered_on": str(day)},
        )
    ],
}


def answered(name: str, kind: str, query: str) -> Any:
    """The reply, where the tenant has a few answers and interactions."""
    report = REPORTS[name]
    across = kind == "operator"
    query += "&tenant=acme" if across else ""
    asked = parse(pairs(query), report, across_tenants=across)
    tenant = Tenant("acme", "Acme")
    tables = {**built(tenant, FOUND).tables, **interactions.built(tenant, TABLES).tables}
    plan = plan_of(report, asked, [replace(tenant, tables=tables)], Key("0", kind, "acme", 0))
    years = interactions.read(TABLES, plan.tables)
    if lake.SCORES in plan.tables:
        years = as_years(FOUND)
    return json.loads(answer(plan, {"acme": years}, query).body)


QUERIES = (
    "group_by=agent",
    "group_by=agent,{name}&compare=previous_period&subtotals=true",
    "granularity=month&compare=previous_year&fill=true",
)


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("kind", ["secret", "report", "operator"])
@pytest.mark.parametrize("query", QUERIES)
def test_replies_are_as_their_schema_says(name: str, kind: str, query: str) -> None:
    another = "channel" if REPORTS[name].family == SURVEY else "media_type"
    query += "&date_basis=entered" * (REPORTS[name].entered_on is not None and "fill" in query)
    query = f"start_date=2026-11-01&end_date=2026-11-30&{query.format(name=another)}"
    reply = answered(name, kind, query)
    schema_name = "".join(word.capitalize() for word in name.split("-")) + "Report"
    assert reply["rows"]
    assert problems(schema_name, reply) == []
    described = document()["components"]["schemas"][schema_name]["properties"]["rows"]["items"]
    assert {name for row in reply["rows"] for name in row} <= set(described["properties"])
    assert problems(schema_name, reply | {"report": "other"})
    assert problems(schema_name, {**reply, "rows": [{"metric": "nps"}]})
    assert problems(schema_name, {**reply, "meta": {**reply["meta"], "date_range": {}}})


def test_a_problem_is_as_its_schema_says() -> None:
    with pytest.raises(BadRequestError) as error:
        parse(pairs("preset=x"), REPORTS["daily"])
    assert problems("Problem", error.value.problem()) == []
    assert problems("Problem", {"title": "x"})


def test_the_catalogue_is_as_its_schema_says_and_lists_the_registry() -> None:
    found = catalogue()
    assert problems("Catalogue", found) == []
    assert [report["name"] for report in found["reports"]] == list(REPORTS)
    daily, rates = (r for r in found["reports"] if r["name"] in ("daily", "rates"))
    assert daily["group_by"] == ["period"]
    assert daily["granularity"] == "day"
    assert rates["always_grouped_by"] == ["metric", "scale", "score_value"]
    assert rates["always_present"] == {"score_value": list(range(11))}
    assert rates["dimensions"][-1]["name"] == "score_value"
    assert "score_value" not in rates["filters"]
    assert found["comparisons"] == ["previous_period", "previous_year"]
    assert [dimension["name"] for dimension in found["operator_dimensions"]] == ["tenant"]
    score = next(metric for metric in daily["metrics"] if metric["name"] == "average")
    assert score == {
        "name": "average",
        "unit": "scale",
        "text": "Mean score, two decimals.",
        "formula": "average@1",
        "numerator": "sum of the scores",
        "denominator": "responses",
        "empty": "null",
    }
    channel = next(d for d in daily["dimensions"] if d["name"] == "channel")
    assert channel["values"] is None
    assert channel["text"].startswith("Where the answer came from: ticket, chat, external, or")
    metric = next(d for d in daily["dimensions"] if d["name"] == "metric")
    assert metric["values"] == ["csat", "nps", "ces"]
    assert daily["filters"] == list(SURVEY.dimension_names)


def test_the_catalogue_tells_the_targets_of_whose_key_asks() -> None:
    asks = Tenant("acme", "A", targets={"voice.accept": 80, "voice.finish": 95, "In App.finish": 1})
    found = catalogue(asks)
    assert problems("Catalogue", found) == []
    assert found["tenant"] == {
        "id": "acme",
        "targets": {
            "voice": {"accept_service_level_pct": 80, "finished_service_level_pct": 95},
            "In App": {"finished_service_level_pct": 1},
        },
        "dimensions": [],
    }
    levels = {name for figures in found["tenant"]["targets"].values() for name in figures}
    assert levels <= {metric.name for metric in REPORTS["customer-perspective"].metrics}
    assert catalogue()["tenant"] is None


def test_the_catalogue_tells_what_the_interaction_reports_are_made_of() -> None:
    by_name = {report["name"]: report for report in catalogue()["reports"]}
    perspective, revenue = by_name["customer-perspective"], by_name["revenue"]
    assert perspective["family"] == "interaction"
    assert perspective["group_by"] == list(REPORTS["customer-perspective"].group_by)
    assert perspective["always_grouped_by"] == []
    assert perspective["filters"] == ["media_type", "customer_segment", "service_type", "agent"]
    names = [dimension["name"] for dimension in perspective["dimensions"]]
    assert names == ["tenant", *perspective["filters"]]
    assert revenue["filters"] == [*perspective["filters"], "currency"]
    assert revenue["always_given"] == ["currency"]
    assert revenue["metrics"][1]["unit"] == "money"
    for report in by_name.values():
        assert {metric["unit"] for metric in report["metrics"]} <= set(catalogue()["units"])


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [
        ({"score": 4}, True),
        ({"score": 4, "survey_id": "s1", "tags": {"a": "b"}, "comment": None}, True),
        ({"score": "4"}, False),
        ({"score": 4.5}, False),
        ({"score": 11}, False),
        ({}, False),
        ({"score": 4, "channel": "WhatsApp"}, True),
        ({"score": 4, "channel": "x" * 41}, False),
        ({"score": 4, "response_id": "a b"}, False),
        ({"score": 4, "comment": "x" * 4001}, False),
        ({"score": 4, "rating": 4}, False),
    ],
)
def test_the_declared_response_is_the_one_that_the_interface_describes(
    value: dict[str, Any], is_valid: bool
) -> None:
    assert (problems("Response", value) == []) == is_valid
    assert (problems("ResponseBatch", {"responses": [value]}) == []) == is_valid
