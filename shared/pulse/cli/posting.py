"""Posts many events to the interface, in batches, several at a time.

Every item must have its id, and an update of an interaction its `updated_at`. Then a batch can be
sent again if its reply was lost, and each event still counts once.
"""

import json
import random
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pulse.cli.api import HttpReply, UnreachableError, refusal
from pulse.cli.exits import FailedError

T = TypeVar("T")

MOST_ITEMS = 500
MOST_BYTES = 256 * 1024
AT_ONCE = 3
DELAYS = (0.5, 1, 2, 4, 8, 15, 30, 30)
"""The seconds between two tries of a batch; after the last one it fails."""

_LONGEST_DELAY = 60.0
_TRY_AGAIN = (429, 500, 502, 503, 504)

Send = Callable[[str, bytes], HttpReply]
"""Posts a body to a path. Called from several threads; raises UnreachableError."""


@dataclass(frozen=True)
class BatchRoute:
    """The path for batches of a kind of event, and the name of the list in their bodies."""

    path: str
    name: str

    def body(self, items: Iterable[bytes]) -> bytes:
        """The body of a batch with these items."""
        return b'{"%b":[%b]}' % (self.name.encode(), b",".join(items))


RESPONSES = BatchRoute("/v1/batch/responses", "responses")
INTERACTIONS = BatchRoute("/v1/interactions", "interactions")
SESSIONS = BatchRoute("/v1/agent-sessions", "sessions")

_ENVELOPE = max(len(route.body(())) for route in (RESPONSES, INTERACTIONS, SESSIONS))


@dataclass(frozen=True)
class Item(Generic[T]):
    """One event as JSON, with the caller's own reference to it."""

    body: bytes
    origin: T


def body_of(event: Mapping[str, Any]) -> str:
    """The JSON that posts `event`."""
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def item(event: Mapping[str, Any], origin: T) -> Item[T]:
    """The item that posts `event`."""
    return Item(body_of(event).encode(), origin)


@dataclass(frozen=True)
class Rejection(Generic[T]):
    """An event that the interface rejected, and why."""

    origin: T
    field: str
    code: str
    message: str


@dataclass(frozen=True)
class Posted(Generic[T]):
    """The result of one batch."""

    accepted: int
    rejected: tuple[Rejection[T], ...]


def post(
    route: BatchRoute,
    items: Iterable[Item[T]],
    send: Send,
    *,
    at_once: int = AT_ONCE,
    delays: Sequence[float] = DELAYS,
) -> Generator[Posted[T], None, None]:
    """Post all items, which are read as they are needed; yield the result of each batch, in order.

    Accepted items are stored. A batch that is throttled, or whose reply is lost, is sent again
    after each of `delays`. Raises FailedError after the last of them, and the error of `refusal`
    for a reply that another try would not change. If the generator is closed, it stops after the
    batches that are being sent.
    """
    stop = threading.Event()
    delivery = _Delivery(route, send, delays, stop)
    waiting: deque[Future[Posted[T]]] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="post") as pool:
        try:
            for batch in batches(items):
                waiting.append(pool.submit(delivery.deliver, batch))
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


@dataclass(frozen=True)
class _Delivery:
    """Sends batches to a route, until `stop` is set."""

    route: BatchRoute
    send: Send
    delays: Sequence[float]
    stop: threading.Event

    def deliver(self, batch: list[Item[T]]) -> Posted[T]:
        """Send a batch, or its halves if it is too large; return the result."""
        reply = self._insist(self.route.body(one.body for one in batch))
        if reply.status == 413 and len(batch) > 1:
            middle = len(batch) // 2
            first, second = self.deliver(batch[:middle]), self.deliver(batch[middle:])
            return Posted(first.accepted + second.accepted, first.rejected + second.rejected)
        if reply.status == 413:
            reason = "It is larger than a request may be."
            return Posted(0, (Rejection(batch[0].origin, "", "too_large", reason),))
        return _outcome(batch, reply)

    def _insist(self, body: bytes) -> HttpReply:
        """Send a body until there is a reply that another try would not change; return that."""
        for delay in self.delays:
            wished = 0.0
            try:
                reply = self.send(self.route.path, body)
                if reply.status not in _TRY_AGAIN:
                    return reply
                wished = _retry_after(reply)
            except UnreachableError:
                pass
            spread = random.uniform(0.8, 1.2)  # noqa: S311 # so that senders do not come back as one
            if self.stop.wait(max(delay * spread, wished)):
                raise FailedError("Stopped before everything was sent.")
        reply = self.send(self.route.path, body)
        if reply.status in _TRY_AGAIN:
            raise refusal(reply)
        return reply


def _outcome(batch: list[Item[T]], reply: HttpReply) -> Posted[T]:
    body = reply.json()
    if reply.status not in (202, 422) or not isinstance(body, dict) or "rejected" not in body:
        raise refusal(reply)
    rejected = tuple(
        Rejection(batch[r["index"]].origin, r.get("field") or "", r["code"], r["message"])
        for r in body["rejected"]
    )
    return Posted(len(batch) - len(rejected), rejected)


def _retry_after(reply: HttpReply) -> float:
    """The seconds of the reply's Retry-After, up to a limit."""
    wished = reply.headers.get("retry-after", "")
    return min(float(wished), _LONGEST_DELAY) if wished.isdigit() else 0.0
