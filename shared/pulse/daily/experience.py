"""Which days of the table of experience are built, and from what (docs/decisions/0072).

A day of it is made of the answers of the day and of the interactions of the days that these may
link to. Its version is the sum of their versions, each of which only ever grows.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from pulse import days
from pulse.store.catalog import Partition
from pulse.store.ledger import Entry

SOURCES = ("responses", "interactions")
"""The streams that the table is made of."""


def ledger_name(link_days: int) -> str:
    """What the ledger calls the table, where links span at most so many days.

    Versions are sums over the days that links may span. Sums over other numbers of days cannot be
    compared, so each number of days has a name of its own.
    """
    return f"experience-{link_days}"


def is_of_experience(name: str) -> bool:
    """Is that a name by which the ledger calls, or has called, the table?"""
    return name.startswith("experience-")


def former_names(names: Iterable[str], link_days: int) -> list[str]:
    """Which of these names the ledger has for the table under other numbers of days."""
    return [name for name in names if is_of_experience(name) and name != ledger_name(link_days)]


def entries_of_experience(
    built: Mapping[date, Entry],
    responses: Mapping[date, Entry],
    interactions: Mapping[date, Entry],
    link_days: int,
    *,
    published: Collection[date],
) -> Mapping[date, Entry]:
    """The days of the table with their versions, in order.

    `built` are the ledger's days of the table itself. A day to which no interaction can be linked
    has no entry, unless it is `published`, since it may have links over more days. One that is
    published stays as it is once raw no longer keeps all that it was built from, over whatever
    number of days it links: it counts as expired.
    """
    found = {}
    for day, answered in responses.items():
        linked = linkable(day, interactions, link_days)
        if not linked and day not in published:
            continue
        before = built.get(day, Entry(day, 0))
        is_past = day in published and any(one.expired for one in linked)
        found[day] = replace(
            before,
            version=answered.version + sum(one.version for one in linked),
            expired=answered.expired or is_past,
        )
    return found


def shows(partition: Partition, entry: Entry) -> bool:
    """Whether what is published of a day was built from the day's version of now.

    Equal versions do not suffice: a run that linked over another number of days may have had the
    same sum. But it has not claimed the day under the present name.
    """
    return partition.run == entry.claimed_run and partition.version == entry.version


def link_parameters(
    answered: Sequence[date], interactions: Mapping[date, Entry], link_days: int
) -> dict[str, Any]:
    """What counted/linked asks for: the days of answers, and all days to be read.

    Days of interactions that raw no longer keeps are not read.
    """
    read = set(answered)
    for day in answered:
        read.update(one.day for one in linkable(day, interactions, link_days))
    expired = {day for day in read if day in interactions and interactions[day].expired}
    texts = [day.isoformat() for day in sorted(read - expired | set(answered))]
    return {
        "answered": [day.isoformat() for day in answered],
        "first_day": texts[0],
        "last_day": texts[-1],
        "days": texts,
        "link_us": link_days * days.DAY,
    }


def linkable(day: date, interactions: Mapping[date, Entry], link_days: int) -> list[Entry]:
    """The days on which an interaction has entered that an answer of the day may link to."""
    span = (day - earliest_linkable(day, link_days)).days
    reach = (day - timedelta(days=back) for back in range(span + 1))
    return [interactions[one] for one in reach if one in interactions]


def earliest_linkable(day: date, link_days: int) -> date:
    """The first day on which an interaction may have entered that an answer of the day links to.

    It lies one day more back than links may span: where clocks were changed, that many times 24
    hours reach into one day more.
    """
    return day - timedelta(days=link_days + 1)
