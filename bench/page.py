"""Writes bench/RESULTS.md, the page with what a run has found."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.account import ROOT
from bench.measure import Goal, Scale, Section
from pulse import days

PACKAGES = (
    "boto3",
    "pyarrow",
    "numpy",
    "pandas",
    "awswrangler",
    "moto",
    "duckdb",
    "chdb",
    "psycopg",
    "ua-parser",
    "maxminddb",
)
_VERDICTS = {True: "held", False: "**missed**", None: "not judged at this scale"}


def page(scale: Scale, parts: Sequence[Section], seconds: float) -> str:
    """The page: the goals first, then the table of each part."""
    goals = [(part.title, goal) for part in parts for goal in part.goals]
    return (
        "\n\n".join(
            (
                "# What Pulse does in numbers",
                f"Written by `make bench`; scale {scale.name}, {seconds / 60:.0f} minutes. "
                "Everything that is compared was measured in turns in the same run, so read the "
                "ratios rather than the times; a range behind a median is p5 to p95.",
                _circumstances(),
                "## Goals",
                _table(("part", "goal", "measured", ""), [_goal_row(t, goal) for t, goal in goals]),
                *(_section(part) for part in parts),
            )
        )
        + "\n"
    )


def _goal_row(title: str, goal: Goal) -> tuple[str, ...]:
    return title, goal.text, goal.measured, _VERDICTS[goal.held]


def _section(part: Section) -> str:
    return f"## {part.title}\n\n{part.about}\n\n{_table(part.header, part.rows)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _circumstances() -> str:
    facts = {
        "date": f"{days.now():%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "machine": f"{_processor()}, {os.cpu_count()} CPUs, {_memory_gb():.0f} GB, "
        f"{platform.system()} {platform.release()}; load {os.getloadavg()[0]:.1f} at the end",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name))),
        "PostgreSQL": _postgresql(),
    }
    return _table(("", ""), list(facts.items()))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    done = _output("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    return done or "unknown"


def _postgresql() -> str:
    found = re.search(r"[\d.]+", _output("initdb", "--version"))
    return found.group() if found else "not installed"


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
