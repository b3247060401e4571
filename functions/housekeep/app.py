"""housekeep: removes what is no longer needed, once a day; invokes itself to go on."""

from functools import cache
from typing import Any

from pulse.housekeep import Housekeep
from pulse.observe import logger, metrics
from pulse.settings import HousekeepSettings


@cache
def stage() -> Housekeep:
    """The stage, made at the first event."""
    return Housekeep.from_settings(HousekeepSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Remove objects that nothing points at, and data older than the retention."""
    result = stage().run(remaining_s=lambda: context.get_remaining_time_in_millis() / 1000)
    return {"removed": list(result.removed), "finished": result.finished}
