"""Whose rows of a day differ between the runs that they may come from: told exactly, by Athena.

Runs are compared row by row in one statement over many days. So a day that was built again without
any change concerns nobody, and a late answer concerns the one tenant that got it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pulse import lake
from pulse.days import Remaining
from pulse.sql import spread, statement
from pulse.store.athena import Athena
from pulse.store.held import NOTHING

MOST_PLACES = 2_000
"""At most so many places of objects does Athena look at for one statement: its runs times its days,
since partitions are projected."""
NEW = 2
"""Given as `copies` for days that have one run alone. No row is there twice then, so every tenant
that has rows of the day counts as one whose rows have changed."""


class Compared(NamedTuple):
    """A tenant's rows of a day: events and rows in the newest run, and how many rows differ.

    A row differs if it is not in all of the runs.
    """

    events: int
    rows: int
    differing: int


ByTenant = Mapping[str, Compared]


@dataclass(frozen=True)
class Comparison:
    """Compares runs of build_daily."""

    athena: Athena

    def compare(
        self,
        dataset: lake.DailyTable,
        runs: Mapping[date, Sequence[str]],
        *,
        copies: int,
        remaining_s: Remaining,
    ) -> dict[date, dict[str, Compared]]:
        """By day, every tenant that has rows of it in one of the day's runs, the newest the last.

        `copies` is how many runs each of the days has, NOTHING counted as one: a row that differs
        nowhere is there so many times. For days with a single run it is NEW. Raises AthenaError.
        """
        pairs = [pair(run, day) for day, some in runs.items() for run in readable(some)]
        params = {
            "runs": sorted({run for some in runs.values() for run in readable(some)}),
            "pairs": pairs,
            "newest": [pair(some[-1], day) for day, some in runs.items()],
            "first_day": str(min(runs)),
            "last_day": str(max(runs)),
            "compared": copies,
        }
        text, params = spread(statement("reports", f"{dataset.name}_changed"), params, "runs")
        found: dict[date, dict[str, Compared]] = {day: {} for day in runs}
        for row in self.athena.rows(text, params, remaining_s=remaining_s):
            told = Compared(int(row["events"]), int(row["present"]), int(row["differing"]))
            found[date.fromisoformat(row["dt"])][row["tenant"]] = told
        return found


def readable(runs: Sequence[str]) -> list[str]:
    """Those of a day's runs that have rows: NOTHING is none."""
    return [run for run in runs if run != NOTHING]


def pair(run: str, day: date) -> str:
    """A run and one of its days, as statements name them."""
    return f"{run}/{day}"


def batches(runs: Mapping[date, Sequence[str]], *, most: int = MOST_PLACES) -> Iterator[list[date]]:
    """The days in order, in batches of at most `most` days and MOST_PLACES places of objects."""
    batch: list[date] = []
    named: set[str] = set()
    for day in sorted(runs):
        more = named.union(readable(runs[day]))
        places = len(more) * ((day - batch[0]).days + 1) if batch else 0
        if len(batch) == most or places > MOST_PLACES:
            yield batch
            batch, more = [], {*readable(runs[day])}
        batch.append(day)
        named = more
    if batch:
        yield batch
