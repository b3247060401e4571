"""In which encoding a text was written, as its bytes show it.

UTF-8 and UTF-16 can be told for certain. Any other is a guess among those that Excel writes in
Western Europe and Japan (charset-normalizer makes it); where neither fits, it has to be named.
"""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

_MARKS = {
    codecs.BOM_UTF8: ("UTF-8", "utf-8-sig"),
    codecs.BOM_UTF32_LE: ("UTF-32", "utf-32"),  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: ("UTF-32", "utf-32"),
    codecs.BOM_UTF16_LE: ("UTF-16", "utf-16"),
    codecs.BOM_UTF16_BE: ("UTF-16", "utf-16"),
}
_GUESSED = {"cp1252": "Windows-1252", "cp932": "Shift-JIS"}
_MOST_BYTES = 64 << 10
"""Of lines that are looked at for a guess."""
_STRAY = 10
"""Of so many lines with other than ASCII one may be broken, and it is UTF-8 still."""


@dataclass(frozen=True)
class Encoding:
    """An encoding, as people and as Python's codecs know it."""

    name: str
    codec: str
    guessed: bool = False

    @property
    def errors(self) -> str:
        """What becomes of bytes that are none of its characters: lone surrogates, if possible."""
        return "strict" if self.codec.startswith(("utf-16", "utf-32")) else "surrogateescape"


class UnknownEncodingError(ValueError):
    """The bytes are no text in any encoding that is guessed."""


def named_encoding(name: str) -> Encoding:
    """The encoding that somebody names. Raises ValueError for one that Python does not know."""
    try:
        codec = codecs.lookup(name)
        if not codec._is_text_encoding:
            raise LookupError(name)
    except LookupError as error:
        raise ValueError(f"unknown encoding {name!r}") from error
    return Encoding(name, "utf-8-sig" if codec.name == "utf-8" else codec.name)


def find_encoding(head: bytes, lines: Iterable[bytes]) -> Encoding:
    """The encoding of a text that begins with `head` and has these `lines`.

    Raises UnknownEncodingError.
    """
    for mark, (name, codec) in _MARKS.items():
        if head.startswith(mark):
            return Encoding(name, codec)
    if wide := _wide(head):
        return Encoding("UTF-16", wide)
    good = bad = 0
    sample = bytearray()
    for line in lines:
        if line.isascii():
            continue
        if len(sample) < _MOST_BYTES:
            sample += line[:_MOST_BYTES]
        if _is_utf8(line):
            good += 1
        else:
            bad += 1
    if good >= bad * _STRAY:  # also if all is ASCII
        return Encoding("UTF-8", "utf-8")
    return _guess(bytes(sample))


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: of ASCII characters one byte of two is zero, always the same one."""
    zeros = [head[place::2].count(0) for place in (0, 1)]
    least = len(head) // 20
    if zeros[0] <= zeros[1] // 20 and zeros[1] > least:
        return "utf-16-le"
    if zeros[1] <= zeros[0] // 20 and zeros[0] > least:
        return "utf-16-be"
    return None


def _guess(sample: bytes) -> Encoding:
    from charset_normalizer import from_bytes  # slow to import

    best = from_bytes(sample, cp_isolation=list(_GUESSED)).best()
    if best is None or best.encoding not in _GUESSED:
        raise UnknownEncodingError("neither UTF-8 nor Windows-1252 nor Shift-JIS")
    return Encoding(_GUESSED[best.encoding], best.encoding, guessed=True)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
