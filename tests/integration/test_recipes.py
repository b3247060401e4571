"""The blocks of docs/recipes.md work on a running Pulse."""

import csv
import io
import json
import random
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pandas as pd
import pytest

from pulse import days
from pulse.store.athena import Athena
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running
from tests.liquid import render
from tests.recipes import blocks, section, views
from tests.shell import Shell

pytestmark = pytest.mark.only_whole

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST = date(2026, 11, 2)
RATED = ("Good, I'm satisfied", "Bad, I'm unsatisfied")
MEDIA = ("voice", "email", "chat")
EVENTS = Path(__file__).parents[2] / "events" / "ingest"
VIEWS = views()
QUERIES = [json.loads(block) for block in blocks("Grafana", "json")]


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """A tenant with the page's own survey and some weeks of everything, built."""
    with days.clock(lambda: NOON), running() as driver:
        thresholds = {"email.accept": ((days.FIRST_DAY, 3600),)}
        driver.tenant("demo", "Europe/Berlin", thresholds=thresholds)
        driver.survey("demo", "support", Rule.make("csat", 1, 5))
        driver.survey("demo", "strict", Rule.make("csat", 1, 5, good=5))
        driver.survey("demo", "friends", Rule.make("nps", 0, 10))
        driver.survey("demo", "ease", Rule.make("ces", 1, 7))
        chance = random.Random(5)
        for _ in range(2):
            assert driver.post("demo", [_answer(chance) for _ in range(400)]).status == 202
        interactions = [_interaction(chance, number) for number in range(300)]
        assert driver.post_interactions("demo", interactions).status == 202
        sessions = [_session(chance, number) for number in range(60)]
        assert driver.post_sessions("demo", sessions).status == 202
        driver.build()
        yield driver


def _answer(chance: random.Random) -> dict[str, Any]:
    survey = chance.choice(("support", "strict", "friends", "ease"))
    lowest, highest = {"friends": (0, 10), "ease": (1, 7)}.get(survey, (1, 5))
    return {
        "survey_id": survey,
        "score": chance.randint(lowest, highest),
        "answered_at": f"{FIRST + timedelta(chance.randrange(19))}T09:00:00Z",
        "channel": chance.choice(("ticket", "chat")),
        "agent_id": chance.choice(("a-1", "a-2", "a-3", None)),
        "country": chance.choice(("DE", "AT", None)),
        "interaction_id": chance.choice((f"i-{chance.randrange(300)}", None)),
    }


def _interaction(chance: random.Random, number: int) -> dict[str, Any]:
    entered = datetime(2026, 11, 2, 9, tzinfo=UTC) + timedelta(days=chance.randrange(12))
    accepted = entered + timedelta(seconds=chance.randrange(7_200))
    answered = accepted + timedelta(seconds=chance.randrange(900))
    finished = answered + timedelta(seconds=chance.randrange(9_000))
    reached = chance.randrange(4)
    amount = {"amount": f"{chance.randrange(-2_000, 9_000) / 100:.2f}", "currency": "EUR"}
    given = {
        "accepted_at": accepted.isoformat() if reached > 0 else None,
        "first_response_at": answered.isoformat() if reached > 1 else None,
        "finished_at": finished.isoformat() if reached > 2 else None,
        "replies": chance.randrange(1, 4) if reached > 1 else None,
        "satisfaction": chance.choice((None, 2, 4.5)),
        "revenue": chance.choice((None, amount, amount | {"currency": "CHF"})),
    }
    return {
        "interaction_id": f"i-{number}",
        "media_type": chance.choice(MEDIA),
        "entered_at": entered.isoformat(),
        "customer_segment": chance.choice(("Gold", None)),
        "service_type": chance.choice(("Loans", "Cards")),
        "agent_id": chance.choice(("a-1", "a-2")),
        **{name: value for name, value in given.items() if value is not None},
    }


def _session(chance: random.Random, number: int) -> dict[str, Any]:
    active = chance.randrange(1, 30_000)
    return {
        "session_id": f"s-{number}",
        "agent_id": chance.choice(("a-1", "a-2")),
        "media_type": chance.choice(MEDIA),
        "day": str(FIRST + timedelta(chance.randrange(12))),
        "active_seconds": active,
        "engaged_seconds": chance.randrange(active + 1),
    }


@pytest.fixture(autouse=True)
def _cold(pulse: Driver) -> Iterator[None]:
    with days.clock(lambda: NOON):
        pulse.forget()
        yield


@pytest.fixture(scope="module")
def commands(pulse: Driver) -> Mapping[str, str]:
    """What the page's commands print, by the section that they stand in."""
    printed = {}
    for title in ("Zendesk", "Grafana", "Spreadsheets"):
        for line in "".join(blocks(title, "sh")).splitlines():
            _, *arguments = shlex.split(line)
            printed[title] = Shell(pulse).run(*arguments).stdout.strip()
    return printed


# -- Zendesk


@dataclass
class Zendesk:
    """A help desk whose triggers send what the page's blocks say."""

    pulse: Driver
    key: str
    escapes: bool
    """Whether it escapes for JSON what it puts into a body: nobody knows, so both are tried."""

    def send(self, route: str, template: str, ticket: Mapping[str, Any]) -> Reply:
        body = render(template, ticket, escapes=self.escapes)
        return self.pulse.call("POST", f"/v1/{route}", key=self.key, body=body)

    def rate(self, ticket: Mapping[str, Any], rating: str) -> Reply:
        [template] = blocks("Ratings", "liquid")
        comment = 'She said "never again",\r\n\tthen laughed 😀 C:\\temp'
        rated = {"satisfaction": {"current_rating": rating, "current_comment": comment}}
        return self.send("responses", template, {**ticket, **rated})

    def tell(self, ticket: Mapping[str, Any], milestone: str | None = None) -> Reply:
        """What the trigger of a ticket's creation sends, or that of a milestone."""
        created, later = blocks("Tickets", "liquid")
        if milestone:
            kept = created[: created.index('  "service_type"')]
            created = kept + later.replace("accepted_at", milestone)
        return self.send("interactions", created, ticket)


@pytest.fixture(params=[False, True], ids=["as it is", "escaped"])
def zendesk(pulse: Driver, commands: Mapping[str, str], request: pytest.FixtureRequest) -> Zendesk:
    return Zendesk(pulse, commands["Zendesk"], request.param)


def ticket(number: int, updated: str = "2026-11-20T10:00:00Z", via: str = "Mail") -> dict[str, Any]:
    """A ticket of 09:15; Zendesk's own example of its times has no seconds."""
    return {
        "ticket": {
            "id": number,
            "via": via,
            "created_at_with_timestamp": "2026-11-20T09:15Z",
            "updated_at_with_timestamp": updated,
            "assignee": {"id": 7_000 + number, "name": 'Dwayne "The\tRock" \\ Ltd 🎸'},
            "requester": {"id": 380_001},
            "group": {"name": f'Desk "{number}"'},
        }
    }


def test_a_rating_counts_once_and_the_last_one_does(zendesk: Zendesk) -> None:
    number = 41 + zendesk.escapes
    seconds = count()
    with days.clock(lambda: NOON + timedelta(seconds=next(seconds))):
        for rating in (RATED[0], RATED[0], RATED[1]):
            assert zendesk.rate(ticket(number), rating).status == 202
    assert zendesk.rate(ticket(number + 2), RATED[0]).status == 202
    pulse = zendesk.pulse
    messages = pulse.messages()
    [*_, rated, _] = [item for m in messages for item in json.loads(m["body"])["items"]]
    assert rated["comment"] == "She said ”never again”, then laughed 😀 C:/temp"
    assert rated["agent_name"] == "Dwayne ”The Rock” / Ltd 🎸"
    assert pulse.write(messages) == []
    pulse.build()
    agents = f"agent={7_000 + number},{7_002 + number}"
    reply = pulse.report("demo", "csat", f"survey=zendesk&group_by=agent&{agents}", "secret")
    counts = [(row["agent"], row["satisfied"], row["dissatisfied"]) for row in reply["rows"]]
    assert sorted(counts) == [(f"{7_000 + number}", 0, 1), (f"{7_002 + number}", 1, 0)]
    assert {row["scale"] for row in reply["rows"]} == {"1-2"}
    assert reply["meta"]["date_range"]["end_date"] == "2026-11-20"


def test_the_sample_event_is_what_the_pages_body_becomes(zendesk: Zendesk) -> None:
    event = json.loads((EVENTS / "zendesk.json").read_text())
    assert event["routeKey"] == "POST /v1/responses"
    assert zendesk.rate(ticket(40), RATED[0]).status == 202
    [message] = zendesk.pulse.messages()
    sent = zendesk.pulse.call("POST", event["rawPath"], key=zendesk.key, body=event["body"])
    assert sent.status == 202
    [sample] = zendesk.pulse.messages()
    assert json.loads(sample["body"])["items"] == json.loads(message["body"])["items"]


@pytest.mark.parametrize("rating", ["", "Gut, ich bin zufrieden", "Offered"])
def test_a_rating_that_is_neither_is_refused(zendesk: Zendesk, rating: str) -> None:
    assert zendesk.rate(ticket(49), rating).status == 400
    assert zendesk.pulse.messages() == []


def test_a_ticket_tells_its_milestones_one_by_one(zendesk: Zendesk) -> None:
    number = 51 + zendesk.escapes
    went = {
        None: "2026-11-20T09:15:20Z",
        "accepted_at": "2026-11-20T09:45:00Z",
        "first_response_at": "2026-11-20T09:55:00Z",
        "finished_at": "2026-11-20T11:15:00Z",
    }
    named = set(re.findall(r"(?m)\| `(\w+)`", section("Tickets")))
    assert named == set(went) - {None}
    for milestone, updated in [*went.items(), *went.items()]:  # each of them is sent twice
        assert zendesk.tell(ticket(number, updated), milestone).status == 202
    zendesk.pulse.build()
    desk = quote(f"Desk ”{number}”")
    reply = zendesk.pulse.report("demo", "customer-perspective", f"service_type={desk}")
    [row] = reply["rows"]
    assert (row["media_type"], row["period"]) == ("email", "2026-11-20")
    assert [row[name] for name in ("entered", "accepted", "responded", "finished")] == [1] * 4
    assert row["accept_service_level_pct"] == 100  # half an hour, within the hour
    times = ("avg_accept_time_fmt", "avg_first_response_time_fmt", "avg_finish_response_time_fmt")
    assert [row[name] for name in times] == ["00:30:00", "00:40:00", "02:00:00"]


@pytest.mark.parametrize(
    ("via", "media_type"),
    [
        ("Mail", "email"),
        ("Web Form", "email"),
        ("Chat", "chat"),
        ("Native Messaging", "chat"),
        ("Phone Call (Incoming)", "voice"),
        ("Voicemail", "voice"),
        ("Text message", "sms"),
        ("Twitter DM", "social"),
        ("Facebook Post", "social"),
    ],
)
def test_a_tickets_source_is_its_medium(zendesk: Zendesk, via: str, media_type: str) -> None:
    assert zendesk.tell(ticket(60, via=via)).status == 202
    [message] = zendesk.pulse.messages()
    [item] = json.loads(message["body"])["items"]
    assert item["media_type"] == media_type


# -- Grafana


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query["url"])
def test_grafana_finds_its_columns(
    pulse: Driver, commands: Mapping[str, str], query: Mapping[str, Any]
) -> None:
    dashboard = {"${__from:date:YYYY-MM-DD}": "2026-11-01", "${__to:date:YYYY-MM-DD}": "2026-11-21"}
    asked = {
        p["key"]: dashboard.get(p["value"], p["value"]) for p in query["url_options"]["params"]
    }
    path = urlsplit(query["url"]).path
    answer = pulse.call(
        query["url_options"]["method"], f"{path}?{urlencode(asked)}", key=commands["Grafana"]
    )
    assert answer.status == 200, answer.body
    rows = answer.json[query["root_selector"]]
    assert len(rows) >= 3
    kinds: Mapping[str, type | tuple[type, ...]] = {"string": str, "number": (int, float)}
    for column in query["columns"]:
        values = [row[column["selector"]] for row in rows]  # every row has it
        known = [value for value in values if value is not None]
        assert known, column
        if column["type"] == "timestamp":
            assert column["timestampFormat"] == "2006-01-02"  # as Go writes year, month, day
            assert all(str(date.fromisoformat(value)) == value for value in known)
        else:
            assert all(isinstance(value, kinds[column["type"]]) for value in known)


# -- spreadsheets


def pulled(pulse: Driver, address: str) -> list[dict[str, str]]:
    """The lines that a spreadsheet gets: by the address alone."""
    parts = urlsplit(address)
    answer = pulse.call("GET", f"{parts.path}?{parts.query}", headers={"accept": "*/*"})
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(answer.body, newline=""), strict=True))


def test_a_sheet_pulls_the_pages_address(pulse: Driver, commands: Mapping[str, str]) -> None:
    [formula] = blocks("Spreadsheets", "text")
    [address] = re.findall(r'^=IMPORTDATA\("([^"]+)", ",", "en_US"\)\n$', formula)
    rows = pulled(pulse, address.replace("fk_…", commands["Spreadsheets"]))
    wanted = "preset=last_90_days&metric=csat&channel=chat"
    reply = pulse.report("demo", "daily", wanted)
    assert [(row["period"], float(row["score"])) for row in rows] == [
        (row["period"], row["score"]) for row in reply["rows"]
    ]
    assert len(rows) > 10


def test_power_query_pulls_the_same_and_knows_every_column(
    pulse: Driver, commands: Mapping[str, str]
) -> None:
    [text] = blocks("Spreadsheets", "powerquery")
    [host] = re.findall(r'Web\.Contents\("([^"]+)"', text)
    [path] = re.findall(r'RelativePath = "([^"]+)"', text)
    [query] = re.findall(r"Query = \[([^]]+)\]", text)
    fields = dict(re.findall(r'(\w+) = "?([\w.]+)"?', query))
    assert fields["key"] == "FeedKey"
    fields["key"] = commands["Spreadsheets"]
    address = f"{host}/{path}?{urlencode(fields)}"
    [formula] = blocks("Spreadsheets", "text")
    asked = dict(parse_qsl(urlsplit(re.findall(r'"([^"]+)"', formula)[0]).query))
    assert asked | {"key": fields["key"]} == fields
    rows = pulled(pulse, address)
    typed = dict(re.findall(r'\{"(\w+)", ([\w. ]+)\}', text))
    assert list(typed) == list(rows[0])
    reads: Mapping[str, Callable[[str], object]] = {
        "type date": date.fromisoformat,
        "type text": str,
        "Int64.Type": int,
        "type number": float,
        "type logical": {"true": True, "false": False}.__getitem__,
    }
    for row in rows:
        for name, value in row.items():
            reads[typed[name]](value)


# -- Athena


def selected(pulse: Driver, view: str) -> list[dict[str, Any]]:
    """The rows of a view, NULLs as None."""
    settings = pulse.settings
    athena = Athena(settings.database, settings.workgroup)
    rows = athena.rows(VIEWS[view], {}, remaining_s=lambda: inf)
    assert rows
    return [{name: None if pd.isna(v) else v for name, v in row.items()} for row in rows]


def keyed(
    rows: list[dict[str, Any]], key: tuple[str, ...], values: tuple[str, ...]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Rows by their key, numbers as the API rounds them. No key stands twice."""
    found = {
        tuple(row[name] for name in key): tuple(
            None if row[name] is None else round(float(row[name]), 2) for name in values
        )
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def nearly(found: dict[Any, tuple[Any, ...]]) -> dict[Any, Any]:
    """Equal to what differs by a hundredth at most: halves are rounded up there, to even here."""
    return {key: pytest.approx(values, abs=0.0101) for key, values in found.items()}


def asked(pulse: Driver, report: str, query: str) -> list[dict[str, Any]]:
    days_of_all = "start_date=2026-11-01&end_date=2026-11-20&limit=10000"
    rows: list[dict[str, Any]] = pulse.report(
        "demo", report, f"{query}&{days_of_all}".lstrip("&"), "secret"
    )["rows"]
    assert rows
    return [{**row, "dt": row.get("period")} for row in rows]


@pytest.mark.parametrize(
    ("report", "survey", "good", "bad"),
    [
        ("csat", "support", "satisfied", "dissatisfied"),
        ("nps", "friends", "promoters", "detractors"),
        ("ces", "ease", "easy", "difficult"),
    ],
)
def test_pulse_scores_counts_as_the_api_does(
    pulse: Driver, report: str, survey: str, good: str, bad: str
) -> None:
    counts: Counter[tuple[Any, ...]] = Counter()
    for row in selected(pulse, "pulse_scores"):
        assert str(row["day"])[:10] == row["dt"]
        if row["survey"] == survey:
            for name in ("responses", "good", "bad"):
                counts[row["dt"], row["channel"], row["country"], name] += row[name]
    query = f"survey={survey}&group_by=channel,country&granularity=day"
    expected = {
        (row["dt"], row["channel"], row["country"], ours): row[theirs]
        for row in asked(pulse, report, query)
        for ours, theirs in (("responses", "responses"), ("good", good), ("bad", bad))
    }
    assert dict(counts) == expected


def test_pulse_scores_by_day_is_the_daily_report(pulse: Driver) -> None:
    key, values = ("dt", "survey", "metric", "scale"), ("responses", "score", "average")
    found = keyed(selected(pulse, "pulse_scores_by_day"), key, values)
    expected = {
        # of a rule of its own the view says nothing
        k: (n, None if k[3] == "1-5:good5" else score, average)
        for k, (n, score, average) in keyed(
            asked(pulse, "daily", "group_by=survey&granularity=day"), key, values
        ).items()
    }
    assert found == nearly(expected)
    assert {(k[1], k[3]) for k in found} >= {("strict", "1-5:good5"), ("friends", "0-10")}


def test_pulse_experience_by_day_is_the_report_of_that_name(pulse: Driver) -> None:
    key = ("dt", "survey", "metric", "scale", "media_type", "accept")
    values = ("responses", "score", "average")
    found = keyed(selected(pulse, "pulse_experience_by_day"), key, values)
    query = "group_by=survey,media_type,accept&granularity=day"
    expected = {
        # of a rule of its own the view says nothing
        k: (n, None if k[3] == "1-5:good5" else score, average)
        for k, (n, score, average) in keyed(asked(pulse, "experience", query), key, values).items()
    }
    assert found == nearly(expected)
    everything = sum(row["responses"] for row in selected(pulse, "pulse_scores"))
    assert sum(responses for responses, *_ in found.values()) == everything
    assert {k[4:] for k in found} == {
        (None, None),
        *(("email", accept) for accept in ("in_time", "late", "never")),
        *((media, "no_threshold") for media in ("voice", "chat")),
    }


def test_pulse_interactions_by_day_is_the_customer_perspective(pulse: Driver) -> None:
    key = ("dt", "media_type", "customer_segment", "service_type")
    values = (
        "entered",
        "offered",
        "accepted",
        "responded",
        "finished",
        "abandoned",
        "response_ratio",
        "accept_service_level_pct",
        "first_response_service_level_pct",
        "finished_service_level_pct",
        "avg_accept_time",
        "avg_first_response_time",
        "avg_finish_response_time",
        "avg_satisfaction",
    )
    found = keyed(selected(pulse, "pulse_interactions_by_day"), key, values)
    assert found == nearly(keyed(asked(pulse, "customer-perspective", ""), key, values))


def test_pulse_revenue_by_day_is_the_revenue_report_to_the_cent(pulse: Driver) -> None:
    key = ("dt", "media_type", "customer_segment", "service_type", "currency")
    values = ("interactions_with_revenue", "revenue", "avg_revenue")
    query = f"group_by={','.join(key[1:])}&granularity=day"
    rows = selected(pulse, "pulse_revenue_by_day")
    reported = asked(pulse, "revenue", query)
    assert keyed(rows, key, values) == nearly(keyed(reported, key, values))
    exact = {tuple(row[name] for name in key): f"{row['revenue']:.4f}" for row in rows}
    assert exact == {tuple(row[name] for name in key): row["revenue"] for row in reported}


def test_pulse_sessions_by_day_is_agent_activity(pulse: Driver) -> None:
    key = ("dt", "agent", "media_type")
    values = ("active_seconds", "engaged_seconds", "engaged_pct")
    found = keyed(selected(pulse, "pulse_sessions_by_day"), key, values)
    query = "group_by=agent,media_type&granularity=day"
    reported = [row for row in asked(pulse, "agent-activity", query) if row["active_seconds"]]
    assert found == nearly(keyed(reported, key, values))
