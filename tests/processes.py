"""Reads from /proc which processes there are."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_BEGAN = 18
"""Where proc(5) has the start time behind the state: they are the 22nd and the third field."""


def children_of(pid: int) -> set[int]:
    """Processes that descend from `pid`, at any depth."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rsplit(")")[-1].split()[1]
                )
            except (OSError, ValueError):
                continue
    found = {child for child, parent in parents.items() if parent == pid}
    return found.union(*(children_of(child) for child in found)) if found else found


def is_running(pid: int, began: str | None = None) -> bool:
    """Whether there is such a process that has not ended; with `began` one that began just then.

    Numbers of processes are given again, soon where very many are started.
    """
    try:
        state, *others = Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()
    except OSError:
        return False
    return state != "Z" and began in (None, others[_BEGAN])


def beginnings(pids: Iterable[int]) -> dict[int, str]:
    """When each of the processes began, in ticks since the machine did."""
    found = {}
    for pid in pids:
        with suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            found[pid] = stat.rsplit(")")[-1].split()[1 + _BEGAN]
    return found
