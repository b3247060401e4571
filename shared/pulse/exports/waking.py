"""The event that wakes a worker: there is something to do for a tenant.

What there is to do stands in the table. So an event may come twice, or for nothing; and one that
was lost, or whose worker died, is made good by the next one: of an order, of the worker that was
before, or of the schedule, which looks for tenants whose orders wait with nobody at work.
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
    """Wake a worker for each tenant that has orders and nobody at work; which tenants."""
    idle = exports.idle_tenants(days.now_us())
    for tenant in idle:
        wake(events, tenant)
    return idle
