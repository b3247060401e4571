"""Writes the objects of a tenant's year: changed days join its newest parts, as parts.py plans it.

Objects are put under the name of a new run and change nothing yet: what a reader finds is decided
by the tenant's record, which the caller changes afterwards.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pulse import lake
from pulse.reports import reading, rollups, tenant_year
from pulse.reports.rollups import ROLLUPS
from pulse.store.objects import Objects
from pulse.tenant_years import parts
from pulse.tenants.tenant import BOTS, CUBE, Part, YearState

SMALL = 2**20
"""A part whose cube has fewer bytes has no roll-up but the cube, which is read in the time that a
GET takes."""


@dataclass(frozen=True)
class Change:
    """What has changed of a tenant's year in one table."""

    days: frozenset[date]
    """The days whose rows have changed."""
    rows: pa.Table
    """All rows that these days have now, with the columns of the cube."""
    run: str
    """The name of what is written, a ULID of its own."""
    as_of_us: int
    """When the catalogue was read that names the rows (UTC, microseconds)."""


@dataclass(frozen=True)
class WriteResult:
    """The state that makes what was put visible, and what it took."""

    state: YearState
    folded: int
    """How many older parts were joined with what has changed."""
    size: int
    """The bytes put."""


@dataclass(frozen=True)
class Visible:
    """A part and those of its days whose rows count."""

    part: Part
    days: frozenset[date]

    @property
    def level(self) -> parts.Level:
        """The part as parts.fold weighs it: its visible days and roughly their bytes."""
        held = len(self.part.days) or 1
        size = self.part.sizes.get(CUBE, 0) * len(self.days) / held
        return parts.Level(self.days, size, self.part.carried)


@dataclass(frozen=True)
class YearWriter:
    """Puts the objects of parts into the lake."""

    objects: Objects

    def write(
        self,
        dataset: lake.DailyTable,
        tenant: str,
        year: int,
        before: YearState | None,
        change: Change,
        *,
        published: Collection[date],
    ) -> WriteResult:
        """Put what has changed, together with as many older parts as parts.fold says.

        `published` are the days of the year that the daily table has. Raises GoneError where a
        part's object is gone: as a rule the tenant's record names another part by now.
        """
        visible = list(visible_parts(before, change.days, published))
        cube = tenant_year.encode(dataset, ROLLUPS[dataset.name][0], change.rows)
        levels = [one.level for one in visible]
        fold = parts.fold(levels, parts.Level(change.days, len(cube)))
        if (before and _first_day_goes(before, change)) or any(
            rolls_bots_up(dataset, one.part) for one in visible
        ):
            fold = parts.Fold(len(visible), 0)
        return self._put(dataset, tenant, year, before, change, visible, fold, cube)

    def fold(
        self, dataset: lake.DailyTable, tenant: str, year: int, before: YearState
    ) -> WriteResult:
        """Make one part of all that a year has. Its rows stay as they are.

        Raises GoneError where an object is gone.
        """
        empty = tenant_year.schema(dataset, ROLLUPS[dataset.name][0]).empty_table()
        change = Change(frozenset(), empty, lake.ulid(), before.as_of_us)
        every = frozenset(day for part in before.parts for day in part.days)
        visible = list(visible_parts(before, frozenset(), every))
        fold = parts.Fold(len(visible), 0)
        written = self._put(dataset, tenant, year, before, change, visible, fold)
        state = replace(written.state, content=before.content, first_day=before.first_day)
        return replace(written, state=state)

    def _put(
        self,
        dataset: lake.DailyTable,
        tenant: str,
        year: int,
        before: YearState | None,
        change: Change,
        visible: Sequence[Visible],
        fold: parts.Fold,
        cube: bytes = b"",
    ) -> WriteResult:
        """Put one part of the change and the newest visible parts that the fold joins with it.

        `cube` is the object of the rows that have changed, if it is made already.
        """
        joined, left = visible[: fold.parts], visible[fold.parts :]
        cube_of = partial(reading.rows_of_part, self.objects, dataset, tenant, year)
        older = [(one.days, cube_of(one.part, ROLLUPS[dataset.name][0])) for one in joined]
        rows = tenant_year.merge([(change.days, change.rows), *older])
        days = change.days.union(*(one.days for one in joined))
        made = [one.part for one in left]
        size = 0
        if len(rows) or left:
            sizes = self._put_rows(
                dataset, tenant, year, change.run, days, rows, cube if not joined else b""
            )
            part = Part(change.run, days, sizes, fold.carried)
            size = sum(sizes.values())
            made = [part, *made]
        first: date | None = pc.min(rows["day"]).as_py()
        known = [first] if first else []
        if left and before and before.first_day:
            known.append(before.first_day)
        state = YearState.after(
            before,
            change.days,
            parts=made,
            content=change.run,
            as_of_us=change.as_of_us,
            first_day=min(known, default=None),
        )
        return WriteResult(state, len(joined), size)

    def _put_rows(
        self,
        dataset: lake.DailyTable,
        tenant: str,
        year: int,
        run: str,
        held: Collection[date],
        rows: pa.Table,
        cube: bytes,
    ) -> dict[str, int]:
        """Put the objects of these days' rows; returns the bytes of each by its roll-up's name."""
        sizes = {}
        for name, body in bodies(dataset, rows, held, cube):
            if body:
                self.objects.put(lake.part_key(dataset, tenant, year, run, name), body)
            sizes[name] = len(body)
        return sizes


def bodies(
    dataset: lake.DailyTable, rows: pa.Table, held: Collection[date], cube: bytes = b""
) -> Iterator[tuple[str, bytes]]:
    """The objects of a part of days held with these rows of the cube, by their roll-ups' names.

    `cube` is the cube's object, if it is made already. That of bots is empty where there are none,
    as of nearly every tenant.
    """
    cube = cube or tenant_year.encode(dataset, ROLLUPS[dataset.name][0], rows)
    yield CUBE, cube
    for rollup, some in rollups.roll_ups(dataset, rows, held) if len(cube) >= SMALL else ():
        is_empty = rollup.name == BOTS and not len(some)
        yield rollup.name, b"" if is_empty else tenant_year.encode(dataset, rollup, some)


def rows_by_tenant(
    dataset: lake.DailyTable, pieces: Sequence[bytes]
) -> Iterator[tuple[str, pa.Table]]:
    """Each tenant's rows of some Parquet objects that Athena laid out, with the cube's columns."""
    cube = tenant_year.schema(dataset, ROLLUPS[dataset.name][0])
    wanted = pa.schema([pa.field("tenant", pa.string()), *cube])
    tables = [
        pq.ParquetFile(pa.BufferReader(piece)).read(columns=wanted.names).select(wanted.names)
        for piece in pieces
    ]
    if not tables:
        return
    rows = pa.concat_tables(table.cast(wanted) for table in tables)
    rows = rows.take(pc.sort_indices(rows["tenant"]))
    counts: Any = pc.value_counts(rows["tenant"])
    start = 0
    for found in counts.to_pylist():
        yield found["values"], rows.slice(start, found["counts"]).drop_columns("tenant")
        start += found["counts"]


def visible_parts(
    before: YearState | None, changed: Collection[date], published: Collection[date]
) -> Iterator[Visible]:
    """Each part that has days left which count, the newest first."""
    newer = frozenset(changed)
    for part in before.parts if before else ():
        days = (part.days - newer).intersection(published)
        newer |= part.days
        if days:
            yield Visible(part, days)


def is_outdated(dataset: lake.DailyTable, part: Part) -> bool:
    """True of a part from whose roll-ups reports cannot tell how many bots they leave out."""
    return rolls_bots_up(dataset, part) or rollups.lacks_bots(part.sizes)


def rolls_bots_up(dataset: lake.DailyTable, part: Part) -> bool:
    """True of a part whose roll-ups a version has made that did not leave bots out."""
    return dataset.tells_bots and len(part.sizes) > 1 and not part.leaves_bots_out


def _first_day_goes(before: YearState, change: Change) -> bool:
    """True if the first day with rows may be a later one now, which all parts have to tell."""
    if before.first_day not in change.days:
        return False
    return not len(tenant_year.of_days(change.rows, [before.first_day]))
