"""compact_raw: the many small objects of a past day become few, each sorted by tenant.

write_raw makes an object a stream, day and minute; a statement over a year would open half a
million. What is to be done follows from the ledger: a day older than the open window with enough
objects that no compaction has seen. Nothing is deleted here and the ledger's version stays: for a
day the rows stand in raw twice, which no reader counts, and housekeep removes the sources then.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from pulse import days, lake
from pulse.days import Remaining
from pulse.errors import BuildCheckError, raise_collected
from pulse.observe import count, logger
from pulse.raw import parquet
from pulse.raw.covered import uncovered
from pulse.settings import CompactRawSettings
from pulse.store.clients import client
from pulse.store.compactions import Compaction, Compactions
from pulse.store.erasures import Erasures
from pulse.store.events import Events
from pulse.store.ledger import Entry, Ledger
from pulse.store.objects import Objects

OPEN_WINDOW = timedelta(days=7)
"""Younger days are left alone: most of what comes late still comes."""
LEAST_OBJECTS = 8
"""New objects from which on a day is worth the work."""
LARGE = 16 << 20
"""Bytes from which on an object stays as it is: opening it no longer weighs on reading it."""

MOST_ROWS = 1_000_000
MOST_BYTES = 256 << 20
"""In memory: a compacted object is closed when it has reached either."""
FETCHED_BYTES = 64 << 20
"""As they lie in the lake, of objects that are fetched together."""
AT_ONCE = 16

RESERVE_S = 180.0
"""No object is begun with less time than this left: the rest is for a run of its own."""

InTime = Callable[[], bool]
"""False once no further object may be begun."""


@dataclass(frozen=True)
class CompactResult:
    """The days that were compacted, as (stream, day), and whether none is left."""

    compacted: tuple[tuple[str, date], ...]
    finished: bool


@dataclass(frozen=True)
class _Chunk:
    """What becomes one object: the rows of these."""

    keys: tuple[str, ...]
    rows: pa.Table


@dataclass(frozen=True)
class CompactRaw:
    """The stage; `run` is the whole job, from a schedule, an event or a shell."""

    objects: Objects
    ledger: Ledger
    compactions: Compactions
    erasures: Erasures
    events: Events

    @classmethod
    def from_settings(cls, settings: CompactRawSettings) -> Self:
        """The stage over the stack that the settings name."""
        client("s3")  # here, because botocore cannot make it in two threads
        objects = Objects(settings.lake_bucket)
        return cls(
            objects=objects,
            ledger=Ledger(settings.table),
            compactions=Compactions(objects),
            erasures=Erasures(settings.table),
            events=Events(settings.event_source),
        )

    def run(self, *, remaining_s: Remaining) -> CompactResult:
        """Compact every day that is due; one that somebody else rewrites is left for the next run.

        Afterwards raw holds the same events as before, and where time ran out the function is
        woken for the rest. Raises BuildCheckError naming the days that could not be compacted,
        which are as they were; the others have been compacted.
        """
        compacted: list[tuple[str, date]] = []
        failures: list[BuildCheckError] = []
        finished = True
        for dataset, entry in self._due():
            if remaining_s() < RESERVE_S:
                finished = False
                break
            try:
                if self._compact(dataset, entry, remaining_s):
                    compacted.append((dataset.stream, entry.day))
            except BuildCheckError as error:
                failures.append(error)
        if compacted and not finished:  # what only ever fails must not go on waking itself
            self.events.announce("raw unfinished")
        logger.info("raw compacted", extra={"days": len(compacted), "finished": finished})
        count("DaysCompacted", len(compacted))
        raise_collected(failures)
        return CompactResult(tuple(compacted), finished)

    def _due(self) -> Iterator[tuple[lake.Dataset, Entry]]:
        """The days that are old enough and have enough new objects, by stream and in order."""
        opens = days.today("UTC") - OPEN_WINDOW
        for dataset in lake.DATASETS:
            for day, entry in sorted(self.ledger.entries(dataset.stream).items()):
                new = entry.version - entry.compacted_version
                if day < opens and new >= LEAST_OBJECTS and not entry.expired:
                    yield dataset, entry

    def _compact(self, dataset: lake.Dataset, entry: Entry, remaining_s: Remaining) -> bool:
        """Compact one day; False where there is nothing to do, or not yet."""
        with self._lease(dataset.stream, entry.day, remaining_s) as in_time:
            if in_time is None:
                return False
            earlier = self.compactions.of_day(dataset.stream, entry.day)
            if earlier:
                self._undo(earlier)
                return False
            found = self.objects.sizes(lake.raw_prefix(dataset.stream, entry.day))
            small = {key: size for key, size in found.items() if size < LARGE}
            made, is_whole = self._write(dataset, entry.day, small, in_time)
            if made.sources:
                self.compactions.put(made)
            if is_whole:  # what came after `entry` was read is not counted, and may not be in it
                self.ledger.note_compacted(dataset.stream, entry.day, entry.version)
            return bool(made.sources)

    @contextmanager
    def _lease(self, stream: str, day: date, remaining_s: Remaining) -> Iterator[InTime | None]:
        """Within the block nobody else rewrites the day; None where somebody else does."""
        with self.ledger.lease(stream, day) as until_us:
            if until_us is None:
                yield None
                return
            last_us = until_us - int(RESERVE_S) * days.SECOND
            yield lambda: remaining_s() >= RESERVE_S and days.now_us() < last_us

    def _undo(self, earlier: Sequence[Compaction]) -> None:
        """Let what a compaction had written that died be what has served: its sources still lie.

        Whoever held the lease is dead. The day itself is due again once no manifest is left.
        """
        for compaction in earlier:
            if compaction.finished_us is None:
                undone = replace(compaction, objects=(), sources=compaction.objects)
                self.compactions.put(replace(undone, finished_us=days.now_us()))

    # -- one day

    def _write(
        self,
        dataset: lake.Dataset,
        day: date,
        small: Mapping[str, int],
        in_time: InTime,
    ) -> tuple[Compaction, bool]:
        """Write the rows of the small objects into few; the compaction, and whether time sufficed.

        It is to be published: its objects hold all rows of its sources, but for those of people who
        have been erased.
        """
        made = Compaction(dataset.stream, day, lake.ulid())
        is_whole = False
        chunks = self._chunks(dataset, small)
        tombstones = self.erasures.tombstones()
        while in_time():
            chunk = next(chunks, None)
            if chunk is None:
                is_whole = True
                break
            if len(chunk.keys) == 1:
                continue  # alone it would become the same again
            key = lake.raw_key(dataset.stream, day, lake.ulid())
            made = replace(made, objects=(*made.objects, key))
            self.compactions.put(replace(made, sources=()))
            self._put(dataset, key, uncovered(chunk.rows, dataset.stream, day, tombstones))
            made = replace(made, sources=(*made.sources, *chunk.keys))
        return replace(made, finished_us=days.now_us()), is_whole

    def _chunks(self, dataset: lake.Dataset, small: Mapping[str, int]) -> Iterator[_Chunk]:
        """The rows of the objects in their order, cut where a compacted object is full."""
        keys: list[str] = []
        tables: list[pa.Table] = []
        rows = size = 0
        for key, table in self._tables(dataset, small):
            keys.append(key)
            tables.append(table)
            rows, size = rows + table.num_rows, size + table.nbytes
            if rows >= MOST_ROWS or size >= MOST_BYTES:
                yield _Chunk(tuple(keys), _joined(keys, tables))
                keys, tables, rows, size = [], [], 0, 0
        if keys:
            yield _Chunk(tuple(keys), _joined(keys, tables))

    def _tables(
        self, dataset: lake.Dataset, small: Mapping[str, int]
    ) -> Iterator[tuple[str, pa.Table]]:
        for keys in portions(small, FETCHED_BYTES):
            with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
                bodies = list(pool.map(self.objects.get, keys))
            for key, body in zip(keys, bodies, strict=True):
                yield key, _decode(key, body, dataset)

    def _put(self, dataset: lake.Dataset, key: str, rows: pa.Table) -> None:
        """Store the rows, sorted. Raises BuildCheckError unless S3 gives back just them.

        What comes back is brought into the order in which the rows came, and compared with them
        value by value: so neither sorting nor writing has lost, doubled or changed anything.
        """
        order = pc.sort_indices(rows, [(name, "ascending") for name in dataset.raw_order])
        self.objects.put(key, parquet.encode_table(rows.take(order)))
        stored = _decode(key, self.objects.get(key), dataset)
        if len(stored) != len(rows) or not stored.take(pc.sort_indices(order)).equals(rows):
            raise BuildCheckError(f"{key} does not hold the rows of its sources")


def _decode(key: str, body: bytes, dataset: lake.Dataset) -> pa.Table:
    try:
        return parquet.decode(body, dataset.raw_columns)
    except pa.ArrowException as error:
        # without the error's text and trace, which could quote what an event held
        raise BuildCheckError(f"{key} cannot be read: {type(error).__name__}") from None


def _joined(keys: Sequence[str], tables: Sequence[pa.Table]) -> pa.Table:
    try:
        return parquet.joined(tables)
    except pa.ArrowException as error:
        text = f"{keys[0]} to {keys[-1]} do not fit together: {type(error).__name__}"
        raise BuildCheckError(text) from None


def portions(sizes: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """The keys in order, cut so that no portion of several has more bytes than `most`."""
    portion: list[str] = []
    taken = 0
    for key, size in sizes.items():
        if portion and taken + size > most:
            yield portion
            portion, taken = [], 0
        portion.append(key)
        taken += size
    if portion:
        yield portion
