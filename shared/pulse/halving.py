"""How builders find what a failing statement fails over (decision 0032).

A statement builds many days or tenants at once. Where it fails because of the rows that it reads,
each half of them is tried by itself, until the one is found whose rows they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pulse.errors import PulseError

FEW_FAILURES = 10
"""If so many statements fail before the first one succeeds, it is not the rows' fault."""
MOST_FAILURES = 60
"""So many statements over a table may fail in one run; the next run goes on from there."""

Thing = TypeVar("Thing")


@dataclass(kw_only=True)
class Failures(Generic[Thing]):
    """What could not be built of a table in one run."""

    failed: dict[Thing, PulseError] = field(default_factory=dict)
    """What failed by itself."""
    held_up: dict[Thing, PulseError] = field(default_factory=dict)
    """What could not be built because of something else."""
    statements_failed: int = 0

    @property
    def has_built(self) -> bool:
        """True once something has been built in this run."""
        raise NotImplementedError

    @property
    def is_hopeless(self) -> bool:
        """True where so many statements have failed that no more are to be tried."""
        return self.statements_failed >= (MOST_FAILURES if self.has_built else FEW_FAILURES)

    @property
    def failures(self) -> list[PulseError]:
        """Every error of this run, each once."""
        return list(dict.fromkeys([*self.failed.values(), *self.held_up.values()]))


def halves(things: Sequence[Thing]) -> list[list[Thing]]:
    """The two halves of what a statement was over, in order."""
    middle = len(things) // 2
    return [list(things[:middle]), list(things[middle:])]


def portions(things: Sequence[Thing], among: int) -> Iterator[list[Thing]]:
    """Portions of half the size of a statement over `among` things that failed.

    So a run goes on with the halves where the run before had no time left.
    """
    size = max(1, among // 2)
    return (list(things[at : at + size]) for at in range(0, len(things), size))
