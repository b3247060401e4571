"""Writes what is pending of the tenants' years, and makes it visible by one conditional write each.

A statement lays out the rows of many tenants. Where it fails because of somebody's rows, each half
of the tenants is tried by itself (pulse/halving.py).
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from pulse import lake
from pulse.days import Remaining
from pulse.errors import AthenaError, BuildCheckError, GoneError
from pulse.halving import portions
from pulse.observe import logger
from pulse.reports import tenant_year
from pulse.reports.rollups import ROLLUPS
from pulse.sql import spread, statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenant_years import writing
from pulse.tenant_years.comparing import NEW, Comparison, batches, pair
from pulse.tenant_years.large import LargeTenants
from pulse.tenant_years.work import Table, TableYear
from pulse.tenant_years.writing import Change, WriteResult, YearWriter
from pulse.tenants.tenant import YearState

MOST_ROWS = 16_000_000
"""About so many rows one statement lays out at most. A sixteenth of them is in memory at once."""
MOST_NAMED = 300
"""A statement over more tenants than these reads the rows of every tenant, and names none."""


@dataclass(frozen=True)
class Publisher:
    """Brings tenants' years up to date."""

    objects: Objects
    tenants: Tenants
    athena: Athena
    large: LargeTenants

    def publish(self, table: Table, year: TableYear, remaining_s: Remaining) -> None:
        """Write the pending days of as many tenants as time allows; the others stay pending."""
        left = deque(self._portions(table, year))
        while left:
            if remaining_s() < RESERVE_S:
                table.stop([tenant for tenants in left for tenant in tenants], year.number)
                return
            if table.is_hopeless:
                for tenants in left:
                    table.hold_up(tenants, year.number, table.last_error)
                return
            tenants = left.popleft()
            try:
                self._count(table, year, tenants, remaining_s)
                large = [tenant for tenant in tenants if self._is_large(table, year, tenant)]
                if not large:
                    self._build(table, year, tenants, remaining_s)
                elif len(tenants) == 1:
                    self._build_large(table, year, tenants[0], remaining_s)
                else:  # as is seen now that the days owed to them are counted
                    others = [tenant for tenant in tenants if tenant not in large]
                    left.extendleft(filter(None, [others, *([tenant] for tenant in large)]))
            except AthenaError as error:
                left.extendleft(reversed(table.note_failure(tenants, year.number, error)))

    def _portions(self, table: Table, year: TableYear) -> Iterator[list[str]]:
        """The tenants with pending days, in portions of one statement each.

        Those whose own statement failed come last, each alone, and only from time to time.
        """
        sound: list[str] = []
        among: dict[int, list[str]] = defaultdict(list)
        large: list[str] = []
        suspects: list[str] = []
        for tenant in sorted(year.pending):
            unbuilt = table.unbuilt(tenant, year.number)
            if unbuilt is None or not (unbuilt.alone or unbuilt.among):
                (large if self._is_large(table, year, tenant) else sound).append(tenant)
            elif unbuilt.among:
                among[unbuilt.among].append(tenant)
            elif table.impatient or unbuilt.is_due(year.fingerprint(tenant)):
                suspects.append(tenant)
        portion: list[str] = []
        rows = 0
        for tenant in sound:
            if portion and rows + year.rows(tenant) > MOST_ROWS:
                yield portion
                portion, rows = [], 0
            portion.append(tenant)
            rows += year.rows(tenant)
        if portion:
            yield portion
        yield from ([tenant] for tenant in large)
        for number, some in sorted(among.items()):
            yield from portions(some, number)
        yield from ([tenant] for tenant in suspects)

    def _is_large(self, table: Table, year: TableYear, tenant: str) -> bool:
        """Are the tenant's rows of the year, as far as they are counted, too many to hold here?"""
        before = table.state(tenant, year.number)
        return self.large.is_large(table.dataset, tenant, year.number, before, year.rows(tenant))

    def _build_large(
        self, table: Table, year: TableYear, tenant: str, remaining_s: Remaining
    ) -> None:
        """Let Athena write the pending days of a large tenant, if they are all there.

        Raises AthenaError, and ConflictError as `_publish` does.
        """
        dataset, before = table.dataset, table.state(tenant, year.number)
        try:
            written = self.large.write(
                dataset,
                tenant,
                year.number,
                before,
                year.pending[tenant],
                year.run_of,
                as_of_us=table.as_of_us,
                remaining_s=remaining_s,
            )
        except GoneError:
            self._lose(table, year, tenant)
            return
        if self._counts(table, year, tenant, written.events):
            self._make_visible(table, year, tenant, written)

    def _count(
        self, table: Table, year: TableYear, tenants: Sequence[str], remaining_s: Remaining
    ) -> None:
        """Count the events of pending days that were not compared: those owed since long."""
        missing = {day for tenant in tenants for day in year.pending[tenant]} - {*year.counted}
        runs_of = {day: (year.run_of[day],) for day in missing}
        for some in batches(runs_of):
            year.counted |= Comparison(self.athena).compare(
                table.dataset,
                {day: runs_of[day] for day in some},
                copies=NEW,
                remaining_s=remaining_s,
            )

    def _build(
        self, table: Table, year: TableYear, tenants: Sequence[str], remaining_s: Remaining
    ) -> None:
        """Write the pending days of some tenants. Raises AthenaError."""
        staged: list[str] = []
        try:
            self._lay_out(table, year, tenants, staged, remaining_s)
            left = {*tenants}
            for pieces in self._buckets(staged).values():
                bodies = [self.objects.get(key) for key in pieces]
                for tenant, rows in writing.rows_by_tenant(table.dataset, bodies):
                    if tenant in left:
                        left.remove(tenant)
                        self._publish(table, year, tenant, rows)
            empty = tenant_year.schema(table.dataset, ROLLUPS[table.dataset.name][0]).empty_table()
            for tenant in sorted(left):
                self._publish(table, year, tenant, empty)
        finally:
            for prefix in staged:
                self.objects.delete_all(prefix)

    def _lay_out(
        self,
        table: Table,
        year: TableYear,
        tenants: Sequence[str],
        staged: list[str],
        remaining_s: Remaining,
    ) -> None:
        """Let Athena write the rows below prefixes, which are appended to `staged`."""
        wanted = {day for tenant in tenants for day in year.pending[tenant]}
        everybody = len(tenants) > MOST_NAMED
        for some in batches({day: (year.run_of[day],) for day in wanted}):
            params = {
                "runs": sorted({year.run_of[day] for day in some}),
                "pairs": [pair(year.run_of[day], day) for day in some],
                "first_day": str(some[0]),
                "last_day": str(some[-1]),
                "everybody": everybody,
                "tenants": [""] if everybody else list(tenants),
            }
            text, params = spread(statement("reports", table.dataset.name), params, "runs")
            staged.append(lake.staging_prefix(table.dataset, lake.ulid()))
            self.athena.unload(
                text,
                params,
                target=f"s3://{self.objects.bucket}/{staged[-1]}",
                partition="bucket",
                remaining_s=remaining_s,
            )

    def _buckets(self, staged: Sequence[str]) -> Mapping[str, list[str]]:
        """The keys of what was laid out, by bucket."""
        found: dict[str, list[str]] = defaultdict(list)
        for prefix in staged:
            for key in self.objects.keys(prefix):
                found[key.removeprefix(prefix).split("/")[0]].append(key)
        return dict(sorted(found.items()))

    def _publish(self, table: Table, year: TableYear, tenant: str, rows: pa.Table) -> None:
        """Put a tenant's pending days and make them visible, if they are all there.

        Raises ConflictError where another build was first, or the tenant is gone.
        """
        dataset, before = table.dataset, table.state(tenant, year.number)
        changed = frozenset(year.pending[tenant])
        rows = tenant_year.of_days(rows, changed)
        if not self._counts(table, year, tenant, tenant_year.count_events(dataset, rows)):
            return
        change = Change(changed, rows, lake.ulid(), table.as_of_us)
        writer = YearWriter(self.objects)
        try:
            written = writer.write(
                dataset, tenant, year.number, before, change, published=year.run_of.keys()
            )
        except GoneError:
            self._lose(table, year, tenant)
            return
        self._make_visible(table, year, tenant, written)

    def _counts(self, table: Table, year: TableYear, tenant: str, events: int) -> bool:
        """True if rows stand for as many events as the days hold; else it is noted as failed."""
        due = year.events(tenant)
        if events != due:
            table.failed[tenant, year.number] = BuildCheckError(
                f"{tenant} {year.number}: {events} events arranged in {table.dataset.name}, "
                f"where the days hold {due}"
            )
        return events == due

    def _make_visible(
        self, table: Table, year: TableYear, tenant: str, written: WriteResult
    ) -> None:
        """Let the tenant's record name what was put. Raises ConflictError as `_publish` does."""
        self._set(table, year, tenant, written.state)
        del year.pending[tenant]
        table.rewritten.append((tenant, year.number))
        table.folded += written.folded
        table.written += written.size

    def _lose(self, table: Table, year: TableYear, tenant: str) -> None:
        """Let the whole year be owed to a tenant whose record names objects that are gone.

        So it does where the record is one of before, as after a restoration. Raises ConflictError
        where it has only changed meanwhile.
        """
        self._owe(table, year, tenant, frozenset(year.run_of), lost=True)
        logger.error("reports are gone", extra={"tenant": tenant, "year": year.number})
        del year.pending[tenant]
        table.finished = False  # the next round builds it

    def note_owed(self, table: Table, year: TableYear) -> None:
        """Note on the tenants' records which days are still to be built."""
        for tenant, pending in sorted(year.pending.items()):
            owed, before = frozenset(pending), table.state(tenant, year.number)
            table.owed[tenant, year.number] = owed
            if before is None or before.owed != owed:
                self._owe(table, year, tenant, owed)

    def _owe(
        self,
        table: Table,
        year: TableYear,
        tenant: str,
        owed: frozenset[date],
        *,
        lost: bool = False,
    ) -> None:
        """Note days that are to be built; if they are `lost`, that the year has no parts either."""
        known = table.state(tenant, year.number) or YearState((), "", table.as_of_us, None, 0)
        if lost:
            known = replace(known, parts=(), first_day=None)
        state = replace(known, owed=owed, revision=known.revision + 1)
        self._set(table, year, tenant, state)

    def _set(self, table: Table, year: TableYear, tenant: str, state: YearState) -> None:
        """Let this be the tenant's year. Raises ConflictError as `_publish` does."""
        self.tenants.set_year(
            tenant,
            table.dataset.name,
            year.number,
            state,
            before=table.state(tenant, year.number),
            fence=table.held.fence,
        )
