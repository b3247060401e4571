"""export_revenue: reports → finance, invoked after reports were built, or by itself to go on."""

from functools import cache
from typing import Any

from pulse.finance.export import ExportRevenue
from pulse.observe import logger, metrics
from pulse.settings import ExportRevenueSettings


@cache
def stage() -> ExportRevenue:
    """The stage, made at the first event."""
    return ExportRevenue.from_settings(ExportRevenueSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Export every tenant whose files are older than its reports; close the months that are due."""
    result = stage().run(remaining_s=lambda: context.get_remaining_time_in_millis() / 1000)
    return {
        "exported": [{"tenant": tenant, "month": month} for tenant, month in result.exported],
        "finished": result.finished,
    }
