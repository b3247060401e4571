"""The documents say what the code does."""

import re
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from local.documents import PATH, reports_page
from pulse.finance.files import COLUMNS
from pulse.reports.formulas import FORMULAS
from pulse.reports.registry import REPORTS

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "operations.md"


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


def test_every_alarm_has_its_line_in_the_manual() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    alarms = {
        name for name, r in template["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm"
    }
    rows = re.findall(r"^\| ([\w, ]+) \|", _section("Alarms"), re.MULTILINE)
    assert {name for row in rows for name in row.split(", ")} - {"alarm"} == alarms


def test_the_manual_begins_with_all_of_its_sections() -> None:
    page = MANUAL.read_text()
    linked = re.findall(r"\]\(#([\w-]+)\)", page.split("\n## ")[0])
    titles = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert linked == [title.lower().replace(" ", "-") for title in titles]


def _section(title: str) -> str:
    """A section of the operations manual."""
    return MANUAL.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_finances_athena_table_has_the_columns_of_the_parquet_files() -> None:
    page = (ROOT / "docs" / "finance.md").read_text()
    declared = page.split("CREATE EXTERNAL TABLE revenue_files (")[1].split("PARTITIONED")[0]
    kinds = {"date32[day]": "date", "int64": "bigint", "decimal128(38, 4)": "decimal(38,4)"}
    expected = [f"{c.name} {kinds.get(str(c.type), str(c.type))}" for c in COLUMNS]
    assert re.findall(r"\w+ [\w(),]+?(?=,?\n)", declared) == expected
