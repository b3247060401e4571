"""housekeep: removes what nothing points at any more, and what the lake is told not to keep.

A run of build_daily that was replaced, or died before it was published, is removed a day later:
no reader that saw the old partition is still at work by then. So is the staging of build_reports,
and so are the sources of a compaction. Raw of a day beyond the retention goes once its events have
been counted: the day expires, so that nobody builds it again out of what is left, and then its
objects are deleted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Self

from pulse import days, lake
from pulse.days import Remaining
from pulse.observe import count, logger
from pulse.raw.retention import first_kept_day
from pulse.settings import HousekeepSettings
from pulse.store.catalog import Catalog
from pulse.store.compactions import Compaction, Compactions
from pulse.store.events import Events
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects

METRICS = ("RunsRemoved", "CompactionsEnded", "DaysExpired")
KEEP = timedelta(days=1)
RESERVE_S = 60.0
"""Nothing is begun with less time than this left: the rest is for a run of its own."""


@dataclass(frozen=True)
class HousekeepResult:
    """What was removed, by the keys and prefixes that stand for it, and whether that is all."""

    removed: tuple[str, ...]
    finished: bool


@dataclass(frozen=True)
class _Task:
    """One thing to remove."""

    name: str
    metric: str
    """What counts it."""
    remove: Callable[[], bool]
    """False where it has to wait."""


@dataclass(frozen=True)
class Housekeep:
    """The stage; `run` is the whole job."""

    objects: Objects
    ledger: Ledger
    catalog: Catalog
    compactions: Compactions
    events: Events
    retention_days: int

    @classmethod
    def from_settings(cls, settings: HousekeepSettings) -> Self:
        """The stage over the stack that the settings name."""
        objects = Objects(settings.lake_bucket)
        return cls(
            objects=objects,
            ledger=Ledger(settings.table),
            catalog=Catalog(settings.database),
            compactions=Compactions(objects),
            events=Events(settings.event_source),
            retention_days=settings.retention_days,
        )

    def run(self, *, remaining_s: Remaining) -> HousekeepResult:
        """Remove what may go. Safe at any time and twice.

        That is every run older than a day that no partition and no claim names, the sources of
        compactions that are over, and raw beyond the retention. Where time ran out the function is
        woken for the rest.
        """
        removed: list[str] = []
        counted = dict.fromkeys(METRICS, 0)
        finished = True
        for task in self._tasks():
            if remaining_s() < RESERVE_S:
                finished = False
                break
            if task.remove():
                removed.append(task.name)
                counted[task.metric] += 1
        for metric, number in counted.items():
            count(metric, number)
        if removed and not finished:
            self.events.announce("housekeeping unfinished")
        logger.info("housekeeping done", extra={"removed": len(removed), "finished": finished})
        return HousekeepResult(tuple(removed), finished)

    def _tasks(self) -> Iterator[_Task]:
        for dataset in lake.DATASETS:
            named = self._named(dataset)
            for prefix, run in self._old_runs(dataset):
                if run not in named:
                    yield _Task(prefix, "RunsRemoved", partial(self._remove_run, prefix))
        for compaction in self.compactions.all():
            if compaction.is_over:
                remove = partial(self._remove_sources, compaction)
                yield _Task(compaction.key, "CompactionsEnded", remove)
        for dataset in lake.DATASETS:
            for entry in self._out_of_date(dataset):
                prefix = lake.raw_prefix(dataset.stream, entry.day)
                yield _Task(prefix, "DaysExpired", partial(self._remove_day, dataset, entry))

    # -- runs

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

    def _remove_run(self, prefix: str) -> bool:
        self.objects.delete_all(prefix)
        return True

    # -- raw

    def _remove_sources(self, compaction: Compaction) -> bool:
        with self.ledger.lease(compaction.stream, compaction.day) as until_us:
            if until_us is None:
                return False
            self.compactions.remove_sources(compaction)
        return True

    def _out_of_date(self, dataset: lake.Dataset) -> Iterator[Entry]:
        """The days of which raw is to go: those that expired, and those that may.

        A day may that is older than the retention and built as it is now. What came after a day
        had expired is set aside elsewhere, and goes too.
        """
        first_kept = first_kept_day(self.retention_days)
        published = self.catalog.partitions(dataset.daily_table) if self.retention_days else {}
        for day, entry in sorted(self.ledger.entries(dataset.stream).items()):
            if entry.expired:
                if entry.removed_version != entry.version:
                    yield entry
            elif day < first_kept and day in published and published[day].version == entry.version:
                yield entry

    def _remove_day(self, dataset: lake.Dataset, entry: Entry) -> bool:
        stream, day = dataset.stream, entry.day
        with self.ledger.lease(stream, day) as until_us:
            if until_us is None or not (
                entry.expired or self.ledger.expire(stream, day, entry.version)
            ):
                return False
            self.objects.delete_all(lake.raw_prefix(stream, day))
            self.objects.delete_all(lake.compactions_prefix(stream, day))
            self.ledger.note_removed(stream, day, entry.version)
        return True
