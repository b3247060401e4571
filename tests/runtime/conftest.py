"""These tests are collected only with PULSE_RUNTIME, the folder that `make test-runtime` builds.

PULSE_RUNTIME_EMULATOR is aws-lambda-rie, or empty where it could not be built.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.runtime.environment import Tools

ROOT = Path(__file__).parents[2]
FOLDER = os.environ.get("PULSE_RUNTIME")
EMULATOR = os.environ.get("PULSE_RUNTIME_EMULATOR")
VENV = ROOT / ".venv-runtime"
MIB = 1024 * 1024

collect_ignore_glob = [] if FOLDER else ["test_*.py"]


@dataclass(frozen=True)
class Measured:
    """A line of the table at the end."""

    layer: str
    function: str
    init_ms: float
    peak: int
    memory: int
    package: int
    limit: int
    """Bytes, but for the first three."""


_MEASURED: list[Measured] = []


@pytest.fixture
def measured() -> Callable[[Measured], None]:
    """Takes a line for the table at the end."""
    return _MEASURED.append


@pytest.fixture(scope="session")
def built() -> Path:
    """What `sam build` has made for this machine's architecture."""
    return (ROOT / str(FOLDER)).resolve()


@pytest.fixture(scope="session")
def tools() -> Tools:
    """What environments are made of here."""
    return Tools(VENV / "bin" / "python", Path(EMULATOR) if EMULATOR else None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What each function took, beside what it has. Seconds depend on the machine."""
    if not _MEASURED:
        return
    terminalreporter.section("functions under AWS's runtime client")
    for line in _MEASURED:
        terminalreporter.write_line(
            f"{line.function:14} {line.layer:5} init {line.init_ms / 1000:5.2f} s   "
            f"memory {line.peak // MIB:4} of {line.memory // MIB:4} MiB   "
            f"package {line.package / MIB:5.1f} of {line.limit // MIB:3} MiB"
        )
