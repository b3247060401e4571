"""What travels from ingest to write_raw: one message for one request.

The body is ASCII: SQS refuses some characters that a customer's comment may have. The caller's
address is not in it; it travels beside it, as an attribute (ATTRIBUTE), and ends in write_raw.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self

import msgspec

from pulse import days, formats
from pulse.errors import FieldError, NewerFormatError

ATTRIBUTE = "client_ip"

_READER = formats.MESSAGE.reader
_YEAR_9999_US = days.to_us(datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Event:
    """One event, checked, with what ingest knows of it besides.

    `values` are what is given, by the names of its stream's fields (pulse.streams): moments and
    durations in microseconds, decimals written out.
    """

    id: str
    """What the reply calls it."""
    values: Mapping[str, Any]
    """An item of a message."""
    warning: FieldError | None = None
    """What was left out of it; the reply says so, and it is not stored."""

    def __getitem__(self, name: str) -> Any:
        """The value of a field; None where it is not given."""
        return self.values.get(name)

    @classmethod
    def of(cls, id: str, values: Mapping[str, Any], warning: FieldError | None = None) -> Self:
        """The event with those of the values that are given: None is not."""
        given = {name: value for name, value in values.items() if value is not None}
        return cls(id, given, warning)


class Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="v", tag=_READER):
    """The good items of one request, in the order in which they stood there.

    All were received at `received_us`; as the last received wins, item i counts as received
    i microseconds later. In a body, `v` is the least number whose readers understand it, `format`
    the number of how it was written (formats.py).
    """

    stream: str
    tenant: str
    key_kind: str
    received_us: Annotated[int, msgspec.Meta(ge=0, lt=_YEAR_9999_US)]
    request_id: str
    items: tuple[Any, ...]
    """The events' values; what else a body may hold there is judged one by one."""
    user_agent: str | None = None
    """Of the request itself: known for publishable keys alone."""
    key_id: str | None = None
    """The id of the request's key, as `pulse key list` shows it. Older messages lack it."""
    country: str | None = None
    """The caller's, for what comes back from quarantine, where no address is known any more."""
    format: int = 1

    def encode(self) -> str:
        """The message's body in the present format, ASCII."""
        present = msgspec.structs.replace(self, format=formats.MESSAGE.number)
        return _ascii(msgspec.json.encode(present).decode())

    @staticmethod
    def decode(body: str) -> "Message":
        """The message that a body holds, without members that this version does not know.

        Raises NewerFormatError for one that only a newer version understands, ValueError saying
        why it holds none.
        """
        try:
            return _DECODER.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            _refuse_newer(body)
            raise ValueError(f"no message: {error}") from error


def with_items(body: str, items: Sequence[Any]) -> str:
    """A message's body with other items, and everything else as it was written."""
    return _ascii(msgspec.json.encode(msgspec.json.decode(body) | {"items": items}).decode())


class _Version(msgspec.Struct):
    v: int


def _refuse_newer(body: str) -> None:
    """Raise NewerFormatError if a body says that this version cannot understand it."""
    with suppress(msgspec.DecodeError, RecursionError):
        if _VERSION_DECODER.decode(body).v > formats.MESSAGE.reader:
            raise NewerFormatError("the message is for a newer version of Pulse")


_DECODER = msgspec.json.Decoder(Message)
_VERSION_DECODER = msgspec.json.Decoder(_Version)

# Only what has to be escaped is: json's own ensure_ascii also escapes DEL, which is ASCII and would
# grow to six times its length; nothing grows beyond three times.
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def _ascii(text: str) -> str:
    return _NOT_ASCII.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found.group())[1:-1]
