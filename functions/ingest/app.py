"""ingest: replies to API Gateway's requests that send events or read a survey."""

from functools import cache
from typing import Any

from pulse.http import Door, reply_to
from pulse.ingest.routes import Ingest
from pulse.observe import count, logger, metrics
from pulse.settings import IngestSettings


@cache
def stage() -> Ingest:
    """The stage, made at the first event."""
    return Ingest.from_settings(IngestSettings.from_environment())


@cache
def door() -> Door:
    """The rules of who may call, from the settings, made at the first request."""
    return Door.from_settings(IngestSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The reply to one request, in API Gateway's form."""
    count("Requests")
    return reply_to(stage().routes, event, door())
