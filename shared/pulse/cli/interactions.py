"""Interactions in files: each row is one update, dated so that a file can be imported again.

A row without `updated_at` counts as written when its interaction entered, and a microsecond later
for each row of the same interaction before it in the file. This has four effects:

- The same file gives the same report, however often and in whatever order its batches arrive.
- Of a file's rows on one interaction the last one prevails.
- A corrected file prevails over an earlier one: its times are equal, and of equal times the last
  received prevails. (The latest of a row's times would not do: a correction may move it back.)
- No file overrides updates that a live system has sent since.
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
        """The update with its id and `updated_at`, and without a currency that has no amount."""
        if "amount" not in update.get("revenue", {}):
            update.pop("revenue", None)
        update = _in_order(self._ids.complete(update))
        before = self._before[update["interaction_id"]]
        self._before[update["interaction_id"]] += 1
        if "updated_at" in update or "entered_at" not in update:
            return update
        return {**update, "updated_at": days.iso(instant_of(update["entered_at"]) + before)}


def _in_order(update: Event) -> Event:
    """The update with its milestones in order, if a local time can be either of two moments.

    A time of the hour that comes twice in autumn is first taken for the first moment. If that is
    before an earlier milestone, the second one is taken.
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
