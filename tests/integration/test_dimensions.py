"""GET /v1/dimensions, from answers that name an agent to the filter that offers the name."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pulse import days
from pulse.store import names
from pulse.store.names import Names, Naming
from pulse.store.records import Records
from pulse.tenants.keys import Key, sha256
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

SAMPLE = Path(__file__).parents[2] / "events" / "serve_reports" / "dimension.json"


def response(agent: str | None, name: str | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "survey_id": "support",
        "score": 4,
        "answered_at": "2026-11-18T09:00:00Z",
        "channel": "chat",
        "agent_id": agent,
        "agent_name": name,
        **fields,
    }


RESPONSES = [
    *[response("a1", "Ada Lovelace")] * 3,
    *[response("a2", "Müller, J.", channel="ticket")] * 2,
    response("a3"),
    response(None),
]


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """A tenant with a day of answers, beside another that has one of its own."""
    with days.clock(lambda: NOON), running() as driver:
        for tenant in ("demo", "other", "renaming"):
            driver.tenant(tenant, "Europe/Berlin")
            driver.survey(tenant, "support", Rule.make("csat", 1, 5))
        driver.post("demo", RESPONSES)
        for tenant in ("other", "renaming"):
            driver.post(tenant, [response("a1", "Somebody else")])
        driver.build()
        yield driver


@pytest.fixture(autouse=True)
def _cold(pulse: Driver) -> Iterator[None]:
    with days.clock(lambda: NOON):
        pulse.forget()
        yield


def ask(
    pulse: Driver,
    path: str,
    *,
    tenant: str = "demo",
    kind: str = "report",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    key = pulse.key(None if kind == "operator" else tenant, kind)
    return pulse.call("GET", f"/v1/dimensions/{path}", key=key, headers=headers)


def values(answer: Reply) -> list[tuple[str | None, str | None, int]]:
    assert answer.status == 200, answer.body
    return [(row["value"], row["name"], row["count"]) for row in answer.json["values"]]


def test_agents_are_told_with_the_names_that_answers_gave_them(pulse: Driver) -> None:
    assert values(ask(pulse, "agent")) == [
        ("a1", "Ada Lovelace", 3),
        ("a2", "Müller, J.", 2),
        ("a3", None, 1),
        (None, None, 1),
    ]
    assert values(ask(pulse, "agent?q=m%C3%BC&channel=ticket")) == [("a2", "Müller, J.", 2)]
    assert values(ask(pulse, "survey")) == [("support", "How was it?", 7)]


def test_a_tenant_s_names_and_counts_are_its_own(pulse: Driver) -> None:
    assert values(ask(pulse, "agent", tenant="other")) == [("a1", "Somebody else", 1)]


def test_an_operator_names_its_tenants(pulse: Driver) -> None:
    reply = ask(pulse, "agent?tenant=other,demo&agent=a1", kind="operator")
    assert values(reply) == [("a1", "Somebody else", 4)]
    missing = ask(pulse, "agent", kind="operator")
    assert (missing.status, missing.json["code"]) == (400, "missing_tenant")
    unknown = ask(pulse, "agent?tenant=nobody", kind="operator")
    assert (unknown.status, unknown.json["code"]) == (404, "tenant_unknown")


@pytest.mark.parametrize(
    ("kind", "status"),
    [("report", 200), ("secret", 200), ("publishable", 403), ("feed", 403)],
)
def test_who_may_ask(pulse: Driver, kind: str, status: int) -> None:
    reply = ask(pulse, "agent", kind=kind)
    assert reply.status == status
    assert status == 200 or reply.json["code"] == "wrong_key_kind"


def test_a_feed_key_in_the_query_may_not_ask_either(pulse: Driver) -> None:
    for path in ("/v1/dimensions/agent", "/v1/reports"):
        reply = pulse.call("GET", f"{path}?key={pulse.key('demo', 'feed')}")
        assert (reply.status, reply.json["code"]) == (403, "wrong_key_kind")
        assert pulse.call("GET", path).json["code"] == "missing_key"


def test_bad_requests(pulse: Driver) -> None:
    for path, status, code in (
        ("planet", 404, "unknown_dimension"),
        ("agent?limit=1", 400, "unknown_parameter"),
        ("agent?preset=x", 400, "unknown_preset"),
    ):
        reply = ask(pulse, path)
        assert (reply.status, reply.json["code"]) == (status, code)


def test_what_the_caller_has_is_not_sent_again_until_a_name_changes(pulse: Driver) -> None:
    first = ask(pulse, "agent", tenant="renaming")
    assert first.headers["Cache-Control"] == "private, max-age=60"
    assert first.headers["Vary"] == "Authorization, X-Api-Key, Accept, Accept-Encoding"
    known = {"if-none-match": first.headers["ETag"]}
    again = ask(pulse, "agent", tenant="renaming", headers=known)
    assert (again.status, again.body, again.headers["ETag"]) == (304, "", first.headers["ETag"])
    assert ask(pulse, "agent?q=nobody", tenant="renaming", headers=known).status == 200

    pulse.post("renaming", [response("a1", "Grace")])
    pulse.write()
    again = ask(pulse, "agent", tenant="renaming", headers=known)
    assert again.status == 304  # names are kept for a minute
    with days.clock(lambda: NOON + timedelta(seconds=61)):
        renamed = ask(pulse, "agent", tenant="renaming", headers=known)
    assert values(renamed) == [("a1", "Grace", 1)]


def test_the_latest_answer_names_an_agent_and_no_page_renames_one(pulse: Driver) -> None:
    def name_of(agent: str) -> str:
        return Names(pulse.settings.table).agents("demo")[agent]

    def post(*responses: dict[str, Any], kind: str = "secret") -> None:
        key = pulse.key("demo", kind)
        for one in responses:
            reply = pulse.call("POST", "/v1/responses", key=key, body=json.dumps(one))
            assert reply.status == 202, reply.body
        pulse.write()
        pulse.forget()  # another process writes the next one

    post(response("b1", "A page's word"), kind="publishable")
    assert name_of("b1") == "A page's word"
    post(response("b1", "Bea"))
    post(response("b1", "A joker", answered_at="2026-11-21T11:00:00Z"), kind="publishable")
    post(response("b1", "Maiden name", answered_at="2019-01-01T09:00:00Z"))
    assert name_of("b1") == "Bea"
    post(response("b1", "Bea B.", answered_at="2026-11-19T09:00:00Z"))
    assert name_of("b1") == "Bea B."
    odd = "x" * 64 + "🙂#'\n=1" + "ü" * 58
    post(response(odd, odd))
    assert name_of(odd) == odd


def named(agent: str, name: str, *, trusted: bool, hour: int = 1) -> Naming:
    return Naming("crowd", agent, name, trusted, hour, hour)


def test_no_flood_of_made_up_agents_takes_a_place_from_those_of_a_secret_key(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MOST_AGENTS", 5)
    known = Names(pulse.settings.table)
    for number in range(20):
        known.note(named(f"a{number:02}", "A joker", trusted=False))
    known.note(named("z1", "Zoe", trusted=True))
    known.note(named("a00", "A joker", trusted=False, hour=9))
    known.note(named("a01", "Ada", trusted=True))
    assert known.agents("crowd") == {
        "z1": "Zoe",
        "a00": "A joker",
        "a01": "Ada",
        **dict.fromkeys(["a02", "a03", "a04"], "A joker"),
    }


def test_where_there_are_enough_names_known_agents_are_still_renamed(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MOST_AGENTS", 3)
    known = Names(pulse.settings.table)
    for number in range(4):
        known.note(replace(named(f"b{number}", "old", trusted=True), tenant="full"))
    known.note(replace(named("b1", "new", trusted=True, hour=2), tenant="full"))
    assert known.agents("full") == {"b0": "old", "b1": "new", "b2": "old"}
    partition = Records(pulse.settings.table).query("NAMES#full#agent#secret")
    assert len(list(partition)) == 3


def test_names_from_before_there_were_two_kinds_stay_readable(pulse: Driver) -> None:
    """The version of each name says which kind of key sent it."""
    old = Records(pulse.settings.table)
    for agent, name, version in (
        ("o1", "Olga", "1-00000000000000005-00000000000000005"),
        ("o2", "A joker", "0-00000000000000009-00000000000000009"),
        ("o3", "Otto", "1-00000000000000001-00000000000000001"),
    ):
        old.create({"pk": "NAMES#old#agent", "sk": agent, "name": name, "version": version})
    known = Names(pulse.settings.table)
    assert known.agents("old") == {"o1": "Olga", "o2": "A joker", "o3": "Otto"}
    known.note(replace(named("o1", "A page's word", trusted=False, hour=99), tenant="old"))
    known.note(replace(named("o2", "Oskar", trusted=True), tenant="old"))
    known.note(replace(named("o3", "Otto O.", trusted=True, hour=2), tenant="old"))
    assert known.agents("old") == {"o1": "Olga", "o2": "Oskar", "o3": "Otto O."}


def test_the_sample_event(pulse: Driver) -> None:
    event = json.loads(SAMPLE.read_text())
    text = event["headers"]["authorization"].removeprefix("Bearer ")
    pulse.tenants.add_key(Key(sha256(text), "report", "demo", 0))
    path = f"{event['rawPath']}?{event['rawQueryString']}"
    reply = pulse.call("GET", path, key=text)
    assert values(reply) == [("a2", "Müller, J.", 2)]
