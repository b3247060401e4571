"""Content codings (RFC 9110, 8.4): compresses replies and reads compressed requests.

gzip is the only coding: every client has it, and Python's own library has zlib.
"""

import re
import zlib
from collections.abc import Mapping

from pulse.errors import BadRequestError, PayloadTooLargeError, UnsupportedMediaTypeError

GZIP = "gzip"
COMPRESS_FROM = 1_024
"""The fewest bytes of a body that is compressed; for a shorter one it costs more than it saves."""

_NAMES = {"x-gzip": GZIP}  # RFC 9110, 8.4.1.3: the same thing
_GZIP_FORMAT = 31  # zlib's number for a gzip header and trailer and a window of 32 KiB
_LEVEL = 6
_ITEM = re.compile(
    r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:;\s*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
_FRAME = 1_024
"""The most bytes by which compression can make a body of any allowed size larger."""


def wants_gzip(accept_encoding: str, size: int) -> bool:
    """Whether a body of `size` bytes is compressed for a caller with this Accept-Encoding."""
    weights = _weights(accept_encoding)
    others = weights.get("*")
    compressed = weights.get(GZIP, others or 0)
    plain = weights.get("identity", 0 if others == 0 else None)
    if compressed == 0:
        return False
    if plain == 0:
        return True
    return size >= COMPRESS_FROM and (plain is None or compressed >= plain)


def _weights(accept_encoding: str) -> Mapping[str, float]:
    """The weight of each coding in the header, in lower case; malformed items are ignored."""
    weights: dict[str, float] = {}
    for text in accept_encoding.split(","):
        if item := _ITEM.fullmatch(text):
            weights[_name(item[1])] = 1.0 if item[2] is None else float(item[2])
    return weights


def _name(coding: str) -> str:
    return _NAMES.get(coding.lower(), coding.lower())


def compress(body: bytes) -> bytes:
    """The body in gzip; the same bytes each time."""
    return zlib.compress(body, _LEVEL, _GZIP_FORMAT)


def decoded(body: bytes, content_encoding: str, limit: int) -> bytes:
    """The body without its coding, of at most `limit` bytes.

    At most one byte more is decompressed, however large the result would be. Raises
    PayloadTooLargeError for a larger one, BadRequestError for anything but one whole gzip stream,
    and UnsupportedMediaTypeError for any other coding.
    """
    named = [_name(part.strip()) for part in content_encoding.split(",")]
    codings = [name for name in named if name not in ("", "identity")]
    if not codings:
        return body
    if codings != [GZIP]:
        raise UnsupportedMediaTypeError(
            "content_encoding_unsupported",
            f"A body may be sent with Content-Encoding {GZIP}, once, or without any.",
            headers={"Accept-Encoding": GZIP},
        )
    return _inflated(body, limit)


def _inflated(body: bytes, limit: int) -> bytes:
    if len(body) > limit + _FRAME:
        raise _too_large(limit)
    stream = zlib.decompressobj(_GZIP_FORMAT)
    try:
        inflated = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise _broken() from error
    if len(inflated) > limit:
        raise _too_large(limit)
    if not stream.eof or stream.unused_data:
        raise _broken()
    return inflated


def _broken() -> BadRequestError:
    return BadRequestError(
        "body_not_gzip", "The body is not the gzip that its Content-Encoding names."
    )


def _too_large(limit: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        "body_too_large", f"Inflated, the body is too large: at most {limit} bytes are accepted."
    )
