"""Finds the encoding of a text from its bytes.

UTF-8 and UTF-16 are recognised with certainty. Otherwise it is a guess between the encodings that
Excel writes in Western Europe and Japan; if neither fits, the user has to name it. Shift-JIS is
recognised by its characters of two bytes, which follow each other as in no Western text.
charset-normalizer judges whether a text can be Windows-1252. (When it chose between the two, it was
wrong for a fifth of short texts: São Paulo in Windows-1252 is valid Shift-JIS.)
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

_MARKS = {
    codecs.BOM_UTF8: ("UTF-8", "utf-8-sig"),
    codecs.BOM_UTF32_LE: ("UTF-32", "utf-32"),  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: ("UTF-32", "utf-32"),
    codecs.BOM_UTF16_LE: ("UTF-16", "utf-16"),
    codecs.BOM_UTF16_BE: ("UTF-16", "utf-16"),
}
_WESTERN, _JAPANESE = "cp1252", "cp932"
_RUN = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]+")
"""Kana, kanji, and their punctuation."""
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_USUAL = 0xA0
"""In Shift-JIS, kana and the kanji of daily use begin with a byte below this one."""
_MOST_BYTES = 64 << 10
"""The most bytes of lines that are read for a guess."""


@dataclass(frozen=True)
class Encoding:
    """An encoding: its name for people, and that of Python's codec."""

    name: str
    codec: str
    guessed: bool = False

    @property
    def errors(self) -> str:
        """Python's error handler for bytes that are no characters; if possible surrogateescape."""
        return "strict" if self.codec.startswith(("utf-16", "utf-32")) else "surrogateescape"


class UnknownEncodingError(ValueError):
    """The bytes are a text in none of the encodings that are guessed."""


def named_encoding(name: str) -> Encoding:
    """The encoding of that name. Raises ValueError if Python does not know it."""
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
            sample += line
        if _is_utf8(line):
            good += 1
        else:
            bad += 1
    if good > bad or not bad:  # hardly any line of another encoding is UTF-8 by chance
        return Encoding("UTF-8", "utf-8")
    return _guess(bytes(sample))


def _wide(head: bytes) -> str | None:
    """The codec of UTF-16 without a mark: its ASCII characters have one byte of zero of two."""
    zeros = [head[place::2].count(0) for place in (0, 1)]
    least = len(head) // 20
    if zeros[0] <= zeros[1] // 20 and zeros[1] > least:
        return "utf-16-le"
    if zeros[1] <= zeros[0] // 20 and zeros[0] > least:
        return "utf-16-be"
    return None


def _guess(sample: bytes) -> Encoding:
    from charset_normalizer import from_bytes  # slow to import

    if _is_japanese(sample):
        return Encoding("Shift-JIS", _JAPANESE, guessed=True)
    if from_bytes(sample, cp_isolation=[_WESTERN]).best() is None:
        raise UnknownEncodingError("neither UTF-8 nor Windows-1252 nor Shift-JIS")
    return Encoding("Windows-1252", _WESTERN, guessed=True)


def _is_japanese(sample: bytes) -> bool:
    """Whether more characters are in runs of usual Japanese characters than are not."""
    try:
        text = sample.decode(_JAPANESE)
    except UnicodeDecodeError:
        return False
    together, others = 0, len(_HALF_WIDTH.findall(text))
    for run in _RUN.findall(text):
        usual = sum(one.encode(_JAPANESE)[0] < _USUAL for one in run) if len(run) > 1 else 0
        together, others = together + usual, others + len(run) - usual
    return together > others


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
