"""Columns of codes: each row's value as a small integer, and the values once.

Grouping, filtering and ordering are done on the codes, never value by value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pulse.reports.arrays import Integers as Integers  # which all who speak of codes need
from pulse.reports.declarations import Label

_FEW = 2**20
"""So many numbers are told apart by a table of them rather than by sorting."""


@dataclass(frozen=True)
class Encoded:
    """Each row's code, and the values by code, none of them twice."""

    codes: Integers
    values: Sequence[Label]

    def take(self, rows: Integers | slice) -> "Encoded":
        """The column of these rows alone."""
        return Encoded(self.codes[rows], self.values)

    def labels(self) -> list[Label]:
        """Each row's value."""
        return [self.values[code] for code in self.codes.tolist()]

    def has(self, value: Label) -> bool:
        """Does any row have the value?"""
        if value not in self.values:
            return False
        return bool((self.codes == self.values.index(value)).any())


def keys(columns: Sequence[Encoded], rows: int) -> list[tuple[Label, ...]]:
    """The values of each row."""
    if not columns:
        return [()] * rows
    return list(zip(*(column.labels() for column in columns), strict=True))


def constant(value: Label, rows: int) -> Encoded:
    """A column that has one value in each of its rows."""
    return Encoded(np.zeros(rows, np.int64), [value])


def stacked(columns: Sequence[Encoded]) -> Encoded:
    """The rows of several columns below each other, their values made distinct."""
    known: dict[Label, int] = {}
    codes = []
    for column in columns:
        places = [known.setdefault(value, len(known)) for value in column.values]
        codes.append(np.array(places, np.int64)[column.codes])
    return Encoded(np.concatenate(codes), list(known))


def number(columns: Sequence[Encoded], rows: int) -> tuple[Integers, Integers]:
    """(each row's group number, one row of each group): rows of equal codes share a group.

    Groups are numbered in the order of their codes.
    """
    numbers: Integers = np.zeros(rows, np.int32)
    size = 1
    for column in columns:
        if size * len(column.values) > 2**62:  # would no longer fit: number what there is so far
            numbers, members = _renumber(numbers, size)
            size = len(members)
        size *= len(column.values)
        if size > 2**31:
            numbers = numbers.astype(np.int64)
        numbers *= len(column.values)
        numbers += column.codes
    return _renumber(numbers, size)


def _renumber(numbers: Integers, size: int) -> tuple[Integers, Integers]:
    """Numbers below `size` as numbers without gaps, and for each of them a row that has it."""
    if size > max(_FEW, 4 * len(numbers)):
        _, members, dense = np.unique(numbers, return_index=True, return_inverse=True)
        return dense, members
    row_of: Integers = np.full(size, -1, np.int32)  # of one object's rows, of which there are fewer
    row_of[numbers] = np.arange(len(numbers), dtype=np.int32)
    present = np.flatnonzero(row_of >= 0)
    members = row_of[present]
    row_of[present] = np.arange(len(present))
    return row_of[numbers], members


def summed(numbers: Integers, amounts: Integers, groups: int) -> Integers:
    """The exact sums of the rows' amounts by group number, of which each has a row."""
    if groups == len(amounts):  # nothing to add
        found: Integers = np.empty_like(amounts)
        found[numbers] = amounts
        return found
    if groups == 1:
        total: Integers = _roomy(amounts, len(amounts)).sum(axis=0, keepdims=True)
        return total
    order = np.argsort(numbers, kind="stable")
    firsts = np.searchsorted(numbers[order], np.arange(groups))
    most = int(np.diff(firsts, append=len(amounts)).max())
    added: Integers = np.add.reduceat(_roomy(amounts, most)[order], firsts, axis=0)
    return added


def _roomy(amounts: Integers, most: int) -> Integers:
    """The amounts, as Python's integers where a sum of so many may need more than 64 bits."""
    if amounts.dtype == np.object_ or not amounts.size:
        return amounts
    reach = max(int(amounts.max()), -int(amounts.min())) * most
    return amounts if reach < 2**63 else amounts.astype(np.object_)


def ranks(
    values: Sequence[Label], *, order: Sequence[Label] = (), last: Sequence[Label] = ()
) -> Integers:
    """Each value's place: those of `order` as they stand there, then the others by themselves.

    None stands behind them, and behind that the `last` ones.
    """
    place_of = {value: place for place, value in enumerate(order)}

    def key(at: int) -> tuple[bool, bool, int, Any]:
        value = values[at]
        place = place_of.get(value, len(place_of))
        return value in last, value is None, place, "" if value is None else value

    found: Integers = np.empty(len(values), np.int64)
    found[sorted(range(len(values)), key=key)] = np.arange(len(values))
    return found
