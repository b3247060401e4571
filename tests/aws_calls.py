"""What a process asks of AWS, counted, and its death after any of these calls."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

AnyClient: Any = BaseClient  # its _make_api_call is where every call of every client passes


class Killed(BaseException):
    """The process ends here."""


class AwsCalls:
    """Counts the AWS calls of the code under test and ends it after one of them.

    Calls that the embedded Athena makes while it answers are not the code's, nor are those of
    threads that an earlier test has left behind, which may still try again. Once it has ended it
    makes no further call, whatever it would still like to tidy up.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        self.kill_after: int | None = None
        self._nested = threading.local()
        self._others: set[threading.Thread] = set()
        real = AnyClient._make_api_call

        def call(client: Any, operation: str, kwargs: dict[str, Any]) -> Any:
            if hasattr(self._nested, "call") or threading.current_thread() in self._others:
                return real(client, operation, kwargs)
            if len(self.made) == self.kill_after:
                raise Killed(operation)
            self._nested.call = operation
            try:
                return real(client, operation, kwargs)
            finally:
                del self._nested.call
                self.made.append(operation)
                if len(self.made) == self.kill_after:
                    raise Killed(operation)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def run(self, job: Callable[[], Any], kill_after: int | None = None) -> bool:
        """Run a job; True if it came to its end."""
        self.made, self.kill_after = [], kill_after
        self._others = set(threading.enumerate()) - {threading.current_thread()}
        try:
            job()
        except Killed:
            return False
        finally:
            self.kill_after = None
        return True
