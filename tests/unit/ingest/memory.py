"""A directory that holds one tenant in memory, for reading items without a table."""

from typing import cast

from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory
from pulse.tenants.surveys import Survey
from pulse.tenants.tenant import Tenant


class InMemory:
    """A fake of the table: one tenant and its surveys."""

    def __init__(self, tenant: Tenant, *surveys: Survey) -> None:
        self._tenant = tenant
        self._surveys = {survey.id: survey for survey in surveys}

    def get(self, tenant: str) -> Tenant | None:
        return self._tenant if tenant == self._tenant.id else None

    def survey(self, tenant: str, survey: str) -> Survey | None:
        return self._surveys.get(survey) if tenant == self._tenant.id else None


def directory(tenant: Tenant, *surveys: Survey) -> Directory:
    """What ingest knows where there are these alone."""
    return Directory(cast(Tenants, InMemory(tenant, *surveys)))
