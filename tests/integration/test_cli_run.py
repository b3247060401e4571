"""`make run` as a process keeps what it promises when ready, and leaves nothing when it ends."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulse.cli.api import Api, UnreachableError
from tests.made_run import READY_WITHIN_S, Run, free_port, start, wait_until_ready

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A stack that is ready, for all who leave it running. Its public key may write little."""
    parameters = "KeyWritesPerMinute=2 OnlyThroughPages=true"
    run = start(tmp_path_factory.mktemp("run"), free_port(), parameters=parameters)
    wait_until_ready(run)
    yield run
    run.process.send_signal(signal.SIGINT)
    run.process.communicate(timeout=15)


def pulse(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # our own command
        [sys.executable, "-m", "pulse.cli.main", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_says_where_everything_is_to_its_owner_alone(run: Run) -> None:
    stack = run.stack
    assert stack["tenant"] == "demo"
    assert {kind: key[:3] for kind, key in stack["keys"].items()} == {
        "publishable": "pk_",
        "secret": "sk_",
        "report": "rk_",
        "operator": "ok_",
    }
    assert stack["pid"] == run.process.pid
    assert stack["buckets"]["lake"]
    assert stat.S_IMODE(run.file.stat().st_mode) == 0o600


def test_its_interface_takes_answers_and_a_flood_can_be_followed_by_hand(run: Run) -> None:
    body = b'{"survey_id": "support", "score": 5}'
    page = Api(run.stack["api"], run.stack["keys"]["publishable"])
    # each of at most four processes lets two through
    first, *answers = [page.post("/v1/responses", body) for _ in range(9)]
    assert first.status == 202
    refused = [answer for answer in answers if answer.status != 202]
    assert {answer.status for answer in refused} == {429}
    assert refused[0].json()["code"] == "key_limit"
    assert 1 <= int(refused[0].headers["retry-after"]) <= 30
    server = Api(run.stack["api"], run.stack["keys"]["secret"])
    assert server.post("/v1/responses", body).status == 202
    past = Api(run.stack["gateway"], run.stack["keys"]["secret"])
    assert past.post("/v1/responses", body).status == 403


def test_the_command_finds_it_and_reads_its_reports(run: Run) -> None:
    below = run.folder / "below"
    below.mkdir()
    listed = pulse(below, "tenant", "list", "--json")
    assert [tenant["id"] for tenant in json.loads(listed.stdout)] == ["demo"]
    report = pulse(below, "report", "daily", "--tenant", "demo", "--json")
    assert json.loads(report.stdout)["rows"] == []


@pytest.mark.only_whole
def test_its_functions_run_by_hand(run: Run) -> None:
    compacted = pulse(run.folder, "invoke", "compact_raw", "--json")
    assert json.loads(compacted.stdout) == {"compacted": [], "finished": True}
    kept = pulse(run.folder, "invoke", "housekeep")
    assert kept.stdout == "removed: []\nfinished: true\n"
    unknown = pulse(run.folder, "invoke", "ingest")
    assert unknown.returncode == 2 and "compact_raw" in unknown.stderr


def test_a_second_one_in_the_folder_is_refused(run: Run) -> None:
    second = start(run.folder, free_port())
    said, _ = second.process.communicate(timeout=READY_WITHIN_S)
    assert second.process.returncode == 1
    assert f"already, as process {run.process.pid}" in said
    assert run.file.exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".pulse").write_text("no folder")
    run = start(tmp_path, free_port())
    said, _ = run.process.communicate(timeout=READY_WITHIN_S)
    assert run.process.returncode == 1
    assert said == f"make run: {tmp_path / '.pulse'} cannot be written: File exists.\n"


def test_a_taken_port_is_refused_with_another_one(run: Run, tmp_path: Path) -> None:
    port = int(run.stack["api"].rpartition(":")[2])
    second = start(tmp_path, port)
    said, _ = second.process.communicate(timeout=READY_WITHIN_S)
    assert second.process.returncode == 1
    assert f"port {port} is taken. Use another one: PULSE_PORT={port + 1} make run" in said
    assert "Traceback" not in said


@pytest.mark.only_whole
@pytest.mark.parametrize("parameters", ["KeyWritesPerMinute", "NoSuchParameter=1"])
def test_parameters_that_there_are_not_are_a_sentence(parameters: str, tmp_path: Path) -> None:
    run = start(tmp_path, free_port(), parameters=parameters)
    said, _ = run.process.communicate(timeout=READY_WITHIN_S)
    assert run.process.returncode == 1
    assert parameters.partition("=")[0] in said
    assert "Traceback" not in said


@pytest.mark.only_whole
def test_of_two_started_at_once_one_runs_and_ends_within_seconds(tmp_path: Path) -> None:
    """It takes its file along, which an earlier one had left that died over writing it."""
    (tmp_path / ".pulse").mkdir()
    (tmp_path / ".pulse" / "stack.json").write_text('{"pid": 1')
    runs = [start(tmp_path, free_port()) for _ in range(2)]
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while all(run.process.poll() is None for run in runs):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (other,) = (run for run in runs if run.process.poll() is None)
        wait_until_ready(other)
        assert other.stack["pid"] == other.process.pid
        api = Api(other.stack["api"], "")
    finally:
        for run in runs:
            run.process.send_signal(signal.SIGTERM)
    told = [run.process.communicate(timeout=15)[0] for run in runs]
    assert sorted(run.process.returncode for run in runs) == [0, 1]
    assert sum("a stack runs in this folder already" in one for one in told) == 1
    said = told[runs.index(other)]
    assert other.process.returncode == 0
    assert "with no answers yet (PULSE_SAMPLE=0)" in said
    assert said.endswith("Stopped; nothing is kept.\n")
    assert not other.file.exists()
    with pytest.raises(UnreachableError):
        api.get("/v1/reports")
    assert "make run" in pulse(tmp_path, "tenant", "list").stderr
