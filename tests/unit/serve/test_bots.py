"""Reports leave out answers by bots unless a filter asks for them, and warn how many."""

import json
from datetime import date
from typing import Any

import pytest

from pulse import lake
from pulse.reports.registry import REPORTS
from pulse.serve.answer import answer
from pulse.serve.dimensions import ValueSearch
from pulse.serve.plan import needs_of, plan_of
from pulse.serve.query import parse
from pulse.serve.tally import tally_of
from pulse.serve.years import Years
from pulse.tenants.keys import Key
from pulse.tenants.tenant import TableState, Tenant
from tests import report_parts
from tests.unit.serve.events import Answer, as_piece, as_years, built, pairs
from tests.unit.serve.test_years import Shelf

DAY, NEXT = date(2026, 3, 2), date(2026, 3, 3)
ANSWERS = [
    Answer(DAY, 5, device="mobile", agent="ada"),
    Answer(DAY, 4, device=None, agent="ada"),
    Answer(DAY, 1, device="desktop"),
    Answer(DAY, 1, device="bot", agent="ada"),
    Answer(DAY, 1, device="bot", browser="HeadlessChrome"),
    Answer(NEXT, 2, device="bot"),
    Answer(NEXT, 9, device="bot", metric="nps", scale="0-10"),
]
BOTH = "start_date=2026-03-02&end_date=2026-03-03"
SECRET = Key("0" * 64, "secret", "acme", 0)


def asked(report: str, query: str, key: Key = SECRET) -> dict[str, Any]:
    tenant = built(Tenant("acme", "Acme"), ANSWERS)
    plan = plan_of(REPORTS[report], parse(pairs(query), REPORTS[report]), [tenant], key)
    found: dict[str, Any] = json.loads(answer(plan, {"acme": as_years(ANSWERS)}, query).body)
    return found


def responses(reply: dict[str, Any]) -> int:
    return sum(row["responses"] for row in reply["rows"])


def warned(reply: dict[str, Any]) -> str | None:
    """How many are said to be left out."""
    told = [one for one in reply["meta"]["warnings"] if one["code"] == "bots_left_out"]
    return told[0]["message"].partition(" ")[0] if told else None


@pytest.mark.parametrize(
    ("query", "counted", "left_out"),
    [
        ("", 3, "3"),
        ("&agent=ada", 2, "1"),
        ("&device=mobile", 1, None),
        ("&device=!mobile", 2, "3"),
        ("&device=!mobile&agent=ada", 1, "1"),
        ("&device=!bot", 3, None),
        ("&device=!bot,mobile", 2, None),
        ("&device=bot", 3, None),
        ("&device=bot,mobile", 4, None),
        ("&device=bot&browser=HeadlessChrome", 1, None),
        ("&browser=HeadlessChrome", 0, "1"),
    ],
)
def test_bots_count_where_the_filter_names_them(
    query: str, counted: int, left_out: str | None
) -> None:
    reply = asked("csat", f"{BOTH}&group_by=agent{query}")
    assert (responses(reply), warned(reply)) == (counted, left_out)
    assert sum(row["responses"] for row in reply["totals"]) == counted


@pytest.mark.parametrize("query", ["", "&agent=ada", "&device=mobile", "&device=!mobile"])
@pytest.mark.parametrize("group_by", ["agent", "country,channel", "period&granularity=day"])
def test_of_too_many_bots_for_one_object_as_many_are_said_to_be_left_out(
    query: str, group_by: str
) -> None:
    """Whose reply from the cube is held to counted ones above."""
    rows = report_parts.cube_rows(lake.SCORES, [as_piece(ANSWERS)])
    laid = report_parts.lay(lake.SCORES, "acme", 2026, [({DAY, NEXT}, rows)], layout="many bots")
    shelf = Shelf()
    shelf.bodies |= laid.bodies
    tenant = Tenant("acme", "Acme", tables={"scores": TableState({2026: laid.state}, as_of_us=1)})
    text = f"{BOTH}&group_by={group_by}{query}"
    plan = plan_of(REPORTS["csat"], parse(pairs(text), REPORTS["csat"]), [tenant], SECRET)
    found = [year for years in Years(shelf).read(needs_of(plan)) for year in years]
    assert json.loads(answer(plan, {"acme": found}, text).body) == asked("csat", text)


def test_bots_of_other_days_are_not_said_to_be_left_out() -> None:
    reply = asked("csat", "start_date=2026-03-03&end_date=2026-03-03&compare=previous_period")
    assert warned(reply) == "1"
    assert [row["responses_previous"] for row in reply["totals"]] == [3]


def test_a_report_by_device_has_no_row_of_bots() -> None:
    reply = asked("browsers", f"{BOTH}&group_by=device")
    assert {row["device"] for row in reply["rows"]} == {"mobile", "desktop", None}
    assert warned(reply) == "4"


def test_a_key_that_is_bound_to_bots_asks_for_them() -> None:
    bound = Key("0" * 64, "report", "acme", 0, filters={"device": ("bot",)})
    reply = asked("csat", f"{BOTH}&group_by=period", bound)
    assert (responses(reply), warned(reply)) == (3, None)


def test_what_is_said_of_filters_is_not_that_bots_are_left_out() -> None:
    assert asked("csat", f"{BOTH}&agent=ada")["meta"]["filters"] == {"agent": {"is": ["ada"]}}


def test_a_filter_is_offered_no_value_that_bots_alone_have() -> None:
    search = ValueSearch.parse("browser", pairs(BOTH))
    tenant = built(Tenant("acme", "Acme"), ANSWERS)
    plan = plan_of(search.report, search.query, [tenant], SECRET)
    tally = tally_of(plan, {"acme": as_years(ANSWERS)}, ["browser"])
    assert list(tally.keys) == [(None,)]


def test_interactions_know_of_no_bots() -> None:
    tenant = built(Tenant("acme", "Acme"), ANSWERS)
    for report in ("revenue", "interactions", "customer-perspective"):
        if report in REPORTS:
            plan = plan_of(REPORTS[report], parse(pairs(BOTH), REPORTS[report]), [tenant], SECRET)
            assert not plan.bots_left_out
            assert not any(needs.wants_bots for needs in needs_of(plan))
