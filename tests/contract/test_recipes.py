"""The commands, columns, scales and cut-offs that docs/recipes.md names exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.athena.dialect import check_portable
from pulse import lake
from pulse.csv_cells import csv_line
from pulse.streams.responses import METRICS
from pulse.tenants.rules import Rule
from tests.recipes import PAGE, blocks, section, views

VIEWS = views()
SCALES = ("1-2", "1-3", "1-4", "1-5", "1-7", "1-10", "0-10")
TABLES = {
    "daily_scores": lake.DAILY_SCORES,
    "daily_experience": lake.DAILY_EXPERIENCE,
    "daily_interactions": lake.DAILY_INTERACTIONS,
    "daily_sessions": lake.DAILY_SESSIONS,
}


def test_every_block_is_of_a_kind_that_some_test_runs() -> None:
    languages = set(re.findall(r"(?m)^```(\w+)$", PAGE.read_text()))
    assert languages == {"sh", "liquid", "yaml", "json", "text", "powerquery", "sql", "python"}


# -- CSV in programs


def test_programs_are_told_how_to_read_texts_back(tmp_path: Path) -> None:
    (block,) = blocks("CSV in programs", "python")
    given: dict[str, Any] = {}
    exec(compile(block, "recipes.md", "exec"), given)  # noqa: S102 # it is ours
    cases = json.loads((PAGE.parents[1] / "tests" / "unit" / "csv_cells.json").read_text())
    for why, text, guarded in cases:
        assert given["unguard"](guarded) == text, why
    file = tmp_path / "export.csv"
    file.write_text("".join(map(csv_line, [["agent", "n"], *([text, 1] for _, text, _ in cases)])))
    assert given["read"](file)["agent"].tolist() == [text for _, text, _ in cases]


# -- Athena


@pytest.mark.parametrize("name", VIEWS)
def test_a_views_select_is_the_portable_sql_of_our_own_statements(name: str) -> None:
    assert check_portable(VIEWS[name]) == []


def default_rules() -> list[Rule]:
    """Every rule that needs no cut-offs named."""
    rules = []
    for metric in METRICS:
        for scale in SCALES:
            low, high = map(int, scale.split("-"))
            try:
                rules.append(Rule.make(metric, low, high))
            except ValueError:
                continue
    return rules


@pytest.mark.parametrize("view", ["pulse_scores", "pulse_experience_by_day"])
@pytest.mark.parametrize("rule", default_rules(), ids=lambda rule: f"{rule.metric} {rule.label}")
@pytest.mark.parametrize("segment", ["good", "bad"])
def test_what_is_good_and_bad_is_so_by_the_rules(view: str, rule: Rule, segment: str) -> None:
    """The CASE is read as SQL does: of its branches the first that holds counts."""
    cases = re.findall(rf"(?s)CASE((?:(?!CASE).)*?)END AS {segment}", VIEWS[view])[0]
    branches = re.findall(r"WHEN (.+) THEN (.+)", cases)
    counted = next(
        {int(column) for column in re.findall(r"c(\d+)", columns)}
        for condition, columns in branches
        if _holds(condition, metric=rule.metric, scale=rule.label)
    )
    given = counted & set(rule.scores)  # what a scale lacks counts nothing
    assert given == {score for score in rule.scores if rule.segment(score) == segment}


def _holds(condition: str, **values: str) -> bool:
    """Whether an OR of ANDs of comparisons holds."""
    return any(
        all(
            values[column] in re.findall(r"'([^']*)'", given)
            for column, given in re.findall(r"(\w+) (?:=|IN) ('[^']*'|\([^)]*\))", term)
        )
        for term in condition.split(" OR ")
    )


def test_dbts_sources_are_the_daily_tables() -> None:
    [page] = blocks("dbt", "yaml")
    [source] = yaml.safe_load(page)["sources"]
    assert {table["name"] for table in source["tables"]} == set(TABLES)
    for table in source["tables"]:
        named = {column["name"] for column in table["columns"]}
        assert named <= {*TABLES[table["name"]], "dt"}
        assert {"dt", "tenant"} <= named


def test_the_formulas_for_quicksight_and_metabase_name_columns_of_the_view() -> None:
    columns = {"good", "bad", "responses"}
    assert set(re.findall(r"\{(\w+)\}", section("QuickSight"))) == columns
    metabase = {name.lower() for name in re.findall(r"\[(\w+)\]", section("Metabase"))}
    assert metabase == {"good", "responses"}
    for column in columns:
        assert re.search(rf"AS {column}\b", VIEWS["pulse_scores"])


# -- Grafana


def test_grafana_asks_the_host_that_its_data_source_allows() -> None:
    [provisioned] = blocks("Grafana", "yaml")
    [source] = yaml.safe_load(provisioned)["datasources"]
    assert source["jsonData"]["auth_method"] == "bearerToken"
    assert set(source["secureJsonData"]) == {"bearerToken"}
    [host] = source["jsonData"]["allowedHosts"]
    queries = [json.loads(block) for block in blocks("Grafana", "json")]
    assert len(queries) == 2
    for query in queries:
        assert query["url"].startswith(f"{host}/v1/reports/")
        assert not any("key" in parameter["key"] for parameter in query["url_options"]["params"])
