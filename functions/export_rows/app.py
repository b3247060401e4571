"""export_rows: raw → the file of an export, invoked by the event of its order."""

from functools import cache
from typing import Any

from pulse.exports.write import ExportRows
from pulse.observe import count, logger, metrics
from pulse.settings import BuildSettings


@cache
def stage() -> ExportRows:
    """The stage, made at the first event."""
    return ExportRows.from_settings(BuildSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Make the file of the oldest open order of the tenant that the event names."""
    count("Orders")
    made = stage().run(
        event["detail"]["tenant"],
        worker=event["id"],  # the same when Lambda retries the event
        remaining_s=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    return {"state": made.state if made else "nothing to do"}
