"""Reading rows as responses: what is read, what is set aside, and which ids rows get."""

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.cli.exits import WrongUseError
from pulse.cli.notation import Notation
from pulse.cli.plan import ImportPlan, Meanings, RowError, RowIds
from pulse.cli.responses import RESPONSES
from pulse.cli.table import MomentCell, NumberCell, Row, TableFile
from pulse.cli.times import TimeFormatError, TimeReader
from pulse.csv_cells import csv_line

FILE = TableFile(Path("nps.csv"), ("date", "user", "rating", "text", "plan"))
COLUMNS = {
    "answered_at": "date",
    "customer_id": "user",
    "score": "rating",
    "comment": "text",
    "tags.plan": "plan",
}


def plan(
    columns: dict[str, str] = COLUMNS, fixed: dict[str, str] | None = None, timezone: str = "UTC"
) -> ImportPlan:
    values = {"survey_id": "email", "channel": "chat"} if fixed is None else fixed
    return ImportPlan.make(RESPONSES, FILE, columns, values, Notation(TimeReader(timezone)))


PLAN = plan()


def row(*cells: str) -> Row:
    return Row(2, cells)


def test_a_row_says_what_is_mapped_and_what_is_set() -> None:
    assert PLAN.event(row("2026-11-20", "u1", " 9 ", "Ünïcode, \0 👍 ", "plus")) == {
        "survey_id": "email",
        "channel": "chat",
        "answered_at": "2026-11-20",
        "customer_id": "u1",
        "score": 9,
        "comment": "Ünïcode, \0 👍 ",
        "tags": {"plan": "plus"},
    }


def test_empty_cells_say_nothing() -> None:
    event = PLAN.event(row("2026-11-20", "", "0", "  ", ""))
    assert set(event) == {"survey_id", "channel", "answered_at", "score"}


@pytest.mark.parametrize(
    ("text", "score"), [("9", 9), ("0", 0), ("9.0", 9), ("10.00", 10), ("-1", -1), ("+7", 7)]
)
def test_whole_numbers_are_scores(text: str, score: int) -> None:
    assert PLAN.event(row("2026-11-20", "", text, "", ""))["score"] == score


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (("2026-11-20", "", "9.5", "", ""), "score_not_whole_number"),
        (("2026-11-20", "", "9,0", "", ""), "score_not_whole_number"),
        (("2026-11-20", "", "nine", "", ""), "score_not_whole_number"),
        (("2026-11-20", "", "1e1", "", ""), "score_not_whole_number"),
        (("2026-11-20", "", "9" * 5000, "", ""), "score_not_whole_number"),
        (("last week", "", "9", "", ""), "answered_at_invalid"),
        (("2026-02-30", "", "9", "", ""), "answered_at_invalid"),
        (("2026-11-20", "", "9", ""), "columns_mismatch"),
        (("2026-11-20", "", "9", "", "", ""), "columns_mismatch"),
    ],
)
def test_a_row_that_would_be_rejected_is_not_sent(cells: tuple[str, ...], code: str) -> None:
    with pytest.raises(RowError) as raised:
        PLAN.event(row(*cells))
    assert raised.value.fault.code == code


def test_a_skipped_local_time_is_set_aside() -> None:
    with pytest.raises(RowError) as raised:
        plan(timezone="Europe/Berlin").event(row("2026-03-29 02:30", "", "9", "", ""))
    assert raised.value.fault.code == "answered_at_skipped"


def test_an_ambiguous_date_is_not_the_rows_fault() -> None:
    with pytest.raises(TimeFormatError):
        PLAN.event(row("03/04/2026", "", "9", "", ""))


@pytest.mark.parametrize(
    ("columns", "fixed", "complaint"),
    [
        ({"skore": "rating"}, {}, r"no field 'skore'; the fields are: survey_id, response_id"),
        ({"tags.": "plan"}, {}, r"no field 'tags\.'"),
        ({"score": "rating"}, {"score": "9"}, r"'score' is given by --map and by --set"),
        ({"score": "rating", "answered_at": "date"}, {}, r"--survey ID"),
        ({"answered_at": "date"}, {"survey_id": "s"}, r"--map score=COLUMN.*date, user, rating"),
        ({"score": "rating"}, {"survey_id": "s"}, r"--map answered_at=COLUMN"),
        ({**COLUMNS, "score": "stars"}, {"survey_id": "s"}, r"no column 'stars'; its columns are"),
    ],
)
def test_a_plan_that_gives_no_responses_is_refused(
    columns: dict[str, str], fixed: dict[str, str], complaint: str
) -> None:
    with pytest.raises(WrongUseError, match=complaint):
        plan(columns, fixed)


# -- ids


def ids(responses: list[dict[str, Any]]) -> list[str]:
    naming = RowIds("response_id")
    return [naming.identify(response) for response in responses]


A: dict[str, Any] = {"survey_id": "email", "score": 9, "answered_at": "2026-11-20T12:00:00Z"}
B: dict[str, Any] = {**A, "score": 8}


def test_equal_rows_of_a_file_stay_distinct() -> None:
    assert len(set(ids([A, B, A, A]))) == 4


def test_a_row_keeps_its_id_when_the_mapping_is_written_in_another_order() -> None:
    assert ids([A]) == ids([dict(reversed(A.items()))])


def test_an_id_of_the_file_is_used_as_it_is() -> None:
    assert ids([{**A, "response_id": "x-1"}, {**A, "response_id": "x-1"}]) == ["x-1", "x-1"]


def test_made_ids_are_such_as_the_interface_takes() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", name) for name in ids([A, B, A]))


def test_rows_of_a_batch_have_other_ids_than_equal_ones_outside_of_it() -> None:
    made = [RowIds("response_id", batch).identify(A) for batch in (None, "one", "two", "one")]
    assert len(set(made)) == 3
    assert made[1] == made[3]


def test_ids_do_not_change_between_versions() -> None:
    """Files imported by an earlier version must not count again."""
    assert ids([A, A]) == [
        "row-431761b5ecfd16c92c225517555c5dce6bf45cf8",
        "row-20dfc64adb8c93725812b18ba52b3a44ede51ae6",
    ]


response = st.fixed_dictionaries(
    {"score": st.integers(0, 2), "customer_id": st.sampled_from(["", "a", "é"])}
)
files = st.lists(response, max_size=30)


@given(files)
def test_the_same_file_always_gets_the_same_distinct_ids(file: list[dict[str, Any]]) -> None:
    assert ids(file) == ids(file)
    assert len(set(ids(file))) == len(file)


@given(files, st.integers(0, 30))
def test_an_interrupted_import_sends_a_part_of_the_same_ids(
    file: list[dict[str, Any]], sent: int
) -> None:
    assert set(ids(file[:sent])) | set(ids(file)) == set(ids(file))


@given(files, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    file: list[dict[str, Any]], shuffle: random.Random
) -> None:
    shuffled = list(file)
    shuffle.shuffle(shuffled)
    assert set(ids(shuffled)) == set(ids(file))


@given(files, files)
def test_what_two_files_share_has_the_same_ids(
    one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    def counted(file: list[dict[str, Any]]) -> Counter[str]:
        return Counter(str(sorted(response.items())) for response in file)

    assert len(set(ids(one)) & set(ids(other))) == (counted(one) & counted(other)).total()


@pytest.mark.parametrize("text", ["+49 30 1234", "-", "'-", "=1+1", ";=1", "\t@x", "a\n=1", "'t"])
def test_a_row_of_our_own_export_says_what_was_sent(tmp_path: Path, text: str) -> None:
    """An agent must not come back as another one."""
    path = tmp_path / "export.csv"
    lines: list[list[Any]] = [["answered_at", "score", "agent"], ["2026-11-20T14:03:00Z", 4, text]]
    text_of_file = "".join(csv_line(cells) for cells in lines)
    path.write_text(text_of_file, encoding="utf-8", newline="")
    file = TableFile.open(path)
    columns = {"answered_at": "answered_at", "score": "score", "agent_id": "agent"}
    read = ImportPlan.make(
        RESPONSES, file, columns, {"survey_id": "s"}, Notation(TimeReader("UTC"))
    )
    (only,) = file.rows()
    assert read.event(only)["agent_id"] == text


def test_of_a_foreign_file_only_what_would_be_a_formula_loses_its_apostrophe() -> None:
    assert PLAN.event(row("2026-11-20", "'t Hooft", "9", "'=x", ""))["comment"] == "=x"
    assert PLAN.event(row("2026-11-20", "'t Hooft", "9", "'=x", ""))["customer_id"] == "'t Hooft"


# -- what cells mean


def meant(text: str, meanings: Meanings = Meanings(), **notation: bool) -> Any:  # noqa: B008
    """The event's score of a cell, or the code of its fault."""
    written = Notation(TimeReader("UTC"), **notation)
    columns = {"answered_at": "date", "score": "rating"}
    made = ImportPlan.make(RESPONSES, FILE, columns, {"survey_id": "s"}, written, meanings)
    try:
        return made.event(Row(2, ("2026-11-20", "", text, "", ""))).get("score")
    except RowError as error:
        return error.fault.code


NOT_WHOLE = "score_not_whole_number"


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("5 - Extremely easy", 5),
        ("5 – Sehr gut", 5),
        ("0 (Not at all likely)", 0),
        ("10: Extremely likely", 10),
        ("1. Poor", 1),
        ("5 stars", 5),
        ("4.0 - Good", 4),
        ("Extremely likely - 10", 10),
        ("Not at all likely (0)", 0),
        ("9", 9),
        ("9.0", 9),
        ("5 - out of 10", NOT_WHOLE),
        ("Good", NOT_WHOLE),
        ("4.5 - Good", NOT_WHOLE),
        ("2026-11-20", NOT_WHOLE),
    ],
)
def test_a_label_beside_a_number_is_left_out_where_the_file_has_them(
    text: str, score: int | str
) -> None:
    assert meant(text, labelled=True) == score
    if not text.replace(".", "").isdecimal():
        assert meant(text) == NOT_WHOLE


def test_values_have_the_meanings_that_are_given() -> None:
    meanings = Meanings({"score": {"good": "5", "so, so": "3", "skipped": ""}}, frozenset({"N/A"}))
    told = ["Good", " GOOD ", "So, so", "4", "skipped", "N/A", "n/a", "bad"]
    assert [meant(text, meanings) for text in told] == [
        *(5, 5, 3, 4),
        *(None, None, NOT_WHOLE, NOT_WHOLE),
    ]


def test_meanings_belong_to_mapped_fields() -> None:
    with pytest.raises(WrongUseError, match="'comment', which no --map names"):
        meant("5", Meanings({"comment": {"a": "b"}}))


def test_a_cell_that_holds_a_number_or_a_time_is_read_by_no_notation() -> None:
    notation = Notation(TimeReader("Europe/Berlin", "%d.%m.%Y"), decimal_comma=True)
    columns = {"answered_at": "date", "score": "rating", "tags.plan": "plan"}
    made = ImportPlan.make(RESPONSES, FILE, columns, {"survey_id": "s"}, notation)
    cells = (MomentCell("2026-11-20 09:00:00"), "", NumberCell("9.0"), "", NumberCell("12.5"))
    event = made.event(Row(2, cells))
    assert (event["answered_at"], event["score"]) == ("2026-11-20T08:00:00Z", 9)
    assert event["tags"] == {"plan": "12.5"}
    with pytest.raises(RowError, match=r"'2026-11-20 09:00:00' is not a time"):
        made.event(Row(2, ("2026-11-20 09:00:00", *cells[1:])))
