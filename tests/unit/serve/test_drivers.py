"""GET /v1/insights/drivers over made-up answers: what it finds, and what is withheld from whom."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pulse.days import DateRange
from pulse.errors import BadRequestError
from pulse.filters import Filters
from pulse.serve.formats import to_json
from pulse.serve.insights import drivers as module
from pulse.serve.insights import insights_query, reading
from pulse.serve.insights.drivers import drivers
from pulse.serve.insights.reading import Reader
from pulse.serve.own import own_dimensions, with_own
from pulse.serve.plan import plan_of
from pulse.serve.years import Piece, without_limit
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.serve.events import Answer, built, pairs
from tests.unit.serve.test_insights import (
    ACME,
    DAYS,
    FIRST,
    REPORTER,
    SECRET,
    TEAMS,
    Names,
    Tables,
    too_many,
)


def answers(n: int = 600) -> list[Answer]:
    """Tickets are worse; browsers have nothing to do with it; devices only by way of tickets."""
    dice = random.Random(5)
    found = []
    for at in range(n):
        is_ticket = dice.random() < 0.5
        is_mobile = dice.random() < (0.8 if is_ticket else 0.2)
        found.append(
            Answer(
                FIRST + timedelta(days=at % 28),
                5 if dice.random() < (0.4 if is_ticket else 0.85) else 1,
                channel="ticket" if is_ticket else "chat",
                device="mobile" if is_mobile else "desktop",
                browser=dice.choice(["Firefox", "Chrome"]),
                agent=dice.choice(["anna", "tom"]),
                country="AT",
            )
        )
    return [*found, *(Answer(FIRST, 10, "nps", "0-10") for _ in range(20))]


def ask(
    query: str,
    some: Sequence[Answer],
    key: Key = SECRET,
    tables: Tables | None = None,
    tenant: Tenant = ACME,
) -> Any:
    own = own_dimensions([tenant])
    asked = insights_query.parse(pairs(query), insights_query.DRIVERS, own=own)
    tenant = built(tenant, some)
    plan = plan_of(with_own(insights_query.REPORT, own), asked.query, [tenant], key)
    reader = Reader([tenant], key, tables or Tables({"acme": some}), without_limit)
    return json.loads(to_json(drivers(reader, plan, asked, Names())))


def by_name(reply: Any) -> dict[str, Any]:
    return {one["dimension"]: one for one in reply["drivers"]}


def test_the_strongest_comes_first_and_chance_is_not_marked() -> None:
    some = answers()
    reply = ask(DAYS, some)
    assert reply["headline"]["metric"] == "csat"  # it has more answers
    assert reply["drivers"][0]["dimension"] == "channel"
    found = by_name(reply)
    assert found["channel"]["significant"] and found["device"]["significant"]
    assert not found["browser"]["significant"] and not found["agent"]["significant"]
    assert "country" not in found and "survey" not in found  # everybody is of one
    assert found["channel"]["adjusted_for"] == ["country"]
    assert found["device"]["adjusted_for"] == ["channel", "country"]
    explained = [one["explains_pct"] for one in reply["drivers"]]
    assert explained == sorted(explained, reverse=True)


def test_a_group_is_told_beside_the_rest_and_beside_what_the_rest_make_of_its_mix() -> None:
    some = [one for one in answers() if one.metric == "csat"]
    found = by_name(ask(DAYS, answers()))
    rows = {one["value"]: one for one in found["device"]["rows"]}
    mobile = [one.score >= 4 for one in some if one.device == "mobile"]
    desktop = [one.score >= 4 for one in some if one.device == "desktop"]
    raw = 100 * (sum(mobile) / len(mobile) - sum(desktop) / len(desktop))
    told = rows["mobile"]
    assert (told["name"], told["responses"]) == ("Mobile", len(mobile))
    assert told["difference"] == pytest.approx(raw, abs=0.006)
    assert told["ci_low"] < told["difference"] < told["ci_high"] < 0
    assert told["points"] == pytest.approx(len(mobile) / len(some) * raw, abs=0.006)
    # most of it is that they write tickets
    assert abs(told["adjusted_difference"]) < abs(raw) / 2


def test_filters_hold_and_their_dimensions_are_left_out() -> None:
    reply = ask(f"{DAYS}&channel=ticket&metric=csat", answers())
    assert "channel" not in by_name(reply)
    assert "channel" not in by_name(ask(f"{DAYS}&channel=ticket,chat&metric=csat", answers()))
    assert reply["headline"]["responses"] == sum(
        one.channel == "ticket" and one.metric == "csat" for one in answers()
    )
    bound = replace(REPORTER, filters={"channel": ("ticket",)})
    assert (
        ask(DAYS, answers(), bound)["headline"]
        == ask(f"{DAYS}&channel=ticket", answers(), bound)["headline"]
    )
    assert "channel" not in by_name(ask(DAYS, answers(), bound))
    assert ask(f"{DAYS}&metric=nps", answers())["drivers"] == []  # nothing varies


def test_few_answers_about_an_agent_are_withheld_from_report_keys() -> None:
    tenant_of_many = replace(ACME, min_sample=50)
    some = [*answers(), *(Answer(FIRST, 1, agent="zoe") for _ in range(20))]
    asked = insights_query.parse(pairs(DAYS), insights_query.DRIVERS)
    tenant = built(tenant_of_many, some)
    plan = plan_of(insights_query.REPORT, asked.query, [tenant], REPORTER)
    reader = Reader([tenant], REPORTER, Tables({"acme": some}), without_limit)
    reply = json.loads(to_json(drivers(reader, plan, asked, Names())))
    (zoe,) = [one for one in by_name(reply)["agent"]["rows"] if one["value"] == "zoe"]
    assert (zoe["responses"], zoe["withheld"]) == (20, True)
    assert {zoe[name] for name in ("score", "difference", "points", "adjusted_difference")} == {
        None
    }


def test_nothing_goes_with_the_withheld_score_of_an_agent() -> None:
    some = [
        Answer(FIRST, 5 if at % 4 else 1, agent="zoe", browser=["Firefox", "Chrome"][at % 2])
        for at in range(40)
    ]
    asked = insights_query.parse(pairs(f"{DAYS}&agent=zoe"), insights_query.DRIVERS)
    tenant = built(replace(ACME, min_sample=50), some)

    def found(key: Key) -> Any:
        plan = plan_of(insights_query.REPORT, asked.query, [tenant], key)
        reader = Reader([tenant], key, Tables({"acme": some}), without_limit)
        return json.loads(to_json(drivers(reader, plan, asked, Names())))

    assert [*by_name(found(SECRET))] == ["browser"]
    withheld = found(REPORTER)
    assert withheld["drivers"] == [] and withheld["headline"]["score"] is None


def test_what_is_not_at_hand_is_left_out() -> None:
    some = answers()
    far = Tables({"acme": some}, at_hand=reading.MOST_BYTES + 1)
    reply = ask(DAYS, some, tables=far)
    assert reply["drivers"] == []
    [warning] = reply["meta"]["warnings"]
    assert warning["code"] == "not_compared"
    assert "channel" in warning["message"] and "browser" in warning["message"]
    assert ask(DAYS, some)["meta"]["warnings"] == []


def test_a_dimension_with_too_many_groups_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told = by_name(ask(DAYS, answers()))
    too_many(monkeypatch, lambda names: "agent" in names)
    reply = ask(DAYS, answers())
    (warning,) = reply["meta"]["warnings"]
    assert warning["message"].startswith("Groups by agent are not compared: ")
    assert told.keys() - by_name(reply).keys() == {"agent"}


def test_a_dimension_with_too_many_groups_by_stratum_is_compared_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = by_name(ask(DAYS, answers()))["agent"]
    too_many(monkeypatch, lambda names: {"agent", "channel"} <= {*names})
    reply = ask(DAYS, answers())
    assert reply["meta"]["warnings"] == []
    after = by_name(reply)["agent"]
    assert (before["adjusted_for"], after["adjusted_for"]) == (["channel", "country"], [])
    assert after["explains_pct"] == before["explains_pct"]


def test_no_answers_tell_nothing() -> None:
    reply = ask("start_date=2020-01-01&end_date=2020-01-07", answers())
    assert (reply["headline"], reply["drivers"]) == (None, [])


def test_of_more_values_the_rest_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [
        replace(one, browser=f"b{at % 7}" if at % 2 else "Chrome")
        for at, one in enumerate(answers())
    ]
    monkeypatch.setattr(module, "MOST_VALUES", 3)
    rows = by_name(ask(DAYS, some))["browser"]["rows"]
    assert len(rows) == 4
    assert "(other)" in {one["value"] for one in rows}
    assert sum(one["responses"] for one in rows) == 600


def test_of_many_groups_those_that_weigh_most_are_told() -> None:
    some = [replace(one, browser=f"b{at % 25}") for at, one in enumerate(answers()[:600])]
    (browser,) = [one for one in ask(DAYS, some)["drivers"] if one["dimension"] == "browser"]
    assert (browser["groups"], len(browser["rows"])) == (25, 20)
    weights = [abs(one["points"]) for one in browser["rows"]]
    assert weights == sorted(weights, reverse=True)


def test_in_too_many_strata_nobody_is_compared_within_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CELLS", 3)
    device = by_name(ask(DAYS, answers()))["device"]
    assert device["adjusted_for"] == []
    assert {one["adjusted_difference"] for one in device["rows"]} == {None}


def test_a_comparison_is_not_taken() -> None:
    with pytest.raises(BadRequestError) as refused:
        insights_query.parse(pairs("compare=previous_year"), insights_query.DRIVERS)
    assert refused.value.code == "unknown_parameter"


def test_a_tag_that_is_a_dimension_may_go_with_a_score() -> None:
    some = [replace(one, tag2="pro" if one.score >= 4 else "free") for one in answers()]
    first, *_ = ask(DAYS, some, tenant=TEAMS)["drivers"]
    assert (first["dimension"], first["explains_pct"]) == ("plan", 100)
    assert first["adjusted_for"] == ["channel", "country"]
    good = [one for one in some if one.metric == "csat" and one.score >= 4]
    assert {one["value"]: one["responses"] for one in first["rows"]}["pro"] == len(good)
    told = ask(f"{DAYS}&plan=pro", some, tenant=TEAMS)
    assert told["headline"]["responses"] == len(good)
    assert "plan" not in by_name(told)


def test_the_rows_that_count_are_looked_for_once_where_a_tenant_has_its_own_dimensions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_for: list[Piece] = []
    only = Piece.only

    def noted(piece: Piece, ranges: Iterable[DateRange], filters: Filters) -> Piece:
        looked_for.append(piece)
        return only(piece, ranges, filters)

    monkeypatch.setattr(Piece, "only", noted)
    ask(DAYS, answers(), tenant=TEAMS)
    assert len(looked_for) == 1  # all answers are of one year, which is one object
