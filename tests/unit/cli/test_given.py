"""How the options of an import are understood, and which are refused."""

from pathlib import Path
from typing import Any

import pytest

from pulse.cli.exits import WrongUseError
from pulse.cli.given import Given, Options
from pulse.cli.preparing import prepare
from pulse.cli.responses import RESPONSES
from pulse.cli.spool import Spool
from pulse.cli.table import Row
from pulse.errors import FieldError

MAPPING = ("score=Rating#2", "answered_at=When")
TEXT = (
    "export of March\n\nWhen;Rating;Rating;Kind\nday;self;others;text\n"
    "2.3.26;1;Good;answer\n3.3.26;1;7;test\n4.3.26;1;-;answer\n"
    '5.3.26;1;"9"x;answer\n6.3.26;1;4;answer;;\n\n7.3.26;1;so so;answer\n'
)


def given(folder: Path, **options: Any) -> Given:
    path = folder / "file.csv"
    path.write_text(TEXT)
    known = {"mapping": MAPPING, "fixed": ("survey_id=s",), "header_row": 3, "skip": 1}
    return Given.read(RESPONSES, path, Options(**{**known, **options}), "UTC")


def test_all_options_together_read_a_file(tmp_path: Path) -> None:
    found = given(
        tmp_path,
        value=("score:good=9", "score:bad=1"),
        empty=("N/A,-",),
        leave_out=("Kind=Test",),
        date_format="%d.%m.%y",
        timezone="Asia/Tokyo",
    )
    plan = found.plan(RESPONSES)
    rejected: list[tuple[int, str]] = []

    def reject(row: Row, fault: FieldError) -> None:
        rejected.append((row.line, fault.code))

    with Spool() as waiting:
        prepared = prepare(found.source, plan, "UTC", waiting, reject)
        lines = [ready.row.line for ready in prepared.ready()]
    assert lines == [5, 7, 9]  # a row without a score is the interface's to judge
    assert rejected == [(8, "row_unreadable"), (11, "score_not_whole_number")]
    assert (prepared.rows, prepared.left_out) == (6, 1)
    first = plan.event(next(found.source.rows()))
    assert (first["score"], first["answered_at"]) == (9, "2026-03-02")
    assert found.notation.times.timezone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"value": ("score=5",)}, "--value takes FIELD:FROM=TO, not 'score=5'"),
        ({"value": ("score:=5",)}, "--value takes FIELD:FROM=TO"),
        ({"value": ("score:a=5", "score:A=4")}, "--value gives 'A' two meanings"),
        ({"value": ("comment:a=b",)}, "for 'comment', which no --map names"),
        ({"leave_out": ("Kind",)}, "--leave-out takes FIELD=TEXT or COLUMN=TEXT"),
        ({"leave_out": ("Sort=x",)}, "no column 'Sort'"),
        ({"delimiter": "::"}, "--delimiter takes one character or tab, not '::'"),
        ({"timezone": "Mars/Olympus"}, "--timezone: unknown time zone"),
        ({"date_format": "%H:%M"}, "--date-format: it does not name"),
        ({"mapping": ("score=Rating", "answered_at=When")}, "2 columns called 'Rating'"),
        ({"layout": "none"}, "--layout takes"),
        ({"header_row": 99}, "no header line from line 99 on"),
    ],
)
def test_what_cannot_be_said_is_refused(
    tmp_path: Path, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(WrongUseError, match=complaint):
        given(tmp_path, **options).plan(RESPONSES)
