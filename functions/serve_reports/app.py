"""serve_reports: replies to API Gateway's requests that read reports and comments."""

from functools import cache
from typing import Any

from pulse.http import Door, reply_to
from pulse.observe import count, logger, metrics
from pulse.serve.service import Reports
from pulse.settings import ServeReportsSettings


@cache
def stage() -> Reports:
    """The stage, made at the first event."""
    return Reports.from_settings(ServeReportsSettings.from_environment())


@cache
def door() -> Door:
    """The rules of who may call, from the settings, made at the first request."""
    return Door.from_settings(ServeReportsSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The reply to one request, in API Gateway's form."""
    count("Requests")
    return reply_to(stage().routes, event, door())
