"""build_daily: raw → daily. Schedules invoke it, or itself, or a person with a range of days."""

from datetime import date
from functools import cache
from typing import Any

from pulse.daily.build import BuildDaily
from pulse.observe import logger, metrics
from pulse.settings import BuildDailySettings


@cache
def stage() -> BuildDaily:
    """The stage, made at the first event."""
    return BuildDaily.from_settings(BuildDailySettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Build the days that have changed, or those from `start` to `end` of the event."""
    result = stage().run(
        _day(event, "start"),
        _day(event, "end"),
        remaining_s=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    return {"built": [day.isoformat() for day in result.built], "finished": result.finished}


def _day(event: dict[str, Any], name: str) -> date | None:
    return date.fromisoformat(event[name]) if event.get(name) else None
