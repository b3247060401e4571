"""What the sample tells: how busy the days are, how well customers are served, and the bad week.

Answers and contacts are made apart, but of this one story: what moves one moves the other.
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

BAD_WEEK = range(18, 25)
"""How many days ago the carrier stood still."""

HOURS = (1, 1, 0, 0, 0, 1, 2, 5, 9, 12, 13, 12, 10, 10, 12, 12, 11, 10, 9, 9, 10, 8, 5, 2)
"""How much comes in by hour of the day, by weight."""
CUSTOMERS = 6_000

_OUTAGE_MOOD = -1.7


def told(kind: str, now: datetime) -> Iterator[tuple[date, int, Random]]:
    """The shop's days up to `now`, the oldest first: each with how long ago it is, and its chance.

    One source of chance a day and kind: another number of answers on one day leaves the others as
    they are. The same day is told in the same way whenever on the shop's present day it is asked.
    """
    today = days.local_day(days.to_us(now), TENANT.timezone)
    for ago in range(DAYS, -1, -1):
        seed = f"{TENANT.id} {today} {ago}{kind}"
        yield today - timedelta(days=ago), ago, Random(seed)  # noqa: S311 # no secret, but repeatable


def moment(rng: Random, day: date, hour: int) -> datetime:
    """Any second of an hour of the shop's day, as UTC."""
    local = datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)))
    return local.replace(tzinfo=days.zone(TENANT.timezone)).astimezone(UTC)


def mood(agent: Agent | None, ago: int, hour: int, *, affected: bool) -> float:
    """How well such a customer is served on average; 0 is the usual."""
    mean = -0.15 if hour >= 20 else 0.0  # nobody is left to help
    if agent:
        mean += agent.skill + agent.learns * (1 - ago / DAYS)
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
