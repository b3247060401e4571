"""Which terms distinguish two groups of comments, against published code and planted words."""

import random

import pytest

from pulse.comments.contrast import LEAST_Z, comments_by_term, log_odds, telling
from pulse.comments.terms import terms

# github.com/jmhessel/FightingWords, fighting_words_py3.py of commit 8290331, run with
# CountVectorizer(vocabulary=…, binary=True) of scikit-learn and the prior 0.1 × the sum of both
# groups' counts over these texts: bad "slow slow app", "app slow", "slow queue", "queue long",
# "long wait app"; good "fast app", "app great", "great help", "help fast app", "great".
PUBLISHED = {
    "great": (0, 3, -1.4539577921109286),
    "fast": (0, 2, -1.1400519966421514),
    "help": (0, 2, -1.1400519966421514),
    "app": (3, 3, -0.14922484856822948),
    "wait": (1, 0, 0.7259988471776687),
    "long": (2, 0, 1.0643006871631797),
    "queue": (2, 0, 1.0643006871631797),
    "slow": (3, 0, 1.3548577824315546),
}


@pytest.mark.parametrize("term", PUBLISHED)
def test_z_is_that_of_published_code(term: str) -> None:
    bad, good, z = PUBLISHED[term]
    all_bad = sum(first for first, _, _ in PUBLISHED.values())
    all_good = sum(second for _, second, _ in PUBLISHED.values())
    assert log_odds(bad, good, all_bad, all_good).z == pytest.approx(z, rel=1e-6)


def test_the_example_of_the_documentation() -> None:
    odds = log_odds(30, 5, 400, 900)
    assert round(odds.log_odds, 4) == 2.0929
    assert round(odds.z, 4) == 5.4495


def test_a_comment_counts_a_term_once() -> None:
    found = comments_by_term([terms("slow slow SLOW app"), terms("slow")])
    assert (found["slow"], found["slow slow"], found["app"]) == (2, 1, 1)


VOCABULARY = [f"word{number}" for number in range(150)]


def _comments(seed: int, number: int) -> list[str]:
    rng = random.Random(seed)
    weights = [1 / (place + 3) for place in range(len(VOCABULARY))]
    return [" ".join(rng.choices(VOCABULARY, weights, k=12)) for _ in range(number)]


def _telling(bad: list[str], good: list[str]) -> dict[str, float]:
    found = telling(comments_by_term(map(terms, bad)), comments_by_term(map(terms, good)))
    return {one.term: one.odds.z for one in found}


def test_groups_of_the_same_words_are_hardly_ever_set_apart() -> None:
    shown = tried = 0
    for seed in range(20):
        bad, good = _comments(seed, 300), _comments(1_000 + seed, 700)
        tried += len(VOCABULARY)
        shown += len(_telling(bad, good))
    # beyond three standard errors lie 0.27 % of a normal distribution
    assert shown / tried < 0.01


def test_planted_words_are_found_on_their_side_alone() -> None:
    bad, good = _comments(1, 300), _comments(2, 700)
    bad[:60] = [f"{text} app crashed" for text in bad[:60]]
    bad[60:90] = [f"{text} crashed" for text in bad[60:90]]
    good[:200] = [f"{text} friendly" for text in good[:200]]
    found = _telling(bad, good)
    assert all(found[term] > LEAST_Z for term in ("crashed", "app crashed"))
    assert "app" not in found  # wherever it stands, the phrase does
    assert found["friendly"] < -LEAST_Z
    assert list(found.values()) == sorted(found.values(), key=abs, reverse=True)


def test_what_few_have_written_tells_nothing() -> None:
    assert "rare" not in _telling(["rare"] * 4 + ["x"] * 20, ["y"] * 500)
    assert "rare" in _telling(["rare"] * 5 + ["x"] * 20, ["y"] * 500)


@pytest.mark.parametrize(
    ("bad", "good"), [([], ["well done"] * 9), (["slow"] * 9, []), (["a"] * 9, ["a"] * 9)]
)
def test_without_two_groups_or_two_terms_nothing_is_told(bad: list[str], good: list[str]) -> None:
    assert _telling(bad, good) == {}
