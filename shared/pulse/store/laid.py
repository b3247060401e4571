"""Rows of large tenants as they lie in the lake, each tenant's apart, and their removal.

A run lays out some days of one tenant and table, and never changes afterwards, but that days may be
removed from it. The tenant's record names the runs and days whose rows count (Part.laid). A mark
beside the rows tells which days are there: Athena finds nothing where rows are gone that it was to
read, and does not say so. So the mark is put last, and told first of what is about to go.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from pulse import lake
from pulse.store.objects import Objects
from pulse.tenants.tenant import Tenant


@dataclass(frozen=True)
class LaidRows:
    """The runs of a lake bucket, by their prefixes (lake.large_run_prefix)."""

    objects: Objects

    def complete(self, prefix: str, its_days: Collection[date]) -> None:
        """Note that all rows of these days are there, and of no others."""
        text = "\n".join(map(str, sorted(its_days)))
        self.objects.put(lake.large_mark_below(prefix), text.encode())

    def days(self, prefix: str) -> frozenset[date]:
        """The days all rows of which are there; none where the run is gone."""
        mark = self.objects.get_unless_gone(lake.large_mark_below(prefix)) or b""
        return frozenset(map(date.fromisoformat, mark.decode().split()))

    def tenants(self, dataset: lake.Dataset) -> Iterator[str]:
        """Every tenant that has rows of a table here, also one that is gone."""
        root = f"{dataset.large_prefix}tenant="
        for prefix in self.objects.folders(dataset.large_prefix):
            yield prefix.removeprefix(root).rstrip("/")

    def unnamed(
        self, dataset: lake.Dataset, tenant: str, record: Tenant | None
    ) -> Iterator[tuple[str, str]]:
        """(run, prefix) of each run of a tenant that its record, None for none, does not name."""
        named = _named(dataset, record)
        for run, prefix in self._runs(dataset, tenant):
            if run not in named:
                yield run, prefix

    def remove(self, prefix: str, *, but_for: Collection[date] = ()) -> None:
        """Remove a run, or its days but for some, with all versions of its objects."""
        if not but_for:
            self.objects.wipe_keys([lake.large_mark_below(prefix)])
            self.objects.wipe(prefix)
            return
        kept = {f"{prefix}dt={day}/" for day in but_for}
        if gone := [folder for folder in self.objects.folders(prefix) if folder not in kept]:
            self.complete(prefix, but_for)
            for folder in gone:
                self.objects.wipe(folder)

    def runs(self, tenant: str) -> list[tuple[lake.Dataset, str, str]]:
        """(table, run, prefix) of each run of a tenant that there is now."""
        return [
            (dataset, run, prefix)
            for dataset in lake.DATASETS
            for run, prefix in self._runs(dataset, tenant)
        ]

    def remove_unnamed(
        self, runs: Iterable[tuple[lake.Dataset, str, str]], record: Tenant | None
    ) -> int:
        """Remove at once those rows of some runs that the tenant's record does not name.

        So an erasure leaves no rows of before, and the deletion of a tenant, whose record is None,
        leaves nothing. No build may name one of the runs after the record was read: the caller sees
        to that. Returns how many runs are gone.
        """
        removed = 0
        for dataset, run, prefix in runs:
            its_days = _named(dataset, record).get(run, frozenset())
            self.remove(prefix, but_for=its_days)
            removed += not its_days
        return removed

    def _runs(self, dataset: lake.Dataset, tenant: str) -> Iterator[tuple[str, str]]:
        root = lake.large_tenant_prefix(dataset, tenant)
        for prefix in self.objects.folders(root):
            yield prefix.removeprefix(f"{root}run=").rstrip("/"), prefix


def _named(dataset: lake.Dataset, record: Tenant | None) -> dict[str, frozenset[date]]:
    """The days whose rows count, by run."""
    found: dict[str, frozenset[date]] = {}
    for state in record.table(dataset.name).years.values() if record else ():
        for part in state.parts:
            for run, its_days in part.laid.items():
                found[run] = found.get(run, frozenset()) | its_days
    return found
