"""A tenant's part in a question: the days that the query means in its calendar, and their sums.

An operator's question has several of them, each with days of its own; any other has one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

from pulse import days
from pulse.days import DateRange
from pulse.reports.registry import PERIOD, TENANT, Report
from pulse.serve.conditions import Filters
from pulse.serve.groups import Groups, Key, added, certain, filled, merge, put, split
from pulse.serve.query import Query
from pulse.serve.years import Year
from pulse.tenants.tenant import Tenant


@dataclass(frozen=True)
class Span:
    """The days of one tenant, and those that they are compared with, if any."""

    report: Report
    query: Query
    tenant: Tenant
    dates: DateRange
    compared: DateRange | None

    @classmethod
    def of(cls, report: Report, query: Query, tenant: Tenant) -> Self:
        """What the query means to the tenant at this moment."""
        dates = query.resolve(tenant, report.family.dataset.name)
        compared = days.COMPARISONS[query.compare](dates) if query.compare else None
        return cls(report, query, tenant, dates, compared)

    @property
    def years(self) -> set[int]:
        """The calendar years that hold these days."""
        return {*self.dates.years, *(self.compared.years if self.compared else ())}

    @property
    def unpaired(self) -> int:
        """How many periods compared with have no counterpart among those asked for."""
        if self.compared is None or not self._by_period:
            return 0
        return max(0, len(self._periods(self.compared)) - len(self._periods(self.dates)))

    @property
    def as_of_us(self) -> int | None:
        """When the build ran that the tenant's sums reflect; None before the first."""
        return self.tenant.table(self.report.family.dataset.name).as_of_us

    # -- sums

    def now(self, years: Sequence[Year], filters: Filters) -> Groups:
        """The sums of the days asked for."""
        return self._groups(years, filters, self.dates)

    def before(self, years: Sequence[Year], filters: Filters) -> Groups:
        """The sums of the days compared with, under the names of the periods asked for.

        The first period of the one range stands beside the first of the other, and so on; what
        has no counterpart is left without a period.
        """
        if self.compared is None:
            return {}
        groups = self._groups(years, filters, self.compared)
        if not self._by_period:
            return groups
        names = dict.fromkeys(self._periods(self.compared))
        names |= dict(zip(names, self._periods(self.dates), strict=False))
        return added(((names[str(key[0])], *key[1:]), sums) for key, sums in groups.items())

    def keys(self, counted: Collection[Key]) -> set[Key]:
        """The rows that are shown, of the groups that something was counted of.

        Those whose period has no counterpart are not: they count in the totals alone.
        """
        group_by = self.query.group_by
        if not self._by_period:
            return set(counted) or certain(self.report, group_by)
        if self.query.fill:
            known = {(None, *key) for key in certain(self.report, group_by[1:])}
            counted = filled(counted or known, self._periods(self.dates))
        return {key for key in counted if key[0] is not None}

    def _groups(self, years: Sequence[Year], filters: Filters, dates: DateRange) -> Groups:
        names = [name for name in self.query.group_by if name != self._by_count]
        stored = [name for name in names if name not in (PERIOD, TENANT.name)]
        groups = merge(
            year.cells.group(
                dates,
                filters,
                stored,
                granularity=self.query.granularity,
                week_start=self.tenant.week_start,
            )
            for year in years
        )
        if TENANT.name in names:
            place = names.index(TENANT.name)
            groups = {put(key, place, self.tenant.id): sums for key, sums in groups.items()}
        if self._by_count:
            groups = split(groups, self.query.group_by.index(self._by_count))
        return groups

    @property
    def _by_count(self) -> str | None:
        return self.report.by_count.name if self.report.by_count else None

    @property
    def _by_period(self) -> bool:
        return PERIOD in self.query.group_by

    def _periods(self, dates: DateRange) -> list[str]:
        found = days.periods(dates, self.query.granularity, self.tenant.week_start)
        return [first.isoformat() for first in found]
