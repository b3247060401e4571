"""housekeep: removes objects that nothing points at any more, and events beyond the retention.

A run of build_daily that was replaced on all its days, or died before it was published, is removed
a day later, when no reader that saw an old partition is still at work. It stays as long as rows of
reports may come from it. The staging of build_reports is removed after a day, and so are objects of
reports that no tenant's record names any more, and the sources of a compaction.

Since it reads which runs there are anyway, it gives build_reports notice of days that have changed
and of which nobody has given any (docs/decisions/0086).

A day of raw beyond the retention is removed once its events have been counted: first the day
expires, so that no run builds it again from what is left, then its objects are deleted. All objects
are deleted with their older versions, except those of a compaction's sources: these stay for the
week in which raw can be restored.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Self

from pulse import days, lake
from pulse.daily.experience import is_of_experience
from pulse.days import Remaining
from pulse.observe import count, logger
from pulse.retention import first_kept_day
from pulse.settings import HousekeepSettings
from pulse.store.catalog import Catalog, Partition
from pulse.store.compactions import Compaction, Compactions
from pulse.store.events import Events
from pulse.store.held import HeldRuns
from pulse.store.laid import LaidRows
from pulse.store.ledger import Entry, Ledger
from pulse.store.notices import Notices
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants

METRICS = ("RunsRemoved", "PartsRemoved", "CompactionsEnded", "DaysExpired")
KEEP = timedelta(days=1)
RESERVE_S = 60.0
"""With less time left nothing is begun: the next invocation goes on."""


@dataclass(frozen=True)
class HousekeepResult:
    """The keys and prefixes that were removed, and whether nothing is left to remove."""

    removed: tuple[str, ...]
    finished: bool


@dataclass(frozen=True)
class _Task:
    """One removal."""

    name: str
    metric: str
    """The metric in which it is counted."""
    remove: Callable[[], bool]
    """Removes it; returns False if it has to wait."""


@dataclass(frozen=True)
class Housekeep:
    """The stage; `run` removes everything that is due."""

    objects: Objects
    ledger: Ledger
    catalog: Catalog
    held: HeldRuns
    notices: Notices
    tenants: Tenants
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
            held=HeldRuns(settings.table),
            notices=Notices(settings.table),
            tenants=Tenants(settings.table),
            compactions=Compactions(objects),
            events=Events(settings.event_source),
            retention_days=settings.retention_days,
        )

    def run(self, *, remaining_s: Remaining) -> HousekeepResult:
        """Remove what may be removed; it is safe to run this at any time, and twice.

        These are runs that no partition, claim or report has named for a day, objects of reports
        that no record names, the sources of compactions that are over, and raw beyond the
        retention. If the time does not suffice, the function invokes itself to go on.
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
        for table in lake.DAILY_TABLES:
            partitions = self.catalog.partitions(table.daily_table)
            self._give_missing_notice(table, partitions)
            for prefix in self._idle_runs(table, partitions):
                yield _Task(prefix, "RunsRemoved", partial(self._remove_run, prefix))
        for dataset in lake.DAILY_TABLES:
            for prefix, keys in self._replaced_parts(dataset):
                yield _Task(prefix, "PartsRemoved", partial(self._remove_keys, keys))
            for prefix in self._replaced_layouts(dataset):
                yield _Task(prefix, "PartsRemoved", partial(self._remove_layout, prefix))
        for _, prefix in self._old_runs(lake.COMMENT_STAGING):
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

    def _give_missing_notice(
        self, table: lake.DailyTable, partitions: Mapping[date, Partition]
    ) -> None:
        """Give build_reports notice of the days that it has not built and does not know of.

        There are none as long as every builder gives notice of what it publishes.
        """
        noticed = {day for one in self.notices.read().get(table.name, ()) for day in one.days}
        runs = self.held.runs(table.name)
        missing = {day for day, one in partitions.items() if runs.get(day) != (one.run,)} - noticed
        if missing:
            self.notices.give(table.name, missing, published=True)
            logger.warning("days without notice", extra={"table": table.name, "days": len(missing)})

    def _idle_runs(
        self, table: lake.DailyTable, partitions: Mapping[date, Partition]
    ) -> Iterator[str]:
        """The prefix of each run of both builders that no reader can be reading any more.

        A run may have been published for weeks and replaced a minute ago. So not its own age
        counts, but that of the runs that its days point to now.
        """
        claims = {
            entry.claimed_run
            for name in self._names_in_ledger(table)
            for entry in self.ledger.entries(name).values()
        }
        now_at = {f"dt={day}": partition.run for day, partition in partitions.items()}
        held = self.held.runs(table.name).values()
        named = {*now_at.values(), *claims, *(run for runs in held for run in runs)}
        for run, prefix in self._old_runs(table.daily_prefix):
            if run not in named:
                folders = (found.split("/")[-2] for found in self.objects.folders(prefix))
                if all(_is_old(now_at[day]) for day in folders if day in now_at):
                    yield prefix
        for _, prefix in self._old_runs(lake.staging_root(table)):
            yield prefix

    def _names_in_ledger(self, table: lake.DailyTable) -> list[str]:
        """Under which names builders have claimed days of a table."""
        if isinstance(table, lake.Dataset):
            return [table.stream]
        return [name for name in self.ledger.changes.stands() if is_of_experience(name)]

    def _old_runs(self, root: str) -> Iterator[tuple[str, str]]:
        for prefix in self.objects.folders(root):
            run = prefix.removeprefix(f"{root}run=").rstrip("/")
            if _is_old(run):
                yield run, prefix

    def _remove_run(self, prefix: str) -> bool:
        # with all versions: two versions of a day could show the score of a small group
        self.objects.wipe(prefix)
        return True

    # -- reports

    def _replaced_parts(self, dataset: lake.DailyTable) -> Iterator[tuple[str, list[str]]]:
        """The objects of each part of a tenant's year that its record does not name, by prefix.

        A reader with an older record reads it again when it finds the objects gone. Parts of the
        last day are left out, because a build may be about to name them.
        """
        found: dict[str, list[str]] = defaultdict(list)
        for key in self.objects.keys(dataset.report_prefix):
            found[key.rpartition("/")[0] if "/run=" in key else key].append(key)
        if not found:
            return
        named = {
            lake.part_prefix(dataset, tenant.id, year, part.run).rstrip("/")
            if part.run
            else lake.part_key(dataset, tenant.id, year, "", "")
            for tenant in self.tenants.all()
            for year, state in tenant.table(dataset.name).years.items()
            for part in state.parts
        }
        for prefix, keys in found.items():
            run = prefix.rpartition("/run=")[2] if "/run=" in prefix else ""
            if prefix not in named and (not run or _is_old(run)):
                yield prefix, keys

    def _replaced_layouts(self, dataset: lake.DailyTable) -> Iterator[str]:
        """The prefix of each run of a large tenant's rows that its record does not name.

        Runs of the last day are left out, because a build may be about to name them.
        """
        laid = LaidRows(self.objects)
        found = sorted(laid.tenants(dataset))
        records = {tenant.id: tenant for tenant in self.tenants.all()} if found else {}
        for name in found:
            for run, prefix in laid.unnamed(dataset, name, records.get(name)):
                if _is_old(run):
                    yield prefix

    def _remove_layout(self, prefix: str) -> bool:
        LaidRows(self.objects).remove(prefix)
        return True

    def _remove_keys(self, keys: Collection[str]) -> bool:
        self.objects.wipe_keys(keys)
        return True

    # -- raw

    def _remove_sources(self, compaction: Compaction) -> bool:
        with self.ledger.lease(compaction.stream, compaction.day, "a compaction") as until_us:
            if until_us is None:
                return False
            self.compactions.remove_sources(compaction)
        return True

    def _out_of_date(self, dataset: lake.Dataset) -> Iterator[Entry]:
        """The days whose raw objects are to be removed: expired ones, and those that may expire.

        A day may expire if it is older than the retention and its present version is built. Events
        that came after a day had expired are in the quarantine; their objects are removed, too.
        """
        first_kept = first_kept_day(self.retention_days)
        entries = self.ledger.entries(dataset.stream)
        old = [day for day, entry in entries.items() if day < first_kept and not entry.expired]
        published = self.catalog.partitions(dataset.daily_table, old) if old else {}
        for day, entry in sorted(entries.items()):
            if entry.expired:
                if entry.removed_version != entry.version:
                    yield entry
            elif day in published and published[day].version == entry.version:
                yield entry

    def _remove_day(self, dataset: lake.Dataset, entry: Entry) -> bool:
        stream, day = dataset.stream, entry.day
        with self.ledger.lease(stream, day, "the end of its retention") as until_us:
            if until_us is None or not (
                entry.expired or self.ledger.expire(stream, day, entry.version)
            ):
                return False
            self.objects.wipe(lake.raw_prefix(stream, day))
            self.objects.wipe(lake.compactions_prefix(stream, day))
            self.ledger.note_removed(stream, day, entry.version)
        return True


def _is_old(run: str) -> bool:
    return days.now() - lake.ulid_time(run) >= KEEP
