"""JSON and CSV as text: numbers stay numbers, and no cell is a formula."""

import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.serve.formats import csv_line, fill, json_array, json_object, to_json


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    line = csv_line([f"{start}cmd|' /C calc'!A0"])
    (cells,) = csv.reader(io.StringIO(line, newline=""), strict=True)
    assert cells == [f"'{start}cmd|' /C calc'!A0"]


def test_a_negative_number_stays_a_number() -> None:
    assert csv_line([Decimal("-8.95"), -3, None, Decimal("20.00")]) == "-8.95,-3,,20.00\r\n"


def test_flags_are_true_or_false() -> None:
    assert csv_line(["a", True, False]) == "a,true,false\r\n"


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=2))
def test_any_text_survives_csv(texts: list[str]) -> None:
    (cells,) = csv.reader(io.StringIO(csv_line(texts), newline=""), strict=True)
    assert [c.removeprefix("'") for c in cells] == [text.removeprefix("'") for text in texts]


def test_lines_end_as_rfc_4180_says() -> None:
    assert csv_line(["a", 'says "hi"\nleaves']) == 'a,"says ""hi""\nleaves"\r\n'


def test_decimals_are_json_numbers() -> None:
    figures = [Decimal("41.24"), Decimal("20.00"), Decimal(4), Decimal("4.5"), None, 7]
    assert to_json(figures) == "[41.24,20.0,4,4.5,null,7]"


def test_what_has_no_json_form_is_an_error() -> None:
    with pytest.raises(TypeError):
        to_json({1, 2})
    with pytest.raises(ValueError):
        to_json(float("nan"))


def test_objects_are_joined_from_json_texts() -> None:
    text = json_object({"a": json_array(["1", '"x"']), "b": "null"})
    assert json.loads(text) == {"a": [1, "x"], "b": None}


@given(st.lists(st.text(max_size=5)), st.integers(1, 10), st.integers(0, 30))
def test_a_page_holds_as_much_as_fits_and_at_least_one(
    texts: list[str], limit: int, room: int
) -> None:
    page = fill(texts, limit=limit, room=room)
    assert page == texts[: len(page)]
    assert len(page) >= min(1, len(texts))
    if len(page) > 1:
        assert sum(len(text.encode()) + 1 for text in page) <= room
    more = texts[: len(page) + 1]
    if len(more) > len(page) and len(page) < limit:
        assert sum(len(text.encode()) + 1 for text in more) > room
