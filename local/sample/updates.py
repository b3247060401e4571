"""Makes events of the contacts, as the shop's systems send them: updates, and agent sessions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from local.sample.contacts import Contact
from local.sample.story import text
from local.sample.tenant import TENANT, Agent
from pulse import days

_TOLD_WHOLE = ("voice", "chat", "sms")
"""Media whose contacts are sent when they are over; others are also sent when they are accepted."""
_SHIFT_S = 20_000
"""How many seconds an agent works on a day, on all media together."""

Stage = tuple[datetime | None, dict[str, Any]]
"""When fields became known, and their values."""


def updates(contacts: Iterable[Contact], now: datetime) -> Iterator[dict[str, Any]]:
    """The updates that the systems have sent by `now`: items of POST /v1/interactions."""
    for contact in contacts:
        for stages in _told_together(contact):
            known = [(at, facts) for at, facts in stages if at is not None and at <= now]
            if known:
                yield {
                    "interaction_id": contact.id,
                    "media_type": contact.media_type,
                    "entered_at": text(contact.entered),
                    "updated_at": text(known[-1][0]),
                    **{
                        name: value
                        for _, facts in known
                        for name, value in facts.items()
                        if value is not None
                    },
                }


def _told_together(contact: Contact) -> list[list[Stage]]:
    """The stages of a contact, grouped by the update that sends them."""
    agent, sale = contact.agent, contact.sale
    begun: Stage = (
        contact.offered or contact.entered,
        {
            "customer_segment": contact.segment,
            "service_type": contact.service,
            "customer_id": contact.customer,
            "offered_at": contact.offered and text(contact.offered),
        },
    )
    taken: Stage = (
        contact.accepted,
        {
            "agent_id": agent and agent.id,
            "agent_name": agent and agent.name,
            "accepted_at": contact.accepted and text(contact.accepted),
        },
    )
    answered: Stage = (
        contact.first_response,
        {"first_response_at": contact.first_response and text(contact.first_response)},
    )
    over: Stage = (
        contact.finished,
        {
            "finished_at": contact.finished and text(contact.finished),
            "abandoned": None if agent else True,
            "replies": contact.replies,
            "revenue": sale and {"amount": sale.amount, "currency": sale.currency},
        },
    )
    rated: Stage = (contact.rated, {"satisfaction": contact.satisfaction})
    if contact.media_type in _TOLD_WHOLE:
        return [[begun, taken, answered, over], [rated]]
    return [[begun, taken], [answered, over], [rated]]


def sessions(contacts: Iterable[Contact], now: datetime) -> Iterator[dict[str, Any]]:
    """The agents' sessions of the days that are over: items of POST /v1/agent-sessions.

    An agent is engaged for the time of the contacts that were accepted on the day; the rest of the
    shift is divided equally among the agent's media.
    """
    today = days.local_day(days.to_us(now), TENANT.timezone)
    engaged: defaultdict[tuple[date, Agent, str], float] = defaultdict(float)
    for contact in contacts:
        if contact.agent and contact.accepted:
            day = days.local_day(days.to_us(contact.accepted), TENANT.timezone)
            engaged[day, contact.agent, contact.media_type] += contact.worked_s
    for (day, agent, medium), worked_s in sorted(engaged.items(), key=lambda one: str(one[0])):
        if day < today:
            active_s = max(_SHIFT_S / len(agent.media), worked_s)
            yield {
                "session_id": f"{agent.id}-{medium}-{day}",
                "agent_id": agent.id,
                "media_type": medium,
                "day": f"{day}",
                "active_seconds": round(active_s),
                "engaged_seconds": round(worked_s),
            }
