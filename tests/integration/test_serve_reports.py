"""serve_reports as callers meet it: API Gateway's events through the handler, on moto.

The inputs are events/serve_reports/*.json; a test changes only what it is about. The objects are
written here, as build_reports writes them.
"""

import base64
import csv
import gzip
import io
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from functions.serve_reports import app
from pulse import days, lake
from pulse.http import Door, answer
from pulse.observe import logger
from pulse.reports.registry import REPORTS
from pulse.serve.service import Reports
from pulse.settings import ServeReportsSettings
from pulse.store.clients import client
from pulse.store.held import HeldRuns
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from pulse.tenants.tenant import Tenant
from tests import report_parts
from tests.account import OPEN_TO_ALL, make_bucket, make_table
from tests.unit.serve.events import Answer, as_piece, by_year
from tests.unit.serve.interactions import table_object

ROOT = Path(__file__).parents[2]
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


@pytest.fixture(autouse=True)
def _at_noon(noon: object) -> None:
    """The clock stands where the sample events were made."""


@pytest.fixture(autouse=True)
def lake_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a bucket with one tenant's years, beside a table with tenants and keys."""
    with mock_aws():
        make_table()
        make_bucket()
        tenants = Tenants("pulse")
        tenants.create(Tenant("demo", "Demo", "Europe/Berlin"))
        tenants.create(Tenant("other", "Other"))
        for key in KEYS.values():
            tenants.add_key(key)
        tenants.revoke_key(KEYS["rk_revoked"].id, NOON_US - 1)
        publish(ANSWERS)
        monkeypatch.setenv("PULSE_TABLE", "pulse")
        monkeypatch.setenv("PULSE_LAKE_BUCKET", "lake")
        for name, value in OPEN_TO_ALL.items():
            monkeypatch.setenv(name, value)
        app.stage.cache_clear()
        yield "lake"
    app.stage.cache_clear()


Parts = Sequence[tuple[Collection[date], pa.Table]]
"""A year's parts, the newest first: their days and rows."""


def publish(found: list[Answer], as_of_us: int = NOON_US - 1) -> None:
    """Put the objects of these answers and say so on the tenant's record, as a build does."""
    for year, some in by_year(found).items():
        rows = report_parts.cube_rows(lake.SCORES, [as_piece(some)])
        part = ({answer.day for answer in some}, rows)
        publish_parts(lake.SCORES, year, [part], f"built at {as_of_us}", as_of_us)


def publish_parts(
    table: lake.Dataset, year: int, parts: Parts, content: str, as_of_us: int = NOON_US - 1
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
    runs.finish(runs.read(table.name), as_of_us, seen=None, again_us=None, failing=0)


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


# -- the sample events


def test_daily_has_a_row_for_each_day_with_data() -> None:
    reply = send(sample("daily"))
    assert reply.status == 200
    rows = [(row["period"], row["metric"], row["responses"]) for row in reply.json["rows"]]
    assert rows == [
        ("2026-11-16", "csat", 6),
        ("2026-11-17", "csat", 5),
        ("2026-11-18", "nps", 2),
        ("2026-11-19", "nps", 1),
    ]
    assert reply.json["meta"]["date_range"] == {
        "preset": "last_7_days",
        "start_date": "2026-11-14",
        "end_date": "2026-11-20",
        "timezone": "Europe/Berlin",
    }
    assert reply.json["meta"]["as_of"] == "2026-11-21T11:59:59Z"
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"


def test_nps_by_agent_is_filtered_and_ordered() -> None:
    reply = send(sample("nps_by_agent")).json
    assert [(row["agent"], row["nps"]) for row in reply["rows"]] == [("ada", 100.0)]
    assert reply["meta"]["filters"] == {"country": {"is_not": ["DE", None]}}
    assert len(reply["breakdown"]) == 11


def test_what_is_posted_is_answered_as_if_it_stood_in_the_address() -> None:
    posted = send(sample("posted"))
    assert posted.status == 200
    assert posted.json == send(sample("nps_by_agent")).json
    assert posted.headers["Cache-Control"] == "no-store"
    assert not {"ETag", "Link"} & posted.headers.keys()


def test_customer_perspective_is_laid_out_like_the_original() -> None:
    publish_tables()
    reply = send(sample("customer_perspective")).json
    names = ("tenant", "media_type", "period", "customer_segment", "level", "entered")
    assert [tuple(row[name] for name in names) for row in reply["rows"]][:5] == [
        (None, None, None, None, 0, 7),
        ("demo", None, None, None, 1, 7),
        ("demo", "chat", None, None, 2, 4),
        ("demo", "chat", "2026-11-17", None, 3, 4),
        ("demo", "chat", "2026-11-17", "gold", 4, 4),
    ]
    whole = reply["rows"][0]
    assert (whole["avg_accept_time"], whole["avg_accept_time_fmt"]) == (30.25, "00:00:30")
    assert whole["avg_revenue"] == {"EUR": "12.5000"}


def test_source_as_csv() -> None:
    reply = send(sample("source_csv"))
    assert reply.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    lines = list(csv.DictReader(io.StringIO(reply.body, newline=""), strict=True))
    assert [(line["agent"], line["responses"], line["average"]) for line in lines] == [
        ("Müller, J.", "3", ""),  # three are too few to show an agent's score to a report key
        ("ada", "7", "4.00"),
    ]
    assert lines[0]["withheld"] == "true"


def test_the_catalogue_lists_the_reports() -> None:
    reply = send(sample("catalogue"))
    assert [report["name"] for report in reply.json["reports"]] == list(REPORTS)


def test_the_openapi_document_needs_no_key() -> None:
    reply = send(sample("openapi"))
    assert reply.status == 200
    assert reply.body == (ROOT / "docs" / "openapi.json").read_text()
    assert "public" in reply.headers["Cache-Control"]
    event = sample("openapi")
    event["headers"]["if-none-match"] = reply.headers["ETag"]
    again = send(event)
    assert (again.status, again.body) == (304, "")
    assert again.headers["ETag"] == reply.headers["ETag"]


# -- keys


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 401, "missing_key"),
        ("rk_never-given-out", 401, "invalid_key"),
        ("nonsense", 401, "invalid_key"),
        ("rk_revoked", 401, "invalid_key"),
        ("rk_expired", 401, "invalid_key"),
        ("pk_publishable", 403, "wrong_key_kind"),
        ("fk_feed", 403, "feed_of_another_report"),
        ("ok_operator", 400, "missing_tenant"),
        ("rk_bound", 403, "filter_not_applicable"),
        ("rk_orphan", 403, "tenant_unknown"),
    ],
)
def test_keys_that_may_not_read_a_report(key: str | None, status: int, code: str) -> None:
    reply = get("daily", key=key)
    assert (reply.status, reply.code) == (status, code)
    assert ("WWW-Authenticate" in reply.headers) == (status == 401)


@pytest.mark.parametrize(
    ("key", "status"),
    [(REPORT, 200), (SECRET, 200), ("ok_operator", 200), ("pk_publishable", 403), ("fk_feed", 403)],
)
def test_the_catalogue_is_for_keys_that_read(key: str, status: int) -> None:
    event = sample("catalogue")
    event["headers"]["authorization"] = f"Bearer {key}"
    assert send(event).status == status


def test_of_keys_in_the_query_only_feeds_are_looked_at() -> None:
    for key in (REPORT, SECRET, "pk_publishable", "ok_operator"):
        reply = get("daily", f"key={key}", key=None)
        assert (reply.status, reply.code) == (401, "key_kind_not_in_query")


def test_a_key_may_come_as_its_own_header() -> None:
    assert get("daily", key=None, x_api_key=SECRET).status == 200


def test_a_key_reads_its_own_tenant_alone() -> None:
    everything = "start_date=2020-01-01&end_date=2026-12-31"
    assert get("daily", everything, key="rk_other").json["rows"] == []
    assert len(get("daily", everything).json["rows"]) == 7
    assert get("daily", f"{everything}&tenant=demo", key="rk_other").code == "unknown_parameter"


def test_a_key_s_own_filters_hold_whatever_is_asked() -> None:
    for query in ("", "agent=ada,bob", "agent=!bob"):
        total = get("nps", query, key="rk_ada").json["totals"][0]
        assert total["responses"] == 2


# -- operator keys


def test_an_operator_reads_the_tenants_that_it_names() -> None:
    query = "tenant=demo,other&preset=last_7_days&group_by=tenant&granularity=total"
    reply = get("daily", query, key="ok_operator").json
    assert [(r["tenant"], r["metric"], r["responses"]) for r in reply["rows"]] == [
        ("demo", "csat", 11),
        ("demo", "nps", 3),
    ]
    named = {entry["tenant"]: entry for entry in reply["meta"]["date_range"]["tenants"]}
    assert named["demo"]["timezone"] == "Europe/Berlin"
    assert named["other"]["start_date"] == "2026-11-14"
    assert reply["meta"]["warnings"] == []  # a build has found that the other has no answers


def test_an_operator_sees_what_is_withheld_from_a_report_key() -> None:
    query = "preset=last_month&order_by=responses"
    shown = {}
    for key, filters in (("ok_operator", "&tenant=demo"), (REPORT, "")):
        rows = get("agents", query + filters, key=key).json["rows"]
        shown[key] = [(row["agent"], row["responses"], row["average"]) for row in rows]
    assert shown["ok_operator"] == [("Müller, J.", 3, 3.0), ("ada", 7, 4.0)]
    assert shown[REPORT] == [("Müller, J.", 3, None), ("ada", 7, 4.0)]


def test_a_bound_key_and_an_operator_read_interactions() -> None:
    publish_tables()
    rows = get("agent-activity", "preset=this_month", key="rk_bound").json["rows"]
    assert [(row["agent"], row["handled"], row["engaged_pct"]) for row in rows] == [("ada", 1, 2.5)]
    query = "tenant=demo,other&preset=this_month"
    rows = get("customer-perspective", f"{query}&group_by=tenant", key="ok_operator").json["rows"]
    assert [(row["tenant"], row["entered"]) for row in rows] == [("demo", 7)]
    assert get("revenue", key="rk_ada").status == 200


@pytest.mark.parametrize("tenant", ["nobody", "demo,nobody", "DEMO", "!demo", "(none)", "a" * 5000])
def test_a_tenant_that_does_not_exist_is_not_found(tenant: str) -> None:
    with gets() as asked:
        reply = get("daily", f"tenant={tenant}", key="ok_operator")
    assert (reply.status, reply.code) == (404, "tenant_unknown")
    assert asked == []


def test_an_operator_s_pages_are_followed_and_named() -> None:
    query = "tenant=demo,other&group_by=agent&preset=all_time&limit=2&order_by=-responses"
    first = get("daily", query, key="ok_operator")
    second = get("daily", f"{query}&cursor={first.json['next_cursor']}", key="ok_operator")
    assert len(second.json["rows"]) == 2
    etag = first.headers["ETag"]
    assert get("daily", query, key="ok_operator", if_none_match=etag).status == 304
    other = query.replace("demo,other", "demo")
    assert get("daily", other, key="ok_operator").headers["ETag"] != etag


# -- comparisons


def test_a_comparison_reads_the_years_of_both_ranges_and_no_other() -> None:
    query = "start_date=2026-11-16&end_date=2026-12-31&compare=previous_year"
    with gets() as asked:
        reply = get("csat", query)
    assert asked == ["GetObject", "GetObject"]
    (row,) = reply.json["rows"]
    assert (row["responses"], row["responses_previous"]) == (11, 1)
    csv_reply = get("csat", f"{query}&format=csv")
    assert csv_reply.body.startswith('"metric","scale","responses","responses_previous",')


# -- bad requests, as the issue lists them


@pytest.mark.parametrize(
    ("report", "query", "status", "code"),
    [
        ("weekly", "", 404, "unknown_report"),
        ("DAILY", "", 404, "unknown_report"),
        ("daily", "group_by=planet", 400, "unknown_dimension"),
        ("daily", "media_type=voice", 400, "unknown_parameter"),
        ("daily", "preset=last_5_days", 400, "unknown_preset"),
        ("daily", "chanel=chat", 400, "unknown_parameter"),
        ("daily", "compare=last_period", 400, "unknown_comparison"),
        ("daily", "compare=previous_period&preset=all_time", 400, "compare_with_all_time"),
        ("daily", "fill=yes", 400, "unknown_value"),
        ("daily", "tenant=demo", 400, "unknown_parameter"),
        ("daily", "group_by=tenant", 400, "unknown_dimension"),
        ("daily", "start_date=2026-11-02&end_date=2026-11-01", 400, "start_after_end"),
        ("daily", "start_date=1626-11-21&end_date=2026-11-21", 400, "range_too_long"),
        ("daily", "start_date=2026-11-31&end_date=2026-12-01", 400, "invalid_date"),
        ("daily", "start_date=2026-11-01", 400, "missing_date"),
        ("daily", "preset=today&end_date=2026-11-21", 400, "preset_with_dates"),
        ("daily", "limit=10001", 400, "invalid_limit"),
        ("daily", "format=xlsx", 400, "unknown_format"),
        ("daily", "cursor=abc", 400, "invalid_cursor"),
        ("daily", "agent=%ff", 400, "invalid_query"),
        ("daily", "metric=%00", 400, "unknown_value"),
    ],
)
def test_bad_requests(report: str, query: str, status: int, code: str) -> None:
    with gets() as asked:
        reply = get(report, query)
    assert (reply.status, reply.code) == (status, code)
    if query and not query.startswith("cursor"):
        assert asked == []
        assert reply.json["errors" if code != "invalid_query" else "detail"]


def test_an_unknown_report_is_told_which_there_are() -> None:
    detail = get("weekly").json["detail"]
    assert all(name in detail for name in REPORTS)


def test_the_key_is_judged_before_the_question() -> None:
    assert get("weekly", "x=1", key=None).status == 401
    assert get("weekly", "x=1", key="pk_publishable").status == 403


# -- what is asked of S3


def test_a_report_over_a_year_takes_two_gets_and_none_while_they_are_in_memory() -> None:
    with gets() as asked:
        assert get("daily", "start_date=2025-11-22&end_date=2026-11-21").status == 200
    assert asked == ["GetObject", "GetObject"]
    with later(3600), gets() as asked:
        assert get("daily", "preset=last_7_days").status == 200
        assert get("nps", "preset=all_time").status == 200
    assert asked == []
    with gets() as asked:  # other dimensions, which other objects have
        assert get("source", "preset=last_12_months&format=csv").status == 200
    assert asked == ["GetObject", "GetObject"]


def test_a_year_of_three_parts_takes_three_gets() -> None:
    wide = "start_date=2025-11-22&end_date=2026-11-21"
    years = by_year(ANSWERS)
    held = sorted({answer.day for answer in years[2026]})
    parts = [
        ({day}, report_parts.cube_rows(lake.SCORES, [as_piece(a for a in some if a.day == day)]))
        for day, some in ((held[-1], years[2026]), (held[-2], years[2026]))
    ]
    stale = [*years[2026], *[Answer(held[-1], 1)] * 9]
    parts.append(({*held}, report_parts.cube_rows(lake.SCORES, [as_piece(stale)])))
    expected = get("daily", wide).json["rows"]
    publish_parts(lake.SCORES, 2026, parts, "built at the same")
    app.stage.cache_clear()
    with gets() as asked:
        assert get("daily", wide).json["rows"] == expected
    assert asked == ["GetObject"] * 4  # one of them of 2025
    app.stage.cache_clear()
    with gets() as asked:
        get("daily", f"start_date={held[-1]}&end_date={held[-1]}")
    assert asked == ["GetObject"]


def test_a_table_that_cannot_tell_what_is_asked_is_not_read() -> None:
    publish_tables()
    with gets() as asked:
        get("agent-activity", "group_by=agent,service_type,period")
    assert asked == ["GetObject"]
    with gets() as asked:
        get("agent-activity", "group_by=agent,period")
    assert asked == ["GetObject"]  # that of the sessions, as the interactions are known


def test_what_was_never_published_is_not_asked_for() -> None:
    with gets() as asked:
        assert get("daily", "start_date=1990-01-01&end_date=2024-12-31").json["rows"] == []
    assert asked == []


def test_a_rebuilt_year_is_seen_within_the_minute_and_gives_another_etag() -> None:
    before = get("daily", "preset=last_7_days")
    publish([*ANSWERS, Answer(date(2026, 11, 20), 1)], NOON_US)
    with later(61), gets() as asked:
        after = get("daily", "preset=last_7_days")
    assert asked == ["GetObject"]
    assert len(after.json["rows"]) == len(before.json["rows"]) + 1
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.json["meta"]["as_of"] == "2026-11-21T12:00:00Z"


def test_an_unchanged_year_is_not_asked_for_again() -> None:
    query = "preset=last_7_days"
    etag = get("daily", query).headers["ETag"]
    with later(61), gets() as asked:
        assert get("daily", query).headers["ETag"] == etag
    assert asked == []


def test_an_object_that_has_gone_is_looked_up_once_more_and_tried_once() -> None:
    query = "preset=last_7_days"
    keys = {*stored("reports/scores/tenant=demo/year=2026/")}
    before = get("geo", query)  # the process remembers the record, and one of its objects
    publish([*ANSWERS, Answer(date(2026, 11, 20), 1)], NOON_US)
    for key in keys:  # as housekeep does, a day later
        client("s3").delete_object(Bucket="lake", Key=key)
    assert get("geo", query).json == before.json
    with gets() as asked:
        after = get("agents", query)  # which needs another object of the same part
    assert after.status == 200
    assert sum(row["responses"] for row in after.json["rows"]) == 15
    assert asked == ["GetObject", "GetObject"]
    with gets() as asked:
        assert get("agents", query).headers["ETag"] == after.headers["ETag"]
    assert asked == []


@pytest.mark.parametrize("route", ["report", "dimension"])
def test_an_object_that_has_gone_for_good_is_a_503_after_two_tries(route: str) -> None:
    for key in stored("reports/scores/tenant=demo/year=2026/"):
        client("s3").delete_object(Bucket="lake", Key=key)
    with gets() as asked:
        reply = get("daily", "preset=last_7_days") if route == "report" else dimension("country")
    assert (reply.status, reply.code) == (503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert asked == ["GetObject", "GetObject"]
    assert get("nps", "start_date=2025-12-31&end_date=2025-12-31").status == 200


def test_the_etag_goes_by_the_rows_of_every_year_asked_for_and_of_no_other() -> None:
    narrow = "start_date=2026-11-01&end_date=2026-11-20"
    wide = "start_date=2025-11-01&end_date=2026-11-20"

    def etags() -> list[str]:
        app.stage.cache_clear()
        return [get("daily", query).headers["ETag"] for query in (narrow, wide)]

    first = etags()
    tenant = Tenants("pulse").get("demo")
    assert tenant is not None
    states = tenant.table("scores").years
    rows = report_parts.cube_rows(lake.SCORES, [as_piece(by_year(ANSWERS)[2025])])
    whole = [({date(2025, 12, 31)}, rows)]
    publish_parts(lake.SCORES, 2025, whole, states[2025].content)  # a fold changes no rows
    assert etags() == first
    publish_parts(lake.SCORES, 2025, whole, "other rows")
    assert etags()[0] == first[0]
    assert etags()[1] != first[1]


# -- conditional requests and pages


def test_a_reply_may_be_kept_by_its_caller_alone() -> None:
    headers = get("daily").headers
    assert headers["Cache-Control"] == "private, max-age=60"
    assert headers["Vary"] == "Authorization, X-Api-Key, Accept, Accept-Encoding"


def test_what_the_caller_has_is_not_sent_again() -> None:
    etag = get("daily").headers["ETag"]
    assert etag.startswith('W/"')  # one for the reply in both codings
    for named in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        reply = get("daily", if_none_match=named)
        assert (reply.status, reply.body, reply.headers["ETag"]) == (304, "", etag)
        assert "Vary" in reply.headers
    assert get("daily", if_none_match='"other"').status == 200
    assert get("daily", "channel=chat", if_none_match=etag).status == 200
    assert get("daily", if_none_match=etag, accept="text/csv").status == 200


COMPRESSED = "group_by=agent,country&preset=all_time&granularity=day&fill=true"


def test_a_long_reply_is_compressed_for_who_takes_it_so() -> None:
    plain = get("daily", COMPRESSED)
    sent = get("daily", COMPRESSED, accept_encoding="br, gzip")
    assert len(plain.body) > 10 * len(sent.body)
    assert sent.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(sent.body)).decode() == plain.body
    assert sent.headers["ETag"] == plain.headers["ETag"]
    assert sent.headers["Vary"] == plain.headers["Vary"]
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("accept_encoding", ["", "gzip"])
def test_whichever_form_the_caller_has_is_not_sent_again(accept_encoding: str) -> None:
    etag = get("daily", COMPRESSED, accept_encoding="gzip").headers["ETag"]
    reply = get("daily", COMPRESSED, accept_encoding=accept_encoding, if_none_match=etag)
    assert (reply.status, reply.body, reply.headers["ETag"]) == (304, "", etag)
    assert "Content-Encoding" not in reply.headers


def test_pages_follow_one_another_until_a_build_comes_between() -> None:
    query = "group_by=agent&preset=all_time&limit=2"
    first = get("daily", query).json
    second = get("daily", f"{query}&cursor={first['next_cursor']}").json
    assert len(first["rows"]) == len(second["rows"]) == 2
    assert first["rows"][1] != second["rows"][0]
    publish([*ANSWERS, Answer(date(2026, 11, 20), 1)], NOON_US)
    with later(61):
        reply = get("daily", f"{query}&cursor={first['next_cursor']}")
        assert (reply.status, reply.code) == (409, "cursor_outdated")
        assert "start over" in reply.json["detail"]


def test_a_cursor_from_a_process_that_knows_a_newer_build_is_followed() -> None:
    query = "group_by=agent&preset=all_time&limit=2"
    get("daily", query)  # this process remembers the old objects for a minute
    publish([*ANSWERS, Answer(date(2026, 11, 20), 1)], NOON_US)
    another = Reports.from_settings(ServeReportsSettings.from_environment())
    event = sample("daily") | {"rawQueryString": query}
    cursor = json.loads(answer(another.routes, event, Door(""))["body"])["next_cursor"]
    assert get("daily", f"{query}&cursor={cursor}").status == 200


# -- posted queries


def test_the_texts_of_a_posted_list_are_values_as_they_stand() -> None:
    publish([Answer(date(2026, 11, 16), 5, agent=name) for name in ("a+b", "!x", "50%2C", "a b")])
    days_asked = {"start_date": "2026-11-16", "end_date": "2026-11-16", "group_by": ["agent"]}
    for agents in (["a+b"], ["!x", "50%2C"], ["a b"]):
        rows = post("agents", {**days_asked, "agent": agents}).json["rows"]
        assert sorted(row["agent"] for row in rows) == sorted(agents)
    rows = post("agents", {**days_asked, "agent": "!a+b,%21x"}).json["rows"]
    assert sorted(row["agent"] for row in rows) == ["50%2C", "a b"]


def test_a_posted_query_may_have_thousands_of_values() -> None:
    agents = ["ada", *(f"nobody {number:05}" for number in range(4_000))]
    reply = post("agents", {"preset": "last_7_days", "agent": agents, "fill": False, "limit": 5})
    assert {row["agent"] for row in reply.json["rows"]} == {"ada"}


def test_the_pages_of_posted_csv_follow_each_other() -> None:
    asked = {"group_by": "agent", "preset": "all_time", "limit": 2, "format": "csv"}
    whole = list(csv.reader(io.StringIO(post("agents", asked | {"limit": 100}).body)))
    first = post("agents", asked)
    second = post("agents", asked | {"cursor": first.headers["X-Next-Cursor"]})
    read = [list(csv.reader(io.StringIO(page.body))) for page in (first, second)]
    assert whole[:5] == [*read[0], *read[1][1:]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "body_empty"),
        ("[]", 400, "body_not_object"),
        ({"agent": {"is": ["ada"]}}, 400, "not_text"),
        ({"agent": ["ada", None]}, 400, "not_text"),
        ({"limit": 2.5}, 400, "not_text"),
        ({"agent": []}, 400, "empty_value"),
        ({"limit": 0}, 400, "invalid_limit"),
        ({"fill": "yes"}, 400, "unknown_value"),
        ({"tenant": ["other"]}, 400, "unknown_parameter"),
        ({"agent": "a" * 64 * 1024}, 413, "body_too_large"),
    ],
)
def test_a_posted_query_is_refused_for_what_is_wrong(body: Any, status: int, code: str) -> None:
    reply = post("daily", body)
    assert (reply.status, reply.code) == (status, code)


def test_parameters_stand_in_the_body_or_in_the_address() -> None:
    assert post("daily", {}, query="preset=last_7_days").code == "query_beside_body"
    assert post("daily", {}, "fk_feed").code == "wrong_key_kind"
    assert post("daily", {}, if_none_match="*").status == 200


def test_an_address_that_would_not_pass_everywhere_is_refused() -> None:
    fitting = "agent=" + "a" * (8_000 - len("/v1/reports/daily?agent="))
    assert get("daily", fitting).status == 200
    report, of_dimension = get("daily", f"{fitting}a"), dimension("agent", f"{fitting}aaaaa")
    for reply in (report, of_dimension):
        assert (reply.status, reply.code) == (414, "address_too_long")
    assert "POST /v1/reports/{report}" in report.json["detail"]
    assert "POST" not in of_dimension.json["detail"]


# -- limits


def test_who_reads_too_much_waits_and_others_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_KEY_READS_PER_MINUTE", "4")
    app.stage.cache_clear()
    assert [get("daily").status for _ in range(4)] == [200] * 4
    with gets() as asked:
        refused = get("geo")
        assert asked == []
    assert (refused.status, refused.code) == (429, "key_limit")
    assert post("daily", {}).code == "key_limit"
    assert refused.headers["Retry-After"] == "15"
    assert get("daily", key=SECRET).status == 200
    with later(15):
        assert get("daily").status == 200


# -- when AWS fails, and what is logged


def test_a_lake_that_does_not_answer_is_a_503() -> None:
    def refuse(**_: Any) -> AWSResponse:
        return AWSResponse("https://s3", 503, HTTPHeaders(), _Empty())

    events = client("s3", fail_fast=True).meta.events
    events.register_first("before-send.s3.GetObject", refuse)
    try:
        reply = get("daily")
    finally:
        events.unregister("before-send.s3.GetObject", refuse)
    assert (reply.status, reply.code) == (503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert get("daily").status == 200


class _Empty(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield b""


def test_neither_key_nor_filter_is_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger(logger.name)
    root.addHandler(handler)
    try:
        get("daily", "agent=ada%20lovelace", x_forwarded_for="203.0.113.7")
        get("daily", "agent=ada%20lovelace", key="rk_never-given-out")
        get("daily", "ada%20lovelace=1")
    finally:
        root.removeHandler(handler)
    said = heard.getvalue() + caplog.text + "".join(capsys.readouterr())
    assert "Requests" in said  # the metric: something was heard
    for secret in (REPORT, "rk_never", "lovelace", "203.0.113.7"):
        assert secret not in said
