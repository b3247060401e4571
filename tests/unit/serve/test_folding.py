"""Of too many groups the largest have rows, and the others are added up as (rest)."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.errors import OutdatedError, UnprocessableError
from pulse.reports.registry import REPORTS
from pulse.serve import answer as answering
from pulse.serve import groups
from pulse.serve.encoding import Encoded
from pulse.serve.folding import Kept, Ranking
from pulse.serve.groups import Groups
from pulse.serve.plan import plan_of
from pulse.serve.query import parse
from pulse.streams.responses import CHANNELS
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests import oracle
from tests.calendar_oracle import Calendar, Days, compared_days
from tests.oracle import Part, ReportQuery
from tests.unit.serve.events import Answer, as_years, built, pairs
from tests.unit.serve.interactions import ask as ask_interactions

SECRET = Key("0" * 64, "secret", "acme", 0)
OPERATOR = Key("1" * 64, "operator", None, 0)
ACME = Tenant("acme", "Acme")
DAY = date(2026, 11, 20)
REST = "(rest)"


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with days.clock(lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)):
        yield


def text(
    report: str,
    query: str,
    found: Sequence[Answer],
    *,
    most: int,
    key: Key = SECRET,
    tenants: Any = (ACME,),
) -> str:
    """A reply where a question may make so many rows; each of the tenants has the same answers."""
    entry = REPORTS[report]
    years = as_years(found)
    parsed = parse(pairs(query), entry, across_tenants=key.kind == "operator")
    plan = plan_of(entry, parsed, [built(tenant, found) for tenant in tenants], key)
    with mock.patch.object(groups, "MOST_GROUPS", most):
        return answering.answer(plan, {tenant.id: years for tenant in tenants}, query).body


def told(report: str, query: str, found: Sequence[Answer], *, most: int, **given: Any) -> Any:
    return json.loads(text(report, query, found, most=most, **given))


def kept_of(reply: Any) -> int | None:
    """How many groups the warning says were kept; None where there is none."""
    messages = [w["message"] for w in reply["meta"]["warnings"] if w["code"] == "groups_folded"]
    return int(re.findall(r"[\d,]+", messages[0])[0].replace(",", "")) if messages else None


def agents(counts: Sequence[int], **given: Any) -> list[Answer]:
    """So many answers of each of as many agents."""
    return [
        Answer(DAY, 1 + number % 5, agent=f"a{number:03}", **given)
        for number, count in enumerate(counts)
        for _ in range(count)
    ]


# -- against an oracle that folds the single answers


def _value_rank(value: str | None) -> tuple[bool, str]:
    return value is None, value or ""


def folded(
    found: Sequence[Answer], opened: Sequence[str], kept: int, now: Days, before: Days | None
) -> list[Answer]:
    """The answers under the names that they have once so many groups are kept."""

    def combination(answer: Answer) -> tuple[str | None, ...]:
        return tuple(answer.dimension(name) for name in opened)

    def counts(within: Days | None) -> Counter[tuple[str | None, ...]]:
        some = (a for a in found if within and within[0] <= a.day <= within[1])
        return Counter(combination(answer) for answer in some)

    first, second = counts(now), counts(before)
    ranked = sorted(
        {*first, *second},
        key=lambda c: (-first[c], -second[c], [_value_rank(value) for value in c]),
    )
    beginnings = {c[:end] for c in ranked[:kept] for end in range(1, len(c) + 1)}
    renamed = []
    for answer in found:
        values = combination(answer)
        shown = [
            value if values[: at + 1] in beginnings else REST for at, value in enumerate(values)
        ]
        names: dict[str, Any] = dict(zip(opened, shown, strict=True))
        renamed.append(replace(answer, **names))
    return renamed


def crowd(seed: int, size: int, report: str) -> list[Answer]:
    """Answers of three years by many agents, most of whom have few."""
    chance = random.Random(seed)
    scales = {"rates": [("nps", "0-10")]}.get(report, [("csat", "1-5"), ("nps", "0-10")])
    answers = []
    for _ in range(size):
        metric, scale = chance.choice(scales)
        answers.append(
            Answer(
                date(2025, 6, 1) + timedelta(days=chance.randrange(600)),
                chance.randint(1, 5),
                metric,
                scale,
                channel=chance.choice(CHANNELS),
                agent=chance.choice([None, f"a{int(chance.expovariate(1 / 12)):02}"]),
                country=chance.choice([None, "DE", "FR", "US"]),
            )
        )
    return answers


def in_any_order(rows: Sequence[Any], by: Sequence[str]) -> list[Any]:
    names = ("period", "metric", "scale", "level", *by)
    return sorted(rows, key=lambda row: json.dumps([row.get(name) for name in names]))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from([400, 150]),
    most=st.sampled_from([250, 60, 120, 700]),
    report=st.sampled_from(["agents", "source", "rates"]),
    by=st.sampled_from(
        [("agent",), ("agent", "country"), ("country", "agent"), ("agent", "channel", "country")]
    ),
    granularity=st.sampled_from(["total", "month"]),
    compare=st.sampled_from(["previous_period", "previous_year", None]),
    subtotals=st.booleans(),
    fill=st.booleans(),
)
def test_folded_replies_are_those_of_answers_that_are_named_so(
    seed: int,
    size: int,
    most: int,
    report: str,
    by: tuple[str, ...],
    granularity: str,
    compare: str | None,
    subtotals: bool,
    fill: bool,
) -> None:
    if "channel" in by and report == "source":
        report = "agents"  # the three channels that source always shows have tests of their own
    found = crowd(seed, size, report)
    now = date(2026, 3, 10), date(2026, 11, 20)
    before = compared_days(compare, None, now, "monday") if compare else None
    query = (
        f"start_date={now[0]}&end_date={now[1]}&group_by={','.join(by)}&granularity={granularity}"
        f"&subtotals={str(subtotals).lower()}&fill={str(fill).lower()}&limit=10000"
        + (f"&compare={compare}" if compare else "")
    )
    try:
        reply = told(report, query, found, most=most)
    except UnprocessableError:
        assume(False)
    kept = kept_of(reply)
    opened = [name for name in by if name in ("agent", "country", "channel")]
    if kept is not None:
        combinations = {tuple(a.dimension(name) for name in opened) for a in found}
        assert 10 <= kept < len(combinations)
        found = folded(found, opened, kept, now, before)
    grouped = (*by, "score_value") if report == "rates" else by
    asked = ReportQuery(report, grouped, granularity, fill=fill, subtotals=subtotals)
    rows, totals = oracle.reply(asked, [Part(found, Calendar(now, compare))])
    assert len(reply["rows"]) <= most
    assert in_any_order(reply["rows"], grouped) == in_any_order(rows, grouped)
    assert reply["totals"] == totals
    if not subtotals:
        counted = Counter[tuple[str, str]]()
        for row in reply["rows"]:
            counted[row["metric"], row["scale"]] += row["responses"]
        assert counted == {(t["metric"], t["scale"]): t["responses"] or 0 for t in totals}


# -- what is kept


def test_the_largest_are_kept_and_ties_go_by_value() -> None:
    found = agents([1] * 30 + [3] * 15)
    reply = told("agents", "", found, most=16)
    assert kept_of(reply) == 14
    assert [row["agent"] for row in reply["rows"]] == [f"a{n:03}" for n in range(30, 44)] + [REST]
    assert reply["rows"][-1]["responses"] == 33
    some = told("agents", "", agents([1] * 40), most=25)
    assert [row["agent"] for row in some["rows"]][-2:] == ["a020", REST]


def test_as_many_groups_as_there_may_be_are_told_one_by_one() -> None:
    reply = told("agents", "", agents([2] * 30), most=30)
    assert len(reply["rows"]) == 30
    assert kept_of(reply) is None
    assert reply["meta"]["warnings"] == []


def test_the_same_agents_over_years_are_not_too_many() -> None:
    found = [
        replace(a, day=date(year, 5, 1)) for year in (2024, 2025, 2026) for a in agents([1] * 20)
    ]
    reply = told("agents", "start_date=2024-01-01&end_date=2026-11-20", found, most=25)
    assert (len(reply["rows"]), kept_of(reply)) == (20, None)


def test_the_warning_says_how_many_are_told_and_how_many_are_not() -> None:
    [warning] = told("agents", "", agents([2] * 90), most=40)["meta"]["warnings"]
    assert warning == {
        "code": "groups_folded",
        "message": "The 35 groups of the most answers have rows of their own; what is called "
        "(rest) is the sum of all others, 55 of them.",
    }


def test_the_rest_is_of_two_groups_at_least() -> None:
    """A single group would be shown all the same, by a name that hides whose its figures are."""
    for size in range(31, 40):
        reply = told("agents", "", agents([2] * size), most=30)
        assert size - (kept_of(reply) or 0) >= 2


def test_every_period_keeps_the_same_agents() -> None:
    found = [
        replace(answer, day=DAY - timedelta(days=day))
        for day in range(4)
        for answer in agents([4 if n % 4 == day else 1 for n in range(40)] + [9] * 5)
    ]
    reply = told("agents", "granularity=day", found, most=100)
    named = [{row["agent"] for row in reply["rows"] if row["period"] == p} for p in
             {row["period"] for row in reply["rows"]}]  # fmt: skip
    assert len(named) == 4
    assert all(one == named[0] and REST in one for one in named)


def test_closed_sets_and_what_is_kept_apart_are_not_folded() -> None:
    found = [*agents([1] * 40), *agents([1] * 40, metric="nps", scale="0-10")]
    reply = told("agents", "group_by=agent", found, most=60)
    rest = [r["metric"] for r in reply["rows"] if r["agent"] == REST]
    assert rest == ["csat", "nps"]
    with pytest.raises(UnprocessableError) as error:
        told("rates", "granularity=day&fill=true", agents([1], metric="nps", scale="0-10"), most=20)
    assert error.value.code == "too_many_groups"


def test_the_usual_channels_are_shown_unless_they_may_be_among_others() -> None:
    """Beside the row of the rest, a channel with 0 answers would seem to have had none."""
    few = [answer for n in range(9) for answer in agents([2], channel=f"kiosk {n}")]
    reply = told("source", "", few, most=40)
    assert {row["channel"]: row["responses"] for row in reply["rows"]} == {
        **{f"kiosk {n}": 2 for n in range(9)},
        **{"ticket": 0, "chat": 0, "external": 0},
    }
    many = [answer for n in range(60) for answer in agents([2], channel=f"kiosk {n:02}")]
    reply = told("source", "", [*many, *agents([1], channel="chat")], most=40)
    shown = {row["channel"]: row["responses"] for row in reply["rows"]}
    assert "chat" not in shown and 0 not in shown.values()
    assert shown[REST] == 121 - 2 * (len(shown) - 1)


def test_each_tenant_of_an_operator_has_its_rest() -> None:
    tenants = [ACME, Tenant("beta", "Beta")]
    query = "tenant=acme,beta&group_by=tenant,agent"
    reply = told("agents", query, agents([1] * 40), most=40, key=OPERATOR, tenants=tenants)
    assert [r["tenant"] for r in reply["rows"] if r["agent"] == REST] == ["acme", "beta"]
    assert sum(row["responses"] for row in reply["rows"]) == 80


def test_money_of_the_rest_stays_in_its_currency() -> None:
    sold = [
        {"day": DAY, "agent": f"a{n:02}", "currency": ("EUR", "USD")[n % 2], "entered": 1,
         "with_revenue": 1, "revenue": 10_000 + n}
        for n in range(40)
    ]  # fmt: skip
    with mock.patch.object(groups, "MOST_GROUPS", 25):
        found = [(ACME, {"interactions": sold})]
        rows = json.loads(
            ask_interactions("revenue", "group_by=agent,currency", found, SECRET).body
        )["rows"]
    rest = {row["currency"]: row["revenue"] for row in rows if row["agent"] == REST}
    assert rest.keys() == {"EUR", "USD"}
    kept = {row["agent"] for row in rows}
    expected = sum(10_000 + n for n in range(0, 40, 2) if f"a{n:02}" not in kept)
    assert rest["EUR"] == f"{expected / 10_000:.4f}"


# -- where the rest stands


@pytest.mark.parametrize("order", ["responses", "-responses", "-agent", "agent", "score"])
def test_the_rest_stands_last_however_rows_are_ordered(order: str) -> None:
    found = [*agents([1] * 30 + [3] * 15), *many_without_agent(5)]
    rows = told("agents", f"order_by={order}", found, most=60 if "agent" not in order else 30)[
        "rows"
    ]
    assert [row["agent"] for row in rows].index(REST) == len(rows) - 1


def many_without_agent(n: int) -> list[Answer]:
    return [Answer(DAY, 4)] * n


def test_within_an_order_by_period_the_rest_stands_last_in_each() -> None:
    found = [
        replace(answer, day=DAY - timedelta(days=day))
        for day in range(2)
        for answer in agents([2] * 30)
    ]
    rows = told("agents", "granularity=day&order_by=-period,-responses", found, most=60)["rows"]
    named = [row["agent"] for row in rows]
    half = len(rows) // 2
    assert named.count(REST) == 2
    assert named[half - 1] == named[-1] == REST


def test_pages_of_a_folded_reply_are_one_reply() -> None:
    found = agents([1 + n % 7 for n in range(60)])
    whole = told("agents", "order_by=-responses", found, most=60)["rows"]
    query, pages = "order_by=-responses&limit=7", []
    cursor: str | None = ""
    while cursor is not None:
        reply = told("agents", query + (f"&cursor={cursor}" if cursor else ""), found, most=60)
        pages += reply["rows"]
        cursor = reply["next_cursor"]
    assert pages == whole
    assert whole[-1]["agent"] == REST


def test_a_cursor_of_other_rows_is_outdated() -> None:
    found = agents([1] * 60)
    cursor = told("agents", "limit=5", found, most=60)["next_cursor"]
    other = [*found, *agents([5])]
    entry = REPORTS["agents"]
    query = f"limit=5&cursor={cursor}"
    tenant = built(ACME, other, content="other")
    plan = plan_of(entry, parse(pairs(query), entry), [tenant], SECRET)
    with pytest.raises(OutdatedError):
        answering.answer(plan, {"acme": as_years(other)}, query)


# -- persons, and values that are called so


def test_a_rest_of_few_answers_is_withheld_as_any_row() -> None:
    key = replace(SECRET, kind="report")
    found = agents([9] * 20 + [1, 1])
    rows = told("agents", "", found, most=21, key=key)["rows"]
    rest = next(row for row in rows if row["agent"] == REST)
    assert rest["responses"] >= 2
    few = [row for row in rows if row["responses"] < 5]
    assert all(row["withheld"] and row["score"] is None for row in few)


def test_an_older_value_of_this_name_is_among_the_others() -> None:
    """The value was accepted before its text was reserved."""
    found = [*agents([2] * 40), *[Answer(DAY, 5, agent=REST)] * 100]
    rows = told("agents", "", found, most=30)["rows"]
    [rest] = [row for row in rows if row["agent"] == REST]
    assert sum(row["responses"] for row in rows) == 180
    assert rest["responses"] > 100
    plain = told("agents", "", found, most=1000)
    assert [r["responses"] for r in plain["rows"] if r["agent"] == REST] == [100]


def test_a_filter_by_the_rest_is_warned_of() -> None:
    reply = told("agents", "agent=(rest)", agents([2] * 3), most=30)
    assert reply["rows"] == []
    assert [w["code"] for w in reply["meta"]["warnings"]] == ["filter_by_rest"]


# -- questions that cost too much


def test_a_question_that_makes_too_many_rows_is_told_how_to_ask_less() -> None:
    query = "start_date=1990-01-01&end_date=2026-11-20&granularity=day&fill=true&subtotals=true"
    with pytest.raises(UnprocessableError) as error:
        told(
            "agents", f"{query}&compare=previous_year&order_by=-score", agents([1] * 12), most=9999
        )
    assert error.value.code == "too_many_groups"
    assert str(error.value).endswith(
        "compared: ask for fewer days, or a coarser granularity, or leave out fill or subtotals or "
        "compare or order_by, or group by fewer dimensions, or filter more."
    )
    with pytest.raises(UnprocessableError) as error:
        told("source", "group_by=channel", [*agents([1], channel="chat")], most=2)
    assert "days" not in str(error.value)
    assert "leave out" not in str(error.value)


def test_ordering_by_figures_counts_as_more_rows() -> None:
    """The figures have to be computed for every row, and not only for those of a page."""
    found = agents([2] * 40)
    assert kept_of(told("agents", "", found, most=60)) is None
    assert kept_of(told("agents", "order_by=-score", found, most=60)) == 26
    assert kept_of(told("agents", "order_by=-agent,metric", found, most=60)) is None
    compared = "start_date=2026-11-01&end_date=2026-11-20&compare=previous_period&order_by=-score"
    assert kept_of(told("agents", compared, found, most=60)) == 17


# -- columns of codes


def test_a_hundred_thousand_groups_fold_without_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.arange(300_000)
    column = Encoded(codes, [f"v{code}" for code in codes])
    tally = Groups([column], np.stack([codes, codes], axis=1))
    ranking = Ranking(["agent"], tally, ["agent"])
    kept = ranking.kept(10)
    assert ranking.total == 300_000
    assert list(kept.values[0]) == [f"v{code}" for code in range(299_990, 300_000)]
    assert ranking.rows(kept.fold) == 11


def test_what_is_not_kept_is_folded_from_the_last_column_inwards() -> None:
    names = ["agent", "country"]
    agent = Encoded(np.array([0, 0, 1, 2]), ["ada", "bo", None])
    country = Encoded(np.array([0, 1, 1, 0]), ["DE", "FR"])
    first = [Encoded(column.codes[:1], column.values) for column in (agent, country)]
    folded = Kept.of(names, first).fold(names, [agent, country])
    shown = [[one.values[code] for code in one.codes.tolist()] for one in folded]
    assert list(zip(*shown, strict=True)) == [
        ("ada", "DE"),
        ("ada", REST),
        (REST, REST),
        (REST, REST),
    ]
