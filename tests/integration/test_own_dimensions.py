"""Tags that a tenant declares as dimensions, from the command to the reply."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests
from typer.testing import CliRunner, Result

from pulse import days
from pulse.cli.main import app
from pulse.store.clients import client
from pulse.tenants.own_dimensions import in_force
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
names = (f"acme-{number}" for number in count())


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: NOW), running(PublicValues="10") as driver:
        yield driver


@pytest.fixture
def acme(pulse: Driver) -> str:
    """A new tenant with a survey."""
    name = next(names)
    pulse.tenant(name)
    pulse.survey(name, "email", Rule.make("csat", 1, 5))
    return name


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [*arguments, "--stack", "pulse"])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def declare(pulse: Driver, tenant: str, keys: str, *more: str) -> Any:
    """What the command shows; every process knows it at once."""
    shown = json.loads(run("tenant", "set", tenant, f"dimensions={keys}", *more, "--json").stdout)
    pulse.forget()
    return shown


def answer(id: str, score: int, day: str = "2026-11-20", **more: Any) -> dict[str, Any]:
    moment = {"answered_at": f"{day}T09:00:00Z"}
    return {"survey_id": "email", "response_id": id, "score": score, **moment, **more}


def send(pulse: Driver, tenant: str, *answers: dict[str, Any]) -> None:
    sent = pulse.post(tenant, answers)
    assert sent.status == 202, sent.body
    assert sent.json["rejected"] == []
    pulse.write()


def counted(pulse: Driver, tenant: str, *names: str, **asked: str) -> dict[Any, int]:
    """How many responses there are by these dimensions."""
    query = urlencode({"group_by": ",".join(names), **asked}, safe=",!()", quote_via=quote)
    rows = pulse.report(tenant, "csat", query, kind="secret")["rows"]
    return {tuple(row[name] for name in names): row["responses"] for row in rows}


def test_two_teams_are_compared_from_the_command_to_csv(pulse: Driver, acme: str) -> None:
    declare(pulse, acme, "team,plan")
    north, south = {"team": "north", "plan": "pro"}, {"team": " south ", "shop": "Graz"}
    send(
        pulse,
        acme,
        answer("a", 5, tags=north, comment="Quick"),
        answer("b", 4, tags=north),
        answer("c", 1, tags=south, comment="Slow"),
        answer("d", 3),
    )
    pulse.build()
    assert counted(pulse, acme, "team") == {("north",): 2, ("south",): 1, (None,): 1}
    assert counted(pulse, acme, "team", plan="pro") == {("north",): 2}
    assert counted(pulse, acme, "plan", team="!north") == {(None,): 2}

    key = pulse.key(acme, "feed", report="csat")
    reply = pulse.call("GET", f"/v1/reports/csat?key={key}&group_by=team")
    lines = list(csv.DictReader(io.StringIO(reply.body)))
    assert {line["team"]: line["csat_pct"] for line in lines} == {
        "north": "100.00",
        "south": "0.00",
        "": "0.00",
    }
    secret = pulse.key(acme, "secret")
    values = pulse.call("GET", "/v1/dimensions/team", key=secret).json
    assert [(one["value"], one["count"]) for one in values["values"]] == [
        ("north", 2),
        ("south", 1),
        (None, 1),
    ]
    assert pulse.call("GET", "/v1/reports", key=secret).json["tenant"]["dimensions"] == [
        "team",
        "plan",
    ]
    found = pulse.call("GET", "/v1/comments?team=south", key=secret).json
    assert [one["response_id"] for one in found["comments"]] == ["c"]
    told = pulse.call("GET", "/v1/comments?plan=(none)", key=secret).json
    assert [one["response_id"] for one in told["comments"]] == ["c"]
    words = pulse.call("GET", "/v1/words?contrast=filter&against=team%3Dnorth", key=secret).json
    assert (words["first"]["comments"], words["second"]["comments"]) == (1, 1)


def exported(pulse: Driver, tenant: str, **filters: Any) -> dict[str, dict[str, str]]:
    """The rows of an export by response_id, each with its columns of tags."""
    asked = {"stream": "responses", "start_date": "2026-11-01", "end_date": "2026-11-21"}
    made = pulse.export(tenant, **asked, **filters)
    assert made["state"] == "done", made
    text = requests.get(made["link"], timeout=10).text
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return {
        row["response_id"]: {n: v for n, v in row.items() if n.startswith("tags.")} for row in rows
    }


@pytest.mark.only_whole
def test_an_export_is_filtered_as_a_report_is_and_tells_what_is_counted(
    pulse: Driver, acme: str
) -> None:
    other = next(names)
    pulse.tenant(other)
    pulse.survey(other, "email", Rule.make("csat", 1, 5))
    early = answer("z", 1, tags={"team": "north", "plan": "pro"})
    send(pulse, acme, early)
    declare(pulse, acme, "team,plan")
    declare(pulse, other, "plan,team")  # the same keys, in each other's columns
    for tenant in (acme, other):
        send(
            pulse,
            tenant,
            answer("a", 5, tags={"team": "north", "plan": "pro"}),
            answer("b", 4, tags={"team": " north ", "plan": "O'Hara"}),
            answer("c", 1, tags={"team": "pro", "plan": "north"}),
            answer("d", 3, tags={"shop": "Graz"}),
        )
    pulse.build()
    everything = {
        "a": {"tags.team": "north", "tags.plan": "pro"},
        "b": {"tags.team": "north", "tags.plan": "O'Hara"},
        "c": {"tags.team": "pro", "tags.plan": "north"},
        "d": {"tags.team": "", "tags.plan": ""},
    }
    assert exported(pulse, other) == {
        name: dict(reversed(tags.items())) for name, tags in everything.items()
    }
    # what came before the declaration has its tags, and is counted by none of them
    assert exported(pulse, acme) == everything | {"z": {"tags.team": "", "tags.plan": ""}}
    for filters, expected in (
        ({"team": "north"}, {"a", "b"}),
        ({"team": "!north"}, {"c", "d", "z"}),
        ({"team": ["north", "(none)"], "plan": ["O'Hara", "(none)"]}, {"b", "d", "z"}),
        ({"plan": "north"}, {"c"}),
        ({"team": "north", "channel": "chat"}, set()),
    ):
        assert exported(pulse, acme, **filters).keys() == expected, filters
        assert exported(pulse, other, **filters).keys() == expected - {"z"}, filters
    assert counted(pulse, acme, "team", team="!north") == {("pro",): 1, (None,): 2}


def test_each_day_has_what_was_in_force_on_it_and_days_of_before_have_nothing(
    pulse: Driver, acme: str
) -> None:
    tags = {"tags": {"team": "north", "plan": "pro"}}
    send(pulse, acme, answer("a", 5, "2026-11-18", **tags))
    declare(pulse, acme, "team", "--from", "2026-11-19")
    declare(pulse, acme, "plan", "--from", "2026-11-20")
    send(
        pulse,
        acme,
        answer("b", 5, "2026-11-18", **tags),
        answer("c", 5, "2026-11-19", **tags),
        answer("d", 5, "2026-11-20", **tags),
    )
    pulse.build()
    assert counted(pulse, acme, "team", "plan") == {
        (None, None): 2,
        ("north", None): 1,
        (None, "pro"): 1,
    }
    send(pulse, acme, answer("a", 4, "2026-11-19", **tags))  # late: its own day is built again
    pulse.build()
    assert counted(pulse, acme, "team") == {(None,): 3, ("north",): 2}


@pytest.mark.only_whole
def test_answers_that_came_before_the_declaration_count_once_they_are_sent_again(
    pulse: Driver, acme: str
) -> None:
    early = answer("a", 5, tags={"team": "north"})
    send(pulse, acme, early)
    pulse.build()
    declare(pulse, acme, "team")
    assert counted(pulse, acme, "team") == {(None,): 1}
    with days.clock(lambda: NOW + timedelta(minutes=1)):
        send(pulse, acme, early)
        pulse.build()
        pulse.forget()
    assert counted(pulse, acme, "team") == {("north",): 1}


def test_values_that_public_keys_send_without_end_are_counted_together(
    pulse: Driver, acme: str
) -> None:
    declare(pulse, acme, "team,plan")
    key = pulse.key(acme, "publishable")
    teams = [f"team {number}" for number in range(10)]
    for number, team in enumerate([*teams, *teams, "x", "y"]):
        body = json.dumps(answer(f"r{number}", 5, tags={"team": team, "plan": "pro"}))
        assert pulse.call("POST", "/v1/responses", key=key, body=body).status == 202
    pulse.write()
    pulse.build()
    expected = {(team, "pro"): 2 for team in (*teams, "(other)")}
    assert counted(pulse, acme, "team", "plan") == expected
    reply = pulse.report(acme, "csat", "group_by=team")
    assert [one["code"] for one in reply["meta"]["warnings"]] == ["values_folded"]


def test_a_key_of_a_team_sees_that_team_alone(pulse: Driver, acme: str) -> None:
    declare(pulse, acme, "team")
    send(
        pulse,
        acme,
        answer("a", 5, tags={"team": "north"}, comment="Quick"),
        answer("b", 1, tags={"team": "south"}, comment="Slow"),
    )
    pulse.build()
    made = ("--kind", "report", "--comments", "--filter", "team=north")
    key = run("key", "create", acme, *made).stdout.strip()
    reply = pulse.call("GET", "/v1/reports/csat?group_by=team", key=key).json
    assert [row["team"] for row in reply["rows"]] == ["north"]
    comments = pulse.call("GET", "/v1/comments", key=key).json["comments"]
    assert [one["comment"] for one in comments] == ["Quick"]
    (headline,) = pulse.call("GET", "/v1/insights", key=key).json["headlines"]
    assert (headline["responses"], headline["score"]) == (1, 100)
    secret = pulse.key(acme, "secret")
    drivers = pulse.call("GET", "/v1/insights/drivers?team=south", key=secret).json
    assert (drivers["headline"]["responses"], drivers["headline"]["score"]) == (1, 0)
    run("key", "create", acme, "--kind", "report", "--filter", "shop=Graz", code=2)


# -- the setting


def test_what_is_declared_is_shown_and_stored(pulse: Driver, acme: str) -> None:
    shown = declare(pulse, acme, " team , plan")
    assert shown["dimensions"] == {
        "team": [{"from": "1990-01-01", "in_force": True}],
        "plan": [{"from": "1990-01-01", "in_force": True}],
    }
    declare(pulse, acme, "plan")
    stored = pulse.tenants.get(acme)
    assert stored
    assert [*stored.dimensions] == ["team", "plan"]
    assert in_force(stored.dimensions, date(2026, 11, 22)) == ("plan",)
    shown = run("tenant", "show", acme).stdout
    assert "team, team not from 2026-11-22, plan" in " ".join(shown.split())
    declare(pulse, acme, "none")
    stored = pulse.tenants.get(acme)
    assert stored
    assert in_force(stored.dimensions, date(2026, 11, 22)) == ()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("channel", "something else of the name channel"),
        ("Channel", "something else of the name Channel"),
        ("team,NPS_SCORE,OS", "something else of the name"),
        ("score,tenant", "something else of the name score, tenant"),
        ("period", "something else"),
        ("media_type", "something else"),
        ("tag1", "something else"),
        ("a b", "key of a tag"),
        ("", "key of a tag"),
        ("a,b,c,d,e", "none is left for e"),
    ],
)
def test_what_cannot_be_a_dimension_is_refused_and_nothing_is_changed(
    pulse: Driver, acme: str, keys: str, said: str
) -> None:
    refused = run("tenant", "set", acme, f"dimensions={keys}", code=2)
    assert said in " ".join(refused.output.split())
    stored = pulse.tenants.get(acme)
    assert stored
    assert stored.dimensions == {}


def test_who_has_a_key_that_is_called_like_something_in_another_case_keeps_it(
    pulse: Driver, acme: str
) -> None:
    stored = pulse.tenants.get(acme)
    assert stored
    pulse.tenants.set(stored, dimensions={"Channel": ((days.FIRST_DAY, True),)})
    shown = declare(pulse, acme, "team,Channel")
    assert [*shown["dimensions"]] == ["Channel", "team"]
    refused = run("tenant", "set", acme, "dimensions=Channel,CHANNEL", code=2)
    assert "of the name CHANNEL," in " ".join(refused.output.split())
    send(pulse, acme, answer("a", 5, tags={"Channel": "fax"}, channel="chat"))
    pulse.build()
    assert counted(pulse, acme, "Channel", "channel") == {("fax", "chat"): 1}


def test_who_has_a_key_whose_name_came_to_reports_on_experience_later_keeps_it(
    pulse: Driver, acme: str
) -> None:
    stored = pulse.tenants.get(acme)
    assert stored
    pulse.tenants.set(stored, dimensions={"wait": ((days.FIRST_DAY, True),)})
    assert [*declare(pulse, acme, "team,wait")["dimensions"]] == ["wait", "team"]
    refused = run("tenant", "set", acme, "dimensions=wait,accept", code=2)
    assert "of the name accept," in " ".join(refused.output.split())
    send(pulse, acme, answer("a", 5, tags={"wait": "long", "team": "north"}))
    pulse.build()
    assert counted(pulse, acme, "wait", "team") == {("long", "north"): 1}


def test_agents_are_adjusted_for_a_key_that_is_declared(pulse: Driver, acme: str) -> None:
    run("tenant", "set", acme, "adjust_for=team", code=2)
    run("tenant", "set", acme, "dimensions=team", "adjust_for=channel,team")
    shown = json.loads(run("tenant", "show", acme, "--json").stdout)
    assert shown["adjust_for"] == ["channel", "team"]
    stored = pulse.tenants.get(acme)
    assert stored
    assert stored.adjust_for == ("channel", "team")
    # the version before reads a record only if it names none but built-in dimensions there
    place = {"pk": {"S": "TENANTS"}, "sk": {"S": acme}}
    table = pulse.settings.table
    record = client("dynamodb").get_item(TableName=table, Key=place)["Item"]
    assert record["adjust_for"] == {"L": [{"S": "channel"}]}
    run("tenant", "set", acme, "adjust_for=country")
    stored = pulse.tenants.get(acme)
    assert stored
    assert stored.adjust_for == ("country",)
