"""Batches from a queue are delivered to a function, and what happens to those that fail."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from local.aws import Account
from local.deployment import DeploymentError
from local.queues import failed_ids, read_mappings
from local.stack import Stack
from pulse.store import metrics
from tests.local.stack.conftest import Bucket, eventually


@pytest.fixture
def queue(stack: Stack, bucket: Bucket) -> str:
    url: str = stack.deployment.resources["Queue"]
    return url


def dead_letters(stack: Stack) -> list[str]:
    """The bodies of the dead letters, taken off their queue."""
    sqs, url = stack.client("sqs"), stack.deployment.resources["DeadLetters"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(message["Body"] for message in found)


def send(stack: Stack, queue: str, *bodies: str) -> None:
    for start in range(0, len(bodies), 10):
        entries = [
            {"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])
        ]
        stack.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)


def test_record_has_lambdas_form(stack: Stack, queue: str, bucket: Bucket) -> None:
    attributes: dict[str, Any] = {
        "text": {"DataType": "String", "StringValue": "ü"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    stack.client("sqs").send_message(
        QueueUrl=queue, MessageBody="hello", MessageAttributes=attributes
    )
    stack.wait_until_idle(10)
    [[record]] = bucket.read("batches")
    assert record["body"] == "hello"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(queue.rsplit("/", 1)[1])
    assert record["awsRegion"] == "eu-central-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"].isdigit()
    text, data = record["messageAttributes"]["text"], record["messageAttributes"]["bytes"]
    assert (text["dataType"], text["stringValue"]) == ("String", "ü")
    assert (data["dataType"], data["binaryValue"]) == ("Binary", "AP8=")


def test_messages_come_in_batches_of_at_most_the_size(
    stack: Stack, queue: str, bucket: Bucket
) -> None:
    send(stack, queue, *(str(n) for n in range(50)))
    stack.wait_until_idle(15)
    batches = bucket.read("batches")
    assert sorted(int(r["body"]) for batch in batches for r in batch) == list(range(50))
    assert max(len(batch) for batch in batches) == 20


def test_only_the_failed_messages_come_again_and_then_go_to_the_dead_letters(
    stack: Stack, queue: str, bucket: Bucket
) -> None:
    send(stack, queue, "good", "bad", "fine")
    stack.wait_until_idle(20)
    batches = [sorted(r["body"] for r in batch) for batch in bucket.read("batches")]
    assert sum(batch.count("good") for batch in batches) == 1
    assert sum(batch.count("fine") for batch in batches) == 1
    assert sum(batch.count("bad") for batch in batches) == 2  # maxReceiveCount
    assert dead_letters(stack) == ["bad"]


def test_an_error_fails_the_whole_batch(stack: Stack, queue: str, bucket: Bucket) -> None:
    send(stack, queue, "explode", "with it")

    def received(body: str) -> int:
        return sum(r["body"] == body for batch in bucket.read("batches") for r in batch)

    assert eventually(lambda: received("with it") == 2)
    assert received("explode") == 2
    stack.client("sqs").purge_queue(QueueUrl=queue)


def test_a_role_that_may_not_receive_gets_no_mapping(stack: Stack) -> None:
    functions = stack.deployment.functions
    as_echo = replace(functions["Worker"], role_arn=functions["Echo"].role_arn)
    deployment = replace(stack.deployment, functions={**functions, "Worker": as_echo})
    account = Account(
        "eu-central-1", endpoint_url=stack.endpoint_url, credentials=stack.admin_credentials
    )
    with pytest.raises(DeploymentError, match=r"WorkerMessages: .*GetQueueAttributes"):
        read_mappings(deployment, account)


BATCH = [{"messageId": "a"}, {"messageId": "b"}]


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (None, ""),
        ({}, ""),
        ({"batchItemFailures": []}, ""),
        ({"batchItemFailures": None}, ""),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, "b"),
        ({"batchItemFailures": [{"itemIdentifier": "no such message"}]}, "ab"),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, "ab"),
        ({"batchItemFailures": [{"messageId": "a"}]}, "ab"),
        ({"batchItemFailures": "a"}, "ab"),
        ("fine", "ab"),
    ],
)
def test_a_malformed_report_of_failures_means_that_all_failed(result: Any, failed: str) -> None:
    assert failed_ids(result, BATCH) == set(failed)


def test_a_queue_of_a_thousand_messages_stays_quick(stack: Stack) -> None:
    sqs = stack.client("sqs")
    url = sqs.create_queue(QueueName="long")["QueueUrl"]
    started = time.monotonic()
    send(stack, url, *(str(n) for n in range(1000)))
    taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    for message in taken:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])  # no error
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["ApproximateNumberOfMessages"] == "990"
    assert found["VisibilityTimeout"] == "30"
    assert time.monotonic() - started < 10  # moto alone: half a minute


def test_cloudwatch_knows_how_long_the_oldest_message_waits(stack: Stack) -> None:
    url = stack.deployment.resources["DeadLetters"]
    send(stack, url, "old")
    time.sleep(1.1)
    send(stack, url, "new")

    oldest = oldest_sent(stack, url)
    assert oldest is not None
    assert time.time() - oldest.timestamp() >= 1
    assert dead_letters(stack) == ["new", "old"]


def oldest_sent(stack: Stack, url: str) -> datetime | None:
    """What the command asks CloudWatch."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(metrics, "client", stack.client)
        return metrics.oldest_sent(url, datetime.now(UTC))
