"""ingest: API Gateway's requests to write events or to read a survey → answers."""

from functools import cache
from typing import Any

from pulse.http import Door, answer
from pulse.ingest.routes import Ingest
from pulse.observe import count, logger, metrics
from pulse.settings import IngestSettings


@cache
def stage() -> Ingest:
    """The stage, made at the first event."""
    return Ingest.from_settings(IngestSettings.from_environment())


@cache
def door() -> Door:
    """Whom it answers, read at the first request."""
    return Door.from_settings(IngestSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The answer to one request, in API Gateway's form."""
    count("Requests")
    return answer(stage().routes, event, door())
