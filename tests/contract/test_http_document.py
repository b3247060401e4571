"""docs/http.md and the code agree about routes, parameters, fields, statuses and limits."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from pulse import lake
from pulse.comments.search import MOST_PARTS
from pulse.errors import BadRequestError
from pulse.exports.files import COLUMNS
from pulse.exports.orders import BODY_LIMIT
from pulse.ingest import routes
from pulse.ingest.translations import translation
from pulse.reports.registry import REPORTS
from pulse.serve import catalogue
from pulse.serve.comments.comments_query import MOST_SHOWN
from pulse.serve.comments.found import MOST_READ
from pulse.serve.comments.routes import MOST_COUNTED
from pulse.serve.groups import MOST_GROUPS
from pulse.serve.posted import BODY_LIMIT as REPORT_BODY_LIMIT
from pulse.serve.posted import LONGEST_ADDRESS
from pulse.serve.query import MOST_DAYS, MOST_ROWS, MOST_TENANTS, parse
from pulse.tenants.keys import PREFIXES
from tests.contract.http_page import PAGE, ROOT, cells, known, section
from tests.contract.test_template import TEMPLATE

OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text())
SCHEMAS = OPENAPI["components"]["schemas"]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in OPENAPI["paths"].items()
    for method, operation in item.items()
}
ROUTES = [name for name in OPERATIONS if not name.startswith("HEAD ")]


# -- routes, parameters, statuses


def test_every_route_has_a_section_and_every_section_a_route() -> None:
    told = re.findall(r"(?m)^### ((?:GET|POST|PUT|PATCH|DELETE) /\S+)$", PAGE)
    assert sorted(told) == sorted(ROUTES)


def test_the_template_has_these_routes_a_head_for_each_get_and_preflights() -> None:
    built = {
        f"{event['Properties']['Method']} {event['Properties']['Path']}"
        for resource in TEMPLATE["Resources"].values()
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "HttpApi" and "Path" in event["Properties"]
    }
    assert built == {*OPERATIONS, "OPTIONS /{proxy+}"}
    assert {f"HEAD {name[4:]}" for name in ROUTES if name.startswith("GET ")} == {
        name for name in OPERATIONS if name.startswith("HEAD ")
    }


@pytest.mark.parametrize("route", ROUTES)
def test_the_section_has_the_parameters_that_the_route_takes(route: str) -> None:
    taken = {parameter["name"] for parameter in OPERATIONS[route].get("parameters", [])}
    assert known(route, "parameter", "header") == taken


@pytest.mark.parametrize("route", ROUTES)
def test_where_a_parameter_stands_is_told(route: str) -> None:
    told = {
        (name, row[1])
        for row in cells(route, "parameter")
        for name in re.findall(r"`([^`]+)`", row[0])
    }
    for parameter in OPERATIONS[route].get("parameters", []):
        if (route, parameter["name"]) not in _HEADERS_OF_POSTS:
            assert (parameter["name"], parameter["in"]) in told


_HEADERS_OF_POSTS = {
    ("POST /v1/responses", "Idempotency-Key"),
    ("POST /v1/batch/responses", "Idempotency-Key"),
}


@pytest.mark.parametrize("route", ROUTES)
def test_the_section_has_the_statuses_that_the_route_answers(route: str) -> None:
    told = re.findall(r"\d{3}", " ".join(row[0] for row in cells(route, "status")))
    assert sorted(told) == sorted(OPERATIONS[route]["responses"])


def test_each_status_of_an_error_is_explained() -> None:
    told = {row[0] for row in cells("Errors", "status")}
    assert told == {
        status
        for operation in OPERATIONS.values()
        for status in operation["responses"]
        if int(status) >= 400
    }


def test_the_parameters_values_are_listed() -> None:
    reports = OPERATIONS["GET /v1/reports/{report}"]
    for parameter in reports["parameters"]:
        [text] = [
            row[2]
            for row in cells("GET /v1/reports/{report}", "parameter")
            if f"`{parameter['name']}`" in row[0] and parameter["in"] == row[1]
        ][:1]
        listed = set(re.findall(r"`([^`]+)`", text))
        if parameter["name"] in ("report", "granularity", "compare", "format"):
            assert set(parameter["schema"]["enum"]) <= listed, parameter["name"]


# -- bodies and replies


_BODIES = {
    "A response": "Response",
    "An interaction": "Interaction",
    "An agent session": "AgentSession",
    "POST /v1/exports": "ExportRequest",
    "POST /v1/reports/{report}": "ReportRequest",
}


@pytest.mark.parametrize(("title", "schema"), _BODIES.items())
def test_a_body_has_these_fields_and_needs_those_called_required(title: str, schema: str) -> None:
    declared = _nested(SCHEMAS[schema])
    assert known(title, "field") == set(declared)
    required = {
        name
        for row in cells(title, "field")
        for name in re.findall(r"`([^`]+)`", row[0])
        if row[2].startswith("required")
    }
    assert required == {name for name, is_required in declared.items() if is_required}


@pytest.mark.parametrize(
    ("title", "schema"), [("A response", "Response"), ("An interaction", "Interaction")]
)
def test_the_longest_text_that_a_field_takes_is_told(title: str, schema: str) -> None:
    codes = {row[0]: row[1] for row in cells("Codes of rejected items", "code")}
    told = {row[0].strip("`"): row[2] for row in cells(title, "field")}
    for name in {*re.findall(r"`(\w+)`", codes["`text_too_long`"])} & told.keys():
        most = SCHEMAS[schema]["properties"][name]["maxLength"]
        if "as `customer_segment`" not in told[name]:
            assert f"at most {most:,} characters" in told[name], name


def test_the_example_of_an_error_is_one() -> None:
    [example] = re.findall(r"```json\n(.*?)```", section("Errors"), re.DOTALL)
    with pytest.raises(BadRequestError) as error:
        parse([("metric", "smiles")], REPORTS["daily"])
    assert json.loads(example) == error.value.problem()


def _nested(schema: Mapping[str, Any], prefix: str = "") -> dict[str, bool]:
    """Whether each of the members is required, those of an object inside of it by dotted names."""
    found = {}
    for name, member in schema["properties"].items():
        found[f"{prefix}{name}"] = name in schema.get("required", ())
        found |= _nested(member, f"{prefix}{name}.") if "properties" in member else {}
    return found


@pytest.mark.parametrize(
    ("title", "schema"),
    [
        ("The reply to what was posted", "Accepted"),
        ("GET /v1/surveys/{id}", "Survey"),
        ("GET /v1/dimensions/{name}", "Dimension"),
        ("GET /v1/exports/{id}", "Export"),
        ("GET /v1/insights", "Insights"),
        ("GET /v1/insights/drivers", "Drivers"),
        ("GET /v1/comments", "Comments"),
        ("GET /v1/words", "Words"),
        ("What a reply says of itself", "Meta"),
        ("GET /v1/reports", "Catalogue"),
    ],
)
def test_a_reply_has_these_members(title: str, schema: str) -> None:
    told = known(title, "member", "member of `meta`")
    assert told == set(SCHEMAS[schema]["properties"])


def test_a_report_has_these_members() -> None:
    members = {
        name
        for schema in SCHEMAS.values()
        if {"report", "rows"} <= schema.get("properties", {}).keys()
        for name in schema["properties"]
    }
    assert known("GET /v1/reports/{report}", "member") == members
    [text] = [row[1] for row in cells("GET /v1/reports/{report}", "member") if "columns" in row[0]]
    column = SCHEMAS["Column"]["properties"]
    assert {*column, *column["kind"]["enum"]} == set(re.findall(r"`([^`]+)`", text))


def test_the_catalogue_has_these_members() -> None:
    served = catalogue.catalogue()
    [text] = [row[1] for row in cells("GET /v1/reports", "member") if row[0] == "`reports`"]
    [report] = [one for one in served["reports"] if one["name"] == "csat"]
    members = {*report, *report["metrics"][0], *report["dimensions"][0], *report["breakdown"]}
    assert members == set(re.findall(r"`([^`]+)`", text)) - {"0", "null"}


def test_a_page_is_told_these_words() -> None:
    [text] = [row[1] for row in cells("GET /v1/surveys/{id}", "member") if row[0] == "`words`"]
    assert re.findall(r"`([^`]+)`", text) == list(translation("en"))


def test_an_exports_columns_are_listed_in_order() -> None:
    text = section("GET /v1/exports/{id}").split("The file's columns are, of responses: ")[1]
    of_responses, of_interactions = text.split("Rows are ordered")[0].split("Of interactions: ")
    for stream, listed in (("responses", of_responses), ("interactions", of_interactions)):
        assert re.findall(r"`([^`]+)`", listed) == COLUMNS[stream].names


def test_the_dimensions_of_each_family_are_listed() -> None:
    told = {row[0]: re.findall(r"`(\w+)`", row[1]) for row in cells("Filters", "family")}
    assert told["survey"] == list(lake.SCORE_DIMENSIONS)
    assert [name for name in told["interaction"] if name != "revenue"] == list(
        lake.INTERACTION_DIMENSIONS
    )


# -- keys, headers, limits


def test_the_kinds_of_keys_are_listed_with_their_prefixes() -> None:
    assert {row[0]: row[1].strip("`") for row in cells("Keys", "kind")} == dict(PREFIXES)


def test_what_pages_of_other_origins_may_send_and_read_is_that_of_the_template() -> None:
    cors = TEMPLATE["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    told = set(re.findall(r"`([a-z-]+)`", section("CORS and HEAD")))
    assert told == {*cors["AllowHeaders"], *cors["ExposeHeaders"]}


def test_the_limits_of_traffic_are_the_templates() -> None:
    told = re.findall(r"`(\w+)` \(([\d,]+)(?: a second)?\)", section("Limits of traffic"))
    assert told
    for parameter, number in told:
        assert TEMPLATE["Parameters"][parameter]["Default"] == int(number.replace(",", ""))
    assert {name for name in TEMPLATE["Parameters"] if name.endswith("PerMinute")} <= {
        name for name, _ in told
    }


@pytest.mark.parametrize(
    ("title", "sentence", "limit"),
    [
        ("POST /v1/responses", r"at most (\d+) KiB", routes.ONE_LIMIT // 1024),
        ("POST /v1/batch/responses", r"at most (\d+) KiB", routes.BATCH_LIMIT // 1024),
        ("POST /v1/batch/responses", r"up to (\d+) responses", routes.BATCH_ITEMS),
        ("POST /v1/interactions", r"at most (\d+) KiB", routes.BATCH_LIMIT // 1024),
        ("POST /v1/interactions", r"up to (\d+)\.", routes.BATCH_ITEMS),
        ("POST /v1/agent-sessions", r"at most (\d+) KiB", routes.BATCH_LIMIT // 1024),
        ("POST /v1/agent-sessions", r"up to (\d+)\.", routes.BATCH_ITEMS),
        ("POST /v1/exports", r"at most (\d+) KiB", BODY_LIMIT // 1024),
        ("GET /v1/comments", r"comments in a page: 1 to (\d+)", MOST_SHOWN),
        ("GET /v1/comments", r"months with more than ([\d,]+) comments", MOST_READ),
        ("GET /v1/comments", r"At most (\d+) of all these", MOST_PARTS),
        ("GET /v1/words", r"words of each group: 1 to (\d+)", MOST_SHOWN),
        ("GET /v1/words", r"the newest ([\d,]+) at most", MOST_COUNTED),
        ("POST /v1/reports/{report}", r"at most (\d+) KiB", REPORT_BODY_LIMIT // 1024),
        ("GET /v1/reports/{report}", r"more than ([\d,]+) bytes behind", LONGEST_ADDRESS),
        ("Writing", r"not done within (\d+) seconds", int(routes.DEADLINE_S)),
        ("Days", r"at most ([\d,]+) \(fifty years\)", MOST_DAYS),
        ("GET /v1/reports/{report}", r"rows in a page: 1 to ([\d,]+)", MOST_ROWS),
        ("GET /v1/reports/{report}", r"at most (\d+) tenants", MOST_TENANTS),
        ("GET /v1/reports/{report}", r"at most ([\d,]+) rows over all pages", MOST_GROUPS),
    ],
)
def test_limits_are_those_of_the_code(title: str, sentence: str, limit: int) -> None:
    [number] = re.findall(sentence, section(title))
    assert int(number.replace(",", "")) == limit
