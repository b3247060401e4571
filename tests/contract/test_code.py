"""The code keeps the promises that the architecture makes of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.athena.dialect import check_portable
from pulse import lake
from pulse.export_orders import STREAMS
from pulse.sql import statement

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "pulse"
MODULES = sorted(PACKAGE.rglob("*.py"))
STATEMENTS = sorted((PACKAGE / "sql").rglob("*.sql"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_the_store_touches_aws(path: Path) -> None:
    if PACKAGE / "store" not in path.parents:
        aws = {"boto3", "botocore", "awswrangler"}
        assert not {module for module in imported(path) if module.split(".")[0] in aws}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_arrows_point_one_way(path: Path) -> None:
    outside = {"functions", "local", "tests"}
    assert not {module for module in imported(path) if module.split(".")[0] in outside}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_one_function_reads_the_clock(path: Path) -> None:
    reads = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
    found = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert path.name == "days.py" or not found & reads


def test_the_tests_that_run_first_exist() -> None:
    tree = ast.parse((ROOT / "tests" / "conftest.py").read_text())
    [listed] = [
        ast.literal_eval(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LONGEST"
    ]
    for file in listed:
        assert (ROOT / file).exists()


def test_each_public_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name(path))
    assert len(places) > 100
    assert {each: found for each, found in places.items() if len(found) > 1} == {}


def test_test_files_have_one_subject_each_and_500_lines_at_most() -> None:
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "web" / "tests").rglob("*.ts")]
    assert len(files) > 100
    lines = {name(path): len(path.read_text().splitlines()) for path in files}
    assert {file: number for file, number in lines.items() if number > 500} == {}


def test_what_only_the_command_needs_is_in_no_layer_of_the_functions() -> None:
    layers = list(ROOT.glob("layers/*/requirements.txt"))
    assert layers
    for path in layers:
        packages = set(re.findall(r"^([\w-]+)==", path.read_text(), re.MULTILINE))
        assert packages
        assert not packages & {"typer", "rich", "python-calamine", "charset-normalizer"}


@pytest.mark.parametrize("path", STATEMENTS, ids=name)
def test_a_statement_goes_without_its_comments_and_is_one(path: Path) -> None:
    text = statement(path.parent.name, path.stem)
    assert "--" not in text
    assert ";" not in text


@pytest.mark.parametrize("path", STATEMENTS, ids=name)
def test_a_statement_stays_in_the_subset_that_trino_and_duckdb_share(path: Path) -> None:
    assert check_portable(statement(path.parent.name, path.stem)) == []


def test_every_dataset_has_its_statements_and_no_other_lies_about() -> None:
    checks = ("in_raw", "in_run", "by_year", "on_two_days", "received")
    expected = {
        relative
        for dataset in lake.DATASETS
        for relative in (
            f"daily/{dataset.name}.sql",
            f"reports/{dataset.name}.sql",
            f"reports/{dataset.name}_changed.sql",
            f"large/{dataset.name}.sql",
            *(f"checks/{dataset.name}_{check}.sql" for check in checks),
        )
    }
    expected |= {f"daily/{name}.sql" for name in ("scores_folded", "comments", "experience")}
    expected |= {"checks/interactions_backwards.sql", "checks/comments_in_raw.sql"}
    experience = ("experience_in_run", "experience_by_year", "experience_and_scores")
    expected |= {"large/experience.sql", *(f"checks/{name}.sql" for name in experience)}
    expected |= {f"reports/{name}.sql" for name in ("experience", "experience_changed")}
    expected |= {"counted/durations.sql", "counted/linked.sql"}
    # what an export and a daily build have in common stands once
    expected |= {
        f"{folder}/{stream}.sql" for stream in STREAMS for folder in ("exports", "counted")
    }
    expected |= {
        f"erasing/{stream}_{asked}.sql"
        for stream in STREAMS
        for asked in ("named", "covered", "called")
    }
    expected |= {f"erasing/{dataset.stream}_brought.sql" for dataset in lake.DATASETS}
    assert {str(path.relative_to(PACKAGE / "sql")) for path in STATEMENTS} == expected


def test_a_query_that_stands_once_is_used_more_than_once() -> None:
    for path in (PACKAGE / "sql" / "counted").glob("*.sql"):
        mention = f"{{counted/{path.stem}}}"
        assert len([other for other in STATEMENTS if mention in other.read_text()]) > 1, path


def test_a_statement_opens_with_its_grain_inputs_and_reason() -> None:
    for path in STATEMENTS:
        lines = path.read_text().splitlines()
        assert lines[0].startswith("-- "), path
        assert any("arameters:" in line for line in lines[:4]), path


@pytest.mark.parametrize("dataset", lake.DAILY_TABLES, ids=lambda dataset: dataset.name)
@pytest.mark.parametrize("name", ["large/{}", "reports/{}", "reports/{}_changed"])
def test_statements_say_of_older_rows_what_readers_of_older_objects_say(
    dataset: lake.DailyTable, name: str
) -> None:
    text = statement(*name.format(dataset.name).split("/"))
    found = re.findall(r"coalesce\((\w+), (\w+)\)", text)
    assert dict(found) == dataset.before


def test_the_statement_of_experience_gives_the_values_that_are_declared() -> None:
    text = statement("daily", "experience")
    cases = re.findall(r"CASE((?:(?!CASE|END).)*)END AS (\w+)", text, re.DOTALL)
    found = {
        name: set(values)
        for arms, name in cases
        if (values := re.findall(r"(?:THEN|ELSE) '([\w-]+)'", arms))
    }
    closed = {name: set(values) for name, values in lake.EXPERIENCED.items() if values}
    assert {name: found[name] for name in closed} == closed


def test_the_codec_is_one_that_awss_layer_has() -> None:
    assert lake.CODEC == "snappy"


def test_lock_files_carry_no_address() -> None:
    locks = [*ROOT.glob("requirements*.txt"), *ROOT.glob("layers/*/requirements.txt")]
    locks += [*ROOT.glob("layers/*/package-lock.json"), *ROOT.glob("tests/runtime/*.txt")]
    assert len(locks) >= 8
    for path in locks:
        assert "://" not in path.read_text(), path
