"""Brings texts that can be written in several ways into one form.

`José` may be four characters or five (the accent may be a character of its own), and forms leave
blanks around it. Names of agents, customers, channels and the like are stored in one form, and
names that are searched for are brought into the same form.
"""

import unicodedata

from pulse.lake import RESERVED
from pulse.streams.fields import WORD_LIMIT


def tidy(text: str) -> str:
    """The text in Unicode's composed form (NFC), without white space around it."""
    return unicodedata.normalize("NFC", text.strip())


class _Plain(dict[int, str]):
    """Each character in small letters, decomposed, without its accents: found out when it comes."""

    def __missing__(self, code: int) -> str:
        apart = unicodedata.normalize("NFKD", chr(code).casefold())
        self[code] = "".join(letter for letter in apart if not unicodedata.combining(letter))
        return self[code]


_PLAIN = _Plain()


def plain_form(text: str) -> str:
    """The text in the form that searches compare: without case and accents, in one coding."""
    if text.isascii():
        return text.lower()
    # character by character it is the same, since accents that change their order are left out
    return unicodedata.normalize("NFC", text.translate(_PLAIN)).casefold()


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", plain)


_BLANKS = ("", " ", "\t", "\n", "\r\n", "\u00a0", "\u3000")


def codings(name: str) -> frozenset[str]:
    """All codings of a name: the texts that programs write for it and `tidy` makes equal."""
    forms = {unicodedata.normalize(form, tidy(name)) for form in ("NFC", "NFD")}
    return frozenset(
        f"{before}{form}{behind}" for form in forms for before in _BLANKS for behind in _BLANKS
    )


def near_equals(name: str) -> frozenset[str]:
    """Other names that differ from this one only in case and accents, in all their codings."""
    written = tidy(name)
    plain = _without_accents(written)
    cases = (str, str.lower, str.upper, str.title, str.capitalize, str.casefold)
    others = {tidy(case(one)) for one in (written, plain) for case in cases}
    return frozenset(form for other in others for form in codings(other)) - codings(name)


def is_word(text: str) -> bool:
    """Whether the text may be the name of a channel or a medium."""
    return 0 < len(text) <= WORD_LIMIT and text not in RESERVED and tidy(text) == text
