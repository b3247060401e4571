"""The command as a process: its version, and what it does when stdout is closed."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

CODE = Path(__file__).parents[3] / "shared"


def python(*arguments: str, stdout: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # our own command
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": str(CODE)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def pulse(*arguments: str, stdout: int) -> subprocess.CompletedProcess[str]:
    return python("-m", "pulse.cli.main", *arguments, stdout=stdout)


def test_it_tells_its_version() -> None:
    told = pulse("--version", stdout=subprocess.PIPE)
    assert (told.returncode, told.stdout) == (0, f"pulse {version('pulse')}\n")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["tenant", "--help"], []])
def test_a_full_disk_is_one_line_and_a_failure(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = pulse(*arguments, stdout=full.fileno())
    assert ended.returncode == 1
    assert ended.stderr == "pulse: The result cannot be written: No space left on device.\n"


def test_a_closed_pipe_is_one_line_and_a_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = pulse("--version", stdout=writing)
    finally:
        os.close(writing)
    assert ended.returncode == 1
    assert ended.stderr == "pulse: The result cannot be written: Broken pipe.\n"


def test_a_shell_is_told_how_a_word_goes_on() -> None:
    program = "import sys; sys.argv = ['pulse']; from pulse.cli.main import main; main()"
    asked = {"_PULSE_COMPLETE": "complete_bash", "COMP_WORDS": "pulse tenant sh", "COMP_CWORD": "2"}
    done = subprocess.run(  # our own command
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(CODE)} | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["show"]
