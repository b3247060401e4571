"""The report on what customers went through, against links and figures of plain Python.

Random answers and interactions go through ingest, queue, builds and the report API. What an answer
is linked to is worked out here from what was sent, as docs/metrics.md says it ("Linked answers").
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.tenants.rules import Rule
from tests import oracle
from tests.driver import Driver, running

pytestmark = pytest.mark.only_whole

NOW = datetime(2027, 1, 20, 12, 0, tzinfo=UTC)
NOON = datetime(2027, 1, 10, 12, 0, tzinfo=UTC)
LINK_DAYS = 3
GOOD, BAD = range(4, 6), range(1, 3)
ACCEPT_S = 20
"""Within so many seconds a call is to be accepted; mails have no threshold."""
WAITS = ((10, "0-10s"), (30, "10-30s"), (60, "30-60s"), (120, "1-2min"))
"""The classes of time that occur: each is below its number of seconds."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Contact:
    """An interaction as it was sent, in one update."""

    id: str
    entered: datetime
    media: str
    agent: str | None
    accepted_s: int | None
    revenue: str | None
    satisfaction: int | None

    def body(self) -> Row:
        """As the API takes it."""
        sent: Row = {
            "interaction_id": self.id,
            "media_type": self.media,
            "entered_at": self.entered.isoformat(),
        }
        if self.agent:
            sent["agent_id"] = self.agent
        if self.accepted_s is not None:
            sent["accepted_at"] = (self.entered + timedelta(seconds=self.accepted_s)).isoformat()
        if self.revenue is not None:
            sent["revenue"] = {"amount": self.revenue, "currency": "EUR"}
        if self.satisfaction is not None:
            sent["satisfaction"] = self.satisfaction
        return sent


@dataclass(frozen=True)
class Answer:
    """An answer as it was sent."""

    number: int
    at: datetime
    score: int
    channel: str
    about: str | None
    by_bot: bool

    def body(self) -> Row:
        """As the API takes it."""
        about = {"interaction_id": self.about} if self.about else {}
        sender = {"user_agent": "Googlebot/2.1"} if self.by_bot else {}
        return {
            "survey_id": "email",
            "response_id": f"r{self.number}",
            "answered_at": self.at.isoformat(),
            "score": self.score,
            "channel": self.channel,
            **about,
            **sender,
        }


@dataclass(frozen=True)
class Told:
    """What counts of an answer: its score, its two days, and its value of each dimension."""

    score: int
    answered: date
    entered: date | None
    values: Mapping[str, str | None]

    def day(self, basis: str) -> date | None:
        """The day on which it counts."""
        return self.answered if basis == "answered" else self.entered

    @property
    def by_bot(self) -> bool:
        """Whether it counts only where bots are asked for."""
        return self.values["device"] == "bot"


def told(answer: Answer, contacts: Sequence[Contact]) -> Told:
    """The answer with what its interaction gives to it."""
    possible = [
        one
        for one in contacts
        if one.id == answer.about
        and timedelta(0) <= answer.at - one.entered <= timedelta(days=LINK_DAYS)
    ]
    values: dict[str, str | None] = {
        "survey": "email",
        "channel": answer.channel,
        "device": "bot" if answer.by_bot else None,
    }
    if not possible:
        return Told(answer.score, answer.at.date(), None, values)
    one = max(possible, key=lambda contact: contact.entered)
    accept, wait = "no_threshold", None
    if one.media == "voice":
        accept = "never"
        if one.accepted_s is not None:
            accept = "in_time" if one.accepted_s <= ACCEPT_S else "late"
    if one.accepted_s is not None:
        wait = next(name for end, name in WAITS if one.accepted_s < end)
    values |= {
        "media_type": one.media,
        "agent": one.agent,
        "accept": accept,
        "wait": wait,
        "had_revenue": "yes" if one.revenue not in (None, "0") else "no",
        "was_rated": "no" if one.satisfaction is None else "yes",
        "entered_on": one.entered.date().isoformat(),
    }
    return Told(answer.score, answer.at.date(), one.entered.date(), values)


def moment(chance: random.Random) -> datetime:
    """On the hour, so that answers are given at the very moment of an interaction, too."""
    return NOON + timedelta(hours=chance.randint(-5 * 24, 5 * 24))


def contact(chance: random.Random) -> Contact:
    """An interaction of one of few ids."""
    return Contact(
        id=chance.choice(("i1", "i2", "i3", "i4")),
        entered=moment(chance),
        media=chance.choice(("voice", "email")),
        agent=chance.choice((None, "ada", "bob")),
        accepted_s=chance.choice((None, 0, 9, 10, ACCEPT_S, ACCEPT_S + 1, 59, 60)),
        revenue=chance.choice((None, "0", "12.5", "-1")),
        satisfaction=chance.choice((None, 1, 5)),
    )


def answer(chance: random.Random, number: int) -> Answer:
    """An answer to one of these interactions, to an unknown one, or to none."""
    return Answer(
        number,
        moment(chance),
        chance.randint(1, 5),
        chance.choice(("ticket", "chat")),
        chance.choice((None, "i1", "i2", "i3", "i4", "unknown")),
        by_bot=chance.random() < 0.25,
    )


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: NOW), running() as driver:
        driver.link_days = LINK_DAYS
        yield driver


QUESTIONS: Sequence[tuple[str, tuple[str, ...], Callable[[Told], bool]]] = (
    ("", ("accept",), lambda one: True),
    ("group_by=wait,channel", ("wait", "channel"), lambda one: True),
    (
        "group_by=media_type,agent&media_type=!(none)",
        ("media_type", "agent"),
        lambda one: one.entered is not None,
    ),
    (
        "accept=late,in_time",
        ("accept",),
        lambda one: one.values.get("accept") in ("late", "in_time"),
    ),
    (
        "group_by=had_revenue,was_rated,entered_on&channel=chat",
        ("had_revenue", "was_rated", "entered_on"),
        lambda one: one.values["channel"] == "chat",
    ),
    ("group_by=device,accept&device=bot,(none)", ("device", "accept"), lambda one: True),
)
"""Queries, what they group by, and what passes their filters."""
ORDERS: Mapping[str, Sequence[str]] = {
    "accept": ("in_time", "late", "never", "no_threshold"),
    "wait": tuple(name for _, name in WAITS),
    "had_revenue": ("yes", "no"),
    "was_rated": ("yes", "no"),
}


def place(name: str, value: str | None) -> tuple[bool, Any]:
    """Where a value stands among those of its dimension."""
    order = ORDERS.get(name)
    return value is None, "" if value is None else order.index(value) if order else value


def expected(
    answers: Sequence[Told], names: Sequence[str], dates: tuple[date, date], basis: str
) -> list[Row]:
    """The rows over the answers that pass, by these dimensions."""
    counted: dict[tuple[str | None, ...], list[int]] = {}
    for one in answers:
        on = one.day(basis)
        if on is not None and dates[0] <= on <= dates[1]:
            key = tuple(one.values.get(name) for name in names)
            counted.setdefault(key, []).append(one.score)
    ordered = sorted(
        counted,
        key=lambda key: [place(name, value) for name, value in zip(names, key, strict=True)],
    )
    total = sum(map(len, counted.values()))
    shown = ("responses", *oracle.SCORED)
    rows = []
    for key in ordered:
        figures = oracle.figures("csat", GOOD, BAD, counted[key])
        rows.append(
            {"metric": "csat", "scale": "1-5", **dict(zip(names, key, strict=True))}
            | {name: figures[name] for name in shown}
            | {"share_pct": oracle.share(len(counted[key]), total)}
        )
    return rows


def left_out(reply: Row) -> int:
    """How many answers of bots the reply says that it leaves out."""
    found = [w["message"] for w in reply["meta"]["warnings"] if w["code"] == "bots_left_out"]
    return sum(int(message.partition(" ")[0]) for message in found)


TENANTS = count()


def send(pulse: Driver, tenant: str, contacts: Sequence[Contact]) -> None:
    """Post the interactions, all of which are stored."""
    reply = pulse.post_interactions(tenant, [one.body() for one in contacts])
    assert reply.json["accepted"] == len(contacts), reply.body


@given(data=st.data())
@settings(
    max_examples=3,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # a build is too slow for shrinking
    suppress_health_check=[HealthCheck.too_slow],
)
def test_the_report_says_what_links_in_plain_python_say(pulse: Driver, data: st.DataObject) -> None:
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    tenant = f"t{next(TENANTS)}"
    pulse.tenant(tenant, thresholds={"voice.accept": ((date(1990, 1, 1), ACCEPT_S),)})
    pulse.survey(tenant, "email", Rule.parse("csat", "1-5"))
    drawn = [contact(chance) for _ in range(chance.randint(4, 20))]
    contacts = [*{(one.id, one.entered.date()): one for one in drawn}.values()]  # one id a day
    answers = [answer(chance, number) for number in range(chance.randint(5, 60))]
    late = contacts[: len(contacts) // 2]  # what comes later restates the answers of before
    send(pulse, tenant, contacts[len(late) :])
    pulse.post(tenant, [one.body() for one in answers])
    pulse.build()
    send(pulse, tenant, late)
    pulse.build()
    found = [told(one, contacts) for one in answers]
    ranges = [(date(2027, 1, 1), date(2027, 1, 20)), (date(2027, 1, 8), date(2027, 1, 11))]
    for query, names, passes in QUESTIONS:
        for dates in ranges:
            for basis in ("answered", "entered"):
                asked = f"start_date={dates[0]}&end_date={dates[1]}&date_basis={basis}&{query}"
                reply = pulse.report(tenant, "experience", asked, kind="secret")
                asks_for_bots = "device=bot" in query
                passed = [one for one in found if passes(one) and (asks_for_bots or not one.by_bot)]
                rows = expected(passed, names, dates, basis)
                assert reply["rows"] == rows, asked
                assert reply["meta"]["date_basis"] == basis
                inside = [
                    one
                    for one in found
                    if passes(one) and (day := one.day(basis)) and dates[0] <= day <= dates[1]
                ]
                counting = [one for one in inside if one in passed]
                linked = sum(one.entered is not None for one in counting)
                assert reply["meta"]["linked"] == {"responses": linked, "of": len(counting)}, asked
                assert left_out(reply) == len(inside) - len(counting), asked
