"""Comments and words against tests/comments_oracle.py, which reads comment by comment.

Questions pass the whole of serve_reports: keys, queries, the objects of months, pages.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pulse import days
from tests import comments_oracle as oracle
from tests.calendar_oracle import compared_days
from tests.comments_oracle import Parts, Question
from tests.unit.serve.events import SCALES
from tests.unit.serve.served import OWN, TENANT, Served, Told, invented
from tests.unit.serve.test_insights_oracle import FILTERS, passing

START = date(2026, 9, 10)
NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)
SEARCHES: Sequence[Parts] = (
    (),
    ((True, "APP"),),
    ((True, "strasse"),),
    ((True, "gewartet ruckruf"),),
    ((True, "can't"), (False, "app crashed")),
    ((False, "abgesturzt"), (False, "zu lange")),
    ((True, "好吃"),),
    ((True, "كانت سيئة"),),
    ((True, "😠"),),
    ((True, "wohl"),),
)
INTERACTION = "case-{}"
EXPERIENCED: Mapping[str, Sequence[str | None]] = {
    "media_type": ("chat", "voice", "email"),
    "customer_segment": ("gold", "(x)", None),
    "service_type": ("billing", None),
    "handled_by": ("ada", "Ümit, B.", "eve", "jo", None),
    "accept": ("in_time", "late", "never", "no_threshold", None),
    "first_response": ("in_time", "late", "never", "no_threshold", None),
    "finish": ("in_time", "late", "never", "no_threshold", None),
    "wait": ("0-10s", "5-15min", "over-24h", None),
    "life": ("1-2min", "15-60min", None),
    "was_abandoned": ("yes", "no"),
    "had_revenue": ("yes", "no"),
    "was_rated": ("yes", "no"),
    "entered_on": ("2026-09-09", "2026-09-20"),
}
"""What an interaction that is linked may tell, in the order of a reply (docs/http.md)."""
ALL_FILTERS = (
    *FILTERS,
    "media_type=chat",
    "media_type=(none)",
    "media_type=!(none)",
    "customer_segment=gold,(none)",
    "service_type=!billing",
    "handled_by=ada",
    "handled_by=!jo&channel=chat",
    "handled_by=eve&agent=!(none)",
    "accept=late,never",
    "accept=!in_time",
    "first_response=(none)",
    "finish=in_time&team=north,south",
    "wait=5-15min",
    "life=!1-2min",
    "was_abandoned=yes",
    "had_revenue=no",
    "was_rated=!yes",
    "entered_on=2026-09-20",
)
BOUND = {"channel": "channel=ticket", "media_type": "media_type=chat,voice"}
"""What report keys are bound to, as filters of a query."""


def searched(parts: Parts) -> str:
    """The parameter that looks for them."""
    written = " ".join(f'{"" if wanted else "-"}"{part}"' for wanted, part in parts)
    return f"&q={quote(written)}" if parts else ""


questions = {
    "seed": st.integers(0, 2**32),
    "size": st.sampled_from([500, 150, 20]),
    "scales": st.lists(st.sampled_from(SCALES), min_size=1, max_size=3, unique=True),
    "length": st.sampled_from([27, 60, 6, 0]),
    "filters": st.just("") | st.sampled_from(ALL_FILTERS),
    "key": st.sampled_from(["secret", "report", "bound"]),
    "to": st.sampled_from(sorted(BOUND)),
    "segments": st.just([]) | st.lists(st.sampled_from(["good", "neutral", "bad"]), unique=True),
    "scores": st.just([]) | st.lists(st.integers(0, 10), max_size=4, unique=True),
    "parts": st.just(()) | st.sampled_from(SEARCHES),
}


def asked(
    filters: str,
    length: int,
    key: str,
    to: str,
    segments: list[str],
    scores: list[int],
    parts: Parts,
) -> tuple[Question, str, str]:
    """What the oracle is asked, the query that asks the same, and all filters that hold."""
    dates = START, START + timedelta(days=length)
    query = f"start_date={dates[0]}&end_date={dates[1]}"
    query += f"&{filters}" if filters else ""
    query += f"&segment={','.join(segments)}" if segments else ""
    query += f"&score={','.join(map(str, scores))}" if scores else ""
    least = 0 if key == "secret" else TENANT.min_sample
    names = {one.partition("=")[0] for one in filters.split("&")}
    about = [name for name in oracle.PEOPLE if name in names]
    question = Question(dates, segments, scores, parts, least, about)
    bound = BOUND[to] if key == "bound" else ""
    return question, query + searched(parts), "&".join(filter(None, (filters, bound)))


def bound_to(name: str) -> dict[str, tuple[str, ...]]:
    """The filters of a key that is bound to a dimension."""
    return {name: tuple(BOUND[name].removeprefix(f"{name}=").split(","))}


def having_gone_through(seed: int, answers: Sequence[Told]) -> list[Told]:
    """The answers, some of them linked to an interaction; who dealt with it is often the agent."""
    chance = random.Random(seed)
    linked = []
    for one in answers:
        told = {name: chance.choice(values) for name, values in EXPERIENCED.items()}
        if chance.random() < 0.7:
            told["handled_by"] = one.agent
        linked.append(replace(one, experience=told) if chance.random() < 0.6 else one)
    return linked


def commented(answers: Sequence[Told], filters: str) -> list[Told]:
    """The answers that pass; whoever is a bot may comment."""
    return passing(answers, f"{filters}&device=!nobody" if filters else "device=!nobody")


def shown(one: Told, few: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """A comment as the reply has it."""
    hidden = {name: one.dimension(name) in few[name] for name in oracle.PEOPLE}
    experience = {**one.experience} if one.experience else None
    if experience and hidden["handled_by"]:
        experience["handled_by"] = None
    moment = datetime.fromtimestamp(one.answered_us / 1e6, UTC)
    names = ("survey", "metric", "scale", "score", "channel", "country", "browser", "os", "device")
    return {
        "answered_at": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        **{name: getattr(one, name) for name in names},
        "segment": oracle.segment(one),
        "comment": one.comment,
        "tags": {key: value for key in OWN if (value := one.dimension(key)) is not None},
        "response_id": one.id,
        "agent": None if hidden["agent"] else one.agent,
        "interaction_id": None if any(hidden.values()) else INTERACTION.format(one.number),
        "experience": experience,
        "withheld": any(hidden.values()),
    }


@settings(max_examples=40)
@given(**questions, lowest=st.booleans(), limit=st.sampled_from([500, 50, 7]))
def test_comments_are_those_of_the_single_answers(
    seed: int,
    size: int,
    scales: list[tuple[str, str]],
    length: int,
    filters: str,
    key: str,
    to: str,
    segments: list[str],
    scores: list[int],
    parts: Parts,
    lowest: bool,
    limit: int,
) -> None:
    assume(not (key == "bound" and to in filters))
    question, query, narrowed = asked(filters, length, key, to, segments, scores, parts)
    first, last = START - timedelta(days=20), question.days[1] + timedelta(days=5)
    answers = having_gone_through(seed, invented(seed, size, first, last, scales))
    served = Served(answers, filters=bound_to(to))
    expected = oracle.found(commented(answers, narrowed), question)
    there: list[Any] = [*expected.answers]
    if lowest:
        there.sort(key=oracle.height)  # of equals the newest stays first
    query += f"&order={'lowest' if lowest else 'newest'}&limit={limit}"
    with days.clock(lambda: NOW):
        pages = [served.ask("/v1/comments", query, key)]
        while cursor := pages[-1]["next_cursor"]:
            pages.append(served.ask("/v1/comments", f"{query}&cursor={cursor}", key))
    told = [one for page in pages for one in page["comments"]]
    for one in told:
        instant = datetime.fromisoformat(one["answered_at"])
        one["answered_at"] = instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert told == [shown(one, expected.few) for one in there]
    assert {page["count"] for page in pages} == {len(there)}
    assert [list(one["experience"]) for one in told if one["experience"]] == [
        list(EXPERIENCED) for one in there if one.experience
    ]
    linked = {"comments": sum(one.experience is not None for one in there), "of": len(there)}
    assert all(page["meta"]["linked"] == linked for page in pages)
    assert all(len(page["comments"]) == limit for page in pages[:-1])
    warned = "comments_withheld" in [one["code"] for one in pages[0]["meta"]["warnings"]]
    assert warned == (expected.withheld > 0)


CONTRASTS = (
    *("segment", "period", "team=south", "channel=ticket", "country=AT", "agent=ada"),
    *("handled_by=ada", "wait=5-15min", "accept=(none)"),
)


@settings(max_examples=40)
@given(**questions, contrast=st.sampled_from(CONTRASTS))
@example(  # words of both sides
    seed=6,
    size=500,
    scales=[("csat", "1-5")],
    length=27,
    filters="",
    key="report",
    to="channel",
    segments=[],
    scores=[],
    parts=(),
    contrast="segment",
)
def test_words_are_those_of_the_single_comments(
    seed: int,
    size: int,
    scales: list[tuple[str, str]],
    length: int,
    filters: str,
    key: str,
    to: str,
    segments: list[str],
    scores: list[int],
    parts: Parts,
    contrast: str,
) -> None:
    assume(not (key == "bound" and to in filters))
    question, query, narrowed = asked(filters, length, key, to, segments, scores, parts)
    dates = question.days
    before = compared_days("previous_period", None, dates, "monday")
    answers = [
        *invented(seed, size, *dates, scales),
        *invented(seed + 1, size, *before, scales, bad=False),
    ]
    answers = having_gone_through(seed, answers)
    served = Served(answers, filters=bound_to(to))
    about = [*question.about, *(n for n in oracle.PEOPLE if contrast.startswith(f"{n}="))]
    question = Question(dates, segments, scores, parts, question.least, about)
    left = commented(answers, narrowed)
    now = oracle.found(left, question).answers
    if contrast == "period":
        query += "&contrast=period"
        former = Question(before, segments, scores, parts, question.least, about)
        first, second = now, oracle.found(left, former).answers
    elif contrast == "segment":
        first, second = ([one for one in now if oracle.segment(one) == s] for s in ("bad", "good"))
    else:
        query += f"&contrast=filter&against={quote(contrast, safe='')}"
        name, _, text = contrast.partition("=")
        value = None if text == "(none)" else text
        first = [one for one in now if one.dimension(name) == value]
        second = [one for one in now if one.dimension(name) != value]
    with days.clock(lambda: NOW):
        told = served.ask("/v1/words", f"{query}&limit=500", key)
    period = dict(zip(("start_date", "end_date"), map(str, before), strict=True))
    assert told["before"] == (period if contrast == "period" else None)
    expected = oracle.telling(first, second)
    for name, sign in (("first", 1), ("second", -1)):
        words = told[name]["words"]
        strengths = [sign * one["z"] for one in words]
        assert strengths == sorted(strengths, reverse=True)
        assert told[name]["comments"] == expected[name]["comments"]
        assert {one.pop("term"): one for one in words} == {
            term: {
                **one,
                "z": pytest.approx(one["z"], abs=6e-5),
                "log_odds": pytest.approx(one["log_odds"], abs=6e-5),
            }
            for term, one in expected[name]["words"].items()
        }
