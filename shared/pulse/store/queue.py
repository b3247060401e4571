"""SQS: the queue between ingest and write_raw, and the dead-letter queue behind it.

`redrive` sends dead letters to the queue again. It never loses one, but may send one twice, which
is harmless because an event counts once by its identity.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pulse.store.clients import client

MESSAGE_LIMIT = 1024 * 1024
"""The most bytes of a message in SQS, body and attributes together."""

_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_HIDDEN_S = 120  # long enough to send ten messages again, however slow that is
_WAIT_S = 1  # a long poll asks all servers of the queue; a short one may miss messages


class Queue:
    """One queue to send to; `fail_fast` if a caller waits."""

    def __init__(self, url: str, *, fail_fast: bool = False) -> None:
        self.url = url
        self._fail_fast = fail_fast

    def send(self, body: str, attributes: Mapping[str, str]) -> None:
        """Send one message; when this returns, SQS has stored it."""
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
    """Send every dead letter to the queue again, with its attributes; return how many there were.

    Each is deleted after it was sent. One that becomes a dead letter again while this runs stays.
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
    """Call `look` with the body of every message of a queue that nothing polls.

    It changes nothing, but hides messages for some time from other receivers.
    """

    def seen(body: str) -> str:
        look(body)
        return body

    mend(url, seen)


def mend(url: str, mended: Callable[[str], str | None]) -> None:
    """Replace the body of every message of a queue by what `mended` returns; None deletes it.

    Attributes stay. A changed message is sent before the old one is deleted, so if this dies both
    are there. All messages are hidden from other receivers while this runs.
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
    """Send a dead letter to the queue and delete it; return its id in the queue.

    SQS keeps that id if the message becomes a dead letter again.
    """
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
