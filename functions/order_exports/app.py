"""order_exports: orders for exports over the API, and links to the files that were made.

On a schedule it wakes the workers of orders that wait with nobody at work.
"""

from functools import cache
from typing import Any

from pulse.exports.orders import Orders
from pulse.http import Door, answer
from pulse.observe import count, logger, metrics
from pulse.settings import OrderExportsSettings


@cache
def stage() -> Orders:
    """The stage, made at the first event."""
    return Orders.from_settings(OrderExportsSettings.from_environment())


@cache
def door() -> Door:
    """Whom it answers, read at the first request."""
    return Door.from_settings(OrderExportsSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The answer to one request, in API Gateway's form; or whom the schedule has woken."""
    if "routeKey" not in event:
        return {"woken": list(stage().wake())}
    count("Requests")
    return answer(stage().routes, event, door())
