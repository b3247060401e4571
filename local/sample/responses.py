"""90 days of answers: made up, and the same for everybody who looks on the same day.

Each answer begins as how well the customer was served, a normal variable whose mean depends on
the agent, the hour and the week; the survey's usual distribution of scores turns it into a score.
So the surveys have the shapes that real ones have, and what moves one moves all that it touches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import Any, TypeVar

from local.sample.comments import COMMENTS, LANGUAGES, OUTAGE_COMMENTS
from local.sample.tenant import (
    AGENTS,
    COUNTRIES,
    EASE,
    OUTAGE_CHANNEL,
    OUTAGE_COUNTRY,
    RELATIONSHIP,
    SUPPORT,
    TENANT,
    USER_AGENTS,
    Agent,
)
from pulse import days
from pulse.tenants.rules import Rule

K = TypeVar("K")

DAYS = 90

BAD_WEEK = range(18, 25)
"""How many days ago the carrier stood still."""

_VOLUME = (205, 195, 185, 180, 170, 95, 75)
"""Answers a day, Monday first."""
_HOURS = (1, 1, 0, 0, 0, 1, 2, 5, 9, 12, 13, 12, 10, 10, 12, 12, 11, 10, 9, 9, 10, 8, 5, 2)
"""Answers by hour of the day, by weight."""
_CUSTOMERS = 6_000
_COMMENTED = 0.16
_OUTAGE_CALLS = 55
"""Additional answers a day while the carrier stands still."""
_OUTAGE_MOOD = -1.7


@dataclass(frozen=True, eq=False)  # told apart, and hashed, as the objects they are
class _Kind:
    """A survey as customers answer it: how often, where, and how scores are spread (percent)."""

    survey: str
    rule: Rule
    weight: int
    channels: Mapping[str, int]
    with_agent: bool
    spread: Sequence[float]

    def score(self, mood: float) -> int:
        """The score given in a mood; over a standard normal mood scores are as `spread` says."""
        position = NormalDist().cdf(mood) * 100
        limits = list(accumulate(self.spread))
        return next(
            (
                score
                for score, limit in zip(self.rule.scores, limits, strict=True)
                if position < limit
            ),
            self.rule.high,
        )


_KINDS = (
    _Kind(
        SUPPORT,
        Rule.make("csat", 1, 5),
        58,
        {"ticket": 55, "chat": 45},
        True,
        (6, 6, 13, 29, 46),
    ),
    _Kind(
        RELATIONSHIP,
        Rule.make("nps", 0, 10),
        27,
        {"external": 100},
        False,
        (2, 1, 1, 2, 3, 7, 7, 13, 20, 17, 27),
    ),
    _Kind(
        EASE,
        Rule.make("ces", 1, 7),
        15,
        {"chat": 30, "external": 70},
        False,
        (4, 5, 7, 12, 21, 28, 23),
    ),
)


def responses(now: datetime) -> Iterator[dict[str, Any]]:
    """What the sample's customers said in the 90 days up to `now`, oldest day first.

    Each is an item of POST /v1/batch/responses as a server sends it, response_id included. The
    days before today are the same whenever on the tenant's day this is asked.
    """
    today = days.local_day(days.to_us(now), TENANT.timezone)
    for ago in range(DAYS, -1, -1):
        # one source a day: another number of answers on one day leaves the others as they are
        rng = Random(f"{TENANT.id} {today} {ago}")  # noqa: S311 # no secret, but repeatable
        for item in _day(rng, today - timedelta(days=ago), ago):
            if item["answered_at"] <= _text(now.astimezone(UTC)):
                yield item


def _day(rng: Random, day: date, ago: int) -> list[dict[str, Any]]:
    """One day's answers, in order of time."""
    usual = round(rng.gauss(_VOLUME[day.weekday()], 8))
    hits = _OUTAGE_CALLS + rng.randint(-6, 6) if ago in BAD_WEEK else 0
    plan = [False] * usual + [True] * hits
    made = sorted((_answer(rng, day, ago, hit=hit) for hit in plan), key=_answered_at)
    return [
        {**item, "response_id": f"sample-{day:%Y%m%d}-{number:04}"}
        for number, item in enumerate(made, 1)
    ]


def _answered_at(item: Mapping[str, Any]) -> str:
    return str(item["answered_at"])


def _answer(rng: Random, day: date, ago: int, *, hit: bool) -> dict[str, Any]:
    """One answer; `hit`: of a customer who writes because of the carrier."""
    kind = _KINDS[0] if hit else _pick(rng, {kind: kind.weight for kind in _KINDS})
    channel = OUTAGE_CHANNEL if hit else _pick(rng, kind.channels)
    country = OUTAGE_COUNTRY if hit else _pick(rng, COUNTRIES)
    agent = _pick(rng, {agent: agent.weight for agent in AGENTS}) if kind.with_agent else None
    hour = _pick(rng, dict(enumerate(_HOURS)))
    moment = datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)))
    affected = hit or (ago in BAD_WEEK and country == OUTAGE_COUNTRY)
    mood = rng.gauss(_mean(agent, ago, hour, affected=affected))
    score = kind.score(mood)
    answer: dict[str, Any] = {
        "survey_id": kind.survey,
        "score": score,
        "answered_at": _text(moment.replace(tzinfo=days.zone(TENANT.timezone)).astimezone(UTC)),
        "channel": channel,
        "customer_id": f"c-{10_000 + rng.randrange(_CUSTOMERS)}",
        "country": country,
        "user_agent": _pick(rng, USER_AGENTS),
        "tags": {"plan": _pick(rng, {"basic": 6, "plus": 3, "business": 1})},
    }
    if agent:
        answer |= {"agent_id": agent.id, "agent_name": agent.name}
        answer["interaction_id"] = f"{channel[0]}-{rng.randrange(16**8):08x}"
        answer["tags"]["topic"] = _topic(rng, hit=hit)
    if rng.random() < _COMMENTED * (2 if hit else 1):
        answer["comment"] = _comment(rng, kind.rule, score, country, hit=hit)
    return answer


def _mean(agent: Agent | None, ago: int, hour: int, *, affected: bool) -> float:
    """How well such a customer is served on average."""
    mean = -0.15 if hour >= 20 else 0.0  # nobody is left to help
    if agent:
        mean += agent.skill + agent.learns * (1 - ago / DAYS)
    return mean + (_OUTAGE_MOOD if affected else 0.0)


def _topic(rng: Random, *, hit: bool) -> str:
    topics = {"delivery": 5, "invoice": 2, "return": 3, "contract": 2}
    return "delivery" if hit else _pick(rng, topics)


def _comment(rng: Random, rule: Rule, score: int, country: str, *, hit: bool) -> str:
    segment = rule.segment(score)
    if hit and segment == "bad":
        return rng.choice(OUTAGE_COMMENTS)
    return rng.choice(COMMENTS[LANGUAGES.get(country, "en")][segment])


def _pick(rng: Random, weights: Mapping[K, int]) -> K:
    return rng.choices(list(weights), list(weights.values()))[0]


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
