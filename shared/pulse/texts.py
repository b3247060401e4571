"""Texts that people and programs write in more than one way, and that mean the same.

`José` may be four characters or five (a letter and its accent), and forms leave blanks around it.
What names something (an agent, a customer, a channel) is stored in one form, and what is looked for
is brought into the same.
"""

import unicodedata

from pulse.lake import RESERVED
from pulse.streams.fields import WORD_LIMIT


def tidy(text: str) -> str:
    """The text in Unicode's composed form (NFC), without white space around it."""
    return unicodedata.normalize("NFC", text.strip())


def folded(text: str) -> str:
    """A text as a search compares it: without regard to case, accents and coding."""
    if text.isascii():
        return text.lower()
    return _without_accents(unicodedata.normalize("NFKC", text.casefold())).casefold()


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", plain)


_BLANKS = ("", " ", "\t", "\n", "\r\n", "\u00a0", "\u3000")


def codings(name: str) -> frozenset[str]:
    """The ways in which programs write what `tidy` takes for this one name."""
    forms = {unicodedata.normalize(form, tidy(name)) for form in ("NFC", "NFD")}
    return frozenset(
        f"{before}{form}{behind}" for form in forms for before in _BLANKS for behind in _BLANKS
    )


def near_equals(name: str) -> frozenset[str]:
    """Other names that differ from this one in their case and accents alone, in every coding."""
    written = tidy(name)
    plain = _without_accents(written)
    cases = (str, str.lower, str.upper, str.title, str.capitalize, str.casefold)
    others = {tidy(case(one)) for one in (written, plain) for case in cases}
    return frozenset(form for other in others for form in codings(other)) - codings(name)


def is_word(text: str) -> bool:
    """May a channel or a medium be called so?"""
    return 0 < len(text) <= WORD_LIMIT and text not in RESERVED and tidy(text) == text
