"""Makes moto's SQS fast enough for thousands of messages.

It runs in moto's process. For each message that is sent, received or deleted, moto looks at every
message of the queue several times, with slow arithmetic of times: 3,000 messages were measured to
take three minutes to send. The replies stay the same; attributes that are not requested are no
longer computed.

Like SQS it also gives CloudWatch the age of each queue's oldest message.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudwatch.models import MetricDatum
from moto.core.common_models import CloudWatchMetricProvider
from moto.core.utils import camelcase_to_underscores, utcnow
from moto.sqs import models
from moto.sqs.exceptions import ReceiptHandleIsInvalid


class QueueAttributes(Mapping[str, Any]):
    """A queue's attributes. Each is computed when it is read, because some count all messages."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._names = set(queue.BASE_ATTRIBUTES)
        if queue.fifo_queue:
            self._names.update(queue.FIFO_ATTRIBUTES)
        if queue.kms_master_key_id:
            self._names.update(queue.KMS_ATTRIBUTES)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        value = getattr(self._queue, camelcase_to_underscores(name))
        if name == "RedrivePolicy" and value:
            return json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Ages(CloudWatchMetricProvider):
    """The metrics of queues; moto's CloudWatch calls every subclass of its provider."""

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[MetricDatum]:
        """The age of the oldest message of each queue, now."""
        found = models.sqs_backends[account_id][region].queues.values()
        return [
            MetricDatum(
                namespace="AWS/SQS",
                name="ApproximateAgeOfOldestMessage",
                value=_age_s(queue),
                dimensions=[{"Name": "QueueName", "Value": queue.name}],
                timestamp=utcnow(),
                unit="Seconds",
            )
            for queue in found
        ]


def _age_s(queue: models.Queue) -> int:
    with queue._messages_lock:
        sent = [message.sent_timestamp or 0 for message in queue._messages]
    return int(time.time() - min(sent) / 1000) if sent else 0


def install() -> None:
    """Change the SQS of this process's moto."""
    module: Any = models
    module.unix_time = time.time
    module.unix_time_millis = lambda: time.time() * 1000
    queues: Any = models.Queue
    queues.attributes = property(QueueAttributes)
    queues.delete_message = _delete_message


def _delete_message(queue: models.Queue, receipt_handle: str) -> None:
    """As moto's own, but it stops at the message; old ones, which go first, are in front."""
    if receipt_handle in queue.deleted_messages:
        return
    with queue._messages_lock:
        for position, message in enumerate(queue._messages):
            if message.had_receipt_handle(receipt_handle):
                del queue._messages[position]
                queue.pending_messages.discard(message)
                queue.deleted_messages.update(
                    handle for handle in message.all_receipt_handles if handle
                )
                return
    raise ReceiptHandleIsInvalid
