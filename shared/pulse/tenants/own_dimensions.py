"""A tenant's own dimensions: keys of tags that its answers are told apart by.

A key has a column of the tables for good, in the order in which keys were first declared, and says
since which of the tenant's days it is in force. So no column ever means two keys, whatever the day
(docs/decisions/0074). What is in force on an answer's day is stamped on it.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date

from pulse import days, lake
from pulse.texts import tidy

OwnDimensions = Mapping[str, tuple[tuple[date, bool], ...]]
"""By key, in the order of their columns: since when it is in force or not, oldest first."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)


def columns_of(own: OwnDimensions) -> dict[str, str]:
    """The column of each key, also of those that have been given up: their days of before stay."""
    return dict(zip(own, lake.TAG_SLOTS, strict=False))


def in_force(own: OwnDimensions, day: date) -> tuple[str, ...]:
    """The keys that are stamped on answers of a day, in the order of their columns."""
    return tuple(key for key, timeline in own.items() if _holds(timeline, day))


def tag_value(tags: Mapping[str, str] | None, key: str) -> str | None:
    """The value of a tag in the form of names.

    None for one that is not there or blank, or a text that replies and filters use otherwise.
    """
    value = tidy((tags or {}).get(key, ""))
    return value if value and value not in lake.RESERVED else None


def stamped(own: OwnDimensions, tags: Mapping[str, str] | None, day: date) -> dict[str, str]:
    """What an answer of a day has in the columns: the values of the tags in force."""
    columns = columns_of(own)
    values = {columns[key]: tag_value(tags, key) for key in in_force(own, day)}
    return {column: value for column, value in values.items() if value is not None}


def declared(
    own: OwnDimensions, keys: Collection[str], since: date | None, tomorrow: date
) -> OwnDimensions:
    """The dimensions with these keys in force from a day on, and no others.

    Where no day is named, a new key is in force for all days, and any other change from tomorrow
    on. Raises ValueError for keys that cannot be dimensions, or that there is no column left for.
    """
    changed: dict[str, tuple[tuple[date, bool], ...]] = dict(own)
    for key in dict.fromkeys((*own, *keys)):
        timeline, wanted = own.get(key, ()), key in keys
        day = since or (tomorrow if timeline else days.FIRST_DAY)
        if since is not None or not timeline or timeline[-1][1] != wanted:
            changed[key] = tuple(sorted({**dict(timeline), day: wanted}.items()))
    check_own_dimensions(changed)
    return changed


def check_own_dimensions(own: OwnDimensions) -> None:
    """Raise ValueError unless these are keys that a tenant can have, with rising days."""
    for key, timeline in own.items():
        if not _KEY.fullmatch(key):
            raise ValueError(
                "a dimension is the key of a tag that begins with a letter and has letters, "
                f"digits, _ and - behind it, 40 at most; {key[:64]!r} is none"
            )
        since = [day for day, _ in timeline]
        if not since or since != sorted(set(since)) or since[0] < days.FIRST_DAY:
            raise ValueError(f"dimension {key} must have rising days, from {days.FIRST_DAY} on")
    most = len(lake.TAG_SLOTS)
    if len(own) > most:
        *_, last = own
        raise ValueError(
            f"a tenant may have {most} dimensions of its own in all, since each keeps its column "
            f"for good: none is left for {last} beside {', '.join(list(own)[:most])}"
        )


def _holds(timeline: tuple[tuple[date, bool], ...], day: date) -> bool:
    held = [wanted for since, wanted in timeline if since <= day]
    return bool(held) and held[-1]
