"""Replies as text: numbers stay numbers, and a page holds what fits."""

import json
from decimal import Decimal
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.serve import formats
from pulse.serve.formats import fill, json_object, json_rows, to_json


def test_decimals_are_json_numbers() -> None:
    figures = [Decimal("41.24"), Decimal("20.00"), Decimal(4), Decimal("4.5"), None, 7]
    assert to_json(figures) == "[41.24,20.0,4,4.5,null,7]"


def test_what_has_no_json_form_is_an_error() -> None:
    with pytest.raises(TypeError):
        to_json({1, 2})
    with pytest.raises(ValueError):
        to_json(float("nan"))


def test_objects_are_joined_from_json_texts() -> None:
    text = json_object({"a": '[1,"x"]', "b": "null"})
    assert json.loads(text) == {"a": [1, "x"], "b": None}


@given(st.lists(st.integers(0, 10**6), max_size=12), st.integers(0, 80), st.integers(1, 5))
def test_rows_written_together_are_those_that_fit_one_by_one(
    numbers: list[int], room: int, at_once: int
) -> None:
    rows = [{"a": number} for number in numbers]
    expected = fill([f'{{"a":{number}}}' for number in numbers], limit=99, room=room)
    with mock.patch.object(formats, "_AT_ONCE", at_once):
        assert json_rows(rows, room=room) == (f"[{','.join(expected)}]", len(expected))


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
