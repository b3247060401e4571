"""The report on what customers went through: what it takes, and what it says of itself."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse import days, lake
from pulse.errors import BadRequestError
from pulse.reports.registry import REPORTS
from pulse.serve.answer import answer
from pulse.serve.catalogue import catalogue
from pulse.serve.identity import etag
from pulse.serve.own import taken_names
from pulse.serve.plan import Plan, needs_of, plan_of
from pulse.serve.query import parse
from pulse.serve.years import Years
from pulse.tenants.keys import Key
from pulse.tenants.tenant import TableState, Tenant
from tests import report_parts
from tests.unit.serve import interactions
from tests.unit.serve.events import pairs
from tests.unit.serve.test_years import Shelf

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 20)
DATES = f"start_date={DAY}&end_date={DAY}"
REPORT = REPORTS["experience"]
SECRET = Key("0", "secret", "acme", 0)
Row = dict[str, Any]


def row(count: int, day: date = DAY, **known: Any) -> Row:
    """So many answers of the best score on a day."""
    return {"day": day, "metric": "csat", "scale": "1-5", "survey": "s", "channel": "chat"} | {
        "c5": count,
        **known,
    }


def linked(count: int, day: date = DAY, **known: Any) -> Row:
    return row(count, day, **{"media_type": "voice", "entered_on": str(day), **known})


def planned(rows: Sequence[Row], query: str, key: Key = SECRET) -> Plan:
    tenant = Tenant("acme", "Acme", min_sample=5)
    states = {
        year: replace(
            report_parts.state((one["day"] for one in some), as_of_us=1),
            first_day=min(one["day"] for one in some),
        )
        for year, some in interactions.by_year(rows).items()
    }
    tables = {"experience": TableState(states, as_of_us=1)} if rows else {}
    return plan_of(REPORT, parse(pairs(query), REPORT), [replace(tenant, tables=tables)], key)


def asked(rows: Sequence[Row], query: str, key: Key = SECRET) -> Any:
    plan = planned(rows, query, key)
    (needs,) = needs_of(plan)
    read = interactions.read({"experience": rows}, plan.tables)
    years = [year.as_needed(needs) for year in read]
    return json.loads(answer(plan, {"acme": years}, query).body)


def counted(reply: Any, name: str = "accept") -> list[tuple[str | None, int]]:
    return [(one[name], one["responses"]) for one in reply["rows"]]


def test_closed_sets_of_values_stand_in_their_own_order_and_none_stands_last() -> None:
    levels: list[str | None] = [*lake.LEVELS, None]
    rows = [linked(at + 1, accept=value) for at, value in reversed([*enumerate(levels)])]
    assert counted(asked(rows, DATES)) == [(value, at + 1) for at, value in enumerate(levels)]
    turned = counted(asked(rows, f"{DATES}&order_by=-accept"))
    assert [value for value, _ in turned] == [*reversed(lake.LEVELS), None]
    classes = [linked(1, wait=value) for value in sorted(lake.DURATION_CLASSES)]
    by_wait = asked(classes, f"{DATES}&group_by=wait,agent")
    assert [one["wait"] for one in by_wait["rows"]] == [*lake.DURATION_CLASSES]


def test_how_many_are_linked_is_told_of_what_passes_the_filters_in_the_days_asked_for() -> None:
    before = date(2026, 11, 19)
    rows = [linked(3, accept="late"), linked(4), row(5), row(6, channel="mail"), linked(9, before)]
    assert asked(rows, DATES)["meta"]["linked"] == {"responses": 7, "of": 18}
    found = asked(rows, f"{DATES}&channel=chat&compare=previous_period")
    assert found["meta"]["linked"] == {"responses": 7, "of": 12}
    assert asked(rows, f"{DATES}&media_type=!(none)")["meta"]["linked"] == {
        "responses": 7,
        "of": 7,
    }


def test_an_answer_counts_on_its_own_day_or_on_that_of_its_interaction() -> None:
    after = date(2026, 12, 24)
    rows = [
        linked(1, entered_on="2026-10-31"),
        linked(2),
        row(4),
        linked(8, after, entered_on=str(DAY)),
        linked(16, date(2027, 1, 3), entered_on=str(DAY), accept="late"),
    ]
    own = asked(rows, DATES)
    assert counted(own) == [(None, 7)]
    assert own["meta"]["date_basis"] == "answered"
    entered = asked(rows, f"{DATES}&date_basis=entered")
    assert counted(entered) == [("late", 16), (None, 10)]
    assert entered["meta"]["linked"] == {"responses": 26, "of": 26}
    by_day = f"start_date=2026-10-01&end_date={DAY}&granularity=day&group_by=channel"
    assert [
        (one["period"], one["responses"])
        for one in asked(rows, f"{by_day}&date_basis=entered")["rows"]
    ] == [("2026-10-31", 1), ("2026-11-20", 26)]
    compared = f"start_date=2026-11-01&end_date={DAY}&compare=previous_period&group_by=survey"
    [told] = asked(rows, f"{compared}&date_basis=entered")["rows"]
    assert (told["responses"], told["responses_previous"]) == (26, 1)


def test_all_time_by_interactions_begins_before_the_first_answer() -> None:
    rows = [linked(3, date(2026, 1, 5), entered_on="2025-12-20")]
    with days.clock(lambda: NOON):
        assert counted(asked(rows, "preset=all_time&date_basis=entered")) == [(None, 3)]
        filled = asked(rows, "preset=all_time&date_basis=entered&granularity=month&fill=true")
    assert {one["period"]: one["responses"] for one in filled["rows"]}["2025-12-01"] == 3


def test_days_of_the_calendars_end_can_be_asked_for() -> None:
    query = "start_date=9999-01-01&end_date=9999-12-31&date_basis=entered"
    assert asked([linked(1)], query)["rows"] == []


@pytest.mark.parametrize("basis", ["answered", "entered"])
def test_without_the_table_there_are_no_rows_and_no_error(basis: str) -> None:
    reply = asked([], f"{DATES}&date_basis={basis}")
    assert (reply["rows"], reply["totals"]) == ([], [])
    assert reply["meta"]["linked"] == {"responses": 0, "of": 0}
    assert [one["code"] for one in reply["meta"]["warnings"]] == ["nothing_built"]


def test_days_of_before_the_table_are_read_as_no_rows() -> None:
    reply = asked([linked(1)], "start_date=2025-01-01&end_date=2025-12-31&date_basis=entered")
    assert reply["rows"] == []


def test_figures_of_few_answers_about_an_agent_are_withheld_from_report_keys() -> None:
    rows = [linked(4, agent="ada"), linked(5, agent="bob")]
    told = asked(rows, f"{DATES}&group_by=agent", Key("0", "report", "acme", 0))["rows"]
    assert [(one["agent"], one["withheld"], one["score"]) for one in told] == [
        ("ada", True, None),
        ("bob", False, 100),
    ]


def test_a_key_that_is_bound_to_an_agent_reads_the_answers_about_that_ones_interactions() -> None:
    rows = [linked(4, agent="ada"), linked(5, agent="bob"), row(6)]
    bound = Key("0", "secret", "acme", 0, filters={"agent": ("ada",)})
    reply = asked(rows, DATES, bound)
    assert counted(reply) == [(None, 4)]
    assert reply["meta"]["linked"] == {"responses": 4, "of": 4}


OF_BOTS = (
    linked(1, accept="late"),
    linked(2, accept="late", device="mobile"),
    linked(4, accept="late", device="bot"),
    linked(8, channel="mail", device="bot"),
    row(16, device="bot"),
    linked(32, entered_on="2026-11-19", device="bot"),
    linked(64, date(2026, 11, 21), device="bot"),
)
"""Each number of answers is another power of two, so that a sum tells which are in it."""


def left_out(reply: Any) -> int:
    """How many answers of bots are said to be left out."""
    found = [one["message"] for one in reply["meta"]["warnings"] if one["code"] == "bots_left_out"]
    return sum(int(message.partition(" ")[0]) for message in found)


BOTS_ASKED: Sequence[tuple[str, int, int]] = (
    ("", 3, 4 + 8 + 16 + 32),
    ("&date_basis=entered", 3, 4 + 8),
    ("&channel=chat", 3, 4 + 16 + 32),
    ("&channel=chat&date_basis=entered", 3, 4),
    ("&device=!mobile&group_by=channel", 1, 4 + 8 + 16 + 32),
    ("&media_type=(none)", 0, 16),
    ("&accept=late&date_basis=entered", 3, 4),
)


@pytest.mark.parametrize(
    ("query", "counted", "bots"),
    [
        *BOTS_ASKED,
        ("&device=bot", 4 + 8 + 16 + 32, 0),
        ("&device=bot,mobile&date_basis=entered", 2 + 4 + 8, 0),
        ("&device=!bot", 3, 0),
    ],
)
def test_bots_count_where_the_filter_names_them(query: str, counted: int, bots: int) -> None:
    reply = asked(OF_BOTS, f"{DATES}{query}")
    assert sum(one["responses"] for one in reply["rows"]) == counted
    assert reply["meta"]["linked"]["of"] == counted
    assert left_out(reply) == bots


@pytest.mark.parametrize(("query", "counted", "bots"), BOTS_ASKED)
def test_of_too_many_bots_for_one_object_as_many_are_said_to_be_left_out(
    query: str, counted: int, bots: int
) -> None:
    table = lake.EXPERIENCE
    rows = report_parts.cube_rows(table, [interactions.table_object(table, OF_BOTS)])
    held = {one["day"] for one in OF_BOTS}
    laid = report_parts.lay(table, "acme", 2026, [(held, rows)], layout="many bots")
    shelf = Shelf()
    shelf.bodies |= laid.bodies
    tenant = Tenant("acme", "Acme", tables={table.name: TableState({2026: laid.state}, as_of_us=1)})
    text = f"{DATES}{query}"
    plan = plan_of(REPORT, parse(pairs(text), REPORT), [tenant], SECRET)
    found = [year for years in Years(shelf).read(needs_of(plan)) for year in years]
    reply = json.loads(answer(plan, {"acme": found}, text).body)
    assert sum(one["responses"] for one in reply["rows"]) == counted
    assert left_out(reply) == bots


def test_rows_of_before_tell_of_no_device() -> None:
    table = lake.EXPERIENCE
    now = pq.read_table(pa.BufferReader(interactions.table_object(table, [linked(3), row(4)])))
    sink = pa.BufferOutputStream()
    pq.write_table(now.drop_columns([lake.DEVICE]), sink)
    before = report_parts.cube(table, [sink.getvalue().to_pybytes()])
    plan = planned([linked(3), row(4)], f"{DATES}&group_by=device")
    (needs,) = needs_of(plan)
    year = report_parts.as_year(table, before).as_needed(needs)
    reply = json.loads(answer(plan, {"acme": [year]}, "").body)
    assert (counted(reply, "device"), left_out(reply)) == ([(None, 7)], 0)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("entered_on=nonsense", "invalid_date"),
        ("entered_on=2026-11-20,nonsense", "invalid_date"),
        ("entered_on=!20261120", "invalid_date"),
        ("entered_on=2026-02-29", "invalid_date"),
        ("accept=in_tim", "unknown_value"),
        ("wait=!0-11s", "unknown_value"),
        ("was_rated=maybe", "unknown_value"),
    ],
)
def test_a_value_that_the_dimension_cannot_have_is_an_error(written: str, code: str) -> None:
    with pytest.raises(BadRequestError) as error:
        parse(pairs(written), REPORT)
    name, _, _ = written.partition("=")
    assert [(fault.field, fault.code) for fault in error.value.errors] == [(name, code)]


def test_a_day_or_none_may_be_filtered_by() -> None:
    asked = parse(pairs("entered_on=2026-11-20,(none)"), REPORT)
    assert asked.filters["entered_on"].shown() == {"is": ["2026-11-20", None]}


def test_the_basis_is_one_of_two_words_and_of_this_report_alone() -> None:
    with pytest.raises(BadRequestError) as error:
        parse(pairs("date_basis=finished"), REPORT)
    assert error.value.code == "unknown_value"
    assert "answered, entered" in error.value.detail
    with pytest.raises(BadRequestError) as error:
        parse(pairs("date_basis=answered"), REPORTS["csat"])
    assert error.value.code == "unknown_parameter"
    assert parse(pairs(""), REPORTS["csat"]).date_basis is None
    with pytest.raises(BadRequestError) as error:
        parse(pairs("accept=soon"), REPORT)
    assert "in_time, late, never, no_threshold" in error.value.detail


def test_each_basis_is_another_question() -> None:
    rows = [linked(1)]
    answered, entered = (
        planned(rows, f"{DATES}&date_basis={one}") for one in ("answered", "entered")
    )
    assert etag(answered) == etag(planned(rows, DATES))
    assert etag(answered) != etag(entered)


def test_the_name_of_a_reply_tells_of_answers_in_the_next_year() -> None:
    query = "start_date=2026-12-01&end_date=2026-12-31&date_basis=entered"
    rows = [linked(1, date(2026, 12, 31))]
    later = [*rows, linked(1, date(2027, 1, 2), entered_on="2026-12-31")]
    assert etag(planned(rows, query)) != etag(planned(later, query))


def test_the_catalogue_tells_which_days_a_report_may_go_by() -> None:
    bases = {one["name"]: one["date_bases"] for one in catalogue()["reports"]}
    assert bases.pop("experience") == ["answered", "entered"]
    assert not any(bases.values())
    assert {"date_basis", "accept", "entered_on"} <= taken_names()
