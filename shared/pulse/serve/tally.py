"""How much each group of a question counts, however many groups there are."""

from collections.abc import Iterator, Sequence

import numpy as np

from pulse.reports.declarations import TENANT
from pulse.serve.encoding import Encoded, constant
from pulse.serve.groups import Groups, nothing, united
from pulse.serve.plan import Plan, TenantDays
from pulse.serve.years import TenantYears

_PENDING = 2**20
"""When so many groups have come together, equal ones are added up."""


def tally_of(plan: Plan, objects: TenantYears, names: Sequence[str]) -> Groups:
    """Every group by these columns, with the events of the days asked for and of those before.

    The days compared with are counted under the periods asked for that they are shown in.
    """
    pending = [nothing(len(names), width=2)]
    for one in plan.tenants:
        for part in _parts(plan, one, objects, names):
            pending.append(part)
            if sum(map(len, pending)) > _PENDING:
                pending = [united(pending)]
    return united(pending)


def _parts(
    plan: Plan, one: TenantDays, objects: TenantYears, names: Sequence[str]
) -> Iterator[Groups]:
    """What each object holds of a tenant's groups."""
    stored = [name for name in names if name != TENANT.name]
    for place, dates in enumerate(one.ranges):
        for year in objects[one.tenant.id]:
            for columns, sizes in year.sizes(
                dates,
                plan.all_filters,
                stored,
                granularity=plan.query.granularity,
                week_start=one.tenant.week_start,
            ):
                sums = np.zeros((len(sizes), 2), np.int64)
                sums[:, place] = sizes
                yield Groups(_named(one, names, columns, len(sizes)), sums)


def _named(
    one: TenantDays, names: Sequence[str], columns: Sequence[Encoded], rows: int
) -> list[Encoded]:
    """The columns as the question names them, the tenant among them."""
    found = list(columns)
    if TENANT.name in names:
        found.insert(names.index(TENANT.name), constant(one.tenant.id, rows))
    return found
