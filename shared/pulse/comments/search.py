"""What is looked for in comments: words and phrases that all have to be there, others that may not.

    app "zu lange" -retoure     both of these, and nothing of a return

Case and accents do not matter, and words are whole. What has no letter or digit, such as 👍, is
looked for as it is.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from pulse.comments.terms import words
from pulse.texts import folded

_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'))
"""As telephones and word processors write them."""
MOST_PARTS = 50
"""A search of more words and phrases is refused: each is looked for in every comment."""
_PART = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True)
class Search:
    """Phrases as `words` writes them, and texts without a word."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Search":
        """The search that somebody typed; a quotation mark that is not closed means nothing."""
        wanted: list[str] = []
        unwanted: list[str] = []
        for minus, quoted, bare in _PART.findall(text.translate(_QUOTES)):
            part = quoted or bare.strip('"').lstrip("-")
            if looked_for := words(part) or folded(part.strip()):
                (unwanted if minus else wanted).append(looked_for)
        return cls(tuple(wanted), tuple(unwanted))

    @property
    def parts(self) -> int:
        """How many words and phrases are looked for."""
        return len(self.wanted) + len(self.unwanted)

    @cached_property
    def _letters(self) -> tuple[str, ...]:
        """What any comment has that is found, wherever: told faster than its words are."""
        # apostrophes are written in more than one way
        return tuple(word for one in self.wanted for word in one.split() if "'" not in word)

    def finds(self, comment: str) -> bool:
        """Is everything wanted in the comment, and nothing unwanted?"""
        if not (self.wanted or self.unwanted):
            return True
        plain = folded(comment)
        if any(word not in plain for word in self._letters):
            return False
        text = words(plain)

        def holds(phrase: str) -> bool:
            return phrase in (text if phrase.startswith(" ") else plain)

        return all(map(holds, self.wanted)) and not any(map(holds, self.unwanted))
