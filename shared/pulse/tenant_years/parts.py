"""How many parts of a tenant's year are written again when some of its days have changed.

A tenant's year is at most three parts, each of which replaces the days that older ones have too: a
log-structured merge tree (O'Neil et al., The Log-Structured Merge-Tree, 1996) whose keys are days.
Changed days join the newest part, so that most builds write little. What is written again without
having changed is counted with the part it is written for. Once that has cost more than the part
below is large, both become one: so neither carrying nor folding costs much more than the other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

MOST_PARTS = 3
"""So many objects, side by side, answer a question within a calendar year."""


@dataclass(frozen=True)
class Level:
    """What decides about a part: its days that no newer part has, their bytes, what it carried."""

    days: frozenset[date]
    size: float
    carried: float = 0.0

    def without(self, days: Collection[date]) -> float:
        """About how many bytes its days but for these have: each has as many as the others."""
        kept = len(self.days.difference(days))
        return self.size * kept / len(self.days) if self.days else 0.0


@dataclass(frozen=True)
class Fold:
    """So many of the newest parts become one with the changed days, and what it has carried."""

    parts: int
    carried: int


def fold(levels: Sequence[Level], changed: Level) -> Fold:
    """What is written when days have changed, given the parts, the newest first.

    `changed` has the changed days and their bytes.
    """
    parts, carried, size = 0, 0.0, changed.size
    while parts < len(levels):
        below = levels[parts]
        kept = below.without(changed.days)
        too_many = 1 + len(levels) - parts > MOST_PARTS
        if kept and not too_many and carried <= below.size and size < kept:
            break
        carried = below.carried + kept
        size += kept
        parts += 1
    return Fold(parts, round(carried))
