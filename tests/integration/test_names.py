"""With `names=true` a report's rows have the names of agents and surveys beside their ids."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulse import days
from pulse.store.names import Names
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running

pytestmark = pytest.mark.only_whole

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def response(agent: str | None, name: str | None = None) -> dict[str, Any]:
    times = {"answered_at": "2026-11-18T09:00:00Z"}
    return {"survey_id": "support", "score": 4, "agent_id": agent, "agent_name": name, **times}


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: NOON), running() as driver:
        driver.tenant("demo")
        driver.survey("demo", "support", Rule.make("csat", 1, 5))
        driver.post("demo", [response("a1", "Ada Lovelace"), response("a2"), response(None)])
        driver.build()
        yield driver


def rows(pulse: Driver, query: str, *names: str) -> list[tuple[Any, ...]]:
    reply = pulse.report("demo", "agents", f"preset=last_7_days&{query}", kind="secret")
    return [tuple(row.get(name, "missing") for name in names) for row in reply["rows"]]


def test_names_stand_behind_the_dimensions_that_have_some(pulse: Driver) -> None:
    grouped = "group_by=survey,agent,channel&names=true"
    reply = pulse.report("demo", "agents", f"preset=last_7_days&{grouped}", kind="secret")
    listed = [(column["name"], column["kind"]) for column in reply["columns"]]
    assert listed[2:7] == [
        ("survey", "dimension"),
        ("survey_name", "name"),
        ("agent", "dimension"),
        ("agent_name", "name"),
        ("channel", "dimension"),
    ]
    told = [(row["survey_name"], row["agent"], row["agent_name"]) for row in reply["rows"]]
    question = "How was it?"
    assert told == [
        (question, "a1", "Ada Lovelace"),
        (question, "a2", None),
        (question, None, None),
    ]
    assert [row["agent_name"] for row in reply["totals"]] == [None]


def test_without_being_asked_for_there_are_none(pulse: Driver) -> None:
    assert rows(pulse, "", "agent_name") == [("missing",)] * 3
    assert rows(pulse, "group_by=channel&names=true", "agent_name") == [("missing",)]


def test_subtotals_have_no_names(pulse: Driver) -> None:
    found = rows(pulse, "group_by=survey,agent&subtotals=true&names=true", "level", "agent_name")
    assert found == [(0, None), (1, None), (2, "Ada Lovelace"), (2, None), (2, None)]


def test_csv_has_them_too(pulse: Driver) -> None:
    query = "preset=last_7_days&names=true&format=csv"
    key = pulse.key("demo", "secret")
    body = pulse.call("GET", f"/v1/reports/agents?{query}", key=key).body
    table = list(csv.DictReader(io.StringIO(body, newline="")))
    assert [(row["agent"], row["agent_name"]) for row in table] == [
        ("a1", "Ada Lovelace"),
        ("a2", ""),
        ("", ""),
    ]


def test_a_name_that_changes_is_another_reply(pulse: Driver) -> None:
    key = pulse.key("demo", "secret")
    path = "/v1/reports/agents?preset=last_7_days&names=true"

    def asked(etag: str = "") -> Reply:
        pulse.forget()
        return pulse.call("GET", path, key=key, headers={"if-none-match": etag})

    first = asked()
    assert asked(first.headers["ETag"]).status == 304
    with days.clock(lambda: NOON + timedelta(minutes=1)):
        pulse.post("demo", [response("a1", "Ada King")])
        pulse.write()
        renamed = asked(first.headers["ETag"])
    assert (renamed.status, renamed.json["rows"][0]["agent_name"]) == (200, "Ada King")


def test_names_that_cannot_be_read_are_missing_and_fail_no_reply(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Names, "agents", fail)
    query = "preset=last_7_days&names=true"
    reply = pulse.report("demo", "agents", query, kind="secret")
    assert [row["agent_name"] for row in reply["rows"]] == [None] * 3
    assert [one["code"] for one in reply["meta"]["warnings"]] == ["names_unavailable"]


@pytest.fixture
def team(pulse: Driver) -> Driver:
    """Agents whose names are in another order than their ids; two of one name, two of none."""
    called = {"a1": "Zoe", "a3": "émile", "a4": "Bo", "a5": "Émile", "a6": "Bo"}
    with days.clock(lambda: NOON + timedelta(minutes=1)):
        pulse.post("demo", [response(agent, name) for agent, name in called.items()])
        pulse.build()
    pulse.forget()
    return pulse


@pytest.mark.parametrize(
    ("order", "agents"),
    [
        ("agent_name", ["a4", "a6", "a5", "a3", "a1", "a2", None]),
        ("-agent_name", ["a1", "a3", "a5", "a4", "a6", "a2", None]),
        ("agent_name,-agent", ["a6", "a4", "a5", "a3", "a1", "a2", None]),
        ("survey_name,-agent_name", ["a1", "a3", "a5", "a4", "a6", "a2", None]),
    ],
)
def test_rows_can_be_ordered_by_names(team: Driver, order: str, agents: list[str | None]) -> None:
    """Whatever the direction, rows without a name come last; equal names by their ids."""
    query = f"group_by=survey,agent&names=true&order_by={order}"
    assert [agent for (agent,) in rows(team, query, "agent")] == agents
    pages: list[str | None] = []
    cursor = ""
    while len(pages) < len(agents):
        page = f"preset=last_7_days&{query}&limit=2{cursor}"
        reply = team.report("demo", "agents", page, kind="secret")
        pages += [row["agent"] for row in reply["rows"]]
        cursor = f"&cursor={reply['next_cursor']}"
    assert pages == agents


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("order_by=agent_name", "names=true"),
        ("order_by=-agent_name&names=false", "names=true"),
        ("order_by=survey_name&names=true", "Allowed: metric, scale, agent, agent_name"),
        ("order_by=channel_name&names=true&group_by=channel", "Allowed: metric, scale, channel"),
    ],
)
def test_who_orders_by_a_name_that_is_no_column_is_told_why(
    pulse: Driver, query: str, words: str
) -> None:
    key = pulse.key("demo", "secret")
    answer = pulse.call("GET", f"/v1/reports/agents?{query}", key=key)
    assert (answer.status, answer.json["code"]) == (400, "unknown_column")
    assert words in answer.json["detail"]


def test_a_page_in_the_order_of_names_that_have_changed_since_is_outdated(team: Driver) -> None:
    query = "preset=last_7_days&names=true&limit=2"
    key = team.key("demo", "secret")

    def follow(order: str) -> list[int]:
        path = f"/v1/reports/agents?{query}&order_by={order}"
        cursor = team.call("GET", path, key=key).json["next_cursor"]
        team.forget()
        with days.clock(lambda: NOON + timedelta(minutes=2)):
            team.post("demo", [response("a4", f"Bo, since {order}")])
            team.write()  # and not built: the rows are as they were
            return [team.call("GET", f"{path}&cursor={cursor}", key=key).status]

    assert follow("agent_name") == [409]
    assert follow("agent") == [200]
