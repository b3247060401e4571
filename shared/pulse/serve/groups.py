"""Sums by group as a table in columns, and what is done to them before they are rows.

The columns are the grouped ones in their order, beside them a line of sums for each group. Every
operation makes a table of another. A table without sums is a set of groups.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pulse.errors import UnprocessableError
from pulse.lake import REST
from pulse.reports.declarations import ALL, PERIOD, Label, Report
from pulse.serve.encoding import Encoded, Integers, constant, keys, number, stacked, summed

Key = tuple[Label, ...]
"""A group: the values of its columns, in the order in which they were asked for."""

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


@dataclass(frozen=True)
class Groups:
    """A table of groups; `sums` has a line for each, which may be empty."""

    columns: Sequence[Encoded]
    sums: Integers

    def __len__(self) -> int:
        return len(self.sums)

    @classmethod
    def of(cls, keys: Sequence[Key], width: int) -> "Groups":
        """These groups of so many columns, without sums."""
        if not keys:
            return nothing(width)
        columns = [stacked([constant(key[at], 1) for key in keys]) for at in range(width)]
        return cls(columns, _no_sums(len(keys)))

    @property
    def bare(self) -> "Groups":
        """The same groups without their sums."""
        return Groups(self.columns, _no_sums(len(self)))

    @property
    def keys(self) -> list[Key]:
        """Each group's values."""
        return keys(self.columns, len(self))

    def take(self, rows: Integers) -> "Groups":
        """These of the groups."""
        return Groups([column.take(rows) for column in self.columns], self.sums[rows])

    def by(self, places: slice) -> "Groups":
        """The sums by the columns at these places alone."""
        columns = self.columns[places]
        numbers, members = number(columns, len(self))
        taken = [column.take(members) for column in columns]
        return Groups(taken, summed(numbers, self.sums, len(members)))

    def added_up(self) -> "Groups":
        """The table with each group once: the sums of equal ones are added."""
        return self.by(slice(None))

    def put(self, place: int, column: Encoded) -> "Groups":
        """The table with one more column at this place."""
        return Groups([*self.columns[:place], column, *self.columns[place:]], self.sums)

    def without(self, place: int) -> "Groups":
        """The table less the column at this place."""
        return Groups([*self.columns[:place], *self.columns[place + 1 :]], self.sums)

    def replaced(self, place: int, column: Encoded) -> "Groups":
        """The table with another column at this place."""
        return Groups([*self.columns[:place], column, *self.columns[place + 1 :]], self.sums)

    def times(self, place: int, values: Sequence[Label]) -> "Groups":
        """Each group once for each of the values, which are put at this place."""
        rows = np.repeat(np.arange(len(self)), len(values))
        codes = np.tile(np.arange(len(values)), len(self))
        return self.take(rows).put(place, Encoded(codes, values))


def _no_sums(groups: int) -> Integers:
    return np.empty((groups, 0), np.int64)


def nothing(columns: int, width: int = 0) -> Groups:
    """A table without a group."""
    column = Encoded(np.empty(0, np.int64), [])
    return Groups([column] * columns, np.empty((0, width), np.int64))


def merged(parts: Iterable[Groups]) -> Groups:
    """The groups of several parts, of which there is one at least, as one table.

    Raises TooManyGroupsError for more than MOST_GROUPS groups, before there are many more.
    """
    first, *others = parts
    check_size(len(first))
    for part in others:
        first = united([first, part])
        check_size(len(first))
    return first


def united(parts: Sequence[Groups]) -> Groups:
    """The groups of several parts, each once however many they are, their sums added."""
    columns = [stacked(some) for some in zip(*(part.columns for part in parts), strict=True)]
    return Groups(columns, np.concatenate([part.sums for part in parts])).added_up()


def lined_up(rows: Groups, sides: Sequence[Groups]) -> Groups:
    """Every group of any of the tables once, with the sums of each side beside each other's.

    A side that has not counted a group has zeros.
    """
    tables = [rows, *sides]
    columns = [stacked([table.columns[at] for table in tables]) for at in range(len(rows.columns))]
    numbers, members = number(columns, sum(map(len, tables)))
    width = sum(side.sums.shape[1] for side in sides)
    sums: Integers = np.zeros((len(members), width), np.result_type(*(s.sums for s in sides)))
    at, place = len(rows), 0
    for side in sides:
        end = place + side.sums.shape[1]
        sums[numbers[at : at + len(side)], place:end] = side.sums
        at, place = at + len(side), end
    return Groups([column.take(members) for column in columns], sums)


def levels(groups: Groups, least: int) -> list[Groups]:
    """The groups, and the sums of those that agree in each beginning of `least` columns or more.

    The longest come first.
    """
    found = [groups]
    for length in range(len(groups.columns) - 1, least - 1, -1):
        found.append(found[-1].by(slice(length)))  # of the next longer ones, the fewest
    return found


# -- required dimensions


def required_places(report: Report, group_by: Sequence[str]) -> slice:
    """The places of the columns that the report's family requires.

    No subtotal leaves them out, nor what is before them.
    """
    names = report.family.required
    first = group_by.index(names[0]) if names else 0
    return slice(first, first + len(names))


def period_place(group_by: Sequence[str]) -> int | None:
    """The place of the period, if it is grouped by."""
    return group_by.index(PERIOD) if PERIOD in group_by else None


def judged(report: Report, required: slice, groups: Groups) -> tuple[Groups, dict[Key, int]]:
    """The groups without counts that cannot be judged, and how many these are by metric and scale.

    Groups without any other count are dropped.
    """
    columns = groups.columns[required]
    numbers, members = number(columns, len(groups))
    known = keys([column.take(members) for column in columns], len(members))
    is_unjudged = np.zeros((len(known), groups.sums.shape[1]), np.bool_)
    for at, key in enumerate(known):
        is_unjudged[at, list(report.family.unjudged(key))] = True
    if not is_unjudged.any():
        return groups, {}
    unjudged = np.where(is_unjudged[numbers], groups.sums, 0)
    has_some = (unjudged != 0).any(axis=1)
    if not has_some.any():
        return groups, {}
    left = Groups(groups.columns, groups.sums - unjudged)
    left_out = {
        known[at]: sum(unjudged[(numbers == at) & has_some].ravel().tolist())
        for at in np.unique(numbers[has_some]).tolist()
    }
    return left.take(np.flatnonzero(~has_some | (left.sums != 0).any(axis=1))), left_out


def with_over_all(groups: Groups, required: slice) -> Groups:
    """The groups, and beside them those over every metric and scale."""
    over_all = groups
    for place in range(required.start, required.stop):
        value = ALL if place == required.start else None
        over_all = over_all.replaced(place, constant(value, len(groups)))
    return united([groups, over_all])


def split(groups: Groups, place: int) -> Groups:
    """Each group as one for each of its counts, whose position is put at `place`."""
    width = groups.sums.shape[1]
    check_size(len(groups) * width)
    found = groups.times(place, range(width))
    is_own = np.tile(np.eye(width, dtype=np.bool_), (len(groups), 1))
    return Groups(found.columns, np.where(is_own, found.sums, 0))


# -- rows that are there even if nothing was counted


def filled(groups: Groups, place: int, periods: Sequence[str]) -> Groups:
    """Every group without sums, which has a period at this place, in every period."""
    others = groups.bare.without(place).added_up()
    check_size(len(others) * len(periods))
    return others.times(place, periods)


def with_always(report: Report, group_by: Sequence[str], groups: Groups) -> Groups:
    """The groups without sums, and for each those with the values that the report always shows.

    They stand beside every combination of the other columns that there is, whatever filters
    have left; where nothing at all was counted there is mostly nothing to stand beside. Where
    values of the column are told together, any of these may be among them: none is added, which
    would say that it has no answers.
    """
    for name, values in report.always_shown.items():
        if name in group_by:
            place = group_by.index(name)
            if groups.columns[place].has(REST):
                continue
            others = groups.without(place).added_up()
            check_size(len(others) * len(values))
            groups = united([groups, others.times(place, values)])
    return groups


def certain(report: Report, group_by: Sequence[str]) -> Groups:
    """The group that is there without any answer, if the report itself names all of its values."""
    single = {name: values for name, values in report.fixed.items() if len(values) == 1}
    known = {**single, **report.always_shown}
    if any(name not in known for name in group_by):
        return nothing(len(group_by))
    return Groups.of([tuple(known[name][0] for name in group_by)], len(group_by))
