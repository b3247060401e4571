"""What a key may see: its filters, withheld values, and an operator's tenants."""

import json
from dataclasses import replace
from datetime import date

import pytest

from pulse.errors import ForbiddenError
from pulse.reports.registry import REPORTS
from pulse.serve.answer import answer
from pulse.serve.meta import meta_of
from pulse.serve.plan import Plan, plan_of
from pulse.serve.query import parse
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.serve.asking import DAY, REPORT_KEY, SECRET, TENANT, ask, body, many, years
from tests.unit.serve.events import Answer, built, pairs

pytestmark = pytest.mark.usefixtures("noon")


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
