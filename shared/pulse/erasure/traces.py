"""Other places that may show rows that were removed, or figures made from them.

These are files of exports, results of Athena's statements, and older versions of reports: the
difference between two versions of a report may show the score of a small group. All of them expire
by themselves, the last within two days, but an erasure does not wait for that.
"""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from pyarrow import parquet

from pulse import days, lake
from pulse.erasure.waiting import Waiting
from pulse.export_orders import Export
from pulse.store.exports import Exports
from pulse.store.objects import Objects

WITHDRAWN = "It held data that has been erased since. Order it again."

_OF_SINGLE_EVENTS = frozenset(
    ("customer", "comment", "interaction", "interaction_id", "response_id", "session_id")
)
_HEADER_BYTES = 16_384
_LEASE_US = 15 * 60 * days.SECOND
"""How long no export of the tenant can begin if this process dies."""


@dataclass(frozen=True)
class Traces:
    """The exports and the results of statements in one lake."""

    objects: Objects
    exports: Exports
    say: Callable[[str], None]
    pause: Callable[[float], None]

    def affected(self, tenant: str, touched: Mapping[str, Collection[date]]) -> list[Export]:
        """The tenant's finished exports that cover a day that lost rows of their stream."""
        return [e for e in self.exports.of_tenant(tenant) if e.state == "done" and _on(e, touched)]

    def withdraw(
        self, tenant: str, touched: Mapping[str, Collection[date]]
    ) -> tuple[list[str], int]:
        """Withdraw the affected exports; return their ids, and how many files were removed.

        Afterwards no export that covers a day that lost rows has a file, and no unfinished one. If
        any day lost rows, this first waits for an export that is being made.
        """
        if not any(touched.values()):
            return [], 0
        with self._nobody_at_work(tenant):
            withdrawn = self.affected(tenant, touched)
            for export in withdrawn:
                self.exports.withdraw(export, WITHDRAWN)
            wanted = {export.key for export in self.exports.of_tenant(tenant)}
            files = self.objects.keys(lake.exports_prefix(tenant))
            unwanted = [key for key in files if key not in wanted] + self._staging(tenant)
            self.objects.delete(unwanted)
        return [export.id for export in withdrawn], len(unwanted)

    def remove_exports(self, tenant: str) -> int:
        """Delete the order, file and staging of every export of a tenant; return how many.

        Waits for an export that is being made.
        """
        with self._nobody_at_work(tenant):
            self.objects.wipe(lake.exports_prefix(tenant))
            self.objects.wipe_keys(self._staging(tenant))
            return self.exports.remove(tenant)

    def remove_results(self) -> int:
        """Remove all results of statements that show single events; return how many.

        They are no longer needed: whoever runs a statement fetches its result at once.
        """
        found = [
            key
            for key, size in self.objects.sizes(lake.STATEMENT_RESULTS).items()
            if size and key.endswith(".csv") and self._tells_of_events(key)
        ]
        self.objects.delete([*found, *(f"{key}.metadata" for key in found)])
        return len(found)

    def remove_versions(self, tenant: str) -> int:
        """Delete older versions under every prefix but raw; returns how many.

        These are all older versions of staging and of statements' results, of any tenant, and
        those of this tenant's exports and reports.
        """
        prefixes = [lake.STATEMENT_RESULTS, lake.STAGING, lake.exports_prefix(tenant)]
        prefixes += [lake.tenant_prefix(dataset, tenant) for dataset in lake.DAILY_TABLES]
        return sum(
            self.objects.delete_versions(self.objects.older_versions(prefix)) for prefix in prefixes
        )

    @contextmanager
    def _nobody_at_work(self, tenant: str) -> Iterator[None]:
        """Within the block no export of the tenant is being made; first waits for one that is."""
        holder = lake.ulid()
        wait = Waiting(self.say, self.pause, "Waiting for an export that is being made …")
        while not self.exports.stop_line(tenant, holder, days.now_us() + _LEASE_US):
            wait()
        try:
            yield
        finally:
            self.exports.free_line(tenant, holder)

    def _staging(self, tenant: str) -> list[str]:
        """Staging objects of the tenant's exports, left by workers that died: none is at work."""
        found = []
        for run in self.objects.folders(lake.EXPORT_STAGING):
            keys = list(self.objects.keys(run))
            if keys and self._tenant_of(keys[0]) == tenant:
                found += keys
        return found

    def _tenant_of(self, key: str) -> str | None:
        """The tenant of an object in an export's staging, which holds rows of one tenant only."""
        body = pa.BufferReader(self.objects.get(key))
        rows = parquet.ParquetFile(body).read(columns=["tenant"])
        return rows["tenant"][0].as_py() if len(rows) else None

    def _tells_of_events(self, key: str) -> bool:
        first, *_ = self.objects.begin(key, _HEADER_BYTES).decode(errors="replace").splitlines()
        return any(_OF_SINGLE_EVENTS.intersection(row) for row in csv.reader([first]))


def _on(export: Export, touched: Mapping[str, Collection[date]]) -> bool:
    dates = export.request.dates
    return any(dates.start <= day <= dates.end for day in touched.get(export.request.stream, ()))
