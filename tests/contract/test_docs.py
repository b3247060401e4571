"""The documents say what the code does."""

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from pulse.cli import importing
from pulse.cli.layout import layout_names
from pulse.documents.written import DOCUMENTS, OPENAPI
from pulse.finance.files import COLUMNS
from pulse.reports.formulas import FORMULAS
from pulse.reports.registry import REPORTS
from tests.contract.test_template import FUNCTIONS, TEMPLATE, of_type
from tests.contract.test_watching import ALARMS, counted, filtered, metrics_of

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "operations.md"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_written_from_the_code_is_up_to_date(path: Path) -> None:
    assert path.read_text() == DOCUMENTS[path](), "make docs writes it anew"


def test_the_document_that_is_served_lies_in_docs() -> None:
    assert (ROOT / "docs" / "openapi.json").resolve() == OPENAPI


def test_every_formula_that_replies_name_is_written_down() -> None:
    named = {m.formula for report in REPORTS.values() for m in report.metrics if m.formula}
    assert named == set(FORMULAS)


@pytest.mark.parametrize("stream", ["responses", "interactions"])
def test_every_option_of_an_import_is_explained_and_every_layout(stream: str) -> None:
    page = (ROOT / "docs" / "importing.md").read_text()
    group = get_command(importing.app)
    assert isinstance(group, TyperGroup)
    command = group.commands[stream]
    options = {name for one in command.params for name in one.opts if name.startswith("--")}
    assert len(options) > 20
    assert {name for name in options if not re.search(rf"{name}\b", page)} == set()
    assert all(f"| `{name}` | " in page for name in layout_names())


def test_every_alarm_has_its_line_in_the_manual() -> None:
    alarms = set(of_type("AWS::CloudWatch::Alarm"))
    rows = re.findall(r"^\| ([\w, ]+) \|", _section("Alarms"), re.MULTILINE)
    assert {name for row in rows for name in row.split(", ")} - {"alarm"} == alarms


def _idle_cost(part: str) -> tuple[str, Decimal]:
    """The arithmetic of a part of a stack that nobody uses, and its dollars a month."""
    row = rf"^\| {part} \| (.+?) \| ([\d.]+) \|$"
    arithmetic, dollars = re.findall(row, _section("Cost"), re.MULTILINE)[0]
    return arithmetic, Decimal(dollars)


def test_the_manual_counts_the_alarms_and_their_metrics_as_the_template_has_them() -> None:
    watched = Counter(len(list(metrics_of(alarm))) for alarm in ALARMS.values())
    ones = watched.pop(1)
    ((many, alarms),) = watched.items()
    assert (many, alarms) == (10, 1)  # one over as many metrics as there are functions
    metrics = ones + many
    arithmetic, dollars = _idle_cost("alarms")
    assert arithmetic == f"{ones} over one metric each, one over ten: {metrics} × $0.10"
    assert dollars == metrics * Decimal("0.10")


def test_the_manual_counts_the_metrics_that_the_code_and_the_log_s_filters_make() -> None:
    metrics = len(counted()) + len(filtered())
    arithmetic, dollars = _idle_cost("custom metrics")
    assert arithmetic.endswith(f"at most {metrics} × $0.30")
    assert dollars == metrics * Decimal("0.30")


def test_the_manual_counts_the_calls_of_schedules_that_are_always_there() -> None:
    nightly = TEMPLATE["Parameters"]["NightlySchedule"]["Default"]
    asked = [
        event["Properties"]["ScheduleExpression"]
        for function in FUNCTIONS.values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "ScheduleV2"
    ]
    times = [
        nightly if expression == {"Ref": "NightlySchedule"} else expression for expression in asked
    ]
    every_day = [t for t in times if re.fullmatch(r"cron\(\d+ \d+ \* \* \? \*\)", t)]
    (rate,) = set(times) - set(every_day)
    minutes = int(re.fullmatch(r"rate\((\d+) minutes\)", rate)[1])  # type: ignore[index]
    arithmetic, _ = _idle_cost("schedules")
    assert arithmetic.startswith(f"{30 * 24 * 60 // minutes:,} calls of order_exports × ")
    assert arithmetic.endswith(f", and {len(every_day)} calls a night")


def test_the_readme_says_what_a_stack_costs_as_the_manual_does() -> None:
    readme = (ROOT / "README.md").read_text()
    [most] = re.findall(r"costs less than \$(\d+) a month", readme)
    [million] = re.findall(r"cost \$([\d.]+)", readme)
    idle = _section("Cost").split("**A stack that nobody uses**, a month:\n\n")[1].split("\n\n")[0]
    parts = dict(re.findall(r"^\| ([^|]+) \| .+ \| ([\d.]+) \|$", idle, re.MULTILINE))
    [web_acl] = [part for part in parts if part.startswith("web ACL")]  # which a stack lacks
    assert len(parts) > 5
    assert 0 < sum(map(Decimal, parts.values())) - Decimal(parts[web_acl]) < Decimal(most)
    assert f"| **together** | | **{million}** |" in _section("Cost")


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


def test_the_decision_tells_what_is_not_run_on_trino_and_why() -> None:
    (decision,) = (ROOT / "docs" / "decisions").glob("0041-*.md")
    told = " ".join(decision.read_text().split())
    reasons = {
        reason
        for file in (ROOT / "tests").rglob("test_*.py")
        for reason in re.findall(r'@pytest\.mark\.not_on_trino\(\s*"([^"]+)"', file.read_text())
    }
    assert reasons
    assert [reason for reason in reasons if reason.split(";")[0] not in told] == []


def test_the_glossary_has_one_line_a_term_in_order() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text()
    terms = re.findall(r"(?m)^\| ([^|]+?) \| [^|]+ \|$", page.split("|---|---|\n")[1])
    assert len(terms) == len(page.split("|---|---|\n")[1].splitlines())
    assert terms == sorted(set(terms))


def test_no_line_of_the_glossary_is_about_a_word_that_nobody_uses() -> None:
    folder = ROOT / "docs"
    others = [*folder.glob("*.md"), ROOT / "README.md", *(ROOT / "shared").rglob("*.py")]
    text = " ".join(
        " ".join(page.read_text().split()).lower() for page in others if page.name != "glossary.md"
    )
    page = (folder / "glossary.md").read_text()
    terms = re.findall(r"(?m)^\| ([^|]+?) \| ", page.split("|---|---|\n")[1])
    assert [term for line in terms for term in line.split(", ") if term not in text] == []
