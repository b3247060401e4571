"""Measures what newcomers do first with real data: `pulse import` of years, then `pulse build`.

Everything is as it is for somebody who has typed `make run`: the embedded stack in a process of its
own, whose functions are woken every minute, and the commands as processes again.
"""

import csv
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.account import ROOT
from bench.measure import Goal, Scale, Section, alone

TENANT = "helpdesk"
YEARS = 4 * 365
MONTH = 30
UPDATES_A_TICKET = 4.5
GOAL = 3.0
"""The goal: years take at most so many times what as many rows of a month take."""
LAST_DAY = datetime(2026, 10, 31, tzinfo=UTC)
MAPPED = tuple(
    part
    for name in (
        "interaction_id",
        "media_type",
        "entered_at",
        "accepted_at",
        "finished_at",
        "updated_at",
        "agent_id",
        "service_type",
    )
    for part in ("--map", f"{name}={name}")
)
_READY_WITHIN_S = 120
_SEED = 20_261_130


@dataclass(frozen=True)
class ImportedFile:
    """What an import and the build after it took for one file."""

    rows: int
    days: int
    import_s: float
    build_s: float
    objects: int
    """How many objects raw has after the build."""
    built: int
    """How many days were built, those included that the stack built by itself."""

    @property
    def seconds(self) -> float:
        """The seconds from the file to the reports."""
        return self.import_s + self.build_s


def run(scale: Scale) -> Section:
    """Measure the same rows over four years and within a month, both in random order."""
    rows = scale.import_rows
    month = alone(_imported, rows, MONTH)
    years = alone(_imported, rows, YEARS)
    ratio = years.seconds / month.seconds
    return Section(
        title="An import of years",
        about="`pulse import interactions` of a file in random order, then `pulse build`, on the "
        "embedded stack as `make run` starts it. The file holds the updates of tickets, "
        f"{UPDATES_A_TICKET} of each, and a ticket's updates count on the day that it was opened. "
        "Objects are raw's, as write_raw has left them: what a statement over the day opens.",
        header=("rows", "days", "import", "build", "both", "objects", "objects a day"),
        rows=tuple(
            (
                f"{one.rows:,}",
                f"{one.days:,}",
                f"{one.import_s:.1f} s",
                f"{one.build_s:.1f} s",
                f"{one.seconds:.1f} s",
                f"{one.objects:,}",
                f"{one.objects / one.days:.1f}",
            )
            for one in (month, years)
        ),
        goals=(
            Goal(
                f"import and build of {rows:,} rows over four years within {GOAL:.0f} times the "
                "same rows within a month",
                f"{ratio:.1f}",
                ratio <= GOAL if scale.name != "tiny" else None,
            ),
        ),
    )


def write_file(path: Path, rows: int, days: int) -> None:
    """Write the updates of tickets that were opened on so many days, in random order.

    The same arguments give the same file.
    """
    drawn = random.Random(_SEED)  # noqa: S311 - a made-up file, not a secret
    first = LAST_DAY - timedelta(days=days)
    tickets = int(rows / UPDATES_A_TICKET)
    opened = [first + timedelta(days=drawn.uniform(0, days)) for _ in range(tickets)]
    lines = []
    for number in range(rows):
        ticket = number % tickets
        taken = timedelta(minutes=drawn.uniform(1, 600))
        updated = opened[ticket] + taken * (number // tickets + 1)
        accepted = opened[ticket] + timedelta(minutes=ticket % 50)
        lines.append(
            {
                "interaction_id": f"T-{ticket}",
                "media_type": ("email", "chat", "voice")[ticket % 3],
                "entered_at": opened[ticket].isoformat(),
                "accepted_at": accepted.isoformat(),
                "finished_at": (accepted + taken).isoformat(),
                "updated_at": updated.isoformat(),
                "agent_id": f"agent-{ticket % 40}",
                "service_type": ("billing", "delivery", "returns")[ticket % 3],
            }
        )
    drawn.shuffle(lines)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def _imported(rows: int, days: int) -> ImportedFile:
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as name:
        folder = Path(name)
        write_file(folder / "tickets.csv", rows, days)
        with _running(folder):
            _pulse(folder, "tenant", "create", TENANT)
            start = time.perf_counter()
            _pulse(folder, "import", "interactions", "tickets.csv", "--tenant", TENANT, *MAPPED)
            sent = time.perf_counter()
            _pulse(folder, "build", "--wait", "600")
            built = time.perf_counter()
            objects, ready = _counted(folder)
            return ImportedFile(rows, days, sent - start, built - sent, objects, ready)


def _counted(folder: Path) -> tuple[int, int]:
    """How many objects raw has, and how many days are published."""
    script = (
        "from pathlib import Path; from pulse.cli.target import find_target\n"
        "from pulse import lake\n"
        "from pulse.store.catalog import Catalog; from pulse.store.objects import Objects\n"
        "outputs = find_target(None).outputs\n"
        "published = Catalog(outputs.database).partitions(lake.INTERACTIONS.daily_table)\n"
        "prefix = lake.INTERACTIONS.raw_prefix\n"
        "print(len(Objects(outputs.lake_bucket).sizes(prefix)), len(published))\n"
    )
    said = _run(folder, sys.executable, "-c", script)
    objects, published = said.split()
    return int(objects), int(published)


def _pulse(folder: Path, *arguments: str) -> str:
    return _run(folder, sys.executable, "-m", "pulse.cli.main", *arguments)


def _run(folder: Path, *command: str) -> str:
    """What the command prints. Raises RuntimeError with its error if it fails."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and programs
        command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def _running(folder: Path) -> Iterator[None]:
    """Within the block `make run` runs in the folder, without its sample."""
    settings = {"PULSE_PORT": str(_free_port()), "PULSE_SAMPLE": "0", "PULSE_PARAMETERS": LIMITS}
    with (folder / "stack.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local"],
            cwd=folder,
            env=_environment() | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(folder, process)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


LIMITS = "KeyWritesPerMinute=1000000 TenantWritesPerMinute=1000000"
"""Higher limits: to wait as replies demand it would be measured, but is no work."""


def _wait_until_ready(folder: Path, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not _is_ready(folder, process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((folder / "stack.log").read_text())
        time.sleep(0.1)


def _is_ready(folder: Path, process: int) -> bool:
    try:
        told = json.loads((folder / ".pulse" / "stack.json").read_text())
    except (FileNotFoundError, ValueError):
        return False
    return bool(told["pid"] == process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "AWS" not in name}
    return kept | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shared'}"}
