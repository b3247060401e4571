"""order_exports: takes orders for exports over the API, and gives links to the finished files.

On a schedule it also wakes a worker for each tenant whose orders wait while no worker runs.
"""

from functools import cache
from typing import Any

from pulse.exports.orders import Orders
from pulse.http import Door, reply_to
from pulse.observe import count, logger, metrics
from pulse.settings import OrderExportsSettings


@cache
def stage() -> Orders:
    """The stage, made at the first event."""
    return Orders.from_settings(OrderExportsSettings.from_environment())


@cache
def door() -> Door:
    """The rules of who may call, from the settings, made at the first request."""
    return Door.from_settings(OrderExportsSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The reply to one request, in API Gateway's form; to the schedule, the tenants woken for."""
    if "routeKey" not in event:
        return {"woken": list(stage().wake())}
    count("Requests")
    return reply_to(stage().routes, event, door())
