"""Says on the tenants' records what readers do not find as it was sent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from itertools import chain

from pulse import days
from pulse.daily.standing import entries_of, stand_of
from pulse.days import DateRange, Remaining
from pulse.errors import AthenaError, ConflictError
from pulse.store.catalog import Catalog
from pulse.store.changes import Stand
from pulse.store.ledger import Entry, Ledger
from pulse.store.tenants import Tenants
from pulse.tenant_years.work import Table, TableYear, TenantYear
from pulse.tenants.tenant import Behind, Tenant
from pulse.unbuilt import Unbuilt

MOST_RANGES = 50
"""A tenant's record names at most so many ranges of days that are not built."""
_LAST_S = 10.0
"""With less time left nothing is begun."""


@dataclass(frozen=True)
class Behinds:
    """Writes what is behind of each tenant (Tenant.tables[…].behind), in one run."""

    tenants: Tenants
    ledger: Ledger
    catalog: Catalog
    _known: dict[str, dict[str, Behind]] = field(default_factory=dict)
    """By tenant and table what the records say, as the run has last read or written them."""

    def note_read(self, tenants: Iterable[Tenant]) -> None:
        """Note what the records of all tenants say, which have just been read."""
        self._known.clear()
        for tenant in tenants:
            self._known[tenant.id] = {name: one.behind for name, one in tenant.tables.items()}

    def tell_left(self, table: Table, year: TableYear) -> None:
        """Say which days wait, to tenants whose rows of a year are about to be published.

        Those are the days of the table that have changed, as others of this year have, and whose
        rows are not written together with them: beside the new ones they would look whole, if the
        run died in between. `tell` takes it back. Nothing is written where the changed days are all
        published at once. Raises ConflictError where another builder was first, or a tenant is
        gone.
        """
        left = table.unsettled.difference(year.counted)
        for tenant_id in sorted(year.pending) if left else ():
            known = self._known.get(tenant_id, {})
            before = known.get(table.dataset.name, Behind())
            told = _with_waiting(before, left)
            if told != before:
                behind = {**known, table.dataset.name: told}
                self.tenants.set_behind(tenant_id, behind, fence=table.held.fence)
                self._known[tenant_id] = behind

    def tell(
        self, tables: Sequence[Table], stands: Mapping[str, Stand], remaining_s: Remaining
    ) -> Mapping[str, Mapping[TenantYear, Unbuilt]]:
        """Write on each tenant's record what is not built of these tables, if that has changed.

        A day that is not built is noted for every tenant, because nobody knows whose rows are to
        blame, or have come. `stands` says how the streams stood before the tables were read. Of the
        days that `tell_left` has noted for a tenant, in this run or in one before that died, those
        stay that are still left.
        Returns by table which tenants' years are not built.
        """
        notes = {one.dataset.name: _years_behind(one) for one in tables}
        days_behind = {
            one.dataset.name: self._days_behind(one, stand_of(one.dataset, stands))
            for one in tables
        }
        by_tenant: dict[tuple[str, str], dict[int, Unbuilt]] = defaultdict(dict)
        for name, some in notes.items():
            for (tenant_id, year), note in some.items():
                by_tenant[name, tenant_id][year] = note
        left = {one.dataset.name: one.unsettled for one in tables}
        for tenant_id, noted in self._known.items() if tables else ():
            behind = dict(noted)
            for name, its_days in days_behind.items():
                before = noted.get(name, Behind())
                kept = left[name] and left[name] & _days_of(before.waiting)
                behind[name] = replace(
                    _with_waiting(its_days, kept), years=by_tenant.get((name, tenant_id), {})
                )
            known = {name: noted.get(name, Behind()) for name in behind}
            if behind != known and remaining_s() > _LAST_S:
                with suppress(ConflictError):  # a tenant that is gone has no readers
                    self.tenants.set_behind(tenant_id, behind)
        return notes

    def _days_behind(self, table: Table, stand: Stand) -> Behind:
        """The days of a table that are not as they were sent: not built, or not compared.

        build_daily has noted in the ledger which it could not build, and how many of them there
        are. Where it has not come to all days, those that it has left wait, too: beside the others
        they would look whole.
        """
        failing = [
            day
            for day, error in table.unread.items()
            if table.examined and isinstance(error, AthenaError) and not error.retryable
        ]
        waiting = [day for day in table.unread if day not in failing]
        for day, entry in self._entries_behind(table, stand).items():
            is_failing = entry.unbuilt and entry.unbuilt.failing
            (failing if is_failing else waiting).append(day)
        return Behind(
            days.ranges(sorted({*failing}), MOST_RANGES),
            days.ranges(sorted({*waiting}), MOST_RANGES),
        )

    def _entries_behind(self, table: Table, stand: Stand) -> Mapping[date, Entry]:
        """The days of a table that build_daily has left: those with a note, or all that changed."""
        if table.among is not None and stand.unbuilt == 0 and not stand.leaves_days:
            return {}
        entries = entries_of(self.ledger, table.dataset, table.published)
        left = {
            day: entry
            for day, entry in entries.items()
            if not entry.expired and (entry.unbuilt or stand.leaves_days)
        }
        partitions = table.partitions
        if table.among is not None:
            more = left.keys() - table.among
            partitions = {
                **partitions,
                **self.catalog.partitions(table.dataset.daily_table, more),
            }
        return {
            day: entry
            for day, entry in left.items()
            if day not in partitions or partitions[day].version != entry.version
        }


@lru_cache(16)  # most tenants have the same
def _days_of(ranges: tuple[DateRange, ...]) -> frozenset[date]:
    return frozenset(chain.from_iterable(ranges))


def _with_waiting(behind: Behind, more: frozenset[date]) -> Behind:
    """The same with more days that wait, unless they are failing."""
    more = more.difference(_days_of(behind.failing))
    waiting = _days_of(behind.waiting)
    if more <= waiting:
        return behind
    return replace(behind, waiting=days.ranges(waiting | more, MOST_RANGES))


def _years_behind(table: Table) -> dict[TenantYear, Unbuilt]:
    """The tenants' years that could not be built, in this round or in one before."""
    found: dict[TenantYear, Unbuilt] = {}
    for place, owed in table.owed.items():
        tenant, year = place
        before = table.unbuilt(tenant, year)
        whole = TableYear(year, table.run_of(year))
        whole.pending[tenant] |= owed
        made_of = whole.fingerprint(tenant)
        if place in table.failed:
            error, others = table.failed[place], bool(table.rewritten)
            found[place] = Unbuilt.failed(made_of, error, before=before, others_built=others)
        elif place in table.halved or (before is None and place in table.held_up):
            among = table.halved.get(place, 0)
            found[place] = Unbuilt.waiting(made_of, table.held_up[place], among=among)
        elif before is not None:
            found[place] = before
    return found
