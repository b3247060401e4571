"""A reply's warnings: filters that match nothing, answers left out, days that are not built."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from pulse.days import DateRange
from pulse.reports.registry import REPORTS, SURVEY, Report
from pulse.serve import identity
from pulse.serve.answer import answer
from pulse.serve.plan import plan_of
from pulse.serve.query import parse
from pulse.tenants.tenant import Behind, Tenant
from pulse.unbuilt import Unbuilt
from tests.unit.serve.asking import DAY, SECRET, TENANT, body, many, years
from tests.unit.serve.events import Answer, built, pairs

pytestmark = pytest.mark.usefixtures("noon")


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
