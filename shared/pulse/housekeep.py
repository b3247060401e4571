"""housekeep: removes what builds have left behind and nothing points at any more.

A run of build_daily that was replaced, or died before it was published, is removed a day later:
no reader that saw the old partition is still at work by then. So is the staging of build_reports.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from pulse import days, lake
from pulse.observe import count, logger
from pulse.settings import BuildSettings
from pulse.store.catalog import Catalog
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects

KEEP = timedelta(days=1)


@dataclass(frozen=True)
class Housekeep:
    """The stage; `run` is the whole job."""

    objects: Objects
    ledger: Ledger
    catalog: Catalog

    @classmethod
    def from_settings(cls, settings: BuildSettings) -> Self:
        """The stage over the stack that the settings name."""
        return cls(
            objects=Objects(settings.lake_bucket),
            ledger=Ledger(settings.table),
            catalog=Catalog(settings.database),
        )

    def run(self) -> tuple[str, ...]:
        """Remove every run older than a day that no partition and no claim names.

        Afterwards their prefixes are empty; they are returned. Safe at any time and twice.
        """
        removed = []
        for dataset in lake.DATASETS:
            named = self._named(dataset)
            for prefix, run in self._old_runs(dataset):
                if run not in named:
                    self.objects.delete_all(prefix)
                    removed.append(prefix)
        logger.info("housekeeping done", extra={"removed": len(removed)})
        count("RunsRemoved", len(removed))
        return tuple(removed)

    def _named(self, dataset: lake.Dataset) -> set[str]:
        partitions = self.catalog.partitions(dataset.daily_table).values()
        entries = self.ledger.entries(dataset.stream).values()
        return {p.run for p in partitions} | {e.claimed_run for e in entries}

    def _old_runs(self, dataset: lake.Dataset) -> Iterator[tuple[str, str]]:
        """(prefix, run) of each run that is old enough, of both builders."""
        for root in (dataset.daily_prefix, lake.staging_root(dataset)):
            for prefix in self.objects.folders(root):
                run = prefix.removeprefix(f"{root}run=").rstrip("/")
                if days.now() - lake.ulid_time(run) >= KEEP:
                    yield prefix, run
