"""Splits a comment, in any script, into words, and makes the terms that are counted.

A word is a run of letters, marks and digits; an apostrophe between two of these belongs to it
(Unicode Standard Annex 29, rules WB4 to WB7). Words of scripts without blanks could only be found
with a dictionary: there each character is a word, and pairs of neighbours are the terms.
"""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from pulse.texts import plain_form

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana's phonetic extensions
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, for compatibility
    (0x20000, 0x3FFFF),  # Han, further extensions
)
"""The blocks of scripts without blanks between words (Unicode's Blocks.txt)."""
_APOSTROPHES = "'\u2019"
_BREAK = "\n"


class _Written(dict[int, str]):
    """What becomes of each character in words: computed when it first occurs, then remembered."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        kind = unicodedata.category(letter)
        if letter in _APOSTROPHES:
            shown = "'"
        elif kind[0] == "M":
            shown = letter  # a mark belongs to the character before it, in every script
        elif kind[0] in "LN":
            shown = f" {letter}" if is_unspaced(letter) else letter
        else:
            shown = " " if letter.isspace() or kind in ("Pd", "Cf") else _BREAK
        self[code] = shown
        return shown


_WRITTEN = _Written()


def is_unspaced(text: str) -> bool:
    """Whether the text begins in a script that has no blanks between words."""
    code = ord(text[0])
    return any(first <= code <= last for first, last in _UNSPACED)


def _pieces(text: str) -> Iterator[list[str]]:
    """The words of each piece of the text that lies between punctuation."""
    for piece in text.translate(_WRITTEN).split(_BREAK):
        words = [word for raw in piece.split() for word in _parted(raw.strip("'")) if word]
        if words:
            yield words


def _parted(word: str) -> Iterator[str]:
    """The word, split where a character that is a word by itself is followed by another script."""
    if word and is_unspaced(word):
        end = next(
            (
                at
                for at, letter in enumerate(word[1:], 1)
                if not is_unspaced(letter) and unicodedata.category(letter)[0] != "M"
            ),
            len(word),
        )
        yield word[:end]
        word = word[end:].strip("'")
    yield word


def words(text: str) -> str:
    """The words of a text, without case and accents, with one blank before and after each.

    So a text holds a phrase if `words(text)` contains `words(phrase)`.
    """
    return words_of_plain_form(plain_form(text))


def words_of_plain_form(text: str) -> str:
    """What `words` tells of a text in its plain form."""
    found = [word for piece in _pieces(text) for word in piece]
    return f" {' '.join(found)} " if found else ""


def terms(text: str) -> frozenset[str]:
    """The terms of a text: its words and its phrases of two words, in lower case.

    In scripts without blanks the terms are pairs of neighbouring characters. No phrase extends over
    punctuation.
    """
    found: set[str] = set()
    for piece in _pieces(unicodedata.normalize("NFKC", text).casefold()):
        found.update(word for word in piece if not is_unspaced(word))
        for first, second in pairwise(piece):
            if is_unspaced(first) != is_unspaced(second):
                continue
            found.add(first + second if is_unspaced(first) else f"{first} {second}")
    return frozenset(found)
