"""Counts calls of AWS, kills the process under test after one, or interleaves two processes."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import inf
from types import MappingProxyType
from typing import Any

import pytest
from botocore.client import BaseClient

AnyClient: Any = BaseClient  # its _make_api_call is where every call of every client passes
READING = ("Get", "Head", "List", "Query", "StartQueryExecution")
UNLOAD = "Unload"
Job = Callable[[], Any]


class Killed(BaseException):
    """The process ends here."""


class AwsCalls:
    """Counts the AWS calls of the code under test and ends it after one of them.

    Other calls do not count: those of the embedded Athena while it executes a statement, those of
    threads that an earlier test has left behind, and the test's own between two runs. After its end
    the code makes no further call, not even to clean up.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        self.kill_after: int | None = None
        self.after_each: Callable[[], None] | None = None
        """Called after each call, for a test that checks what the call has changed."""
        self._meanwhile: Mapping[int, Job] = {}
        self._lock = threading.Lock()
        self._nested = threading.local()
        self._others: set[threading.Thread] = set()
        self._running = False
        real = AnyClient._make_api_call

        def call(client: Any, operation: str, kwargs: dict[str, Any]) -> Any:
            if not self._counts():
                return real(client, operation, kwargs)
            if self._is_dead():
                raise Killed(operation)
            self._nested.call = operation
            try:
                return real(client, operation, kwargs)
            finally:
                self._note(name_of(operation, kwargs))
                del self._nested.call
                if self._is_dead():
                    raise Killed(operation)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def _counts(self) -> bool:
        known = self._running and not hasattr(self._nested, "call")
        return known and threading.current_thread() not in self._others

    def _note(self, name: str) -> None:
        with self._lock:
            self.made.append(name)
            if self.after_each:
                self.after_each()
            job = self._meanwhile.get(len(self.made))
        if job:  # without the lock: threads of its own may call, too
            job()

    @property
    def changing(self) -> list[int]:
        """Which calls of the last run may have changed something, by their numbers from 1."""
        return [number for number, call in enumerate(self.made, 1) if changes(call)]

    def _is_dead(self) -> bool:
        return self.kill_after is not None and len(self.made) >= self.kill_after

    def run(
        self,
        job: Job,
        kill_after: int | None = None,
        meanwhile: Mapping[int, Job] = MappingProxyType({}),
    ) -> bool:
        """Run a job; return whether it was completed.

        `meanwhile` has jobs that another process does just after a call, by the call's number.
        """
        self.made, self.kill_after, self._running = [], kill_after, True
        self._meanwhile = meanwhile
        self._others = set(threading.enumerate()) - {threading.current_thread()}
        try:
            job()
        except Killed:
            return False
        finally:
            self.kill_after, self._running = None, False
        return True


def name_of(operation: str, kwargs: Mapping[str, Any]) -> str:
    """The operation; an execution of Athena that writes into the lake is called UNLOAD."""
    if operation == "StartQueryExecution" and kwargs["QueryString"].startswith("UNLOAD"):
        return UNLOAD
    return operation


def changes(call: str) -> bool:
    """Whether a call of that name may change anything that another process sees."""
    return not call.startswith(READING)


class Turns:
    """Runs two jobs as two threads, of which one works at a time, in a given order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._turn = threading.Condition()
        self._legs: list[tuple[int, float]] = []
        """Which job works, now and next, and after how many changes its turn ends."""
        self._who = threading.local()
        real = AnyClient._make_api_call

        def call(client: Any, operation: str, kwargs: dict[str, Any]) -> Any:
            nested = getattr(self._who, "asking", False)
            if not hasattr(self._who, "name") or nested:
                return real(client, operation, kwargs)
            if changes(name_of(operation, kwargs)):
                self._wait_for_my_turn()
            self._who.asking = True
            try:
                return real(client, operation, kwargs)
            finally:
                self._who.asking = False

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def run(self, first: Job, n: int, second: Job, m: int, *, between: Job = lambda: None) -> None:
        """Let the first job make n changes, the second m; then let the first end, then the second.

        A job pauses just before a change, when it has read what it needs for it. `between` is
        called before the second job begins.
        """
        self._legs = [(0, n), (1, m), (0, inf), (1, inf)]
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(self._work, 0, first),
                pool.submit(self._work, 1, second, between),
            ]
            for job in jobs:
                job.result(timeout=60)

    def _work(self, who: int, job: Job, before: Job = lambda: None) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._legs[0][0] == who)
        try:
            before()
            self._who.name = who
            job()
        finally:
            with self._turn:
                self._legs = [leg for leg in self._legs if leg[0] != who]
                self._turn.notify_all()

    def _wait_for_my_turn(self) -> None:
        who = self._who.name
        with self._turn:
            if self._legs[0][1] == 0:
                self._legs.pop(0)
                self._turn.notify_all()
                self._turn.wait_for(lambda: self._legs[0][0] == who)
            name, left = self._legs[0]
            self._legs[0] = name, left - 1
