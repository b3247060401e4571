"""Values from others are shown on one line, unchanged where all their characters are visible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.cli.visible import harmless, visible

SEEN = [
    "Zoë Müller, Jr.",
    "李小龙 عمر",
    "👩\N{ZERO WIDTH JOINER}🚀",
    "می\N{ZERO WIDTH NON-JOINER}خواهم",
    "1\N{NO-BREAK SPACE}000",
    "back\\slash",
]


@pytest.mark.parametrize("text", SEEN)
def test_what_can_be_seen_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines", r"two\nlines"),
        ("a\r\tb\x00\x1b\x85", r"a\r\tb\x00\x1b\x85"),
        ("right\u202eto left\u2066", r"right\u202eto left\u2066"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("half\ud800", r"half\ud800"),
    ],
)
def test_what_shows_as_nothing_is_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_a_value_is_one_line_that_can_be_written(text: str) -> None:
    assert len(visible(text).splitlines()) <= 1
    visible(text).encode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_lines_stay_lines(text: str) -> None:
    ends = text.replace("\r\n", "\n").count("\n")
    assert len(harmless(text).split("\n")) == len(harmless(text + "|").splitlines()) == ends + 1
