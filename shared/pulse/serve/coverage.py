"""Which rows' periods are not whole, or stand beside more or fewer days than they have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from pulse import days
from pulse.reports.declarations import Label
from pulse.serve.columns import Coverage
from pulse.serve.plan import Plan, TenantDays


@dataclass
class Covered:
    """Finds the coverage of rows of a plan, whose days are counted once."""

    plan: Plan
    _known: dict[tuple[Label, Label], Coverage] = field(init=False, default_factory=dict)

    @cached_property
    def _days(self) -> Mapping[str, Mapping[date, int]]:
        """By tenant how many days compared with are shown in each period."""
        return {
            one.tenant.id: days.days_by_period(one.compared, one.granularity, one.tenant.week_start)
            for one in self.plan.tenants
            if one.compared
        }

    def of(self, tenant: Label, period: Label) -> Coverage | None:
        """The coverage of a row's period; None for a row that tells none."""
        key = tenant, period
        if not isinstance(period, str):
            return None
        if key not in self._known:
            each = list(self._each(tenant, date.fromisoformat(period)))
            self._known[key] = Coverage(
                any(one.partial for one in each), any(one.uneven for one in each)
            )
        return self._known[key]

    def _each(self, tenant: Label, period: date) -> Iterator[Coverage]:
        """The coverage of each tenant's period that begins on this day."""
        for one in self.plan.tenants:
            if tenant not in (None, one.tenant.id):
                continue
            told, length = _days_asked_for(one, period)
            before = self._days[one.tenant.id].get(period, 0) if one.compared else told
            if told:
                yield Coverage(told < length or told != before, told != before)


def _days_asked_for(one: TenantDays, period: date) -> tuple[int, int]:
    """(how many days of the tenant's period are asked for, how many it has).

    None are where its periods begin on other days.
    """
    length = days.period_length(period, one.granularity)
    if period != days.period_start(period, one.granularity, one.tenant.week_start):
        return 0, length
    first = max(period.toordinal(), one.dates.start.toordinal())
    last = min(period.toordinal() + length - 1, one.dates.end.toordinal())
    return max(0, last - first + 1), length
