"""The sample's way in: the tenant into the table, all else through the API like everybody's."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from local.sample.contacts import contacts
from local.sample.responses import responses
from local.sample.tenant import TENANT, surveys
from local.sample.updates import sessions, updates
from pulse import days
from pulse.cli.exits import FailedError
from pulse.cli.keyring import issue_key
from pulse.cli.posting import INTERACTIONS, RESPONSES, SESSIONS, BatchRoute, Send, item, post
from pulse.store.tenants import Tenants

KEYS = ("publishable", "secret", "report", "operator")


def create_tenant(tenants: Tenants) -> Mapping[str, str]:
    """Make the tenant and its surveys; the texts of its keys, one of each kind, by kind.

    The report key, which the dashboard's link has, may read comments.
    """
    tenants.create(TENANT)
    for survey in surveys(days.now_us()):
        tenants.put_survey(survey)

    def issued(kind: str) -> str:
        whose = None if kind == "operator" else TENANT.id
        return issue_key(tenants, kind, whose, comments=kind == "report")[0]

    return {kind: issued(kind) for kind in KEYS}


Sample = Mapping[BatchRoute, Sequence[Mapping[str, Any]]]
"""What goes where."""


def sample(now: datetime) -> Sample:
    """All that the sample's systems have to tell by `now`."""
    made = list(contacts(now))
    return {
        RESPONSES: list(responses(now)),
        INTERACTIONS: list(updates(made, now)),
        SESSIONS: list(sessions(made, now)),
    }


def load(sample: Sample, send: Send, step: Callable[[int], None]) -> None:
    """Post all of it, calling `step` with how much each batch had.

    Raises FailedError if anything is rejected: the sample is made to be accepted whole.
    """
    for route, events in sample.items():
        for posted in post(route, (item(event, event) for event in events), send):
            for rejection in posted.rejected:
                raise FailedError(f"{rejection.origin}: {rejection.code}: {rejection.message}")
            step(posted.accepted)
