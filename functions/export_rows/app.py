"""export_rows: orders for exports over the API, and, woken by an order's event, the work."""

from functools import cache
from typing import TYPE_CHECKING, Any

from pulse.exports.orders import Orders
from pulse.http import answer
from pulse.observe import count, logger, metrics
from pulse.settings import BuildSettings

if TYPE_CHECKING:
    from pulse.exports.write import ExportRows


@cache
def orders() -> Orders:
    """The API's half, made at the first request."""
    return Orders.from_settings(BuildSettings.from_environment())


@cache
def stage() -> "ExportRows":
    """The worker's half, made at the first event."""
    from pulse.exports.write import ExportRows  # brings pandas: no caller should wait for that

    return ExportRows.from_settings(BuildSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The answer to one request, in API Gateway's form; or the export that the event names."""
    if "routeKey" in event:
        count("Requests")
        return answer(orders().routes, event)
    count("Orders")
    made = stage().run(
        event["detail"]["tenant"],
        event["detail"]["export"],
        remaining_s=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    return {"state": made.state if made else "nothing to do"}
