"""Calls from one process to another over a pipe: JSON, any number at once, in the order made.

moto's process calls (`CallingEnd`), the stack's answers (`AnsweringEnd`).
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from multiprocessing.connection import Connection
from typing import Any


class CallingEnd:
    """The end that asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._waiting: dict[int, Future[Any]] = {}
        self._numbers = itertools.count(1)

    def send(self, message: Any) -> None:
        with self._sending:
            self._connection.send_bytes(json.dumps(message).encode())

    def call(self, message: Any) -> Any:
        """What the other process answers to `message`."""
        number = next(self._numbers)
        answer: Future[Any] = Future()
        self._waiting[number] = answer
        self.send({"number": number, "message": message})
        return answer.result()

    def receive_answers(self) -> None:
        """Hands each answer to its caller; returns when the other process is gone."""
        while True:
            try:
                reply = json.loads(self._connection.recv_bytes())
            except (EOFError, OSError):
                return
            self._waiting.pop(reply["number"]).set_result(reply["answer"])


class AnsweringEnd:
    """The end that is asked.

    `answer` runs in the order of the calls; if it returns a Future, the reply is sent when that is
    done, and the calls behind it do not wait.
    """

    def __init__(self, connection: Connection, answer: Callable[[Any], Any]) -> None:
        self._connection = connection
        self._answer = answer
        self._sending = threading.Lock()

    def receive(self) -> Any:
        """The next message as it is. Raises EOFError when the other process is gone."""
        return json.loads(self._connection.recv_bytes())

    def serve(self) -> None:
        """Answers calls until the other process is gone."""
        while True:
            try:
                call = self.receive()
            except (EOFError, OSError):
                return
            answer = self._answer(call["message"])
            if isinstance(answer, Future):
                answer.add_done_callback(partial(self._reply_when_done, call["number"]))
            else:
                self._reply(call["number"], answer)

    def _reply_when_done(self, number: int, done: Future[Any]) -> None:
        self._reply(number, done.result())

    def _reply(self, number: int, answer: Any) -> None:
        reply = json.dumps({"number": number, "answer": answer}).encode()
        with self._sending:
            try:
                self._connection.send_bytes(reply)
            except OSError:
                return  # moto has ended: nobody waits any more
