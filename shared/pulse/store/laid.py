"""The rows of large tenants that are laid out in the lake for Athena, each tenant's separately.

A run lays out some days of one tenant and table. Afterwards it never changes, except that days may
be removed from it. The tenant's record names the runs and days whose rows count (Part.laid). A mark
beside the rows lists the days that are complete, because Athena does not report missing objects. So
the mark is written after the rows, and changed before rows are removed.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from pulse import lake
from pulse.store.objects import Objects
from pulse.tenants.tenant import Tenant


@dataclass(frozen=True)
class LaidRows:
    """The runs in a lake, by their prefixes (lake.large_run_prefix)."""

    objects: Objects

    def complete(self, prefix: str, its_days: Collection[date]) -> None:
        """Write the mark: all rows of these days are there, and no others."""
        text = "\n".join(map(str, sorted(its_days)))
        self.objects.put(lake.large_mark_below(prefix), text.encode())

    def days(self, prefix: str) -> frozenset[date]:
        """The days of which all rows are there; none if the run is gone."""
        mark = self.objects.get_unless_gone(lake.large_mark_below(prefix)) or b""
        return frozenset(map(date.fromisoformat, mark.decode().split()))

    def tenants(self, dataset: lake.DailyTable) -> Iterator[str]:
        """Every tenant that has rows of a table here, including deleted ones."""
        root = f"{dataset.large_prefix}tenant="
        for prefix in self.objects.folders(dataset.large_prefix):
            yield prefix.removeprefix(root).rstrip("/")

    def unnamed(
        self, dataset: lake.DailyTable, tenant: str, record: Tenant | None
    ) -> Iterator[tuple[str, str]]:
        """(run, prefix) of each run that the tenant's record does not name; None is no record."""
        named = _named(dataset, record)
        for run, prefix in self._runs(dataset, tenant):
            if run not in named:
                yield run, prefix

    def remove(self, prefix: str, *, but_for: Collection[date] = ()) -> None:
        """Remove all versions of a run's objects, or of those of all its days except `but_for`."""
        if not but_for:
            self.objects.wipe_keys([lake.large_mark_below(prefix)])
            self.objects.wipe(prefix)
            return
        kept = {f"{prefix}dt={day}/" for day in but_for}
        if gone := [folder for folder in self.objects.folders(prefix) if folder not in kept]:
            self.complete(prefix, but_for)
            for folder in gone:
                self.objects.wipe(folder)

    def runs(self, tenant: str) -> list[tuple[lake.DailyTable, str, str]]:
        """(table, run, prefix) of each run of a tenant."""
        return [
            (dataset, run, prefix)
            for dataset in lake.DAILY_TABLES
            for run, prefix in self._runs(dataset, tenant)
        ]

    def remove_unnamed(
        self, runs: Iterable[tuple[lake.DailyTable, str, str]], record: Tenant | None
    ) -> int:
        """Remove those rows of some runs that the tenant's record does not name.

        So an erasure leaves no old rows, and the deletion of a tenant, whose record is None, leaves
        none. The caller makes sure that no build names one of the runs after the record was read.
        Returns how many runs are gone.
        """
        removed = 0
        for dataset, run, prefix in runs:
            its_days = _named(dataset, record).get(run, frozenset())
            self.remove(prefix, but_for=its_days)
            removed += not its_days
        return removed

    def _runs(self, dataset: lake.DailyTable, tenant: str) -> Iterator[tuple[str, str]]:
        root = lake.large_tenant_prefix(dataset, tenant)
        for prefix in self.objects.folders(root):
            yield prefix.removeprefix(f"{root}run=").rstrip("/"), prefix


def _named(dataset: lake.DailyTable, record: Tenant | None) -> dict[str, frozenset[date]]:
    """The days whose rows count, by run."""
    found: dict[str, frozenset[date]] = {}
    for state in record.table(dataset.name).years.values() if record else ():
        for part in state.parts:
            for run, its_days in part.laid.items():
                found[run] = found.get(run, frozenset()) | its_days
    return found
