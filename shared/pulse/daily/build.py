"""build_daily: every day whose events changed since it was built is built again, whole.

What is to be built follows from the state: the ledger counts the changes of each day, and the
day's Glue partition says which count it was built from. A build writes a new run, checks it, and
then points the partitions at it; whoever reads sees the old day or the new one. Days and partitions
are read once a run, and not at all while nothing has changed (decision 0049).

Of answers the comments are kept, too, from the events as they were counted (comments/keep.py); and
they are counted once more by what their customers went through, which takes answers and
interactions together (daily/experience.py).

A statement that fails because of the rows it reads is halved until the day is found whose they are;
all other days are built, and the ledger remembers the day and the reason (decision 0032).
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Self

import pyarrow as pa

from pulse import days, lake
from pulse.comments.keep import KeepComments
from pulse.daily import experience
from pulse.days import Remaining
from pulse.errors import (
    AthenaError,
    BuildCheckError,
    CatalogError,
    PulseError,
    raise_collected,
)
from pulse.halving import Failures, halves, portions
from pulse.observe import count, logger
from pulse.raw import parquet
from pulse.settings import BuildDailySettings
from pulse.sql import statement
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.changes import Settled, Stand
from pulse.store.events import Events
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects
from pulse.streams.interactions import SYNCHRONOUS
from pulse.unbuilt import Unbuilt

MOST_RETRIES = 10
"""At most so many days that are known to fail are tried again in one run."""
_NO_TIME = "no time was left for it"

Parameters = Callable[[Sequence[date]], dict[str, Any]]
"""What a table's statement over some days asks for."""
Progress = Callable[[str, int, int], None]
"""Is told a stream or table, how many of its days are done, and of how many."""


def _no_progress(stream: str, done: int, total: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class DailyResult:
    """The days built, and whether none is left."""

    built: tuple[date, ...]
    finished: bool


@dataclass
class _Table(Failures[date]):
    """The days of one table in a run: what is built, what has failed, what is left."""

    dataset: lake.DailyTable
    source: lake.Dataset
    """Whose events the table counts."""
    stream: str
    """Under which name the ledger has the table's days."""
    before: Stand
    """How the stream stood before its days were read."""
    as_of_us: int
    """When its days were about to be read (UTC, microseconds)."""
    entries: Mapping[date, Entry]
    due: Sequence[date]
    """The days to build."""
    portions: deque[list[date]]
    """Those of them that are still to be built in this run, in portions of one statement each."""
    is_whole: bool
    """True where all days were looked at, rather than those of a range."""
    passes_over: bool
    """True where there are days outside of that range which have changed, too."""
    parameters: Parameters
    """What its statement over some days asks for."""
    name: str = field(default_factory=lake.ulid)
    """What the run is called while it is at work on this table."""
    is_publishing: bool = False
    """True once others have been told that this run is at work."""
    failing: int = 0
    """How many days of the table cannot be built."""
    built: set[date] = field(default_factory=set)
    halved: dict[date, tuple[int, PulseError]] = field(default_factory=dict)
    """The last statement over a day that failed: how many days it had, and why."""
    comments_failure: PulseError | None = None
    """Why the comments of some days could not be kept."""
    comments_passed_over: bool = False
    """True where comments of some days were left to a run that had read them later."""
    finished: bool = True
    """False where time ran out."""

    @property
    def title(self) -> str:
        """What people are told is built."""
        return self.source.stream if self.dataset is self.source else self.dataset.name

    @property
    def has_built(self) -> bool:
        """True once a day has been built."""
        return bool(self.built)

    def note(self, days: Sequence[date], error: PulseError) -> None:
        """Note that a statement over these days failed, or that its result is not in Glue.

        If the rows are to blame, each half of the days is to be tried by itself.
        """
        self.statements_failed += 1
        if not isinstance(error, AthenaError) or error.retryable:
            self.held_up.update(dict.fromkeys(days, error))
        elif len(days) == 1:
            self.failed[days[0]] = AthenaError(f"{days[0]}: {error}")
        else:
            self.halved.update(dict.fromkeys(days, (len(days), error)))
            self.portions.extendleft(reversed(halves(days)))

    def stop(self) -> None:
        """Note that time has run out. Days that were being halved are held up by their error."""
        self.finished = False
        for day in self.left:
            if day in self.halved:
                self.held_up[day] = self.halved[day][1]

    @property
    def left(self) -> list[date]:
        """The days that have neither been built nor failed by themselves."""
        return [day for days in self.portions for day in days]

    def give_up(self) -> None:
        """Note that the days left are held up by the last failure."""
        self.held_up.update(dict.fromkeys(self.left, self.failures[-1]))
        self.portions.clear()


@dataclass(frozen=True)
class BuildDaily:
    """The stage; `run` is the whole job, from a schedule, an event or a shell."""

    objects: Objects
    ledger: Ledger
    catalog: Catalog
    athena: Athena
    events: Events
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
        tables: list[_Table] = []
        looked_us = days.now_us()  # before anything is read: what is stored later may be missed
        stands = self.ledger.changes.stands()
        look = bool(start or end or impatient or whole)
        settled: list[Stand] = []
        for dataset in lake.DAILY_TABLES:
            stand = self._stand(dataset, stands)
            if stand.is_settled and not look:
                settled.append(stand)
                continue
            table = self._table(dataset, stand, start, end, impatient)
            self._build_all(table, remaining_s, progress)
            tables.append(table)
        sums_finished = all(table.finished for table in tables)
        for table in tables:  # behind all sums, which do not wait for them
            if table.dataset is lake.SCORES:
                self._keep_comments(table, again=bool(start or end), remaining_s=remaining_s)
        built = {day for table in tables for day in table.built}
        failures = [failure for table in tables for failure in table.failures]
        failures += [table.comments_failure for table in tables if table.comments_failure]
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

    def _stand(self, dataset: lake.DailyTable, stands: Mapping[str, Stand]) -> Stand:
        """How a table stands: that of experience has changed as often as what it is made of.

        No builder has looked at it as long as there is a record under another number of days:
        what is published may link over these.
        """
        if isinstance(dataset, lake.Dataset):
            return stands[dataset.stream]
        changes = sum(stands[stream].changes for stream in experience.SOURCES)
        own = stands.get(experience.ledger_name(self.link_days), Stand())
        if experience.former_names(stands, self.link_days):
            own = replace(own, seen=None)
        return replace(own, changes=changes)

    def _table(
        self,
        dataset: lake.DailyTable,
        before: Stand,
        start: date | None,
        end: date | None,
        impatient: bool,
    ) -> _Table:
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
        return _Table(
            dataset=dataset,
            source=source,
            stream=stream,
            before=before,
            as_of_us=as_of_us,
            entries=entries,
            due=due,
            portions=_portions(entries, due, every=bool(start or end or impatient)),
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
            if day not in published or not _shows(published[day], entry, dataset)
        )

    def _build_all(self, table: _Table, remaining_s: Remaining, progress: Progress) -> None:
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

    def _keep_comments(self, table: _Table, *, again: bool, remaining_s: Remaining) -> None:
        """Keep the comments of the days as they are built; if `again`, of all that were due."""
        keep = KeepComments(self.objects, self.ledger, self.athena)
        try:
            kept = keep.run(
                table.entries,
                table.as_of_us,
                built=table.built,
                again=table.due if again else (),
                remaining_s=remaining_s,
            )
        except PulseError as error:  # whatever it is, the sums are built
            table.comments_failure = error
        else:
            table.finished = table.finished and kept.finished
            table.comments_passed_over = kept.passed_over

    def _note(self, table: _Table, *, over: bool) -> Mapping[date, Unbuilt]:
        """Note in the ledger which days could not be built and why; returns what was noted.

        Days that were not reached are noted as waiting only if the run is `over`: otherwise another
        run is woken for them.
        """
        notes = {
            day: Unbuilt.failed(
                table.entries[day].version,
                error,
                before=table.entries[day].unbuilt,
                others_built=bool(table.built),
            )
            for day, error in table.failed.items()
        }
        left = table.left
        waiting: dict[date, object] = dict.fromkeys(left, _NO_TIME) if over else {}
        for day, reason in (waiting | table.held_up).items():
            entry = table.entries[day]
            among = table.halved[day][0] if day in left and day in table.halved else 0
            if entry.unbuilt is None or (among and among != entry.unbuilt.among):
                notes[day] = Unbuilt.waiting(entry.version, reason, among=among)
        stream = table.stream
        for day, note in notes.items():
            before = table.entries[day].unbuilt
            self.ledger.note_unbuilt(stream, day, note, before=before)
            if note.failing:
                fields = {"stream": stream, "day": str(day), "error": note.reason}
                logger.error("day cannot be built", extra=fields)
        return notes

    def _end(self, table: _Table, notes: Mapping[date, Unbuilt], looked_us: int) -> bool:
        """Say in the ledger what this run has found, so that the next one may pass over it.

        What was stored before `looked_us` it has built, where it has left nothing but days that
        cannot be built: whether that is so is returned.
        """
        noted = {
            day: note
            for day, entry in table.entries.items()
            if (note := notes.get(day, entry.unbuilt)) and not entry.expired
        }
        table.failing = sum(note.failing and day not in table.built for day, note in noted.items())
        waits = {day: noted.get(day) for day in table.due if day not in table.built}
        settled = None
        has_comments = not (table.comments_failure or table.comments_passed_over)
        is_whole = table.is_whole and table.finished and has_comments
        if is_whole and all(note and note.failing for note in waits.values()):
            moments = [
                note.due_us(table.entries[day].version) for day, note in waits.items() if note
            ]
            again_us = min(moments, default=None)
            settled = Settled(table.before.changes, looked_us, again_us)
        self.ledger.changes.end(
            table.stream,
            table.name,
            table.before,
            published=table.is_publishing or bool(notes),
            failing=table.failing,
            partial=table.passes_over or not table.finished,
            settled=settled,
        )
        return settled is not None

    def _build(
        self, table: _Table, entries: Sequence[Entry], remaining_s: Remaining
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
        before = _by_day(in_raw)
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
        built = _by_day(found)
        # events only ever come: where the run has as many as there were, none of them is missing
        after = before if built == before else _by_day(counts(f"{source.name}_in_raw", days))
        wrong = wrong_counts(before, built, after)
        for entry in entries:
            if entry.day not in wrong and not built.get(entry.day.isoformat()):
                wrong |= self._check_empty(source, entry.day)
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

    def _check_empty(self, dataset: lake.Dataset, day: date) -> dict[date, BuildCheckError]:
        """The day with an error, if raw may have rows of it and Athena finds none.

        Where it reads nothing at all, as from a table whose location is wrong, its own counts
        agree with each other.
        """
        for key, size in self.objects.sizes(lake.raw_prefix(dataset.stream, day)).items():
            if not size:
                continue  # Athena passes over it, too: a folder that somebody made in S3's console
            try:
                found = "has rows" if parquet.rows_in(self.objects.get(key)) else None
            except pa.ArrowException:
                found = "cannot be read"
            if found:
                text = f"{day}: Athena finds no events, where {key} {found}"
                return {day: BuildCheckError(text)}
        return {}

    def _publish(self, table: _Table, partitions: Sequence[Partition]) -> None:
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
        while due:
            self.catalog.point(dataset.daily_table, {p: self._location(dataset, p) for p in due})
            entries = self.ledger.entries(stream, due[0].day, due[-1].day)
            due = [
                Partition(p.day, entry.claimed_run, entry.claimed_version, entry.claimed_answers)
                for p in due
                if (entry := entries[p.day]).claimed_run != p.run
            ]

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


def _shows(partition: Partition, entry: Entry, dataset: lake.DailyTable) -> bool:
    """Is what is published of a day what its version comes to?"""
    if isinstance(dataset, lake.Dataset):
        return partition.version == entry.version
    return experience.shows(partition, entry)


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


def _by_day(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {row["dt"]: int(row["events"]) for row in rows}


def wrong_counts(
    before: Mapping[str, int], built: Mapping[str, int], after: Mapping[str, int]
) -> dict[date, BuildCheckError]:
    """The days whose counts differ from what raw held while they were built, with the errors.

    Events only ever come: what was there before the statement must be in the result, and what
    was not there after it must not.
    """
    wrong: dict[date, BuildCheckError] = {}
    for day in sorted({*before, *built, *after}):
        low, found, high = (counts.get(day, 0) for counts in (before, built, after))
        if not low <= found <= high:
            wrong[date.fromisoformat(day)] = BuildCheckError(
                f"{day}: {found} events built, where raw held {low} before and {high} after"
            )
    return wrong


def _portions(
    entries: Mapping[date, Entry], due: Sequence[date], *, every: bool
) -> deque[list[date]]:
    """The days that are to be built now, in portions of one statement each.

    Days whose own statement failed come last, each alone, so that they hold up nothing; and only
    those whose time has come, unless `every` one is wanted.
    """
    sound = [day for day in due if entries[day].unbuilt is None]
    waiting = {day: note for day in due if (note := entries[day].unbuilt) and not note.alone}
    suspects = [day for day in due if _is_suspect(entries[day])]
    if not every:
        suspects = _to_be_tried(suspects, entries)
    halves = _halves({day: note.among for day, note in waiting.items()})
    return deque([*batches(sound), *halves, *([day] for day in suspects)])


def _halves(among: Mapping[date, int]) -> Iterator[list[date]]:
    """The days of failed statements (`among`: over how many days), in portions of half as many.

    So a run goes on where the run before had no time left to find the day at fault.
    """
    for size in sorted(set(among.values())):
        days = sorted(day for day, number in among.items() if number == size)
        for batch in batches(days):
            yield from portions(batch, size) if size else [batch]


def _is_suspect(entry: Entry) -> bool:
    """Has a statement over only this day failed?"""
    return entry.unbuilt is not None and entry.unbuilt.alone


def _to_be_tried(suspects: Sequence[date], entries: Mapping[date, Entry]) -> list[date]:
    """The suspects that are to be tried now, the longest untried first."""
    known = {day: note for day in suspects if (note := entries[day].unbuilt)}
    due = [day for day, note in known.items() if note.is_due(entries[day].version)]
    return sorted(due, key=lambda day: known[day].tried_us)[:MOST_RETRIES]


def day_parameters(days: Sequence[date]) -> dict[str, Any]:
    """What the statements over days ask for: the first, the last, and each of them, as text.

    Those over interactions ask for the media besides that are synchronous as a rule.
    """
    texts = [day.isoformat() for day in days]
    span = {"first_day": texts[0], "last_day": texts[-1], "days": texts}
    return span | {"synchronous": list(SYNCHRONOUS)}
