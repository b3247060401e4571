"""compact_raw: joins the many small objects of a past day into few, each sorted by tenant.

write_raw makes an object for each stream, day and minute, so that a statement over a year would
open half a million. The ledger says which days are due: those older than OPEN_WINDOW with enough
objects that no compaction has read. Nothing is deleted here, and the ledger's version stays as it
is. For a day raw holds the rows twice; readers count an event once, and then housekeep removes the
sources.
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
"""Younger days are not compacted: most late events are still to come."""
LEAST_OBJECTS = 8
"""A day with fewer new objects is not compacted."""
LARGE = 16 << 20
"""An object of so many bytes stays as it is: it takes far longer to read than to open."""

MOST_ROWS = 1_000_000
MOST_BYTES = 256 << 20
"""A compacted object ends when it has this many rows, or this many bytes in memory."""
FETCHED_BYTES = 64 << 20
"""The most bytes of objects that are fetched together."""
AT_ONCE = 16

RESERVE_S = 180.0
"""With less time left no object is begun: the next invocation goes on."""

InTime = Callable[[], bool]
"""True while there is time to begin another object."""


@dataclass(frozen=True)
class CompactResult:
    """The days that were compacted, as (stream, day), and whether none is left."""

    compacted: tuple[tuple[str, date], ...]
    finished: bool


@dataclass(frozen=True)
class _Chunk:
    """The rows of one new object, and the keys of the objects that they come from."""

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
        client("s3")  # made before there are threads: botocore cannot make one in two at once
        objects = Objects(settings.lake_bucket)
        return cls(
            objects=objects,
            ledger=Ledger(settings.table),
            compactions=Compactions(objects),
            erasures=Erasures(settings.table),
            events=Events(settings.event_source),
        )

    def run(self, *, remaining_s: Remaining) -> CompactResult:
        """Compact every day that is due; one that another process rewrites waits for the next run.

        Afterwards raw holds the same events as before. If the time does not suffice, the function
        invokes itself to go on. Raises BuildCheckError with the days that could not be compacted,
        which are unchanged; all others have been compacted.
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
        if compacted and not finished:  # what only ever fails must not go on for ever
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
        """Compact one day; False if it has nothing to compact, or another process rewrites it."""
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
            if is_whole:  # up to entry.version: later objects may be missing from the compaction
                self.ledger.note_compacted(dataset.stream, entry.day, entry.version)
            return bool(made.sources)

    @contextmanager
    def _lease(self, stream: str, day: date, remaining_s: Remaining) -> Iterator[InTime | None]:
        """Within the block no other process rewrites the day; yields None if another one does."""
        with self.ledger.lease(stream, day, "a compaction") as until_us:
            if until_us is None:
                yield None
                return
            last_us = until_us - int(RESERVE_S) * days.SECOND
            yield lambda: remaining_s() >= RESERVE_S and days.now_us() < last_us

    def _undo(self, earlier: Sequence[Compaction]) -> None:
        """Mark the objects of compactions that died as replaced: their sources are still there.

        Their process held the lease and lost it, so it is dead. Once none of their manifests is
        left, the day is due again.
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
        """Write the rows of the small objects into few; return the compaction, ready to publish.

        Its objects hold all rows of its sources except those of erased people. The second value
        says whether the time sufficed for all small objects.
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
                continue  # the result would be the same object again
            key = lake.raw_key(dataset.stream, day, lake.ulid())
            made = replace(made, objects=(*made.objects, key))
            self.compactions.put(replace(made, sources=()))
            self._put(dataset, key, uncovered(chunk.rows, dataset.stream, day, tombstones))
            made = replace(made, sources=(*made.sources, *chunk.keys))
        return replace(made, finished_us=days.now_us()), is_whole

    def _chunks(self, dataset: lake.Dataset, small: Mapping[str, int]) -> Iterator[_Chunk]:
        """The rows of the objects in order; a chunk ends once it has MOST_ROWS or MOST_BYTES."""
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
        """Store the rows, sorted. Raises BuildCheckError unless S3 returns exactly these rows.

        The object is read back, put into the order of `rows`, and compared with them value by
        value. So neither sorting nor writing can lose, double or change a row unnoticed.
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
        # without the error's text and trace, which could quote an event
        raise BuildCheckError(f"{key} cannot be read: {type(error).__name__}") from None


def _joined(keys: Sequence[str], tables: Sequence[pa.Table]) -> pa.Table:
    try:
        return parquet.joined(tables)
    except pa.ArrowException as error:
        text = f"{keys[0]} to {keys[-1]} do not fit together: {type(error).__name__}"
        raise BuildCheckError(text) from None


def portions(sizes: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """The keys in order, in portions of at most `most` bytes; a larger object is one of its own."""
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
