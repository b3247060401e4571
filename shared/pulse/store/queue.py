"""SQS: the queue between ingest and write_raw, and the dead letters behind it.

A message that `send` has returned for is durable. `redrive` gives dead letters another chance;
it may send one twice but never loses one, which the lake's identities make harmless.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pulse.store.clients import client

MESSAGE_LIMIT = 1024 * 1024
"""Bytes that SQS takes in one message: body and attributes together."""

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_HIDDEN_S = 120  # long enough to send ten messages again, however slow that is
_WAIT_S = 1  # a long poll asks every server of the queue; a short one may miss messages


class Queue:
    """One queue to send to. `fail_fast` where a caller waits."""

    def __init__(self, url: str, *, fail_fast: bool = False) -> None:
        self.url = url
        self._fail_fast = fail_fast

    def send(self, body: str, attributes: Mapping[str, str]) -> None:
        """Store one message; it is durable when this returns."""
        client("sqs", fail_fast=self._fail_fast).send_message(
            QueueUrl=self.url,
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )


def depth(url: str) -> int:
    """About how many messages a queue holds: waiting, delayed or being worked on."""
    reply = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))
    return sum(int(reply["Attributes"][name]) for name in _COUNTS)


def redrive(dead_letter_url: str, queue_url: str) -> int:
    """Send every dead letter to the queue again, with its attributes; how many there were.

    Each is deleted only after it was sent. One that comes back while this runs stays where it is.
    """
    sent: set[str] = set()
    while letters := _receive(dead_letter_url):
        fresh = [letter for letter in letters if letter["MessageId"] not in sent]
        if not fresh:
            break
        for letter in fresh:
            sent.add(_move(letter, dead_letter_url, queue_url))
    return len(sent)


def look_through(url: str, look: Callable[[str], None]) -> None:
    """Let `look` see the body of every message of a queue that none is delivered from.

    Nothing changes, but whoever receives from the queue meanwhile may not find some of them.
    """

    def seen(body: str) -> str:
        look(body)
        return body

    mend(url, seen)


def mend(url: str, mended: Callable[[str], str | None]) -> None:
    """Let every message of a queue have the body that `mended` makes of its own; None: no message.

    Attributes stay. A changed message is sent before the old one is deleted: if this dies, both are
    there. The others are hidden for as long as this runs.
    """
    seen: set[str] = set()
    untouched: list[str] = []
    while letters := _receive(url):
        fresh = [letter for letter in letters if letter["MessageId"] not in seen]
        untouched += [again["ReceiptHandle"] for again in letters if again not in fresh]
        if not fresh:
            break
        for letter in fresh:
            seen.add(letter["MessageId"])
            body = mended(letter["Body"])
            if body == letter["Body"]:
                untouched.append(letter["ReceiptHandle"])
            elif body is None:
                _delete(letter, url)
            else:
                seen.add(_move({**letter, "Body": body}, url, url))
    for handle in untouched:
        client("sqs").change_message_visibility(
            QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0
        )


def _receive(url: str) -> list[dict[str, Any]]:
    reply = client("sqs").receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        VisibilityTimeout=_HIDDEN_S,
        WaitTimeSeconds=_WAIT_S,
    )
    letters: list[dict[str, Any]] = reply.get("Messages", [])
    return letters


def _move(letter: Mapping[str, Any], dead_letter_url: str, queue_url: str) -> str:
    """The id that the letter has in the queue; SQS keeps it if it becomes a dead letter again."""
    reply = client("sqs").send_message(
        QueueUrl=queue_url,
        MessageBody=letter["Body"],
        MessageAttributes=letter.get("MessageAttributes", {}),
    )
    _delete(letter, dead_letter_url)
    message_id: str = reply["MessageId"]
    return message_id


def _delete(letter: Mapping[str, Any], url: str) -> None:
    client("sqs").delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
