"""build_reports: daily → reports, invoked after days were built."""

from functools import cache
from typing import Any

from pulse.observe import logger, metrics
from pulse.settings import BuildSettings
from pulse.tenant_years.build import BuildReports


@cache
def stage() -> BuildReports:
    """The stage, made at the first event."""
    return BuildReports.from_settings(BuildSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write the changed days of every tenant's years."""
    result = stage().run(remaining_s=lambda: context.get_remaining_time_in_millis() / 1000)
    return {
        "rewritten": [{"tenant": tenant, "year": year} for tenant, year in result.rewritten],
        "examined": result.examined,
        "folded": result.folded,
        "written": result.written,
        "finished": result.finished,
    }
