"""The time zones by which tenants' days are."""

from pulse import days
from pulse.errors import ConflictError
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant, check_tenant_id

REMEMBER_US = 60 * days.SECOND
_TRIES = 3


class Zones:
    """Time zones by tenant, remembered for a minute.

    A tenant's zone never changes after its first event. But the tenant may be deleted and its id be
    given to a new one, so the zone is read again after the minute.
    """

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._fixed: dict[str, tuple[str, int]] = {}
        """Each zone with the moment until which it is remembered."""
        self.begun: set[str] = set()
        """Tenants whose zone was fixed by this object, since their first events came."""

    def of(self, tenant_id: str) -> str | None:
        """The tenant's time zone, fixed from now on; None if there is no such tenant."""
        now_us = days.now_us()
        timezone, until_us = self._fixed.get(tenant_id, ("", 0))
        if now_us < until_us:
            return timezone
        tenant = self._fix(tenant_id) if _is_tenant_id(tenant_id) else None
        if tenant is None:
            self._fixed.pop(tenant_id, None)
            return None
        self._fixed[tenant_id] = tenant.timezone, now_us + REMEMBER_US
        return tenant.timezone

    def _fix(self, tenant_id: str) -> Tenant | None:
        for _ in range(_TRIES):
            tenant = self._tenants.get(tenant_id)
            if tenant is None:
                return None
            try:
                started = self._tenants.start(tenant)
            except ConflictError:  # the tenant was changed since it was read
                continue
            if not tenant.started:
                self.begun.add(tenant_id)
            return started
        raise ConflictError(f"the time zone of {tenant_id} keeps changing")


def _is_tenant_id(text: str) -> bool:
    try:
        check_tenant_id(text)
    except ValueError:
        return False
    return True
