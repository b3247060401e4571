"""Folds the groups of a question that has too many: the largest are kept, all others become REST.

Only *open* columns are folded, such as agents and countries. Values of closed sets, periods,
tenants, currencies and what a report's family keeps apart are not: they are few, and a sum over
them may mean nothing. The last column folds first. So (ada, DE) is kept if it is large; ada's
smaller groups become (ada, REST) if another group of hers is kept; and an agent without a kept
group becomes (REST, REST). So a subtotal remains the sum of everything that it names.

Counting and folding are done on columns of codes. No group that is not kept is made an object of
its own, whatever their number.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pulse.lake import REST
from pulse.reports.declarations import CURRENCY, PERIOD, Report
from pulse.serve.cells import Column, Fold, Integers, number

Value = str | None

LEAST_KEPT = 10
"""If not even so many groups can be kept, the question is refused."""
_PENDING = 2**20


def open_columns(report: Report, group_by: Sequence[str]) -> tuple[str, ...]:
    """The grouped columns whose values may become REST, in their order."""
    closed = {PERIOD, CURRENCY, *report.family.apart}
    known = {dimension.name: dimension for dimension in report.filters}
    return tuple(
        name
        for name in group_by
        if name in known and known[name].values is None and name not in closed
    )


def everywhere(value: Value, rows: int) -> Column:
    """A column that has one value in each of its rows."""
    return Column(np.zeros(rows, np.int64), [value])


@dataclass(frozen=True)
class Kept:
    """The groups that are kept, by the values of the open columns.

    A group has a number at each level: the number of its beginning, times one more than the column
    has kept values, plus the place of its value among these. `beginnings` has these numbers for
    each level, sorted; the next level takes a number's place in this list as the beginning.
    """

    names: Sequence[str]
    values: Sequence[Sequence[Value]]
    beginnings: Sequence[Integers]

    @classmethod
    def of(cls, names: Sequence[str], groups: Sequence[Column]) -> "Kept":
        """Keeps these groups: a column for each of the names, with a code for each group."""
        values: list[list[Value]] = []
        beginnings: list[Integers] = []
        numbers: Integers = np.zeros(len(groups[0].codes), np.int64)
        for column in groups:
            present, places = np.unique(column.codes, return_inverse=True)
            values.append([column.values[code] for code in present.tolist()])
            found, numbers = np.unique(numbers * (len(present) + 1) + places, return_inverse=True)
            beginnings.append(found)
        return cls(names, values, beginnings)

    def fold(self, names: Sequence[str], columns: Sequence[Column]) -> list[Column]:
        """The columns of these names, in which what is not kept is REST."""
        folded = list(columns)
        numbers: Integers | None = None
        for level, name in enumerate(self.names):
            at = names.index(name)
            known = self.values[level]
            places = _places(known, columns[at].values)[columns[at].codes]
            asked = places if numbers is None else numbers * (len(known) + 1) + places
            beginnings = self.beginnings[level]
            numbers = np.minimum(np.searchsorted(beginnings, asked), len(beginnings) - 1)
            is_kept = (beginnings[numbers] == asked) & (places < len(known))
            numbers[~is_kept] = len(beginnings)  # so no longer group that begins with it is kept
            folded[at] = Column(np.where(is_kept, places, len(known)), [*known, REST])
        return folded


def _places(known: Sequence[Value], values: Sequence[Value]) -> Integers:
    """The place of each value among those known; an unknown value gets the place behind them."""
    place = {value: at for at, value in enumerate(known)}
    return np.array([place.get(value, len(known)) for value in values], np.int64)


@dataclass
class Tally:
    """How much each group counts in many objects, in the days asked for and those compared with.

    Feed it the groups of each object as columns (Cells.sizes).
    """

    names: Sequence[str]
    _known: list[dict[Value, int]] = field(init=False)
    _columns: list[list[Integers]] = field(init=False)
    _sizes: list[tuple[Integers, Integers]] = field(init=False, default_factory=list)
    _pending: int = 0

    def __post_init__(self) -> None:
        """Nothing counted yet."""
        self._known = [{} for _ in self.names]
        self._columns = [[] for _ in self.names]

    def add(self, columns: Sequence[Column], sizes: Integers, *, compared: bool = False) -> None:
        """Count these groups; `compared`: they are of the days that are compared with."""
        for known, codes, column in zip(self._known, self._columns, columns, strict=True):
            codes.append(_known_codes(known, column))
        nothing = np.zeros_like(sizes)
        self._sizes.append((nothing, sizes) if compared else (sizes, nothing))
        self._pending += len(sizes)
        if self._pending > _PENDING:
            self._merge()

    @property
    def columns(self) -> list[Column]:
        """Every group once, as columns."""
        self._merge()
        return [
            Column(parts[0] if parts else np.empty(0, np.int64), list(known))
            for parts, known in zip(self._columns, self._known, strict=True)
        ]

    @property
    def sizes(self) -> tuple[Integers, Integers]:
        """What each of them counts in the days asked for, and in those compared with."""
        self._merge()
        return self._sizes[0] if self._sizes else (np.empty(0, np.int64), np.empty(0, np.int64))

    def _merge(self) -> None:
        if len(self._sizes) > 1:
            codes = [np.concatenate(parts) for parts in self._columns]
            now, before = (np.concatenate(parts) for parts in zip(*self._sizes, strict=True))
            columns = [Column(c, list(k)) for c, k in zip(codes, self._known, strict=True)]
            numbers, members = number(columns, len(now))
            self._columns = [[each[members]] for each in codes]
            self._sizes = [(_sums(numbers, now), _sums(numbers, before))]
        self._pending = 0


def _known_codes(known: dict[Value, int], column: Column) -> Integers:
    """The column's codes as those of `known`, which learns the values that it has not seen."""
    present, places = np.unique(column.codes, return_inverse=True)
    codes = [known.setdefault(column.values[code], len(known)) for code in present.tolist()]
    found: Integers = np.array(codes, np.int64)[places]
    return found


def _sums(numbers: Integers, sizes: Integers) -> Integers:
    return np.bincount(numbers, weights=sizes).astype(np.int64)


@dataclass(frozen=True)
class Ranking:
    """All groups of a question, and the combinations of open values in them, the largest first.

    The order is that of the days asked for, then of those compared with, then of the values.
    """

    tally: Tally
    opened: Sequence[str]

    def kept(self, most: int) -> Kept:
        """The largest `most` combinations."""
        return Kept.of(self.opened, [self._cut(c, self._order[:most]) for c in self._combinations])

    @cached_property
    def total(self) -> int:
        """How many combinations there are."""
        return len(self._combinations[0].codes)

    @property
    def eligible(self) -> int:
        """How many of them may be kept: not those with a value that is called REST."""
        return len(self._order)

    def rows(self, fold: Fold, *, without: Collection[str] = ()) -> int:
        """How many groups there are once they are folded, grouped by the columns but `without`."""
        names = self.tally.names
        columns = zip(names, fold(names, self.tally.columns), strict=True)
        told = [column for name, column in columns if name not in without]
        _, members = number(told, len(self.tally.sizes[0]))
        return len(members)

    @cached_property
    def _numbered(self) -> tuple[Integers, Integers]:
        return number(list(self._open_columns.values()), len(self.tally.sizes[0]))

    @cached_property
    def _open_columns(self) -> Mapping[str, Column]:
        columns = dict(zip(self.tally.names, self.tally.columns, strict=True))
        return {name: columns[name] for name in self.opened}

    @cached_property
    def _combinations(self) -> list[Column]:
        _, members = self._numbered
        return [self._cut(column, members) for column in self._open_columns.values()]

    @cached_property
    def _order(self) -> Integers:
        numbers, _ = self._numbered
        now, before = (_sums(numbers, sizes) for sizes in self.tally.sizes)
        ranks = [_rank_of(column.values)[column.codes] for column in self._combinations]
        order: Integers = np.lexsort([*reversed(ranks), -before, -now])
        is_rest = np.zeros(self.total, np.bool_)
        for column in self._combinations:
            is_rest |= np.array([value == REST for value in column.values])[column.codes]
        return order[~is_rest[order]]

    @staticmethod
    def _cut(column: Column, places: Integers) -> Column:
        return Column(column.codes[places], column.values)


def _rank_of(values: Sequence[Value]) -> Integers:
    """Each value's place in their order, None last."""
    order = sorted(range(len(values)), key=lambda at: (values[at] is None, values[at] or ""))
    rank: Integers = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values))
    return rank
