"""Days and tenant-years that could not be built, and when they are tried again.

A statement may fail because of the rows that it reads, or because Athena does not work. So a day or
a tenant-year counts as failing only if it failed by itself while others could be built, or if it
has failed for a day. Until then it counts as waiting, and every run tries it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pulse import days
from pulse.errors import AthenaError, PulseError

HOUR_US = 3600 * days.SECOND
NIGHT_US = 20 * HOUR_US
"""A little less than the time between two nightly runs."""
_REASON_LENGTH = 500


@dataclass(frozen=True)
class Unbuilt:
    """A day or a tenant-year that could not be built; moments are UTC microseconds."""

    of: str
    """The version that was tried, or a hash of what it is built from."""
    reason: str
    since_us: int
    tried_us: int
    tries: int = 0
    """How often it failed by itself; 0 if only something else keeps it from being built."""
    alone: bool = False
    """Whether a statement over it alone fails, so that it makes statements over others fail too."""
    failing: bool = False
    """Whether it counts as failing."""
    among: int = 0
    """The size of the statement that failed, if the time ended before its cause was found."""

    @classmethod
    def waiting(cls, of: object, reason: object, *, among: int = 0) -> Self:
        """A thing that could not be built, although its own rows may not be the cause."""
        now = days.now_us()
        return cls(str(of), _short(reason), now, now, among=among)

    @classmethod
    def failed(
        cls, of: object, error: PulseError, *, before: "Unbuilt | None", others_built: bool
    ) -> Self:
        """A thing that failed by itself in a run; `others_built` says if others were built."""
        now = days.now_us()
        if before and not before.tries:  # until now it has only waited
            before = None
        since_us = before.since_us if before else now
        at_once = isinstance(error, AthenaError) and others_built
        return cls(
            of=str(of),
            reason=_short(error),
            since_us=since_us,
            tried_us=now,
            tries=(before.tries if before else 0) + 1,
            alone=isinstance(error, AthenaError),
            failing=at_once or bool(before and before.failing) or now - since_us >= NIGHT_US,
        )

    def is_due(self, of: object) -> bool:
        """Whether it is to be tried again now. `of` is the present version or hash.

        A failing thing is tried after an hour if it has changed, otherwise after one, two, four …
        hours, and then every night.
        """
        return not self.failing or days.now_us() >= self.due_us(of)

    def due_us(self, of: object) -> int:
        """When it is to be tried again if `of` stays its version or hash (UTC, microseconds)."""
        if not self.failing:
            return self.tried_us
        patience = HOUR_US if str(of) != self.of else HOUR_US << min(self.tries - 1, 5)
        return self.tried_us + min(patience, NIGHT_US)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Read it from a record of the table. Attributes of a newer version are ignored."""
        known = [field.name for field in fields(cls)]
        return cls(**{name: record[name] for name in known if name in record})

    def record(self) -> dict[str, Any]:
        """The members of a record of the table."""
        return asdict(self)


def _short(reason: object) -> str:
    return str(reason)[:_REASON_LENGTH]
