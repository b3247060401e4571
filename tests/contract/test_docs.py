"""The documents say what the code does."""

import re
from pathlib import Path

from local.documents import PATH, reports_page
from pulse.finance.files import COLUMNS
from pulse.reports.formulas import FORMULAS
from pulse.reports.registry import REPORTS

ROOT = Path(__file__).parents[2]


def test_the_page_of_reports_is_what_the_registry_says() -> None:
    assert PATH.read_text() == reports_page(), "make docs writes it anew"


def test_every_formula_that_replies_name_is_written_down() -> None:
    named = {m.formula for report in REPORTS.values() for m in report.metrics if m.formula}
    assert named == set(FORMULAS)


def test_every_link_between_the_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_finances_athena_table_has_the_columns_of_the_parquet_files() -> None:
    page = (ROOT / "docs" / "finance.md").read_text()
    declared = page.split("CREATE EXTERNAL TABLE revenue_files (")[1].split("PARTITIONED")[0]
    kinds = {"date32[day]": "date", "int64": "bigint", "decimal128(38, 4)": "decimal(38,4)"}
    expected = [f"{c.name} {kinds.get(str(c.type), str(c.type))}" for c in COLUMNS]
    assert re.findall(r"\w+ [\w(),]+?(?=,?\n)", declared) == expected
