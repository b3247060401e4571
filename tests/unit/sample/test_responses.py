"""The sample is the same on every machine, resembles a real tenant, and has its bad week."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from local.sample.responses import responses
from local.sample.story import BAD_WEEK, DAYS
from local.sample.tenant import AGENTS, OUTAGE_CHANNEL, SUPPORT, TENANT, surveys
from pulse import days
from pulse.comments.contrast import comments_by_term, telling
from pulse.comments.terms import terms

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample() -> list[dict[str, Any]]:
    return list(responses(NOW))


def local_day(response: dict[str, Any]) -> Any:
    return days.local_day(days.parse_instant(response["answered_at"]), TENANT.timezone)


def satisfied(answers: Iterable[dict[str, Any]]) -> float:
    scores: list[int] = [answer["score"] for answer in answers if answer["survey_id"] == SUPPORT]
    return 100 * sum(score >= 4 for score in scores) / len(scores)


def in_bad_week(response: dict[str, Any]) -> bool:
    sunday = NOW.date() + timedelta(days=6 - NOW.weekday())
    return (sunday - local_day(response)).days in BAD_WEEK


def test_it_is_the_same_whoever_looks(sample: list[dict[str, Any]]) -> None:
    assert list(responses(NOW)) == sample


DATES = (
    date(2026, 11, 30),
    date(2027, 3, 28),  # the clocks go forward
    date(2027, 10, 31),  # and back
    date(2028, 1, 1),
    date(2028, 2, 29),
)


@pytest.mark.parametrize("today", DATES)
def test_on_every_date_the_same_is_said(sample: list[dict[str, Any]], today: date) -> None:
    zone = days.zone(TENANT.timezone)

    def story(sample: Iterable[dict[str, Any]], today: date) -> dict[int, list[Any]]:
        """What is said at which hour, by how many days it is to Sunday, but for today's."""
        sunday = today + timedelta(days=6 - today.weekday())
        told = defaultdict(list)
        for response in sample:
            at = datetime.fromisoformat(response["answered_at"]).astimezone(zone)
            said = {k: v for k, v in response.items() if k not in ("answered_at", "response_id")}
            if at.date() != today:
                told[(sunday - at.date()).days].append((at.time(), said))
        return told

    known = story(sample, NOW.date())
    other = story(responses(datetime.combine(today, time(12), UTC)), today)
    common = known.keys() & other.keys()
    assert len(common) > 80
    assert [n for n in common if known[n] != other[n]] == []


def test_later_on_the_day_there_is_more_of_the_same(sample: list[dict[str, Any]]) -> None:
    later = list(responses(NOW + timedelta(hours=6)))
    assert later[: len(sample)] == sample
    assert len(later) > len(sample)


def test_nothing_is_from_the_future_and_it_begins_90_days_ago(
    sample: list[dict[str, Any]],
) -> None:
    found = sorted({local_day(response) for response in sample})
    assert found == [NOW.date() - timedelta(days=ago) for ago in range(DAYS, -1, -1)]
    assert max(response["answered_at"] for response in sample) <= "2026-11-21T12:00:00Z"


def test_its_size_is_one_that_loads_in_seconds(sample: list[dict[str, Any]]) -> None:
    assert 12_000 <= len(sample) <= 20_000


def test_every_response_can_be_sent_again(sample: list[dict[str, Any]]) -> None:
    assert len({response["response_id"] for response in sample}) == len(sample)


def test_scores_lie_on_their_scales_and_use_them_whole(sample: list[dict[str, Any]]) -> None:
    rules = {survey.id: survey.current_rule for survey in surveys(0)}
    seen: dict[str, set[int]] = defaultdict(set)
    for response in sample:
        seen[response["survey_id"]].add(response["score"])
    assert seen == {survey: set(rule.scores) for survey, rule in rules.items()}


def test_weekends_are_quiet(sample: list[dict[str, Any]]) -> None:
    usual = Counter(local_day(response) for response in sample if not in_bad_week(response))
    full = {day: count for day, count in usual.items() if day != NOW.date()}
    weekdays = [count for day, count in full.items() if day.weekday() < 5]
    weekends = [count for day, count in full.items() if day.weekday() >= 5]
    assert min(weekdays) >= 120 and max(weekdays) <= 240
    assert max(weekends) < min(weekdays)


def test_the_bad_week_has_more_answers_and_worse_ones(sample: list[dict[str, Any]]) -> None:
    bad = [response for response in sample if in_bad_week(response)]
    good = [response for response in sample if not in_bad_week(response)]
    assert len(bad) / 7 > 1.2 * len(good) / (DAYS - 7)
    assert satisfied(bad) < satisfied(good) - 20


def test_the_bad_week_is_in_one_channel(sample: list[dict[str, Any]]) -> None:
    bad = [response for response in sample if in_bad_week(response)]
    hit = [response for response in bad if response["channel"] == OUTAGE_CHANNEL]
    spared = [response for response in bad if response["channel"] == "chat"]
    assert satisfied(hit) < satisfied(spared) - 20


def test_one_agent_learns(sample: list[dict[str, Any]]) -> None:
    learner = next(agent for agent in AGENTS if agent.learns)
    answers = [
        response
        for response in sample
        if response.get("agent_id") == learner.id and not in_bad_week(response)
    ]
    assert satisfied(answers[-200:]) > satisfied(answers[:200]) + 10


def test_a_dozen_agents_answer_under_their_names(sample: list[dict[str, Any]]) -> None:
    named = {(r["agent_id"], r["agent_name"]) for r in sample if "agent_id" in r}
    assert named == {(agent.id, agent.name) for agent in AGENTS}
    assert len(named) == 12


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 20, 23, 30, tzinfo=UTC),  # the tenant has the next day already
        datetime(2026, 4, 2, 9, 0, tzinfo=UTC),  # the clocks went forward within the 90 days
        datetime(2028, 2, 29, 0, 0, tzinfo=UTC),
    ],
)
def test_any_moment_has_its_sample(now: datetime) -> None:
    today = days.local_day(days.to_us(now), TENANT.timezone)
    found = {local_day(response) for response in responses(now)}
    assert found >= {today - timedelta(days=ago) for ago in range(1, DAYS)}
    assert max(found) <= today


def test_the_reason_of_the_bad_week_is_told_by_the_words_of_its_comments(
    sample: list[dict[str, Any]],
) -> None:
    written = [one for one in sample if one["survey_id"] == SUPPORT and "comment" in one]
    then = [terms(one["comment"]) for one in written if in_bad_week(one)]
    otherwise = [terms(one["comment"]) for one in written if not in_bad_week(one)]
    found = telling(comments_by_term(then), comments_by_term(otherwise))
    own = {one.term for one in found if one.odds.z > 0}
    assert {"mein paket", "im depot", "keine zustellung", "sendungsverfolgung zeigt"} <= own
