"""GET /v1/comments and GET /v1/words about more comments than a process holds: Athena is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.serve_reports import app
from pulse import days
from pulse.serve.comments import elsewhere
from pulse.store.executions import Execution, Executions
from pulse.tenants.limits import Limits
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running

ALL_SCORES = ",".join(map(str, range(11)))
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANSWERS: list[dict[str, Any]] = [
    {"score": 1, "agent_id": "mia", "comment": "Die Straße war gesperrt"},
    {"score": 9, "agent_id": "mia", "comment": "STRASSE frei"},
    {"score": 8, "agent_id": "tom", "comment": "Alles gut, nur die Straße nicht"},
    {"score": 0, "comment": "App kaputt", "tags": {"plan": "pro"}},
    {"score": 10, "comment": "App: super"},
]


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: NOW), running(MostComments="3") as driver:
        driver.tenant("acme", min_sample=2)
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        posted = [
            {"survey_id": "email", "response_id": f"r-{n}", **answer}
            | {"answered_at": f"2026-11-20T{n + 8:02}:00:00Z"}
            for n, answer in enumerate(ANSWERS)
        ]
        assert driver.post("acme", posted).status == 202
        driver.build()
        yield driver


def ask(pulse: Driver, path: str, key: str | None = None, **asked: str) -> Reply:
    key = key or pulse.key("acme", "secret")
    return pulse.call("GET", f"/v1/{path}?{urlencode(asked, safe='!,')}", key=key)


def ids(answer: Reply) -> list[str]:
    assert answer.status == 200, answer.body
    assert answer.json["meta"]["engine"] == "athena"
    return [one["response_id"] for one in answer.json["comments"]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"q": "strasse"}, ["r-2", "r-1", "r-0"]),
        ({"q": "straße -frei", "order": "lowest"}, ["r-0", "r-2"]),
        ({"q": '"app kaputt"'}, ["r-3"]),
        ({"score": "0,10"}, ["r-4", "r-3"]),
        ({"agent": "!mia"}, ["r-4", "r-3", "r-2"]),
        ({"q": "nirgends"}, []),
    ],
)
def test_more_than_a_process_holds_is_searched_by_athena(
    pulse: Driver, asked: dict[str, str], expected: list[str]
) -> None:
    answer = ask(pulse, "comments", **asked)
    assert ids(answer) == expected
    assert answer.json["count"] == len(expected)


def test_pages_of_what_athena_found_follow_each_other(pulse: Driver) -> None:
    first = ask(pulse, "comments", q="strasse", limit="2")
    second = ask(pulse, "comments", q="strasse", limit="2", cursor=first.json["next_cursor"])
    assert (ids(first), ids(second)) == (["r-2", "r-1"], ["r-0"])
    assert second.json["next_cursor"] is None


def test_the_minimum_sample_holds_there_too(pulse: Driver) -> None:
    key = pulse.key("acme", "report", comments=True)
    told = {
        one["response_id"]: one for one in ask(pulse, "comments", key, q="die").json["comments"]
    }
    assert [(told[one]["agent"], told[one]["withheld"]) for one in ("r-0", "r-2")] == [
        ("mia", False),
        (None, True),
    ]
    withheld = ask(pulse, "comments", key, agent="tom", q="die")
    assert ids(withheld) == []
    assert [one["code"] for one in withheld.json["meta"]["warnings"]] == ["comments_withheld"]


def test_words_are_told_of_what_athena_found(pulse: Driver) -> None:
    answer = ask(pulse, "words", q="strasse")
    assert (answer.status, answer.json["meta"]["engine"]) == (200, "athena")
    assert (answer.json["first"]["comments"], answer.json["second"]["comments"]) == (1, 1)


def test_what_leaves_more_than_a_process_holds_is_refused(pulse: Driver) -> None:
    for asked in ({}, {"segment": "bad"}, {"score": ALL_SCORES}):
        answer = ask(pulse, "comments", **asked)
        assert (answer.status, answer.json["code"]) == (422, "too_many_comments")


def test_who_waited_in_vain_finds_the_comments_by_the_same_request(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Executions, "look", lambda *_: Execution("running"))
        patched.setattr(elsewhere, "patience", lambda seconds: lambda: 0.0)
        waiting = ask(pulse, "comments", q="gesperrt")
        assert (waiting.status, waiting.json["code"]) == (503, "still_computing")
        assert int(waiting.headers["Retry-After"]) > 0
        other = ask(pulse, "comments", q="kaputt")
        assert (other.status, other.json["code"]) == (503, "question_running")
    assert ids(ask(pulse, "comments", q="gesperrt")) == ["r-0"]
    assert ids(ask(pulse, "comments", q="kaputt")) == ["r-3"]


def test_a_statement_counts_against_the_limits_and_what_is_there_does_not(pulse: Driver) -> None:
    limits = dict(app.stage().directory.limits)
    object.__setattr__(app.stage().directory, "limits", limits | {"GET": Limits.per_minute(120, 0)})
    assert ids(ask(pulse, "comments", q="frei")) == ["r-1"]
    refused = ask(pulse, "comments", q="super")
    assert (refused.status, refused.json["code"]) == (429, "key_limit")
    assert ids(ask(pulse, "comments", q="frei")) == ["r-1"]
