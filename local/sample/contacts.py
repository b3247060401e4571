"""90 days of contacts: who called or wrote, how long it took, what came of it.

How long somebody waits is a multiple of what the shop has promised (tenant.THRESHOLDS), and the
multiple depends on the hour, the customer and the week. Whoever loses patience hangs up. So a
week with more contacts on one matter has bad service levels, lost calls and unhappy customers
there, without any of these being put in one by one.
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
"""Contacts a day, Monday first."""
_OUTAGE_CONTACTS = 60
"""Additional contacts a day while the carrier stands still."""
_RATED = 0.22
_SATISFACTION = (6, 6, 13, 29, 46)
"""How scores from 1 to 5 are spread over usual moods, in percent."""

_USUAL_WAIT = -1.05
"""Logarithm of how much of the promised time somebody waits: most wait less than that."""
_BUSY_HOURS = range(9, 12)
_OVERLOAD, _OUTAGE_OVERLOAD = 0.4, 1.9
"""How much longer in the bad week, on other matters and on deliveries."""


@dataclass(frozen=True, eq=False)  # told apart, and hashed, as the objects they are
class _Medium:
    """How contacts on a medium go, in seconds: on average, as work and waiting for a reply go."""

    name: str
    weight: int
    work: float
    """An agent's, for each reply."""
    patience: float | None = None
    """How long callers hold the line; None: a message waits for ever."""
    pause: float = 0.0
    """Between two replies: the customer's turn."""
    replies: tuple[int, ...] = (100,)
    """How often it takes one reply, two, and so on, in percent; none at all: ()."""


_MEDIA = (
    _Medium("voice", 40, 300, patience=150),
    _Medium("email", 24, 800, pause=21_600, replies=(62, 26, 12)),
    _Medium("chat", 18, 560, patience=240),
    _Medium("social", 6, 300, pause=5_400, replies=(70, 30)),
    _Medium("sms", 5, 150, pause=1_800, replies=(55, 30, 15)),
    _Medium("task", 7, 1_500, replies=()),
)


@dataclass(frozen=True)
class Sale:
    """What a contact brought in, or cost: decimal text."""

    amount: str
    currency: str


@dataclass(frozen=True)
class Contact:
    """One contact from beginning to end; None: it did not come so far."""

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
    """How long the agent was engaged."""
    satisfaction: int | None = None
    rated: datetime | None = None
    sale: Sale | None = None


def contacts(now: datetime) -> Iterator[Contact]:
    """Every contact that entered in the 90 days up to `now`, oldest day first.

    What becomes of the last ones lies after `now`.
    """
    for day, to_sunday in told(now):
        for contact in of_day(day, to_sunday):
            if contact.entered <= now:
                yield contact


def of_day(day: date, to_sunday: int) -> list[Contact]:
    """All contacts that enter on one day, in order of time."""
    rng = chance("contacts", to_sunday)
    usual = round(rng.gauss(_VOLUME[weekday(to_sunday)], 8))
    hits = _OUTAGE_CONTACTS + rng.randint(-6, 6) if to_sunday in BAD_WEEK else 0
    hit = (number < hits for number in range(usual + hits))
    made = sorted((_Case.draw(rng, to_sunday, hit=one) for one in hit), key=_clock_time)
    return [case.contact(rng, day, number) for number, case in enumerate(made, 1)]


def _clock_time(case: "_Case") -> time:
    return case.at


@cache
def at_work(medium: str, weekday: int) -> Mapping[Agent, int]:
    """Who takes contacts on a medium on that weekday (Monday is 0), by weight.

    Everybody has two days a week off, and not the same ones.
    """
    off = {agent: (number % 7, (number + 3) % 7) for number, agent in enumerate(AGENTS)}
    return {
        agent: agent.weight
        for agent in AGENTS
        if medium in agent.media and weekday not in off[agent]
    }


@dataclass(frozen=True)
class _Case:
    """What is known of a contact before anybody has taken it."""

    to_sunday: int
    medium: _Medium
    country: str
    segment: str
    service: str
    at: time
    """The shop's time at which it enters."""

    @classmethod
    def draw(cls, rng: Random, to_sunday: int, *, hit: bool) -> "_Case":
        """Any contact of the day; `hit`: of a customer whose parcel does not come."""
        hour = pick(rng, dict(enumerate(HOURS)))
        return cls(
            to_sunday=to_sunday,
            medium=pick(rng, {medium: medium.weight for medium in _MEDIA}),
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
        """True for those whose parcel stands still."""
        on_parcels = self.service == DELIVERY and self.country == OUTAGE_COUNTRY
        return self._in_bad_week and on_parcels

    def contact(self, rng: Random, day: date, number: int) -> Contact:
        """What becomes of it: the day's contact of that number."""
        entered = moment(day, self.at)
        begun = Contact(
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
        """The mean of the logarithm of how much of the promised time somebody waits."""
        delay = _USUAL_WAIT + (0.25 if self.at.hour in _BUSY_HOURS else 0.0)
        if self.segment == "Premium":
            delay -= 0.4
        if self._in_bad_week:
            delay += _OUTAGE_OVERLOAD if self.service == DELIVERY else _OVERLOAD
        return delay

    def _lost(self, begun: Contact, patience: float) -> Contact:
        """The contact of a customer who hung up, some before an agent was even offered it."""
        left = begun.entered + timedelta(seconds=patience)
        offered = begun.offered if begun.offered and begun.offered <= left else None
        return replace(begun, offered=offered, finished=left)

    def _served(self, rng: Random, begun: Contact, wait: float, delay: float) -> Contact:
        """The contact once an agent had taken it after `wait` seconds."""
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
            replies=None if live else replies,  # of a conversation nobody counts them
            worked_s=sum(work),
            satisfaction=1 + verdict(rng.gauss(felt), _SATISFACTION) if rated else None,
            rated=finished + timedelta(seconds=rng.expovariate(1 / 7_200)) if rated else None,
            sale=self._sale(rng),
        )

    def _sale(self, rng: Random) -> Sale | None:
        """What was bought, given back or exchanged (which brings in nothing), if anything was."""
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
        """An amount as price tags have it: all but a cent or ten of a whole one."""
        currency, rate = CURRENCIES.get(self.country, ("EUR", 1.0))
        whole = round(abs(euros) * rate)
        cents = 100 * whole - (10 if whole % 2 else 1) if whole else 0
        sign = "-" if euros < 0 else ""
        return Sale(f"{sign}{cents // 100}.{cents % 100:02}", currency)
