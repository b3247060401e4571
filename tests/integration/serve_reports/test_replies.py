"""Replies of serve_reports to the sample events, in the forms that callers ask for."""

import csv
import io

import pytest

from pulse import days
from pulse.reports.registry import REPORTS
from tests.integration.serve_reports.calling import ROOT, get, gets, publish_tables, sample, send


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


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("1990-01-01", "1990-01-01"),
        ("1990-01-01", "2040-02-07"),
        ("9949-11-24", "9999-12-31"),
        ("9999-12-31", "9999-12-31"),
    ],
)
def test_days_at_either_end_of_the_calendar_are_days_like_others(first: str, last: str) -> None:
    dates = f"start_date={first}&end_date={last}"
    for name in ("insights", "drivers", "dimension"):
        reply = send({**sample(name), "rawQueryString": dates})
        assert reply.status == 200, name
    for report in ("daily", "agents", "customer-perspective", "experience"):
        for granularity in days.GRANULARITIES[1:]:
            query = f"{dates}&granularity={granularity}&compare=previous_year"
            assert get(report, query).status == 200, (report, granularity)
    assert get("experience", f"{dates}&date_basis=entered&fill=true&granularity=week").status == 200


@pytest.mark.parametrize("day", ["0001-01-01", "1989-12-31"])
def test_days_before_all_events_are_refused(day: str) -> None:
    reply = get("daily", f"start_date={day}&end_date={day}")
    assert (reply.status, reply.code) == (400, "date_out_of_range")
