"""The present moment of executions, for a projection's NOW and for the names of files."""

from collections.abc import Callable
from datetime import UTC, datetime


def _system_clock() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system_clock


def now() -> datetime:
    """The present moment, in UTC."""
    return _source()


def follow(source: Callable[[], datetime]) -> None:
    """Take the present moment from `source` from now on; for a program whose clock can be set."""
    global _source
    _source = source
