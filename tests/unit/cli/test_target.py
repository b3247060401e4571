"""Which stack a command finds, by the folder in which it is started."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from pulse.cli.exits import WrongUseError
from pulse.cli.target import StackName, find_target
from pulse.store.stack import StackOutputs

NOBODY = 2**22 + 1  # above Linux's highest process id

OUTPUTS = StackOutputs(
    api_url="https://abc.execute-api.eu-central-1.amazonaws.com/",
    pages_url="https://d1.cloudfront.net",
    pages_bucket="pages",
    lake_bucket="lake",
    table="table",
    database="database",
    workgroup="workgroup",
    queue_url="queue",
    dead_letter_queue_url="dead",
    event_source="pulse.pulse",
    metrics_namespace="Pulse/pulse",
    build_daily="pulse-BuildDaily",
    finance_bucket="finance",
    finance_close_days="7",
    public_values="1000",
    largest_tenant_rows="4000000",
    link_days="35",
    raw_retention_days="0",
)


@pytest.fixture(autouse=True)
def stacks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that outputs were asked for; the environment is as it was afterwards."""
    asked: list[str] = []

    def outputs(stack: str) -> StackOutputs:
        asked.append(stack)
        return OUTPUTS

    monkeypatch.setattr(StackOutputs, "of", outputs)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "before")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "before")
    return asked


def described(**changes: Any) -> dict[str, Any]:
    return {
        "api": "http://127.0.0.1:8080",
        "pages": "http://127.0.0.1:8080",
        "tenant": "demo",
        "keys": {"report": "rk_1"},
        "endpoint_url": "http://127.0.0.1:5000",
        "pid": os.getpid(),
        "aws": {
            "stack": "pulse",
            "region": "eu-central-1",
            "access_key_id": "AKIA",
            "secret_access_key": "secret",
        },
    } | changes


def running_in(folder: Path, content: str) -> None:
    (folder / ".pulse").mkdir()
    (folder / ".pulse" / "stack.json").write_text(content)


@pytest.mark.parametrize(
    ("arguments", "named", "stack"),
    [
        ([], {"PULSE_STACK": "live"}, "live"),
        (["--stack", "other"], {"PULSE_STACK": "live"}, "other"),
        ([], {"PULSE_STACK": ""}, "pulse"),
    ],
)
def test_a_stack_is_named_by_the_option_or_the_environment(
    arguments: list[str],
    named: dict[str, str],
    stack: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stacks: list[str],
) -> None:
    running_in(tmp_path, json.dumps(described()))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()

    @app.command()
    def command(stack: StackName = None) -> None:
        find_target(stack)

    assert CliRunner().invoke(app, arguments, env=named).exit_code == 0
    assert stacks == [stack]


def test_the_embedded_stack_is_found_from_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stacks: list[str]
) -> None:
    running_in(tmp_path, json.dumps(described()))
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    target = find_target(None)
    assert stacks == ["pulse"]
    assert target.api_url == "http://127.0.0.1:8080"  # and not what API Gateway would be
    assert target.pages_url == "http://127.0.0.1:8080"
    assert (target.demo_tenant, target.demo_keys) == ("demo", {"report": "rk_1"})
    assert target.build_settings.lake_bucket == "lake"
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5000"
    assert os.environ["AWS_ACCESS_KEY_ID"] == "AKIA"
    assert os.environ["AWS_REGION"] == os.environ["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert "AWS_PROFILE" not in os.environ
    assert "AWS_SESSION_TOKEN" not in os.environ
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == "before,127.0.0.1,localhost"


def test_a_stack_by_name_takes_the_shells_own_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stacks: list[str]
) -> None:
    running_in(tmp_path, json.dumps(described()))
    monkeypatch.chdir(tmp_path)
    target = find_target("production")
    assert stacks == ["production"]
    assert target.api_url == "https://abc.execute-api.eu-central-1.amazonaws.com"
    assert target.pages_url == "https://d1.cloudfront.net"
    assert target.demo_tenant is None
    assert os.environ["AWS_ACCESS_KEY_ID"] == "before"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, r"Start the embedded stack with `make run`, or name a deployed one with --stack"),
        ("{", r"cannot be read"),
        (json.dumps(described(pid=NOBODY)), r"no longer running"),
    ],
)
def test_without_a_stack_the_message_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, complaint: str
) -> None:
    if content is not None:
        running_in(tmp_path, content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongUseError, match=complaint):
        find_target(None)
