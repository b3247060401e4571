"""`make run` as a process of its own, in a folder of its own."""

import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import tied

ROOT = Path(__file__).parents[1]
READY_WITHIN_S = 90


@dataclass
class Run:
    """One `python -m local` in a folder of its own."""

    folder: Path
    process: subprocess.Popen[str]

    @property
    def file(self) -> Path:
        return self.folder / ".pulse" / "stack.json"

    @property
    def stack(self) -> Any:
        return json.loads(self.file.read_text())


def start(folder: Path, port: int, *, with_sample: bool = False, parameters: str = "") -> Run:
    """Start a run on that port. It ends with this process at the latest."""
    environment = {name: value for name, value in os.environ.items() if "AWS" not in name} | {
        "PULSE_PORT": str(port),
        "PULSE_SAMPLE": "1" if with_sample else "0",
        "PULSE_PARAMETERS": parameters,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shared'}",
    }
    process = tied.start(
        "local", cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return Run(folder, process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(run: Run) -> bool:
    try:
        return bool(run.stack["pid"] == run.process.pid)
    except (FileNotFoundError, ValueError):
        return False  # the file is not there yet, or an earlier run has left it


def wait_until_ready(run: Run, seconds: float = READY_WITHIN_S) -> None:
    """Wait for its stack.json; fail the test if the run ends or takes longer."""
    deadline = time.monotonic() + seconds
    while not is_ready(run):
        assert run.process.poll() is None, run.process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
