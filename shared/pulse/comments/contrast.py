"""Finds the terms that distinguish one group of comments from another (docs/metrics.md, "Words").

The method is log-odds with an informative Dirichlet prior: Monroe, Colaresi and Quinn, Fightin'
Words, Political Analysis 16 (2008), 372-403. A term's count is the number of comments that hold it,
not how often it occurs in them.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

FORMULA = "log_odds@1"
LEAST_Z = 3.0
LEAST_COMMENTS = 5
"""A term is left out if fewer comments of both groups together hold it."""
PRIOR = 0.1
"""The weight of both groups' counts together in the prior of each group."""


@dataclass(frozen=True)
class Odds:
    """How much more likely a term is in the first group than in the second."""

    log_odds: float
    z: float


@dataclass(frozen=True)
class Telling:
    """A distinguishing term, and how many comments of each group hold it."""

    term: str
    first: int
    second: int
    odds: Odds


def log_odds(first: int, second: int, all_first: int, all_second: int) -> Odds:
    """The log-odds of a term.

    `first` and `second` are the term's counts in the groups, `all_first` and `all_second` the
    groups' counts of all terms together. At least one comment must hold the term, and at least one
    another term.
    """
    prior, prior_all = PRIOR * (first + second), PRIOR * (all_first + all_second)
    shares = []
    for count, everything in ((first, all_first), (second, all_second)):
        held = count + prior
        shares.append(math.log(held / (everything + prior_all - held)))
    log_ratio = shares[0] - shares[1]
    variance = 1 / (first + prior) + 1 / (second + prior)
    return Odds(log_ratio, log_ratio / math.sqrt(variance))


def comments_by_term(comments: Iterable[frozenset[str]]) -> Counter[str]:
    """How many comments hold each term; each comment is given as the set of its terms."""
    found: Counter[str] = Counter()
    for held in comments:
        found.update(held)
    return found


def telling(first: Counter[str], second: Counter[str]) -> list[Telling]:
    """The terms that distinguish the groups, the strongest z first, equals by the alphabet.

    A word that occurs only within one phrase is left out in favour of the phrase. If one of the
    groups has no comments, the list is empty.
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
    return sorted(told, key=lambda one: (-abs(one.odds.z), one.term))


def _words_within(term: str) -> list[str]:
    """The words of a phrase; empty for a single word."""
    words = term.split()
    return words if len(words) > 1 else []
