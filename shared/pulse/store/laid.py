"""Rows of large tenants as they lie in the lake, each tenant's apart, and their removal.

A run lays out some days of one tenant and table, and never changes afterwards. The tenant's record
names the runs whose rows count (Part.laid).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pulse import lake
from pulse.store.objects import Objects
from pulse.tenants.tenant import Tenant


@dataclass(frozen=True)
class LaidRows:
    """The runs of a lake bucket."""

    objects: Objects

    def tenants(self, dataset: lake.Dataset) -> Iterator[str]:
        """Every tenant that has rows of a table here, also one that is gone."""
        root = f"{dataset.large_prefix}tenant="
        for prefix in self.objects.folders(dataset.large_prefix):
            yield prefix.removeprefix(root).rstrip("/")

    def unnamed(
        self, dataset: lake.Dataset, tenant: str, record: Tenant | None
    ) -> Iterator[tuple[str, str]]:
        """(run, prefix) of each run of a tenant that its record, None for none, does not name."""
        years = record.table(dataset.name).years.values() if record else ()
        named = {run for state in years for part in state.parts for run in part.laid}
        root = lake.large_tenant_prefix(dataset, tenant)
        for prefix in self.objects.folders(root):
            run = prefix.removeprefix(f"{root}run=").rstrip("/")
            if run not in named:
                yield run, prefix

    def remove(self, prefix: str) -> None:
        """Remove a run with all versions of its objects.

        What says that it is complete goes first: so no statement that reads the rest meanwhile is
        taken for one that has read everything.
        """
        self.objects.wipe_keys([lake.large_mark_below(prefix)])
        self.objects.wipe(prefix)

    def remove_unnamed(self, tenant: str, record: Tenant | None) -> int:
        """Remove at once every run that the tenant's record does not name; how many they were.

        So an erasure leaves no rows of before, and the deletion of a tenant, whose record is None,
        leaves nothing. No build of the tenant may be at work: it would find its rows gone.
        """
        found = [
            prefix
            for dataset in lake.DATASETS
            for _, prefix in self.unnamed(dataset, tenant, record)
        ]
        self.remove_all(found)
        return len(found)

    def remove_all(self, prefixes: Collection[str]) -> None:
        """Remove these runs."""
        for prefix in prefixes:
            self.remove(prefix)
