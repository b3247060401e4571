"""Makes events of interactions, as the shop's systems send them: updates, and agent sessions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from local.sample.interactions import Interaction
from local.sample.story import text
from local.sample.tenant import TENANT, Agent
from pulse import days

_TOLD_WHOLE = ("voice", "chat", "sms")
"""Media whose interactions are sent when they are over; others also when they are accepted."""
_SHIFT_S = 20_000
"""How many seconds an agent works on a day, on all media together."""

Stage = tuple[datetime | None, dict[str, Any]]
"""When fields became known, and their values."""


def updates(interactions: Iterable[Interaction], now: datetime) -> Iterator[dict[str, Any]]:
    """The updates that the systems have sent by `now`: items of POST /v1/interactions."""
    for interaction in interactions:
        for stages in _told_together(interaction):
            known = [(at, facts) for at, facts in stages if at is not None and at <= now]
            if known:
                yield {
                    "interaction_id": interaction.id,
                    "media_type": interaction.media_type,
                    "entered_at": text(interaction.entered),
                    "updated_at": text(known[-1][0]),
                    **{
                        name: value
                        for _, facts in known
                        for name, value in facts.items()
                        if value is not None
                    },
                }


def _told_together(interaction: Interaction) -> list[list[Stage]]:
    """The stages of an interaction, grouped by the update that sends them."""
    agent, sale = interaction.agent, interaction.sale
    begun: Stage = (
        interaction.offered or interaction.entered,
        {
            "customer_segment": interaction.segment,
            "service_type": interaction.service,
            "customer_id": interaction.customer,
            "offered_at": interaction.offered and text(interaction.offered),
        },
    )
    taken: Stage = (
        interaction.accepted,
        {
            "agent_id": agent and agent.id,
            "agent_name": agent and agent.name,
            "accepted_at": interaction.accepted and text(interaction.accepted),
        },
    )
    answered: Stage = (
        interaction.first_response,
        {"first_response_at": interaction.first_response and text(interaction.first_response)},
    )
    over: Stage = (
        interaction.finished,
        {
            "finished_at": interaction.finished and text(interaction.finished),
            "abandoned": None if agent else True,
            "replies": interaction.replies,
            "revenue": sale and {"amount": sale.amount, "currency": sale.currency},
        },
    )
    rated: Stage = (interaction.rated, {"satisfaction": interaction.satisfaction})
    if interaction.media_type in _TOLD_WHOLE:
        return [[begun, taken, answered, over], [rated]]
    return [[begun, taken], [answered, over], [rated]]


def sessions(interactions: Iterable[Interaction], now: datetime) -> Iterator[dict[str, Any]]:
    """The agents' sessions of the days that are over: items of POST /v1/agent-sessions.

    An agent is engaged for the time of the interactions that were accepted on the day; the rest of
    the shift is divided equally among the agent's media.
    """
    today = days.local_day(days.to_us(now), TENANT.timezone)
    engaged: defaultdict[tuple[date, Agent, str], float] = defaultdict(float)
    for interaction in interactions:
        if interaction.agent and interaction.accepted:
            day = days.local_day(days.to_us(interaction.accepted), TENANT.timezone)
            engaged[day, interaction.agent, interaction.media_type] += interaction.worked_s
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
