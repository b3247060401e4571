"""A shell runs the blocks of docs/api.md and docs/asking.md as they stand.

The stack is that of `make run`, at another port. A call of curl that is answered with an error ends
the shell, as does any command that fails.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.documents import DOCS, FOLLOWED, blocks_of, texts
from tests.e2e.asking import pulse, shop
from tests.e2e.conftest import RunningStack, Watch
from tests.made_run import ROOT

STRICT = """
set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@" && echo; }
"""
ADDRESS = "http://127.0.0.1:8080"
"""The API's, as the pages have it."""


@pytest.fixture
def folder(stack: RunningStack, tmp_path: Path) -> Path:
    """A folder as the repository is after `make run`, as far as the commands need it."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "web").symlink_to(ROOT / "web")
    (tmp_path / ".pulse").symlink_to(stack.folder / ".pulse")
    return tmp_path


@pytest.fixture
def environment() -> Mapping[str, str]:
    """What a user's shell has, without an AWS account."""
    return {name: value for name, value in os.environ.items() if "AWS" not in name}


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    """What the command prints. Fails the test if it fails."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.only_whole
@pytest.mark.parametrize("page", FOLLOWED)
def test_a_pages_blocks_do_what_they_are_to(
    stack: RunningStack, folder: Path, environment: Mapping[str, str], page: str
) -> None:
    told = "".join(texts(DOCS / page, "sh"))
    said = run(["bash", "-c", STRICT + told.replace(ADDRESS, stack.url)], folder, environment)
    sent = told.count("$API/v1/") - told.count('"$API/v1/')
    assert said.count('"rejected":[]') == sent
    replies = re.findall(r'\{"report":"[\w-]+","meta":', said)  # evidence names reports as well
    assert len(replies) == told.count('"$API/v1/reports/') - told.count("format=csv")
    for written in re.findall(r"> (\S+)$", told, re.MULTILINE):
        assert (folder / written).stat().st_size > 100


def test_python_reads_reports_as_the_page_says(
    stack: RunningStack, folder: Path, environment: Mapping[str, str]
) -> None:
    [program] = texts(DOCS / "api.md", "python")
    keys = {"API": stack.url, "KEY": stack.keys["report"]}
    shown = program + "print(len(agents), len(daily), daily['period'].dt.year.min() > 2000)\n"
    said = run([sys.executable, "-c", shown], folder, {**environment, **keys}).split()
    assert int(said[0]) > 3
    assert int(said[1]) > 30
    assert said[2] == "True"


def test_addresses_for_spreadsheets_are_answered(stack: RunningStack) -> None:
    feed = ("key", "create", stack.tenant, "--kind", "feed", "--report", "daily")
    key = pulse(stack, *feed).strip()
    addresses = re.findall(r"https://…(/v1/[^\s\"]+)", "".join(texts(DOCS / "api.md", "text")))
    assert len(addresses) == 2
    for address in addresses:
        with urllib.request.urlopen(stack.url + address.replace("fk_…", key)) as reply:
            assert reply.status == 200
            assert reply.headers["Content-Type"].startswith("text/csv")


class _Tag(HTMLParser):
    """The attributes of the script in a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "script"
        self.attributes = dict(attrs)


def test_the_tag_is_the_one_that_is_printed(stack: RunningStack) -> None:
    [shown] = texts(DOCS / "asking.md", "html")
    printed = _Tag(pulse(stack, "survey", "embed", stack.tenant, "support")).attributes
    assert set(_Tag(shown).attributes) == set(printed)


def test_the_widget_knows_the_calls(page: Page, watch: Watch, stack: RunningStack) -> None:
    [calls] = texts(DOCS / "asking.md", "js")
    named = set(re.findall(r"Pulse\.(\w+)\(", calls))
    assert named == {"identify", "track", "show"}
    with shop(pulse(stack, "survey", "embed", stack.tenant, "support")) as origin:
        watch.origins.add(origin)
        page.goto(origin)
        page.wait_for_load_state("networkidle")
        for name in named:
            assert page.evaluate(f"typeof Pulse.{name}") == "function"
        page.evaluate(calls)


def test_rows_that_are_shown_have_the_columns_of_the_report(stack: RunningStack) -> None:
    """The rows are those of docs/api.md, whose first column shows which report they are of."""
    asked = {
        "metric": "agents?preset=last_90_days&group_by=agent",
        "period": "revenue?preset=last_90_days",
        "media_type": "revenue?preset=last_90_days&group_by=media_type&granularity=total",
    }
    rows = [
        json.loads(row.replace(", …}", "}").replace("{…}", "{}"))
        for block in blocks_of(DOCS / "api.md")
        if block.kind == "json rows"
        for row in block.text.splitlines()
    ]
    assert rows
    for row in rows:
        request = urllib.request.Request(
            f"{stack.url}/v1/reports/{asked[next(iter(row))]}",
            headers={"Authorization": f"Bearer {stack.keys['report']}"},
        )
        with urllib.request.urlopen(request) as reply:
            columns = [column["name"] for column in json.load(reply)["columns"]]
        assert [name for name in columns if name in row] == list(row)
