"""Reads a request's body strictly as a JSON object: what is ambiguous is refused.

Python's json accepts NaN, 1e400, lone surrogates and repeated keys, and raises RecursionError for
deep nesting. Here each of them is a 400 with its own code. A number with a fraction keeps its
digits: no float equals 99999999999999.9999, and money must not be rounded.
"""

import json
import math
from typing import Any, NoReturn, Self

from pulse.encodings import decoded
from pulse.errors import BadRequestError, PayloadTooLargeError
from pulse.http import Call

_BOM = b"\xef\xbb\xbf"


class WrittenFloat(float):
    """A float that also keeps the digits it was read from."""

    written: str

    def __new__(cls, digits: str) -> Self:
        """Make the float nearest to the digits, and keep them."""
        number = super().__new__(cls, digits)
        number.written = digits
        return number


def read_body(call: Call, limit: int) -> dict[str, Any]:
    """The JSON object in a request's body, which may be compressed.

    `limit` is the most bytes after decompression. Raises what `decoded` and `read_object` raise.
    """
    body = decoded(call.body, call.headers.get("content-encoding", ""), limit)
    return read_object(body, limit)


def read_object(body: bytes, limit: int) -> dict[str, Any]:
    """The JSON object in the bytes of a body.

    Every text in it can be encoded as UTF-8, every number is finite, and numbers with a fraction
    are WrittenFloats. Raises PayloadTooLargeError for more than `limit` bytes, and BadRequestError
    for anything but such an object.
    """
    if len(body) > limit:
        raise PayloadTooLargeError(
            "body_too_large", f"The body has {len(body)} bytes; at most {limit} are accepted."
        )
    value = _parse(_text(body))
    if not isinstance(value, dict):
        raise BadRequestError("body_not_object", "The body must be a JSON object.")
    return value


def _text(body: bytes) -> str:
    if not body.strip():
        raise BadRequestError("body_empty", "The body is empty; it must be a JSON object.")
    if body.startswith(_BOM):
        raise BadRequestError("body_has_bom", "The body must be UTF-8 without a byte order mark.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadRequestError("body_not_utf8", "The body must be UTF-8.") from error


def _parse(text: str) -> Any:
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_without_repeats,
        )
        if "\\ud" in text or "\\uD" in text:  # only an escape makes one
            _refuse_lone_surrogates(value)
    except RecursionError as error:
        raise BadRequestError("body_too_deep", "The body is nested too deeply.") from error
    except json.JSONDecodeError as error:
        detail = f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        raise BadRequestError("body_not_json", detail) from error
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise BadRequestError("number_not_finite", f"{name} is not a JSON number.")


def _finite(digits: str) -> WrittenFloat:
    number = WrittenFloat(digits)
    if not math.isfinite(number):
        raise BadRequestError("number_too_large", "A number in the body is too large.")
    return number


def _whole(digits: str) -> int:
    if len(digits) > 19:  # no field needs more, and int() raises for thousands of digits
        raise BadRequestError("number_too_large", "A number in the body is too large.")
    return int(digits)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise BadRequestError("duplicate_key", "An object in the body names a key twice.")
    return members


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadRequestError(
            "lone_surrogate", "A text in the body has half of a surrogate pair."
        ) from error
