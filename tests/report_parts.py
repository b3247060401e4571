"""Makes the parts of tenants' years for tests and benches, and reads them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pyarrow as pa

from pulse import days, lake
from pulse.reports import rollups, tenant_year
from pulse.reports.rollups import ROLLUPS, Rollup
from pulse.serve import parquet
from pulse.serve.block import Block
from pulse.serve.groups import Groups, Key
from pulse.serve.years import Piece, YearRows
from pulse.tenants.tenant import BOTS, CUBE, UNTOLD, Part, YearState


def cube_rows(table: lake.DailyTable, pieces: Iterable[bytes]) -> pa.Table:
    """The rows of Parquet that has the columns of the daily table and `day`."""
    return tenant_year.read(table, ROLLUPS[table.name][0], pieces)


def cube(table: lake.DailyTable, pieces: Iterable[bytes]) -> bytes:
    """The object of every dimension that holds these rows."""
    return tenant_year.encode(table, ROLLUPS[table.name][0], cube_rows(table, pieces))


Layout = Literal["now", "cube alone", "of before", "many bots"]
"""Which roll-ups a part has beside its cube; those of before count bots. With many bots it is a
large tenant's, whose rows of bots are too many for one object: it has no cube."""


def objects(
    table: lake.DailyTable, rows: pa.Table, held: Collection[date], layout: Layout = "now"
) -> dict[str, bytes]:
    """The objects of a part of days held with these rows of the cube, by their roll-ups' names.

    Where there are no bots, their object is empty and counts as none.
    """
    cube, *others = ROLLUPS[table.name]
    made: list[tuple[Rollup, pa.Table]] = []
    if layout == "many bots":
        return _of_many_bots(table, rows)
    if layout == "now":
        made = list(rollups.roll_ups(table, rows, held))
    if layout == "of before":
        before = (one for one in others if one.grain != "tail")
        made = [(one, rollups.roll_up(table, one, rows)) for one in before]
    return {
        rollup.name: b""
        if rollup.name == BOTS and not len(some)
        else tenant_year.encode(table, rollup, some)
        for rollup, some in [(cube, rows), *made]
    }


def _of_many_bots(table: lake.DailyTable, rows: pa.Table) -> dict[str, bytes]:
    people, bots = rollups.parted(table, rows)
    made = [(one, people) for one in rollups.OF_LARGE[table.name]]
    made += [(one, bots) for one in rollups.COUNTING_BOTS[table.name]]
    return {
        one.name: tenant_year.encode(table, one, rollups.roll_up(table, one, some))
        for one, some in made
    }


@dataclass(frozen=True)
class Laid:
    """A tenant's year as its record tells of it, and its objects by their keys."""

    state: YearState
    bodies: Mapping[str, bytes]


def lay(
    table: lake.DailyTable,
    tenant: str,
    year: int,
    parts: Sequence[tuple[Collection[date], pa.Table]],
    *,
    content: str = "hash",
    as_of_us: int = 1,
    layout: Layout = "now",
) -> Laid:
    """The year whose parts, the newest first, hold these days and rows; runs are numbered."""
    bodies: dict[str, bytes] = {}
    made: list[Part] = []
    for number, (its_days, rows) in enumerate(parts):
        run = lake.ulid(days.EPOCH.replace(year=2026, minute=59 - number))
        found = objects(table, rows, its_days, layout)
        for name, body in found.items():
            bodies[lake.part_key(table, tenant, year, run, name)] = body
        sizes = {name: len(body) for name, body in found.items()}
        if layout == "many bots":
            sizes[BOTS] = UNTOLD
        made.append(Part(run, frozenset(its_days), sizes))
    first = min((day for its_days, _ in parts for day in its_days), default=None)
    return Laid(YearState(tuple(made), content, as_of_us, first, 1), bodies)


def state(
    found: Iterable[date], *, content: str = "hash", as_of_us: int = 1, run: str = "run"
) -> YearState:
    """What a record says of a year of one part, whose rows are of these days."""
    held = frozenset(found)
    part = Part(run, held, {CUBE: 1})
    return YearState((part,), content, as_of_us, min(held), 1)


def whole(table: lake.DailyTable, block: Block) -> YearRows:
    """The year of one object, all of whose rows count."""
    held = frozenset(
        date.fromordinal(number + days.EPOCH.date().toordinal())
        for number in set(block.day.tolist())
    )
    return YearRows(table, [Piece(block, held, held)])


def as_block(table: lake.DailyTable, body: bytes) -> Block:
    """The block of a cube's object."""
    return parquet.read(body, table, ROLLUPS[table.name][0])


def as_year(table: lake.DailyTable, body: bytes) -> YearRows:
    """The year of one cube's object."""
    return whole(table, as_block(table, body))


def by_key(groups: Groups) -> dict[Key, list[int]]:
    """The sums of a table of groups by their values."""
    assert len(set(groups.keys)) == len(groups)
    return dict(zip(groups.keys, groups.sums.tolist(), strict=True))
