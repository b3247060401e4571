"""Calls from one process to another over a pipe.

moto's process calls (`CallingEnd`), the stack's replies (`AnsweringEnd`). Messages are JSON.
Calls go out in the order in which they are made, and any number of them may wait for a reply.
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
    """The end that makes calls and waits for their replies."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._waiting: dict[int, Future[Any]] = {}
        self._numbers = itertools.count(1)

    def send(self, message: Any) -> None:
        """Send one message that has no reply."""
        with self._sending:
            self._connection.send_bytes(json.dumps(message).encode())

    def call(self, message: Any) -> Any:
        """Send `message`; return the other process's reply to it."""
        number = next(self._numbers)
        answer: Future[Any] = Future()
        self._waiting[number] = answer
        self.send({"number": number, "message": message})
        return answer.result()

    def receive_answers(self) -> None:
        """Hand each reply to its caller; return when the other process has ended."""
        while True:
            try:
                reply = json.loads(self._connection.recv_bytes())
            except (EOFError, OSError):
                return
            self._waiting.pop(reply["number"]).set_result(reply["answer"])


class AnsweringEnd:
    """The end that receives calls and replies to them.

    `answer` is called with each message, in the order of the calls, and returns the reply. If it
    returns a Future, the reply is sent when that is done, and later calls do not wait for it.
    """

    def __init__(self, connection: Connection, answer: Callable[[Any], Any]) -> None:
        self._connection = connection
        self._answer = answer
        self._sending = threading.Lock()

    def receive(self) -> Any:
        """Return the next message, whether a call or not. Raises EOFError when there is no more."""
        return json.loads(self._connection.recv_bytes())

    def serve(self) -> None:
        """Reply to calls until the other process has ended."""
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
                return  # the other process has ended, so nobody waits for the reply
