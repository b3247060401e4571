"""Each function's imports stay within a budget, since every cold start pays for them."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from pulse import lake
from tests.unit.serve.events import Answer, as_object
from tests.unit.serve.interactions import table_object

ROOT = Path(__file__).parents[2]
# Measured: these imports cost hundreds of milliseconds at each cold start.
PANDAS = {"pandas", "pyarrow.dataset", "awswrangler"}
# What a function does not have that is without the layer of pandas.
LAYER = PANDAS | {"pyarrow", "numpy"}
FORBIDDEN = {
    "ingest": LAYER | {"ua_parser", "maxminddb"},
    "write_raw": PANDAS,
    "serve_reports": PANDAS | {"ua_parser", "maxminddb", "pydantic", "local"},
    "export_revenue": PANDAS | {"ua_parser", "maxminddb"},
    "order_exports": LAYER | {"ua_parser", "maxminddb"},
    "compact_raw": PANDAS | {"ua_parser", "maxminddb"},
    "housekeep": LAYER,
}
WRITES_AN_OBJECT = """
from pulse import lake
from pulse.raw.parquet import encode

columns = lake.SCORES.raw_columns
encode([dict.fromkeys(columns) | {"tags": {"a": "b"}}], columns)
"""
READS_OBJECTS = """
from datetime import date
from pathlib import Path
from pulse import lake
from pulse.days import DateRange
from pulse.reports.rollups import ROLLUPS
from pulse.serve import parquet

year = DateRange(date(2026, 1, 1), date(2026, 12, 31))
read = parquet.read(Path(sys.argv[1]).read_bytes(), lake.SCORES, ROLLUPS["scores"][0])
assert len(read.group(year, {}, ["period", "agent"], granularity="week")) == 2
sold = parquet.read(Path(sys.argv[2]).read_bytes(), lake.INTERACTIONS, ROLLUPS["interactions"][0])
assert sold.group(year, {}, ["currency"]).sums.tolist()[0][-1] == 2 * (10**18 - 1)
"""


def loaded(function: str, then: str = "pass", *arguments: str) -> set[str]:
    """The modules that a process has which imported the function, and did something then."""
    script = f"import app, sys\n{then}\nprint('\\n'.join(sys.modules))"
    paths = [ROOT / "functions" / function, ROOT / "shared"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("function", FORBIDDEN)
def test_a_function_imports_within_its_budget(function: str) -> None:
    assert not FORBIDDEN[function] & loaded(function)


# where pandas is installed, Arrow's own conversion of lists imports it
def test_writing_an_object_is_within_the_budget_too() -> None:
    assert not FORBIDDEN["write_raw"] & loaded("write_raw", WRITES_AN_OBJECT)


def test_reading_objects_is_within_the_budget_too(tmp_path: Path) -> None:
    stored = tmp_path / "year.parquet"
    days = (date(2026, 1, 1), date(2026, 1, 9))
    stored.write_bytes(as_object([Answer(day, 5, agent="ada") for day in days]))
    sold = tmp_path / "interactions.parquet"
    row = {"day": days[0], "currency": "EUR", "entered": 1, "revenue": 10**18 - 1}
    sold.write_bytes(table_object(lake.INTERACTIONS, [row, row]))
    modules = loaded("serve_reports", READS_OBJECTS, str(stored), str(sold))
    assert "pyarrow.parquet" in modules
    assert not FORBIDDEN["serve_reports"] & modules
