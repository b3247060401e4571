"""What another tenant's key may not do; and what it may do never changes anything of others.

Two tenants with surveys, agents, interactions and exports of the same names and of their own.
Every route is asked with every kind of key of the one for what is the other's; the replies are
looked at, and so is every call to AWS that a process without memory makes for them.
"""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest
import requests
from botocore.client import BaseClient

from functions.ingest import app as ingest
from functions.order_exports import app as order_exports
from functions.serve_reports import app as serve_reports
from local.routes import read_http_api
from pulse import days
from pulse.reports.registry import REPORTS
from pulse.tenants.keys import sha256
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
YESTERDAY = "2026-11-20T10:00:00Z"
OWN, OTHER = "corner-shop", "big-bank"
"""Whose keys are shown, and whom they must not reach."""
SHARED = "support"
"""The id of a survey that both have."""
SECRET_WORD = "only-of-big-bank"
"""Stands in everything that the other tenant has."""
KINDS = ("publishable", "secret", "report", "filtered report", "feed", "operator")
DAYS = {"preset": "last_7_days"}
RANGE = "preset=last_7_days"

Request = tuple[str, str, Any]
"""Method, path with its query, body."""


def response(survey: str, tenant: str) -> dict[str, Any]:
    return {
        "survey_id": survey,
        "score": 5,
        "answered_at": YESTERDAY,
        "response_id": "r-1",
        "agent_id": f"agent of {tenant}",
    }


def interaction(tenant: str) -> dict[str, Any]:
    return {
        "interaction_id": "call-1",
        "media_type": "voice",
        "entered_at": YESTERDAY,
        "agent_id": f"agent of {tenant}",
        "revenue": {"amount": "1.00", "currency": "EUR"},
    }


def session(tenant: str) -> dict[str, Any]:
    return {
        "session_id": "s-1",
        "agent_id": f"agent of {tenant}",
        "media_type": "voice",
        "day": YESTERDAY[:10],
        "active_seconds": 60,
        "engaged_seconds": 30,
    }


ORDER = {"stream": "responses", "start_date": YESTERDAY[:10], "end_date": YESTERDAY[:10]}
OWN_THINGS: dict[str, list[Request]] = {
    "POST /v1/responses": [("POST", "/v1/responses", response(SHARED, OWN))],
    "POST /v1/batch/responses": [
        ("POST", "/v1/batch/responses", {"responses": [response(SHARED, OWN)]}),
    ],
    "POST /v1/interactions": [("POST", "/v1/interactions", interaction(OWN))],
    "POST /v1/agent-sessions": [("POST", "/v1/agent-sessions", session(OWN))],
    "GET /v1/surveys/{id}": [
        ("GET", f"/v1/surveys/{SHARED}", None),
        ("GET", f"/v1/surveys/{SHARED}?tenant={OTHER}", None),  # pages' addresses have anything
    ],
    "GET /v1/reports": [("GET", "/v1/reports", None)],
    "GET /v1/reports/{report}": [
        ("GET", f"/v1/reports/{name}?{query}", None)
        for name in REPORTS
        for query in (RANGE, f"{RANGE}&agent={SECRET_WORD}")
    ],
    "POST /v1/reports/{report}": [
        ("POST", f"/v1/reports/{name}", {**DAYS, "agent": agents})
        for name in REPORTS
        for agents in ([SECRET_WORD], f"!{SECRET_WORD}")
    ],
    "GET /v1/dimensions/{name}": [
        ("GET", f"/v1/dimensions/{name}?{query}", None)
        for name in ("agent", "survey", "media_type")
        for query in (RANGE, f"{RANGE}&q=only-of", f"{RANGE}&agent=!nobody")
    ],
    "GET /v1/insights": [
        ("GET", f"/v1/insights?{query}", None)
        for query in (RANGE, f"{RANGE}&lang=de", f"{RANGE}&agent=!nobody")
    ],
    "GET /v1/insights/drivers": [
        ("GET", f"/v1/insights/drivers?{query}", None)
        for query in (RANGE, f"{RANGE}&agent=!nobody")
    ],
    "GET /v1/comments": [
        ("GET", f"/v1/comments?{query}", None)
        for query in (RANGE, f"{RANGE}&q={SECRET_WORD}", f"{RANGE}&agent=!nobody")
    ],
    "GET /v1/words": [("GET", f"/v1/words?{RANGE}&contrast=period", None)],
    "GET /v1/openapi.json": [("GET", "/v1/openapi.json", None)],
    "POST /v1/exports": [
        ("POST", "/v1/exports", ORDER),
        ("POST", "/v1/exports", ORDER | {"survey": SECRET_WORD}),
    ],
}
"""What any tenant may ask of its own, on each route, whatever it names in it."""
FOREIGN_THINGS: dict[str, list[Request]] = {
    "POST /v1/responses": [
        ("POST", "/v1/responses", response(SECRET_WORD, OWN)),
        ("POST", "/v1/responses", response(SHARED, OWN) | {"tenant": OTHER}),
    ],
    "POST /v1/batch/responses": [
        ("POST", "/v1/batch/responses", {"responses": [response(SECRET_WORD, OWN)]}),
        ("POST", "/v1/batch/responses", {"responses": [response(SHARED, OWN)], "tenant": OTHER}),
    ],
    "POST /v1/interactions": [
        ("POST", "/v1/interactions", interaction(OWN) | {"tenant": OTHER}),
    ],
    "POST /v1/agent-sessions": [("POST", "/v1/agent-sessions", session(OWN) | {"tenant": OTHER})],
    "GET /v1/surveys/{id}": [("GET", f"/v1/surveys/{SECRET_WORD}", None)],
    "GET /v1/reports/{report}": [
        ("GET", f"/v1/reports/{name}?{RANGE}&tenant={OTHER}", None) for name in REPORTS
    ],
    "POST /v1/reports/{report}": [
        ("POST", f"/v1/reports/{name}", {**DAYS, "tenant": [OTHER]}) for name in REPORTS
    ],
    "GET /v1/dimensions/{name}": [
        ("GET", f"/v1/dimensions/agent?{RANGE}&tenant={OTHER}", None),
        ("GET", f"/v1/dimensions/tenant?{RANGE}", None),
    ],
    "GET /v1/insights": [("GET", f"/v1/insights?{RANGE}&tenant={OTHER}", None)],
    "GET /v1/insights/drivers": [
        ("GET", f"/v1/insights/drivers?{RANGE}&tenant={OTHER}", None),
    ],
    "GET /v1/comments": [("GET", f"/v1/comments?{RANGE}&tenant={OTHER}", None)],
    "GET /v1/words": [
        ("GET", f"/v1/words?{RANGE}&contrast=filter&against=tenant%3D{OTHER}", None),
    ],
    "POST /v1/exports": [("POST", "/v1/exports", ORDER | {"tenant": OTHER})],
    "GET /v1/exports/{id}": [("GET", "/v1/exports/{export}", None)],
    "$default": [("GET", f"/v1/tenants/{OTHER}", None), ("DELETE", "/v1/responses", None)],
}
"""What is the other's, on each route; `{export}` is the id of an export of theirs."""


@dataclass
class Calls:
    """The calls to AWS that the functions make (not those that the embedded Athena makes)."""

    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def foreign(self, key: str) -> list[tuple[str, dict[str, Any]]]:
        """Those that touch anything but the own tenant and the key itself."""
        return [call for call in self.made if not _stays_home(*call, f"KEY#{sha256(key)}")]


def _stays_home(operation: str, asked: dict[str, Any], key_record: str) -> bool:
    match operation:
        case "GetObject":
            key = asked["Key"]
            return f"/tenant={OWN}/" in key or key.endswith(f"/tenant={OWN}.parquet")
        case "SendMessage":
            return bool(json.loads(asked["MessageBody"])["tenant"] == OWN)
        case "PutEvents":
            return all(json.loads(e["Detail"])["tenant"] == OWN for e in asked["Entries"])
        case "GetItem":
            return _is_own(asked["Key"], key_record)
        case "UpdateItem":
            is_line = asked["Key"] == {"pk": {"S": "EXPORT_LINES"}, "sk": {"S": OWN}}
            # the key's use, perhaps of the request before: it is noted beside that
            uses = (f"KEY_USES#{OWN}", "KEY_USES#")  # an operator's key is nobody's
            return bool(is_line or asked["Key"]["pk"]["S"] in uses)
        case "TransactWriteItems":
            return all(_is_own(i["Put"]["Item"], key_record) for i in asked["TransactItems"])
        case "Query":
            (partition,) = asked["ExpressionAttributeValues"].values()
            names = f"NAMES#{OWN}#agent"
            own = (names, f"{names}#secret", f"{names}#publishable", f"SURVEYS#{OWN}")
            everybodys = "REPORTS"  # when builds have run
            return partition["S"] in (*own, everybodys)
    return False  # nothing else is needed to answer a request


def _is_own(item: dict[str, Any], key_record: str) -> bool:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    shared = (("TENANTS", OWN), ("EXPORT_LINES", OWN))
    return pk in (key_record, f"SURVEYS#{OWN}", f"EXPORTS#{OWN}") or (pk, sk) in shared


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """Both tenants with everything; what the other has, is full of SECRET_WORD."""
    with days.clock(lambda: NOW), running() as driver:
        for tenant in (OWN, OTHER):
            driver.tenant(tenant)
            driver.survey(tenant, SHARED, Rule.make("csat", 1, 5 if tenant == OWN else 7))
        driver.survey(OTHER, SECRET_WORD, Rule.make("nps", 0, 10))
        for tenant, name in ((OWN, OWN), (OTHER, SECRET_WORD)):
            driver.post(tenant, [response(SHARED, name) | {"agent_name": name, "comment": name}])
            driver.post_interactions(tenant, [interaction(name)])
            driver.post_sessions(tenant, [session(name)])
        driver.post(OTHER, [response(SECRET_WORD, SECRET_WORD)])
        driver.build()
        yield driver


@pytest.fixture(scope="module")
def export(pulse: Driver) -> str:
    """The id of an export of the other's."""
    made = pulse.export(OTHER, **ORDER)
    assert SECRET_WORD in requests.get(made["link"], timeout=10).text
    return str(made["id"])


@pytest.fixture(scope="module")
def keys(pulse: Driver) -> dict[str, str]:
    """A key of each kind of the own tenant's."""
    limited: dict[str, Any] = {"filters": {"agent": (f"agent of {OWN}",)}}
    return {
        "publishable": pulse.key(OWN, "publishable"),
        "secret": pulse.key(OWN, "secret"),
        "report": pulse.key(OWN, "report"),
        "filtered report": pulse.key(OWN, "report", **limited),
        "report of comments": pulse.key(OWN, "report", comments=True),
        "feed": pulse.key(OWN, "feed", report="agents"),
        "operator": pulse.key(None, "operator"),
    }


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls()
    real: Any = BaseClient.__dict__["_make_api_call"]
    others = set(threading.enumerate()) - {threading.current_thread()}  # of earlier tests

    def call(client: Any, operation: str, asked: dict[str, Any]) -> Any:
        if threading.current_thread() not in others:
            calls.made.append((operation, asked))
        return real(client, operation, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return calls


def ask(pulse: Driver, request: Request, key: str, export: str) -> Reply:
    method, path, body = request
    text = None if body is None else json.dumps(body)
    return pulse.call(method, path.replace("{export}", export), key=key, body=text)


def told(answer: Reply) -> str:
    """All that a reply says, without the words of the request in errors, filters and warnings."""
    if answer.status >= 400:
        return ""
    text = answer.body
    if answer.headers.get("Content-Type", "").startswith("application/json"):
        shown = json.loads(text)
        meta = shown.get("meta", {})
        meta.pop("filters", None)
        words = ("filter_matches_nothing",)
        meta["warnings"] = [one for one in meta.get("warnings", ()) if one["code"] not in words]
        shown.pop("filters", None)
        text = json.dumps(shown)
    return text + json.dumps(dict(answer.headers))


def test_every_route_is_asked(pulse: Driver) -> None:
    tables = (app.routes for app in (ingest.stage(), serve_reports.stage(), order_exports.stage()))
    in_code = {route for table in tables for route in table}
    api = read_http_api(pulse.deployment)
    assert api is not None
    # HEAD is answered by what answers GET
    in_template = {re.sub("^HEAD ", "GET ", route.key) for route in api.routes}
    assert in_template == in_code | {"$default"}
    assert {*OWN_THINGS, *FOREIGN_THINGS} == in_template - {"OPTIONS /{proxy+}"}  # asks for nothing


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "operator"])
@pytest.mark.parametrize("things", [OWN_THINGS, FOREIGN_THINGS], ids=["own", "foreign"])
def test_a_key_reaches_its_own_tenant_alone(
    pulse: Driver,
    keys: dict[str, str],
    export: str,
    calls: Calls,
    things: dict[str, list[Request]],
    kind: str,
) -> None:
    statuses = set()
    for request in chain.from_iterable(things.values()):
        pulse.forget()
        calls.made.clear()
        answer = ask(pulse, request, keys[kind], export)
        statuses.add(answer.status)
        assert SECRET_WORD not in told(answer), request
        assert OTHER not in told(answer), request
        assert calls.foreign(keys[kind]) == [], request
    refusals = {400, 401, 403, 404, 422}
    assert statuses <= (refusals if things is FOREIGN_THINGS else {200, 202, *refusals})


@pytest.mark.parametrize("kind", ["publishable", "report"])
def test_what_another_tenant_has_read_before_changes_no_reply(
    pulse: Driver, keys: dict[str, str], export: str, kind: str
) -> None:
    """One process replies to all tenants, and remembers keys, settings and objects of each."""
    for request in chain.from_iterable(OWN_THINGS.values()):
        if request[0] == "GET":
            pulse.forget()
            cold = ask(pulse, request, keys[kind], export)
            pulse.forget()
            ask(pulse, request, pulse.key(OTHER, kind), export)
            warm = ask(pulse, request, keys[kind], export)
            assert (warm.status, warm.body) == (cold.status, cold.body), request
            assert warm.headers.get("ETag") == cold.headers.get("ETag"), request


def test_an_operators_key_reads_the_tenants_that_it_names(
    pulse: Driver, keys: dict[str, str], export: str, calls: Calls
) -> None:
    def status(request: Request) -> int:
        pulse.forget()
        calls.made.clear()
        answer = ask(pulse, request, keys["operator"], export)
        assert SECRET_WORD not in told(answer), request
        assert calls.foreign(keys["operator"]) == [], request
        return answer.status

    public = ("/v1/reports", "/v1/openapi.json")  # they hold nothing of a tenant's
    for request in chain.from_iterable([*OWN_THINGS.values(), *FOREIGN_THINGS.values()]):
        method, path, body = request
        if f"tenant={OTHER}" in path:
            status((method, path.replace(OTHER, OWN), body))
        elif (body or {}).get("tenant") == [OTHER]:
            assert status((method, path, body | {"tenant": [OWN]})) == 200
        else:
            assert status(request) in ({200} if path in public else {400, 401, 403, 404}), request
    assert status(("GET", f"/v1/reports/agents?{RANGE}&tenant={OWN}", None)) == 200


def test_what_a_tenant_writes_leaves_the_others_numbers_as_they_are(
    pulse: Driver, keys: dict[str, str], export: str
) -> None:
    """Each tenant has its own ids of interactions, sessions and responses."""

    def numbers(tenant: str) -> list[str]:
        pulse.forget()
        key = pulse.key(tenant, "secret")
        replies = (pulse.call("GET", f"/v1/reports/{r}?{RANGE}", key=key) for r in REPORTS)
        return [re.sub(r'"as_of":"[^"]*"', "", reply.body) for reply in replies]

    before = numbers(OTHER)
    changed = interaction(OWN) | {"revenue": {"amount": "99.00", "currency": "EUR"}}
    ask(pulse, ("POST", "/v1/interactions", changed), keys["secret"], export)
    answer = response(SHARED, OWN) | {"score": 1}
    ask(pulse, ("POST", "/v1/batch/responses", {"responses": [answer]}), keys["secret"], export)
    own = numbers(OWN)
    pulse.build()
    assert numbers(OTHER) == before
    assert numbers(OWN) != own


def test_an_export_holds_the_rows_of_who_ordered_it(pulse: Driver) -> None:
    made = pulse.export(OWN, **ORDER, survey=f"{SHARED},{SECRET_WORD}")
    text = requests.get(made["link"], timeout=10).text
    assert OWN in text
    assert SECRET_WORD not in text
    assert OTHER not in text
    assert f"/tenant%3D{OWN}/" in made["link"]


def test_the_watch_sees_a_call_to_another_tenant(pulse: Driver, calls: Calls) -> None:
    """The tests above rely on this."""
    key = pulse.key(OTHER, "secret")
    pulse.forget()
    pulse.call("GET", f"/v1/reports/agents?{RANGE}", key=key)
    operations = {operation for operation, _ in calls.foreign(key)}
    assert operations >= {"GetItem", "GetObject"}  # and its use is noted, now or in a moment
    pulse.forget()
    calls.made.clear()
    pulse.call("POST", "/v1/interactions", key=key, body=json.dumps(interaction(OTHER)))
    assert "SendMessage" in {operation for operation, _ in calls.foreign(key)}
