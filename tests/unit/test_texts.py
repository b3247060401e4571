"""Texts that mean the same although they are written differently."""

import pytest

from pulse.texts import is_word, plain_form, tidy

COMPOSED, APART = "Jos\u00e9", "Jose\u0301"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (COMPOSED, COMPOSED),
        (APART, COMPOSED),
        (f" {APART}\u00a0\t\n", COMPOSED),
        ("\u3000田中\u3000", "田中"),
        ("Ana  María", "Ana  María"),
        ("\u212b", "\u00c5"),  # the sign of the ångström is the letter
        ("ﬁ", "ﬁ"),  # a ligature is no coding of two letters: only a search takes it as them
        ("McDonald", "McDonald"),
        (" \u2003 ", ""),
    ],
)
def test_a_text_has_one_form(written: str, expected: str) -> None:
    assert tidy(written) == expected
    assert tidy(expected) == expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (COMPOSED, "jose"),
        (APART, "JOSE"),
        ("STRASSE", "Straße"),
        ("Ελλάς", "ΕΛΛΑΣ"),
        ("Ångström", "angstrom"),
        ("ﬁsch", "FISCH"),
        ("İstanbul", "istanbul"),
    ],
)
def test_a_search_goes_by_letters_alone(text: str, same: str) -> None:
    assert plain_form(text) == plain_form(same)


@pytest.mark.parametrize(("text", "other"), [("José", "Josef"), ("ja", "나"), ("Łódź", "odz")])
def test_a_search_tells_other_texts_apart(text: str, other: str) -> None:
    assert plain_form(text) != plain_form(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("WhatsApp", True), ("x" * 40, True), ("x" * 41, False), ("", False), (" kiosk", False),
     ("(none)", False), ("(other)", False), ("(rest)", False), (APART, False)],
)  # fmt: skip
def test_a_channel_may_be_called_anything_short(text: str, expected: bool) -> None:
    assert is_word(text) is expected
