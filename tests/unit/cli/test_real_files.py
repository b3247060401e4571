"""Files that other systems have written, in the folder that PULSE_REAL_DATA names."""

import gzip
import os
from collections import Counter
from pathlib import Path

import pytest

from pulse.cli.given import Given, Options
from pulse.cli.preparing import prepare
from pulse.cli.responses import RESPONSES
from pulse.cli.spool import Spool
from pulse.cli.table import Row, TableFile
from pulse.errors import FieldError

FOLDER = Path(os.environ.get("PULSE_REAL_DATA") or "none")
pytestmark = pytest.mark.skipif(
    "PULSE_REAL_DATA" not in os.environ, reason="PULSE_REAL_DATA names no folder"
)


def test_a_call_centre_s_calls_are_a_table() -> None:
    file = TableFile.open(FOLDER / "anonymous_bank_1999-02.txt")
    assert (file.delimiter, len(file.header)) == ("\t", 17)
    rows = list(file.rows())
    assert len(rows) == 33_344
    assert {(len(row.cells), row.fault) for row in rows} == {(17, None)}
    assert rows[0].cells[1] == "34536"


@pytest.mark.parametrize(("survey", "answers"), [("email", 1952), ("mobile", 1801), ("web", 2290)])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "cp1252"])
def test_published_answers_are_the_same_however_the_file_is_saved(
    tmp_path: Path, survey: str, answers: int, codec: str
) -> None:
    text = (FOLDER / f"nps_{survey}.csv").read_text()
    path = tmp_path / "file.csv.gz"
    path.write_bytes(gzip.compress(text.replace(",", ";").encode(codec)))
    options = Options(
        mapping=("score=nps_rating", "answered_at=response_date", "customer_id=user_id"),
        fixed=(f"survey_id={survey}",),
    )
    given = Given.read(RESPONSES, path, options, "UTC")
    rejected: Counter[str] = Counter()

    def reject(row: Row, fault: FieldError) -> None:
        rejected[fault.code] += 1

    with Spool() as waiting:
        prepared = prepare(given.source, given.plan(RESPONSES), "UTC", waiting, reject)
        days = {ready.day for ready in prepared.ready()}
    assert (prepared.rows, rejected) == (answers, Counter())
    assert {str(day)[:4] for day in days} == {"2020"}
    assert prepared.shortened == Counter()
