"""Many responses through POST /v1/batch/responses: in batches, several at once, until stored.

Every item must carry `response_id` and `answered_at`: then a batch may be sent again whenever its
answer was lost, and each response still counts once.
"""

import json
import random
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pulse.cli.api import Answer, UnreachableError, refusal
from pulse.cli.exits import FailedError

T = TypeVar("T")

PATH = "/v1/batch/responses"
MOST_ITEMS = 500
MOST_BYTES = 256 * 1024
AT_ONCE = 3
DELAYS = (0.5, 1, 2, 4, 8, 15, 30, 30)
"""Seconds between one try of a batch and the next; after the last one it is given up."""

_LONGEST_DELAY = 60.0
_TRY_AGAIN = (429, 500, 502, 503, 504)
_ENVELOPE = len(b'{"responses":[]}')

Send = Callable[[bytes], Answer]
"""Posts one batch's body. Called from several threads; raises UnreachableError."""


@dataclass(frozen=True)
class Item(Generic[T]):
    """One response as JSON, and whatever the caller knows it by."""

    body: bytes
    origin: T


def item(response: Mapping[str, Any], origin: T) -> Item[T]:
    """The item that posts `response`."""
    text = json.dumps(response, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Item(text.encode(), origin)


@dataclass(frozen=True)
class Rejection(Generic[T]):
    """A response that the interface did not take, and why."""

    origin: T
    field: str
    code: str
    message: str


@dataclass(frozen=True)
class Posted(Generic[T]):
    """What became of one batch."""

    accepted: int
    rejected: tuple[Rejection[T], ...]


def post(
    items: Iterable[Item[T]],
    send: Send,
    *,
    at_once: int = AT_ONCE,
    delays: Sequence[float] = DELAYS,
) -> Generator[Posted[T], None, None]:
    """Post all items, drawing them as they are needed; what became of each batch, in order.

    Accepted means durably stored. A batch that is throttled, or whose answer is lost, is sent
    again after each of `delays`. Raises FailedError when they are used up, and whatever
    `refusal` makes of an answer that another try would not change. Closing the generator stops
    it after the batches that are under way.
    """
    stop = threading.Event()
    waiting: deque[Future[Posted[T]]] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="post") as pool:
        try:
            for batch in batches(items):
                waiting.append(pool.submit(_deliver, batch, send, delays, stop))
                if len(waiting) > at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            stop.set()
            for future in waiting:
                future.cancel()


def batches(items: Iterable[Item[T]]) -> Iterator[list[Item[T]]]:
    """The items in order, cut so that each batch is one that the interface accepts."""
    batch: list[Item[T]] = []
    size = _ENVELOPE
    for one in items:
        added = len(one.body) + 1
        if batch and (len(batch) == MOST_ITEMS or size + added > MOST_BYTES):
            yield batch
            batch, size = [], _ENVELOPE
        batch.append(one)
        size += added
    if batch:
        yield batch


def _deliver(
    batch: list[Item[T]], send: Send, delays: Sequence[float], stop: threading.Event
) -> Posted[T]:
    body = b'{"responses":[' + b",".join(one.body for one in batch) + b"]}"
    answer = _insist(body, send, delays, stop)
    if answer.status == 413 and len(batch) > 1:
        middle = len(batch) // 2
        first = _deliver(batch[:middle], send, delays, stop)
        second = _deliver(batch[middle:], send, delays, stop)
        return Posted(first.accepted + second.accepted, first.rejected + second.rejected)
    if answer.status == 413:
        reason = "The response is larger than a request may be."
        return Posted(0, (Rejection(batch[0].origin, "", "too_large", reason),))
    return _outcome(batch, answer)


def _outcome(batch: list[Item[T]], answer: Answer) -> Posted[T]:
    body = answer.json()
    if answer.status not in (202, 422) or not isinstance(body, dict) or "rejected" not in body:
        raise refusal(answer)
    rejected = tuple(
        Rejection(batch[r["index"]].origin, r.get("field") or "", r["code"], r["message"])
        for r in body["rejected"]
    )
    return Posted(len(batch) - len(rejected), rejected)


def _insist(body: bytes, send: Send, delays: Sequence[float], stop: threading.Event) -> Answer:
    """Send until there is an answer that another try would not change."""
    for delay in delays:
        wished = 0.0
        try:
            answer = send(body)
            if answer.status not in _TRY_AGAIN:
                return answer
            wished = _retry_after(answer)
        except UnreachableError:
            pass
        spread = random.uniform(0.8, 1.2)  # noqa: S311 # so that senders do not come back as one
        if stop.wait(max(delay * spread, wished)):
            raise FailedError("Stopped before everything was sent.")
    answer = send(body)
    if answer.status in _TRY_AGAIN:
        raise refusal(answer)
    return answer


def _retry_after(answer: Answer) -> float:
    """The seconds that the interface asks to wait, within reason."""
    wished = answer.headers.get("retry-after", "")
    return min(float(wished), _LONGEST_DELAY) if wished.isdigit() else 0.0
