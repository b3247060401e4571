"""How many bytes are written for each new one where a year is kept in a few parts."""

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest

from pulse.tenant_years.parts import MOST_PARTS, Fold, Level, fold

FIRST = date(2025, 1, 1)
DAY_BYTES = 1000.0
Parts = list[tuple[Mapping[date, float], int]]
"""The bytes of each part's days, and what it has carried; the newest first."""


def levels(parts: Parts) -> list[Level]:
    """What a builder knows of the parts: their bytes altogether, not those of each day."""
    found, hidden = [], set[date]()
    for sizes, carried in parts:
        visible = frozenset(sizes.keys() - hidden)
        found.append(Level(visible, sum(sizes.values()) * len(visible) / len(sizes), carried))
        hidden |= sizes.keys()
    return found


def written_again(builds_a_day: int, late: float, days: int = 365) -> float:
    """Bytes written for each new byte. `late` is how likely a build has a past day to replace.

    New are the rows that today has gained since the last build, and all rows of a past day.
    """
    chance, parts, written, new = random.Random(1), Parts(), 0.0, 0.0
    for number, build in ((n, b) for n in range(days) for b in range(1, builds_a_day + 1)):
        today = FIRST + timedelta(days=number)
        changed = {today: DAY_BYTES * build / builds_a_day}
        new += DAY_BYTES / builds_a_day
        if number and chance.random() < late:
            changed[FIRST + timedelta(days=chance.randrange(number))] = DAY_BYTES
            new += DAY_BYTES
        made = fold(levels(parts), Level(frozenset(changed), sum(changed.values())))
        absorbed = [sizes for sizes, _ in parts[: made.parts]]
        merged = {
            day: size for sizes in reversed([changed, *absorbed]) for day, size in sizes.items()
        }
        written += sum(merged.values())
        left = [(sizes, c) for sizes, c in parts[made.parts :] if sizes.keys() - merged.keys()]
        parts = [(merged, made.carried), *left]
        assert len(parts) <= MOST_PARTS
    known = set[date]().union(*(sizes for sizes, _ in parts))
    assert known == {FIRST + timedelta(days=number) for number in range(days)}
    return written / new


@pytest.mark.parametrize(
    ("builds_a_day", "late", "most"), [(1, 0, 30), (1, 0.05, 30), (96, 0, 100), (96, 0.05, 100)]
)
def test_a_year_of_builds_writes_no_byte_too_often(
    builds_a_day: int, late: float, most: float
) -> None:
    assert 1 <= written_again(builds_a_day, late) <= most


def of(first: int, count: int, size: float, carried: float = 0) -> Level:
    """A part of days in a row."""
    days = frozenset(FIRST + timedelta(days=first + number) for number in range(count))
    return Level(days, size, carried)


@pytest.mark.parametrize(
    ("parts", "changed", "expected"),
    [
        ([], of(0, 1, 9), Fold(0, 0)),
        ([of(0, 300, 3000)], of(300, 1, 10), Fold(0, 0)),
        # what all its days replace is gone, and cost nothing to keep
        ([of(300, 1, 10), of(0, 300, 3000)], of(300, 1, 20), Fold(1, 0)),
        ([of(305, 2, 20, 5), of(300, 5, 50), of(0, 300, 3000)], of(307, 1, 10), Fold(1, 25)),
        ([of(305, 2, 20, 31), of(300, 5, 50, 7), of(0, 300, 3000)], of(307, 1, 10), Fold(2, 57)),
        ([of(0, 300, 3000)], of(0, 300, 3000), Fold(1, 0)),
    ],
)
def test_what_joins_the_changed_days(
    parts: Sequence[Level], changed: Level, expected: Fold
) -> None:
    assert fold(parts, changed) == expected
