"""The time zones that make a tenant's days."""

from pulse.errors import ConflictError
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant, check_tenant_id

_TRIES = 3


class Zones:
    """Time zones by tenant, remembered for good: a zone is fixed before the first event."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._fixed: dict[str, str] = {}

    def of(self, tenant_id: str) -> str | None:
        """The tenant's time zone, fixed from now on; None where there is no such tenant."""
        if tenant_id not in self._fixed:
            tenant = self._fix(tenant_id) if _is_tenant_id(tenant_id) else None
            if tenant is None:
                return None
            self._fixed[tenant_id] = tenant.timezone
        return self._fixed[tenant_id]

    def _fix(self, tenant_id: str) -> Tenant | None:
        for _ in range(_TRIES):
            tenant = self._tenants.get(tenant_id)
            if tenant is None:
                return None
            try:
                return self._tenants.start(tenant)
            except ConflictError:  # the zone was set since we read it: read again
                continue
        raise ConflictError(f"the time zone of {tenant_id} keeps changing")


def _is_tenant_id(text: str) -> bool:
    try:
        check_tenant_id(text)
    except ValueError:
        return False
    return True
