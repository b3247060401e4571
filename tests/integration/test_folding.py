"""Beyond a limit, values that public keys send are counted together as (other).

Which values are folded, tests/tables/daily.scores_folded says.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days, lake
from pulse.checks import run_checks
from pulse.daily.build import BuildDaily
from pulse.daily.statement_days import day_parameters
from pulse.sql import statement
from pulse.store.athena import Athena
from tests.daily_rows import NOW, daily_rows, message, noon_us
from tests.driver import Driver, running

pytestmark = pytest.mark.only_whole

DAYS_BACK = count(1)


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """Two tenants; each test has days of its own."""
    with days.clock(lambda: NOW), running() as driver:
        driver.tenant("acme")
        driver.tenant("globex")
        yield driver


@pytest.fixture
def day() -> date:
    return unused_day()


def unused_day() -> date:
    return NOW.date() - timedelta(days=next(DAYS_BACK))


Sent = tuple[str | None, str]
"""An agent, and the kind of key that named it."""


def send(
    pulse: Driver,
    day: date,
    sent: Sequence[Sent],
    tenant: str = "acme",
    **more: Any,
) -> None:
    """An answer each, as ingest puts them on the queue."""
    records = []
    for agent, kind in sent:
        item = dict(
            survey="email",
            metric="nps",
            scale="0-10",
            score=9,
            response_id=lake.ulid(),
            answered_us=noon_us(day),
            channel="chat",
            agent=agent,
        )
        records.append(message(item, tenant=tenant, key_kind=kind, **more))
    assert pulse.write(records) == []


def build(pulse: Driver, limit: int) -> None:
    stage = replace(BuildDaily.from_settings(pulse.settings), public_values=limit)
    stage.run(remaining_s=lambda: inf)


def rebuild(pulse: Driver, day: date, limit: int) -> None:
    stage = replace(BuildDaily.from_settings(pulse.settings), public_values=limit)
    stage.run(day, day, remaining_s=lambda: inf)


def told(pulse: Driver, day: date, name: str = "agent", tenant: str = "acme") -> Counter[Any]:
    """How many answers each value of a dimension counts, from the published rows of a day."""
    found: Counter[Any] = Counter()
    for row in daily_rows(pulse, lake.SCORES, day):
        if row["tenant"] == tenant:
            found[row[name]] += sum(row[score] for score in lake.SCORE_COUNTS)
    return found


def public(*agents: str | None) -> list[Sent]:
    return [(agent, "publishable") for agent in agents]


def secret(*agents: str | None) -> list[Sent]:
    return [(agent, "secret") for agent in agents]


def test_browsers_and_systems_are_folded_each_by_its_own_answers(pulse: Driver, day: date) -> None:
    windows, mac = "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7"
    chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
    for system, browser in (
        (windows, chrome),
        (windows, chrome),
        (mac, chrome),
        (windows, "Gecko/20100101 Firefox/133.0"),
    ):
        agent = f"Mozilla/5.0 ({system}) {browser}"
        send(pulse, day, public("ada"), user_agent=agent)
    build(pulse, 1)
    assert told(pulse, day) == {"ada": 4}
    assert told(pulse, day, "browser") == {"Chrome": 3, "(other)": 1}
    assert told(pulse, day, "os") == {"Windows": 3, "(other)": 1}
    assert told(pulse, day, "device") == {"desktop": 4}


def test_the_limit_can_be_raised_and_the_day_built_again(pulse: Driver, day: date) -> None:
    send(pulse, day, public("ada", "ada", "bob", "cyd"))
    build(pulse, 1)
    assert told(pulse, day) == {"ada": 2, "(other)": 2}
    rebuild(pulse, day, 3)
    assert told(pulse, day) == {"ada": 2, "bob": 1, "cyd": 1}


agents = st.sampled_from([None, "a", "b", "c", "B", "é", "🙂"])
kinds = st.sampled_from(["publishable", "secret"])


cases = st.lists(st.tuples(agents, kinds), min_size=1, max_size=25)


@settings(deadline=None, max_examples=4)
@given(st.lists(cases, min_size=6, max_size=6), st.integers(1, 4))
def test_folding_is_what_its_rule_says(pulse: Driver, given: list[list[Sent]], limit: int) -> None:
    """Several days are built at once, which takes no longer than one."""
    sent = {unused_day(): case for case in given}
    for day, case in sent.items():
        send(pulse, day, case)
    build(pulse, limit)
    for day, case in sent.items():
        assert told(pulse, day) == folded(case, limit)


def folded(sent: list[Sent], limit: int) -> Counter[Any]:
    """How many answers each agent has, by the rule in plain Python."""
    counted = Counter(agent for agent, _ in sent)
    trusted = {agent for agent, kind in sent if kind == "secret"} | {None}
    open_ended = sorted(
        (agent for agent in counted if agent not in trusted),
        key=lambda agent: (-counted[agent], str(agent).encode()),
    )
    expected: Counter[Any] = Counter()
    for agent, number in counted.items():
        expected["(other)" if agent in open_ended[limit:] else agent] += number
    return expected


@pytest.mark.parametrize(
    ("limit", "ranked"),
    [(2, True), (3, False)],
    ids=["one value too many", "not one too many"],
)
def test_values_are_ranked_where_public_keys_have_named_too_many(
    pulse: Driver, day: date, monkeypatch: pytest.MonkeyPatch, limit: int, ranked: bool
) -> None:
    send(pulse, day, public("ada", "bob", "cyd", None) + secret("dan", "eve"))
    send(pulse, day, public("fay", "gus"), tenant="globex")
    statements: list[str] = []
    unload = Athena.unload

    def recorded(athena: Athena, sql: str, *args: Any, **more: Any) -> None:
        statements.append(sql)
        unload(athena, sql, *args, **more)

    monkeypatch.setattr(Athena, "unload", recorded)
    build(pulse, limit)
    sums = [sql for sql in statements if "comment IS NOT NULL" not in sql]
    assert ["dense_rank" in sql for sql in sums] == [ranked]


def test_both_statements_give_the_same_rows_where_nothing_is_folded(pulse: Driver) -> None:
    first, last = unused_day(), unused_day()
    for day in (first, last):
        send(pulse, day, public("ada", "ada", "bob", None) + secret("ada", "cyd", None))
        send(pulse, day, public("ada"), user_agent="Mozilla/5.0 (X11; Linux) Firefox/133.0")
    athena = BuildDaily.from_settings(pulse.settings).athena
    span = day_parameters([last, first]) | {"public_values": 5}
    plain, folded = (
        athena.rows(statement("daily", name), span, remaining_s=lambda: inf)
        for name in ("scores", "scores_folded")
    )
    assert len(plain) > 4
    assert Counter(tuple(row.items()) for row in plain) == Counter(
        tuple(row.items()) for row in folded
    )


def test_what_is_folded_is_conserved_counted_and_told(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, other = date(2026, 9, 1), date(2026, 9, 2)
    metrics: Counter[str] = Counter()
    monkeypatch.setattr(
        "pulse.daily.build.count", lambda name, value=1: metrics.update({name: value})
    )
    send(pulse, day, public("ada", "ada", "bob", "cyd"))
    send(pulse, other, public("ada"))
    build(pulse, 1)
    assert metrics["AnswersFolded"] == 2
    pulse.build_reports()
    pulse.forget()
    assert {check.state for check in run_checks(pulse.settings)} == {"ok"}

    def codes(reply: Any) -> list[str]:
        return [warning["code"] for warning in reply["meta"]["warnings"]]

    def both(query: str) -> str:
        return f"start_date=2026-09-01&end_date=2026-09-02&{query}"

    reply = pulse.report("acme", "agents", both("agent=(other)"), kind="secret")
    assert [(row["agent"], row["responses"]) for row in reply["rows"]] == [("(other)", 2)]
    assert codes(reply) == ["values_folded"]
    assert "agent" in reply["meta"]["warnings"][0]["message"]
    for report, query, expected in (
        ("agents", both(""), ["values_folded"]),
        ("agents", "start_date=2026-09-02&end_date=2026-09-02", []),
        ("agents", "start_date=2026-09-02&end_date=2026-09-02&compare=previous_period",
         ["values_folded"]),
        ("daily", both(""), []),  # all answers are in it
        ("daily", both("agent=bob"), ["values_folded"]),  # some of bob's may be (other)
    ):  # fmt: skip
        assert codes(pulse.report("acme", report, query, kind="secret")) == expected, (
            report,
            query,
        )
    key = pulse.key("acme", "secret")
    found = pulse.call("GET", f"/v1/dimensions/agent?{both('')}", key=key).json
    values = {value["value"]: value["count"] for value in found["values"]}
    assert values == {"ada": 3, "(other)": 2}
    assert codes(found) == ["values_folded"]
