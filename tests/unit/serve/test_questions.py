"""Replies as wholes: their members, rows, columns and order."""

import csv
import io
from dataclasses import replace
from datetime import date

import pytest

from pulse.reports import surveys
from pulse.reports.registry import REPORTS, SURVEY, Report
from pulse.serve import identity
from tests.unit.serve.asking import DAY, REPORT_KEY, ask, body, many, plan
from tests.unit.serve.events import AGENTS, Answer

pytestmark = pytest.mark.usefixtures("noon")


# -- CSV for Excel


def test_csv_for_a_european_excel_has_semicolons_commas_and_a_mark() -> None:
    found = [*many(3, channel="chat"), Answer(DAY, 1, channel="ticket")]
    plain = list(csv.reader(io.StringIO(ask("source", found, "format=csv").body, newline="")))
    text = ask("source", found, "format=csv&excel=true&separator=semicolon").body
    assert text.startswith('\ufeff"metric";"scale";"channel";')
    for_excel = list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";"))
    assert for_excel[0] == plain[0]
    share, score = plain[0].index("share_pct"), plain[0].index("score")
    assert (plain[1][share], plain[1][score]) == ("75.00", "100.00")
    assert (for_excel[1][share], for_excel[1][score]) == ("75,00", "100,00")


def test_each_form_of_csv_has_an_etag_of_its_own() -> None:
    found = many(1)
    forms = ("", "&excel=true", "&separator=semicolon", "&excel=true&separator=semicolon")
    etags = {identity.etag(plan("source", found, f"format=csv{form}")) for form in forms}
    assert len(etags) == len(forms)


# -- form


def test_a_reply_has_the_form_that_the_interface_promises() -> None:
    found = [*many(3, channel="chat"), Answer(DAY, 1, channel="ticket")]
    reply = body("source", found, "preset=last_30_days")
    assert list(reply) == ["report", "meta", "columns", "rows", "totals", "next_cursor"]
    assert reply["report"] == "source"
    assert reply["meta"] == {
        "date_range": {
            "preset": "last_30_days",
            "start_date": "2026-10-22",
            "end_date": "2026-11-20",
            "timezone": "Europe/Berlin",
        },
        "as_of": "1970-01-01T00:00:00Z",
        "filters": {},
        "engine": "reports",
        "formulas": ["csat_pct@1"],
        "warnings": [],
    }
    assert reply["columns"][:4] == [
        {"name": "metric", "kind": "dimension"},
        {"name": "scale", "kind": "dimension"},
        {"name": "channel", "kind": "dimension"},
        {"name": "responses", "kind": "metric", "unit": "count"},
    ]
    assert reply["rows"][0] == {
        "metric": "csat",
        "scale": "1-5",
        "channel": "chat",
        "responses": 3,
        "share_pct": 75.0,
        "average": 4.0,
        "median": 4,
        "score": 100.0,
        "ci_low": 43.85,
        "ci_high": 100.0,
    }
    assert [row["channel"] for row in reply["totals"]] == [None]
    assert reply["totals"][0]["responses"] == 4
    assert reply["next_cursor"] is None


def test_filters_are_shown_as_they_hold() -> None:
    key = replace(REPORT_KEY, filters={"agent": ("ada",), "country": ("(none)", "DE")})
    meta = body("source", many(1, agent="ada"), "country=!DE&channel=!chat", key=key)["meta"]
    assert meta["filters"] == {
        "channel": {"is_not": ["chat"]},
        "agent": {"is": ["ada"]},
        "country": {"is": [None]},
    }


def test_names_of_any_kind_survive_json_csv_and_filters() -> None:
    from urllib.parse import quote

    names = [name for name in AGENTS if name]
    found = [Answer(DAY, 4, agent=name) for name in names]
    rows = body("source", found, "group_by=agent")["rows"]
    assert sorted(row["agent"] for row in rows) == sorted(names)
    lines = csv.DictReader(
        io.StringIO(ask("source", found, "group_by=agent&format=csv").body, newline=""),
        strict=True,
    )
    in_csv = {line["agent"] for line in lines}
    assert in_csv == {f"'{name}" if name.startswith("=") else name for name in names}
    for name in names:
        filtered = body("source", found, f"group_by=agent&agent={quote(name, safe='')}")
        assert [row["agent"] for row in filtered["rows"]] == [name]


def test_the_days_of_a_year_s_turn_come_from_two_objects() -> None:
    found = [Answer(date(2025, 12, 31), 5), Answer(date(2026, 1, 1), 1), Answer(DAY, 3)]
    rows = body("daily", found, "start_date=2025-12-29&end_date=2026-01-04&granularity=week")
    assert [(row["period"], row["responses"]) for row in rows["rows"]] == [("2025-12-29", 2)]


# -- values that are always there


def test_all_three_channels_are_there_for_every_scale_that_the_result_has() -> None:
    found = [Answer(DAY, 4, channel="chat"), Answer(DAY, 9, metric="nps", scale="0-10")]
    rows = body("source", found)["rows"]
    shown = [(row["metric"], row["channel"], row["responses"]) for row in rows]
    assert shown == [
        ("csat", "chat", 1),
        ("csat", "external", 0),
        ("csat", "ticket", 0),
        ("nps", "chat", 1),
        ("nps", "external", 0),
        ("nps", "ticket", 0),
    ]
    assert rows[1]["share_pct"] == 0.0
    assert rows[1]["score"] is None


def test_channels_are_there_in_each_period_and_beside_each_country() -> None:
    found = [Answer(DAY, 4, country="DE"), Answer(date(2026, 11, 19), 4, country="FR")]
    rows = body("source", found, "group_by=channel,country&granularity=day")["rows"]
    assert [(row["period"], row["country"], row["channel"]) for row in rows] == [
        ("2026-11-19", "FR", "chat"),
        ("2026-11-19", "FR", "external"),
        ("2026-11-19", "FR", "ticket"),
        ("2026-11-20", "DE", "chat"),
        ("2026-11-20", "DE", "external"),
        ("2026-11-20", "DE", "ticket"),
    ]


def test_no_data_has_no_rows_at_all() -> None:
    for report in REPORTS:
        reply = body(report, [])
        assert (reply["totals"], reply["next_cursor"]) == ([], None)
        assert bool(reply["rows"]) == (report == "rates")
        assert reply["meta"]["as_of"] is None
        assert [w["code"] for w in reply["meta"]["warnings"]] == ["nothing_built"]
    assert body("nps", many(5))["breakdown"] == []


def test_filters_that_exclude_each_other_are_warned_of() -> None:
    warnings = body("nps", many(3), "metric=csat")["meta"]["warnings"]
    assert [warning["code"] for warning in warnings] == ["contradicting_filters"]


# -- order


FOUR = [
    *many(3, country="FR"),
    *many(2, country="DE"),
    Answer(DAY, 1, country="DE"),
    *many(1, country="AT"),
    Answer(DAY, 5, country=None),
]


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ("", ["AT", "DE", "FR", None]),
        ("country", ["AT", "DE", "FR", None]),
        ("-country", ["FR", "DE", "AT", None]),
        ("-responses", ["DE", "FR", "AT", None]),
        ("responses,-country", ["AT", None, "FR", "DE"]),
        ("score", ["DE", "AT", "FR", None]),
        ("-average,-country", [None, "FR", "AT", "DE"]),
    ],
)
def test_rows_come_in_the_order_asked_for(order_by: str, expected: list[str | None]) -> None:
    query = "group_by=country" + (f"&order_by={order_by}" if order_by else "")
    assert [row["country"] for row in body("source", FOUR, query)["rows"]] == expected


def test_rows_without_a_value_come_last_in_either_direction() -> None:
    for order_by in ("score", "-score"):
        rows = body("source", many(2, channel="external"), f"order_by={order_by}")["rows"]
        assert [row["channel"] for row in rows] == ["external", "chat", "ticket"]


# -- reports of a kind of their own


def test_rates_have_all_eleven_scores() -> None:
    found = [Answer(DAY, score, metric="nps", scale="0-10") for score in (10, 10, 0)]
    rows = body("rates", found)["rows"]
    assert [row["score_value"] for row in rows] == list(range(11))
    assert [row["responses"] for row in rows] == [1, *[0] * 9, 2]
    assert [row["share_pct"] for row in rows] == [33.33, *[0.0] * 9, 66.67]
    assert [row["responses"] for row in body("rates", many(4))["rows"]] == [0] * 11
    assert body("rates", found)["meta"]["formulas"] == ["share_pct@1"]


def test_browsers_have_rows_over_every_scale() -> None:
    found = [
        *many(3, browser="Firefox", os="Linux"),
        Answer(DAY, 9, metric="nps", scale="0-10", browser="Safari"),
    ]
    reply = body("browsers", found)
    over_all = [row for row in reply["rows"] if row["metric"] == "all"]
    assert [(r["scale"], r["browser"], r["responses"], r["share_pct"]) for r in over_all] == [
        (None, "Firefox", 3, 75.0),
        (None, "Safari", 1, 25.0),
    ]
    assert {row["score"] for row in over_all} == {row["average"] for row in over_all} == {None}
    assert [(row["metric"], row["responses"]) for row in reply["totals"]] == [
        ("all", 4),
        ("csat", 3),
        ("nps", 1),
    ]
    both = body("browsers", found, "group_by=browser,os")["rows"]
    assert (both[0]["browser"], both[0]["os"]) == ("Firefox", "Linux")


# -- a further report is one entry


def test_a_further_report_is_one_entry() -> None:
    scored = (surveys.AVERAGE, surveys.MEDIAN, surveys.SCORE)
    by_survey = Report(
        name="surveys",
        title="Scores by survey",
        text="",
        family=SURVEY,
        group_by=("survey",),
        metrics=(surveys.RESPONSES, surveys.SHARE_PCT, *scored),
    )
    found = [*many(1, survey="b"), *many(2, survey="a")]
    assert [row["survey"] for row in body(by_survey, found)["rows"]] == ["a", "b"]
