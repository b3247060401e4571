"""The embedded stack does not depend on Pulse: it reads a template and knows nothing else of it."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlglot import exp

from local.athena import aggregates, compiler, expressions, queries
from local.athena.dialect import check_portable
from local.athena.statement import read_query, read_statement
from pulse import sql
from pulse.days import DateRange
from pulse.serve.comments.narrowing import Narrowing
from pulse.sql import statement
from tests.documents import DOCS, texts
from tests.recipes import views

LOCAL = Path(__file__).parents[2] / "local"
SAMPLE = LOCAL / "sample"
"""Pulse on the stack: the one folder that may import Pulse."""
MODULES = [path for path in sorted(LOCAL.rglob("*.py")) if SAMPLE not in path.parents]


def name(path: Path) -> str:
    return str(path.relative_to(LOCAL))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_stack_imports_nothing_of_pulse_and_nothing_of_the_sample(path: Path) -> None:
    ours = {"pulse", "functions", "tests", "bench", "web"}
    found = list(imported(path))
    assert [module for module in found if module.split(".")[0] in ours] == []
    of_sample = [module for module in found if module.startswith("local.sample")]
    assert of_sample == (["local.sample.run.main"] if name(path) == "__main__.py" else [])


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent.name == "athena"], ids=name
)
def test_the_embedded_athena_needs_nothing_else_of_the_stack(path: Path) -> None:
    others = [m for m in imported(path) if m.startswith("local.") and "athena" not in m]
    assert others == []


def test_modules_are_found() -> None:
    assert {"stack.py", "athena/engine.py", "iam.py"} <= set(map(name, MODULES))
    assert "pulse.days" in list(imported(SAMPLE / "run.py"))


# -- what the embedded Athena executes

EVERYDAY = {
    *(
        exp.Abs,
        exp.Avg,
        exp.Concat,
        exp.Exists,
        exp.Hex,
        exp.Length,
        exp.Like,
        exp.Lower,
        exp.Min,
        exp.Mod,
        exp.Neg,
        exp.TryCast,
        exp.Upper,
    ),
}
"""No statement here has these, but people who look into the tables by hand write them."""


def _statements() -> Iterator[str]:
    folder = Path(sql.__file__).parent
    yield from (statement(path.parent.name, path.stem) for path in folder.rglob("*.sql"))
    yield from views().values()
    month = DateRange(date(2026, 6, 1), date(2026, 6, 30))
    narrowing = Narrowing([("2026-06", "s3://lake/x")], month, {}, tags=["team"], held=["app"])
    yield narrowing.statement(10).sql
    yield from texts(DOCS / "api.md", "sql")
    [finance] = texts(DOCS / "finance.md", "sql of Athena")
    yield finance[finance.index("SELECT month") :].strip().removesuffix(";")


def test_there_is_no_rule_that_neither_our_statements_nor_the_documents_need() -> None:
    assert expressions and queries  # importing them registers their rules
    needed = {
        type(node)
        for text in _statements()
        for node in read_query(read_statement(text, checking=True).text).walk()
    }
    known = {*compiler._RULES, *aggregates._WINDOWED}
    assert known - needed == EVERYDAY


README = LOCAL / "README.md"
RUN, REFUSED = (text.splitlines() for text in texts(README, "sql"))


@pytest.mark.parametrize("line", RUN)
def test_what_the_readme_says_is_executed_is_of_the_subset(line: str) -> None:
    assert check_portable(line) == []


@pytest.mark.parametrize("line", REFUSED)
def test_what_the_readme_says_is_refused_is_not(line: str) -> None:
    assert [problem.split(":")[0] for problem in check_portable(line)] == ["NOT_EMULATED"]


def test_the_readme_shows_what_there_is_a_rule_for() -> None:
    shown = {
        type(node)
        for line in RUN
        for node in read_query(read_statement(line, checking=True).text).walk()
    }
    assert {*compiler._RULES, *aggregates._WINDOWED} <= shown


def test_the_readmes_query_in_a_test_has_the_rows_that_it_shows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    program, _ = texts(README, "python")
    exec(compile(program, "README.md", "exec"), {})  # noqa: S102 # it is ours
    [rows] = re.findall(r"print\(rows\)  # (.+)", program)
    assert capsys.readouterr().out.strip() == rows


def test_the_readme_names_the_stacks_modules_and_no_other() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", README.read_text()))
    modules = {path.stem for path in LOCAL.glob("*.py")} - {"__init__", "__main__", "stack"}
    beside = {"sam_deploy", "sizes", "scan", "template"}
    assert modules - beside <= named
