"""Reading a whole file: what is sent, in which order, and what is set aside."""

import csv
import random
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pulse.cli.notation import Notation
from pulse.cli.plan import ImportPlan
from pulse.cli.preparing import prepare
from pulse.cli.rejects import RejectsFile
from pulse.cli.responses import RESPONSES
from pulse.cli.spool import Spool
from pulse.cli.table import Row, TableFile
from pulse.cli.times import TimeReader
from pulse.errors import FieldError


def sent(path: Path, *lines: str, timezone: str = "UTC") -> list[tuple[date | None, int]]:
    """The days and lines of what would be sent, in order."""
    path.write_text("\n".join(["when,points", *lines]))
    file = TableFile.open(path)
    columns = {"answered_at": "when", "score": "points"}
    notation = Notation(TimeReader("UTC"))
    plan = ImportPlan.make(RESPONSES, file, columns, {"survey_id": "s"}, notation)
    with Spool() as spool:
        prepared = prepare(file, plan, timezone, spool, lambda row, fault: None)
        return [(ready.day, ready.row.line) for ready in prepared.ready()]


def test_days_follow_each_other_and_a_day_keeps_the_order_of_the_file(tmp_path: Path) -> None:
    lines = ("2026-03-03,1", "2024-12-31,2", "2026-03-03,3", ",4", "2026-03-02,5")
    assert sent(tmp_path / "f.csv", *lines) == [
        (None, 5),
        (date(2024, 12, 31), 3),
        (date(2026, 3, 2), 6),
        (date(2026, 3, 3), 2),
        (date(2026, 3, 3), 4),
    ]


def test_days_are_the_tenants(tmp_path: Path) -> None:
    line = "2026-03-02T23:30:00Z,1"
    assert sent(tmp_path / "f.csv", line, timezone="Asia/Tokyo") == [(date(2026, 3, 3), 2)]


@given(st.lists(st.integers(1, 5000), unique=True, max_size=40), st.randoms())
def test_rejected_rows_stand_in_the_order_of_the_file(
    tmp_path_factory: object, lines: list[int], shuffle: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("rejects")  # type: ignore[attr-defined]
    source = TableFile(folder / "f.csv", ("a",))
    shuffle.shuffle(lines)
    with RejectsFile(source) as rejects:
        for line in lines:
            rejects.add(Row(line, (f"ä{line}",)), FieldError("a", "bad", "No."))
    if not lines:
        assert not rejects.path.exists()
        return
    with rejects.path.open(newline="") as opened:
        found = [(row["a"], row["rejected_line"]) for row in csv.DictReader(opened)]
    assert found == [(f"ä{line}", str(line)) for line in sorted(lines)]
