"""How a daily table stands: how often it has changed, its days, and whether they are published.

The ledger has both under the name of the table's stream; those of the table of experience, which is
made of two streams, under a name that tells over how many days answers are linked. A builder knows
that number of days; those that read the table find it in the names that there are.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from pulse import lake
from pulse.daily import experience
from pulse.store.catalog import Partition
from pulse.store.changes import Stand
from pulse.store.ledger import Entry, Ledger

_MOST_CHANGES = 10**9
"""No table is published so many times."""


def stand_of(table: lake.DailyTable, stands: Mapping[str, Stand]) -> Stand:
    """How a table stands for those that read it, given how everything stands (Changes.stands).

    As long as builders have the table of experience under two numbers of days, it is not known
    until when all events are in it. What is published under another number is another state.
    """
    if isinstance(table, lake.Dataset):
        return stands[table.stream]
    changes = _changes_of_experience(stands)
    linked = _link_days(stands)
    if not linked:
        return Stand(changes=changes)
    newest = max(linked, key=lambda number: stands[experience.ledger_name(number)].seen_us)
    found = stands[experience.ledger_name(newest)]
    found = replace(found, changes=changes, published=newest * _MOST_CHANGES + found.published)
    return found if len(linked) == 1 else replace(found, seen=None, counted_us=None, unbuilt=None)


def stand_for_builder(table: lake.DailyTable, stands: Mapping[str, Stand], link_days: int) -> Stand:
    """How a table stands for the builder that links answers over so many days.

    No builder has looked at the table of experience as long as there is a record under another
    number of days: what is published may link over these.
    """
    if isinstance(table, lake.Dataset):
        return stands[table.stream]
    own = stands.get(experience.ledger_name(link_days), Stand())
    if experience.former_names(stands, link_days):
        own = replace(own, seen=None)
    return replace(own, changes=_changes_of_experience(stands))


def is_up_to_date(table: lake.DailyTable, partition: Partition, entry: Entry) -> bool:
    """Whether what is published of a table's day was built from the day's version of now."""
    if isinstance(table, lake.Dataset):
        return partition.version == entry.version
    return experience.shows(partition, entry)


def entries_of(
    ledger: Ledger, table: lake.DailyTable, published: Collection[date]
) -> Mapping[date, Entry]:
    """The days of a table with their versions; it has these published days."""
    if isinstance(table, lake.Dataset):
        return ledger.entries(table.stream)
    found: dict[date, Entry] = {}
    for number in _link_days(ledger.changes.stands()):
        built = ledger.entries(experience.ledger_name(number))
        responses, interactions = (ledger.entries(stream) for stream in experience.SOURCES)
        found |= experience.entries_of_experience(
            built, responses, interactions, number, published=published
        )
    return found


def _changes_of_experience(stands: Mapping[str, Stand]) -> int:
    """The table of experience has changed as often as the streams that it is made of, together."""
    return sum(stands[stream].changes for stream in experience.SOURCES)


def _link_days(stands: Mapping[str, Stand]) -> list[int]:
    """The numbers of days under which builders have the table of experience."""
    return [int(name.rpartition("-")[2]) for name in stands if experience.is_of_experience(name)]
