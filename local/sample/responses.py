"""90 days of invented responses, which are the same for everybody and on every day.

How well a customer was served is a normal variable. Its mean depends on the agent, the hour and the
week. The survey's usual distribution of scores makes a score of it. So scores are distributed as in
real surveys, and a bad week shows in all surveys.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from operator import itemgetter
from random import Random
from typing import Any

from local.sample.comments import COMMENTS, LANGUAGES, OUTAGE_COMMENTS
from local.sample.story import (
    BAD_WEEK,
    HOURS,
    chance,
    clock_time,
    customer,
    moment,
    mood,
    pick,
    text,
    told,
    verdict,
    weekday,
)
from local.sample.tenant import (
    AGENTS,
    COUNTRIES,
    EASE,
    OUTAGE_CHANNEL,
    OUTAGE_COUNTRY,
    RELATIONSHIP,
    SUPPORT,
    USER_AGENTS,
)
from pulse.tenants.rules import Rule

_VOLUME = (205, 195, 185, 180, 170, 95, 75)
"""The number of responses on a day, from Monday on."""
_COMMENTED = 0.16
_OUTAGE_CALLS = 55
"""Additional responses a day while the carrier stands still."""


@dataclass(frozen=True, eq=False)  # told apart, and hashed, as the objects they are
class _Kind:
    """How customers answer a survey: how often, where, and with which scores, in percent."""

    survey: str
    rule: Rule
    weight: int
    channels: Mapping[str, int]
    with_agent: bool
    spread: Sequence[float]

    def score(self, mood: float) -> int:
        """The score of a mood."""
        return self.rule.low + verdict(mood, self.spread)


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
_KIND_WEIGHTS = {kind: kind.weight for kind in _KINDS}
_AGENT_WEIGHTS = {agent: agent.weight for agent in AGENTS}


def responses(now: datetime) -> Iterator[dict[str, Any]]:
    """All responses of the 90 days up to `now`, the oldest day first.

    Each is an item of POST /v1/batch/responses as a server sends it, with a response_id. The days
    before today are the same at any time of the tenant's day.
    """
    until = text(now)
    for day, to_sunday in told(now):
        for item in of_day(day, to_sunday):
            if item["answered_at"] <= until:
                yield item


def of_day(day: date, to_sunday: int) -> list[dict[str, Any]]:
    """One day's responses, in order of time."""
    return [
        {
            **said,
            "answered_at": text(moment(day, at)),
            "response_id": f"sample-{day:%Y%m%d}-{number:04}",
        }
        for number, (at, said) in enumerate(drawn(to_sunday), 1)
    ]


Drawn = tuple[time, dict[str, Any]]
"""When an answer was given, in the shop's local time, and its fields."""


def drawn(to_sunday: int) -> list[Drawn]:
    """The responses of one day of the story, in order of time; they do not depend on the date."""
    rng = chance("answers", to_sunday)
    usual = round(rng.gauss(_VOLUME[weekday(to_sunday)], 8))
    hits = _OUTAGE_CALLS + rng.randint(-6, 6) if to_sunday in BAD_WEEK else 0
    plan = [False] * usual + [True] * hits
    return sorted((_answer(rng, to_sunday, hit=hit) for hit in plan), key=itemgetter(0))


def _answer(rng: Random, to_sunday: int, *, hit: bool) -> Drawn:
    """One response; with `hit` of a customer who writes because of the carrier."""
    kind = _KINDS[0] if hit else pick(rng, _KIND_WEIGHTS)
    channel = OUTAGE_CHANNEL if hit else pick(rng, kind.channels)
    country = OUTAGE_COUNTRY if hit else pick(rng, COUNTRIES)
    agent = pick(rng, _AGENT_WEIGHTS) if kind.with_agent else None
    hour = pick(rng, HOURS)
    at = clock_time(rng, hour)
    affected = hit or (to_sunday in BAD_WEEK and country == OUTAGE_COUNTRY)
    score = kind.score(rng.gauss(mood(agent, to_sunday, hour, affected=affected)))
    answer: dict[str, Any] = {
        "survey_id": kind.survey,
        "score": score,
        "channel": channel,
        "customer_id": customer(rng),
        "country": country,
        "user_agent": pick(rng, USER_AGENTS),
        "tags": {"plan": pick(rng, {"basic": 6, "plus": 3, "business": 1})},
    }
    if agent:
        answer |= {"agent_id": agent.id, "agent_name": agent.name}
        answer["interaction_id"] = f"{channel[0]}-{rng.randrange(16**8):08x}"
        answer["tags"]["topic"] = _topic(rng, answer["interaction_id"], hit=hit)
    if rng.random() < _COMMENTED * (2 if hit else 1):
        answer["comment"] = _comment(rng, kind.rule, score, country, hit=hit)
    return at, answer


def _topic(rng: Random, case: str, *, hit: bool) -> str:
    """What a conversation was about; three in four of the outage's were about deliveries."""
    if hit:
        return "return" if int(case[-1], 16) < 4 else "delivery"
    return pick(rng, {"delivery": 5, "invoice": 2, "return": 3, "contract": 2})


def _comment(rng: Random, rule: Rule, score: int, country: str, *, hit: bool) -> str:
    segment = rule.segment(score)
    if hit and segment == "bad":
        return rng.choice(OUTAGE_COMMENTS)
    return rng.choice(COMMENTS[LANGUAGES.get(country, "en")][segment])
