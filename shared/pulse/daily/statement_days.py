"""The days of one statement: how many it may have, and how its parameters name them."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from pulse import lake
from pulse.streams.interactions import SYNCHRONOUS


def batches(days: Sequence[date]) -> Iterator[list[date]]:
    """The days in order, cut so that no batch spans more days than one UNLOAD may write."""
    batch: list[date] = []
    for day in days:
        if batch and day - batch[0] >= timedelta(days=lake.PARTITION_LIMIT):
            yield batch
            batch = []
        batch.append(day)
    if batch:
        yield batch


def day_parameters(days: Sequence[date]) -> dict[str, Any]:
    """What the statements over days ask for: the first, the last, and each of them, as text.

    Those over interactions ask for the media besides that are synchronous as a rule.
    """
    texts = [day.isoformat() for day in days]
    span = {"first_day": texts[0], "last_day": texts[-1], "days": texts}
    return span | {"synchronous": list(SYNCHRONOUS)}
