"""Which contact an answer of the sample is about.

Answers and contacts are drawn separately. Here answers of the support survey get the ids of
contacts that the same agent had taken before. Unhappy customers get those that had waited longest
for the agent, so that late acceptance goes with bad scores.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from local.sample.contacts import Contact
from local.sample.tenant import SUPPORT, TENANT, THRESHOLDS

_MEDIA: Mapping[str, tuple[str, ...]] = {
    "ticket": ("email", "social", "sms"),
    "chat": ("chat",),
}
"""The media of the contacts that a channel asks about."""
_ASKED_WITHIN = timedelta(days=3)
"""So long after a contact has entered a customer may answer."""
_BY_WAIT = 0.5
"""How often the wait decides; else it is any of the agent's contacts."""
_BAD = 3
"""The best of the scores that unhappy customers give."""


def about_contacts(
    answers: Iterable[Mapping[str, Any]], contacts: Iterable[Contact]
) -> Iterator[Mapping[str, Any]]:
    """The answers with the ids and customers of the contacts they are about; in order of time.

    Both are given in order of time. Of a contact there is at most one answer. Answers for which
    there is no contact stay as they are: they name one that the contact centre has not told of.
    """
    coming = deque(contacts)
    taken: defaultdict[tuple[str, str], list[Contact]] = defaultdict(list)
    for answer in answers:
        if answer["survey_id"] != SUPPORT:
            yield answer
            continue
        answered = datetime.fromisoformat(answer["answered_at"])
        while coming and coming[0].entered <= answered:
            contact = coming.popleft()
            if contact.agent:
                taken[contact.agent.id, contact.media_type].append(contact)
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


def _chosen(answer: Mapping[str, Any], contacts: Sequence[Contact]) -> Contact:
    """That of the contacts which the answer is about; never another for the same answer."""
    place = answer["response_id"].rpartition("-")[2]
    rng = Random(f"{TENANT.id} links {place} {answer['customer_id']}")  # noqa: S311 # repeatable
    if rng.random() >= _BY_WAIT:
        return rng.choice(contacts)
    return (max if answer["score"] <= _BAD else min)(contacts, key=_wait)


def _wait(contact: Contact) -> float:
    """How long the customer waited for the agent, as a multiple of what was promised."""
    promised = THRESHOLDS[contact.media_type].accept_s
    waited = contact.accepted and contact.accepted - contact.entered
    return waited.total_seconds() / promised if waited and promised else 0.0
