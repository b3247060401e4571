"""The message that ingest sends to write_raw: one for each request.

Its body is ASCII, since SQS refuses some characters that a customer's comment may hold. The
caller's network address is not in the body but in an attribute of the message (ATTRIBUTE);
write_raw takes the country from it and stores no address.
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
    """One event after its checks.

    `values` has the fields that are present, by their names in pulse.streams: moments and durations
    in microseconds, decimals as text.
    """

    id: str
    """Its id in the reply."""
    values: Mapping[str, Any]
    """The item of the message."""
    warning: FieldError | None = None
    """What was left out of the event. The reply says so; the message does not hold it."""

    def __getitem__(self, name: str) -> Any:
        """The value of a field; None if it is absent."""
        return self.values.get(name)

    @classmethod
    def of(cls, id: str, values: Mapping[str, Any], warning: FieldError | None = None) -> Self:
        """The event with those of the values that are not None."""
        given = {name: value for name, value in values.items() if value is not None}
        return cls(id, given, warning)


class Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="v", tag=_READER):
    """The accepted items of one request, in their order.

    All were received at `received_us`. Item i counts as received i microseconds later, because of
    two items of one identity the one received last counts. In the body, `format` is the number of
    the format in which it was written, and `v` the lowest number whose readers can read it
    (formats.py).
    """

    stream: str
    tenant: str
    key_kind: str
    received_us: Annotated[int, msgspec.Meta(ge=0, lt=_YEAR_9999_US)]
    request_id: str
    items: tuple[Any, ...]
    """The events' values. write_raw checks each, since a body may hold anything there."""
    user_agent: str | None = None
    """The request's User-Agent header; only for publishable keys."""
    key_id: str | None = None
    """The id of the request's key, as `pulse key list` shows it. Older messages lack it."""
    country: str | None = None
    """The caller's country; only in messages that resend.py makes, which have no address."""
    format: int = 1

    def encode(self) -> str:
        """The message's body in the present format, in ASCII."""
        present = msgspec.structs.replace(self, format=formats.MESSAGE.number)
        return _ascii(msgspec.json.encode(present).decode())

    @staticmethod
    def decode(body: str) -> "Message":
        """Read a body. Members that this version does not know are left out.

        Raises NewerFormatError if only a newer version can read it, and ValueError with the reason
        if it is no message.
        """
        try:
            return _DECODER.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            _refuse_newer(body)
            raise ValueError(f"no message: {error}") from error


def with_items(body: str, items: Sequence[Any]) -> str:
    """A message's body with these items in place of its own, and everything else unchanged."""
    return _ascii(msgspec.json.encode(msgspec.json.decode(body) | {"items": items}).decode())


class _Version(msgspec.Struct):
    v: int


def _refuse_newer(body: str) -> None:
    """Raise NewerFormatError if a body says that only a newer version can read it."""
    with suppress(msgspec.DecodeError, RecursionError):
        if _VERSION_DECODER.decode(body).v > formats.MESSAGE.reader:
            raise NewerFormatError("the message is for a newer version of Pulse")


_DECODER = msgspec.json.Decoder(Message)
_VERSION_DECODER = msgspec.json.Decoder(_Version)

# json's own ensure_ascii also escapes DEL, which then has six times its length. This escapes only
# what is not ASCII, of which nothing grows to more than three times its length.
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def _ascii(text: str) -> str:
    return _NOT_ASCII.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found.group())[1:-1]
