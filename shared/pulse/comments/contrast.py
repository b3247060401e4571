"""The terms that set one group of comments apart from another (docs/metrics.md, "Words").

Log-odds with an informative Dirichlet prior: Monroe, Colaresi and Quinn, Fightin' Words, Political
Analysis 16 (2008), 372-403. What is counted are comments that hold a term, not how often it stands
in them.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

FORMULA = "log_odds@1"
LEAST_Z = 3.0
LEAST_COMMENTS = 5
"""A term that fewer comments hold, of both groups together, tells nothing."""
PRIOR = 0.1
"""How much of what both groups say is expected of each."""


@dataclass(frozen=True)
class Odds:
    """How much likelier a term is in the first group than in the second."""

    log_odds: float
    z: float


@dataclass(frozen=True)
class Telling:
    """A term that sets a group apart, and how many comments of each group hold it."""

    term: str
    first: int
    second: int
    odds: Odds


def log_odds(first: int, second: int, all_first: int, all_second: int) -> Odds:
    """The log-odds of a term of which each group has so many, of so many of all terms together.

    Somebody has to have the term, and there has to be another one.
    """
    prior, prior_all = PRIOR * (first + second), PRIOR * (all_first + all_second)
    shares = []
    for count, everything in ((first, all_first), (second, all_second)):
        held = count + prior
        shares.append(math.log(held / (everything + prior_all - held)))
    log_ratio = shares[0] - shares[1]
    variance = 1 / (first + prior) + 1 / (second + prior)
    return Odds(log_ratio, log_ratio / math.sqrt(variance))


def counted(comments: Iterable[frozenset[str]]) -> Counter[str]:
    """How many of some comments hold each term; a comment is given by its terms."""
    found: Counter[str] = Counter()
    for held in comments:
        found.update(held)
    return found


def telling(first: Counter[str], second: Counter[str]) -> list[Telling]:
    """The terms that set the groups apart: the first group's own first, with the greatest z.

    A word that stands in one phrase wherever it stands is told by the phrase alone. Where one of
    the groups has no comments, nothing sets them apart.
    """
    all_first, all_second = first.total(), second.total()
    if not (all_first and all_second):
        return []
    found = []
    for term in first.keys() | second.keys():
        both = first[term] + second[term]
        if both < LEAST_COMMENTS or both == all_first + all_second:
            continue
        odds = log_odds(first[term], second[term], all_first, all_second)
        if abs(odds.z) >= LEAST_Z:
            found.append(Telling(term, first[term], second[term], odds))
    within = {(word, one.first, one.second) for one in found for word in _words_within(one.term)}
    told = [one for one in found if (one.term, one.first, one.second) not in within]
    return sorted(told, key=lambda one: (-one.odds.z, one.term))


def _words_within(term: str) -> list[str]:
    """The words of a phrase; none of a word."""
    words = term.split()
    return words if len(words) > 1 else []
