"""Figures that need all rows of a question: they get them as one table, with their strata."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pulse import days
from pulse.reports.declarations import Among, Metric
from pulse.reports.registry import REPORTS
from pulse.reports.stratified import Stratified
from pulse.serve.answer import answer
from pulse.serve.plan import needs_of, plan_of
from pulse.serve.query import parse
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.serve.events import Answer, as_years, built, pairs

DAY, BEFORE = date(2026, 11, 20), date(2026, 11, 19)
SECRET = Key("0" * 64, "secret", "acme", 0)


def rank(rows: Stratified) -> list[dict[str, Any]]:
    """How each row stands among those of its frame.

    How many have more answers in their largest stratum, how many strata it has, and how many
    answers the others have in these.
    """
    of: dict[int, dict[int, int]] = {at: {} for at in range(len(rows.groups))}
    for at, stratum, sums in zip(rows.row.tolist(), rows.stratum.tolist(), rows.sums, strict=True):
        assert stratum not in of[at]
        of[at][stratum] = int(sums.sum())
    found = []
    for at, own in of.items():
        others = [of[other] for other in of if other != at and rows.frame[other] == rows.frame[at]]
        found.append(
            {
                "ahead": sum(max(other.values()) > max(own.values()) for other in others),
                "strata": len(own),
                "beside": sum(other.get(stratum, 0) for other in others for stratum in own),
            }
        )
    return found


def shown(name: str) -> Metric:
    return Metric(name, "count", "", lambda summed: summed.among.get(name))


REPORT = replace(
    REPORTS["agents"],
    among=Among(("channel", "country"), rank),
    metrics=(REPORTS["agents"].metrics[0], *map(shown, ("ahead", "strata", "beside"))),
)
ANSWERS = [
    *[Answer(DAY, 4, agent="ada", channel="chat", country="DE")] * 3,
    Answer(DAY, 4, agent="ada", channel="chat", country="FR"),
    *[Answer(DAY, 4, agent="bo", channel="ticket")] * 4,
    Answer(DAY, 4, agent="bo", channel="chat", country="FR"),
    Answer(DAY, 9, "nps", "0-10", agent="bo", channel="chat", country="DE"),
    *[Answer(BEFORE, 4, agent="bo", channel="chat", country="DE")] * 2,
]


def rows(query: str) -> Any:
    with days.clock(lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)):
        tenant = built(Tenant("acme", "Acme"), ANSWERS)
        plan = plan_of(REPORT, parse(pairs(query), REPORT), [tenant], SECRET)
        assert {"channel", "country"} <= needs_of(plan)[0].dimensions
        return json.loads(answer(plan, {"acme": as_years(ANSWERS)}, query).body)["rows"]


def figures(row: Any) -> tuple[Any, ...]:
    return row["metric"], row["agent"], row["ahead"], row["strata"], row["beside"]


TODAY = f"start_date={DAY}&end_date={DAY}"


def test_rows_are_told_among_those_of_their_metric_and_scale() -> None:
    assert [figures(row) for row in rows(TODAY)] == [
        ("csat", "ada", 1, 2, 1),
        ("csat", "bo", 0, 2, 1),
        ("nps", "bo", 0, 1, 0),
    ]


def test_all_rows_count_for_a_page_of_one_and_they_are_ordered_by() -> None:
    (row,) = rows(f"{TODAY}&limit=1&metric=csat&order_by=-ahead")
    assert figures(row) == ("csat", "ada", 1, 2, 1)


def test_a_stratum_may_be_grouped_by() -> None:
    found = rows(f"{TODAY}&group_by=agent,country&metric=csat")
    assert [(row["country"], *figures(row)) for row in found] == [
        ("DE", "csat", "ada", 1, 1, 0),
        ("FR", "csat", "ada", 2, 1, 1),
        ("FR", "csat", "bo", 2, 1, 1),
        (None, "csat", "bo", 0, 1, 0),
    ]


def test_subtotals_and_rows_without_answers_have_none() -> None:
    found = rows(f"{TODAY}&subtotals=true&metric=nps&compare=previous_period")
    assert [(row["level"], row["ahead"], row["ahead_previous"]) for row in found] == [
        (0, None, None),
        (1, 0, None),
    ]


def test_the_days_compared_with_have_figures_of_their_own() -> None:
    found = rows(f"{TODAY}&compare=previous_period&metric=csat")
    told = [(row["agent"], row["beside"], row["beside_previous"]) for row in found]
    assert told == [("ada", 1, None), ("bo", 1, 0)]


def test_a_report_over_every_scale_has_no_such_figures() -> None:
    with pytest.raises(ValueError, match="every scale"):
        replace(REPORT, over_all=True)


def test_tenants_say_what_rows_are_split_by_where_they_agree() -> None:
    def strata(*settings: tuple[str, ...]) -> tuple[str, ...]:
        asked = [Tenant(f"t{i}", "T", adjust_for=one) for i, one in enumerate(settings)]
        names = ",".join(tenant.id for tenant in asked)
        with days.clock(lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)):
            query = parse(pairs(f"tenant={names}&{TODAY}"), REPORT, across_tenants=True)
            plan = plan_of(REPORT, query, asked, replace(SECRET, kind="operator", tenant=None))
        assert {*plan.strata} <= needs_of(plan)[0].dimensions
        return plan.strata

    assert strata(("survey",)) == strata(("survey",), ("survey",)) == ("survey",)
    assert strata(("survey",), ("device",)) == ("channel", "country")
    assert strata(()) == ()
