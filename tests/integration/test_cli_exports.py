"""`pulse export responses` and `pulse export interactions` order, wait and download."""

import csv
import io
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pyarrow import parquet

from pulse import days
from tests.shell import Shell


@pytest.fixture
def downloads(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command, whose exports are made while it waits, and whose links lead to the lake."""

    def work(seconds: float) -> None:
        with redirect_stdout(io.StringIO()):  # the function's metrics
            for tenant in shell.driver.tenants.all():
                shell.driver.make_export(tenant.id)

    def opened(link: str) -> io.BytesIO:
        got = requests.get(link, timeout=10)
        if got.status_code != 200:
            raise OSError(f"HTTP {got.status_code}")
        return io.BytesIO(got.content)

    monkeypatch.setattr("pulse.cli.ordering.sleep", work)
    monkeypatch.setattr("pulse.cli.ordering.urlopen", opened)
    return shell


def answered(shell: Shell) -> str:
    """A tenant with two answers of yesterday, one of which is by the agent "!x"."""
    tenant = shell.tenant("email")
    at = (days.now() - timedelta(days=1)).isoformat()
    answers: list[dict[str, Any]] = [
        {"survey_id": "email", "score": 9, "answered_at": at, "agent_id": "!x", "comment": "=1+1"},
        {"survey_id": "email", "score": 3, "answered_at": at, "agent_id": "bob"},
    ]
    assert shell.driver.post(tenant, answers).status == 202
    shell.driver.write()
    return tenant


def test_responses_become_a_file(downloads: Shell, tmp_path: Path) -> None:
    tenant, file = answered(downloads), tmp_path / "rows.csv"
    asked = ("export", "responses", "--tenant", tenant, "--to", str(file))
    told = downloads.json(*asked, "--preset", "last_7_days")
    assert (told["rows"], told["bytes"]) == (2, file.stat().st_size)
    rows = list(csv.DictReader(io.StringIO(file.read_text(), newline="")))
    assert sorted((row["agent"], row["score"]) for row in rows) == [("!x", "9"), ("bob", "3")]
    assert "is there already" in downloads.run(*asked, "--preset", "yesterday", code=2).stderr
    assert downloads.driver.tenants.keys(tenant) != []  # the driver's
    assert {key.kind for key in downloads.driver.tenants.keys(tenant) if key.expires_us} == set()


def test_filters_and_the_form_of_the_file_are_those_of_the_command(
    downloads: Shell, tmp_path: Path
) -> None:
    tenant, file = answered(downloads), tmp_path / "rows.csv"
    asked = ("export", "responses", "--tenant", tenant, "--preset", "last_7_days")
    excel = ("--filter", r"agent=\!x", "--excel", "--separator", "semicolon")
    assert downloads.json(*asked, *excel, "--to", str(file))["rows"] == 1
    assert file.read_bytes().startswith(b'\xef\xbb\xbf"day";"tenant";')
    columns = tmp_path / "rows.parquet"
    downloads.run(*asked, "--to", str(columns))
    assert parquet.read_table(columns).num_rows == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "rows.xlsx", "--preset", "last_7_days"), "ends in .csv or .parquet"),
        (("--to", "rows.csv"), "Name the first day and the last"),
        (("--to", "rows.csv", "--preset", "x"), "is not one of its values"),
        (("--to", "no/rows.csv", "--preset", "last_7_days"), "could not be written"),
    ],
)
def test_what_is_wrong_is_said(
    downloads: Shell,
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    tenant = answered(downloads)
    ended = downloads.run("export", "interactions", "--tenant", tenant, *arguments, code=None)
    assert ended.exit_code in (1, 2)
    assert message in ended.stderr
    assert list(tmp_path.iterdir()) == []
