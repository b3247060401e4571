"""Interrupted tests and a killed test runner leave no process behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.made_run import ROOT
from tests.processes import beginnings, children_of, is_running

pytestmark = pytest.mark.only_whole

WAITING = """
import time
from tests.made_run import free_port, start, wait_until_ready

def test_waits_with_a_stack(tmp_path):
    wait_until_ready(start(tmp_path, free_port()), 300)
    time.sleep(600)

def test_waits_beside_it():
    time.sleep(600)
"""
FOREGROUND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
"""pytest as in a terminal: shells let what they run in the background ignore Ctrl-C."""
LONG_S = 240
"""As it may take on a busy machine; on an idle one it is a few seconds."""


@pytest.fixture
def runner(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A run of tests in two workers, one of which has a stack that is ready."""
    file = tmp_path / "test_waiting.py"
    file.write_text(WAITING)
    process = subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, "-n", "2", "--basetemp", tmp_path / "made", file],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shared'}"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until(lambda: bool(list(tmp_path.glob("made/**/.pulse/stack.json"))))
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_ctrl_c_ends_them_all(runner: "subprocess.Popen[bytes]") -> None:
    started = beginnings(children_of(runner.pid))
    assert len(started) > 3  # two workers, the stack and its moto
    os.killpg(runner.pid, signal.SIGINT)  # a terminal tells everybody in the foreground
    _wait_until(lambda: runner.poll() is not None)
    _wait_until(lambda: not any(is_running(*one) for one in started.items()))


def test_what_is_killed_takes_its_stacks_along(runner: "subprocess.Popen[bytes]") -> None:
    started = beginnings(children_of(runner.pid))
    workers = {pid for pid in started if _parent(pid) == runner.pid}
    assert len(workers) == 2
    for pid in (runner.pid, *workers):
        os.kill(pid, signal.SIGKILL)
    _wait_until(lambda: not any(is_running(*one) for one in started.items()))


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[1])
