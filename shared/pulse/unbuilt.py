"""What could not be built, and when it is tried again: of a day, or of a tenant's year.

A statement may fail for reasons of its own or of nobody's: rows that it cannot read, or an Athena
that is out of order. One thing is called failing only if it failed by itself while others of its
kind could be built, or if it has failed for a day. Until then it waits, and is tried at every run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pulse import days
from pulse.errors import AthenaError, PulseError

HOUR_US = 3600 * days.SECOND
NIGHT_US = 20 * HOUR_US
"""A little less than from one nightly run to the next."""
_REASON_LENGTH = 500


@dataclass(frozen=True)
class Unbuilt:
    """One thing that was to be built and is not; moments are UTC microseconds."""

    of: str
    """What of it was tried: a version, or a hash of what it is made of."""
    reason: str
    since_us: int
    tried_us: int
    tries: int = 0
    """How often it failed by itself; 0: it waits because of something else."""
    alone: bool = False
    """Its own statement fails: whatever else a statement builds would fail with it."""
    failing: bool = False
    """It cannot be built as it is, as far as can be told."""
    among: int = 0
    """A statement over so many failed, and time ran out before it was known whose fault it was."""

    @classmethod
    def waiting(cls, of: object, reason: object, *, among: int = 0) -> Self:
        """Something that could not be built, and nothing tells that it is its own fault."""
        now = days.now_us()
        return cls(str(of), _short(reason), now, now, among=among)

    @classmethod
    def failed(
        cls, of: object, error: PulseError, *, before: "Unbuilt | None", others_built: bool
    ) -> Self:
        """Something that failed by itself in a run, in which others could be built or not."""
        now = days.now_us()
        if before and not before.tries:  # it has waited so far, which is nobody's fault
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
        """Is it to be tried again now, if this is what it is made of by now?

        What fails is tried after an hour where it has changed; otherwise after one, two, four …
        hours, and then every night.
        """
        if not self.failing:
            return True
        passed = days.now_us() - self.tried_us
        patience = HOUR_US if str(of) != self.of else HOUR_US << min(self.tries - 1, 5)
        return passed >= min(patience, NIGHT_US)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """What the table keeps, also where a newer release has written more into it."""
        known = [field.name for field in fields(cls)]
        return cls(**{name: record[name] for name in known if name in record})

    def record(self) -> dict[str, Any]:
        """As the table keeps it."""
        return asdict(self)


def _short(reason: object) -> str:
    return str(reason)[:_REASON_LENGTH]
