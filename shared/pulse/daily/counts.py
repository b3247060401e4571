"""Whether a build has counted every event of its days once, judged by what raw holds of them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from pulse import lake
from pulse.errors import BuildCheckError
from pulse.raw import parquet
from pulse.store.objects import Objects


def by_day(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many events each day has, by its text, in rows of a statement of sql/checks/."""
    return {row["dt"]: int(row["events"]) for row in rows}


def wrong_counts(
    before: Mapping[str, int], built: Mapping[str, int], after: Mapping[str, int]
) -> dict[date, BuildCheckError]:
    """The days whose counts differ from what raw held while they were built, with the errors.

    Events only ever come: what was there before the statement must be in the result, and what
    was not there after it must not.
    """
    wrong: dict[date, BuildCheckError] = {}
    for day in sorted({*before, *built, *after}):
        low, found, high = (counts.get(day, 0) for counts in (before, built, after))
        if not low <= found <= high:
            wrong[date.fromisoformat(day)] = BuildCheckError(
                f"{day}: {found} events built, where raw held {low} before and {high} after"
            )
    return wrong


def passed_over(objects: Objects, dataset: lake.Dataset, day: date) -> dict[date, BuildCheckError]:
    """The day with an error, if raw may have rows of it and Athena finds none.

    Where it reads nothing at all, as from a table whose location is wrong, its own counts
    agree with each other.
    """
    for key, size in objects.sizes(lake.raw_prefix(dataset.stream, day)).items():
        if not size:
            continue  # Athena passes over it, too: a folder that somebody made in S3's console
        try:
            found = "has rows" if parquet.rows_in(objects.get(key)) else None
        except pa.ArrowException:
            found = "cannot be read"
        if found:
            text = f"{day}: Athena finds no events, where {key} {found}"
            return {day: BuildCheckError(text)}
    return {}
