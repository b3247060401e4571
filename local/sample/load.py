"""Loads the sample: the tenant is stored in the table, all else is sent through the API."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from local.sample.interactions import interactions
from local.sample.links import about_interactions
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
    """Make the tenant, its surveys and a key of each kind; return the keys' texts by kind.

    The report key, which is in the dashboard's link, may read comments.
    """
    tenants.create(TENANT)
    for survey in surveys(days.now_us()):
        tenants.put_survey(survey)

    def issued(kind: str) -> str:
        whose = None if kind == "operator" else TENANT.id
        return issue_key(tenants, kind, whose, comments=kind == "report")[0]

    return {kind: issued(kind) for kind in KEYS}


Sample = Mapping[BatchRoute, Sequence[Mapping[str, Any]]]
"""The events by the route that they are sent to."""


def sample(now: datetime) -> Sample:
    """All events that the sample's systems have sent by `now`."""
    made = list(interactions(now))
    return {
        RESPONSES: list(about_interactions(responses(now), made)),
        INTERACTIONS: list(updates(made, now)),
        SESSIONS: list(sessions(made, now)),
    }


def load(sample: Sample, send: Send, step: Callable[[int], None]) -> None:
    """Post all events, and call `step` with the number of each batch's.

    Raises FailedError if any event is rejected, because all events of the sample are valid.
    """
    for route, events in sample.items():
        for posted in post(route, (item(event, event) for event in events), send):
            for rejection in posted.rejected:
                raise FailedError(f"{rejection.origin}: {rejection.code}: {rejection.message}")
            step(posted.accepted)
