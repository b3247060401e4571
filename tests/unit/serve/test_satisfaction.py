"""Scores of linked answers count where interactions lack a satisfaction, if the tenant wants it."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import lake
from pulse.days import DateRange
from pulse.reports.registry import REPORTS
from pulse.serve.answer import answer
from pulse.serve.identity import etag
from pulse.serve.plan import Plan, needs_of, plan_of
from pulse.serve.query import parse
from pulse.serve.warnings import unbuilt
from pulse.serve.years import Years
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Behind, TableState, Tenant
from tests import report_parts
from tests.unit.serve import interactions
from tests.unit.serve.events import pairs
from tests.unit.serve.test_years import Shelf

FIRST = date(2026, 12, 28)
REPORT = REPORTS["customer-perspective"]
SECRET = Key("0", "secret", "acme", 0)
TENANT = Tenant("acme", "Acme", satisfaction_from="s")
DATES = f"start_date={FIRST}&end_date={FIRST + timedelta(days=5)}"


@dataclass(frozen=True)
class Told:
    """An answer to a survey about an interaction, so many days later."""

    score: int
    later: int = 0
    survey: str = "s"
    scale: str = "1-5"
    device: str | None = None


@dataclass(frozen=True)
class Interaction:
    """An interaction that entered so many days after the first, with a satisfaction or without."""

    day: int
    media_type: str
    agent: str | None
    satisfaction: int | None
    answers: tuple[Told, ...] = ()

    @property
    def entered(self) -> date:
        return FIRST + timedelta(days=self.day)

    @property
    def satisfactions(self) -> list[int]:
        """What counts of it: its own, or the scores of its answers."""
        if self.satisfaction is not None:
            return [self.satisfaction]
        return [one.score for one in self._in_its_place if one.device != "bot"]

    @property
    def of_bots(self) -> int:
        """How many scores would count but that bots gave them."""
        return sum(one.device == "bot" for one in self._in_its_place)

    @property
    def _in_its_place(self) -> list[Told]:
        if self.satisfaction is not None:
            return []
        on_scale = ("1-5", "1-5:good5")
        return [one for one in self.answers if one.survey == "s" and one.scale in on_scale]


answers = st.builds(
    Told,
    score=st.integers(1, 5),
    later=st.integers(0, 35),
    survey=st.sampled_from("sst"),
    scale=st.sampled_from(["1-5", "1-5:good5", "1-5", "1-7", "1-5:low"]),
    device=st.sampled_from([None, None, "mobile", "bot"]),
)
told = st.builds(
    Interaction,
    day=st.integers(0, 9),
    media_type=st.sampled_from(["voice", "chat"]),
    agent=st.sampled_from(["ada", "bob", None]),
    satisfaction=st.sampled_from([None, None, 1, 4]),
    answers=st.lists(answers, max_size=2).map(tuple),
)


def tables_of(some: Sequence[Interaction]) -> dict[str, list[dict[str, Any]]]:
    """What the daily tables have of them, a row for each event; and of an answer to nothing."""
    entered = [
        {
            "day": one.entered,
            "media_type": one.media_type,
            "agent": one.agent,
            "entered": 1,
            "with_satisfaction": int(one.satisfaction is not None),
            "satisfaction": 10_000 * (one.satisfaction or 0),
        }
        for one in some
    ]
    scored = [
        {
            "day": one.entered + timedelta(days=each.later),
            **{"metric": "csat", "scale": each.scale, "survey": each.survey, "channel": "chat"},
            **{"media_type": one.media_type, "agent": one.agent, "device": each.device},
            "was_rated": "no" if one.satisfaction is None else "yes",
            "entered_on": str(one.entered),
            f"c{each.score}": 1,
        }
        for one in some
        for each in one.answers
    ]
    unlinked = {"day": FIRST, "metric": "csat", "scale": "1-5", "survey": "s", "c1": 7}
    return {"interactions": entered, "experience": [*scored, unlinked]}


def planned(tables: Any, query: str, tenant: Tenant = TENANT, key: Key = SECRET) -> Plan:
    states = {
        name: TableState(
            {
                year: report_parts.state((row["day"] for row in some), as_of_us=1)
                for year, some in interactions.by_year(rows).items()
            },
            as_of_us=2 if name == "interactions" else 1,
        )
        for name, rows in tables.items()
    }
    parsed = parse(pairs(query), REPORT)
    return plan_of(REPORT, parsed, [replace(tenant, tables=states)], key)


def asked(
    some: Sequence[Interaction], query: str, tenant: Tenant = TENANT, key: Key = SECRET
) -> Any:
    tables = tables_of(some)
    plan = planned(tables, query, tenant, key)
    years = [
        year.as_needed(needs)
        for needs in needs_of(plan)
        for year in interactions.read(tables, [needs.table])
    ]
    return json.loads(answer(plan, {"acme": years}, query).body)


def left_out(reply: Any) -> int:
    """How many answers of bots are said to be left out."""
    found = [one["message"] for one in reply["meta"]["warnings"] if one["code"] == "bots_left_out"]
    return sum(int(message.partition(" ")[0]) for message in found)


def mean(values: Sequence[int]) -> float | None:
    """Two decimals, halves away from zero (docs/metrics.md)."""
    if not values:
        return None
    exact = Decimal(sum(values)) / len(values)
    return float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


@given(st.lists(told, max_size=12), st.sampled_from(["", "&agent=ada", "&agent=!ada,(none)"]))
def test_figures_are_those_of_the_single_interactions(
    some: list[Interaction], filters: str
) -> None:
    reply = asked(some, f"{DATES}&group_by=media_type,period&granularity=day{filters}")
    passing: Mapping[str, Sequence[str | None]]
    passing = {"": ("ada", "bob", None), "&agent=ada": ("ada",), "&agent=!ada,(none)": ("bob",)}
    groups: dict[tuple[str, str], list[Interaction]] = defaultdict(list)
    for one in some:
        if one.day <= 5 and one.agent in passing[filters]:
            groups[one.media_type, str(one.entered)].append(one)
    expected = {}
    for place, those in groups.items():
        values = [value for one in those for value in one.satisfactions]
        expected[place] = (len(those), len(values), mean(values))
    assert {
        (row["media_type"], row["period"]): (
            row["entered"],
            row["with_satisfaction"],
            row["avg_satisfaction"],
        )
        for row in reply["rows"]
    } == expected
    passed = [one for those in groups.values() for one in those]
    assert left_out(reply) == sum(one.of_bots for one in passed)


SOME = (
    Interaction(0, "voice", "ada", None, (Told(2, later=10),)),
    Interaction(0, "voice", "ada", 5, (Told(1),)),
    Interaction(0, "voice", "bob", None, (Told(4, survey="t"),)),
    Interaction(6, "voice", "bob", None, (Told(3),)),
)


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        (TENANT, (2, 3.5)),
        (replace(TENANT, satisfaction_from=""), (1, 5.0)),
        (replace(TENANT, satisfaction_from="t"), (2, 4.5)),
        (replace(TENANT, satisfaction_from="unknown"), (1, 5.0)),
        (replace(TENANT, satisfaction_scale="1-10"), (1, 5.0)),
    ],
)
def test_the_setting_says_whose_scores_count(tenant: Tenant, expected: tuple[int, float]) -> None:
    (row,) = asked(SOME, f"{DATES}&group_by=media_type&granularity=total", tenant)["rows"]
    assert (row["with_satisfaction"], row["avg_satisfaction"]) == expected


@pytest.mark.parametrize(
    ("query", "min_sample", "expected"),
    [
        ("group_by=media_type", 5, (2, 3.5)),
        ("group_by=media_type&agent=ada", 5, (1, 5.0)),
        ("group_by=agent&media_type=voice&agent=ada", 5, (1, 5.0)),
        ("group_by=agent&agent=ada", 0, (2, 3.5)),
    ],
)
def test_a_report_key_is_told_no_few_scores_of_a_person(
    query: str, min_sample: int, expected: tuple[int, float]
) -> None:
    key, tenant = replace(SECRET, kind="report"), replace(TENANT, min_sample=min_sample)
    (row,) = asked(SOME, f"{DATES}&granularity=total&{query}", tenant, key)["rows"]
    assert (row["with_satisfaction"], row["avg_satisfaction"]) == expected


OF_BOTS = (
    Interaction(
        0, "voice", "ada", None, (Told(1, device="bot"), Told(4), Told(2, 9, device="bot"))
    ),
    Interaction(1, "chat", "bob", None, (Told(1, 30, device="bot"),)),
    Interaction(1, "chat", "bob", 5, (Told(1, device="bot"),)),
    Interaction(2, "voice", "ada", None, (Told(1, survey="t", device="bot"),)),
    Interaction(2, "voice", "ada", None, (Told(1, scale="1-7", device="bot"),)),
    Interaction(6, "voice", "bob", None, (Told(1, device="bot"),)),
)
"""The scores of three answers of bots would count in the days asked for."""


@pytest.mark.parametrize("layout", ["now", "of before", "many bots"])
@pytest.mark.parametrize(
    ("filters", "bots", "rated"),
    [
        ("", 3, {"ada": 1, "bob": 1}),
        ("&agent=ada", 2, {"ada": 1}),
        ("&media_type=!voice", 1, {"bob": 1}),
        ("&agent=x", 0, {}),
    ],
)
def test_however_bots_are_kept_a_reply_says_how_many_scores_of_theirs_are_left_out(
    layout: report_parts.Layout, filters: str, bots: int, rated: Mapping[str, int]
) -> None:
    shelf, states = Shelf(), {}
    for table in (lake.INTERACTIONS, lake.EXPERIENCE):
        years = {}
        for year, some in interactions.by_year(tables_of(OF_BOTS)[table.name]).items():
            rows = report_parts.cube_rows(table, [interactions.table_object(table, some)])
            parts = [({row["day"] for row in some}, rows)]
            of_year: report_parts.Layout = layout if table.tells_bots else "now"
            laid = report_parts.lay(table, "acme", year, parts, layout=of_year)
            shelf.bodies |= laid.bodies
            years[year] = laid.state
        states[table.name] = TableState(years, as_of_us=1)
    query = f"{DATES}&group_by=agent{filters}"
    plan = plan_of(REPORT, parse(pairs(query), REPORT), [replace(TENANT, tables=states)], SECRET)
    found = [year for years in Years(shelf).read(needs_of(plan)) for year in years]
    reply = json.loads(answer(plan, {"acme": found}, query).body)
    assert left_out(reply) == bots
    assert {row["agent"]: row["with_satisfaction"] for row in reply["rows"]} == rated


def test_bots_are_not_spoken_of_where_no_scores_count() -> None:
    query = f"{DATES}&group_by=media_type"
    assert left_out(asked(OF_BOTS, query)) == 3
    assert left_out(asked(OF_BOTS, query, replace(TENANT, satisfaction_from=""))) == 0
    report_key, judged = replace(SECRET, kind="report"), replace(TENANT, min_sample=5)
    assert left_out(asked(OF_BOTS, f"{query}&agent=ada", judged, report_key)) == 0


def test_periods_compared_have_their_scores_too() -> None:
    day = FIRST + timedelta(days=6)
    query = f"start_date={day}&end_date={day + timedelta(days=5)}&compare=previous_period"
    (row,) = asked(SOME, f"{query}&group_by=media_type&granularity=total")["rows"]
    assert (row["avg_satisfaction"], row["avg_satisfaction_previous"]) == (3.0, 3.5)


def test_another_answer_is_another_reply_and_its_table_tells_until_when_all_is_counted() -> None:
    query = f"{DATES}&group_by=media_type&granularity=total"
    before, after = (planned(tables_of(some), query) for some in (SOME[:1], SOME))
    assert etag(before) != etag(after)
    without = replace(TENANT, satisfaction_from="")
    assert etag(planned(tables_of(SOME), query, without)) != etag(after)
    assert asked(SOME, query)["meta"]["as_of"] == "1970-01-01T00:00:00Z"


def test_days_that_wait_in_both_tables_are_named_once() -> None:
    plan = planned(tables_of(SOME), DATES)
    (one,) = plan.tenants
    tables = dict(one.tenant.tables)
    for name, first, last in [("interactions", 0, 2), ("experience", 1, 9)]:
        some = DateRange(FIRST + timedelta(days=first), FIRST + timedelta(days=last))
        tables[name] = replace(one.tenant.table(name), behind=Behind(waiting=(some,)))
    waiting = replace(plan, tenants=(replace(one, tenant=replace(one.tenant, tables=tables)),))
    ((code, message),) = unbuilt(waiting)
    assert (code, message.partition(". ")[0]) == (
        "days_waiting",
        "Days that wait for the next build: 2026-12-28 to 2027-01-06",
    )


def test_days_of_answers_that_wait_are_warned_of() -> None:
    plan = planned(tables_of(SOME), DATES)
    (one,) = plan.tenants
    state = replace(
        one.tenant.table("experience"),
        behind=Behind(waiting=(DateRange(date(2027, 1, 20), date(2027, 1, 20)),)),
    )
    tenant = replace(one.tenant, tables={**one.tenant.tables, "experience": state})
    waiting = replace(plan, tenants=(replace(one, tenant=tenant),))
    assert [code for code, _ in unbuilt(waiting)] == ["days_waiting"]
    alone = replace(plan, tenants=(replace(one, tenant=tenant, scored=False),))
    assert unbuilt(alone) == []


def test_what_interactions_are_told_apart_by_answers_know() -> None:
    known = {*lake.EXPERIENCE.dimensions, *REPORT.excluded}
    assert {*lake.INTERACTIONS.dimensions} <= known
