"""Every statement has cases below tests/tables, and every case there belongs to a statement."""

import re
from collections import Counter
from pathlib import Path

from pulse import sql
from tests.table_cases import FOLDER, read_cases

CASES = read_cases()
STATEMENTS = {
    f"{path.parent.name}.{path.stem}"
    for path in Path(sql.__file__).parent.glob("*/*.sql")
    if path.parent.name != "counted"  # parts of others
}


def test_every_statement_has_cases_and_every_folder_a_statement() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert folders == STATEMENTS
    assert {f"{case.folder}.{case.statement}" for case in CASES} == STATEMENTS


def test_nothing_but_cases_lies_there() -> None:
    others = {path.name for path in FOLDER.rglob("*") if path.is_file()} - {"README.md"}
    assert sorted(others) == sorted({f"{case.name}.json" for case in CASES})
    assert len(list(FOLDER.glob("*/*.json"))) == len(CASES)


def test_a_case_says_why_in_one_line_under_a_name_of_words() -> None:
    for case in CASES:
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", case.name), case.id
        assert re.fullmatch(r"[^\n]{20,140}\.", case.why), case.id


def test_no_two_cases_share_a_day_of_a_table() -> None:
    """Cases on one day would count each other's rows."""
    used = Counter(
        place
        for case in CASES
        for place in {(laid.dataset.name, laid.kind == "raw", laid.day) for laid in case.laid}
    )
    assert [place for place, cases in used.items() if cases > 1] == []
