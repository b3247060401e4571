"""Queries of reports that are sent as the body of a POST."""

import csv
import io
from datetime import date
from typing import Any

import pytest

from tests.integration.serve_reports.calling import dimension, get, post, publish
from tests.unit.serve.events import Answer


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
