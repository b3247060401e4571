"""Which interaction an answer of the sample is about.

Answers and interactions are drawn separately. Here answers to the support survey get the ids of
interactions that the same agent had accepted before. Of these an unhappy customer often gets the
one with the longest wait, so that late acceptance goes with bad scores.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from local.sample.interactions import Interaction
from local.sample.tenant import SUPPORT, TENANT, THRESHOLDS

_MEDIA: Mapping[str, tuple[str, ...]] = {
    "ticket": ("email", "social", "sms"),
    "chat": ("chat",),
}
"""By the channel of an answer the media of the interactions that it may be about."""
_ASKED_WITHIN = timedelta(days=3)
"""A customer answers at most so long after the interaction has entered."""
_BY_WAIT = 0.5
"""The share of answers whose interaction is chosen by its wait; others get any of the agent's."""
_BAD = 3
"""The highest score that an unhappy customer gives."""


def about_interactions(
    answers: Iterable[Mapping[str, Any]], interactions: Iterable[Interaction]
) -> Iterator[Mapping[str, Any]]:
    """The answers with the ids and customers of the interactions they are about, in order of time.

    Answers and interactions are given in order of time. At most one answer is about an interaction.
    Answers for which there is no interaction stay as they are: they name one of which the contact
    centre has sent nothing.
    """
    coming = deque(interactions)
    taken: defaultdict[tuple[str, str], list[Interaction]] = defaultdict(list)
    for answer in answers:
        if answer["survey_id"] != SUPPORT:
            yield answer
            continue
        answered = datetime.fromisoformat(answer["answered_at"])
        while coming and coming[0].entered <= answered:
            interaction = coming.popleft()
            if interaction.agent:
                taken[interaction.agent.id, interaction.media_type].append(interaction)
        mine = [taken[answer["agent_id"], medium] for medium in _MEDIA[answer["channel"]]]
        for some in mine:
            some[:] = [one for one in some if one.entered >= answered - _ASKED_WITHIN]
        known = [one for some in mine for one in some if one.accepted and one.accepted <= answered]
        if not known:
            yield answer
            continue
        found = _chosen(answer, known)
        taken[answer["agent_id"], found.media_type].remove(found)
        yield {**answer, "interaction_id": found.id, "customer_id": found.customer}


def _chosen(answer: Mapping[str, Any], interactions: Sequence[Interaction]) -> Interaction:
    """The interaction that the answer is about: the same one in every run of the sample."""
    place = answer["response_id"].rpartition("-")[2]
    rng = Random(f"{TENANT.id} links {place} {answer['customer_id']}")  # noqa: S311 # repeatable
    if rng.random() >= _BY_WAIT:
        return rng.choice(interactions)
    return (max if answer["score"] <= _BAD else min)(interactions, key=_wait)


def _wait(interaction: Interaction) -> float:
    """How long the customer waited for the agent, as a multiple of what was promised."""
    promised = THRESHOLDS[interaction.media_type].accept_s
    waited = interaction.accepted and interaction.accepted - interaction.entered
    return waited.total_seconds() / promised if waited and promised else 0.0
