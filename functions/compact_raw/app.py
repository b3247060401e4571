"""compact_raw: joins the many small objects of a past day, every night; invokes itself to go on."""

from functools import cache
from typing import Any

from pulse.observe import logger, metrics
from pulse.raw.compact import CompactRaw
from pulse.settings import CompactRawSettings


@cache
def stage() -> CompactRaw:
    """The stage, made at the first event."""
    return CompactRaw.from_settings(CompactRawSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Compact the days that are due."""
    result = stage().run(remaining_s=lambda: context.get_remaining_time_in_millis() / 1000)
    return {
        "compacted": [
            {"stream": stream, "day": day.isoformat()} for stream, day in result.compacted
        ],
        "finished": result.finished,
    }
