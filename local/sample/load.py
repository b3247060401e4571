"""The sample's way in: the tenant into the table, the answers through the API like all others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.sample.tenant import TENANT, surveys
from pulse import days
from pulse.cli.exits import FailedError
from pulse.cli.keyring import issue_key
from pulse.cli.posting import Send, item, post
from pulse.store.tenants import Tenants

KEYS = ("publishable", "secret", "report", "operator")


def create_tenant(tenants: Tenants) -> Mapping[str, str]:
    """Make the tenant and its surveys; the texts of its keys, one of each kind, by kind."""
    tenants.create(TENANT)
    for survey in surveys(days.now_us()):
        tenants.put_survey(survey)
    return {
        kind: issue_key(tenants, kind, None if kind == "operator" else TENANT.id)[0]
        for kind in KEYS
    }


def load(responses: Sequence[Mapping[str, Any]], send: Send, step: Callable[[int], None]) -> None:
    """Post all responses, calling `step` with how many each batch had.

    Raises FailedError if one is rejected: the sample is made to be accepted whole.
    """
    for posted in post((item(response, response) for response in responses), send):
        for rejection in posted.rejected:
            raise FailedError(f"{rejection.origin}: {rejection.code}: {rejection.message}")
        step(posted.accepted)
