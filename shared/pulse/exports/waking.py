"""The event that invokes a worker of exports. It names only the tenant.

The table says what there is to do, so an event that comes twice or for nothing does no harm. If an
event is lost or its worker dies, a later event makes up for it: that of another order, of another
worker, or of the schedule, which looks for orders that wait while no worker is at work.
"""

from pulse import days
from pulse.store.events import Events
from pulse.store.exports import Exports

REQUESTED = "export requested"
"""The event's detail-type."""


def wake(events: Events, tenant: str) -> None:
    """Invoke a worker for the tenant. Raises RuntimeError if EventBridge refuses the event."""
    events.announce(REQUESTED, {"tenant": tenant})


def wake_idle(exports: Exports, events: Events) -> tuple[str, ...]:
    """Invoke a worker for each tenant that has orders and no worker; return these tenants."""
    idle = exports.idle_tenants(days.now_us())
    for tenant in idle:
        wake(events, tenant)
    return idle
