"""In which portions, of one statement each, a run builds the days that are due (decision 0032)."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from pulse import halving
from pulse.daily.statement_days import batches
from pulse.store.ledger import Entry

MOST_RETRIES = 10
"""At most so many days that are known to fail are tried again in one run."""


def portions_due(
    entries: Mapping[date, Entry], due: Sequence[date], *, every: bool
) -> deque[list[date]]:
    """The days that are to be built now, in portions of one statement each.

    Days whose own statement failed come last, each alone, so that they hold up nothing; and only
    those whose time has come, unless `every` one is wanted.
    """
    sound = [day for day in due if entries[day].unbuilt is None]
    waiting = {day: note for day in due if (note := entries[day].unbuilt) and not note.alone}
    suspects = [day for day in due if _is_suspect(entries[day])]
    if not every:
        suspects = _to_be_tried(suspects, entries)
    halves = _halves({day: note.among for day, note in waiting.items()})
    return deque([*batches(sound), *halves, *([day] for day in suspects)])


def _halves(among: Mapping[date, int]) -> Iterator[list[date]]:
    """The days of failed statements (`among`: over how many days), in portions of half as many.

    So a run goes on where the run before had no time left to find the day at fault.
    """
    for size in sorted(set(among.values())):
        days = sorted(day for day, number in among.items() if number == size)
        for batch in batches(days):
            yield from halving.portions(batch, size) if size else [batch]


def _is_suspect(entry: Entry) -> bool:
    """Has a statement over only this day failed?"""
    return entry.unbuilt is not None and entry.unbuilt.alone


def _to_be_tried(suspects: Sequence[date], entries: Mapping[date, Entry]) -> list[date]:
    """The suspects that are to be tried now, the longest untried first."""
    known = {day: note for day in suspects if (note := entries[day].unbuilt)}
    due = [day for day, note in known.items() if note.is_due(entries[day].version)]
    return sorted(due, key=lambda day: known[day].tried_us)[:MOST_RETRIES]
