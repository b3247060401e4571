"""write_raw: stores a batch of the queue's messages as Parquet, and returns the ids that failed."""

from functools import cache
from typing import Any

from pulse.observe import count, logger, metrics
from pulse.raw.write import WriteRaw
from pulse.settings import WriteRawSettings


@cache
def stage() -> WriteRaw:
    """The stage, made at the first event."""
    return WriteRaw.from_settings(WriteRawSettings.from_environment())


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write the batch; SQS delivers the messages that are named in the result again."""
    count("Messages", len(event["Records"]))
    failed = stage().write(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
