"""Folds the groups of a question that has too many: the largest are kept, all others become REST.

Only *open* columns are folded, such as agents and countries. Values of closed sets, periods,
tenants, currencies and required dimensions are not: they are few, and a sum over
them may mean nothing. The last column folds first. So (ada, DE) is kept if it is large; ada's
smaller groups become (ada, REST) if another group of hers is kept; and an agent without a kept
group becomes (REST, REST). So a subtotal remains the sum of everything that it names.

Counting and folding are done on columns of codes. No group that is not kept is made an object of
its own, whatever their number.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pulse.lake import REST
from pulse.reports.declarations import CURRENCY, PERIOD, Label, Report
from pulse.serve import groups
from pulse.serve.block import Fold
from pulse.serve.columns import LEVEL, NAMED, name_column
from pulse.serve.encoding import Encoded, Integers, number, ranks
from pulse.serve.groups import Groups
from pulse.serve.plan import Plan
from pulse.serve.query import Query
from pulse.serve.tally import tally_of
from pulse.serve.years import TenantYears

LEAST_KEPT = 10
"""If not even so many groups can be kept, the question is refused."""


def open_columns(report: Report, group_by: Sequence[str]) -> tuple[str, ...]:
    """The grouped columns whose values may become REST, in their order."""
    closed = {PERIOD, CURRENCY, *report.family.required}
    known = {dimension.name: dimension for dimension in report.filters}
    return tuple(
        name
        for name in group_by
        if name in known and known[name].values is None and name not in closed
    )


@dataclass(frozen=True)
class Kept:
    """The groups that are kept, by the values of the open columns.

    A group has a number at each level: the number of its beginning, times one more than the column
    has kept values, plus the place of its value among these. `beginnings` has these numbers for
    each level, sorted; the next level takes a number's place in this list as the beginning.
    """

    names: Sequence[str]
    values: Sequence[Sequence[Label]]
    beginnings: Sequence[Integers]

    @classmethod
    def of(cls, names: Sequence[str], groups: Sequence[Encoded]) -> "Kept":
        """Keeps these groups: a column for each of the names, with a code for each group."""
        values: list[list[Label]] = []
        beginnings: list[Integers] = []
        numbers: Integers = np.zeros(len(groups[0].codes), np.int64)
        for column in groups:
            present, places = np.unique(column.codes, return_inverse=True)
            values.append([column.values[code] for code in present.tolist()])
            found, numbers = np.unique(numbers * (len(present) + 1) + places, return_inverse=True)
            beginnings.append(found)
        return cls(names, values, beginnings)

    def fold(self, names: Sequence[str], columns: Sequence[Encoded]) -> list[Encoded]:
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
            folded[at] = Encoded(np.where(is_kept, places, len(known)), [*known, REST])
        return folded


def _places(known: Sequence[Label], values: Sequence[Label]) -> Integers:
    """The place of each value among those known; an unknown value gets the place behind them."""
    place = {value: at for at, value in enumerate(known)}
    return np.array([place.get(value, len(known)) for value in values], np.int64)


@dataclass(frozen=True)
class Ranking:
    """All groups of a question, and the combinations of open values in them, the largest first.

    `tally` is what tally_of gives for the columns of these `names`. The order is that of the days
    asked for, then of those compared with, then of the values.
    """

    names: Sequence[str]
    tally: Groups
    opened: Sequence[str]

    def kept(self, most: int) -> Kept:
        """The largest `most` combinations."""
        return Kept.of(self.opened, self._combinations.take(self._order[:most]).columns)

    @property
    def total(self) -> int:
        """How many combinations there are."""
        return len(self._combinations)

    @property
    def eligible(self) -> int:
        """How many of them may be kept: not those with a value that is called REST."""
        return len(self._order)

    def rows(self, fold: Fold, *, without: Collection[str] = ()) -> int:
        """How many groups there are once they are folded, grouped by the columns but `without`."""
        columns = zip(self.names, fold(self.names, self.tally.columns), strict=True)
        told = [column for name, column in columns if name not in without]
        _, members = number(told, len(self.tally))
        return len(members)

    @cached_property
    def _combinations(self) -> Groups:
        columns = [self.tally.columns[self.names.index(name)] for name in self.opened]
        return Groups(columns, self.tally.sums).added_up()

    @cached_property
    def _order(self) -> Integers:
        combinations = self._combinations
        now, before = combinations.sums.T
        by_value = [ranks(column.values)[column.codes] for column in combinations.columns]
        order: Integers = np.lexsort([*reversed(by_value), -before, -now])
        is_rest = np.zeros(self.total, np.bool_)
        for column in combinations.columns:
            is_rest |= np.array([value == REST for value in column.values])[column.codes]
        return order[~is_rest[order]]


@dataclass(frozen=True)
class Folded:
    """How many of how many groups have been kept; the others are summed up under REST."""

    kept: int
    total: int


def folds(plan: Plan, objects: TenantYears) -> Iterator[tuple[Fold, Folded]]:
    """Ways to fold a question's groups that may make few enough rows, what keeps most first.

    There are none where nothing may be folded.
    """
    opened = open_columns(plan.report, plan.query.group_by)
    if not opened:
        return
    by_count = plan.report.by_count
    names = [name for name in plan.query.group_by if not (by_count and name == by_count.name)]
    ranking = Ranking(names, tally_of(plan, objects, names), opened)
    for most in _choices(plan, ranking):
        yield ranking.kept(most).fold, Folded(most, ranking.total)


def _choices(plan: Plan, ranking: Ranking) -> Iterator[int]:
    """How many groups to keep: numbers that may not make too many rows, the largest first."""
    room = groups.MOST_GROUPS // times_computed(plan.query)
    # a rest of a single group would show that group under another name: leave two or more
    most = min(room, ranking.eligible, ranking.total - 2)
    if _rows_at_least(plan, ranking, LEAST_KEPT) > room:
        return
    while most >= LEAST_KEPT:
        rows = _rows_at_least(plan, ranking, most)
        if rows <= room:
            yield most
            most //= 2  # subtotals and the like make more rows than can be told beforehand
        else:
            most = min(most * room // rows, most * 7 // 8)


def _rows_at_least(plan: Plan, ranking: Ranking, kept: int) -> int:
    """The least number of rows that so many groups make, without making the rows."""
    fills = plan.query.fill and PERIOD in plan.query.group_by
    rows = ranking.rows(ranking.kept(kept).fold, without=[PERIOD] if fills else [])
    rows *= max(len(one.periods) for one in plan.tenants) if fills else 1
    return rows * (len(plan.report.family.dataset.measures) if plan.report.by_count else 1)


def ways_to_ask_less(query: Query) -> Iterator[str]:
    """What would make fewer rows of the same report."""
    if PERIOD in query.group_by:
        yield "ask for fewer days"
        if query.granularity != "month":
            yield "a coarser granularity"
    given = {
        "fill": query.fill,
        "subtotals": query.subtotals,
        "compare": query.compare,
        "order_by": times_computed(query) > 1,
    }
    if left_out := [name for name, is_given in given.items() if is_given]:
        yield f"leave out {' or '.join(left_out)}"
    yield "group by fewer dimensions"


def times_computed(query: Query) -> int:
    """How often the figures of each row are computed, those of the page aside."""
    labels = {*query.group_by, *map(name_column, NAMED), LEVEL}
    orders = sum(order.column not in labels for order in query.order_by)
    return 1 + orders * (2 if query.compare else 1)
