"""Exports of known systems: each layout reads a small file of its kind.

The files in the folder layouts, and what is expected of them, were written by hand after the
sources that the layouts name.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pulse.cli.exits import WrongUseError
from pulse.cli.given import Given, Options
from pulse.cli.interactions import INTERACTIONS
from pulse.cli.layout import FOLDER, FileLayout, layout_names
from pulse.cli.plan import Kind
from pulse.cli.preparing import prepare
from pulse.cli.responses import RESPONSES
from pulse.cli.spool import Spool
from pulse.cli.table import Row
from pulse.errors import FieldError
from tests.workbooks import xlsx

FILES = Path(__file__).parent / "layouts"
Events = list[dict[str, Any]]


def events(
    kind: Kind, layout: str, *, file: Path | None = None, **more: Any
) -> tuple[Events, list[str], int]:
    """The events of a layout's file in their order, codes of rejected rows, rows left out."""
    fixed = ("survey_id=s",) if kind is RESPONSES else ()
    options = Options(layout, fixed=fixed, **more)
    given = Given.read(kind, file or FILES / f"{layout}.csv", options, "Europe/Berlin")
    plan, rejected = given.plan(kind), []

    def reject(row: Row, fault: FieldError) -> None:
        rejected.append(fault.code)

    with Spool() as waiting:
        prepared = prepare(given.source, plan, "Europe/Berlin", waiting, reject)
    read = [plan.event(row) for row in given.source.rows() if not plan.leaves_out(row)]
    return read, rejected, prepared.left_out


MORE: dict[str, dict[str, Any]] = {"qualtrics": {"mapping": ("score=Q1", "comment=Q2")}}
"""Options that a file of the layout always needs."""
EXPECTED = sorted(path.name.removesuffix(".json") for path in FILES.glob("*.json"))


def expected(case: str) -> tuple[Events, int]:
    told = json.loads((FILES / f"{case}.json").read_text())
    return told["events"], told["left_out"]


@pytest.mark.parametrize("case", EXPECTED)
def test_a_layout_reads_a_file_of_its_kind(case: str) -> None:
    name, _, stream = case.rpartition(".")
    kind = {"responses": RESPONSES, "interactions": INTERACTIONS}[stream]
    wanted, left_out = expected(case)
    assert events(kind, name, **MORE.get(name, {})) == (wanted, [], left_out)


def test_every_layout_is_tested_and_names_where_its_columns_are_documented() -> None:
    for name in layout_names():
        told = tomllib.loads((FOLDER / f"{name}.toml").read_text())
        assert {f"{name}.{stream}" for stream in told} <= {*EXPECTED}
        comment = (FOLDER / f"{name}.toml").read_text().partition("\n[")[0]
        assert all(line.startswith("#") for line in comment.splitlines())
        assert re.search(r"https://\S+|\S+\.c\b", comment)


def test_a_layout_goes_behind_what_the_command_line_says() -> None:
    read, _, _ = events(
        RESPONSES,
        "zendesk",
        mapping=("answered_at=Updated at",),
        value=("score:Good=5",),
        timezone="UTC",
    )
    assert [(one["answered_at"], one["score"]) for one in read] == [
        ("2026-03-05T10:00:00Z", 5),
        ("2026-03-03T10:00:00Z", 0),
    ]


def test_a_field_that_is_set_is_taken_from_no_column() -> None:
    options = Options("delighted", fixed=("survey_id=s", "customer_id=all", "channel=chat"))
    given = Given.read(RESPONSES, FILES / "delighted.csv", options, "UTC")
    event = given.plan(RESPONSES).event(next(given.source.rows()))
    assert (event["customer_id"], event["channel"]) == ("all", "chat")


def test_rows_are_left_out_by_a_field_or_a_column() -> None:
    read, rejected, left_out = events(
        RESPONSES, "nicereply", leave_out=("comment=", "Ticket=t-9", "score=7")
    )
    assert ([one["response_id"] for one in read], rejected, left_out) == (["91"], [], 1)


def test_times_are_read_in_the_way_that_the_file_has(tmp_path: Path) -> None:
    text = (FILES / "delighted.csv").read_text()
    for written in ("2026-03-02 10:00:00 +0100", "2026-03-02 09:00:00 UTC", "1772442000"):
        path = tmp_path / "file.csv"
        path.write_text(text.replace("1772442000", written).replace("1772445600", written))
        read, _, _ = events(RESPONSES, "delighted", file=path)
        assert {one["answered_at"] for one in read} == {"2026-03-02T09:00:00Z"}


def test_a_layout_reads_a_workbook_too(tmp_path: Path) -> None:
    lines = [line.split(",") for line in (FILES / "nicereply.csv").read_text().splitlines()]
    path = tmp_path / "ratings.xlsx"
    path.write_bytes(xlsx({"Ratings": lines}))
    assert events(RESPONSES, "nicereply", file=path)[0] == expected("nicereply.responses")[0]


@pytest.mark.parametrize(
    ("name", "stream", "complaint"),
    [
        (
            "hubspot",
            "responses",
            "--layout takes delighted, google-forms,.* zendesk, not 'hubspot'",
        ),
        ("../x", "responses", "--layout takes"),
        ("delighted", "interactions", "delighted become responses, not interactions"),
    ],
)
def test_a_layout_that_there_is_not_is_refused(name: str, stream: str, complaint: str) -> None:
    with pytest.raises(WrongUseError, match=complaint):
        FileLayout.load(name, stream)
