"""In which encoding a text was written, as its bytes show it.

UTF-8 and UTF-16 can be told for certain. Any other is a guess among those that Excel writes in
Western Europe and Japan; where neither fits, it has to be named. Shift-JIS shows by its characters
of two bytes, which stand beside each other as in no Western text; whether a text can be
Windows-1252, charset-normalizer judges. (Between both it chose wrongly for a fifth of short texts:
São Paulo in Windows-1252 is valid Shift-JIS.)
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
"""Kana, kanji, and punctuation of their width."""
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_USUAL = 0xA0
"""In Shift-JIS, kana and the kanji of daily use begin with a byte below this one."""
_MOST_BYTES = 64 << 10
"""Of lines that are looked at for a guess."""


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
            sample += line
        if _is_utf8(line):
            good += 1
        else:
            bad += 1
    if good > bad or not bad:  # hardly any line of another encoding is UTF-8 by chance
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

    if _is_japanese(sample):
        return Encoding("Shift-JIS", _JAPANESE, guessed=True)
    if from_bytes(sample, cp_isolation=[_WESTERN]).best() is None:
        raise UnknownEncodingError("neither UTF-8 nor Windows-1252 nor Shift-JIS")
    return Encoding("Windows-1252", _WESTERN, guessed=True)


def _is_japanese(sample: bytes) -> bool:
    """Do more of the characters stand in runs of usual Japanese ones than stand alone?"""
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
