"""serve_reports starts without pandas: what it imports is what a cold start pays for."""

import subprocess
import sys
from datetime import date
from pathlib import Path

from pulse import lake
from tests.unit.serve.events import Answer, as_object
from tests.unit.serve.interactions import table_object

ROOT = Path(__file__).parents[3]
FORBIDDEN = ("pandas", "awswrangler", "pyarrow.dataset", "ua_parser", "maxminddb", "pydantic")

_PROGRAM = """
import sys
from datetime import date
from pathlib import Path
import functions.serve_reports.app
from pulse.days import DateRange
from pulse import lake
from pulse.reports.rollups import ROLLUPS
from pulse.serve import parquet

year = DateRange(date(2026, 1, 1), date(2026, 12, 31))
read = parquet.read(Path(sys.argv[1]).read_bytes(), lake.SCORES, ROLLUPS["scores"][0])
assert len(read.group(year, {}, ["period", "agent"], granularity="week")) == 2
sold = parquet.read(Path(sys.argv[2]).read_bytes(), lake.INTERACTIONS, ROLLUPS["interactions"][0])
assert sold.group(year, {}, ["currency"]).sums.tolist()[0][-1] == 2 * (10**18 - 1)
print(*sorted(sys.modules))
"""


def test_importing_the_handler_and_reading_an_object_pull_in_no_pandas(tmp_path: Path) -> None:
    stored = tmp_path / "year.parquet"
    days = (date(2026, 1, 1), date(2026, 1, 9))
    stored.write_bytes(as_object([Answer(day, 5, agent="ada") for day in days]))
    sold = tmp_path / "interactions.parquet"
    row = {"day": days[0], "currency": "EUR", "entered": 1, "revenue": 10**18 - 1}
    sold.write_bytes(table_object(lake.INTERACTIONS, [row, row]))
    done = subprocess.run(  # our own interpreter and program
        [sys.executable, "-c", _PROGRAM, str(stored), str(sold)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    modules = done.stdout.split()
    assert "pyarrow.parquet" in modules
    assert not [name for name in FORBIDDEN if name in modules]
