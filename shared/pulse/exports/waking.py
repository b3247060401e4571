"""The event that wakes a worker of exports; it says only for which tenant.

The table says what there is to do. So it does no harm if an event comes twice or for nothing. If
an event is lost or its worker dies, a later one makes up for it: that of another order, of another
worker, or of the schedule, which looks for orders that wait while no worker is at work.
"""

from pulse import days
from pulse.store.events import Events
from pulse.store.exports import Exports

REQUESTED = "export requested"
"""Its detail type."""


def wake(events: Events, tenant: str) -> None:
    """Wake a worker for the tenant. Raises RuntimeError if the bus refuses the event."""
    events.announce(REQUESTED, {"tenant": tenant})


def wake_idle(exports: Exports, events: Events) -> tuple[str, ...]:
    """Wake a worker for each tenant that has orders and no worker; which tenants."""
    idle = exports.idle_tenants(days.now_us())
    for tenant in idle:
        wake(events, tenant)
    return idle
