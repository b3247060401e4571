"""The words of a comment, in any script, and what is counted of them.

Words end where letters, marks and digits do; an apostrophe between two of these does not end one
(Unicode Standard Annex 29, rules WB4 to WB7). Scripts that are written without blanks would need a
dictionary: there each character stands for itself, and pairs of neighbours are counted instead.
"""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from pulse.texts import folded

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
    """How each character takes part in words, found out when it first comes."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        kind = unicodedata.category(letter)
        if letter in _APOSTROPHES:
            shown = "'"
        elif kind[0] == "M":
            shown = letter  # belongs to the character before it, in each script
        elif kind[0] in "LN":
            shown = f" {letter}" if is_unspaced(letter) else letter
        else:
            shown = " " if letter.isspace() or kind in ("Pd", "Cf") else _BREAK
        self[code] = shown
        return shown


_WRITTEN = _Written()


def is_unspaced(text: str) -> bool:
    """Does the text begin in a script that has no blanks between its words?"""
    code = ord(text[0])
    return any(first <= code <= last for first, last in _UNSPACED)


def _pieces(text: str) -> Iterator[list[str]]:
    """The words between two marks of punctuation, piece by piece."""
    for piece in text.translate(_WRITTEN).split(_BREAK):
        words = [word for raw in piece.split() for word in _parted(raw.strip("'")) if word]
        if words:
            yield words


def _parted(word: str) -> Iterator[str]:
    """A word; where it goes on in another script after a character that stands for itself, both."""
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
    """The words of a text as searches compare them: folded, with one blank around each.

    So a text holds a word or a phrase, if its words hold those of the phrase.
    """
    found = [word for piece in _pieces(folded(text)) for word in piece]
    return f" {' '.join(found)} " if found else ""


def terms(text: str) -> frozenset[str]:
    """What is counted of a text: its words and its phrases of two, whatever the case.

    Of scripts without blanks the pairs of characters that stand side by side. A phrase does not
    reach over punctuation.
    """
    found: set[str] = set()
    for piece in _pieces(unicodedata.normalize("NFKC", text).casefold()):
        found.update(word for word in piece if not is_unspaced(word))
        for first, second in pairwise(piece):
            if is_unspaced(first) != is_unspaced(second):
                continue
            found.add(first + second if is_unspaced(first) else f"{first} {second}")
    return frozenset(found)
