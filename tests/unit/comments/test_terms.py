"""The words of a comment, in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.comments.terms import terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        (" 👍🏽 !!! ", set()),
        ("The App is slow", {"the", "app", "is", "slow", "the app", "app is", "is slow"}),
        ("slow. App", {"slow", "app"}),  # a phrase does not reach over a full stop
        ("can't log-in", {"can't", "log", "in", "can't log", "log in"}),
        ("Can\u2019t", {"can't"}),
        ("'quoted'", {"quoted"}),
        ("Straße STRASSE", {"strasse", "strasse strasse"}),
        ("zu lange\u00a0gewartet", {"zu", "lange", "gewartet", "zu lange", "lange gewartet"}),
        ("e\u0301te\u0301", {"été"}),  # marks of their own, as some keyboards send them
        ("आपकी सेवा", {"आपकी", "सेवा", "आपकी सेवा"}),  # vowel signs belong to their words
        ("كانت سيئة", {"كانت", "سيئة", "كانت سيئة"}),
        ("待ち時間", {"待ち", "ち時", "時間"}),
        ("等了很久。差", {"等了", "了很", "很久"}),
        ("รอนาน", {"รอ", "อน", "นา", "าน"}),
        ("app很慢", {"app", "很慢"}),
        ("很慢app", {"app", "很慢"}),
        ("3 Tage", {"3", "tage", "3 tage"}),
    ],
)
def test_what_is_counted(text: str, expected: set[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "phrase", "is_held"),
    [
        ("Die App stürzt ab", "sturzt ab", True),
        ("Die App stürzt ab", "APP", True),
        ("Die Apparate", "app", False),  # words are whole
        ("Die App, stürzt", "app stürzt", True),
        ("stürzt App", "app stürzt", False),
        ("待ち時間が長い", "時間", True),
        ("待ち時間が長い", "間時", False),
        ("anything", "!", False),
    ],
)
def test_what_a_search_finds(text: str, phrase: str, is_held: bool) -> None:
    wanted = words(phrase)
    assert (bool(wanted) and wanted in words(text)) is is_held


@given(st.text(max_size=60))
def test_any_text_has_words_and_each_term_is_found_in_it(text: str) -> None:
    for term in terms(text):
        assert term == term.strip()
        assert words(term) in words(text)


@given(st.text(max_size=60))
def test_words_are_stable(text: str) -> None:
    assert words(words(text)) == words(text)
