"""ingest while the queue or the table fails or a key sends too much, and dead letters."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from functions.ingest import app
from pulse import days
from pulse.store.clients import client
from pulse.store.queue import depth, redrive
from pulse.store.tenants import Tenants
from pulse.tenants.keys import Key, sha256
from tests.ingest_events import SECRET, T0, changed, event, from_server, one, received, send

# -- outages


@contextmanager
def queue_says(answer: Callable[[Any], AWSResponse]) -> Iterator[None]:
    """Within the block, what SQS says to SendMessage; botocore's retries go on as they do."""

    def hook(request: Any, **_: object) -> AWSResponse:
        return answer(request)

    events = client("sqs", fail_fast=True).meta.events
    events.register_first("before-send.sqs.SendMessage", hook)
    try:
        yield
    finally:
        events.unregister("before-send.sqs.SendMessage", hook)


def test_a_queue_that_always_says_503_becomes_a_503_in_time(queue: str) -> None:
    send(event("publishable"))  # a warm function
    began = time.monotonic()
    with queue_says(lambda request: AWSResponse(request.url, 503, HTTPHeaders(), _Raw())):
        answer = send(event("publishable"))

    assert time.monotonic() - began < 4
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


class _Raw:
    """An empty body, as urllib3 gives one."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield b""


def test_a_503_says_what_may_be_sent_again_without_counting_twice(queue: str) -> None:
    def detail(sent: dict[str, Any]) -> str:
        with queue_says(lambda request: AWSResponse(request.url, 503, HTTPHeaders(), _Raw())):
            answer = send(sent)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        text: str = answer.json["detail"]
        return text

    for name in ("publishable", "batch"):
        told = detail(event(name))
        assert "response_id (or Idempotency-Key) and answered_at" in told
        assert "may have been stored" in told
    for name in ("interaction", "agent_sessions"):  # what identifies them is required
        sent = event(name)
        sent["headers"]["authorization"] = f"Bearer {SECRET}"
        assert detail(sent).endswith("Send the same request again.")


def test_a_table_that_refuses_is_a_503_not_a_500(
    queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_TABLE", "gone")
    app.stage.cache_clear()
    answer = send(event("publishable"))
    assert (answer.status, answer.json["code"]) == (503, "unavailable")


def test_a_queue_that_never_answers_becomes_a_503_after_3_s(queue: str) -> None:
    """A real socket accepts the connection and never replies."""
    send(event("publishable"))
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def wait(request: Any) -> AWSResponse:
            with socket.create_connection(silent.getsockname(), timeout=10) as connection:
                connection.recv(1)
            return AWSResponse(request.url, 200, HTTPHeaders(), _Raw())

        began = time.monotonic()
        with queue_says(wait):
            answer = send(event("publishable"))
        took = time.monotonic() - began

    assert (answer.status, answer.json["code"]) == (503, "deadline_exceeded")
    assert "what does not may then count twice" in answer.json["detail"]
    assert 2.9 < took < 3.5
    assert int(answer.headers["Retry-After"]) > 0


# -- limits


@pytest.fixture
def limits(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three writes a minute for a key, four for its tenant."""
    monkeypatch.setenv("PULSE_KEY_WRITES_PER_MINUTE", "3")
    monkeypatch.setenv("PULSE_TENANT_WRITES_PER_MINUTE", "4")
    app.stage.cache_clear()


@pytest.mark.usefixtures("limits")
def test_a_key_that_writes_too_much_waits_and_the_others_do_not(queue: str) -> None:
    assert [send(one()).status for _ in range(3)] == [202] * 3
    refused = send(one())
    assert (refused.status, refused.json["code"]) == (429, "key_limit")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "20"
    assert send(from_server()).status == 202
    refused = send(from_server())
    assert (refused.status, refused.json["code"]) == (429, "tenant_limit")
    Tenants("pulse").add_key(Key(sha256("pk_other"), "publishable", "other", 0))
    assert send(changed("publishable", authorization="Bearer pk_other")).status == 422
    assert depth(queue) == 4
    with days.clock(lambda: days.from_us(T0 + 20 * days.SECOND)):
        assert send(one()).status == 202


@pytest.mark.usefixtures("limits")
def test_a_flood_costs_neither_the_table_nor_the_queue_a_call(queue: str) -> None:
    for _ in range(3):
        send(one())
    asked: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        asked.append(event_name)

    for service in ("dynamodb", "sqs"):
        client(service, fail_fast=True).meta.events.register_first(f"before-send.{service}", note)
    try:
        for _ in range(50):
            assert send(one()).status == 429
    finally:
        for service in ("dynamodb", "sqs"):
            client(service, fail_fast=True).meta.events.unregister(f"before-send.{service}", note)
    assert asked == []


@pytest.mark.usefixtures("limits")
def test_a_question_may_be_shown_ten_times_as_often_as_it_is_answered(queue: str) -> None:
    assert [send(event("survey")).status for _ in range(31)] == [200] * 30 + [429]
    assert send(one()).status == 202  # showing it uses up nobody's answers


# -- dead letters


def test_redrive_moves_every_dead_letter_with_its_attributes(queue: str) -> None:
    dead: str = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    for n in range(12):
        client("sqs").send_message(
            QueueUrl=dead,
            MessageBody=str(n),
            MessageAttributes={"client_ip": {"DataType": "String", "StringValue": "203.0.113.7"}},
        )
    assert (depth(dead), depth(queue)) == (12, 0)

    assert redrive(dead, queue) == 12

    assert (depth(dead), depth(queue)) == (0, 12)
    again = received(queue) + received(queue)
    assert {m["Body"] for m in again} == {str(n) for n in range(12)}
    assert {m["MessageAttributes"]["client_ip"]["StringValue"] for m in again} == {"203.0.113.7"}


def test_a_redrive_that_fails_loses_no_letter(queue: str) -> None:
    dead: str = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    client("sqs").send_message(QueueUrl=dead, MessageBody="letter")
    with pytest.raises(Exception, match="does not exist"):
        redrive(dead, queue + "-gone")
    assert depth(dead) == 1


def test_a_letter_that_comes_back_during_a_redrive_does_not_go_round(queue: str) -> None:
    """The test's dead-letter queue is also the queue, so every letter comes back at once."""
    client("sqs").send_message(QueueUrl=queue, MessageBody="letter")
    assert redrive(queue, queue) == 1
    assert depth(queue) == 1
