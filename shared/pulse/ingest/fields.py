"""Reads single fields of an item: each function returns the value as it is stored.

Each raises RejectedError, with a stable code and the field's name, for a value that cannot be
taken. A null and an empty text count as absent, because forms and CSV files send them for questions
that were skipped. Names are stored in one form (pulse.texts), however they were typed; a name of
blanks alone counts as absent.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, TypeVar

from pulse import days
from pulse.errors import FieldError, PulseError
from pulse.ingest.body import WrittenFloat
from pulse.lake import RESERVED
from pulse.streams.fields import NAME_LIMIT, Field, Kind, Sent
from pulse.texts import tidy

ID_PATTERN = "[A-Za-z0-9._:-]{1,64}"
"""The form of a response_id, as a regular expression."""
MOST_COUNTED = 2**31 - 1
"""The largest count: the table's columns of whole numbers have 32 bits."""
TAGS_LIMIT = 20
TAG_KEY_LIMIT = 64
TAG_VALUE_LIMIT = 128

_ID = re.compile(ID_PATTERN)
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_BRACKETED = re.compile(r"\[([^\]]*)\](?::\d+)?", re.ASCII)
_WITH_PORT = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d+", re.ASCII)
_ADDRESSES_LIMIT = 1_000

Value = TypeVar("Value")


class RejectedError(PulseError):
    """One item is rejected; ingest lists it in the reply and takes the others."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = FieldError(field, code, message)


@contextmanager
def as_members_of(field: str) -> Iterator[None]:
    """Within the block a RejectedError names its field as a member of `field`."""
    try:
        yield
    except RejectedError as error:
        fault = error.fault
        raise RejectedError(f"{field}.{fault.field}", fault.code, fault.message) from error


def check_names(given: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise RejectedError if the item has a field that is not among the known ones."""
    for name in given:
        if name not in known:
            raise RejectedError(name[:64], "unknown_field", "There is no field of this name.")


def is_id(text: str) -> bool:
    """Whether the text has the form of a response_id."""
    return _ID.fullmatch(text) is not None


def value_of(given: Mapping[str, Any], field: str) -> Any:
    """The value of a field; None if it is absent."""
    value = given.get(field)
    return None if value == "" else value


def required(field: str, value: Value | None) -> Value:
    """The value of a required field. Raises RejectedError if it is None."""
    if value is None:
        raise RejectedError(field, f"{field}_missing", f"{field} is required.")
    return value


def text(given: Mapping[str, Any], field: str, limit: int | None = NAME_LIMIT) -> str | None:
    """An optional text, as it was sent, of at most `limit` characters (None: of any length)."""
    value = value_of(given, field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RejectedError(field, "not_text", f"{field} must be a text.")
    if limit is not None and len(value) > limit:
        raise RejectedError(
            field, "text_too_long", f"{field} has {len(value)} characters; at most {limit}."
        )
    return value


def name(given: Mapping[str, Any], field: str, limit: int | None = NAME_LIMIT) -> str | None:
    """An optional name of at most `limit` characters, in the form in which names are stored."""
    value = given.get(field)
    return text({field: tidy(value)} if isinstance(value, str) else given, field, limit)


def named(given: Mapping[str, Any], field: str, limit: int | None = NAME_LIMIT) -> str | None:
    """An optional id of at most `limit` characters; a JSON number counts as its digits."""
    return name(_with_id_as_text(given, field), field, limit)


def as_sent(given: Mapping[str, Any], field: str) -> str | None:
    """An id's text exactly as it was sent, since it may be signed; None if the value is no text."""
    value = _with_id_as_text(given, field).get(field)
    return value if isinstance(value, str) else None


def _with_id_as_text(given: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = given.get(field)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {field: _written(value)}
    return given


def _check_reserved(field: str, value: str | None) -> None:
    if value in RESERVED:
        raise RejectedError(
            field, "reserved_text", f'{field} must not be "{value}": leave it out instead.'
        )


def identifier(given: Mapping[str, Any], field: str) -> str | None:
    """An optional id of the form ID_PATTERN; a JSON number counts as its digits."""
    value = value_of(_with_id_as_text(given, field), field)
    if value is None:
        return None
    if not isinstance(value, str) or not is_id(value):
        raise RejectedError(
            field, f"{field}_invalid", f"{field} must be 1 to 64 characters of A-Za-z0-9._:-"
        )
    return value


def whole_number(given: Mapping[str, Any], field: str) -> int:
    """A required whole number. JSON has one kind of number, so 4.0 is 4; 4.5 is rejected."""
    if field not in given:
        raise RejectedError(field, f"{field}_missing", f"{field} is required.")
    value = given[field]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if type(value) is not int:  # True is an instance of int, but no number
        raise RejectedError(field, f"{field}_not_whole_number", f"{field} must be a whole number.")
    return value


def optional_whole_number(given: Mapping[str, Any], field: str) -> int | None:
    """An optional whole number."""
    return None if value_of(given, field) is None else whole_number(given, field)


def count(given: Mapping[str, Any], field: str) -> int | None:
    """An optional whole number from 0 to MOST_COUNTED."""
    number = optional_whole_number(given, field)
    if number is None:
        return None
    if not 0 <= number <= MOST_COUNTED:
        raise _out_of_range(field, 0, MOST_COUNTED)
    return number


def boolean(given: Mapping[str, Any], field: str) -> bool | None:
    """An optional true or false."""
    value = value_of(given, field)
    if not isinstance(value, bool | None):
        raise RejectedError(field, f"{field}_not_boolean", f"{field} must be true or false.")
    return value


def decimal(
    given: Mapping[str, Any], field: str, low: int | Decimal, high: int | Decimal, places: int = 4
) -> Decimal | None:
    """An optional number from `low` to `high`, exact, with at most `places` decimals.

    It may be sent as a JSON number or as text. More decimals are rejected and never rounded; zeros
    at the end do not count.
    """
    value = value_of(given, field)
    if value is None:
        return None
    written = _written(value)
    if written is None or not _NUMBER.fullmatch(written):
        raise RejectedError(
            field, f"{field}_not_number", f"{field} must be a number, or its text such as 12.50."
        )
    try:
        number = _EXACT.quantize(Decimal(written), Decimal(1).scaleb(-places))
    except Inexact as error:
        raise RejectedError(
            field, f"{field}_too_precise", f"{field} may have at most {places} decimals."
        ) from error
    except InvalidOperation as error:  # it has more digits than any column
        raise _out_of_range(field, low, high) from error
    if not low <= number <= high:
        raise _out_of_range(field, low, high)
    return _EXACT.plus(number)  # plus turns a negative zero into zero


_EXACT = Context(prec=18, traps=[Inexact, InvalidOperation])


def _written(value: object) -> str | None:
    """The digits of a number, or of a text that holds one; None for anything else."""
    if isinstance(value, WrittenFloat):
        return value.written
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return value if isinstance(value, str) else None


def _out_of_range(field: str, low: object, high: object) -> RejectedError:
    return RejectedError(
        field, f"{field}_out_of_range", f"{field} must lie within {low} and {high}."
    )


def day(given: Mapping[str, Any], field: str, first: date, last: date) -> date:
    """A required day from `first` to `last`."""
    value = required(field, value_of(given, field))
    try:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValueError(value)
        found = date.fromisoformat(value)
    except ValueError as error:
        raise RejectedError(
            field, f"{field}_invalid", f"{field} must be a day such as 2026-11-20."
        ) from error
    if found > last:
        raise in_future(field)
    if found < first:
        raise too_old(field, first)
    return found


def in_future(field: str) -> RejectedError:
    """The error for a time in the future."""
    return RejectedError(field, f"{field}_in_future", f"{field} lies in the future.")


def too_old(field: str, first: date) -> RejectedError:
    """The error for a time before `first`, the first day that is kept."""
    return RejectedError(field, f"{field}_too_old", f"{field} may lie back to {first}.")


def bare_day(given: Mapping[str, Any], field: str) -> date | None:
    """The day of a time that is given as a day alone (YYYY-MM-DD); None for any other value."""
    value = value_of(given, field)
    if not isinstance(value, str) or value.startswith("0001-") or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def instant(given: Mapping[str, Any], field: str) -> int | None:
    """An optional RFC 3339 time with an offset, as microseconds since 1970 (UTC).

    Times in the year 1 are rejected as invalid, not as too old: programs send them for a time that
    was never set.
    """
    value = value_of(given, field)
    if value is None:
        return None
    try:
        if not isinstance(value, str) or value.startswith("0001-"):
            raise ValueError(value)
        return days.parse_instant(value)
    except ValueError as error:
        raise RejectedError(
            field,
            f"{field}_invalid",
            f"{field} must be an RFC 3339 time with an offset, such as 2026-11-20T14:03:00+01:00, "
            "or a day such as 2026-11-20.",
        ) from error


def tags(given: Mapping[str, Any]) -> dict[str, str] | None:
    """The optional map of tags; an empty one counts as absent."""
    value = value_of(given, "tags")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise RejectedError("tags", "tags_not_map", "tags must be an object of texts.")
    if len(value) > TAGS_LIMIT:
        raise RejectedError(
            "tags", "tags_too_many", f"There are {len(value)} tags; at most {TAGS_LIMIT}."
        )
    for name, tag in value.items():
        _check_tag(name, tag)
    return value or None


def _check_tag(name: str, tag: object) -> None:
    if not 1 <= len(name) <= TAG_KEY_LIMIT:
        raise RejectedError(
            "tags", "tag_key_invalid", f"A tag's key must have 1 to {TAG_KEY_LIMIT} characters."
        )
    if not isinstance(tag, str):
        raise RejectedError(f"tags.{name}", "not_text", "A tag's value must be a text.")
    if len(tag) > TAG_VALUE_LIMIT:
        raise RejectedError(
            f"tags.{name}",
            "text_too_long",
            f"A tag's value may have at most {TAG_VALUE_LIMIT} characters.",
        )


def country(given: Mapping[str, Any]) -> str | None:
    """An optional country of two letters (the form of ISO 3166 alpha-2), in upper case."""
    value = value_of(given, "country")
    if value is None:
        return None
    if not isinstance(value, str) or not _COUNTRY.fullmatch(value):
        raise RejectedError(
            "country", "country_invalid", "country must be an ISO 3166 code of two letters."
        )
    return value.upper()


def ip(given: Mapping[str, Any]) -> str | None:
    """The first IPv4 or IPv6 address in an optional text; None if it holds none.

    Proxies write several addresses (`X-Forwarded-For`), ports, or something else altogether. A
    response is not rejected for that: the address only gives its country.
    """
    value = value_of(given, "ip")
    if not isinstance(value, str):
        return None
    for part in value[:_ADDRESSES_LIMIT].split(","):
        written = part.strip()
        bracketed = _BRACKETED.fullmatch(written) or _WITH_PORT.fullmatch(written)
        address = bracketed[1] if bracketed else written
        with suppress(ValueError):
            # a zone means nothing outside the sender's machine
            ipaddress.ip_address(address.partition("%")[0])
            return address.partition("%")[0]
    return None


# -- what a declaration asks for

_TEXTS: Mapping[Kind, Callable[[Mapping[str, Any], str, int], str | None]] = {
    "text": text,
    "name": name,
    "id": named,
    "word": name,
}
_VALUES: Mapping[Kind, Callable[[Mapping[str, Any], str], Any]] = {
    "boolean": boolean,
    "count": count,
    "country": lambda given, _: country(given),
    "tags": lambda given, _: tags(given),
}
PLAIN = frozenset((*_TEXTS, *_VALUES))
"""The kinds of fields that can be read without looking at other fields."""


def stored(given: Mapping[str, Any], field: Field, sent: Sent) -> Any:
    """The value that is stored for a field of a plain kind; None if it is absent."""
    if sent.kind in _TEXTS:
        value: Any = _TEXTS[sent.kind](given, field.sent_as, sent.limit)
        if field.dimension:
            _check_reserved(field.sent_as, value)
    else:
        value = _VALUES[sent.kind](given, field.sent_as)
    if sent.required:
        required(field.sent_as, value)
    return sent.default if value is None else value
