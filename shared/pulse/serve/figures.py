"""From groups of sums to the rows of a reply: metrics, totals, breakdown and order.

Metrics are computed for the rows that are shown, and for those that are ordered by one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from pulse.reports.registry import Breakdown, Facts, Family, Metric, Report, Value
from pulse.serve.cells import Groups, Key, Sums
from pulse.serve.query import PERIOD, Order, Query

Row = dict[str, str | bool | Value]
WITHHELD = "withheld"


@dataclass(frozen=True)
class Figures:
    """A report's groups, and how their rows are made.

    `group_by` names the parts of the groups' keys: `period` if there is one, what the family keeps
    apart, then the other dimensions. Below `min_sample` answers, figures that tell how somebody
    was judged are withheld (0: none is).
    """

    report: Report
    group_by: Sequence[str]
    groups: Groups
    min_sample: int = 0

    @property
    def columns(self) -> list[dict[str, str]]:
        """What the reply says of its columns, in their order."""
        columns = [
            {"name": name, "kind": PERIOD if name == PERIOD else "dimension"}
            for name in self.group_by
        ]
        columns += [
            {"name": metric.name, "kind": "metric", "unit": metric.unit}
            for metric in self.report.metrics
        ]
        if self.min_sample:
            columns.append({"name": WITHHELD, "kind": "flag"})
        return columns

    def rows(self, keys: Sequence[Key], start: int) -> Iterator[Row]:
        """The rows of these keys from a position on, each made when it is asked for."""
        for key in islice(keys, start, None):
            yield self._row(self._facts(key))

    def ordered(self, order_by: Sequence[Order]) -> list[Key]:
        """Every key: by its columns, period first, None last; before that, as `order_by` says.

        Where an order is turned around, rows without a value still come last.
        """
        keys = sorted(self.groups, key=_rank)
        for order in reversed(order_by):  # sorting is stable: the first order prevails
            self._sort(keys, order)
        return keys

    def _sort(self, keys: list[Key], order: Order) -> None:
        values = {key: self._value(key, order.column) for key in keys}
        given = [key for key in keys if values[key] is not None]
        given.sort(key=lambda key: values[key], reverse=order.descending)  # type: ignore[arg-type,return-value] # one column is all text or all numbers
        keys[:] = given + [key for key in keys if values[key] is None]

    def _value(self, key: Key, column: str) -> str | Value:
        if column in self.group_by:
            return key[self.group_by.index(column)]
        metric = next(metric for metric in self.report.metrics if metric.name == column)
        return self._figure(metric, self._facts(key))

    @property
    def totals(self) -> list[Row]:
        """One row for each combination of the dimensions that are kept apart."""
        return [self._row(facts) for facts in self._whole_facts]

    @property
    def breakdown(self) -> list[Row]:
        """The report's rows of a finer grain, made from the totals."""
        if self.report.breakdown is None:
            return []
        return [
            row for facts in self._whole_facts for row in self._parts(facts, self.report.breakdown)
        ]

    @property
    def formulas(self) -> list[str]:
        """The versioned formulas of the scores in this reply."""
        found = {name for facts in self._whole_facts for name in self._family.formulas(facts)}
        return sorted(found)

    # -- one row

    @property
    def _family(self) -> Family:
        return self.report.family

    def _facts(self, key: Key) -> Facts:
        group = dict(zip(self.group_by, key, strict=True))
        return Facts(group, self.groups[key], self._wholes[key[: self._apart]])

    def _row(self, facts: Facts) -> Row:
        row: Row = {name: facts.group.get(name) for name in self.group_by}
        for metric in self.report.metrics:
            row[metric.name] = self._figure(metric, facts)
        return row | self._flag(facts)

    def _figure(self, metric: Metric, facts: Facts) -> Value:
        return None if metric.withheld and self._too_few(facts) else metric.compute(facts)

    def _parts(self, facts: Facts, breakdown: Breakdown) -> Iterator[Row]:
        """A total's rows of a finer grain; counts by score would tell a withheld score."""
        hidden = [metric.name for metric in breakdown.metrics] if self._too_few(facts) else []
        for part in breakdown.rows(facts):
            yield {**facts.group, **part, **dict.fromkeys(hidden), **self._flag(facts)}

    def _too_few(self, facts: Facts) -> bool:
        return 0 < self._family.size(facts.sums) < self.min_sample

    def _flag(self, facts: Facts) -> Row:
        return {WITHHELD: self._too_few(facts)} if self.min_sample else {}

    # -- what shares refer to

    @cached_property
    def _apart(self) -> int:
        """How many parts of a key, from its beginning, shares are taken within."""
        return sum(name in (PERIOD, *self._family.apart) for name in self.group_by)

    @cached_property
    def _wholes(self) -> dict[Key, int]:
        wholes: dict[Key, int] = {}
        for key, sums in self.groups.items():
            whole = key[: self._apart]
            wholes[whole] = wholes.get(whole, 0) + self._family.size(sums)
        return wholes

    @cached_property
    def _whole_facts(self) -> list[Facts]:
        """The facts of each total, in order."""
        family = self._family
        totals: dict[Key, Sums] = {}
        for key, sums in self.groups.items():
            apart = key[self._apart - len(family.apart) : self._apart]
            known = totals.get(apart)
            totals[apart] = [a + b for a, b in zip(known, sums, strict=True)] if known else sums
        return [
            Facts(dict(zip(family.apart, apart, strict=True)), sums, family.size(sums))
            for apart, sums in sorted(totals.items(), key=lambda total: _rank(total[0]))
        ]


def _rank(key: Key) -> list[tuple[bool, str]]:
    """By each part of a key in turn, None last."""
    return [(part is None, part or "") for part in key]


def with_always(report: Report, query: Query, groups: Groups) -> Groups:
    """The groups, and one of zeros for each value that the report always shows.

    It is shown beside every combination of the other columns that there is, whatever filters
    have left; where nothing at all was counted there is nothing to stand beside.
    """
    completed = dict(groups)
    for name, values in report.always.items():
        if name not in query.group_by:
            continue
        place = query.group_by.index(name)
        for key in list(completed):
            for value in values:
                beside = (*key[:place], value, *key[place + 1 :])
                completed.setdefault(beside, [0] * len(report.family.counts))
    return completed


def min_sample(kind: str, threshold: int, family: Family, asked: Collection[str]) -> int:
    """The fewest answers whose figures a key may see where these dimensions are asked for.

    0 where all may be seen: METRICS.md withholds persons' scores from report keys alone.
    """
    persons = {dimension.name for dimension in family.dimensions if dimension.a_person}
    return threshold if kind == "report" and persons & set(asked) else 0
