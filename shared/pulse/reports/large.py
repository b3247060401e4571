"""What a part of a large tenant's year is made of, without its rows ever being in this process.

The rows of a tenant above what one process can hold are laid out apart from all others', by Athena
and for Athena: a question that no roll-up covers then reads this tenant's days alone. The part's
roll-ups are made by Athena too, out of these rows, each by the statement that a question for the
same sums would run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from pulse import lake
from pulse.days import DateRange, Remaining
from pulse.reports import tenant_year
from pulse.reports.rollups import Rollup
from pulse.serve.distributed_sql import MOST_ROWS, Wanted
from pulse.sql import spread, statement
from pulse.store.athena import Athena
from pulse.store.objects import Objects

Laid = Mapping[str, frozenset[date]]
"""Which days of a tenant's rows each run has laid out (lake.large_run_prefix)."""


@dataclass(frozen=True)
class LargeTenants:
    """Lays out rows of large tenants, and makes their roll-ups."""

    athena: Athena
    objects: Objects

    def lay_out(
        self,
        dataset: lake.Dataset,
        tenant: str,
        run_of: Mapping[date, str],
        *,
        remaining_s: Remaining,
    ) -> Laid:
        """Lay out a tenant's rows of these days, each as that run of the daily table has it.

        Nothing points at the result yet; days without rows are in it too. Raises AthenaError.
        """
        laid: dict[str, frozenset[date]] = {}
        wanted = sorted(run_of)
        for first in range(0, len(wanted), lake.PARTITION_LIMIT):
            some = wanted[first : first + lake.PARTITION_LIMIT]
            run = lake.ulid()
            target = lake.large_run_prefix(dataset, tenant, run)
            sql, params = spread(
                statement("large", dataset.name),
                {
                    "tenant": tenant,
                    "runs": sorted({run_of[day] for day in some}),
                    "pairs": [f"{run_of[day]}/{day}" for day in some],
                    "first_day": some[0].isoformat(),
                    "last_day": some[-1].isoformat(),
                },
                "runs",
            )
            self.athena.unload(
                sql,
                params,
                target=f"s3://{self.objects.bucket}/{target}",
                partition="dt",
                remaining_s=remaining_s,
            )
            self.objects.put(lake.large_mark_key(dataset, tenant, run), b"")
            laid[run] = frozenset(some)
        return laid

    def roll_up(
        self,
        dataset: lake.Dataset,
        tenant: str,
        year: int,
        laid: Laid,
        rollup: Rollup,
        *,
        remaining_s: Remaining,
    ) -> pa.Table | None:
        """The rows of a roll-up (tenant_year.schema) over the days laid out, all of one year.

        None where it has more rows than a reader holds. Raises AthenaError.
        """
        wanted = Wanted(
            table=dataset,
            tenant=tenant,
            laid=laid,
            ranges=(DateRange(date(year, 1, 1), date(year, 12, 31)),),
            grouped=rollup.dimensions,
            filters={},
            granularity=rollup.grain,
        )
        prefix = lake.staging_prefix(dataset, lake.ulid())
        try:
            self.athena.unload(
                wanted.statement.sql,
                {},
                target=f"s3://{self.objects.bucket}/{prefix}",
                partition=None,
                remaining_s=remaining_s,
            )
            pieces = (self.objects.get(key) for key in self.objects.keys(prefix))
            rows = tenant_year.read(dataset, rollup, pieces)
        finally:
            self.objects.wipe(prefix)
        return rows if len(rows) <= MOST_ROWS else None
