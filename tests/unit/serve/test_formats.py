"""Replies as text: numbers stay numbers, and pages keep to their size."""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulse.reports.metrics import (
    Quotient,
    clock,
    count,
    money,
    ratio,
    satisfaction,
    seconds,
    share_pct,
)
from pulse.serve.formats import Written, fill, json_object, json_rows, json_texts, to_json


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


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.text(max_size=5),
    st.decimals(-(10**9), 10**9, places=2),
    st.decimals(-(10**9), 10**9, places=0),
    st.builds(lambda us: clock(us), st.integers(0, 10**12)),
    st.dictionaries(st.sampled_from(["EUR", "CHF"]), st.integers(0, 10**9).map(money)),
)


@given(st.lists(st.lists(st.one_of(CELLS, st.just("%s")), min_size=3, max_size=3), max_size=6))
@example([[1, "%", None], [2, "%", Decimal("0.50")]])
def test_rows_written_by_columns_are_those_written_one_by_one(rows: list[list[object]]) -> None:
    names = ["a", 'quoted "%s"', "100 %"]
    columns: list[list[object]] = [[row[at] for row in rows] for at in range(3)]
    expected = [to_json(dict(zip(names, row, strict=True))) for row in rows]
    assert [*json_texts(names, columns)] == expected


@pytest.mark.parametrize(
    "kind", [ratio, share_pct, seconds, clock, satisfaction, money, count], ids=lambda k: str(k.per)
)
@given(st.integers(-(10**18), 10**18))
@example(0)
@example(100)
@example(-50)
def test_what_columns_write_of_a_figure_is_its_json(kind: Quotient[Decimal], number: int) -> None:
    assert kind.written(number) == to_json(kind.shown(number))


def test_cells_that_are_json_already_stay_as_they_are() -> None:
    assert [*json_texts(["a", "b"], [Written(["1.50", "null"]), ["x", None]])] == [
        '{"a":1.50,"b":"x"}',
        '{"a":null,"b":null}',
    ]


def test_a_page_of_rows_is_one_array_of_what_fits() -> None:
    rows = ['{"a":1}', '{"a":2}', '{"a":3}']
    assert json_rows(rows, room=16) == ('[{"a":1},{"a":2}]', 2)
    assert json_rows(rows, room=0) == ('[{"a":1}]', 1)
    assert json_rows([], room=9) == ("[]", 0)


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
