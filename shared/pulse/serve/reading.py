"""The rows of questions: of each tenant the years that hold its days, fetched all at once."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pulse.serve.needs import Needs
from pulse.serve.plan import Plan, needs_of
from pulse.serve.years import Admit, TenantYears, YearRows


class Readable(Protocol):
    """What rows are read from: serve.years.Years."""

    def read(self, asked: Sequence[Needs], admit: Admit) -> list[list[YearRows]]:
        """For each of the needs the tenant's years."""

    def weight(self, needs: Needs) -> int | None:
        """The bytes of the objects that tell all that is needed; None where objects do not."""


def read(years: Readable, plans: Sequence[Plan], admit: Admit) -> list[TenantYears]:
    """For each of the plans the years of its tenants, table by table.

    What several of them need is fetched once. Raises what Years.read raises.
    """
    needs = [needs_of(plan) for plan in plans]
    found = iter(years.read([one for some in needs for one in some], admit))
    return [_by_tenant(plan, some, found) for plan, some in zip(plans, needs, strict=True)]


def _by_tenant(plan: Plan, needs: Sequence[Needs], found: Iterator[list[YearRows]]) -> TenantYears:
    years: dict[str, list[YearRows]] = {one.tenant.id: [] for one in plan.tenants}
    for one in needs:
        years[one.tenant.id] += next(found)
    return years
