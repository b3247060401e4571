"""build_daily: every day whose events changed since it was built is built again, whole.

What is to be built follows from the state: the ledger counts the changes of each day, and the
day's Glue partition says which count it was built from. A build writes a new run, checks it, and
then points the partitions at it; whoever reads sees the old day or the new one. Before that it
gives build_reports notice of these days. Days and partitions are read once a run, and not at all
while nothing has changed (decision 0049).

Answers are counted once more by what their customers went through, which takes answers and
interactions together (daily/experience.py); and so are their comments kept (daily/comments.py).

A statement that fails because of the rows it reads is halved until the day is found whose they are;
all other days are built, and the ledger remembers the day and the reason (decision 0032).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from pulse import days, lake
from pulse.daily import experience
from pulse.daily.comments import KeepComments
from pulse.daily.counts import by_day, passed_over, wrong_counts
from pulse.daily.portions import portions_due
from pulse.daily.standing import is_up_to_date, stand_for_builder
from pulse.daily.statement_days import day_parameters
from pulse.daily.work import Parameters, TableDays
from pulse.days import DateRange, Remaining
from pulse.errors import (
    AthenaError,
    BuildCheckError,
    CatalogError,
    PulseError,
    raise_collected,
)
from pulse.observe import count, logger
from pulse.settings import BuildDailySettings
from pulse.sql import statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.changes import Stand
from pulse.store.events import Events
from pulse.store.ledger import Entry, Ledger
from pulse.store.notices import Notices
from pulse.store.objects import Objects
from pulse.unbuilt import Unbuilt

Progress = Callable[[str, int, int], None]
"""Is told a stream or table, how many of its days are done, and of how many."""


def _no_progress(stream: str, done: int, total: int) -> None:
    """Nobody wants to know."""


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
    notices: Notices
    public_values: int
    """At most so many values from public keys are kept apart by dimension, tenant and day."""
    link_days: int
    """An answer's interaction entered at most so many days before it."""

    @classmethod
    def from_settings(cls, settings: BuildDailySettings) -> Self:
        """The stage over the stack that the settings name."""
        return cls(
            objects=Objects(settings.lake_bucket),
            ledger=Ledger(settings.table),
            catalog=Catalog(settings.database),
            athena=Athena(settings.database, settings.workgroup),
            events=Events(settings.event_source),
            notices=Notices(settings.table),
            public_values=settings.most_public_values,
            link_days=settings.most_link_days,
        )

    def run(
        self,
        start: date | None = None,
        end: date | None = None,
        *,
        remaining_s: Remaining,
        wake: bool = True,
        impatient: bool = False,
        whole: bool = False,
        progress: Progress = _no_progress,
    ) -> DailyResult:
        """Build the days that changed; given a start or an end, all days with events between.

        A day that raw no longer keeps stays as it was built last. Days that are known to fail are
        tried again from time to time, or now if `impatient`; the ledger says which they are. A
        stream of which nothing has changed since a builder looked is passed over, unless the run
        is `impatient` or is to look at the `whole`. `progress` is told of each table that has days
        to build how many are done and how many there are.

        Afterwards every day built is published whole, and the next builder is woken (or this one
        again, if time ran short) unless `wake` is false: for a caller that goes on by itself.
        Raises AthenaError, BuildCheckError or CatalogError, with the days that it is about as they
        were; the others have been built.
        """
        tables: list[TableDays] = []
        looked_us = days.now_us()  # before anything is read: what is stored later may be missed
        stands = self.ledger.changes.stands()
        look = bool(start or end or impatient or whole)
        settled: list[Stand] = []
        for dataset in lake.DAILY_TABLES:
            stand = stand_for_builder(dataset, stands, self.link_days)
            if stand.is_settled and not look:
                settled.append(stand)
                continue
            table = self._table(dataset, stand, start, end, impatient)
            self._build_all(table, remaining_s, progress)
            tables.append(table)
        sums_finished = all(table.finished for table in tables)
        # behind all sums, which do not wait for them
        unkept = self._keep_comments(tables, start, end, remaining_s)
        built = {day for table in tables for day in table.built}
        failures = [failure for table in tables for failure in table.failures]
        failures += [unkept] if unkept else []
        finished = all(table.finished for table in tables)
        # A run that builds nothing must not wake itself again and again.
        again = not finished and (built or not failures)
        for table in tables:
            notes = self._note(table, over=not again)
            settled_now = self._end(table, notes, looked_us)
            if settled_now and table.dataset is lake.EXPERIENCE:
                for name in experience.former_names(stands, self.link_days):
                    self.ledger.changes.forget(name)
        failing = sum(t.failing for t in tables) + sum(stand.failing for stand in settled)
        if wake and (not again or (built and sums_finished)):
            self.events.announce("daily built")  # reports do not wait for comments either
        if wake and again:
            self.events.announce("daily unfinished")
        logger.info(
            "daily built",
            extra={"days": len(built), "finished": finished, "failing": failing},
        )
        count("DaysBuilt", len(built))
        count("DaysFailing", failing)
        raise_collected(failures)
        return DailyResult(tuple(sorted(built)), finished)

    def _table(
        self,
        dataset: lake.DailyTable,
        before: Stand,
        start: date | None,
        end: date | None,
        impatient: bool,
    ) -> TableDays:
        """The days of a table that are to be built, in portions of one statement each."""
        as_of_us = days.now_us()
        parameters: Parameters = day_parameters
        if isinstance(dataset, lake.Dataset):
            source, stream = dataset, dataset.stream
            entries = self.ledger.entries(stream)
        else:
            source, stream = lake.SCORES, experience.ledger_name(self.link_days)
            entries, parameters = self._linked(stream)
        due = self._due(dataset, entries, start, end)
        is_whole = not (start or end)
        changed = due if is_whole else self._due(dataset, entries, None, None)
        return TableDays(
            dataset=dataset,
            source=source,
            stream=stream,
            before=before,
            as_of_us=as_of_us,
            entries=entries,
            due=due,
            portions=portions_due(entries, due, every=bool(start or end or impatient)),
            is_whole=is_whole,
            passes_over=not {*changed} <= {*due},
            parameters=parameters,
        )

    def _linked(self, name: str) -> tuple[Mapping[date, Entry], Parameters]:
        """The days of the table of experience, and what its statement asks for."""
        responses, interactions = (self.ledger.entries(one) for one in experience.SOURCES)
        built = self.ledger.entries(name)

        def parameters(answered: Sequence[date]) -> dict[str, Any]:
            links = experience.link_parameters(answered, interactions, self.link_days)
            return day_parameters(answered) | links

        entries = experience.entries_of_experience(
            built,
            responses,
            interactions,
            self.link_days,
            published=self.catalog.partitions(lake.EXPERIENCE.daily_table) if interactions else (),
        )
        return entries, parameters

    def _due(
        self,
        dataset: lake.DailyTable,
        entries: Mapping[date, Entry],
        start: date | None,
        end: date | None,
    ) -> list[date]:
        """The days to build, in order."""
        entries = {day: entry for day, entry in entries.items() if not entry.expired}
        if start or end:
            return sorted(d for d in entries if (start or d) <= d <= (end or d))
        published = self.catalog.partitions(dataset.daily_table) if entries else {}
        return sorted(
            day
            for day, entry in entries.items()
            if day not in published or not is_up_to_date(dataset, published[day], entry)
        )

    def _build_all(self, table: TableDays, remaining_s: Remaining, progress: Progress) -> None:
        """Build as many of the table's days as time allows."""
        total = len(table.left)
        while table.portions:
            progress(table.title, total - len(table.left), total)
            if remaining_s() < RESERVE_S:
                table.stop()
                return
            if table.is_hopeless:
                table.give_up()
                return
            days = table.portions.popleft()
            try:
                wrong = self._build(table, [table.entries[d] for d in days], remaining_s)
            except (AthenaError, CatalogError) as error:
                table.note(days, error)
            else:
                table.failed.update(wrong)
                table.built.update(day for day in days if day not in wrong)
        if total:
            progress(table.title, total, total)

    def _keep_comments(
        self,
        tables: Sequence[TableDays],
        start: date | None,
        end: date | None,
        remaining_s: Remaining,
    ) -> PulseError | None:
        """Keep the comments of the days as they are built; given a start or an end, of all between.

        They are made of answers and interactions, as the table of experience. Returns why some
        could not be kept.
        """
        theirs = [one for one in tables if one.dataset in (lake.SCORES, lake.EXPERIENCE)]
        if not theirs:
            return None
        again = DateRange(start or date.min, end or date.max) if start or end else None
        keep = KeepComments(self.objects, self.ledger, self.athena, self.link_days)
        failure: PulseError | None = None
        finished, passed_over = True, False
        try:
            finished, passed_over = keep.run(again=again, remaining_s=remaining_s)
        except PulseError as error:  # whatever it is, the sums are built
            failure = error
        for table in theirs:
            table.finished = table.finished and finished
            table.has_comments = not (failure or passed_over)
        return failure

    def _note(self, table: TableDays, *, over: bool) -> Mapping[date, Unbuilt]:
        """Note in the ledger which days could not be built and why; returns what was noted.

        `over`: no other run is woken for the days that were not reached.
        """
        notes = table.notes(over=over)
        stream = table.stream
        for day, note in notes.items():
            before = table.entries[day].unbuilt
            self.ledger.note_unbuilt(stream, day, note, before=before)
            if note.failing:
                fields = {"stream": stream, "day": str(day), "error": note.reason}
                logger.error("day cannot be built", extra=fields)
        return notes

    def _end(self, table: TableDays, notes: Mapping[date, Unbuilt], looked_us: int) -> bool:
        """Say in the ledger what this run has found, so that the next one may pass over it.

        What was stored before `looked_us` it has built, where it has left nothing but days that
        cannot be built: whether that is so is returned.
        """
        settled = table.settle(notes, looked_us)
        self.ledger.changes.end(
            table.stream,
            table.name,
            table.before,
            published=table.is_publishing or bool(notes),
            failing=table.failing,
            unbuilt=table.unbuilt,
            partial=table.passes_over or not table.finished,
            settled=settled,
        )
        return settled is not None

    def _build(
        self, table: TableDays, entries: Sequence[Entry], remaining_s: Remaining
    ) -> dict[date, BuildCheckError]:
        """Build some days in one run, check it, and publish it day by day.

        Returns the days whose result contradicts the events, with the error. They are not
        published.
        """
        dataset, source, run = table.dataset, table.source, lake.ulid()
        wanted = [entry.day for entry in entries]
        days = day_parameters(wanted)
        prefix = lake.run_prefix(dataset, run)

        def counts(check: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
            sql = statement("checks", check)
            return self.athena.rows(sql, params, remaining_s=remaining_s)

        in_raw = counts(f"{source.name}_in_raw", days)
        before = by_day(in_raw)
        # ranking values takes four times as long, and there is hardly ever one too many
        folds = dataset is lake.SCORES and any(
            int(row["public_values"]) > self.public_values for row in in_raw
        )
        self.athena.unload(
            statement("daily", f"{dataset.name}_folded" if folds else dataset.name),
            table.parameters(wanted) | {"public_values": self.public_values},
            target=f"s3://{self.objects.bucket}/{prefix}",
            partition="dt",
            remaining_s=remaining_s,
        )
        span = {name: days[name] for name in ("first_day", "last_day")}
        found = counts(f"{dataset.name}_in_run", {"run": run} | span)
        built = by_day(found)
        # events only ever come: where the run has as many as there were, none of them is missing
        after = before if built == before else by_day(counts(f"{source.name}_in_raw", days))
        wrong = wrong_counts(before, built, after)
        for entry in entries:
            if entry.day not in wrong and not built.get(entry.day.isoformat()):
                wrong |= passed_over(self.objects, source, entry.day)
        self._publish(
            table,
            [
                Partition(entry.day, run, entry.version, built.get(entry.day.isoformat(), 0))
                for entry in entries
                if entry.day not in wrong
            ],
        )
        count("AnswersFolded", sum(int(row.get("folded", 0)) for row in found))
        return wrong

    def _publish(self, table: TableDays, partitions: Sequence[Partition]) -> None:
        """Point the days at the run, but for those that a run of a newer version speaks for.

        Glue has no conditional update. So the run claims each day in the ledger first, and looks
        again after it has written: if another run has claimed a day meanwhile, the partition is
        left to be what that claim says, whichever of the two wrote last.
        """
        dataset, stream = table.dataset, table.stream
        if partitions and not table.is_publishing:
            self.ledger.changes.begin(stream, table.name)
            table.is_publishing = True
        due = [partition for partition in partitions if self._claim(stream, partition)]
        if not due:
            return
        notice = self.notices.give(dataset.name, {partition.day for partition in due})
        while due:
            self.catalog.point(dataset.daily_table, {p: self._location(dataset, p) for p in due})
            entries = self.ledger.entries(stream, due[0].day, due[-1].day)
            due = [
                Partition(p.day, entry.claimed_run, entry.claimed_version, entry.claimed_answers)
                for p in due
                if (entry := entries[p.day]).claimed_run != p.run
            ]
        self.notices.note_published(dataset.name, notice)

    def _location(self, dataset: lake.DailyTable, partition: Partition) -> str:
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
