"""Texts that people and programs write in more than one way, and that mean the same.

`José` may be four characters or five (a letter and its accent), and forms leave blanks around it.
What names something (an agent, a customer, a channel) is stored in one form, and what is looked for
is brought into the same.
"""

import unicodedata

from pulse.lake import RESERVED, WORD_LIMIT


def tidy(text: str) -> str:
    """The text in Unicode's composed form (NFC), without white space around it."""
    return unicodedata.normalize("NFC", text.strip())


def folded(text: str) -> str:
    """A text as a search compares it: without regard to case, accents and coding."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", plain.casefold())


def is_word(text: str) -> bool:
    """May a channel or a medium be called so?"""
    return 0 < len(text) <= WORD_LIMIT and text not in RESERVED and tidy(text) == text
