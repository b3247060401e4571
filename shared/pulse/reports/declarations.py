"""What a dimension, a metric, a family and a report are; `registry` says which there are.

Everything that reads a report (parser, engine, catalogue, documents) goes by these declarations
and tests on nobody's name: what is special about a report is one of its fields.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pulse import lake
from pulse.reports.metrics import Quotient
from pulse.reports.sums import Layout
from pulse.streams.fields import Dimension as Dimension  # reports declare it, too

if TYPE_CHECKING:  # NumPy, which functions that only read declarations lack
    from pulse.reports.stratified import Stratified

Value = int | Decimal | str | Mapping[str, Decimal] | None
"""A figure; money of several currencies by currency; a word where it says on which side."""
Unit = Literal[
    "count",
    "percent",
    "points",
    "adjusted",
    "side",
    "scale",
    "ratio",
    "seconds",
    "time",
    "satisfaction",
    "money",
]

Label = str | int | None
"""A dimension's value in a row."""

PERIOD = "period"
"""The column of a period's first day."""
CURRENCY = "currency"
"""The dimension that tells one money from another."""
ALL = "all"
"""What the column metric says of a row over the answers of every metric and scale."""

UNITS: Mapping[Unit, str] = {
    "count": "a whole number of responses or interactions",
    "percent": "0 to 100, two decimals",
    "points": "two decimals: a headline score, 0 to 100 or -100 to 100 for nps; a change of one, "
    "or of a percentage, in percentage points",
    "adjusted": "two decimals: a headline score after an adjustment, which may take it beyond its "
    "bounds",
    "side": "text, below or above",
    "scale": "a score in the units of the row's scale",
    "ratio": "two decimals; may exceed 1",
    "seconds": "seconds, two decimals where they are not whole",
    "time": "text, HH:MM:SS, rounded to the second; hours may pass 24",
    "satisfaction": "two decimals, on the tenant's satisfaction scale",
    "money": "four decimals, as text; in a row of no single currency a map of amounts by "
    "currency, in CSV a column for each, such as revenue_EUR",
}


@dataclass(frozen=True)
class GroupSums:
    """All that a row's metrics are computed from: sums, never averages.

    `group` names the row's dimensions, `sums` are the question's counts as its `layout` has them,
    `whole` is the number of answers that the row's share refers to. `too_few` is true where they
    would judge a person by a sample below the minimum. `among` are the figures that took all rows
    of the question, by name (see Among).
    """

    group: Mapping[str, Label]
    sums: Sequence[int]
    whole: int
    too_few: bool = False
    layout: Layout = field(default_factory=Layout)
    among: Mapping[str, Value] = field(default_factory=dict)

    @property
    def mixed(self) -> bool:
        """True where the sums are of answers on different scales."""
        return self.group.get("metric") == ALL

    def measured(self, name: str) -> int | None:
        """The sum of a measure; None where its table does not know this group."""
        return self.layout.measured(self.sums, name)

    def of_currency(self, name: str, currency: str) -> int:
        """The sum of a measure over what was recorded in a currency."""
        return self.layout.of_currency(self.sums, name, currency)


@dataclass(frozen=True)
class OfSums:
    """A figure that is made of the sums of one measure or two, and of nothing else.

    None where a table that has one of them does not know the group.
    """

    kind: Quotient[Any]
    measures: tuple[str, ...]

    def __call__(self, summed: GroupSums) -> Value:
        """The figure of a row."""
        places = [summed.layout.places.get(name) for name in self.measures]
        if None in places:
            return None
        value: Value = self.kind(*[summed.sums[place] for place in places if place is not None])
        return value


@dataclass(frozen=True)
class OfAmounts:
    """Money that is made of one sum or two by currency, and of nothing else.

    Of a row of one currency its amount; of any other, those of the currencies recorded.
    """

    kind: Quotient[Any]
    by_currency: tuple[str, ...]
    measures: tuple[str, ...] = ()
    """Over all currencies it takes none."""

    def __call__(self, summed: GroupSums) -> Value:
        """The figure of a row."""
        if CURRENCY in summed.group:
            return self._amount(summed, str(summed.group[CURRENCY]))
        found = {
            currency: value
            for currency in summed.layout.recorded(summed.sums)
            if (value := self._amount(summed, currency)) is not None
        }
        return found or None

    def _amount(self, summed: GroupSums, currency: str) -> Decimal | None:
        value: Decimal | None = self.kind(
            *(summed.of_currency(name, currency) for name in self.by_currency)
        )
        return value


@dataclass(frozen=True)
class Metric:
    """A figure, how it is made, and what it says of an empty group.

    `withheld` figures are not shown where too few answers would judge a person. A figure that is
    `of_any_scale` means something for answers on different scales together. `significant` tells
    of a headline whether it has changed between two groups of answers, now and before. `measure`
    names the sum that the figure is as it stands, if it is one.
    """

    name: str
    unit: Unit
    text: str
    compute: Callable[[GroupSums], Value]
    formula: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    empty: Literal["0", "null"] = "null"
    withheld: bool = True
    of_any_scale: bool = False
    significant: Callable[[GroupSums, GroupSums], bool | None] | None = None
    measure: str | None = None

    @property
    def measures(self) -> tuple[str, ...] | None:
        """The measures whose sums it takes; None where it does not say so."""
        return self.compute.measures if isinstance(self.compute, OfSums | OfAmounts) else None

    def of(self, summed: GroupSums) -> Value:
        """The figure as a row shows it; None too where it is withheld or would mean nothing."""
        if (self.withheld and summed.too_few) or (summed.mixed and not self.of_any_scale):
            return None
        return self.compute(summed)


TENANT = Dimension("tenant", "Tenant", "The tenant; a filter for operator keys alone.")
"""Any report may be grouped by it, if the key reads those of several tenants."""


def _no_scores(_: GroupSums) -> tuple[str, ...]:
    return ()


def _all_judged(_: Sequence[Label]) -> tuple[int, ...]:
    return ()


@dataclass(frozen=True)
class Family:
    """Reports over one table of the lake: the same dimensions, the same filters on all.

    `required` dimensions are in every grouping, because figures across them would mean nothing;
    shares and totals are taken within them. Where there are any, `period` comes before them; else
    it stands where it was asked for, a level like the others. `by_tenant`:
    every key may group by tenant, also one that knows a single one. `by_currency` are the
    measures that money is made of. `formulas` gives the versioned formulas that a row's headline
    follows. `unjudged` gives the places of the counts that mean nothing under these values of
    `required`: no figure is made of them.
    """

    name: str
    dataset: lake.DailyTable
    dimensions: tuple[Dimension, ...]
    required: tuple[str, ...] = ()
    by_tenant: bool = False
    by_currency: tuple[str, ...] = ()
    formulas: Callable[[GroupSums], tuple[str, ...]] = _no_scores
    unjudged: Callable[[Sequence[Label]], tuple[int, ...]] = _all_judged

    def dimension(self, name: str) -> Dimension:
        """The dimension of that name. Raises KeyError if the family lacks it."""
        return {dimension.name: dimension for dimension in self.dimensions}[name]

    @property
    def dimension_names(self) -> tuple[str, ...]:
        """The dimensions' names, in order."""
        return tuple(dimension.name for dimension in self.dimensions)


@dataclass(frozen=True)
class Report:
    """A question with a name.

    `fixed` filters hold whatever is asked; rows that have no value of a `not_null` dimension are
    not in it either. `always` names the values of a dimension that have their row, once they are
    grouped by it, even where nothing was counted. It has none of the family's dimensions that are
    `excluded`. Measures of the tables `beside` the family's own count where these know every
    dimension that is asked for. A report with a `breakdown` adds rows of another grain, made from
    each row of the totals. A report `by_count` is always grouped by a dimension of its own, whose
    values are the positions of the family's counts. A report `over_all` adds rows over every metric
    and scale. `among` makes figures of all rows at once. `own` are dimensions of
    tenants, which the declared reports do not have. Rows that have a value of the dimension
    `linked_by` are linked to something: the reply tells how many are. The dimension `entered_on`
    names the days by which a question may go instead of those of the events. Where
    `by_scores`, scores of linked answers stand for satisfactions that interactions lack, if the
    tenant wants it.
    """

    name: str
    title: str
    text: str
    family: Family
    metrics: tuple[Metric, ...]
    group_by: tuple[str, ...] = ()
    granularity: str = "total"
    fixed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_null: tuple[str, ...] = ()
    always: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    beside: tuple[lake.DailyTable, ...] = ()
    breakdown: "Breakdown | None" = None
    by_count: Dimension | None = None
    over_all: bool = False
    among: "Among | None" = None
    own: tuple[Dimension, ...] = ()
    linked_by: str | None = None
    entered_on: str | None = None
    by_scores: bool = False

    @property
    def filters(self) -> tuple[Dimension, ...]:
        """What it may be filtered by."""
        declared = (one for one in self.family.dimensions if one.name not in self.excluded)
        return (*declared, *self.own)

    @property
    def filter_names(self) -> tuple[str, ...]:
        """The names of what it may be filtered by, in order."""
        return tuple(dimension.name for dimension in self.filters)

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """What any key may group it by, `period` aside."""
        tenant = [TENANT] if self.family.by_tenant else []
        return (*tenant, *self.filters, *([self.by_count] if self.by_count else []))

    @property
    def tables(self) -> tuple[lake.DailyTable, ...]:
        """The tables that it is made of, the family's own first."""
        return (self.family.dataset, *self.beside)

    def tables_telling(self, asked: Collection[str]) -> tuple[lake.DailyTable, ...]:
        """Of the tables, those that know every dimension that is asked for or filtered by."""
        stored = {*asked, *self.fixed, *self.not_null} & {*self.filter_names}
        own = {dimension.name for dimension in self.own}
        return tuple(
            table
            for table in self.tables
            if stored <= {*table.dimensions, *(own if table.slots else ())}
        )

    def measures_of(self, table: lake.DailyTable) -> tuple[str, ...]:
        """The measures of one of its tables whose sums its figures take, in the table's order."""
        taken = {*table.counted}
        for metric in self.metrics:
            taken |= {*(table.measures if metric.measures is None else metric.measures)}
        if self.by_count or self.breakdown or self.among:
            return table.measures
        return tuple(name for name in table.measures if name in taken)

    @property
    def by_currency(self) -> tuple[str, ...]:
        """The measures to be kept for each currency: those that its money is made of."""
        has_money = any(metric.unit == "money" for metric in self.metrics)
        return self.family.by_currency if has_money else ()

    @property
    def always_shown(self) -> Mapping[str, Sequence[str | int]]:
        """`always`, and every position of `by_count`."""
        if self.by_count is None:
            return self.always
        return {**self.always, self.by_count.name: range(len(self.family.dataset.measures))}

    def __post_init__(self) -> None:
        """Raise ValueError where an entry names a dimension that its family lacks."""
        named = {*self.group_by, *self.fixed, *self.always, *self.not_null} - {PERIOD}
        if self.among:
            named |= {*self.among.strata}
            if self.over_all:
                raise ValueError(f"report {self.name}: rows over every scale are among no others")
        if unknown := named - {dimension.name for dimension in self.dimensions}:
            raise ValueError(f"report {self.name}: no dimensions {sorted(unknown)}")


@dataclass(frozen=True)
class Breakdown:
    """Rows of a finer grain under a reply: their columns after those of `Family.required`."""

    text: str
    dimensions: tuple[Dimension, ...]
    metrics: tuple[Metric, ...]
    rows: Callable[[GroupSums], list[dict[str, str | Value]]]


@dataclass(frozen=True)
class Among:
    """Figures of a row that take all rows of a question at once, such as ranks or adjustments.

    `strata` are dimensions by which the rows' sums are split beside the grouped ones. `compute`
    gets all rows that anything was counted of, subtotals aside; it gives each row's figures by
    name. Metrics show them (GroupSums.among).
    """

    strata: tuple[str, ...]
    compute: "Callable[[Stratified], Sequence[Mapping[str, Value]]]"
