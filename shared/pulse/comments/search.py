"""A search in comments: words and phrases that a comment must hold, and others that it must not.

    app "zu lange" -retoure     holds both app and "zu lange", and not retoure

Case and accents do not matter, and only whole words match. A text without a letter or digit, such
as 👍, matches wherever it occurs.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from pulse.comments.terms import words, words_of_plain_form
from pulse.texts import plain_form

_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'))
"""Quotation marks as telephones and word processors write them."""
MOST_PARTS = 50
"""A search of more words and phrases is refused, since every comment is searched for each."""
_PART = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True)
class Search:
    """Phrases in the form of `terms.words`, and texts without a word."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Search":
        """The search in a text; a quotation mark that is not closed is ignored."""
        wanted: list[str] = []
        unwanted: list[str] = []
        for minus, quoted, bare in _PART.findall(text.translate(_QUOTES)):
            part = quoted or bare.strip('"').lstrip("-")
            if looked_for := words(part) or plain_form(part.strip()):
                (unwanted if minus else wanted).append(looked_for)
        return cls(tuple(wanted), tuple(unwanted))

    @property
    def parts(self) -> int:
        """How many words and phrases the search has."""
        return len(self.wanted) + len(self.unwanted)

    @cached_property
    def held(self) -> tuple[str, ...]:
        """Texts that every matching comment holds once it is folded (pulse.texts).

        To look for them first is faster.
        """
        # without words that have an apostrophe, which is written in more than one way
        return tuple(word for one in self.wanted for word in one.split() if "'" not in word)

    def finds(self, comment: str) -> bool:
        """Whether the comment holds everything that it must, and nothing that it must not."""
        if not (self.wanted or self.unwanted):
            return True
        plain = plain_form(comment)
        if any(word not in plain for word in self.held):
            return False
        padded = f" {plain} "
        text = ""

        def holds(phrase: str) -> bool:
            nonlocal text
            if phrase in padded:  # between blanks it is words, and needs no look at each of them
                return True
            if not phrase.startswith(" "):
                return False
            text = text or words_of_plain_form(plain)
            return phrase in text

        return all(map(holds, self.wanted)) and not any(map(holds, self.unwanted))
