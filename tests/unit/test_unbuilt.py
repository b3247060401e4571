"""When something counts as failing, and when it is tried again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pulse import days
from pulse.errors import AthenaError, BuildCheckError, PulseError
from pulse.unbuilt import Unbuilt

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
REFUSED = AthenaError("FAILED: overflow")


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with days.clock(lambda: NOON):
        yield


def failed(
    hours: float = 0,
    before: Unbuilt | None = None,
    error: PulseError = REFUSED,
    *,
    others_built: bool = False,
    of: object = 1,
) -> Unbuilt:
    with days.clock(lambda: NOON + timedelta(hours=hours)):
        return Unbuilt.failed(of, error, before=before, others_built=others_built)


def due(unbuilt: Unbuilt, hours: float, of: object = 1) -> bool:
    with days.clock(lambda: NOON + timedelta(hours=hours)):
        return unbuilt.is_due(of)


def test_what_fails_alone_while_others_are_built_is_failing_at_once() -> None:
    assert failed(others_built=True).failing
    assert not failed().failing
    assert not failed(error=BuildCheckError("5 of 4"), others_built=True).failing


@pytest.mark.parametrize("error", [REFUSED, BuildCheckError("5 of 4")])
def test_what_has_failed_by_itself_for_a_night_is_failing(error: PulseError) -> None:
    first = failed(error=error)
    second = failed(19.9, first, error)
    assert (second.tries, second.failing, second.since_us) == (2, False, first.since_us)
    assert failed(20, second, error).failing


def test_who_only_waited_has_not_failed() -> None:
    waiting = Unbuilt.waiting(1, "Athena is out of order")
    assert not failed(30, waiting).failing
    assert failed(30, waiting).tries == 1


def test_what_fails_goes_on_failing_until_it_is_built() -> None:
    assert failed(1, failed(others_built=True), of=2).failing


def test_what_fails_is_tried_ever_more_rarely_but_every_night() -> None:
    unbuilt = failed(others_built=True)
    waits = []
    for _ in range(8):
        waits.append(next(hour for hour in range(100) if due(unbuilt, hour)))
        unbuilt = failed(0, unbuilt)
    assert waits == [1, 2, 4, 8, 16, 20, 20, 20]
    assert not due(unbuilt, 0.9, of=2)
    assert due(unbuilt, 1, of=2)


def test_what_waits_is_tried_at_every_run() -> None:
    assert due(Unbuilt.waiting(1, "no time"), 0)
    assert due(failed(), 0)


def test_a_record_says_the_same_and_what_a_newer_release_adds_is_passed_over() -> None:
    unbuilt = failed(others_built=True)
    assert Unbuilt.of_record(unbuilt.record() | {"colour": "red"}) == unbuilt
    assert len(failed(error=AthenaError("x" * 10_000)).reason) == 500
