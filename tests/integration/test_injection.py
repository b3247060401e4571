"""Hostile texts are stored as data where texts are expected, and refused elsewhere.

One corpus of what some language or protocol takes for its own words (SQL, paths, spreadsheets, log
lines, terminals, headers) goes into every field, parameter, header and argument. Afterwards lake
and table are as they were, no reply has had a control character in a header, and each line of the
log is one JSON object that says none of it.
"""

import csv
import io
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import boto3
import pyarrow as pa
import pytest
import requests
from pyarrow import parquet

from pulse import days
from pulse.csv_cells import unguard
from pulse.observe import logger
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running
from tests.sampling import some
from tests.shell import Shell

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
YESTERDAY = "2026-11-20T10:00:00Z"
RANGE = "preset=last_7_days"
SQL = (
    "'; DROP TABLE raw_responses; --",
    "x' OR '1'='1",
    "\\'); DELETE FROM daily_scores; --",
    "') UNION SELECT * FROM raw_interactions --",
    ":tenant or :first_day",
    "{counted/responses} /* ? */ %s ${tenant}",
)
PATHS = (
    "../../reports/scores/tenant=calm/year=2026",
    "..%2f..%2fquarantine%2f",
    "%2e%2e/%2e%2e/config",
    "/etc/passwd\x00.parquet",
    "..\\..\\finance",
    "tenant=calm/year=2026.parquet",
    "s3://elsewhere/raw/",
)
FORMULAS = ("=cmd|' /C calc'!A0", "+44 20 7946", "-5+cmd", "@SUM(A1:A9)", "x\t=1+1", "＝1+1")
LOGS = (
    'x\n{"level": "INFO", "message": "forged"}',
    "x\r\nSTART RequestId: forged",
    '"}, {"level": "ERROR", "message": "forged"',
    "x\u2028forged",
)
TERMINALS = ("\x1b[2J\x1b[31mred", "\x1b]0;title\x07", "\x9b31mred", "x\x08\x08hidden\x7f")
HEADERS = (
    "x\r\nSet-Cookie: session=forged",
    "x\r\n\r\n<html>forged</html>",
    "x%0d%0aSet-Cookie:%20session=forged",
    "x\nLocation: https://forged.example",
)
FAMILIES = (SQL, PATHS, FORMULAS, LOGS, TERMINALS, HEADERS)
CORPUS = tuple(text for family in FAMILIES for text in family)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def response(number: int, text: str) -> dict[str, Any]:
    """A response with the text wherever a text may be."""
    names = ("survey_id", "agent_id", "agent_name", "customer_id", "interaction_id", "comment")
    known = {"answered_at": YESTERDAY, "response_id": f"r{number}", "score": 1 + number % 5}
    return known | dict.fromkeys(names, text) | {"tags": {text: text}, "user_agent": text}


def interaction(text: str) -> dict[str, Any]:
    """An interaction with the text wherever a text may be."""
    names = ("interaction_id", "agent_id", "agent_name", "customer_id")
    dimensions = ("customer_segment", "service_type")
    known = {"media_type": "voice", "entered_at": YESTERDAY}
    return known | dict.fromkeys((*names, *dimensions), text)


def session(text: str) -> dict[str, Any]:
    """A session with the text wherever a text may be."""
    seconds = {"active_seconds": 60, "engaged_seconds": 30}
    known = {"media_type": "voice", "day": YESTERDAY[:10]}
    return known | seconds | dict.fromkeys(("session_id", "agent_id"), text)


SENT = [response(number, text) for number, text in enumerate(CORPUS)]


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """A calm tenant, and one whose every text is hostile."""
    with days.clock(lambda: NOW), running() as driver:
        driver.tenant("calm")
        driver.survey("calm", "mail", Rule.make("csat", 1, 5))
        driver.post("calm", [response(0, "mail")])
        driver.post_interactions("calm", [interaction("call")])
        driver.tenant("acme")
        for text in CORPUS:
            driver.survey("acme", text, Rule.make("csat", 1, 5))
        for reply in (
            driver.post("acme", SENT),
            driver.post_interactions("acme", list(map(interaction, CORPUS))),
            driver.post_sessions("acme", list(map(session, CORPUS))),
        ):
            assert reply.json["rejected"] == []
        driver.build()
        driver.export_revenue()
        for tenant, kind in (("acme", "publishable"), (None, "operator"), ("calm", "report")):
            driver.key(tenant, kind)  # made now: no test changes the table
        yield driver


@pytest.fixture(scope="module")
def before(driver: Driver) -> Mapping[str, Any]:
    return everything(driver)


def everything(driver: Driver) -> Mapping[str, Any]:
    """All objects and records, but for those of exports, of statements and of keys' last use."""
    table = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=driver.settings.table)
    records = [item for page in table for item in page["Items"]]
    return {
        "objects": [k for k in driver.objects("").items() if not k[0].startswith(PASSING)],
        "records": sorted(
            json.dumps(r) for r in records if not r["pk"]["S"].startswith(PASSING_RECORDS)
        ),
    }


PASSING = ("athena/", "exports/")
PASSING_RECORDS = ("EXPORT", "KEY_USES")


@pytest.fixture(autouse=True)
def log(driver: Driver, before: Mapping[str, Any]) -> Iterator[io.StringIO]:
    """The log of a test: each line is one JSON object and holds nothing of the corpus."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logger.registered_formatter)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)
    for line in written.getvalue().splitlines():
        said = json.dumps(json.loads(line))
        assert not [text for text in CORPUS if json.dumps(text)[1:-1] in said], line
        assert "forged" not in said


def call(driver: Driver, method: str, path: str, **given: Any) -> Reply:
    """A request with the hostile tenant's secret key; the reply's headers are looked at."""
    answer = driver.call(method, path, **{"key": driver.key("acme", "secret"), **given})
    for name, value in answer.headers.items():
        assert not CONTROL.search(f"{name}{value}"), (name, value)
    assert answer.status < 500, answer.body
    return answer


def asked(text: str) -> str:
    return quote(text, safe="")


# -- where a text is wanted, it is data


def test_rows_hold_each_text_as_it_was_sent(driver: Driver) -> None:
    dates = {"start_date": YESTERDAY[:10], "end_date": YESTERDAY[:10], "format": "parquet"}
    names = {
        "responses": ("survey", "agent", "agent_name", "customer", "interaction", "comment"),
        "interactions": (
            "interaction_id",
            "agent",
            "agent_name",
            "customer",
            "customer_segment",
            "service_type",
        ),
    }
    for stream, columns in names.items():
        link = driver.export("acme", stream=stream, **dates)["link"]
        rows = parquet.ParquetFile(pa.BufferReader(requests.get(link, timeout=10).content)).read()
        for column in columns:
            assert Counter(rows[column].to_pylist()) == Counter(CORPUS), column
        if stream == "responses":
            tags = [tuple(found) for found in rows["tags"].to_pylist() if found]
            assert Counter(tags) == Counter(((text, text),) for text in CORPUS)


@pytest.mark.parametrize("dimension", ["survey", "agent"])
def test_a_filter_finds_what_has_the_text_and_nothing_else(driver: Driver, dimension: str) -> None:
    for number, text in enumerate(CORPUS):
        path = f"/v1/reports/agents?{RANGE}&group_by=agent,survey&{dimension}={asked(text)}"
        (row,) = call(driver, "GET", path).json["rows"]
        assert (row["agent"], row["survey"], row["average"]) == (text, text, 1 + number % 5)


def test_a_filter_of_interactions_finds_one(driver: Driver) -> None:
    for text in CORPUS:
        path = f"/v1/reports/customer-perspective?{RANGE}&group_by=service_type,customer_segment"
        (row,) = call(driver, "GET", f"{path}&service_type={asked(text)}").json["rows"]
        assert (row["service_type"], row["customer_segment"]) == (text, text)


def test_a_statement_is_given_each_text_as_a_value(driver: Driver) -> None:
    """Only filters of exports bring values from callers to Athena."""
    for text in (family[0] for family in FAMILIES):
        dates = {"start_date": YESTERDAY[:10], "end_date": YESTERDAY[:10]}
        made = driver.export("acme", stream="responses", **dates, survey=asked(text))
        body = requests.get(made["link"], timeout=10).content.decode()
        (row,) = csv.DictReader(io.StringIO(body, newline=""))
        assert unguard(row["comment"]) == text


def test_a_survey_is_found_by_its_id_alone(driver: Driver) -> None:
    for text in CORPUS:
        shown = call(
            driver,
            "GET",
            f"/v1/surveys/{text.replace('?', '')}",
            key=driver.key("acme", "publishable"),
        )
        assert shown.status == (404 if "?" in text or "/" in text else 200)


def test_no_cell_of_a_csv_is_a_formula(driver: Driver) -> None:
    body = call(driver, "GET", f"/v1/reports/agents?{RANGE}&format=csv").body
    cells = [row["agent"] for row in csv.DictReader(io.StringIO(body, newline=""), strict=True)]
    assert len(cells) == len(CORPUS)
    assert not [cell for cell in cells if cell.strip().startswith(tuple("=+-@＝＋－＠"))]


def test_a_terminal_gets_no_commands(shell: Shell) -> None:
    for report in ("agents", "customer-perspective"):
        drawn = shell.run("report", report, "--tenant", "acme", "--preset", "last_7_days").stdout
        assert "title" in drawn
        assert not CONTROL.search(drawn.replace("\n", ""))


# -- elsewhere it is refused

PARAMETERS = (
    "start_date",
    "end_date",
    "preset",
    "granularity",
    "group_by",
    "order_by",
    "limit",
    "cursor",
    "compare",
    "fill",
    "subtotals",
    "format",
    "tenant",
)
FIELDS: Mapping[str, tuple[str, ...]] = {
    "/v1/responses": ("response_id", "score", "answered_at", "country"),
    "/v1/interactions": ("entered_at", "finished_at", "replies", "satisfaction"),
    "/v1/agent-sessions": ("day", "active_seconds"),
    "/v1/exports": ("stream", "start_date", "end_date", "format"),
}
GOOD: Mapping[str, dict[str, Any]] = {
    "/v1/responses": response(0, CORPUS[0]),
    "/v1/interactions": interaction("call"),
    "/v1/agent-sessions": session("session"),
    "/v1/exports": {
        "stream": "responses",
        "start_date": YESTERDAY[:10],
        "end_date": YESTERDAY[:10],
    },
}


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_parameter_that_is_no_text_refuses_it(driver: Driver, parameter: str) -> None:
    dates = "" if parameter in ("start_date", "end_date", "preset") else RANGE
    for text in CORPUS:
        answer = call(driver, "GET", f"/v1/reports/nps?{dates}&{parameter}={asked(text)}")
        assert answer.status == 400, text


@pytest.mark.parametrize("path", ["/v1/reports", "/v1/dimensions", "/v1/exports", "/v1"])
def test_a_path_that_names_nothing_is_not_found(driver: Driver, path: str) -> None:
    for text in CORPUS:
        assert call(driver, "GET", f"{path}/{text.replace('?', '')}").status == 404, text


def test_an_operator_names_no_tenant_by_it(driver: Driver) -> None:
    key = driver.key(None, "operator")
    for text in CORPUS:
        answer = call(driver, "GET", f"/v1/reports/nps?{RANGE}&tenant={asked(text)}", key=key)
        assert answer.status in (400, 404), text


@pytest.mark.parametrize(
    ("path", "field"), [(p, f) for p, fields in FIELDS.items() for f in fields]
)
def test_a_field_that_is_no_text_refuses_it(driver: Driver, path: str, field: str) -> None:
    for text in CORPUS:
        answer = call(driver, "POST", path, body=json.dumps(GOOD[path] | {field: text}))
        assert answer.status in (400, 422), (text, answer.body)
    assert driver.messages() == []


def test_an_ip_that_is_no_address_costs_no_answer_and_is_not_kept(driver: Driver) -> None:
    for text in CORPUS:
        given = GOOD["/v1/responses"] | {"ip": text}
        assert call(driver, "POST", "/v1/responses", body=json.dumps(given)).status == 202, text
    kept = [message["body"] for message in driver.messages()]
    assert len(kept) == len(CORPUS)
    assert not [body for body in kept if "ip" in json.loads(body)["items"][0]]


@pytest.mark.parametrize("path", FIELDS)
def test_no_field_has_such_a_name(driver: Driver, path: str) -> None:
    for text in CORPUS:
        answer = call(driver, "POST", path, body=json.dumps(GOOD[path] | {text: text}))
        assert answer.status in (400, 422), (text, answer.body)
    assert driver.messages() == []


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_it_is_no_key(driver: Driver, header: str) -> None:
    for text in CORPUS:
        for shown in (text, f"Bearer {text}", f"sk_{text}", f"Bearer sk_{text}"):
            for method, path in (("GET", "/v1/reports"), ("POST", "/v1/responses")):
                headers = {header: shown}
                assert call(driver, method, path, key=None, headers=headers).status == 401


def test_no_header_changes_what_is_read(driver: Driver) -> None:
    path = f"/v1/reports/agents?{RANGE}"
    plain = call(driver, "GET", path)
    for header in ("if-none-match", "user-agent", "origin", "x-forwarded-for", "x-request-id"):
        for text in CORPUS:
            answer = call(driver, "GET", path, headers={header: text})
            assert (answer.status, answer.body) == (200, plain.body), (header, text)
            assert answer.headers == plain.headers


def test_an_idempotency_key_is_an_id_or_refused(driver: Driver) -> None:
    for text in CORPUS:
        headers = {"idempotency-key": text}
        body = json.dumps(GOOD["/v1/responses"])
        answer = call(driver, "POST", "/v1/responses", body=body, headers=headers)
        assert answer.status == 400, text
    assert driver.messages() == []


COMMANDS = (
    ("build", "--start={}"),
    ("build", "--end={}"),
    ("report", "{}", "--tenant=acme"),
    ("report", "nps", "--tenant={}"),
    ("report", "nps", "--tenant=acme", "--preset={}"),
    ("report", "nps", "--tenant=acme", "--group-by={}"),
    ("report", "nps", "--tenant=acme", "--filter={}"),
    ("tenant", "create", "--", "{}"),
    ("tenant", "show", "--", "{}"),
    ("tenant", "set", "--", "acme", "{}"),
    ("key", "create", "--kind=report", "--", "{}"),
    ("key", "create", "acme", "--kind=report", "--filter={}"),
    ("key", "create", "acme", "--kind=publishable", "--origin={}"),
    ("key", "revoke", "--", "{}"),
    ("export", "revenue", "--month={}"),
)


@pytest.mark.sampled
@pytest.mark.parametrize("command", some(COMMANDS, 5), ids=" ".join)
def test_a_command_refuses_it(shell: Shell, command: tuple[str, ...]) -> None:
    for text in (family[0] for family in FAMILIES):
        typed = [part.replace("{}", text) for part in command]
        result = shell.run(*typed, code=None)
        assert result.exit_code in (1, 2), (typed, result.output)


def test_afterwards_all_is_as_it_was(driver: Driver, before: Mapping[str, Any]) -> None:
    assert driver.messages() == []
    driver.build()
    assert everything(driver) == before
    report = driver.report("calm", "csat", RANGE)
    assert [row["responses"] for row in report["rows"]] == [1]
