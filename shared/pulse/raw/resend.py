"""Sends lines of the quarantine to the queue again, with their own key, country, time and identity.

If they were sent through the API, they would be new responses, from another kind of key and another
place. So each line becomes a message with the envelope of its old message and its own time of
receipt. People who have been erased since stay erased, and a response that is sent twice counts
once.

A line is marked, sent and removed, in this order. A run that dies in between leaves marked lines,
which may or may not have been sent. The next run sends them again, and they count once.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Self

from pulse import days, lake
from pulse.errors import ConflictError, PulseError
from pulse.ingest.message import Message
from pulse.raw.quarantine import MARK, UNKNOWN_STREAM
from pulse.store.objects import Objects
from pulse.store.queue import Queue
from pulse.streams import STREAMS

FIELDS = frozenset().union(*(stream.in_message for stream in STREAMS.values()))
"""The members that an item of a message may have, in any stream."""
_IDS = tuple(stream.identity for stream in STREAMS.values())
_ID_DIGITS = 16
_AT_ONCE = 8
_TRIES = 5


class UnsendableError(PulseError):
    """The line cannot become a message; a person has to edit it first."""


@dataclass(frozen=True)
class QuarantineLine:
    """A line of an object under quarantine/."""

    key: str
    told: Mapping[str, Any]

    @classmethod
    def read(cls, key: str, text: str) -> Self:
        """The line with this text in the object `key`."""
        return cls(key, json.loads(text))

    @property
    def text(self) -> str:
        """The line as it stands in the object."""
        return json.dumps(self.told)

    @cached_property
    def id(self) -> str:
        """The line's id, by its content without the mark; equal lines have equal ids."""
        unmarked = {name: value for name, value in self.told.items() if name != MARK}
        return hashlib.sha256(json.dumps(unmarked).encode()).hexdigest()[:_ID_DIGITS]

    @property
    def marked(self) -> Self:
        """The line with the mark that it is being sent again."""
        return type(self)(self.key, {**self.told, MARK: days.iso(days.now_us())})

    @property
    def is_marked(self) -> bool:
        """Whether a run has begun to send it again."""
        return MARK in self.told

    @property
    def reason(self) -> str:
        """Why it was set aside."""
        return str(self.told["reason"])

    @property
    def envelope(self) -> Mapping[str, Any]:
        """The members of its message beside the items; empty if it was no message."""
        about = self.told.get("row", self.told.get("message"))
        return about if isinstance(about, Mapping) else {}

    @property
    def stream(self) -> str:
        """Its stream; of a message that could not be read, the stream that it names."""
        told = self.told["stream"] if "row" in self.told else self.envelope.get("stream")
        return told if isinstance(told, str) else UNKNOWN_STREAM

    @property
    def tenant(self) -> str | None:
        """Its tenant; None if it names none."""
        tenant = self.envelope.get("tenant")
        return tenant if isinstance(tenant, str) else None

    @property
    def items(self) -> list[Any]:
        """Its events, as far as they can be read."""
        if "row" in self.told:
            return [self.envelope.get("item")]
        items = self.envelope.get("items")
        return items if isinstance(items, list) else []

    @property
    def event_ids(self) -> list[str]:
        """The ids of its events."""
        given = [
            i[name] for i in self.items if isinstance(i, Mapping) for name in _IDS if name in i
        ]
        return [value for value in given if isinstance(value, str)]

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """The line with these values in each item. Raises UnsendableError if it has no items."""
        if not all(isinstance(item, Mapping) for item in self.items):
            raise UnsendableError("an item is no object")
        items = [{**item, **values} for item in self.items]
        return self._with_items(items) if values else self

    def _with_items(self, items: Sequence[Any]) -> Self:
        if "row" in self.told:
            return type(self)(self.key, {**self.told, "row": {**self.envelope, "item": items[0]}})
        return type(self)(self.key, {**self.told, "message": {**self.envelope, "items": items}})

    def body(self) -> str:
        """The message to send, as text. Raises UnsendableError if the line cannot become one."""
        try:
            if "row" in self.told:
                return self._message().encode()
            body = json.dumps(self.told["message"])
            Message.decode(body)
        except (KeyError, ValueError, TypeError, PulseError) as error:
            raise UnsendableError(str(error) or type(error).__name__) from error
        return body

    def _message(self) -> Message:
        row, (item,) = self.envelope, self.items
        if not isinstance(item, Mapping):
            raise UnsendableError("the item is no object")
        if not (self.tenant and isinstance(row["key_kind"], str)):
            raise UnsendableError("it names no tenant or no kind of key")
        own, country = row["key_kind"] == "publishable", row.get("country")
        if country and not own:
            item = {"country": country, **item}
        return Message(
            stream=self.stream,
            tenant=self.tenant,
            key_kind=row["key_kind"],
            received_us=days.parse_instant(self.told["received"]),
            request_id=f"resent {self.id}",
            items=(item,),
            user_agent=row.get("user_agent"),
            key_id=row.get("key_id"),
            country=country if own else None,
        )


@dataclass(frozen=True)
class LineFilter:
    """The conditions on lines; None is no condition."""

    tenant: str | None = None
    stream: str | None = None
    reason: str | None = None
    """Text that the reason contains."""
    day: date | None = None
    """The UTC day on which they were set aside."""

    def holds(self, line: QuarantineLine) -> bool:
        """Whether the line meets all conditions."""
        return (
            self.tenant in (None, line.tenant)
            and self.stream in (None, line.stream)
            and (self.reason or "") in line.reason
        )


@dataclass(frozen=True)
class Resent:
    """How many lines and events were sent; which lines could not be sent, and why."""

    lines: int
    events: int
    unsendable: tuple[tuple[QuarantineLine, str], ...]


@dataclass(frozen=True)
class Quarantine:
    """The quarantine of a lake, and the queue to which its lines can be sent."""

    objects: Objects
    queue: Queue

    def lines(self, wanted: LineFilter) -> Iterator[QuarantineLine]:
        """The wanted lines, by stream and in the order in which they were set aside."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for lines in pool.map(self._read, self._keys(wanted.day)):
                yield from filter(wanted.holds, lines)

    def resend(
        self,
        wanted: LineFilter,
        mend: Callable[[QuarantineLine], QuarantineLine | None],
        *,
        dry: bool = False,
    ) -> Resent:
        """Send the wanted lines, each as `mend` returns it; None leaves the line as it is.

        Lines that were sent are removed from the quarantine; write_raw may set them aside again.
        Lines that cannot be sent stay. A dry run changes nothing.
        """
        sent: list[QuarantineLine] = []
        unsendable: list[tuple[QuarantineLine, str]] = []
        for key in self._keys(wanted.day):
            bodies: dict[str, str] = {}
            for line in filter(wanted.holds, self._read(key)):
                try:
                    mended = mend(line)
                    if mended is not None:
                        bodies[line.id] = mended.body()
                        sent.append(mended)
                except UnsendableError as error:
                    unsendable.append((line, str(error)))
            if bodies and not dry:
                self._resend(key, bodies)
        return Resent(len(sent), sum(len(line.items) for line in sent), tuple(unsendable))

    def _resend(self, key: str, bodies: Mapping[str, str]) -> None:
        """Send messages made of an object's lines; `bodies` has them by the lines' ids.

        A line that is no longer there when it is to be marked was erased or sent by another run.
        """
        marked: set[str] = set()

        def mark(lines: list[QuarantineLine]) -> list[QuarantineLine]:
            marked.clear()
            marked.update(line.id for line in lines if line.id in bodies)
            return [line.marked if line.id in bodies else line for line in lines]

        self._change(key, mark)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda name: self.queue.send(bodies[name], {}), sorted(marked)))
        self._change(key, lambda lines: [line for line in lines if line.id not in marked])

    def _change(
        self, key: str, change: Callable[[list[QuarantineLine]], list[QuarantineLine]]
    ) -> None:
        """Replace an object's lines by what `change` returns; delete the object if that is []."""
        for _ in range(_TRIES):
            found = self.objects.look(key)
            if found is None:
                change([])
                return
            body, etag = found
            lines = change(_lines(key, body))
            if not lines:
                self.objects.delete([key])
                return
            new = "".join(f"{line.text}\n" for line in lines).encode()
            try:
                self.objects.replace(key, new, etag=etag)
            except ConflictError:  # an erasure, or another run
                continue
            return
        raise ConflictError(f"{key} keeps being changed by somebody else: run it again")

    def _keys(self, day: date | None) -> Iterable[str]:
        keys = self.objects.keys(lake.QUARANTINE)
        return keys if day is None else (key for key in keys if f"/dt={day}/" in key)

    def _read(self, key: str) -> list[QuarantineLine]:
        """The lines of an object; none if it is gone: another run sent or erased all of them."""
        found = self.objects.look(key)
        return _lines(key, found[0]) if found else []


def _lines(key: str, body: bytes) -> list[QuarantineLine]:
    return [QuarantineLine.read(key, text) for text in body.decode().splitlines()]
