"""Stores a tenant's years as build_reports does, and calls serve_reports as API Gateway does.

The inputs are events/serve_reports/*.json; a test changes only what it is about.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from functions.serve_reports import app
from pulse import days, lake
from pulse.store.clients import client
from pulse.store.held import HeldRuns
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from tests import report_parts
from tests.unit.serve.events import Answer, as_piece, by_year
from tests.unit.serve.interactions import table_object

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "events" / "serve_reports"
CONTEXT = SimpleNamespace(
    function_name="serve_reports",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:serve_reports",
    aws_request_id="0dc1c3d8-6a3d-4c3c-8a44-4c7d3f6f3b1e",
)
NOON_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z, where the clock stands
REPORT, SECRET = "rk_sample-of-a-report-key", "sk_sample-of-a-secret-key"
KEYS: Mapping[str, Key] = {
    text: Key(sha256(text), kind, tenant, 0, filters=filters, expires_us=expires)
    for text, kind, tenant, filters, expires in (
        (REPORT, "report", "demo", {}, None),
        (SECRET, "secret", "demo", {}, None),
        ("pk_publishable", "publishable", "demo", {}, None),
        ("fk_feed", "feed", "demo", {}, None),
        ("ok_operator", "operator", None, {}, None),
        ("rk_other", "report", "other", {}, None),
        ("rk_ada", "report", "demo", {"agent": ("ada",)}, None),
        ("rk_bound", "report", "demo", {"media_type": ("voice",)}, None),
        ("rk_orphan", "report", "gone", {}, None),
        ("rk_revoked", "report", "demo", {}, None),
        ("rk_expired", "report", "demo", {}, NOON_US),
    )
}
ANSWERS = [
    *[Answer(date(2026, 11, 16), 5, agent="ada", country="DE")] * 6,
    *[Answer(date(2026, 11, 17), 2, agent="Müller, J.", channel="ticket")] * 5,
    *[Answer(date(2026, 10, 5), 4, agent="ada")] * 7,
    *[Answer(date(2026, 10, 6), 3, agent="Müller, J.")] * 3,
    Answer(date(2026, 11, 18), 10, "nps", "0-10", agent="ada", country="FR"),
    Answer(date(2026, 11, 18), 9, "nps", "0-10", agent="ada"),
    Answer(date(2026, 11, 19), 2, "nps", "0-10", agent="bob"),
    Answer(date(2025, 12, 31), 1),
]


Parts = Sequence[tuple[Collection[date], pa.Table]]
"""A year's parts, the newest first: their days and rows."""


def publish(found: list[Answer], as_of_us: int = NOON_US - 1) -> None:
    """Put the objects of these answers and say so on the tenant's record, as a build does."""
    for year, some in by_year(found).items():
        rows = report_parts.cube_rows(lake.SCORES, [as_piece(some)])
        part = ({answer.day for answer in some}, rows)
        publish_parts(lake.SCORES, year, [part], f"built at {as_of_us}", as_of_us)


def publish_parts(
    table: lake.DailyTable, year: int, parts: Parts, content: str, as_of_us: int = NOON_US - 1
) -> None:
    """Put the objects of a year's parts, the newest first, and say so on the tenant's record."""
    tenants = Tenants("pulse")
    tenant = tenants.get("demo")
    assert tenant is not None
    before = tenant.table(table.name).years.get(year)
    laid = report_parts.lay(table, "demo", year, parts, content=content, as_of_us=as_of_us)
    for key, body in laid.bodies.items():
        client("s3").put_object(Bucket="lake", Key=key, Body=body)
    state = replace(laid.state, revision=before.revision + 1 if before else 1)
    tenants.set_year("demo", table.name, year, state, before=before)
    runs = HeldRuns("pulse")
    runs.finish(runs.read(table.name), as_of_us, seen=None, again_us=None, failing=0, unnoticed=0)


TABLES: Mapping[str, list[dict[str, Any]]] = {
    "interactions": [
        {
            **{"day": date(2026, 11, 16), "media_type": "voice", "agent": "ada", "entered": 3},
            **{"accepted": 1, "accept_us": 60_500_000, "handled": 1, "handle_us": 90_000_000},
            **{"accept_timed": 1, "handle_timed": 1},
        },
        {
            **{"day": date(2026, 11, 17), "media_type": "chat", "customer_segment": "gold"},
            **{"entered": 4, "accepted": 1, "currency": "EUR", "with_revenue": 2},
            **{"revenue": 250_000, "accept_timed": 1},
        },
    ],
    "sessions": [
        {
            **{"day": date(2026, 11, 16), "media_type": "voice", "agent": "ada", "sessions": 1},
            **{"active_us": 3_600_000_000, "engaged_us": 90_000_000},
        }
    ],
}


def publish_tables() -> None:
    """Put the objects of a few interactions and sessions of the tenant, and say so."""
    for table in (lake.INTERACTIONS, lake.SESSIONS):
        rows = report_parts.cube_rows(table, [table_object(table, TABLES[table.name])])
        held = {row["day"] for row in TABLES[table.name]}
        publish_parts(table, 2026, [(held, rows)], "built")


# -- calling


@dataclass(frozen=True)
class Answered:
    """What a caller gets."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code, once its form is right."""
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.json["status"] == self.status
        code: str = self.json["code"]
        return code


def send(event: Mapping[str, Any]) -> Answered:
    reply = app.handler(dict(event), CONTEXT)
    assert reply["headers"]["X-Request-Id"]
    return Answered(reply["statusCode"], reply["headers"], reply["body"])


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def get(report: str, query: str = "", key: str | None = REPORT, **headers: str) -> Answered:
    """GET a report, as the sample event of one does it."""
    event = sample("daily")
    event["rawPath"] = f"/v1/reports/{report}"
    event["pathParameters"] = {"report": report}
    event["rawQueryString"] = query
    event["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        event["headers"]["authorization"] = f"Bearer {key}"
    return send(event)


def post(report: str, body: Any, key: str = REPORT, query: str = "", **headers: str) -> Answered:
    """POST a report's query, as the sample event does it."""
    event = sample("posted")
    event["rawPath"] = f"/v1/reports/{report}"
    event["pathParameters"] = {"report": report}
    event["rawQueryString"] = query
    event["headers"] = {"authorization": f"Bearer {key}"}
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    event["body"] = body if isinstance(body, str) else json.dumps(body)
    return send(event)


def dimension(name: str, query: str = "preset=last_7_days") -> Answered:
    """GET the values of a dimension."""
    event = sample("daily")
    event["routeKey"] = "GET /v1/dimensions/{name}"
    event["rawPath"] = f"/v1/dimensions/{name}"
    event["pathParameters"] = {"name": name}
    event["rawQueryString"] = query
    event["headers"] = {"authorization": f"Bearer {REPORT}"}
    return send(event)


def stored(prefix: str) -> list[str]:
    """The keys of the lake's objects below a prefix."""
    return [*Objects("lake").keys(prefix)]


@contextmanager
def gets() -> Iterator[list[str]]:
    """The S3 operations that are asked for within the block."""
    asked: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        asked.append(event_name.rsplit(".", 1)[1])

    events = client("s3", fail_fast=True).meta.events
    events.register_first("before-send.s3", note)
    try:
        yield asked
    finally:
        events.unregister("before-send.s3", note)


@contextmanager
def later(seconds: float) -> Iterator[None]:
    moment = datetime.fromisoformat("2026-11-21T12:00:00Z") + timedelta(seconds=seconds)
    with days.clock(lambda: moment):
        yield
