"""Helps builders to find the day or tenant whose rows make a statement fail (decision 0032).

A statement builds many days or tenants at once. If it fails because of the rows that it reads, each
half of them is tried by itself, until the day or tenant with these rows is found.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pulse.errors import PulseError

FEW_FAILURES = 10
"""If so many statements fail before the first one succeeds, their rows are not the cause."""
MOST_FAILURES = 60
"""The most statements over a table that may fail in one run; the next run goes on from there."""

Thing = TypeVar("Thing")


@dataclass(kw_only=True)
class Failures(Generic[Thing]):
    """The days or tenants of a table that could not be built in one run."""

    failed: dict[Thing, PulseError] = field(default_factory=dict)
    """Those that failed by themselves."""
    held_up: dict[Thing, PulseError] = field(default_factory=dict)
    """Those that could not be built because of something else."""
    statements_failed: int = 0

    @property
    def has_built(self) -> bool:
        """Whether anything has been built in this run."""
        raise NotImplementedError

    @property
    def is_hopeless(self) -> bool:
        """Whether so many statements have failed that no more are tried."""
        return self.statements_failed >= (MOST_FAILURES if self.has_built else FEW_FAILURES)

    @property
    def failures(self) -> list[PulseError]:
        """Every error of this run, each once."""
        return list(dict.fromkeys([*self.failed.values(), *self.held_up.values()]))


def halves(things: Sequence[Thing]) -> list[list[Thing]]:
    """The two halves of the days or tenants of a statement, in order."""
    middle = len(things) // 2
    return [list(things[:middle]), list(things[middle:])]


def portions(things: Sequence[Thing], among: int) -> Iterator[list[Thing]]:
    """The things in portions of half of `among`, the size of a statement that failed over them.

    So a run goes on with the halves for which the run before had no time left.
    """
    size = max(1, among // 2)
    return (list(things[at : at + size]) for at in range(0, len(things), size))
