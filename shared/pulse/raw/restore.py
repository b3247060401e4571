"""pulse restore raw: brings lost rows of raw back from older versions of its objects.

The bucket keeps replaced and deleted versions of objects for a week. A row counts as lost if an
older version holds it and no present object of its day does. Sources of compactions are older
versions too, but their rows are still in the day. Rows that were erased or purged are left out,
because tombstones cover them. So nobody has to know what happened and when, and a second run
changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Self

import pyarrow as pa

from pulse import lake
from pulse.raw import parquet
from pulse.raw.covered import uncovered
from pulse.settings import BuildSettings
from pulse.store.erasures import Erasures
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects, Version
from pulse.store.turns import InTurn

_Rows = set[tuple[int, str]]
"""Rows by the time of receipt and the hash of their contents."""


@dataclass(frozen=True)
class Restored:
    """An object that was restored, or would be: its key, and how many lost rows it brings."""

    stream: str
    day: date
    key: str
    rows: int


@dataclass(frozen=True)
class DayRestored:
    """What was restored of a stream's day."""

    objects: tuple[Restored, ...]
    unreadable: tuple[str, ...]
    """Keys of objects that cannot be read and that no older version can replace."""


@dataclass(frozen=True)
class RestoreRaw:
    """The stage, which `pulse restore raw` runs; `day` restores one day of a stream."""

    objects: Objects
    ledger: Ledger
    erasures: Erasures
    say: Callable[[str], None]
    pause: Callable[[float], None]

    @classmethod
    def from_settings(
        cls,
        settings: BuildSettings,
        say: Callable[[str], None],
        pause: Callable[[float], None],
    ) -> Self:
        """The stage over the stack that the settings name; it says what it waits for."""
        return cls(
            objects=Objects(settings.lake_bucket),
            ledger=Ledger(settings.table),
            erasures=Erasures(settings.table),
            say=say,
            pause=pause,
        )

    def day(self, dataset: lake.Dataset, day: date, *, dry: bool = False) -> DayRestored | None:
        """Bring back the rows that a day has lost; a dry run only says which.

        Returns None for a day that never had an event, or has expired. The day counts as changed
        even if nothing was lost, because an earlier run may have died before it counted the change;
        so the day is built again. Raises ValueError for an object of a newer version of Pulse.
        """
        stream = dataset.stream
        entry = self.ledger.entry(stream, day)
        if entry is None or entry.expired:
            return None
        if dry:
            return self._restore(dataset, day, dry=True)
        in_turn = InTurn(self.say, self.pause)
        with self.ledger.lease_in_turn(stream, day, "a restoration", in_turn):
            found = self._restore(dataset, day)
            self.ledger.add(stream, day, rewritten=True)
        return found

    def _restore(self, dataset: lake.Dataset, day: date, *, dry: bool = False) -> DayRestored:
        there, spoilt = self._standing(dataset, day)
        restored = []
        for version in self._older(dataset, day):
            rows = self._kept(dataset, day, version)
            if rows is None:
                continue
            lacking = _named(rows) - there
            if not lacking and version.key not in spoilt:
                continue
            etag = spoilt.pop(version.key, "")
            key = version.key if etag else lake.raw_key(dataset.stream, day, lake.ulid())
            if not dry:
                self._put(key, parquet.encode_table(rows if etag else _only(rows, lacking)), etag)
            there |= lacking
            restored.append(Restored(dataset.stream, day, key, len(lacking)))
        return DayRestored(tuple(restored), tuple(spoilt))

    def _standing(self, dataset: lake.Dataset, day: date) -> tuple[_Rows, dict[str, str]]:
        """The rows of the day's present objects; the ETags of those that cannot be read, by key."""
        there: _Rows = set()
        spoilt: dict[str, str] = {}
        for key, etag in self.objects.etags(lake.raw_prefix(dataset.stream, day)).items():
            rows = _read(dataset, self.objects.get(key))
            if rows is None:
                spoilt[key] = etag
            else:
                there |= _named(rows)
        return there, spoilt

    def _older(self, dataset: lake.Dataset, day: date) -> list[Version]:
        """Older versions, the newest first: a key's newest one is likely the most complete."""
        older = self.objects.older_versions(lake.raw_prefix(dataset.stream, day))
        return sorted(older, key=lambda version: version.stored, reverse=True)

    def _kept(self, dataset: lake.Dataset, day: date, version: Version) -> pa.Table | None:
        """The rows of a version without erased ones; None if it is gone or cannot be read.

        Tombstones are read after the version, because an erasure that runs at this moment does not
        search days that hold nothing of the person yet.
        """
        body = self.objects.get_version(version)
        rows = _read(dataset, body) if body is not None else None
        if rows is None:
            return None
        return uncovered(rows, dataset.stream, day, self.erasures.tombstones())

    def _put(self, key: str, body: bytes, spoilt: str) -> None:
        """Store the bytes over the unreadable object with the ETag `spoilt`, or as a new object.

        Raises ConflictError if the object has changed since.
        """
        if spoilt:
            self.objects.replace(key, body, etag=spoilt)
        else:
            self.objects.put(key, body)


def _read(dataset: lake.Dataset, body: bytes) -> pa.Table | None:
    """The rows of an object; None if it cannot be read.

    Raises ValueError if it has columns that this version does not know: it is readable, but newer.
    """
    try:
        return parquet.decode(body, dataset.raw_columns)
    except (pa.ArrowException, OSError):
        return None


def _named(rows: pa.Table) -> _Rows:
    return set(_names(rows))


def _only(rows: pa.Table, names: _Rows) -> pa.Table:
    """The rows whose names (see `_names`) are among these."""
    return rows.filter(pa.array([name in names for name in _names(rows)], pa.bool_()))


def _names(rows: pa.Table) -> list[tuple[int, str]]:
    """What identifies each row: when it was received, and the hash of its contents."""
    told = rows.select(["received_us", "content_hash"]).to_pylist()
    return [(row["received_us"], row["content_hash"]) for row in told]
