"""How long a caller waits at most."""

import threading
import time

import pytest

from pulse.errors import UnavailableError
from pulse.ingest.deadline import within


def test_work_in_time_gives_its_result() -> None:
    assert within(5, lambda: 7, "") == 7


def test_late_work_is_a_503_and_is_not_waited_for() -> None:
    release = threading.Event()
    began = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        within(0.05, release.wait, "Try again.")
    release.set()
    assert time.monotonic() - began < 1
    assert (caught.value.status, caught.value.code) == (503, "deadline_exceeded")
    assert "Retry-After" in caught.value.headers
    assert caught.value.detail == "It was not done within 0.05 s. Try again."


@pytest.mark.parametrize("error", [KeyError("x"), TimeoutError("the work's own")])
def test_an_error_of_the_work_is_raised_as_it_is(error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        within(5, fail, "")
    assert caught.value is error
