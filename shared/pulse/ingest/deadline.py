"""Limits how long a caller waits, however long the clients of AWS take.

botocore's own time limits are for one attempt: if a service never answers, or always with 503, a
call takes many times as long.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from pulse.errors import UnavailableError

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T], advice: str) -> T:
    """Return or raise what `work()` does; raise UnavailableError with `advice` if it takes longer.

    Late work goes on in its thread and may still succeed. Each call has a daemon thread of its own,
    because a pool could fill with late work, and its threads would keep the process from ending.
    """
    result: Future[T] = Future()
    Thread(target=_settle, args=(result, work), daemon=True).start()
    try:
        return result.result(timeout=seconds)
    except TimeoutError as error:
        if result.done():
            raise  # the work itself raised it
        raise UnavailableError(
            "deadline_exceeded",
            f"It was not done within {seconds:g} s. {advice}",
        ) from error


def _settle(result: "Future[T]", work: Callable[[], T]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # the waiting thread raises it
        result.set_exception(error)
