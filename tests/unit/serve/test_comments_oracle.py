"""Comments and words against tests/comments_oracle.py, which reads comment by comment.

Questions pass the whole of serve_reports: keys, queries, the objects of months, pages.
"""

from collections.abc import Sequence
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


def searched(parts: Parts) -> str:
    """The parameter that looks for them."""
    written = " ".join(f'{"" if wanted else "-"}"{part}"' for wanted, part in parts)
    return f"&q={quote(written)}" if parts else ""


questions = {
    "seed": st.integers(0, 2**32),
    "size": st.sampled_from([500, 150, 20]),
    "scales": st.lists(st.sampled_from(SCALES), min_size=1, max_size=3, unique=True),
    "length": st.sampled_from([27, 60, 6, 0]),
    "filters": st.just("") | st.sampled_from(FILTERS),
    "key": st.sampled_from(["secret", "report", "bound"]),
    "segments": st.just([]) | st.lists(st.sampled_from(["good", "neutral", "bad"]), unique=True),
    "scores": st.just([]) | st.lists(st.integers(0, 10), max_size=4, unique=True),
    "parts": st.just(()) | st.sampled_from(SEARCHES),
}


def asked(
    filters: str, length: int, key: str, segments: list[str], scores: list[int], parts: Parts
) -> tuple[Question, str, str]:
    """What the oracle is asked, the query that asks the same, and all filters that hold."""
    dates = START, START + timedelta(days=length)
    query = f"start_date={dates[0]}&end_date={dates[1]}"
    query += f"&{filters}" if filters else ""
    query += f"&segment={','.join(segments)}" if segments else ""
    query += f"&score={','.join(map(str, scores))}" if scores else ""
    least = 0 if key == "secret" else TENANT.min_sample
    question = Question(dates, segments, scores, parts, least, "agent=" in filters)
    bound = "channel=ticket" if key == "bound" else ""
    return question, query + searched(parts), "&".join(filter(None, (filters, bound)))


def commented(answers: Sequence[Told], filters: str) -> list[Told]:
    """The answers that pass; whoever is a bot may comment."""
    return passing(answers, f"{filters}&device=!nobody" if filters else "device=!nobody")


def shown(one: Told, few: frozenset[str]) -> dict[str, Any]:
    """A comment as the reply has it."""
    hidden = one.agent in few
    moment = datetime.fromtimestamp(one.answered_us / 1e6, UTC)
    names = ("survey", "metric", "scale", "score", "channel", "country", "browser", "os", "device")
    return {
        "answered_at": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        **{name: getattr(one, name) for name in names},
        "segment": oracle.segment(one),
        "comment": one.comment,
        "tags": {key: value for key in OWN if (value := one.dimension(key)) is not None},
        "response_id": one.id,
        "agent": None if hidden else one.agent,
        "interaction_id": None if hidden else INTERACTION.format(one.number),
        "withheld": hidden,
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
    segments: list[str],
    scores: list[int],
    parts: Parts,
    lowest: bool,
    limit: int,
) -> None:
    assume(not (key == "bound" and "channel" in filters))
    question, query, narrowed = asked(filters, length, key, segments, scores, parts)
    first, last = START - timedelta(days=20), question.days[1] + timedelta(days=5)
    answers = invented(seed, size, first, last, scales)
    served = Served(answers, filters={"channel": ("ticket",)})
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
    assert all(len(page["comments"]) == limit for page in pages[:-1])
    warned = "comments_withheld" in [one["code"] for one in pages[0]["meta"]["warnings"]]
    assert warned == (expected.withheld > 0)


CONTRASTS = ("segment", "period", "team=south", "channel=ticket", "country=AT", "agent=ada")


@settings(max_examples=40)
@given(**questions, contrast=st.sampled_from(CONTRASTS))
@example(  # words of both sides
    seed=6,
    size=500,
    scales=[("csat", "1-5")],
    length=27,
    filters="",
    key="report",
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
    segments: list[str],
    scores: list[int],
    parts: Parts,
    contrast: str,
) -> None:
    assume(not (key == "bound" and "channel" in filters))
    question, query, narrowed = asked(filters, length, key, segments, scores, parts)
    dates = question.days
    before = compared_days("previous_period", None, dates, "monday")
    answers = [
        *invented(seed, size, *dates, scales),
        *invented(seed + 1, size, *before, scales, bad=False),
    ]
    served = Served(answers, filters={"channel": ("ticket",)})
    about_agents = question.is_about_agents or contrast.startswith("agent")
    question = Question(dates, segments, scores, parts, question.least, about_agents)
    left = commented(answers, narrowed)
    now = oracle.found(left, question).answers
    if contrast == "period":
        query += "&contrast=period"
        former = Question(before, segments, scores, parts, question.least, about_agents)
        first, second = now, oracle.found(left, former).answers
    elif contrast == "segment":
        first, second = ([one for one in now if oracle.segment(one) == s] for s in ("bad", "good"))
    else:
        query += f"&contrast=filter&against={quote(contrast, safe='')}"
        name, _, value = contrast.partition("=")
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
