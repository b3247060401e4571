"""Lambda's event source mapping for SQS: it passes batches of a queue's messages to a function.

Each mapping has one thread, which receives messages with the function's role, as on AWS. It does so
only while the function has room for another batch.

It differs from AWS in one thing: messages of a failed call are visible again after `RETRY_SECONDS`
instead of the queue's visibility timeout, so that nobody has to wait for minutes. They are made
visible with the account's own rights.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import Account
from local.deployment import Deployment, DeploymentError
from local.functions import Function

RETRY_SECONDS = 2
LARGEST_PAYLOAD = 6 * 1024 * 1024
POLL_SECONDS = 1
PAUSE_SECONDS = 0.1
DEFAULT_CONCURRENCY = 2

Record = dict[str, Any]


@dataclass(frozen=True)
class QueueMapping:
    """The mapping of a queue to a function in the template."""

    queue_arn: str
    queue_url: str
    function: str
    role_arn: str
    batch_size: int
    window: float
    """How many seconds a batch waits for more messages."""
    partial_failures: bool
    concurrency: int


def read_mappings(deployment: Deployment, account: Account) -> list[QueueMapping]:
    """Every enabled mapping.

    Raises DeploymentError for a source that is not SQS, and if the function's role may not receive
    from the queue, because then Lambda makes no mapping either.
    """
    by_name = {config.name: logical_id for logical_id, config in deployment.functions.items()}
    mappings = []
    for logical_id, resource in deployment.of_type("AWS::Lambda::EventSourceMapping").items():
        settings = resource.properties
        arn = settings["EventSourceArn"]
        if ":sqs:" not in arn:
            raise DeploymentError(f"{logical_id}: {arn} is not a queue, only queues are polled")
        if str(settings.get("Enabled", True)).lower() == "false":
            continue
        queue = account.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])
        scaling = settings.get("ScalingConfig") or {}
        function = by_name[settings["FunctionName"].split(":function:")[-1].split(":")[0]]
        role_arn = deployment.functions[function].role_arn
        _check_role(account.assume(role_arn, "mapping"), queue["QueueUrl"], logical_id)
        mappings.append(
            QueueMapping(
                queue_arn=arn,
                queue_url=queue["QueueUrl"],
                function=function,
                role_arn=role_arn,
                batch_size=int(settings.get("BatchSize", 10)),
                window=float(settings.get("MaximumBatchingWindowInSeconds") or 0),
                partial_failures="ReportBatchItemFailures"
                in (settings.get("FunctionResponseTypes") or ()),
                concurrency=int(scaling.get("MaximumConcurrency", DEFAULT_CONCURRENCY)),
            )
        )
    return mappings


def _check_role(role: Account, queue_url: str, mapping: str) -> None:
    try:
        role.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    except ClientError as error:
        raise DeploymentError(f"{mapping}: {error.response['Error']['Message']}") from error


class Poller:
    """Passes one queue's messages to one function until it is stopped."""

    def __init__(self, mapping: QueueMapping, function: Function, account: Account) -> None:
        self._mapping = mapping
        self._function = function
        self._queues = account.client("sqs")
        self._as_role = account.assume(mapping.role_arn, "poller").client("sqs")
        self._region = account.region
        room = min(mapping.concurrency, function.concurrency)
        self._room = threading.BoundedSemaphore(room)
        self._stopping = threading.Event()
        self._left_over: list[Record] = []
        self._thread = threading.Thread(target=self._poll, name="queue", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop receiving messages. A call that runs goes on."""
        self._stopping.set()

    def join(self) -> None:
        """Wait for the end of its thread, which is soon if moto has ended."""
        self._thread.join(timeout=5)

    def waiting(self) -> int:
        """How many messages are in the queue, including those that are being handled.

        It counts twice, because moto counts hidden messages after visible ones: a message that
        becomes visible in between is in neither number.
        """
        return max(self._count(), self._count())

    def _count(self) -> int:
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        found = self._queues.get_queue_attributes(
            QueueUrl=self._mapping.queue_url, AttributeNames=names
        )["Attributes"]
        return sum(int(found.get(name, 0)) for name in names)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._room.acquire()
            batch = self._next_batch()
            if not batch or self._stopping.is_set():
                self._room.release()
                continue
            try:
                call = self._function.submit({"Records": batch})
            except RuntimeError:  # the function was stopped in between
                return
            call.add_done_callback(partial(self._settle, batch))

    def _next_batch(self) -> list[Record]:
        try:
            return self._gather()
        except (ClientError, BotoCoreError):
            self._stopping.wait(POLL_SECONDS)  # moto failed or ends
            return []

    def _gather(self) -> list[Record]:
        """Receive messages until the batch is full, by number or bytes, or its window is over."""
        first = self._left_over or self._receive(self._mapping.batch_size, POLL_SECONDS)
        batch, self._left_over = _split(first, LARGEST_PAYLOAD)
        closes_at = time.monotonic() + self._mapping.window
        while batch and not self._left_over and not self._stopping.is_set():
            missing = self._mapping.batch_size - len(batch)
            remaining = closes_at - time.monotonic()
            if missing <= 0 or remaining <= 0:
                break
            fresh = self._receive(missing, POLL_SECONDS if remaining >= POLL_SECONDS else 0)
            if not fresh:
                self._stopping.wait(min(PAUSE_SECONDS, remaining))
            taken, self._left_over = _split(fresh, LARGEST_PAYLOAD - _size(batch))
            batch += taken
        return batch

    def _receive(self, most: int, wait: int) -> list[Record]:
        answer = self._as_role.receive_message(
            QueueUrl=self._mapping.queue_url,
            MaxNumberOfMessages=min(10, most),
            WaitTimeSeconds=wait,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [self._record(message) for message in answer.get("Messages", [])]

    def _record(self, message: Mapping[str, Any]) -> Record:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message.get("Attributes", {})),
            "messageAttributes": {
                name: _attribute(value)
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._mapping.queue_arn,
            "awsRegion": self._region,
        }

    def _settle(self, batch: list[Record], done: Future[Any]) -> None:
        """Delete the messages that were handled; make those that failed visible again soon."""
        try:
            if done.cancelled() or done.exception() is not None:
                failed = {record["messageId"] for record in batch}
            elif self._mapping.partial_failures:
                failed = failed_ids(done.result(), batch)
            else:
                failed = set()
            self._delete([r for r in batch if r["messageId"] not in failed])
            self._show_again([r for r in batch if r["messageId"] in failed])
        except (ClientError, BotoCoreError):
            pass  # moto has ended, and the messages with it
        finally:
            self._room.release()

    def _delete(self, records: list[Record]) -> None:
        for entries in _entries(records):
            self._as_role.delete_message_batch(QueueUrl=self._mapping.queue_url, Entries=entries)

    def _show_again(self, records: list[Record]) -> None:
        for entries in _entries(records):
            self._queues.change_message_visibility_batch(
                QueueUrl=self._mapping.queue_url,
                Entries=[entry | {"VisibilityTimeout": RETRY_SECONDS} for entry in entries],
            )


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """A message attribute in the form of Lambda's event."""
    attribute: dict[str, Any] = {"dataType": value["DataType"]}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute | {"stringListValues": [], "binaryListValues": []}


def _size(records: list[Record]) -> int:
    return sum(len(json.dumps(record)) for record in records)


def _split(records: list[Record], most_bytes: int) -> tuple[list[Record], list[Record]]:
    """The records that fit into a batch, and the rest. At least one always fits."""
    used = 0
    for position, record in enumerate(records):
        used += len(json.dumps(record))
        if used > most_bytes and (position or most_bytes < LARGEST_PAYLOAD):
            return records[:position], records[position:]
    return records, []


def failed_ids(result: Any, batch: list[Record]) -> set[str]:
    """The ids of the failed messages in a function's result with ReportBatchItemFailures.

    None, {} and an empty list mean that none failed; a result in another form that all failed.
    """
    everything = {record["messageId"] for record in batch}
    if not result:
        return set()
    try:
        failed = {failure["itemIdentifier"] for failure in result.get("batchItemFailures") or ()}
    except (AttributeError, KeyError, TypeError):
        return everything
    return failed if failed <= everything else everything


def _entries(records: list[Record]) -> Iterator[list[dict[str, Any]]]:
    """The entries of the records in batches of ten, the most that SQS accepts."""
    entries = [
        {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
        for number, record in enumerate(records)
    ]
    for start in range(0, len(entries), 10):
        yield entries[start : start + 10]
