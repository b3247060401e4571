"""The sample's story: how busy the days are, how well customers are served, and the bad week.

Responses and interactions are made separately, but by the same story; links.py says which belong
together.

What happens on a day depends on its weekday and on how many weeks ago it is, never on its date. So
the story, with all its responses, is the same on every date.
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
"""The days on which the carrier stood still, by their days to Sunday (see `told`).

They are the week before last.

Whatever day it is, that week is over, and the last 28 days hold it whole.
"""

HOURS = dict(
    enumerate((1, 1, 0, 0, 0, 1, 2, 5, 9, 12, 13, 12, 10, 10, 12, 12, 11, 10, 9, 9, 10, 8, 5, 2))
)
"""The weights of the hours of the day.

The hour from two has none, because it is missing or comes twice when clocks change.
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
    """The random numbers for everything of a kind on one day of the story.

    Each kind and day has its own, so that more responses on one day change no other day.
    """
    return Random(f"{TENANT.id} {kind} {to_sunday}")  # noqa: S311 # no secret, but repeatable


def weekday(to_sunday: int) -> int:
    """The weekday of a day of the story; Monday is 0."""
    return 6 - to_sunday % 7


def clock_time(rng: Random, hour: int) -> time:
    """A random second of an hour."""
    return time(hour, rng.randrange(60), rng.randrange(60))


def moment(day: date, at: time) -> datetime:
    """The moment (UTC) of a day and time in the shop's time zone."""
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
    """A moment in the interface's form."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
