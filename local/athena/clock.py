"""What time it is for executions: how a projection's NOW is read, and what names of files tell."""

from collections.abc import Callable
from datetime import UTC, datetime


def _system_clock() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system_clock


def now() -> datetime:
    """The present moment, in UTC."""
    return _source()


def follow(source: Callable[[], datetime]) -> None:
    """From now on it is what `source` says: for a program whose clock can be set."""
    global _source
    _source = source
