"""Which comments a search finds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.comments.search import Search
from pulse.comments.terms import words

COMMENT = "Die App stürzt ab, und niemand antwortet. Viel zu lange gewartet! 👍"


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("", True),
        ("app", True),
        ("APP sturzt", True),
        ("app fehlt", False),
        ('"zu lange"', True),
        ('"lange zu"', False),
        ("\u201elange zu\u201c", False),
        ("\u00abzu lange\u00bb", True),
        ('"viel zu lange" -app', False),
        ("-fehlt", True),
        ('-"zu lange"', False),
        ("ap", False),
        ("👍", True),
        ("👎", False),
        ("-👍", False),
        ('"', True),
        ('"zu lange', True),
        ("-", True),
        ("!!", False),
    ],
)
def test_what_is_found(text: str, finds: bool) -> None:
    assert Search.parse(text).finds(COMMENT) is finds


def test_apostrophes_are_one_however_they_are_written() -> None:
    assert Search.parse("can't").finds("I can\u2019t")
    assert Search.parse("can\u2019t wait").finds("I can't wait")


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_search_of_any_comment_is_answered_and_its_opposite_is_the_opposite(
    text: str, comment: str
) -> None:
    phrase = re.sub('["\u201c\u201d\u201e\u00ab\u00bb]', "", text)
    search, opposite = Search.parse(f'"{phrase}"'), Search.parse(f'-"{phrase}"')
    if search.wanted:
        assert search.finds(comment) is not opposite.finds(comment)


@given(st.text(max_size=30))
def test_a_comment_is_found_by_each_of_its_words(comment: str) -> None:
    for word in words(comment).split():
        assert Search.parse(f'"{word}"').finds(comment)
