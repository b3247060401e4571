"""CSV in which no spreadsheet finds a formula, whatever its separator; it reads back unchanged."""

import csv
import io
import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulse.csv_cells import CsvForm, csv_line, guard, unguard

CASES = json.loads((Path(__file__).parent / "csv_cells.json").read_text())
"""Each with why, a text, and how it is guarded; the dashboard's own CSV is tested by them too."""

RUN = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # meant
odd = st.text(st.sampled_from("=+-@＝;,\t\r\n\"' a\u00a0\ufeff"), max_size=12)
texts = odd | st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.mark.parametrize(("why", "text", "guarded"), CASES, ids=[case[0] for case in CASES])
def test_texts_as_cells(why: str, text: str, guarded: str) -> None:
    assert guard(text) == guarded
    assert unguard(guarded) == text


@given(texts)
@example("\t@x")
@example(";=1+1")
@example("\n'=1")
def test_any_text_is_read_back_unchanged(text: str) -> None:
    assert unguard(guard(text)) == text


@given(st.lists(texts, min_size=2, max_size=5), st.sampled_from([",", ";", "\t"]))
def test_no_cell_begins_with_a_formula_whatever_parts_them(
    found: list[str], delimiter: str
) -> None:
    """The test reads as spreadsheets do, which heed quotes only at the beginning of a cell."""
    line = csv_line(found)
    for row in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter):
        assert not [cell for cell in row if cell.strip(' \t\r\n"\u00a0\ufeff').startswith(RUN)]


@given(st.lists(texts, min_size=1, max_size=5))
def test_any_texts_survive_a_line(found: list[str]) -> None:
    (cells,) = csv.reader(io.StringIO(csv_line(found), newline=""), strict=True)
    assert [unguard(cell) for cell in cells] == found


def test_a_foreign_file_s_apostrophes_are_kept_but_before_a_formula() -> None:
    """There somebody has typed it in a spreadsheet, so that the cell is taken as text."""
    assert unguard("'t Hooft") == "'t Hooft"
    assert unguard("'=x") == "=x"


def test_text_is_always_in_quotes_and_nothing_else_is() -> None:
    line = csv_line(["a", 'says "hi"\nleaves', Decimal("-8.95"), -3, None, "", True, False])
    assert line == '"a","says ""hi""\nleaves",-8.95,-3,,"",true,false\r\n'


def test_a_comment_of_blanks_costs_no_more_than_its_length() -> None:
    """A reader that started again at each blank would need days."""
    begun = time.process_time()
    guard("\t" * 2_000_000)
    assert time.process_time() - begun < 20


def test_with_semicolons_decimals_have_commas_and_texts_stay_as_they_are() -> None:
    cells = ["1.5", Decimal("-8.95"), 2.5, 1234, None, True, "a;b"]
    line = CsvForm(semicolon=True).line(cells)
    assert line == '"1.5";-8,95;2,5;1234;;true;"a;b"\r\n'
    assert CsvForm().line(cells) == csv_line(cells)


def test_excel_is_told_the_encoding_by_a_mark_in_front() -> None:
    assert CsvForm(excel=True).start.encode() == b"\xef\xbb\xbf"
    assert CsvForm().start == ""
