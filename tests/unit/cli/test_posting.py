"""Batches are cut to the API's limits, sent until stored, and divided where they are refused."""

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.cli.api import HttpReply, UnreachableError
from pulse.cli.exits import FailedError, NotAllowedError, WrongUseError
from pulse.cli.posting import (
    INTERACTIONS,
    MOST_BYTES,
    MOST_ITEMS,
    RESPONSES,
    SESSIONS,
    BatchRoute,
    Item,
    Posted,
    batches,
    item,
    post,
)

SOON = (0.0, 0.0, 0.0)


def answer(status: int, body: Any = None, **headers: str) -> HttpReply:
    return HttpReply(status, json.dumps(body).encode(), headers)


class Interface:
    """Takes batches as ingest does; `faults` are what its first answers are instead."""

    def __init__(self, *faults: HttpReply | Exception, route: BatchRoute = RESPONSES) -> None:
        self.faults = list(faults)
        self.route = route
        self.stored: list[Any] = []
        self.calls = 0
        self._lock = threading.Lock()

    def __call__(self, path: str, body: bytes) -> HttpReply:
        assert path == self.route.path
        with self._lock:
            self.calls += 1
            if self.faults:
                fault = self.faults.pop(0)
                if isinstance(fault, Exception):
                    raise fault
                return fault
            return self._take(json.loads(body)[self.route.name])

    def _take(self, items: list[Any]) -> HttpReply:
        bad = [i for i, one in enumerate(items) if one["score"] > 10]
        self.stored += [one["score"] for i, one in enumerate(items) if i not in bad]
        rejected = [
            {"index": i, "field": "score", "code": "score_out_of_range", "message": "No."}
            for i in bad
        ]
        status = 202 if len(bad) < len(items) else 422
        return answer(status, {"accepted": len(items) - len(bad), "rejected": rejected})


def send_all(scores: list[int], interface: Interface) -> list[Posted[int]]:
    items = [item({"score": score}, score) for score in scores]
    return list(post(interface.route, items, interface, delays=SOON))


def test_everything_is_stored_once_and_counted() -> None:
    interface = Interface()
    results = send_all([n % 11 for n in range(1201)], interface)
    assert sorted(interface.stored) == sorted(n % 11 for n in range(1201))
    assert [result.accepted for result in results] == [500, 500, 201]


@pytest.mark.parametrize("route", [INTERACTIONS, SESSIONS], ids=lambda route: route.name)
def test_each_kind_has_its_route(route: BatchRoute) -> None:
    interface = Interface(route=route)
    (result,) = send_all([1, 11, 2], interface)
    assert (result.accepted, sorted(interface.stored)) == (2, [1, 2])


def test_rejected_items_come_back_with_their_origin() -> None:
    (result,) = send_all([1, 11, 2, 12], Interface())
    assert result.accepted == 2
    assert [(r.origin, r.field, r.code) for r in result.rejected] == [
        (11, "score", "score_out_of_range"),
        (12, "score", "score_out_of_range"),
    ]


def test_a_batch_of_rejected_items_alone_is_no_failure() -> None:
    (result,) = send_all([11], Interface())
    assert (result.accepted, len(result.rejected)) == (0, 1)


@pytest.mark.parametrize(
    "fault",
    [
        answer(429, {"message": "Too Many Requests"}),
        answer(503, {"detail": "later"}, **{"retry-after": "0"}),
        answer(500, {"message": "Internal Server Error"}),
        UnreachableError("connection refused"),
    ],
    ids=["throttled", "unavailable", "broken", "unreachable"],
)
def test_what_may_pass_is_tried_again(fault: HttpReply | Exception) -> None:
    interface = Interface(fault, fault, fault)
    (result,) = send_all([7], interface)
    assert (result.accepted, interface.stored, interface.calls) == (1, [7], 4)


@pytest.mark.parametrize(
    ("status", "wished", "waited"), [(429, "7", 7), (503, "7", 7), (429, "600", 60)]
)
def test_who_is_told_how_long_to_wait_waits_so_long_within_reason(
    status: int, wished: str, waited: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    class Impatient(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return self.is_set()

    monkeypatch.setattr("pulse.cli.posting.threading", SimpleNamespace(Event=Impatient))
    send_all([7], Interface(answer(status, {}, **{"retry-after": wished})))
    assert waits == [waited]


def test_after_the_last_try_it_is_given_up_with_the_reason() -> None:
    interface = Interface(*[answer(503, {"detail": "The queue is away."})] * 4)
    with pytest.raises(FailedError, match=r"503: The queue is away"):
        send_all([7], interface)
    assert interface.calls == 4


def test_an_interface_that_never_answers_is_given_up() -> None:
    interface = Interface(*[UnreachableError("http://x does not answer.")] * 4)
    with pytest.raises(UnreachableError):
        send_all([7], interface)


@pytest.mark.parametrize(
    ("status", "error"), [(401, NotAllowedError), (403, NotAllowedError), (400, WrongUseError)]
)
def test_what_another_try_would_not_change_ends_it_at_once(
    status: int, error: type[Exception]
) -> None:
    interface = Interface(answer(status, {"detail": "No.", "code": "x"}))
    with pytest.raises(error, match=r"No\."):
        send_all([7], interface)
    assert interface.calls == 1


def test_a_batch_that_is_too_large_goes_in_halves() -> None:
    interface = Interface(answer(413, {"detail": "Too large."}))
    (result,) = send_all([1, 2, 11, 3], interface)
    assert sorted(interface.stored) == [1, 2, 3]
    assert (result.accepted, [r.origin for r in result.rejected]) == (3, [11])


def test_an_item_that_is_too_large_alone_is_rejected() -> None:
    (result,) = send_all([1], Interface(answer(413, {"detail": "Too large."})))
    assert (result.accepted, [r.code for r in result.rejected]) == (0, ["too_large"])


def test_closing_it_stops_after_what_is_under_way() -> None:
    interface = Interface()
    drawn = 0

    def endless() -> Any:
        nonlocal drawn
        while True:
            drawn += 1
            yield item({"score": 1}, drawn)

    results = post(RESPONSES, endless(), interface, at_once=2, delays=SOON)
    next(results)
    results.close()
    assert drawn <= 4 * MOST_ITEMS
    assert interface.calls <= 4


def test_no_more_than_a_few_batches_are_in_memory() -> None:
    drawn: list[int] = []
    items = (drawn.append(n) or item({"score": 1}, n) for n in range(10 * MOST_ITEMS))  # type: ignore[func-returns-value]
    results = post(RESPONSES, items, Interface(), at_once=2, delays=SOON)
    next(results)
    assert len(drawn) <= 4 * MOST_ITEMS
    results.close()


@given(st.lists(st.integers(1, MOST_BYTES // 3), max_size=40), st.integers(0, 1200))
def test_batches_keep_the_order_and_both_limits(sizes: list[int], small: int) -> None:
    items = [Item(b"x" * size, n) for n, size in enumerate([*sizes, *[2] * small])]
    cut = list(batches(items))
    assert [one for batch in cut for one in batch] == items
    for batch in cut:
        assert 1 <= len(batch) <= MOST_ITEMS
        for route in (RESPONSES, INTERACTIONS, SESSIONS):
            assert len(route.body(one.body for one in batch)) <= MOST_BYTES
