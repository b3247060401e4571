"""Every block of code in the documents is of a kind that some test runs or reads."""

import configparser
import csv
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import botocore.session
import pytest
import typer
from botocore import xform_name

from local.athena.dialect import check_portable
from pulse.cli.main import app
from tests.contract.test_template import TEMPLATE
from tests.documents import DOCS, FOLLOWED, Block, blocks_of, texts

ROOT = DOCS.parent
PAGES = sorted(DOCS.glob("*.md"))
OF_RECIPES = "recipes.md"
"""Has a test for each of its blocks (test_recipes.py, here and in tests/integration)."""
KINDS: Mapping[str, str] = {
    "sh": "a shell runs it as it stands (tests/e2e/test_documents.py)",
    "sh on-aws": "commands for a stack on AWS: that they exist with their options",
    "sh by-hand": "commands in which the reader puts something in: the same",
    "python": "Python runs it as it stands (tests/e2e/test_documents.py)",
    "sql": "it is portable, and run on Trino (tests/trino)",
    "sql of Athena": "declares tables to Athena, and is run on Trino (tests/trino/test_finance.py)",
    "json": "it is JSON",
    "json rows": "each line is JSON, where … stands for more",
    "csv": "its lines have as many cells (tests/integration/test_finance_flow.py makes the files)",
    "ini": "it is a file of settings",
    "html": "the tag that pulse survey embed prints (tests/e2e/test_documents.py)",
    "js": "calls that the widget knows (tests/e2e/test_documents.py)",
    "text": "addresses that the API answers (tests/e2e/test_documents.py)",
    "output": "for people alone: what lies where",
    "formula": "for people alone",
}
"""The kinds of blocks, and what a test does with each."""


def name(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_is_of_a_kind_that_some_test_runs_or_reads(page: Path) -> None:
    if page.name != OF_RECIPES:
        assert {block.kind for block in blocks_of(page)} <= set(KINDS)


def test_every_kind_is_in_use() -> None:
    assert {block.kind for page in PAGES for block in blocks_of(page)} >= set(KINDS)


def test_what_a_shell_or_python_is_to_run_stands_on_pages_that_are_followed() -> None:
    run = {
        page.name for page in PAGES for block in blocks_of(page) if block.kind in ("sh", "python")
    }
    assert run == {*FOLLOWED, OF_RECIPES}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_block_stands_without_a_kind(page: Path) -> None:
    text = re.sub(r"(?ms)^( *)```[^\n]+\n.*?^\1```$", "", page.read_text())
    assert re.findall(r"(?m)^\n(    .*)$", text) == []
    assert "```" not in text


# -- what is read


def of(*kinds: str) -> list[Block]:
    return [block for page in PAGES for block in blocks_of(page) if block.kind in kinds]


def first_line(block: Block) -> str:
    return block.text.splitlines()[0][:60]


@pytest.mark.parametrize("block", of("json", "json rows"), ids=first_line)
def test_json_is_json(block: Block) -> None:
    rows = block.text.splitlines() if block.kind == "json rows" else [block.text]
    for row in rows:
        assert json.loads(row.replace(", …}", "}").replace("{…}", "{}"))


@pytest.mark.parametrize("block", of("csv"), ids=first_line)
def test_csv_has_as_many_cells_in_each_line(block: Block) -> None:
    head, *rows = csv.reader(block.text.splitlines())
    assert rows
    assert {len(row) for row in rows} == {len(head)}


@pytest.mark.parametrize("block", of("ini"), ids=first_line)
def test_settings_can_be_read(block: Block) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(block.text)
    assert parser.sections()


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != OF_RECIPES], ids=name)
def test_sql_is_the_portable_sql_of_our_own_statements(page: Path) -> None:
    for text in texts(page, "sql"):
        assert check_portable(text) == []


# -- commands

_SHELL = [block.text for block in of("sh", "sh on-aws", "sh by-hand")]


def commands(program: str) -> list[list[str]]:
    """The words of each call of a program that a block has, its comment and redirections aside."""
    return list(_commands(program))


def _commands(program: str) -> Iterator[list[str]]:
    for text in _SHELL:
        for line in text.replace("\\\n", " ").splitlines():
            bare = re.sub(r"\s#\s.*$", "", line)
            for part in re.split(r" ?&& | ?; | \| |\$\((?=\w|\.)", bare):
                found = re.match(rf"\s*(?:do )?(?:\.venv/bin/)?({program} [a-z-].*)", part)
                if found:
                    yield _words(found[1].strip())


def _words(call: str) -> list[str]:
    """The words of a call up to a redirection; what stood around a $(…) is cut off."""
    try:
        words = shlex.split(call)
    except ValueError:  # the quotes of what it stands in, or that it has a $(…) in
        words = shlex.split(call.replace('"', ""))
    words = words[: words.index(">")] if ">" in words else words
    return [word.rstrip(")") for word in words] if call.rstrip('"').endswith(")") else words


@pytest.mark.parametrize("words", commands("pulse"), ids=" ".join)
def test_our_commands_exist_with_their_options(words: list[str]) -> None:
    group = typer.main.get_command(app)
    context = typer.Context(group)
    for word in words[1:]:
        if not isinstance(group, typer.core.TyperGroup):
            break
        command = group.get_command(context, word)
        assert command is not None, word
        group = command
    assert not isinstance(group, typer.core.TyperGroup)
    known = {option for parameter in group.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


_AWS_CLI = {"--profile", "--region", "--query", "--output", "--cli-read-timeout"}
"""Options of the AWS CLI itself (docs.aws.amazon.com/cli, "Command line options")."""
_CLIS_OWN = {
    ("s3", "ls"): set(),
    ("s3", "sync"): {"--exclude", "--include"},
    ("cloudformation", "deploy"): {"--stack-name", "--template-file"},
}
"""Commands that the CLI has beside those of the services, with the options used here."""


@pytest.mark.parametrize("words", commands("aws"), ids=" ".join)
def test_the_aws_clis_commands_exist_with_their_options(words: list[str]) -> None:
    options = {word for word in words if word.startswith("--")} - _AWS_CLI
    _, service, command, *rest = words if words[1] != "--profile" else [words[0], *words[3:]]
    if (service, command) in _CLIS_OWN:
        assert options <= _CLIS_OWN[service, command]
        return
    session = botocore.session.Session()
    operation = command
    if command == "wait":
        loader = session.get_component("data_loader")
        waiters = loader.load_service_model(service, "waiters-2")["waiters"]
        [operation] = [
            xform_name(waiter["operation"], "-")
            for name, waiter in waiters.items()
            if xform_name(name, "-") == rest[0]
        ]
    model = session.get_service_model(service)
    [found] = [name for name in model.operation_names if xform_name(name, "-") == operation]
    shape = model.operation_model(found).input_shape
    assert shape is not None
    members = {f"--{xform_name(member, '-')}" for member in shape.members}
    assert options <= members


@pytest.mark.parametrize("words", commands("make"), ids=" ".join)
def test_targets_exist_with_the_templates_parameters(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"(?m)^{words[1]}:", makefile)
    for word in words[2:]:
        variable, _, value = word.partition("=")
        assert f"$({variable})" in makefile
        if variable == "PARAMETERS":
            given = {one.partition("=")[0] for one in shlex.split(value)}
            assert given <= set(TEMPLATE["Parameters"])


def test_calls_are_found() -> None:
    found = commands("pulse")
    assert ["pulse", "check", "--stack", "NAME"] in found
    assert ["key", "create", "shop"] in [words[1:4] for words in found]
    assert len(commands("aws")) >= 8
    assert len(commands("make")) >= 2
