"""One of a thousand messages cannot be stored: it alone becomes a dead letter and can be redriven.

Through a queue of moto with the template's redrive policy, fed to the function as the embedded
stack's poller does it.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from functions.write_raw import app as write_raw
from local import queues, sqs
from local.aws import Account
from local.functions import Function
from pulse.ingest.message import ATTRIBUTE, Message
from pulse.raw.parquet import decode
from pulse.store.clients import client
from pulse.store.queue import depth
from pulse.streams import STREAMS
from tests.driver import CONTEXT, Driver
from tests.shell import Shell

pytestmark = pytest.mark.only_whole

NOON_US = 1_795_262_400_000_000
MESSAGES = 1_000
POISONED = 617
REGION = "eu-central-1"
GIVE_UP_S = 60


class InThisProcess:
    """write_raw where the poller expects a deployed function."""

    concurrency = 1

    def submit(self, event: dict[str, Any]) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(write_raw.handler(event, CONTEXT))
        return done


@contextmanager
def polling(driver: Driver) -> Iterator[None]:
    """Within the block the template's mapping is at work; at its end the queue is empty."""
    account = Account(REGION)
    (mapping,) = queues.read_mappings(driver.deployment, account)
    function = cast(Function, InThisProcess())
    poller = queues.Poller(replace(mapping, window=0.0), function, account)
    give_up = time.monotonic() + GIVE_UP_S
    yield
    while poller.waiting():
        assert time.monotonic() < give_up
        time.sleep(0.05)
    poller.stop()
    poller.join()


@contextmanager
def refusing(tenant: str) -> Iterator[None]:
    """Within the block DynamoDB does not show the tenant's record."""

    def refuse(request: Any, **_: Any) -> None:
        if tenant.encode() in request.body:
            raise ClientError({"Error": {"Code": "Refused", "Message": "by the test"}}, "GetItem")

    events = client("dynamodb").meta.events
    events.register_first("before-send.dynamodb.GetItem", refuse)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb.GetItem", refuse)


def message(number: int) -> Any:
    """An answer; the poisoned one is of a tenant whose record cannot be read."""
    item = {
        "survey": "email",
        "metric": "nps",
        "scale": "0-10",
        "response_id": f"r{number}",
        "answered_us": NOON_US,
        "score": number % 11,
        "channel": "external",
        "comment": "naïve 😀",
    }
    body = Message(
        stream="responses",
        tenant="globex" if number == POISONED else "acme",
        key_kind="publishable",
        received_us=NOON_US,
        request_id=str(number),
        items=(item,),
        user_agent="Lynx/2",
    ).encode()
    attributes = {ATTRIBUTE: {"DataType": "String", "StringValue": "203.0.113.7"}}
    return {"Id": str(number), "MessageBody": body, "MessageAttributes": attributes}


def stored(driver: Driver) -> Counter[str]:
    columns = STREAMS["responses"].columns
    found: Counter[str] = Counter()
    for key in driver.objects("raw/responses/"):
        found.update(map(str, decode(driver.read(key), columns)["response_id"].to_pylist()))
    return found


@pytest.mark.usefixtures("noon")
def test_one_bad_message_in_a_thousand_is_the_only_dead_letter_and_redrive_stores_it_once(
    driver: Driver,
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sqs.install()  # a thousand messages take moto alone half a minute
    monkeypatch.setattr(queues, "RETRY_SECONDS", 0)
    for tenant in ("acme", "globex"):
        driver.tenant(tenant)
    outputs = driver.deployment.outputs
    queue, dead = outputs["QueueUrl"], outputs["DeadLetterQueueUrl"]
    sent = [message(number) for number in range(MESSAGES)]
    with refusing("globex"), polling(driver):
        for start in range(0, MESSAGES, 10):
            client("sqs").send_message_batch(QueueUrl=queue, Entries=sent[start : start + 10])

    good = Counter(f"r{number}" for number in range(MESSAGES) if number != POISONED)
    assert stored(driver) == good
    assert not driver.objects("quarantine/")
    (letter,) = letters(dead)
    assert letter["Body"].encode() == sent[POISONED]["MessageBody"].encode()
    assert letter["MessageAttributes"] == sent[POISONED]["MessageAttributes"]
    assert counted("MessagesFailed", capsys.readouterr().out) == 5

    assert shell.json("redrive") == {"moved": 1}
    with polling(driver):
        pass
    assert stored(driver) == good + Counter([f"r{POISONED}"])
    assert shell.json("redrive") == {"moved": 0}
    assert depth(dead) == 0


def letters(url: str) -> Any:
    """The dead letters, which stay where they are."""
    return client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
    )["Messages"]


def counted(metric: str, printed: str) -> float:
    """What the functions have told CloudWatch of a metric."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith('{"_aws"')]
    return sum(sum(line.get(metric, [0])) for line in lines)
