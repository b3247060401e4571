"""Reading numbers as files write them; ambiguous ones are not guessed."""

import pytest

from pulse.cli.notation import Notation
from pulse.cli.times import TimeReader

POINTS = Notation(TimeReader("UTC"))
COMMAS = Notation(TimeReader("UTC"), decimal_comma=True)


@pytest.mark.parametrize("text", ["12.50", " 12.50 ", "-3", "1e3", "many"])
def test_without_a_comma_a_text_is_left_to_whoever_judges_numbers(text: str) -> None:
    assert POINTS.number(text) == text.strip()


@pytest.mark.parametrize("text", ["12,50", "1.234,50", "1,234.50", "1,234", "9,0", ","])
def test_a_comma_is_not_read_until_the_file_is_said_to_have_decimal_ones(text: str) -> None:
    with pytest.raises(ValueError, match=r"has a comma.*--decimal-comma"):
        POINTS.number(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12,50", "12.50"),
        ("-0,05", "-0.05"),
        (" 9 ", "9"),
        ("+7,0", "+7.0"),
        ("1234,5", "1234.5"),
        ("1.234,50", "1234.50"),
        ("-12.345.678,9", "-12345678.9"),
        ("1.234.567", "1234567"),
        ("123456789012345678901,0001", "123456789012345678901.0001"),
    ],
)
def test_decimal_commas_become_points(text: str, number: str) -> None:
    assert COMMAS.number(text) == number


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("12.50", "decimal point", id="another notation"),
        pytest.param("1.234", "decimal point", id="thousands, or three decimals"),
        pytest.param("-9.0", "decimal point", id="another notation, negative"),
        pytest.param("12.34,50", "decimal point", id="not between thousands"),
        pytest.param("1234.567,8", "decimal point", id="four digits before the first point"),
        pytest.param("0.123,4", "decimal point", id="no thousand begins with 0"),
        pytest.param("1.234,567.8", "decimal point", id="a point behind the comma"),
        pytest.param("1,234,567", "no such number", id="two commas"),
        pytest.param("1 234,50", "no such number", id="spaces between thousands"),
        pytest.param("12,", "no such number", id="nothing behind the comma"),
        pytest.param(",50", "no such number", id="nothing before the comma"),
        pytest.param("1,5e3", "no such number", id="exponent"),
        pytest.param("many", "no such number", id="no number"),
        pytest.param("١٢,٥", "no such number", id="other digits"),
    ],
)
def test_what_could_be_another_number_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"{fault}: with --decimal-comma"):
        COMMAS.number(text)
