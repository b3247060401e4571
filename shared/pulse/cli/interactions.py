"""Interactions as files hold them: one update a row, dated so that a file can be imported again.

A row without `updated_at` counts as written at the moment that it entered, a microsecond later for
each row of the same interaction before it in the file. So the same file ends in the same report
however often and in whatever order its batches arrive; of a file's rows on one interaction the
last one prevails; a corrected file prevails over the one imported before (equal times: the last
received wins, also where a correction moves a time back, which is why the latest of a row's times
would not do); and no file overrides what a live system has sent since.
"""

from collections import Counter
from dataclasses import dataclass, field

from pulse import days
from pulse.cli import posting
from pulse.cli.plan import (
    Event,
    Kind,
    Needed,
    RowIds,
    WrittenTime,
    as_number,
    as_trimmed,
    instant_of,
    reads,
)
from pulse.ingest.interactions import InteractionReader
from pulse.streams.interactions import INTERACTIONS as STREAM
from pulse.streams.interactions import MILESTONES


@dataclass
class Updates:
    """Completes the updates of one file, in the file's order."""

    _ids: RowIds
    _before: Counter[str] = field(default_factory=Counter)

    def complete(self, update: Event) -> Event:
        """The update with its id and `updated_at`; a currency without an amount is no revenue."""
        if "amount" not in update.get("revenue", {}):
            update.pop("revenue", None)
        update = _in_order(self._ids.complete(update))
        before = self._before[update["interaction_id"]]
        self._before[update["interaction_id"]] += 1
        if "updated_at" in update or "entered_at" not in update:
            return update
        return {**update, "updated_at": days.iso(instant_of(update["entered_at"]) + before)}


def _in_order(update: Event) -> Event:
    """The update with the second of two instants where the first lies before an earlier milestone.

    A local time of the autumn hour that comes twice is either; the order of milestones decides.
    """
    decided = dict(update)
    latest_us = None
    for name in ("entered_at", *MILESTONES):
        written = update.get(name)
        if not isinstance(written, WrittenTime):
            continue
        us = written.instant_us
        if latest_us is not None and written.later_us is not None and us < latest_us:
            us = written.later_us
            decided[name] = days.iso(us)
        latest_us = us if latest_us is None else max(latest_us, us)
    return decided


INTERACTIONS = Kind(
    route=posting.INTERACTIONS,
    identity=STREAM.identity,
    moment="entered_at",
    fields={name: read for name, read in reads(STREAM).items() if name != "revenue"}
    | {"revenue.amount": as_number, "revenue.currency": as_trimmed},
    needed=(
        Needed("media_type", "Name the medium: --set media_type=voice, or --map media_type=COLUMN"),
        Needed(
            "entered_at",
            "Name the column that says when each interaction entered: --map entered_at=COLUMN",
        ),
        Needed(
            "revenue.currency",
            "Name the currency: --set revenue.currency=EUR, or --map revenue.currency=COLUMN",
            beside="revenue.amount",
        ),
        Needed(
            "revenue.amount",
            "Name the column of the amounts: --map revenue.amount=COLUMN",
            beside="revenue.currency",
        ),
    ),
    completing=lambda batch: Updates(RowIds("interaction_id", batch)).complete,
    reader=InteractionReader,
    if_ids_repeat="Rows with the interaction_id of an earlier row: {count}. They are updates of "
    "the same interaction.",
    ids=("interaction_id", "customer_id", "agent_id"),
)
