"""Which comments a question finds, and which words tell, worked out comment by comment.

Like tests/oracle.py nothing here is shared with the code under test: docs/http.md's "GET
/v1/comments" and docs/metrics.md's "Words" as lists and regular expressions.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol

from tests.oracle import BAD, GOOD, Answered

_CJK = "[\u3040-\u30ff\u4e00-\u9fff]"
_LETTERS = rf"(?:(?!{_CJK})[^\W_])+"
_WORD = re.compile(rf"{_CJK}|{_LETTERS}(?:['\u2019]{_LETTERS})*")


class Commented(Answered, Protocol):
    """An answer that counts, maybe with a comment."""

    @property
    def comment(self) -> str | None: ...
    @property
    def answered_us(self) -> int: ...
    @property
    def id(self) -> str: ...


PEOPLE = ("agent", "handled_by")
Parts = Sequence[tuple[bool, str]]
"""Words and phrases of a search, each with whether it is wanted."""


@dataclass(frozen=True)
class Question:
    """Which comments are asked for, of answers that pass the filters.

    People are those of the answer (`agent`) and of its interaction (`handled_by`). Of whoever has
    fewer than `least` in one of the two none is found by a question `about` it, and the name is not
    told there by any other.
    """

    days: tuple[date, date]
    segments: Sequence[str] = ()
    scores: Sequence[int] = ()
    parts: Parts = ()
    least: int = 0
    about: Sequence[str] = ()


def segment(answer: Answered) -> str:
    """The part of the scale that the score is in."""
    if answer.score in GOOD[answer.metric, answer.scale]:
        return "good"
    return "bad" if answer.score in BAD[answer.metric, answer.scale] else "neutral"


def height(answer: Answered) -> Fraction:
    """Where the score stands on its scale: 0 is the worst."""
    range_of, _, rule = answer.scale.partition(":")
    low, high = (int(end) for end in range_of.split("-"))
    share = Fraction(answer.score - low, high - low)
    return 1 - share if rule == "low" else share


@dataclass(frozen=True)
class Found:
    """Comments, the newest first, by dimension who is not told, and how many are left out."""

    answers: Sequence[Commented]
    few: Mapping[str, frozenset[str]]
    withheld: int


def found(answers: Sequence[Commented], asked: Question) -> Found:
    """What the question finds."""
    there = [
        one
        for one in answers
        if one.comment is not None and asked.days[0] <= one.day <= asked.days[1]
    ]
    few = {}
    for name in PEOPLE:
        people = [who for one in there if (who := one.dimension(name)) is not None]
        few[name] = frozenset(who for who in people if people.count(who) < asked.least)
    all_of_them = len(there)
    there = [one for one in there if not any(one.dimension(n) in few[n] for n in asked.about)]
    withheld = all_of_them - len(there)
    there = [
        one
        for one in there
        if (not asked.segments or segment(one) in asked.segments)
        and (not asked.scores or one.score in asked.scores)
        and all(holds(str(one.comment), part) == wanted for wanted, part in asked.parts)
    ]
    there.sort(key=lambda one: (one.answered_us, one.id), reverse=True)
    return Found(there, few, withheld)


def holds(comment: str, phrase: str) -> bool:
    """Whether the words of the phrase follow each other there; a sign is looked for as it is."""
    plain, wanted = (_WORD.findall(_plain(text)) for text in (comment, phrase))
    if not wanted:
        return _plain(phrase) in _plain(comment)
    return any(plain[at : at + len(wanted)] == wanted for at in range(len(plain)))


def _plain(text: str) -> str:
    """Without case and accents, apostrophes alike."""
    apart = unicodedata.normalize("NFKD", text.casefold()).replace("\u2019", "'")
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


# -- words


def terms(comment: str) -> set[str]:
    """The words of a comment and its phrases of two; of Chinese and Japanese the pairs."""
    held = set()
    for piece in re.split(r"[^\w\s'\u2019]", comment.casefold()):
        words = [word.replace("\u2019", "'") for word in _WORD.findall(piece)]
        held |= {word for word in words if not re.match(_CJK, word)}
        for pair in pairwise(words):
            kinds = {bool(re.match(_CJK, word)) for word in pair}
            if len(kinds) == 1:
                held.add(("" if kinds == {True} else " ").join(pair))
    return held


def telling(first: Sequence[Commented], second: Sequence[Commented]) -> dict[str, Any]:
    """Both groups as a reply has them, the words of each by term; of the newest comments first."""
    groups = [
        [(str(one.comment), terms(str(one.comment))) for one in some] for some in (first, second)
    ]
    counts: list[dict[str, int]] = [{}, {}]
    for count, group in zip(counts, groups, strict=True):
        for _, held in group:
            for term in held:
                count[term] = count.get(term, 0) + 1
    n, other_n = (sum(count.values()) for count in counts)
    told: dict[str, tuple[float, float]] = {}
    for term in {*counts[0], *counts[1]} if n and other_n else ():
        y, other_y = (count.get(term, 0) for count in counts)
        a, whole = 0.1 * (y + other_y), 0.1 * (n + other_n)
        delta = math.log((y + a) / (n + whole - y - a))
        delta -= math.log((other_y + a) / (other_n + whole - other_y - a))
        z = delta / math.sqrt(1 / (y + a) + 1 / (other_y + a))
        if abs(z) >= 3 and y + other_y >= 5:
            told[term] = delta, z

    def standing(term: str) -> list[list[int]]:
        return [[at for at, (_, held) in enumerate(group) if term in held] for group in groups]

    within = {
        word
        for phrase in told
        for word in phrase.split()
        if word != phrase and standing(word) == standing(phrase)
    }
    reply: dict[str, Any] = {}
    for name, group, sign in (("first", groups[0], 1), ("second", groups[1], -1)):
        reply[name] = {
            "comments": len(group),
            "words": {
                term: {
                    "first": counts[0].get(term, 0),
                    "second": counts[1].get(term, 0),
                    "log_odds": delta,
                    "z": z,
                    "example": next(comment for comment, held in group if term in held),
                }
                for term, (delta, z) in told.items()
                if sign * z > 0 and term not in within
            },
        }
    return reply
