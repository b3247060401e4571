"""90 days of interactions: who called or wrote, how long it took, and the outcome.

How long a customer waits is a multiple of the shop's threshold (tenant.THRESHOLDS). The multiple
depends on the hour, the customer and the week. A customer who loses patience hangs up. So a week
with more interactions about one matter has bad service levels, lost calls and unhappy customers
there, without any of these being written down one by one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from math import exp, log
from random import Random

from local.sample.story import (
    BAD_WEEK,
    HOURS,
    chance,
    clock_time,
    customer,
    moment,
    mood,
    pick,
    told,
    verdict,
    weekday,
)
from local.sample.tenant import (
    AGENTS,
    COUNTRIES,
    CURRENCIES,
    DELIVERY,
    ORDERS,
    OUTAGE_COUNTRY,
    RETURNS,
    SEGMENTS,
    SERVICES,
    THRESHOLDS,
    Agent,
)

_VOLUME = (185, 175, 168, 162, 155, 85, 66)
"""The number of interactions on a day, from Monday on."""
_OUTAGE_INTERACTIONS = 60
"""Additional interactions a day while the carrier stands still."""
_RATED = 0.22
_SATISFACTION = (6, 6, 13, 29, 46)
"""The percentages of the scores from 1 to 5 in usual moods."""

_USUAL_WAIT = -1.05
"""The logarithm of the usual waiting time as a part of the threshold: most wait less than that."""
_BUSY_HOURS = range(9, 12)
_OVERLOAD, _OUTAGE_OVERLOAD = 0.4, 1.9
"""What is added to the logarithm in the bad week: for other matters, and for deliveries."""


@dataclass(frozen=True, eq=False)  # told apart, and hashed, as the objects they are
class _Medium:
    """The average times of interactions on a medium, in seconds."""

    name: str
    weight: int
    work: float
    """The agent's time for each reply."""
    patience: float | None = None
    """How long callers hold the line; None for messages, which wait for ever."""
    pause: float = 0.0
    """The customer's time between two replies."""
    replies: tuple[int, ...] = (100,)
    """The percentages of interactions with one reply, two, and so on; () if there are none."""


_MEDIA = (
    _Medium("voice", 40, 300, patience=150),
    _Medium("email", 24, 800, pause=21_600, replies=(62, 26, 12)),
    _Medium("chat", 18, 560, patience=240),
    _Medium("social", 6, 300, pause=5_400, replies=(70, 30)),
    _Medium("sms", 5, 150, pause=1_800, replies=(55, 30, 15)),
    _Medium("task", 7, 1_500, replies=()),
)
_MEDIUM_WEIGHTS = {medium: medium.weight for medium in _MEDIA}


@dataclass(frozen=True)
class Sale:
    """The revenue of an interaction, which may be negative, as decimal text."""

    amount: str
    currency: str


@dataclass(frozen=True)
class Interaction:
    """One interaction from beginning to end; a milestone that did not happen is None."""

    id: str
    media_type: str
    segment: str
    service: str
    customer: str
    entered: datetime
    offered: datetime | None = None
    agent: Agent | None = None
    accepted: datetime | None = None
    first_response: datetime | None = None
    finished: datetime | None = None
    replies: int | None = None
    worked_s: float = 0.0
    """How many seconds the agent was engaged."""
    satisfaction: int | None = None
    rated: datetime | None = None
    sale: Sale | None = None


def interactions(now: datetime) -> Iterator[Interaction]:
    """Every interaction that entered in the 90 days up to `now`, the oldest day first.

    Milestones of the last ones are after `now`.
    """
    for day, to_sunday in told(now):
        for interaction in of_day(day, to_sunday):
            if interaction.entered <= now:
                yield interaction


def of_day(day: date, to_sunday: int) -> list[Interaction]:
    """All interactions that enter on one day, in order of time."""
    rng = chance("contacts", to_sunday)  # another word would draw another sample
    usual = round(rng.gauss(_VOLUME[weekday(to_sunday)], 8))
    hits = _OUTAGE_INTERACTIONS + rng.randint(-6, 6) if to_sunday in BAD_WEEK else 0
    hit = (number < hits for number in range(usual + hits))
    made = sorted((_Case.draw(rng, to_sunday, hit=one) for one in hit), key=_clock_time)
    return [case.interaction(rng, day, number) for number, case in enumerate(made, 1)]


def _clock_time(case: "_Case") -> time:
    return case.at


@cache
def at_work(medium: str, weekday: int) -> Mapping[Agent, int]:
    """The agents who are at work on a medium on that weekday (Monday is 0), with their weights.

    Each agent has two days a week off, and not all the same ones.
    """
    off = {agent: (number % 7, (number + 3) % 7) for number, agent in enumerate(AGENTS)}
    return {
        agent: agent.weight
        for agent in AGENTS
        if medium in agent.media and weekday not in off[agent]
    }


@dataclass(frozen=True)
class _Case:
    """An interaction before an agent has taken it."""

    to_sunday: int
    medium: _Medium
    country: str
    segment: str
    service: str
    at: time
    """When it enters, in the shop's local time."""

    @classmethod
    def draw(cls, rng: Random, to_sunday: int, *, hit: bool) -> "_Case":
        """A random interaction of the day; with `hit` of a customer whose parcel does not come."""
        hour = pick(rng, HOURS)
        return cls(
            to_sunday=to_sunday,
            medium=pick(rng, _MEDIUM_WEIGHTS),
            country=OUTAGE_COUNTRY if hit else pick(rng, COUNTRIES),
            segment=pick(rng, SEGMENTS),
            service=DELIVERY if hit else pick(rng, SERVICES),
            at=clock_time(rng, hour),
        )

    @property
    def _in_bad_week(self) -> bool:
        return self.to_sunday in BAD_WEEK

    @property
    def _affected(self) -> bool:
        """Whether the customer's parcel is stuck."""
        on_parcels = self.service == DELIVERY and self.country == OUTAGE_COUNTRY
        return self._in_bad_week and on_parcels

    def interaction(self, rng: Random, day: date, number: int) -> Interaction:
        """The whole interaction, with that number on its day."""
        entered = moment(day, self.at)
        begun = Interaction(
            id=f"{self.medium.name}-{day:%Y%m%d}-{number:04}",
            media_type=self.medium.name,
            segment=self.segment,
            service=self.service,
            customer=customer(rng),
            entered=entered,
            offered=entered + timedelta(seconds=rng.randrange(4)),
        )
        promised = float(THRESHOLDS[self.medium.name].accept_s or 0)
        wait = promised * exp(rng.gauss(self._delay, 1.0))
        patience = self.medium.patience and rng.expovariate(1 / self.medium.patience)
        if patience and patience < wait:
            return self._lost(begun, patience)
        return self._served(rng, begun, 4 + wait, log(wait / promised))

    @property
    def _delay(self) -> float:
        """The mean logarithm of the waiting time as a part of the threshold."""
        delay = _USUAL_WAIT + (0.25 if self.at.hour in _BUSY_HOURS else 0.0)
        if self.segment == "Premium":
            delay -= 0.4
        if self._in_bad_week:
            delay += _OUTAGE_OVERLOAD if self.service == DELIVERY else _OVERLOAD
        return delay

    def _lost(self, begun: Interaction, patience: float) -> Interaction:
        """The interaction of a customer who hung up, perhaps before it was offered to an agent."""
        left = begun.entered + timedelta(seconds=patience)
        offered = begun.offered if begun.offered and begun.offered <= left else None
        return replace(begun, offered=offered, finished=left)

    def _served(self, rng: Random, begun: Interaction, wait: float, delay: float) -> Interaction:
        """The interaction once an agent had taken it after `wait` seconds."""
        medium = self.medium
        agent = pick(rng, at_work(medium.name, weekday(self.to_sunday)))
        accepted = begun.entered + timedelta(seconds=wait)
        replies = 1 + verdict(rng.gauss(0, 1), medium.replies) if medium.replies else 0
        work = [medium.work * exp(rng.gauss(-0.2, 0.6)) for _ in range(max(replies, 1))]
        pauses = [medium.pause * exp(rng.gauss(-0.2, 0.6)) for _ in work[1:]]
        finished = accepted + timedelta(seconds=sum(work) + sum(pauses))
        live = medium.patience is not None
        responded = accepted + timedelta(seconds=work[0]) if replies and not live else None
        felt = mood(agent, self.to_sunday, self.at.hour, affected=self._affected) - 0.3 * max(
            delay, 0
        )
        rated = rng.random() < _RATED
        return replace(
            begun,
            agent=agent,
            accepted=accepted,
            first_response=responded,
            finished=finished,
            replies=None if live else replies,  # the replies of a conversation are not counted
            worked_s=sum(work),
            satisfaction=1 + verdict(rng.gauss(felt), _SATISFACTION) if rated else None,
            rated=finished + timedelta(seconds=rng.expovariate(1 / 7_200)) if rated else None,
            sale=self._sale(rng),
        )

    def _sale(self, rng: Random) -> Sale | None:
        """The revenue of a purchase, a return or an exchange (which is 0); None without any."""
        chance = rng.random()
        price = 45 * exp(rng.gauss(0, 0.5)) * {"Business": 3, "Premium": 1.8}.get(self.segment, 1)
        if self.service == ORDERS and chance < (0.36 if self._in_bad_week else 0.45):
            return self._paid(price)
        if self.service == RETURNS and chance < 0.2:
            return self._paid(-0.8 * price if chance < 0.15 else 0.0)
        if self._affected and chance < 0.13:
            return self._paid(-0.6 * price)
        return None

    def _paid(self, euros: float) -> Sale:
        """The amount as prices are: a cent or ten cents less than a whole one."""
        currency, rate = CURRENCIES.get(self.country, ("EUR", 1.0))
        whole = round(abs(euros) * rate)
        cents = 100 * whole - (10 if whole % 2 else 1) if whole else 0
        sign = "-" if euros < 0 else ""
        return Sale(f"{sign}{cents // 100}.{cents % 100:02}", currency)
