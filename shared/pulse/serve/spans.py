"""A tenant's part in a question: the days that the query means in its calendar, and their sums.

An operator's question has several of them, each with days of its own; any other has one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from pulse import days, lake
from pulse.days import DateRange
from pulse.filters import Filters
from pulse.reports.declarations import CURRENCY, PERIOD, TENANT, Report
from pulse.reports.sums import Layout
from pulse.serve import groups
from pulse.serve.cells import Column, Fold, Integers
from pulse.serve.folding import Tally, everywhere
from pulse.serve.groups import Groups, Key
from pulse.serve.needs import Needs
from pulse.serve.query import Query
from pulse.serve.years import Year
from pulse.tenants.tenant import Tenant


@dataclass(frozen=True)
class Span:
    """The days of one tenant, and those that they are compared with, if any.

    `tables` are those that can tell what is asked.
    """

    report: Report
    query: Query
    tables: tuple[lake.Dataset, ...]
    tenant: Tenant
    dates: DateRange
    compared: DateRange | None

    @classmethod
    def of(
        cls, report: Report, query: Query, tables: tuple[lake.Dataset, ...], tenant: Tenant
    ) -> Self:
        """What the query means to the tenant at this moment."""
        dates = query.resolve(tenant, [table.name for table in tables])
        compared = days.COMPARISONS[query.compare](dates) if query.compare else None
        return cls(report, query, tables, tenant, dates, compared)

    @property
    def ranges(self) -> tuple[DateRange, ...]:
        """The days asked for, and those compared with, if any."""
        return (self.dates, self.compared) if self.compared else (self.dates,)

    def needs(self, filters: Filters) -> list[Needs]:
        """What is to be read of each of its tables, where these filters hold."""
        query = self.query
        grouped = {*query.group_by, *([CURRENCY] if self.report.by_currency else [])}
        granularity = query.granularity if PERIOD in query.group_by else "total"
        return [
            Needs(
                table=table,
                tenant=self.tenant,
                dimensions=frozenset({*grouped, *filters} & {*table.dimensions}),
                filters=filters,
                ranges=self.ranges,
                months=granularity in ("month", "total"),
                grouped=frozenset(grouped & {*table.dimensions}),
                granularity=granularity,
            )
            for table in self.tables
        ]

    @property
    def contents(self) -> list[tuple[str, int, str]]:
        """Names the rows that its days are told from: by table and year what has changed last."""
        touched = {year for dates in self.ranges for year in dates.years}
        return [
            (table.name, year, state.content)
            for table in self.tables
            for year, state in sorted(self.tenant.table(table.name).years.items())
            if year in touched and state.published
        ]

    @property
    def periods(self) -> int:
        """How many periods the days asked for touch."""
        return len(self._periods(self.dates))

    @property
    def unpaired(self) -> int:
        """How many periods compared with have no counterpart among those asked for."""
        if self.compared is None or self._period_place is None:
            return 0
        return max(0, len(self._periods(self.compared)) - len(self._periods(self.dates)))

    @property
    def as_of_us(self) -> int | None:
        """When the build ran that the tenant's sums reflect, of several tables the earliest.

        None before the first.
        """
        built = (self.tenant.table(table.name).as_of_us for table in self.tables)
        return min((us for us in built if us is not None), default=None)

    # -- sums

    def now(
        self, years: Sequence[Year], filters: Filters, layout: Layout, fold: Fold | None = None
    ) -> Groups:
        """The sums of the days asked for."""
        return self._groups(years, filters, layout, self.dates, fold)

    def before(
        self, years: Sequence[Year], filters: Filters, layout: Layout, fold: Fold | None = None
    ) -> Groups:
        """The sums of the days compared with, under the names of the periods asked for.

        The first period of the one range stands beside the first of the other, and so on; what
        has no counterpart is left without a period.
        """
        if self.compared is None:
            return {}
        found = self._groups(years, filters, layout, self.compared, fold)
        place = self._period_place
        if place is None:
            return found
        names = self._counterparts(self.compared)
        return groups.added(
            (groups.replaced(key, place, names[str(key[place])]), sums)
            for key, sums in found.items()
        )

    def count(self, years: Sequence[Year], filters: Filters, tally: Tally) -> None:
        """Count every group of both ranges in the tally, however many there are.

        A period compared with is counted under its counterpart among those asked for.
        """
        stored = [name for name in tally.names if name != TENANT.name]
        for dates in self.ranges:
            for year in years:
                for columns, sizes in year.sizes(
                    dates,
                    filters,
                    stored,
                    granularity=self.query.granularity,
                    week_start=self.tenant.week_start,
                ):
                    self._count(columns, sizes, tally, compared=dates is self.compared)

    def _count(
        self, columns: list[Column], sizes: Integers, tally: Tally, *, compared: bool
    ) -> None:
        if TENANT.name in tally.names:
            own = everywhere(self.tenant.id, len(sizes))
            columns.insert(tally.names.index(TENANT.name), own)
        if compared and self.compared and PERIOD in tally.names:
            place = tally.names.index(PERIOD)
            names = self._counterparts(self.compared)
            values = [names[str(value)] for value in columns[place].values]
            columns[place] = replace(columns[place], values=values)
        tally.add(columns, sizes, compared=compared)

    def _counterparts(self, compared: DateRange) -> dict[str, str | None]:
        """The periods compared with, each with the one asked for that it stands beside, if any."""
        names: dict[str, str | None] = dict.fromkeys(self._periods(compared))
        return names | dict(zip(names, self._periods(self.dates), strict=False))

    def keys(self, counted: Collection[Key]) -> set[Key]:
        """The groups to tell of, from those that something was counted of.

        One whose period has no counterpart is among them, its period None: it has no row of its
        own, but subtotals that leave the period out have one for it.
        """
        group_by = self.query.group_by
        place = self._period_place
        if place is None:
            return set(counted) or groups.certain(self.report, group_by)
        if self.query.fill:
            others = [name for name in group_by if name != PERIOD]
            certain = groups.certain(self.report, others)
            known = {groups.put(key, place, None) for key in certain}
            return groups.filled(counted or known, place, self._periods(self.dates))
        return set(counted)

    def _groups(
        self,
        years: Sequence[Year],
        filters: Filters,
        layout: Layout,
        dates: DateRange,
        fold: Fold | None,
    ) -> Groups:
        names = [name for name in self.query.group_by if name != self._by_count]
        stored = [name for name in names if name != TENANT.name]
        found = groups.merge(
            self._sums(year, filters, layout, dates, stored, fold) for year in years
        )
        if TENANT.name in names:
            place = names.index(TENANT.name)
            found = {groups.put(key, place, self.tenant.id): sums for key, sums in found.items()}
        if self._by_count:
            found = groups.split(found, self.query.group_by.index(self._by_count))
        return found

    def _sums(
        self,
        year: Year,
        filters: Filters,
        layout: Layout,
        dates: DateRange,
        names: Sequence[str],
        fold: Fold | None,
    ) -> Groups:
        """One year's sums by these columns, laid out as the question's."""
        found = year.group(
            dates,
            filters,
            [*names, CURRENCY] if layout.by_currency else names,
            granularity=self.query.granularity,
            week_start=self.tenant.week_start,
            fold=fold,
        )
        groups.check_size(len(found), layout.width)
        table = year.table
        if layout.is_of(table):
            return found
        if not layout.by_currency:
            return {key: layout.laid_out(table, sums) for key, sums in found.items()}
        return groups.added(
            (key, layout.laid_out(table, sums, currency if isinstance(currency, str) else None))
            for (*labels, currency), sums in found.items()
            for key in [tuple(labels)]
        )

    @property
    def _by_count(self) -> str | None:
        return self.report.by_count.name if self.report.by_count else None

    @property
    def _period_place(self) -> int | None:
        return groups.period_place(self.query.group_by)

    def _periods(self, dates: DateRange) -> tuple[str, ...]:
        return _periods(dates, self.query.granularity, self.tenant.week_start)


@lru_cache(maxsize=4)  # two ranges, of however many tenants; fifty years of days take a megabyte
def _periods(dates: DateRange, granularity: str, week_start: str) -> tuple[str, ...]:
    """Each period's first day."""
    found = days.periods(dates, granularity, week_start)
    return tuple(first.isoformat() for first in found)
