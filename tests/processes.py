"""Reads from /proc which processes there are."""

from pathlib import Path


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


def is_running(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0]
    except OSError:
        return False
    return state != "Z"
