"""Processes that are started for Trino end with the process that started them."""

import subprocess
import time
from pathlib import Path

import pytest

from local.athena import trino_server


def started(folder: Path, *command: str) -> "subprocess.Popen[bytes]":
    """A command run as Trino is."""
    return subprocess.Popen(
        ["/bin/sh", "-c", trino_server._WHILE_WE_LIVE, str(folder), *command],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def test_it_ends_and_its_folder_goes_when_its_stdin_closes(tmp_path: Path) -> None:
    folder = tmp_path / "of Trino"
    folder.mkdir()
    process = started(folder, "sleep", "600")
    assert process.stdin
    assert process.poll() is None
    process.stdin.close()  # as the system does for whoever is killed
    process.wait(60)
    for _ in range(600):
        if not folder.exists():
            break
        time.sleep(0.1)
    assert not folder.exists()


def test_its_own_end_is_noticed_and_leaves_its_log(tmp_path: Path) -> None:
    process = started(tmp_path, "false")
    assert process.stdin
    assert process.wait(60) == 1
    assert tmp_path.exists()
    process.stdin.close()


def test_without_maven_it_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULSE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["trino_server"])
    assert trino_server.main() == 69
    assert "Maven (mvn) is not on the PATH" in capsys.readouterr().err
