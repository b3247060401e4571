"""housekeep: removes what builds have left behind, once a day."""

from functools import cache
from typing import Any

from pulse.housekeep import Housekeep
from pulse.observe import logger, metrics
from pulse.settings import BuildSettings


@cache
def stage() -> Housekeep:
    """The stage, made at the first event."""
    return Housekeep.from_settings(BuildSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Remove runs that nothing points at."""
    return {"removed": list(stage().run())}
