"""A bound on how long a caller waits, whatever the clients below it do.

botocore's own time limits are per attempt: a service that answers nothing, or always 503, holds
a call for many times as long as they say.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from pulse.errors import UnavailableError

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T], advice: str) -> T:
    """What `work()` returns or raises. Raises UnavailableError with `advice` if that takes longer.

    Work that is late goes on in its thread and may still succeed. The thread is a daemon of its
    own: a pool could fill up with late work, and would hold the process at its end.
    """
    result: Future[T] = Future()
    Thread(target=_settle, args=(result, work), daemon=True).start()
    try:
        return result.result(timeout=seconds)
    except TimeoutError as error:
        if result.done():
            raise  # the work's own
        raise UnavailableError(
            "deadline_exceeded",
            f"It was not done within {seconds:g} s. {advice}",
        ) from error


def _settle(result: "Future[T]", work: Callable[[], T]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # handed to the waiting thread, which raises it
        result.set_exception(error)
