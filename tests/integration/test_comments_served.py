"""GET /v1/comments and GET /v1/words over the whole flow."""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from pulse import days
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANSWERS: list[dict[str, Any]] = [
    {"score": 1, "channel": "chat", "agent_id": "mia", "comment": "The app crashed 😠"},
    {"score": 9, "channel": "chat", "agent_id": "mia", "comment": "Friendly, quick"},
    {"score": 8, "channel": "ticket", "agent_id": "tom", "comment": "العربية: كانت سيئة"},
    {"score": 0, "channel": "ticket", "comment": "<b>Crashed</b> twice", "tags": {"plan": "pro"}},
    {"score": 10, "channel": "ticket"},
]
"""One an hour on 20 November."""


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: NOW), running() as driver:
        driver.tenant("acme", min_sample=2)
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        driver.survey("acme", "effort", Rule.make("ces", 1, 7, lower_is_better=True))
        driver.tenant("umbrella")
        driver.survey("umbrella", "email", Rule.make("nps", 0, 10))
        posted = [
            {"survey_id": "email", "response_id": f"r-{n}", **answer}
            | {"answered_at": f"2026-11-20T{n + 8:02}:00:00Z"}
            for n, answer in enumerate(ANSWERS)
        ]
        effort = {"survey_id": "effort", "response_id": "e-1", "score": 7, "comment": "Hard work"}
        posted.append(effort | {"answered_at": "2026-10-31T08:00:00Z"})
        assert driver.post("acme", posted).status == 202
        assert driver.post("umbrella", [posted[0]]).status == 202
        driver.build()
        yield driver


def ask(pulse: Driver, path: str = "comments", key: str | None = None, **asked: str) -> Reply:
    key = key or pulse.key("acme", "secret")
    return pulse.call("GET", f"/v1/{path}?{urlencode(asked, safe='!,')}", key=key)


def ids(answer: Reply) -> list[str]:
    assert answer.status == 200, answer.body
    return [one["response_id"] for one in answer.json["comments"]]


def test_a_comment_comes_with_what_its_answer_told(pulse: Driver) -> None:
    answer = ask(pulse, q="twice")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "meta": {
            "date_range": {
                "preset": "last_28_days",
                "start_date": "2026-10-24",
                "end_date": "2026-11-20",
                "timezone": "UTC",
            },
            "filters": {},
            "linked": {"comments": 0, "of": 1},
            "engine": "comments",
            "warnings": [],
        },
        "count": 1,
        "comments": [
            {
                "answered_at": "2026-11-20T11:00:00Z",
                "survey": "email",
                "metric": "nps",
                "scale": "0-10",
                "score": 0,
                "channel": "ticket",
                "agent": None,
                "country": None,
                "browser": None,
                "os": None,
                "device": None,
                "segment": "bad",
                "comment": "<b>Crashed</b> twice",
                "tags": {"plan": "pro"},
                "response_id": "r-3",
                "interaction_id": None,
                "experience": None,
                "withheld": False,
            }
        ],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["r-3", "r-2", "r-1", "r-0", "e-1"]),
        ({"order": "lowest"}, ["r-3", "e-1", "r-0", "r-2", "r-1"]),
        ({"segment": "bad"}, ["r-3", "r-0", "e-1"]),  # 7 of an effort that is better if low
        ({"segment": "neutral,good"}, ["r-2", "r-1"]),
        ({"score": "1,9"}, ["r-1", "r-0"]),
        ({"channel": "chat"}, ["r-1", "r-0"]),
        ({"agent": "(none)"}, ["r-3", "e-1"]),
        ({"agent": "!mia"}, ["r-3", "r-2", "e-1"]),
        ({"media_type": "voice"}, []),  # none is linked to an interaction
        ({"media_type": "(none)", "agent": "mia"}, ["r-1", "r-0"]),
        ({"handled_by": "!mia", "agent": "mia"}, ["r-1", "r-0"]),
        ({"q": "crashed -twice"}, ["r-0"]),
        ({"q": '"كانت سيئة"'}, ["r-2"]),
        ({"q": "😠"}, ["r-0"]),
        ({"start_date": "2026-10-30", "end_date": "2026-11-01"}, ["e-1"]),
        ({"preset": "today"}, []),
        ({"preset": "all_time", "survey": "effort"}, ["e-1"]),
        ({"start_date": "1990-01-01", "end_date": "2026-11-01"}, ["e-1"]),
        ({"start_date": "2026-11-20", "end_date": "2076-11-20", "q": "app"}, ["r-0"]),
        ({"start_date": "9999-12-01", "end_date": "9999-12-31"}, []),
    ],
)
def test_what_is_asked_for_is_found(
    pulse: Driver, asked: dict[str, str], expected: list[str]
) -> None:
    answer = ask(pulse, **asked)
    assert ids(answer) == expected
    assert answer.json["count"] == len(expected)


def test_pages_follow_each_other_within_one_question_and_its_days(pulse: Driver) -> None:
    pages = [ask(pulse, limit="2")]
    while cursor := pages[-1].json["next_cursor"]:
        pages.append(ask(pulse, limit="2", cursor=cursor))
    assert [ids(page) for page in pages] == [["r-3", "r-2"], ["r-1", "r-0"], ["e-1"]]
    cursor = pages[0].json["next_cursor"]
    assert ask(pulse, limit="2", cursor=cursor, q="app").json["code"] == "invalid_cursor"
    with days.clock(lambda: NOW + days.ONE_DAY):
        assert ask(pulse, limit="2", cursor=cursor).json["code"] == "cursor_outdated"


def test_a_cursor_ends_at_midnight_where_a_preset_means_other_days(pulse: Driver) -> None:
    cursor = ask(pulse, limit="1").json["next_cursor"]
    with days.clock(lambda: NOW + timedelta(days=1)):
        assert ask(pulse, limit="1", cursor=cursor).json["code"] == "cursor_outdated"
    assert ids(ask(pulse, limit="1", cursor=cursor)) == ["r-2"]


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        ("comments", {"segment": "worst"}, "unknown_value"),
        ("comments", {"score": "11"}, "unknown_value"),
        ("comments", {"q": " ".join(f"-{n}" for n in range(51))}, "search_too_long"),
        ("comments", {"order": "oldest"}, "unknown_value"),
        ("comments", {"limit": "501"}, "invalid_limit"),
        ("comments", {"limit": "²"}, "invalid_limit"),
        ("comments", {"currency": "EUR"}, "unknown_parameter"),
        ("comments", {"contrast": "period"}, "unknown_parameter"),
        ("words", {"cursor": "x"}, "unknown_parameter"),
        ("words", {"contrast": "tenant"}, "unknown_value"),
        ("words", {"contrast": "filter"}, "invalid_against"),
        ("words", {"against": "channel=chat"}, "invalid_against"),
        ("words", {"contrast": "filter", "against": "plan=pro"}, "invalid_against"),
        ("words", {"contrast": "period", "preset": "all_time"}, "compare_with_all_time"),
    ],
)
def test_what_is_not_understood_is_refused(
    pulse: Driver, path: str, asked: dict[str, str], code: str
) -> None:
    answer = ask(pulse, path, **asked)
    assert (answer.status, answer.json["code"]) == (400, code)


def test_a_parameter_given_twice_is_refused(pulse: Driver) -> None:
    key = pulse.key("acme", "secret")
    answer = pulse.call("GET", "/v1/comments?q=a&q=b", key=key)
    assert answer.json["code"] == "repeated_parameter"


@pytest.mark.parametrize("path", ["comments", "words"])
def test_only_keys_with_the_right_may_read(pulse: Driver, path: str) -> None:
    for kind, code in (("report", "comments_not_allowed"), ("publishable", "wrong_key_kind")):
        answer = ask(pulse, path, key=pulse.key("acme", kind))
        assert (answer.status, answer.json["code"]) == (403, code)
    assert ask(pulse, path, key=pulse.key(None, "operator")).json["code"] == "wrong_key_kind"
    assert pulse.call("GET", f"/v1/{path}").status == 401
    assert ask(pulse, path, key=pulse.key("acme", "report", comments=True)).status == 200


def test_the_catalogue_tells_which_keys_may(pulse: Driver) -> None:
    may = {kind: pulse.key("acme", kind) for kind in ("report", "secret")}
    may["comments"] = pulse.key("acme", "report", comments=True)
    told = {kind: ask(pulse, "reports", key=key).json["comments"] for kind, key in may.items()}
    assert told == {"report": False, "secret": True, "comments": True}


def test_a_keys_own_filters_hold(pulse: Driver) -> None:
    key = pulse.key("acme", "report", comments=True, filters={"channel": ("ticket",)})
    assert ids(ask(pulse, key=key)) == ["r-3", "r-2"]
    assert ids(ask(pulse, key=key, channel="chat")) == []
    linked = pulse.key("acme", "report", comments=True, filters={"media_type": ("voice",)})
    assert ids(ask(pulse, key=linked)) == []
    assert ids(ask(pulse, key=linked, media_type="(none)")) == []
    other = pulse.key("acme", "report", comments=True, filters={"currency": ("EUR",)})
    assert ask(pulse, key=other).json["code"] == "filter_not_applicable"


def test_of_agents_about_whom_few_have_written_a_report_key_is_told_nothing(
    pulse: Driver,
) -> None:
    key = pulse.key("acme", "report", comments=True)
    told = {one["response_id"]: one for one in ask(pulse, key=key).json["comments"]}
    assert (told["r-0"]["agent"], told["r-0"]["withheld"]) == ("mia", False)
    assert (told["r-2"]["agent"], told["r-2"]["withheld"]) == (None, True)
    assert ids(ask(pulse, key=key, agent="mia", segment="bad")) == ["r-0"]
    withheld = ask(pulse, key=key, agent="tom")
    assert ids(withheld) == []
    assert [one["code"] for one in withheld.json["meta"]["warnings"]] == ["comments_withheld"]
    assert ids(ask(pulse, agent="tom")) == ["r-2"]


# -- words


@pytest.fixture(scope="module")
def spoken(pulse: Driver) -> Driver:
    """200 answers of a tenant: what goes wrong in November is said in October by nobody."""
    rng = random.Random(7)
    said = ("answer", "service", "help", "time", "people", "shop", "price", "order", "call", "day")
    pulse.tenant("words")
    pulse.survey("words", "email", Rule.make("csat", 1, 5))
    answers: list[dict[str, Any]] = []
    for number, month in itertools.product(range(100), (10, 11)):
        bad = number % 4 == 0
        text = " ".join(rng.choices(said, k=8))
        lost = " parcel lost" if number % 8 else " parcel"
        more = lost if bad and month == 11 else " friendly" if not bad else ""
        answers.append(
            {
                "survey_id": "email",
                "response_id": f"{month}-{number}",
                "score": 1 if bad else 5,
                "channel": "chat" if bad else "ticket",
                "comment": text + more,
                "answered_at": f"2026-{month}-{number % 20 + 1:02}T08:00:00Z",
            }
        )
    assert pulse.post("words", answers).status == 202
    pulse.build()
    return pulse


def words(pulse: Driver, **asked: str) -> Any:
    answer = ask(pulse, "words", key=pulse.key("words", "secret"), **asked)
    assert answer.status == 200, answer.body
    return answer.json


def terms(group: Any) -> set[str]:
    return {one["term"] for one in group["words"]}


NOVEMBER = {"start_date": "2026-11-01", "end_date": "2026-11-20"}


def test_words_of_bad_answers_stand_against_those_of_good_ones(spoken: Driver) -> None:
    told = words(spoken, **NOVEMBER)
    assert (told["contrast"], told["formula"], told["before"]) == ("segment", "log_odds@1", None)
    assert (told["first"]["comments"], told["second"]["comments"]) == (25, 75)
    assert {"parcel", "parcel lost"} <= terms(told["first"])
    assert "friendly" in terms(told["second"])
    [parcel] = [one for one in told["first"]["words"] if one["term"] == "parcel"]
    assert (parcel["first"], parcel["second"]) == (25, 0)
    assert parcel["z"] > 3
    assert "parcel" in parcel["example"]


def test_words_of_these_days_stand_against_those_of_the_days_before(spoken: Driver) -> None:
    told = words(spoken, contrast="period", preset="this_month")
    assert "parcel" in terms(told["first"])
    assert "friendly" not in terms(told["second"])
    assert (told["first"]["comments"], told["second"]["comments"]) == (100, 100)
    assert told["before"] == {"start_date": "2026-10-01", "end_date": "2026-10-31"}


def test_words_of_a_value_stand_against_those_of_the_rest(spoken: Driver) -> None:
    told = words(spoken, contrast="filter", against="channel=chat", **NOVEMBER)
    assert "parcel" in terms(told["first"])
    assert "friendly" in terms(told["second"])


def test_words_stay_within_the_filters_and_the_search(spoken: Driver) -> None:
    told = words(spoken, channel="chat", q="parcel", limit="1", **NOVEMBER)
    assert told["first"] == {"comments": 25, "words": []}
    assert told["second"] == {"comments": 0, "words": []}
    assert len(words(spoken, limit="1", **NOVEMBER)["first"]["words"]) == 1


@pytest.mark.parametrize("path", ["comments", "words"])
def test_an_address_that_would_not_pass_everywhere_is_refused(pulse: Driver, path: str) -> None:
    answer = ask(pulse, path, q="x" * 8_001)
    assert (answer.status, answer.json["code"]) == (414, "address_too_long")
    assert "POST" not in answer.json["detail"]
