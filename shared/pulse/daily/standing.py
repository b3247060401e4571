"""How a daily table stands for those that read it: how often it has changed, and its days.

The ledger has both under the name of the table's stream; those of the table of experience, which is
made of two streams, under a name that tells over how many days answers are linked.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from pulse import lake
from pulse.daily.experience import SOURCES, entries_of_experience, is_of_experience, ledger_name
from pulse.store.changes import Stand
from pulse.store.ledger import Entry, Ledger

_MOST_CHANGES = 10**9
"""No table is published so many times."""


def stand_of(table: lake.DailyTable, stands: Mapping[str, Stand]) -> Stand:
    """How a table stands, given how everything stands (Changes.stands).

    As long as builders have the table of experience under two numbers of days, it is not known
    until when all events are in it. What is published under another number is another state.
    """
    if isinstance(table, lake.Dataset):
        return stands[table.stream]
    changes = sum(stands[stream].changes for stream in SOURCES)
    linked = _link_days(stands)
    if not linked:
        return Stand(changes=changes)
    newest = max(linked, key=lambda number: stands[ledger_name(number)].seen_us)
    found = stands[ledger_name(newest)]
    found = replace(found, changes=changes, published=newest * _MOST_CHANGES + found.published)
    return found if len(linked) == 1 else replace(found, seen=None, counted_us=None)


def entries_of(
    ledger: Ledger, table: lake.DailyTable, published: Collection[date]
) -> Mapping[date, Entry]:
    """The days of a table with their versions; it has these published days."""
    if isinstance(table, lake.Dataset):
        return ledger.entries(table.stream)
    found: dict[date, Entry] = {}
    for number in _link_days(ledger.changes.stands()):
        built = ledger.entries(ledger_name(number))
        responses, interactions = (ledger.entries(stream) for stream in SOURCES)
        found |= entries_of_experience(built, responses, interactions, number, published=published)
    return found


def _link_days(stands: Mapping[str, Stand]) -> list[int]:
    """The numbers of days under which builders have the table of experience."""
    return [int(name.rpartition("-")[2]) for name in stands if is_of_experience(name)]
