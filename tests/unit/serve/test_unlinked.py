"""Days of answers that the table of experience lacks count in it as answers to nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from pulse import lake
from pulse.days import DateRange
from pulse.filters import Filters, among, not_null
from pulse.reports.registry import REPORTS
from pulse.serve.answer import answer
from pulse.serve.identity import etag
from pulse.serve.plan import needs_of, plan_of
from pulse.serve.query import parse
from pulse.serve.unlinked import days_without_links, pass_filters
from pulse.serve.years import Years
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Behind, TableState, Tenant
from pulse.unbuilt import Unbuilt
from tests import report_parts, sampling
from tests.report_parts import Layout
from tests.unit.serve import interactions
from tests.unit.serve.events import pairs
from tests.unit.serve.test_years import Shelf

LINKED = date(2026, 3, 14)
"""A day of the table of experience. The days before and behind it are days of scores alone."""
DAYS = tuple(LINKED + timedelta(days=away) for away in (-300, -20, -1, 0, 1, 40))
REPORT = REPORTS["experience"]
SECRET = Key("0", "secret", "acme", 0)
Rows = Sequence[Mapping[str, Any]]


def of_a_day(number: int, day: date) -> list[dict[str, Any]]:
    """Answers of a day, as either table has them; each number is another power of two."""
    known = {"day": day, "metric": "csat", "scale": "1-5"}
    return [
        {**known, "survey": "s", "channel": "chat", "c5": 1 << number},
        {**known, "survey": "t", "channel": "mail", "device": "mobile", "c2": 1 << number + 8},
        {**known, "survey": "s", "channel": "chat", "device": "bot", "c1": 1 << number + 16},
    ]


EVERY = [row for number, day in enumerate(DAYS) for row in of_a_day(number, day)]
LINKS = {"media_type": "voice", "accept": "late", "agent": "zoe", "entered_on": str(LINKED)}
SCORES = [{**row, "agent": "ada", "country": "DE"} for row in EVERY]
"""The agent whom an answer names is not that of the interaction."""
WHOLE = [row | (LINKS if row["day"] == LINKED and "device" not in row else {}) for row in EVERY]
"""The table of experience if each day of answers were built."""
BUILT = [row for row in WHOLE if row["day"] == LINKED]

QUERIES = (
    "preset=all_time&granularity=month&fill=true",
    "start_date=2026-03-01&end_date=2026-03-31",
    "start_date=2026-03-13&end_date=2026-03-13&group_by=channel,accept",
    "start_date=2026-01-01&end_date=2026-12-31&granularity=week&group_by=survey,device",
    "start_date=2026-02-01&end_date=2026-04-30&group_by=agent&compare=previous_period",
    "start_date=2026-03-14&end_date=2026-04-30&compare=previous_year&granularity=day",
    "start_date=2025-01-01&end_date=2026-12-31&agent=ada,(none)&group_by=channel",
    "start_date=2025-01-01&end_date=2026-12-31&agent=ada",
    "start_date=2025-01-01&end_date=2026-12-31&media_type=!(none)",
    "start_date=2025-01-01&end_date=2026-12-31&media_type=(none)&channel=mail",
    "start_date=2025-01-01&end_date=2026-12-31&device=bot&group_by=entered_on",
    "start_date=2025-01-01&end_date=2026-12-31&date_basis=entered&group_by=agent",
)


def stored(shelf: Shelf, tables: Mapping[str, Rows], layout: Layout) -> Tenant:
    """The tenant of these rows, once both tables are built."""
    states = {}
    for table in (lake.SCORES, lake.EXPERIENCE):
        years = {}
        for year, some in interactions.by_year(tables[table.name]).items():
            rows = report_parts.cube_rows(table, [interactions.table_object(table, some)])
            parts = [({row["day"] for row in some}, rows)]
            laid = report_parts.lay(table, "acme", year, parts, layout=layout)
            shelf.bodies |= laid.bodies
            years[year] = laid.state
        states[table.name] = TableState(years, as_of_us=1)
    return Tenant("acme", "Acme", tables=states)


def replied(tables: Mapping[str, Rows], query: str, layout: Layout = "now") -> tuple[Any, Shelf]:
    shelf = Shelf()
    plan = plan_of(REPORT, parse(pairs(query), REPORT), [stored(shelf, tables, layout)], SECRET)
    found = [year for years in Years(shelf).read(needs_of(plan)) for year in years]
    assert etag(plan)
    return json.loads(answer(plan, {"acme": found}, query).body), shelf


@pytest.mark.sampled
@pytest.mark.parametrize("query", sampling.some(QUERIES, 4))
@pytest.mark.parametrize("layout", ["now", "cube alone", "of before"])
def test_a_reply_is_that_of_a_table_with_every_day(query: str, layout: Layout) -> None:
    expected, _ = replied({"scores": SCORES, "experience": WHOLE}, query)
    found, _ = replied({"scores": SCORES, "experience": BUILT}, query, layout)
    assert found == expected
    assert expected["meta"]["linked"]["of"] or "agent=ada" in query.split("&")


@pytest.mark.parametrize("query", QUERIES[1:5])
def test_so_it_is_where_bots_are_too_many_for_one_object(query: str) -> None:
    expected, _ = replied({"scores": SCORES, "experience": WHOLE}, query)
    assert replied({"scores": SCORES, "experience": BUILT}, query, "many bots")[0] == expected


def test_a_tenant_without_any_linked_answer_is_told_of_all_its_answers() -> None:
    reply, _ = replied({"scores": SCORES, "experience": []}, "preset=all_time&channel=chat")
    assert reply["meta"]["linked"] == {"responses": 0, "of": 1 + 2 + 4 + 8 + 16 + 32}
    assert "nothing_built" not in {one["code"] for one in reply["meta"]["warnings"]}


@pytest.mark.parametrize(
    ("query", "reads_scores"),
    [
        (f"start_date={LINKED}&end_date={LINKED}", False),
        (f"start_date={LINKED}&end_date={LINKED}&compare=previous_period", True),
        ("preset=all_time", True),
        ("preset=all_time&media_type=voice", False),
        ("preset=all_time&date_basis=entered", False),
    ],
)
def test_scores_are_read_only_where_they_count(query: str, reads_scores: bool) -> None:
    _, shelf = replied({"scores": SCORES, "experience": BUILT}, query)
    assert any("/scores/" in key for key in shelf.asked) == reads_scores


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"channel": among(["chat"]), "agent": among(["zoe"], negated=True)}, True),
        ({"accept": among(["late", "(none)"])}, True),
        ({"accept": among(["late"])}, False),
        ({"media_type": not_null()}, False),
    ],
)
def test_what_is_linked_to_nothing_passes_filters_that_let_none_pass(
    filters: Filters, expected: bool
) -> None:
    assert pass_filters(filters) is expected


YEAR = DateRange(date(2026, 1, 1), date(2026, 12, 31))
OTHERS = [day for day in DAYS if day.year == 2026 and day != LINKED]


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        (Behind(), OTHERS),
        (Behind(waiting=(DateRange(OTHERS[0], OTHERS[0]),)), OTHERS[1:]),
        (Behind(failing=(DateRange(OTHERS[1], OTHERS[2]),)), [OTHERS[0], OTHERS[3]]),
        (Behind(years={2026: Unbuilt("1", "why", 0, 0, 1)}), []),
    ],
)
def test_days_that_wait_for_their_build_are_not_days_without_links(
    behind: Behind, expected: list[date]
) -> None:
    tenant = stored(Shelf(), {"scores": SCORES, "experience": BUILT}, "now")
    state = replace(tenant.table("experience"), behind=behind)
    tenant = replace(tenant, tables={**tenant.tables, "experience": state})
    assert [day for dates in days_without_links(tenant, [YEAR]) for day in dates] == expected


def test_all_days_wait_until_the_table_has_been_built_once() -> None:
    tenant = stored(Shelf(), {"scores": SCORES, "experience": []}, "now")
    tenant = replace(tenant, tables={"scores": tenant.table("scores")})
    assert days_without_links(tenant, [YEAR]) == ()
