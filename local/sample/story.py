"""What the sample tells: how busy the days are, how well customers are served, and the bad week.

Answers and contacts are made apart, but of this one story: what moves one moves the other.

The story is told by the week: what happens on a day follows from its weekday and from how many
weeks ago it is, never from the date. So on every date it is the same story, with the same answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import TypeVar

from local.sample.tenant import TENANT, Agent
from pulse import days

K = TypeVar("K")

DAYS = 90

BAD_WEEK = range(14, 21)
"""The days to Sunday (see `told`) of those when the carrier stood still: the week before last.

Whatever day it is, that week is over, and the last 28 days hold it whole.
"""

HOURS = (1, 1, 0, 0, 0, 1, 2, 5, 9, 12, 13, 12, 10, 10, 12, 12, 11, 10, 9, 9, 10, 8, 5, 2)
"""How much comes in by hour of the day, by weight.

Nothing in the hour from two, which is missing or there twice when clocks change.
"""
CUSTOMERS = 6_000

_OUTAGE_MOOD = -1.7


def told(now: datetime) -> Iterator[tuple[date, int]]:
    """The shop's days up to `now`, the oldest first, each with its place in the story.

    That is how many days it is from there to the Sunday of the present week.
    """
    today = days.local_day(days.to_us(now), TENANT.timezone)
    sunday = today + timedelta(days=6 - today.weekday())
    for ago in range(DAYS, -1, -1):
        day = today - timedelta(days=ago)
        yield day, (sunday - day).days


def chance(kind: str, to_sunday: int) -> Random:
    """What is drawn from for everything of a kind on one day of the story.

    Each has its own: another number of answers on one day leaves all others as they are.
    """
    return Random(f"{TENANT.id} {kind} {to_sunday}")  # noqa: S311 # no secret, but repeatable


def weekday(to_sunday: int) -> int:
    """The weekday of a day of the story; Monday is 0."""
    return 6 - to_sunday % 7


def clock_time(rng: Random, hour: int) -> time:
    """Any second of an hour of the shop's day."""
    return time(hour, rng.randrange(60), rng.randrange(60))


def moment(day: date, at: time) -> datetime:
    """When it is that time in the shop on a day, as UTC."""
    return datetime.combine(day, at, days.zone(TENANT.timezone)).astimezone(UTC)


def mood(agent: Agent | None, to_sunday: int, hour: int, *, affected: bool) -> float:
    """How well such a customer is served on average; 0 is the usual."""
    mean = -0.15 if hour >= 20 else 0.0  # nobody is left to help
    if agent:
        mean += agent.skill + agent.learns * (1 - to_sunday / (DAYS + 6))
    return mean + (_OUTAGE_MOOD if affected else 0.0)


def verdict(mood: float, spread: Sequence[float]) -> int:
    """Which score of a scale a mood gives, the lowest being 0.

    Over a standard normal mood the scores are spread as `spread` says, in percent.
    """
    position = NormalDist().cdf(mood) * 100
    limits = list(accumulate(spread))[:-1]
    return sum(position >= limit for limit in limits)


def customer(rng: Random) -> str:
    """A customer's id."""
    return f"c-{10_000 + rng.randrange(CUSTOMERS)}"


def pick(rng: Random, weights: Mapping[K, int]) -> K:
    """One of the keys, by their weights."""
    return rng.choices(list(weights), list(weights.values()))[0]


def text(at: datetime) -> str:
    """A moment as the interface takes it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
