"""Sums by group, and what is done to them before they are rows: merged, split, filled, rolled up.

A group's key holds the values of the grouped columns in their order. A subtotal's key is the
beginning of its groups' keys, so that no value has to stand for "all of them".
"""

from collections.abc import Collection, Iterable, Sequence
from operator import add

from pulse.errors import UnprocessableError
from pulse.lake import REST
from pulse.reports.declarations import ALL, PERIOD, Label, Report
from pulse.reports.sums import Sums

Key = tuple[Label, ...]
"""A group: the values of its columns, in the order in which they were asked for."""
Groups = dict[Key, Sums]

MOST_GROUPS = 100_000
"""Making and sorting so many rows takes the function a second of its processor's time."""
_MOST_SUMS = 100
"""A group with more sums than this, as of many currencies, counts as several."""


class TooManyGroupsError(UnprocessableError):
    """A question makes more groups than can be told one by one."""

    def __init__(self, *less: str) -> None:
        """`less`: ways to ask for fewer groups."""
        ways = ", or ".join((*less, "filter more"))
        super().__init__(
            "too_many_groups",
            f"The question makes too many rows. There may be {MOST_GROUPS:,}, each counted again "
            f"for every figure that they are ordered by, twice if that is compared: {ways}.",
        )


def check_size(groups: int, width: int = 0, times: int = 1) -> None:
    """Raise TooManyGroupsError for more groups than can be told.

    Each has `width` sums, and its figures are worked out so many `times`.
    """
    if groups * max(width, _MOST_SUMS) * times > MOST_GROUPS * _MOST_SUMS:
        raise TooManyGroupsError


def merge(parts: Iterable[Groups]) -> Groups:
    """The groups of several parts as one, their sums added.

    Raises TooManyGroupsError for more than MOST_GROUPS groups, before there are many more.
    """
    merged: Groups = {}
    for part in parts:
        merged = added(part.items(), merged)
        check_size(len(merged))
    return merged


def added(pairs: Iterable[tuple[Key, Sums]], to: Groups | None = None) -> Groups:
    """(key, sums) pairs as groups, beside those of `to`: the sums of equal keys are added."""
    groups: Groups = {} if to is None else to
    for key, sums in pairs:
        known = groups.get(key)
        groups[key] = list(map(add, known, sums)) if known else sums
    return groups


def apart(report: Report, group_by: Sequence[str]) -> slice:
    """Where in a key the values stand that the report's family keeps apart.

    No subtotal leaves them out, nor what is before them.
    """
    names = report.family.apart
    first = group_by.index(names[0]) if names else 0
    return slice(first, first + len(names))


def judged(report: Report, group_by: Sequence[str], groups: Groups) -> tuple[Groups, Groups]:
    """The groups without counts that cannot be judged, and these counts by metric and scale.

    Groups without any other count are dropped.
    """
    place = apart(report, group_by)
    left: Groups = {}
    unjudged: list[tuple[Key, Sums]] = []
    for key, sums in groups.items():
        places = report.family.unjudged(key[place])
        if any(sums[at] for at in places):
            unjudged.append((key[place], [sums[at] for at in places]))
            sums = [0 if at in places else count for at, count in enumerate(sums)]
            if not any(sums):
                continue
        left[key] = sums
    return left, added(unjudged)


def period_place(group_by: Sequence[str]) -> int | None:
    """Where in a key the period stands, if it is grouped by."""
    return group_by.index(PERIOD) if PERIOD in group_by else None


def put(key: Key, place: int, value: Label) -> Key:
    """The key with one more part, at this place."""
    return (*key[:place], value, *key[place:])


def replaced(key: Key, place: int, value: Label) -> Key:
    """The key with another value at this place."""
    return (*key[:place], value, *key[place + 1 :])


def split(groups: Groups, place: int) -> Groups:
    """Each group as one for each of its counts, whose position is put at `place` of the key."""
    check_size(sum(map(len, groups.values())))
    return {
        put(key, place, position): [count if at == position else 0 for at in range(len(sums))]
        for key, sums in groups.items()
        for position, count in enumerate(sums)
    }


def over_all(key: Key, apart: slice) -> Key:
    """The key of the group over every metric and scale that this one is in."""
    everything = (ALL, *[None] * (apart.stop - apart.start - 1))
    return (*key[: apart.start], *everything, *key[apart.stop :])


def with_over_all(groups: Groups, apart: slice) -> Groups:
    """The groups, and beside them those over every metric and scale."""
    return groups | added((over_all(key, apart), sums) for key, sums in groups.items())


def with_subtotals(groups: Groups, least: int) -> Groups:
    """The groups, and the sum of those that agree in each beginning of `least` parts or more."""
    found = dict(groups)
    longest = max(map(len, groups), default=0)
    level = groups
    for length in range(longest - 1, least - 1, -1):  # each from the next longer ones, the fewest
        level = added((key[:length], sums) for key, sums in level.items())
        found |= level
    return found


def is_rest(key: Key) -> bool:
    """Is this the key of a row that sums up groups without rows of their own?"""
    return REST in key


def beginnings(key: Key, least: int) -> list[Key]:
    """The key's beginnings of `least` parts or more, itself aside."""
    return [key[:length] for length in range(least, len(key))]


# -- rows that are there even if nothing was counted


def filled(keys: Collection[Key], place: int, periods: Sequence[str]) -> set[Key]:
    """Every key, which has a period at this place, in every period."""
    bare = {(key[:place], key[place + 1 :]) for key in keys}
    check_size(len(bare) * len(periods))
    return {(*a, period, *b) for period in periods for a, b in bare}


def with_always(report: Report, group_by: Sequence[str], keys: Collection[Key]) -> set[Key]:
    """The keys, and for each of them those with the values that the report always shows.

    They stand beside every combination of the other columns that there is, whatever filters
    have left; where nothing at all was counted there is mostly nothing to stand beside. Where
    values of the column are told together, any of these may be among them: none is added, which
    would say that it has no answers.
    """
    completed = set(keys)
    for name, values in report.always_shown.items():
        if name in group_by:
            place = group_by.index(name)
            if any(key[place] == REST for key in completed):
                continue
            beside = {(key[:place], key[place + 1 :]) for key in completed}
            check_size(len(beside) * len(values))
            completed |= {(*a, value, *b) for a, b in beside for value in values}
    return completed


def certain(report: Report, group_by: Sequence[str]) -> set[Key]:
    """The row that is there without any answer, if the report itself names all of its values."""
    single = {name: values for name, values in report.fixed.items() if len(values) == 1}
    known = {**single, **report.always_shown}
    if any(name not in known for name in group_by):
        return set()
    return {tuple(known[name][0] for name in group_by)}
