"""Insights and drivers against the oracles that work them out answer by answer.

Questions pass the whole of serve_reports: keys, queries, report objects with their roll-ups.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st

from pulse import days
from tests import drivers_oracle, insights_oracle
from tests.calendar_oracle import Calendar, compared_days
from tests.insights_oracle import Question, UndecidedError
from tests.unit.serve import interactions_oracle as interactions
from tests.unit.serve.events import SCALES
from tests.unit.serve.served import TENANT, Served, Told, invented
from tests.unit.serve.test_interactions_oracle import invent

NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)
DIMENSIONS = ("country", "channel", "agent", "device", "browser", "os", "survey", "team", "plan")
FILTERS = (
    "",
    "channel=chat",
    "country=!AT",
    "team=north,south",
    "team=(none)",
    "plan=!pro&team=(x)",
    "agent=ada",
    "device=bot",
    "survey=s1",
    "metric=csat",
)


def passing(answers: Sequence[Told], filters: str) -> list[Told]:
    """The answers that count under these filters."""
    left = [one for one in answers if "device=" in filters or one.device != "bot"]
    for condition in filters.split("&") if filters else []:
        name, _, raw = condition.partition("=")
        values = [None if v == "(none)" else v for v in raw.removeprefix("!").split(",")]
        left = [one for one in left if (one.dimension(name) in values) is not raw.startswith("!")]
    return left


def question(
    answers: Sequence[Told], filters: str, calendar: Calendar, *, key: str, bound: str = ""
) -> Question:
    """What the oracle is asked; a dimension that the key is bound to is looked at as any other."""
    asked = {one.partition("=")[0] for one in filters.split("&")}
    return Question(
        passing(answers, "&".join(filter(None, (filters, bound)))),
        calendar,
        [name for name in DIMENSIONS if name not in asked],
        TENANT.min_sample if key in ("report", "bound") else 0,
    )


def by_tenant(answers: Sequence[Told], key: str) -> tuple[list[Told], list[Told]]:
    """Whose the answers are: an operator asks about two tenants together."""
    theirs = [one for one in answers if key == "operator" and one.number % 3 == 0]
    return [one for one in answers if one not in theirs], theirs


def agree(told: Any, expected: Any, at: str = "") -> None:
    """Every figure is the expected one, rounded to two decimals."""
    if isinstance(expected, dict):
        assert told is not None, at
        for name, value in expected.items():
            agree(told[name], value, f"{at}.{name}")
    elif isinstance(expected, list):
        assert len(told) == len(expected), at
        for number, (one, other) in enumerate(zip(told, expected, strict=True)):
            agree(one, other, f"{at}[{number}]")
    elif isinstance(expected, float | Fraction):
        # a half is rounded to either side
        assert told == pytest.approx(float(expected), abs=0.005 + 1e-9), at
    else:
        assert told == expected, at


def places(told: Any) -> Any:
    """The reply with the dimension and the value alone of what is told again."""
    if isinstance(told, dict):
        return {
            name: _place(value) if name == "within" else places(value)
            for name, value in told.items()
        }
    return [places(one) for one in told] if isinstance(told, list) else told


def _place(within: Any) -> Any:
    if isinstance(within, list):
        return [_place(one) for one in within]
    return within and (within["dimension"], within["value"])


questions = {
    "seed": st.integers(0, 2**32),
    "size": st.sampled_from([700, 300, 60]),
    "scales": st.lists(st.sampled_from(SCALES), min_size=1, max_size=2, unique=True),
    "length": st.sampled_from([27, 13, 60, 6, 0]),
    "filters": st.just("") | st.sampled_from(FILTERS),
    "key": st.sampled_from(["secret", "report", "bound", "operator"]),
}


@settings(max_examples=30)
@given(
    **questions,
    compare=st.sampled_from(["previous_period", "previous_year", None]),
    week_start=st.sampled_from(["monday", "sunday"]),
)
@example(  # bad days, for whom they were, within whom, and what is told again
    seed=6,
    size=700,
    scales=[("nps", "0-10")],
    length=27,
    filters="",
    key="report",
    compare="previous_period",
    week_start="monday",
)
@example(  # days that are looked at by week
    seed=6,
    size=700,
    scales=[("csat", "1-5")],
    length=419,
    filters="team=!south",
    key="secret",
    compare=None,
    week_start="sunday",
)
def test_insights_are_those_of_the_single_answers(
    seed: int,
    size: int,
    scales: list[tuple[str, str]],
    length: int,
    filters: str,
    key: str,
    compare: str | None,
    week_start: str,
) -> None:
    assume(key not in ("report", "bound") or "agent" not in filters)
    start = date(2026, 9, 1)
    dates = start, start + timedelta(days=length)
    former = compared_days(compare or "previous_period", None, dates, week_start)
    answers = [
        *invented(seed, size, dates[0], dates[1], scales),
        *invented(seed + 1, size, former[0], former[1], scales, bad=False),
    ]
    tables = invent(seed, 60, start - timedelta(days=length), dates[1])
    tenant = replace(TENANT, week_start=week_start)
    its, globex = by_tenant(answers, key)
    served = Served(its, tables, tenant, {"channel": ("ticket",)}, globex)
    query = f"start_date={dates[0]}&end_date={dates[1]}&compare={compare or 'none'}&{filters}"
    calendar = Calendar(dates, compare, week_start=week_start)
    bound = "channel=ticket" if key == "bound" else ""
    assume(not (bound and "channel" in filters))
    asked = question(answers, filters, calendar, key=key, bound=bound)
    try:
        expected = insights_oracle.insights(asked)
    except UndecidedError:
        reject()
    if "survey=" in filters:
        expected["headlines"] = [{**one, "surveys": None} for one in expected["headlines"]]
    with days.clock(lambda: NOW):
        told = places(served.ask("/v1/insights", query, key))
    agree(told, expected)
    if told["worst"]:
        run = tuple(date.fromisoformat(told["worst"][f"{end}_date"]) for end in ("start", "end"))
        narrowed = bool(bound) or bool(filters and not filters.startswith("metric="))
        contacts, revenue = contact_centre(tables, (run[0], run[1]))
        cost = told["worst"]["cost"]
        assert cost["contacts"] == (None if narrowed else contacts)
        assert cost["revenue"] == ([] if narrowed else revenue)


def contact_centre(tables: Any, run: tuple[date, date]) -> tuple[Any, list[Any]]:
    """Contacts and revenue of a run of days, beside as many days before."""
    part = interactions.Part(tables, run, "previous_period", TENANT)

    def asked(report: str, name: str) -> Any:
        question = interactions.InteractionQuery(
            report, (name,), "total", compare="previous_period"
        )
        return interactions.reply(question, [part])

    _, totals = asked("customer-perspective", "media_type")
    names = ("entered", "accept_service_level_pct")
    contacts = {
        f"{name}{when}": total[f"{name}{when}"]
        for total in totals
        for name in names
        for when in ("", "_previous")
    }
    rows, _ = asked("revenue", "currency")
    rows.sort(key=lambda row: -row["interactions_with_revenue"])
    revenue = [
        {name: row[name] for name in ("currency", "revenue", "revenue_change")}
        for row in rows
        if row["revenue"] is not None and row["revenue_change"] is not None
    ]
    return contacts if contacts and None not in contacts.values() else None, revenue


@settings(max_examples=30)
@given(
    **questions,
    adjust_for=st.sampled_from([None, (), ("device", "survey"), ("channel",)]),
)
def test_drivers_are_those_of_the_single_answers(
    seed: int,
    size: int,
    scales: list[tuple[str, str]],
    length: int,
    filters: str,
    key: str,
    adjust_for: tuple[str, ...] | None,
) -> None:
    assume(key not in ("report", "bound") or "agent" not in filters)
    start = date(2026, 9, 1)
    dates = start, start + timedelta(days=length)
    answers = invented(seed, size, start - timedelta(days=3), dates[1], scales)
    tenant = TENANT if adjust_for is None else replace(TENANT, adjust_for=adjust_for)
    its, globex = by_tenant(answers, key)
    served = Served(its, tenant=tenant, filters={"channel": ("ticket",)}, globex=globex)
    bound = "channel=ticket" if key == "bound" else ""
    assume(not (bound and "channel" in filters))
    asked = question(answers, filters, Calendar(dates), key=key, bound=bound)
    # tenants that do not agree are compared as those that have set nothing
    told_apart = None if key == "operator" else adjust_for
    strata = ("channel", "country") if told_apart is None else told_apart
    expected = drivers_oracle.drivers(asked, strata)
    with days.clock(lambda: NOW):
        query = f"start_date={dates[0]}&end_date={dates[1]}&{filters}"
        told = served.ask("/v1/insights/drivers", query, key)["drivers"]
    assert [one["p"] for one in told] == pytest.approx([one.pop("p") for one in expected], rel=1e-6)
    for one in told:
        weights = [abs(row["points"]) for row in one["rows"] if row["points"] is not None]
        assert weights == sorted(weights, reverse=True)
        one["rows"] = {row["value"]: row for row in one["rows"]}
        assert len(one["rows"]) == one["groups"]
    agree(told, expected)
