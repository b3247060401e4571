"""build_daily: every day whose events changed since it was built is built again, whole.

What is to be built follows from the state: the ledger counts the changes of each day, and the
day's Glue partition says which count it was built from. A build writes a new run, checks it, and
then points the partitions at it; whoever reads sees the old day or the new one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from pulse import lake
from pulse.days import Remaining
from pulse.errors import (
    AthenaError,
    BuildCheckError,
    CatalogError,
    PulseError,
    raise_collected,
)
from pulse.observe import count, logger
from pulse.raw import parquet
from pulse.settings import BuildSettings
from pulse.sql import statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.events import Events
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects


@dataclass(frozen=True)
class DailyResult:
    """The days built, and whether none is left."""

    built: tuple[date, ...]
    finished: bool


@dataclass(frozen=True)
class BuildDaily:
    """The stage; `run` is the whole job, from a schedule, an event or a shell."""

    objects: Objects
    ledger: Ledger
    catalog: Catalog
    athena: Athena
    events: Events

    @classmethod
    def from_settings(cls, settings: BuildSettings) -> Self:
        """The stage over the stack that the settings name."""
        return cls(
            objects=Objects(settings.lake_bucket),
            ledger=Ledger(settings.table),
            catalog=Catalog(settings.database),
            athena=Athena(settings.database, settings.workgroup),
            events=Events(settings.event_source),
        )

    def run(
        self,
        start: date | None = None,
        end: date | None = None,
        *,
        remaining_s: Remaining,
        wake: bool = True,
    ) -> DailyResult:
        """Build the days that changed; given a start or an end, all days with events between.

        A day that raw no longer keeps stays as it was built last.

        Afterwards every day built is published whole, and the next builder is woken (or this one
        again, if time ran short) unless `wake` is false: for a caller that goes on by itself.
        Raises AthenaError, BuildCheckError or CatalogError, with the days that it is about as they
        were; the others have been built.
        """
        built: set[date] = set()
        failures: list[PulseError] = []
        finished = True
        for dataset, entries in self._work(start, end):
            if remaining_s() < RESERVE_S:
                finished = False
                break
            try:
                self._build(dataset, entries, remaining_s)
            except (AthenaError, BuildCheckError, CatalogError) as error:
                failures.append(error)
            else:
                built.update(entry.day for entry in entries)
        if wake:
            # What only ever fails must not go on waking itself.
            again = not finished and (built or not failures)
            self.events.announce("daily unfinished" if again else "daily built")
        logger.info("daily built", extra={"days": len(built), "finished": finished})
        count("DaysBuilt", len(built))
        raise_collected(failures)
        return DailyResult(tuple(sorted(built)), finished)

    def _work(
        self, start: date | None, end: date | None
    ) -> Iterator[tuple[lake.Dataset, list[Entry]]]:
        """What is to be built, in portions of one statement each."""
        for dataset in lake.DATASETS:
            entries = self.ledger.entries(dataset.stream)
            for group in batches(self._due(dataset, entries, start, end)):
                yield dataset, [entries[day] for day in group]

    def _due(
        self,
        dataset: lake.Dataset,
        entries: Mapping[date, Entry],
        start: date | None,
        end: date | None,
    ) -> list[date]:
        """The days to build, in order."""
        entries = {day: entry for day, entry in entries.items() if not entry.expired}
        if start or end:
            return sorted(d for d in entries if (start or d) <= d <= (end or d))
        published = self.catalog.partitions(dataset.daily_table)
        return sorted(
            day
            for day, entry in entries.items()
            if day not in published or published[day].version != entry.version
        )

    def _build(
        self, dataset: lake.Dataset, entries: Sequence[Entry], remaining_s: Remaining
    ) -> None:
        """Build some days in one run, check it, and publish it day by day."""
        run = lake.ulid()
        days = day_parameters([entry.day for entry in entries])
        prefix = lake.run_prefix(dataset, run)

        def events(check: str, params: Mapping[str, Any]) -> dict[str, int]:
            sql = statement("checks", f"{dataset.name}_in_{check}")
            rows = self.athena.rows(sql, params, remaining_s=remaining_s)
            return {row["dt"]: int(row["events"]) for row in rows}

        before = events("raw", days)
        self.athena.unload(
            statement("daily", dataset.name),
            days,
            target=f"s3://{self.objects.bucket}/{prefix}",
            partition="dt",
            remaining_s=remaining_s,
        )
        built = events("run", {"run": run} | {k: days[k] for k in ("first_day", "last_day")})
        # events only ever come: where the run has as many as there were, none of them is missing
        after = before if built == before else events("raw", days)
        check_counts(before, built, after)
        for entry in entries:
            if not built.get(entry.day.isoformat()):
                self._check_empty(dataset, entry.day)
        self._publish(
            dataset,
            [
                Partition(entry.day, run, entry.version, built.get(entry.day.isoformat(), 0))
                for entry in entries
            ],
        )

    def _check_empty(self, dataset: lake.Dataset, day: date) -> None:
        """Raise BuildCheckError if raw has rows of a day in which Athena finds none.

        Where it reads nothing at all, as from a table whose location is wrong, its own counts
        agree with each other.
        """
        for key in self.objects.keys(lake.raw_prefix(dataset.stream, day)):
            if parquet.rows_in(self.objects.get(key)):
                raise BuildCheckError(f"{day}: Athena finds no events, where {key} has rows")

    def _publish(self, dataset: lake.Dataset, partitions: Sequence[Partition]) -> None:
        """Point the days at the run, but for those that a run of a newer version speaks for.

        Glue has no conditional update. So the run claims each day in the ledger first, and looks
        again after it has written: if another run has claimed a day meanwhile, the partition is
        left to be what that claim says, whichever of the two wrote last.
        """
        stream = dataset.stream
        due = [partition for partition in partitions if self._claim(stream, partition)]
        while due:
            self.catalog.point(dataset.daily_table, {p: self._location(dataset, p) for p in due})
            entries = self.ledger.entries(stream)
            due = [
                Partition(p.day, entry.claimed_run, entry.claimed_version, entry.claimed_answers)
                for p in due
                if (entry := entries[p.day]).claimed_run != p.run
            ]

    def _location(self, dataset: lake.Dataset, partition: Partition) -> str:
        run = lake.run_prefix(dataset, partition.run)
        return f"s3://{self.objects.bucket}/{run}dt={partition.day}/"

    def _claim(self, stream: str, partition: Partition) -> bool:
        """Is it this run that speaks for the day from now on?"""
        return self.ledger.claim(
            stream,
            partition.day,
            version=partition.version,
            run=partition.run,
            answers=partition.answers,
        )


def batches(days: Sequence[date]) -> Iterator[list[date]]:
    """The days in order, cut so that no batch spans more days than one UNLOAD may write."""
    batch: list[date] = []
    for day in days:
        if batch and day - batch[0] >= timedelta(days=lake.PARTITION_LIMIT):
            yield batch
            batch = []
        batch.append(day)
    if batch:
        yield batch


def check_counts(
    before: Mapping[str, int], built: Mapping[str, int], after: Mapping[str, int]
) -> None:
    """Raise BuildCheckError unless each day counts what raw held while it was built.

    Events only ever come: what was there before the statement must be in the result, and what
    was not there after it must not.
    """
    for day in sorted({*before, *built, *after}):
        low, found, high = (counts.get(day, 0) for counts in (before, built, after))
        if not low <= found <= high:
            raise BuildCheckError(
                f"{day}: {found} events built, where raw held {low} before and {high} after"
            )


def day_parameters(days: Sequence[date]) -> dict[str, Any]:
    """What the statements over days ask for: the first, the last, and each of them, as text."""
    texts = [day.isoformat() for day in days]
    return {"first_day": texts[0], "last_day": texts[-1], "days": texts}
