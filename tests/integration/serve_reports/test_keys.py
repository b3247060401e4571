"""Which keys read which reports, of which tenants, and how often."""

import pytest

from functions.serve_reports import app
from tests.integration.serve_reports.calling import (
    REPORT,
    SECRET,
    get,
    gets,
    later,
    post,
    publish_tables,
    sample,
    send,
)


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


@pytest.mark.parametrize("event", ["insights", "drivers"])
def test_insights_count_as_ten_reads(event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_KEY_READS_PER_MINUTE", "20")
    app.stage.cache_clear()
    asked = sample(event)
    asked["headers"]["authorization"] = f"Bearer {REPORT}"
    assert [send(asked).status for _ in range(3)] == [200, 200, 429]
    assert get("daily", key=SECRET).status == 200
