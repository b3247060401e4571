"""housekeep: removes what need not be kept, once a day, or woken by itself for the rest."""

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
    """Remove what nothing points at, and what is not to be kept any longer."""
    result = stage().run(remaining_s=lambda: context.get_remaining_time_in_millis() / 1000)
    return {"removed": list(result.removed), "finished": result.finished}
