"""Replies as wholes: their form, order, pages, names, and what a key may not see."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pulse import days
from pulse.days import DateRange
from pulse.errors import BadRequestError, ForbiddenError, OutdatedError, UnprocessableError
from pulse.http import Reply
from pulse.reports import surveys
from pulse.reports.registry import REPORTS, SURVEY, Report
from pulse.serve import groups, identity
from pulse.serve import reply as reply_module
from pulse.serve.answer import answer
from pulse.serve.cursors import Cursor
from pulse.serve.meta import meta_of
from pulse.serve.plan import Plan, plan_of
from pulse.serve.query import parse
from pulse.serve.years import TenantYears
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Behind, Tenant
from pulse.unbuilt import Unbuilt
from tests.unit.serve.events import AGENTS, Answer, as_years, built, pairs

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 20)
TENANT = Tenant("acme", "Acme", timezone="Europe/Berlin")
SECRET = Key("0" * 64, "secret", "acme", 0)
REPORT_KEY = replace(SECRET, kind="report")


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with days.clock(lambda: NOON):
        yield


def years(found: list[Answer], tenant: str = "acme") -> TenantYears:
    return {tenant: as_years(found)}


def plan(
    report: Report | str,
    found: list[Answer],
    query: str = "",
    *,
    key: Key = SECRET,
    tenant: Tenant = TENANT,
    content: str = "hash",
) -> Plan:
    report = REPORTS[report] if isinstance(report, str) else report
    known = built(tenant, found, content=content)
    return plan_of(report, parse(pairs(query), report), [known], key)


def ask(report: Report | str, found: list[Answer], query: str = "", **given: Any) -> Reply:
    return answer(plan(report, found, query, **given), years(found), query)


def body(report: Report | str, found: list[Answer], query: str = "", **given: Any) -> Any:
    return json.loads(ask(report, found, query, **given).body)


def many(n: int, **given: Any) -> list[Answer]:
    return [Answer(DAY, 4, **given)] * n


# -- filters that match nothing


def unmatched(query: str, found: list[Answer], **given: Any) -> list[str]:
    """The messages of the warning filter_matches_nothing."""
    warnings = body("source", found, query, **given)["meta"]["warnings"]
    return [one["message"] for one in warnings if one["code"] == "filter_matches_nothing"]


@pytest.mark.parametrize(
    "query",
    ["agent=a1", "agent=a1,a2", "agent=a1&agent=a2", "agent=!a1", "agent=(none)", "country=(none)"],
)
def test_filters_whose_values_there_are_need_no_warning(query: str) -> None:
    found = [Answer(DAY, 4, agent="a1"), Answer(DAY, 3, agent="a2")]
    assert unmatched(query, found) == []


def test_an_escaped_comma_is_part_of_the_value_and_the_warning_says_how_to_write_two() -> None:
    found = [Answer(DAY, 4, agent="a1"), Answer(DAY, 3, agent="a2")]
    assert unmatched("agent=a1%2Ca2", found) == [
        "agent: nothing in the days asked for has the value 'a1,a2'. A comma that is written as "
        "%2C belongs to the value; for several values write agent=a,b or agent=a&agent=b."
    ]


def test_each_value_that_matches_nothing_is_named_and_what_is_excluded_too() -> None:
    found = [Answer(DAY, 4, agent="a1", country="DE")]
    assert unmatched("agent=a1,a3,a2&country=!FR,DE", found) == [
        "agent: nothing in the days asked for has any of the values 'a2', 'a3'.",
        "country: nothing in the days asked for has the value 'FR'.",
    ]


def test_a_value_is_found_in_either_form_of_its_name() -> None:
    decomposed, composed = "Jose\u0301", "Jos\u00e9"
    for stored in (decomposed, composed):
        found = [Answer(DAY, 4, agent=stored)]
        assert unmatched("agent=Jose%CC%81", found) == []


def test_only_days_that_are_asked_for_or_compared_with_count() -> None:
    found = [Answer(date(2026, 2, 3), 4, agent="a1"), Answer(DAY, 4, agent="a2")]
    days = f"start_date={DAY}&end_date={DAY}&agent=a1"
    assert unmatched(days, found) == ["agent: nothing in the days asked for has the value 'a1'."]
    before = replace(found[0], day=DAY - timedelta(days=1))
    assert unmatched(f"{days}&compare=previous_period", [before, found[1]]) == []


def test_what_a_key_is_bound_to_and_a_tenant_without_answers_are_not_warned_of() -> None:
    key = replace(SECRET, filters={"agent": ("nobody",)})
    assert unmatched("country=DE", many(1, country="DE"), key=key) == []
    assert unmatched("agent=a1", []) == []


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


# -- pages


def countries(n: int) -> list[Answer]:
    return [Answer(DAY, 1 + number % 5, country=f"C{number:03}") for number in range(n)]


def test_pages_follow_one_another_without_gap_or_repetition() -> None:
    found = countries(25)
    whole = body("source", found, "group_by=country&order_by=-score")
    rows: list[Any] = []
    query = "group_by=country&order_by=-score&limit=10"
    cursor = ""
    for expected in (10, 10, 5):
        page = body("source", found, f"{query}{cursor}")
        assert len(page["rows"]) == expected
        assert page["totals"] == whole["totals"]
        rows += page["rows"]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert rows == whole["rows"]


def test_a_page_ends_before_its_bytes_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_module, "PAGE_BYTES", 3_000)
    found = countries(200)
    for form in ("json", "csv"):
        reply = ask("source", found, f"group_by=country&format={form}")
        assert 2_800 < len(reply.body.encode()) <= 3_000
        assert "cursor=" in reply.headers.get("Link", "") or '"next_cursor":"' in reply.body


def test_a_cursor_of_other_rows_is_outdated() -> None:
    found = countries(25)
    query = "group_by=country&limit=10"
    cursor = body("source", found, query)["next_cursor"]
    asked = plan("source", found, f"{query}&cursor={cursor}", content="rebuilt")
    with pytest.raises(OutdatedError) as error:
        answer(asked, years(found), "")
    problem = error.value.problem()
    assert (problem["status"], problem["code"]) == (409, "cursor_outdated")


def test_a_preset_that_means_other_days_by_now_outdates_its_cursor() -> None:
    found = countries(25)
    query = "group_by=country&limit=10&preset=last_7_days"
    cursor = body("source", found, query)["next_cursor"]
    with (
        days.clock(lambda: datetime(2026, 11, 22, 12, tzinfo=UTC)),
        pytest.raises(OutdatedError),
    ):
        ask("source", found, f"{query}&cursor={cursor}")


@pytest.mark.parametrize(
    "cursor",
    ["x", "!", "%FF", "", "e30", "W10", "WyJhIiwiYiIsLTFd", "é", "bnVsbA", "WyJhIiwiYiIsMV0"],
)
def test_a_cursor_that_was_never_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequestError) as error:
        ask("source", countries(3), f"cursor={cursor}")
    assert error.value.code in ("invalid_cursor", "invalid_query")


@pytest.mark.parametrize("position", [10**19, 2**31, True, 1.5])
def test_a_cursor_with_a_position_that_no_reply_has_is_refused(position: Any) -> None:
    found = countries(25)
    query = "group_by=country&limit=10"
    given = Cursor.parse(body("source", found, query)["next_cursor"])
    made_up = replace(given, position=position).text()
    with pytest.raises(BadRequestError) as error:
        ask("source", found, f"{query}&cursor={made_up}")
    assert error.value.code == "invalid_cursor"


def test_a_cursor_of_another_query_is_refused() -> None:
    found = countries(25)
    cursor = body("source", found, "group_by=country&limit=10")["next_cursor"]
    for other in ("group_by=country,agent", "group_by=country&channel=chat", "preset=today"):
        with pytest.raises(BadRequestError) as error:
            ask("source", found, f"{other}&cursor={cursor}")
        assert error.value.code == "invalid_cursor"


def test_csv_links_to_its_next_page_with_the_query_as_it_was_sent() -> None:
    found = countries(12)
    query = "group_by=country&limit=10&format=csv&agent=!a%2Cb"
    reply = ask("source", found, query)
    link = reply.headers["Link"]
    assert link.startswith(f"</v1/reports/source?{query}&cursor=")
    assert link.endswith('>; rel="next"')
    follow = link[1:].split(">")[0].split("?")[1]
    last = ask("source", found, follow)
    assert last.body.count("\r\n") == 3
    assert "Link" not in last.headers


def test_a_link_cannot_be_broken_out_of() -> None:
    query = 'group_by=country&limit=1&format=csv&agent=!a>;<"b'
    link = ask("source", countries(2), query).headers["Link"]
    assert link.count("<") == link.count(">") == 1
    assert '"b' not in link


def test_a_csv_file_is_named_after_its_report_and_days() -> None:
    reply = ask("daily", many(1), "start_date=2026-11-01&end_date=2026-11-20&format=csv")
    assert (
        reply.headers["Content-Disposition"]
        == 'attachment; filename="daily_2026-11-01_2026-11-20.csv"'
    )
    assert reply.body == (
        '"period","metric","scale","responses","average","median","score","ci_low","ci_high",'
        '"partial"\r\n"2026-11-20","csat","1-5",1,4.00,4,100.00,20.65,100.00,false\r\n'
    )


# -- names of replies


def test_the_etag_names_all_that_makes_the_bytes() -> None:
    found = countries(25)
    etags = {
        identity.etag(plan("source", found, query, tenant=tenant, content=content))
        for query in ("", "limit=5", "format=csv", "channel=chat", "preset=today", "order_by=score")
        for tenant in (TENANT, replace(TENANT, id="other"))
        for content in ("e", "f")
    }
    assert len(etags) == 6 * 2 * 2


def test_the_same_question_has_the_same_etag_however_it_is_written() -> None:
    found = countries(3)
    first = plan("source", found, "channel=chat,ticket&agent=(none)")
    second = plan("source", found, "agent=%28none%29&channel=ticket,chat")
    assert identity.etag(first) == identity.etag(second)


def test_a_build_that_changes_nothing_else_changes_as_of_and_the_etag() -> None:
    found = countries(3)
    first = plan("source", found)
    (one,) = first.tenants
    built_again = replace(one, tenant=built(TENANT, found, as_of_us=2_000_000))
    later = replace(first, tenants=(built_again,))
    assert identity.etag(first) != identity.etag(later)


# -- what a key may see


def test_a_key_s_filters_are_added_and_cannot_be_widened() -> None:
    key = replace(SECRET, filters={"agent": ("ada",)})
    found = [*many(5, agent="ada"), *many(7, agent="bob"), *many(9)]
    for query in ("", "agent=ada,bob", "agent=!bob", "agent=!(none)"):
        reply = body("source", found, query, key=key)
        assert [row["responses"] for row in reply["totals"]] == [5]
    assert body("source", found, "agent=bob", key=key)["rows"] == []


def test_a_key_bound_to_a_dimension_that_the_report_lacks_is_refused() -> None:
    key = replace(REPORT_KEY, filters={"media_type": ("voice",)})
    with pytest.raises(ForbiddenError) as error:
        ask("source", many(1), key=key)
    assert error.value.code == "filter_not_applicable"


def test_agents_judged_by_too_few_are_withheld_from_report_keys() -> None:
    found = [*many(4, agent="ada"), *many(5, agent="bob")]
    reply = body("source", found, "group_by=agent&order_by=-score", key=REPORT_KEY)
    bob, ada = reply["rows"]
    assert ada == {
        "metric": "csat",
        "scale": "1-5",
        "agent": "ada",
        "responses": 4,
        "share_pct": 44.44,
        "average": None,
        "median": None,
        "score": None,
        "ci_low": None,
        "ci_high": None,
        "withheld": True,
    }
    assert (bob["score"], bob["withheld"]) == (100.0, False)
    assert reply["columns"][-1] == {"name": "withheld", "kind": "flag"}


def test_other_keys_and_other_dimensions_are_not_withheld() -> None:
    found = many(4, agent="ada")
    assert body("source", found, "group_by=agent")["rows"][0]["score"] == 100.0
    rows = body("source", found, key=REPORT_KEY)["rows"]
    assert rows[0]["score"] == 100.0
    assert "withheld" not in rows[0]


def test_a_filter_on_an_agent_withholds_the_distribution_too() -> None:
    found = [Answer(DAY, 3, metric="nps", scale="0-10", agent="ada")] * 4
    key = replace(REPORT_KEY, filters={"agent": ("ada",)})
    reply = body("nps", found, key=key)
    (row,) = reply["rows"]
    assert {row[name] for name in ("nps", "promoters", "detractors_pct", "ci_low")} == {None}
    assert row["responses"] == 4
    assert {part["responses"] for part in reply["breakdown"]} == {None}
    assert all(part["withheld"] for part in reply["breakdown"])


def test_the_tenant_sets_its_own_minimum_sample() -> None:
    found = many(4, agent="ada")
    tenant = replace(TENANT, min_sample=4)
    reply = body("source", found, "group_by=agent", key=REPORT_KEY, tenant=tenant)
    assert reply["rows"][0]["score"] == 100.0


def test_how_often_each_score_was_given_would_tell_a_withheld_score() -> None:
    found = [
        *[Answer(DAY, 3, metric="nps", scale="0-10", agent="ada")] * 4,
        *[Answer(DAY, 9, metric="nps", scale="0-10", agent="bob")] * 5,
    ]
    reply = body("rates", found, "group_by=agent&subtotals=true", key=REPORT_KEY)
    ada = [row for row in reply["rows"] if row["agent"] == "ada"]
    bob = [row for row in reply["rows"] if row["agent"] == "bob"]
    assert len(ada) == len(bob) == 12  # eleven scores and their subtotal
    assert {(row["responses"], row["share_pct"], row["withheld"]) for row in ada} == {
        (None, None, True)
    }
    assert {row["withheld"] for row in bob} == {False}
    assert [row["responses"] for row in bob if row["responses"]] == [5, 5]


def test_a_comparison_withholds_what_either_side_would_tell() -> None:
    before = date(2026, 10, 1)
    found = [*many(9, agent="ada"), *[Answer(before, 1, agent="ada")] * 4]
    query = "preset=last_28_days&compare=previous_period&group_by=agent"
    (row,) = body("geo", found, query, key=REPORT_KEY)["rows"]
    assert (row["score"], row["score_previous"], row["score_change"]) == (100.0, None, None)
    assert (row["responses_change"], row["withheld"]) == (5, True)


# -- comparisons

THEN = date(2026, 10, 20)  # in the four weeks before the last
TWO_PERIODS = [
    *many(12, country="DE"),
    *[Answer(THEN, score, country="DE") for score in (1, 1, 1, 1, 1, 1, 1, 1, 5, 5)],
    *many(3, country="FR"),
    *[Answer(THEN, 2, country="AT")] * 2,
]


def test_a_comparison_stands_beside_each_metric() -> None:
    reply = body("geo", TWO_PERIODS, "compare=previous_period")
    assert reply["meta"]["compare"] == {
        "with": "previous_period",
        "start_date": "2026-09-26",
        "end_date": "2026-10-23",
    }
    names = [column["name"] for column in reply["columns"]]
    assert names[3:6] == ["responses", "responses_previous", "responses_change"]
    shown = {column["name"]: column for column in reply["columns"]}
    assert shown["score_change"] == {
        "name": "score_change",
        "kind": "change",
        "unit": "points",
        "metric": "score",
    }
    assert shown["score_significant"]["kind"] == "significant"
    germany = reply["rows"][1]
    assert (germany["score"], germany["score_previous"]) == (100.0, 20.0)
    assert (germany["score_change"], germany["score_significant"]) == (80.0, True)


def test_a_group_of_one_period_alone_has_its_row() -> None:
    austria, _, france = body("geo", TWO_PERIODS, "compare=previous_period")["rows"]
    assert (austria["country"], austria["responses"], austria["responses_previous"]) == ("AT", 0, 2)
    assert (austria["score"], austria["score_previous"]) == (None, 0.0)
    assert (austria["score_change"], austria["responses_change"]) == (None, -2)
    assert (france["responses_previous"], france["responses_change"]) == (0, 3)
    assert (france["score_change"], france["score_significant"]) == (None, None)


def test_nothing_changes_from_an_empty_period() -> None:
    (row,) = body("geo", many(3, country="FR"), "compare=previous_year")["rows"]
    assert (row["responses_previous"], row["share_pct_previous"]) == (0, None)
    assert {value for name, value in row.items() if name.endswith("_change")} == {None}


def test_the_totals_are_compared_too() -> None:
    (total,) = body("geo", TWO_PERIODS, "compare=previous_period")["totals"]
    assert (total["responses"], total["responses_previous"]) == (15, 12)
    assert total["score_significant"] is True


def several(day: date, n: int, score: int = 4) -> list[Answer]:
    return [Answer(day, score)] * n


def beside(reply: Any) -> list[tuple[Any, ...]]:
    """Of each row its period, the answers now and before, and whether it is partial."""
    names = ("period", "responses", "responses_previous", "partial")
    return [tuple(row[name] for name in names) for row in reply["rows"]]


def test_days_that_the_month_asked_for_lacks_stand_beside_its_last_one() -> None:
    found = [
        Answer(date(2026, 2, 1), 5),
        Answer(date(2026, 2, 28), 5),
        Answer(date(2026, 1, 1), 1),
        Answer(date(2026, 1, 30), 1),  # February has no thirtieth day
    ]
    with days.clock(lambda: datetime(2026, 3, 5, 12, tzinfo=UTC)):
        reply = body("daily", found, "preset=last_month&compare=previous_period")
    assert beside(reply) == [("2026-02-01", 1, 1, False), ("2026-02-28", 1, 1, True)]
    assert reply["totals"][0]["responses_previous"] == 2
    assert reply["totals"][0]["partial"] is None
    assert reply["meta"]["warnings"] == []


@pytest.mark.parametrize(("now", "before"), [(2024, 2023), (2025, 2024)])
def test_a_date_stands_beside_the_same_date_of_the_year_before(now: int, before: int) -> None:
    found = several(date(before, 3, 10), 20) + several(date(now, 3, 10), 20)
    query = f"start_date={now}-01-01&end_date={now}-12-31&compare=previous_year"
    assert beside(body("daily", found, query)) == [(f"{now}-03-10", 20, 20, False)]


def test_29_february_stands_beside_the_28th() -> None:
    found = several(date(2024, 2, 28), 2) + several(date(2024, 2, 29), 3)
    query = "start_date=2025-02-27&end_date=2025-03-01&compare=previous_year"
    assert beside(body("daily", found, query)) == [("2025-02-28", 0, 5, True)]
    query = "start_date=2025-02-27&end_date=2025-03-01&compare=previous_year&granularity=week"
    assert beside(body("daily", found, query)) == [("2025-02-24", 0, 5, True)]


def test_of_29_february_alone_the_day_before_is_that_of_the_28th() -> None:
    found = several(date(2024, 2, 29), 2) + several(date(2023, 2, 28), 3)
    query = "start_date=2024-02-29&end_date=2024-02-29&compare=previous_year"
    assert beside(body("daily", found, query)) == [("2024-02-29", 2, 3, False)]


def test_parts_of_weeks_are_compared_with_as_many_days() -> None:
    found = [Answer(date(2025, 2, 19) + timedelta(days=at), 5) for at in range(20)]
    query = "start_date=2025-03-01&end_date=2025-03-10&compare=previous_period&granularity=week"
    sunday = replace(TENANT, week_start="sunday")
    assert beside(body("daily", found, query, tenant=sunday)) == [
        ("2025-02-23", 1, 1, True),
        ("2025-03-02", 7, 7, False),
        ("2025-03-09", 2, 2, True),
    ]


def test_what_stands_beside_another_number_of_days_is_not_called_significant() -> None:
    found = several(date(2026, 1, 15), 30, 1) + several(date(2026, 2, 15), 30, 5)
    with days.clock(lambda: datetime(2026, 3, 5, 12, tzinfo=UTC)):
        reply = body("daily", found, "preset=last_month&compare=previous_period&granularity=month")
    (row,) = reply["rows"]
    assert (row["score_change"], row["score_significant"], row["partial"]) == (100.0, None, True)
    assert reply["totals"][0]["score_significant"] is True


def test_without_a_comparison_a_period_is_partial_where_the_range_cuts_it() -> None:
    found = [Answer(date(2026, month, 15), 5) for month in (1, 2, 3)]
    query = "start_date=2026-01-02&end_date=2026-03-31&granularity=month"
    rows = body("daily", found, query)["rows"]
    assert [row["partial"] for row in rows] == [True, False, False]


def test_without_periods_nothing_is_partial() -> None:
    reply = body("geo", many(1), "")
    assert "partial" not in reply["rows"][0]


def test_rows_are_ordered_by_how_they_changed() -> None:
    query = "compare=previous_period&order_by=-responses_change"
    rows = body("geo", TWO_PERIODS, query)["rows"]
    assert [row["country"] for row in rows] == ["FR", "DE", "AT"]


# -- empty periods, subtotals


def test_fill_gives_each_group_a_row_in_every_period() -> None:
    found = [Answer(date(2026, 11, 2), 5, country="DE"), Answer(date(2026, 11, 4), 1)]
    query = "start_date=2026-11-02&end_date=2026-11-04&granularity=day&fill=true"
    rows = body("geo", found, query)["rows"]
    assert [(row["period"][-2:], row["country"], row["responses"]) for row in rows] == [
        ("02", "DE", 1),
        ("02", None, 0),
        ("03", "DE", 0),
        ("03", None, 0),
        ("04", "DE", 0),
        ("04", None, 1),
    ]
    assert rows[1]["share_pct"] == 0.0
    assert rows[2]["share_pct"] is None
    assert rows[2]["score"] is None


def test_fill_of_nothing_is_nothing_but_scores() -> None:
    query = "start_date=2026-11-02&end_date=2026-11-04&granularity=day&fill=true"
    assert body("geo", [], query)["rows"] == []
    assert len(body("rates", [], query)["rows"]) == 33


def periods(query: str, found: list[Answer]) -> list[str]:
    rows = body("geo", found, f"{query}&fill=true")["rows"]
    return [row["period"] for row in rows]


def test_one_old_answer_makes_no_decades_of_empty_rows() -> None:
    found = [Answer(date(1990, 12, 31), 5), Answer(DAY, 4)]
    daily = periods("preset=all_time&granularity=day", found)
    assert (daily[0], daily[1], daily[-1]) == ("1990-12-31", "2026-01-01", "2026-11-21")
    assert len(daily) == 1 + 325
    weekly = periods("preset=all_time&granularity=week", found)
    assert weekly[:3] == ["1990-12-31", "2025-12-29", "2026-01-05"]
    monthly = periods("preset=all_time&granularity=month", found)
    assert monthly[:2] == ["1990-12-01", "2026-01-01"]
    named = periods("start_date=1990-12-31&end_date=1991-01-03&granularity=day", found)
    assert named[1:] == ["1991-01-01", "1991-01-02", "1991-01-03"]


def test_more_empty_periods_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 50)
    query = "start_date=1990-01-01&end_date=2026-11-20&granularity=day&fill=true"
    with pytest.raises(UnprocessableError) as error:
        body("geo", many(1), query)
    assert error.value.code == "too_many_groups"


def test_a_subtotal_is_told_apart_from_a_value_that_is_not_given() -> None:
    found = [
        *many(2, channel="chat", country="DE"),
        *many(1, channel="chat"),
        *many(1, channel="ticket"),
    ]
    reply = body("geo", found, "group_by=channel,country&subtotals=true")
    rows = [(r["channel"], r["country"], r["level"], r["responses"]) for r in reply["rows"]]
    assert rows == [
        (None, None, 0, 4),
        ("chat", None, 1, 3),
        ("chat", "DE", 2, 2),
        ("chat", None, 2, 1),
        ("ticket", None, 1, 1),
        ("ticket", None, 2, 1),
    ]
    assert [row["share_pct"] for row in reply["rows"]] == [100.0, 75.0, 50.0, 25.0, 25.0, 25.0]
    assert reply["columns"][4] == {"name": "level", "kind": "level"}
    assert [total["level"] for total in reply["totals"]] == [0]


def test_a_subtotal_s_median_is_not_made_of_medians() -> None:
    found = [*many(3, country="DE"), *[Answer(DAY, 1, country="FR")] * 2]
    whole, *_ = body("geo", found, "subtotals=true")["rows"]
    assert (whole["average"], whole["median"]) == (2.8, 4)


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


# -- operators

GLOBEX = Tenant("globex", "Globex", timezone="Pacific/Kiritimati")  # where it is the 22nd already
OPERATOR = Key("1" * 64, "operator", None, 0)


def across(report: str, found: list[tuple[Tenant, list[Answer]]], query: str) -> Plan:
    tenants = [built(tenant, some) for tenant, some in found]
    parsed = parse(pairs(query), REPORTS[report], across_tenants=True)
    return plan_of(REPORTS[report], parsed, tenants, OPERATOR)


def test_an_operator_s_tenants_have_days_of_their_own() -> None:
    found = [(TENANT, [Answer(date(2026, 11, 21), 5)]), (GLOBEX, [Answer(date(2026, 11, 22), 1)])]
    query = "tenant=acme,globex&preset=today&group_by=tenant&compare=previous_period"
    objects = {**years(found[0][1]), **years(found[1][1], tenant="globex")}
    reply = json.loads(answer(across("geo", found, query), objects, query).body)
    assert [(row["tenant"], row["responses"]) for row in reply["rows"]] == [
        ("acme", 1),
        ("globex", 1),
    ]
    assert reply["meta"]["date_range"] == {
        "preset": "today",
        "tenants": [
            {
                "tenant": "acme",
                "start_date": "2026-11-21",
                "end_date": "2026-11-21",
                "timezone": "Europe/Berlin",
            },
            {
                "tenant": "globex",
                "start_date": "2026-11-22",
                "end_date": "2026-11-22",
                "timezone": "Pacific/Kiritimati",
            },
        ],
    }
    assert reply["meta"]["compare"]["tenants"][1] == {
        "tenant": "globex",
        "start_date": "2026-11-21",
        "end_date": "2026-11-21",
    }
    assert [total["responses"] for total in reply["totals"]] == [2]


def test_a_tenant_without_a_build_is_named() -> None:
    never = Tenant("wonka", "Wonka")
    asked = across("geo", [(TENANT, many(1)), (never, [])], "tenant=acme,wonka")
    meta = meta_of(asked, {"acme": [], "wonka": []})
    assert [(w["code"], "wonka" in w["message"]) for w in meta["warnings"]] == [
        ("nothing_built", True)
    ]
    assert meta["as_of"] is None


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


# -- what a newer version has stored

UNKNOWN = [
    ("joy", "0-10"),
    ("ces", "1-9"),
    ("csat", "1-6"),
    ("csat", "five"),
    ("nps", "0-10:good5"),
]


def of_a_newer_version() -> list[Answer]:
    """Answers on scales that this version does not know, and a score outside of its scale."""
    others = [Answer(DAY, 7, metric=metric, scale=scale, agent="ada") for metric, scale in UNKNOWN]
    return [*others, Answer(DAY, 9, metric="csat", scale="1-5")]


@pytest.mark.parametrize("report", [one for one in REPORTS.values() if one.family is SURVEY])
@pytest.mark.parametrize(
    "query", ["", "&group_by=agent,period&subtotals=true&compare=previous_period"]
)
def test_answers_on_unknown_scales_are_left_out_of_every_figure(report: Report, query: str) -> None:
    known = [*many(3), Answer(DAY, 2), Answer(DAY, 10, "nps", "0-10"), Answer(DAY, 5, "ces", "1-7")]
    query = f"preset=last_30_days{query if report.by_count is None else ''}"
    with_others = body(report, [*known, *of_a_newer_version()], query)
    alone = body(report, known, query)
    warnings = with_others["meta"].pop("warnings")
    assert alone["meta"].pop("warnings") == []
    assert with_others.pop("next_cursor") is alone.pop("next_cursor") is None
    assert with_others == alone
    assert [one["code"] for one in warnings] == ["unknown_scales"] * (report.by_count is None)


def test_the_warning_says_how_many_answers_are_left_out_and_of_which_scales() -> None:
    (warning,) = body("geo", of_a_newer_version())["meta"]["warnings"]
    assert warning["message"] == (
        "6 answers are left out, of scales or with scores that this version of Pulse does not "
        "know: ces 1-9, csat 1-5, csat 1-6, csat five, joy 0-10 and 1 more."
    )


# -- days that are not built


def behind(tenant: Tenant, found: list[Answer], **given: Any) -> Tenant:
    known = built(tenant, found)
    table = known.table("scores")
    return replace(known, tables={"scores": replace(table, behind=Behind(**given))})


def on(*numbers: int) -> tuple[DateRange, ...]:
    return tuple(DateRange(date(2026, 11, n), date(2026, 11, n)) for n in numbers)


def warned(tenant: Tenant, found: list[Answer], query: str) -> list[tuple[str, str]]:
    report = REPORTS["geo"]
    asked = plan_of(report, parse(pairs(query), report), [tenant], SECRET)
    reply = json.loads(answer(asked, years(found), query).body)
    return [(told["code"], told["message"]) for told in reply["meta"]["warnings"]]


def test_days_of_the_range_alone_are_named_and_the_first_of_many() -> None:
    found = many(1)
    failing = on(1, 3, 5, 7, 9, 11, 13)
    tenant = behind(TENANT, found, failing=failing, waiting=on(20))
    ((code, message),) = warned(tenant, found, "start_date=2026-11-03&end_date=2026-11-05")
    assert (code, message.partition(". ")[0]) == (
        "days_failing",
        "Days that cannot be built: 2026-11-03, 2026-11-05",
    )
    (first, second) = warned(tenant, found, "start_date=2026-11-01&end_date=2026-11-20")
    assert "2026-11-09 and 2 more." in first[1]
    assert (second[0], "2026-11-20." in second[1]) == ("days_waiting", True)
    assert warned(tenant, found, "start_date=2026-11-14&end_date=2026-11-19") == []


def test_a_range_that_is_not_built_is_named_as_far_as_it_was_asked_for() -> None:
    found = many(1)
    long = (DateRange(date(2026, 10, 1), date(2026, 12, 31)),)
    tenant = behind(TENANT, found, waiting=long)
    ((_, message),) = warned(tenant, found, "start_date=2026-11-03&end_date=2026-11-05")
    assert "2026-11-03 to 2026-11-05." in message


@pytest.mark.parametrize(("failing", "code"), [(True, "days_failing"), (False, "days_waiting")])
def test_a_year_that_is_not_put_together_is_all_of_its_days(failing: bool, code: str) -> None:
    found = many(1)
    unbuilt = Unbuilt("hash", "FAILED", 1, 1, tries=1, alone=True, failing=failing)
    tenant = behind(TENANT, found, years={2026: unbuilt})
    query = "start_date=2025-12-30&end_date=2026-01-02"
    ((found_code, message),) = warned(tenant, found, query)
    assert found_code == code
    assert "2026-01-01 to 2026-01-02." in message


def test_a_reply_and_its_name_change_with_the_days_that_are_not_built_but_no_cursor() -> None:
    found = [Answer(DAY, 4, country=country) for country in ("AT", "DE", "FR")]
    report = REPORTS["geo"]
    asked = [
        plan_of(report, parse(pairs("limit=1"), report), [tenant], SECRET)
        for tenant in (built(TENANT, found), behind(TENANT, found, failing=on(20)))
    ]
    before, after = map(identity.etag, asked)
    assert before != after
    cursors = [json.loads(answer(q, years(found), "limit=1").body)["next_cursor"] for q in asked]
    assert cursors[0] == cursors[1]  # the rows are the same


def test_a_filter_that_other_values_may_stand_behind_is_warned_of() -> None:
    found = [*many(2, agent="(other)"), *many(1, agent="ada")]
    for query, expected in (
        ("agent=ada", ["values_folded"]),
        ("group_by=country", []),
        ("agent=ada&start_date=2026-11-01&end_date=2026-11-19", ["filter_matches_nothing"]),
    ):
        reply = body("geo", found, query)
        assert [told["code"] for told in reply["meta"]["warnings"]] == expected, query


def test_first_events_are_said_to_wait_until_there_is_a_report() -> None:
    begun = replace(TENANT, started=True)
    assert ("first_events_waiting", True) in [
        (code, TENANT.id in message) for code, message in warned(begun, [], "preset=last_7_days")
    ]
    found = many(1)
    codes = [code for code, _ in warned(replace(built(TENANT, found), started=True), found, "")]
    assert "first_events_waiting" not in codes
