"""docs/http.md and the code say the same: routes, parameters, fields, statuses, codes, limits."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pulse import errors, lake
from pulse.comments.search import MOST_PARTS
from pulse.exports.files import COLUMNS
from pulse.exports.orders import BODY_LIMIT
from pulse.ingest import routes
from pulse.ingest.fields import RejectedError
from pulse.ingest.interactions import InteractionReader
from pulse.ingest.reader import Reader
from pulse.ingest.responses import ResponseReader
from pulse.ingest.sessions import SessionReader
from pulse.ingest.translations import translation
from pulse.serve import catalogue
from pulse.serve.comments.asked import MOST_SHOWN
from pulse.serve.comments.found import MOST_READ
from pulse.serve.comments.routes import MOST_COUNTED
from pulse.serve.groups import MOST_GROUPS
from pulse.serve.posted import BODY_LIMIT as REPORT_BODY_LIMIT
from pulse.serve.posted import LONGEST_ADDRESS
from pulse.serve.query import MOST_DAYS, MOST_ROWS, MOST_TENANTS
from pulse.streams.interactions import MILESTONES
from pulse.tenants.keys import PREFIXES, Key
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant
from tests.contract.test_template import TEMPLATE
from tests.unit.ingest.memory import directory

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "pulse"
PAGE = (ROOT / "docs" / "http.md").read_text()
OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text())
SCHEMAS = OPENAPI["components"]["schemas"]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in OPENAPI["paths"].items()
    for method, operation in item.items()
}
ROUTES = [name for name in OPERATIONS if not name.startswith("HEAD ")]

Table = list[list[str]]


def section(title: str) -> str:
    """The text below a heading, up to the next heading of its rank or above."""
    [(marks, text)] = re.findall(rf"(?ms)^(#+) {re.escape(title)}$\n(.*)", PAGE)
    return str(re.split(rf"(?m)^#{{1,{len(marks)}}} ", text)[0])


def tables(title: str) -> Iterator[Table]:
    """The section's tables, each as its rows of cells, the head first."""
    for block in re.findall(r"(?:^\|.*\n)+", section(title), re.MULTILINE):
        rows = [re.split(r"\s*\|\s*", line)[1:-1] for line in block.splitlines()]
        yield [row for row in rows if not row[0].startswith("---")]


def cells(title: str, *heads: str) -> list[list[str]]:
    """The rows of those of the section's tables whose first column has one of these heads."""
    return [row for table in tables(title) if table[0][0] in heads for row in table[1:]]


def names(title: str, *heads: str) -> list[str]:
    """What the first column of these tables has in backticks."""
    return [name for row in cells(title, *heads) for name in re.findall(r"`([^`]+)`", row[0])]


def known(title: str, *heads: str) -> set[str]:
    found = names(title, *heads)
    return set(found)


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
        ("GET /v1/comments", r"more than ([\d,]+) comments are refused", MOST_READ),
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


# -- codes of errors

_STATUSES: dict[str, int] = {
    name: error.status
    for name, error in vars(errors).items()
    if isinstance(error, type)
    and issubclass(error, errors.RequestError)
    and error is not errors.RequestError
} | {
    "_InternalError": 500,
    "TooManyGroupsError": 422,
    "refusal": 400,
    "_choice": 400,
    "_too_many": 429,
}
"""What makes an error of a request: its exceptions, and functions that make one of a code."""
_CODE = re.compile(r"[a-z]+(_[a-z]+)+")
_STREAMS = ("responses", "interactions", "sessions")


def _error_codes() -> Iterator[tuple[str, int]]:
    """Each code that the source raises an error of, with its status."""
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(PACKAGE / "cli"):
            continue
        tree = ast.parse(path.read_text())
        assigned = {
            node.targets[0].id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            made = _made(node)
            if made is None:
                continue
            callee, arguments = made
            for argument in arguments:
                for code in _codes_in(argument, assigned):
                    yield code, _STATUSES[callee]


def _made(node: ast.AST) -> tuple[str, list[ast.expr]] | None:
    """What makes an error, and those of its arguments among which the code is."""
    if not isinstance(node, ast.Call):
        return None
    callee = node.func
    if isinstance(callee, ast.Attribute) and callee.attr == "__init__":
        return ("TooManyGroupsError", node.args[:1])
    name = callee.id if isinstance(callee, ast.Name) else ""
    if name == "refusal":
        return name, node.args[1:2]
    if name == "_choice":
        return name, node.args[3:4]
    return (name, node.args[:1]) if name in _STATUSES else None


def _codes_in(argument: ast.expr, assigned: Mapping[str, ast.expr]) -> Iterator[str]:
    """The codes that an argument may be: a text, one of two, or one for each name."""
    if isinstance(argument, ast.Name) and argument.id in assigned:
        argument = assigned[argument.id]
    if isinstance(argument, ast.IfExp):
        yield from _codes_in(argument.body, assigned)
        yield from _codes_in(argument.orelse, assigned)
    elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else None for part in argument.values]
        of = {"stream": _STREAMS, "name": ("stream", "format")}
        [placeholder] = [part for part in argument.values if isinstance(part, ast.FormattedValue)]
        assert isinstance(placeholder.value, ast.Name)
        for value in of[placeholder.value.id]:
            yield "".join(str(part or value) for part in parts)


def test_every_code_of_an_error_is_listed_with_its_status_and_no_other() -> None:
    told = [(row[0].strip("`"), int(row[1])) for row in cells("Codes of errors", "code")]
    assert len(told) == len(set(told))
    assert set(told) == set(_error_codes())


def test_the_codes_are_in_the_order_of_their_statuses_and_of_the_alphabet() -> None:
    told = [(int(row[1]), row[0]) for row in cells("Codes of errors", "code")]
    assert told == sorted(told)


# -- codes of rejected items

SURVEY = Survey("acme", "s1", ((0, Rule.make("csat", 1, 5)),))
CLOSED = replace(SURVEY, id="closed", closed_us=0)
NOON_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
LONG = "x" * 5_000
_BAD: tuple[Any, ...] = (
    None,
    [],
    {},
    True,
    "x",
    LONG,
    -1,
    4.5,
    10**9,
    10**18,
    "1.00000001",
    "(none)",
    "2026-11-20T10:00:00Z",
    "2026-11-21T12:30:00Z",
    "1980-01-01T00:00:00Z",
    "2026-11-22",
    "1980-01-01",
    {"x": 1},
    {"x": LONG},
    {"": "x"},
    {str(number): "x" for number in range(21)},
    {"amount": "x", "currency": "EUR"},
    {"amount": "1.00001", "currency": "EUR"},
    {"amount": 10**15, "currency": "EUR"},
    {"amount": 1},
    {"amount": 1, "currency": 1},
    {"amount": 1, "currency": LONG},
    {"amount": 1, "currency": "XXX"},
    {"currency": "EUR"},
)
_GOOD: dict[type[Reader], dict[str, Any]] = {
    ResponseReader: {"survey_id": "s1", "score": 4},
    InteractionReader: {
        "interaction_id": "i1",
        "media_type": "voice",
        "entered_at": "2026-11-21T11:00:00Z",
    },
    SessionReader: {
        "session_id": "a1",
        "agent_id": "a1",
        "media_type": "voice",
        "day": "2026-11-21",
        "active_seconds": 1,
        "engaged_seconds": 1,
    },
}


_PAIRS: dict[type[Reader], list[dict[str, Any]]] = {
    ResponseReader: [
        {"age_ms": 1, "answered_at": "2026-11-20T10:00:00Z"},
        {"response_id": "r-1"},
        {"survey_id": CLOSED.id},
    ],
    InteractionReader: [
        {"entered_at": "2020-01-01T00:00:00Z", name: "2026-11-20T10:00:00Z"} for name in MILESTONES
    ],
    SessionReader: [],
}
"""Fields that are wrong together, or with what is known of the survey."""


def _faults() -> set[tuple[str, str]]:
    """(code, field) of every fault of items that are good but for one field, or for two."""
    found = set()
    for kind, good in _GOOD.items():
        bad = [{**good, name: value} for name, value in product((*kind.stream.sent, "typo"), _BAD)]
        lacking = [{n: v for n, v in good.items() if n != name} for name in good]
        together = [{**good, **pair} for pair in _PAIRS[kind]]
        for item, key in product((*bad, *lacking, *together, "no object"), _keys(kind)):
            reader = kind(directory(Tenant("acme", "Acme"), SURVEY, CLOSED), key, "acme", NOON_US)
            try:
                reader.read(item)
            except RejectedError as error:
                found.add((error.fault.code, _field(error.fault.field)))
    return found


def _field(name: str) -> str:
    """The field's name; of a tag and of a member that revenue has not, whatever its name, one."""
    whole, dot, _ = name.partition(".")
    return f"{whole}.x" if dot and name not in ("revenue.amount", "revenue.currency") else name


def _keys(kind: type[Reader]) -> list[Key]:
    kinds = ("secret", "publishable") if kind is ResponseReader else ("secret",)
    keys = [Key("0" * 64, name, "acme", 0) for name in kinds]
    return [*keys, Key("0" * 64, "secret", "acme", 0, surveys=("other", "s1"))]


_OF_MANY = {"the item": [""], "any other name, also in `revenue`": ["typo", "revenue.x"]}
"""The fields, as the items here have them, that the page describes without naming them."""


def test_every_code_of_a_rejected_item_is_listed_with_its_fields_and_no_other() -> None:
    told = set()
    for codes, of, _ in cells("Codes of rejected items", "code"):
        fields = _OF_MANY.get(of) or re.findall(r"`([^`]+)`", of)
        fields = [*fields, "tags.x"] if of.endswith(", a tag") else fields
        told |= set(product(re.findall(r"`([^`]+)`", codes), fields))
    assert told == _faults()


# -- codes of warnings


def test_every_warning_of_what_is_read_is_listed_and_no_other() -> None:
    [*_, read] = tables("Codes of warnings")
    assert {row[0].strip("`") for row in read[1:]} == set(_warning_codes())


def _warning_codes() -> Iterator[str]:
    """Each code of a pair of code and sentence in what answers readers."""
    tree = ast.parse((PACKAGE / "serve" / "warnings.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            code = node.elts[0]
            if isinstance(code, ast.Constant) and _CODE.fullmatch(str(code.value)):
                yield str(code.value)
            if isinstance(code, ast.JoinedStr):
                yield "sessions_not_told_apart"  # of the tables beside another one the only one
    insights = sorted((PACKAGE / "serve" / "insights").glob("*.py"))
    for file in (PACKAGE / "serve/dimensions.py", PACKAGE / "serve/comments/routes.py", *insights):
        yield from re.findall(r'"code": "(\w+)"', file.read_text())


def test_every_warning_of_what_was_stored_is_listed_and_no_other() -> None:
    stored, _ = tables("Codes of warnings")
    tree = ast.parse((PACKAGE / "ingest" / "responses.py").read_text())
    given = {
        (ast.literal_eval(node.args[1]), ast.literal_eval(node.args[0]))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "FieldError"
    }
    assert {(row[0].strip("`"), row[1].strip("`")) for row in stored[1:]} == given
