"""The rows of a tenant's year for programs that need all of them: builders, checks and finance."""

from collections.abc import Collection
from contextlib import suppress
from datetime import date

import pyarrow as pa

from pulse import lake
from pulse.errors import BuildCheckError, GoneError
from pulse.reports import rollups, tenant_year
from pulse.reports.rollups import Rollup
from pulse.store.objects import Objects
from pulse.tenants.tenant import BOTS, CUBE, UNTOLD, Part, YearState


def rows_of_part(
    objects: Objects, dataset: lake.DailyTable, tenant: str, year: int, part: Part, rollup: Rollup
) -> pa.Table:
    """The rows of one object of a part, those of every day that it holds.

    Raises GoneError where it is gone: as a rule the tenant's record names others by now.
    """
    key = lake.part_key(dataset, tenant, year, part.run, rollup.name)
    stored = objects.look(key)
    if stored is None:
        raise GoneError(f"{key} is no longer there")
    return tenant_year.read(dataset, rollup, [stored[0]])


def rows(
    objects: Objects,
    dataset: lake.DailyTable,
    tenant: str,
    year: int,
    state: YearState,
    dimensions: Collection[str],
    *,
    without: Collection[date] = (),
) -> pa.Table:
    """The year's rows by day and at least these dimensions, but for days that are left out.

    Of each part the smallest object is read that has them. Raises GoneError where one is gone: as a
    rule the tenant's record names others by now. Raises BuildCheckError where a large tenant has no
    such object.
    """
    names = [*dimensions, "day", *dataset.measures]
    taken = frozenset(without)
    found: list[pa.Table] = []
    for part in state.parts:
        if not part.days - taken:
            continue
        covering = rollups.covering(dataset, part.sizes, dimensions, months=False)
        if not covering:
            raise BuildCheckError(
                f"{tenant} {year}: {dataset.name} has too many rows by day and "
                f"{', '.join(dimensions) or 'nothing else'} for any object to hold them"
            )
        for rollup in (covering[0], *_of_bots(dataset, part, covering[0], dimensions)):
            read = rows_of_part(objects, dataset, tenant, year, part, rollup)
            found.append(tenant_year.of_days(read, part.days - taken).select(names))
        taken |= part.days
    if not found:
        found = [tenant_year.schema(dataset, rollups.ROLLUPS[dataset.name][0]).empty_table()]
    return pa.concat_tables(table.select(names) for table in found)


def _of_bots(
    dataset: lake.DailyTable, part: Part, rollup: Rollup, dimensions: Collection[str]
) -> list[Rollup]:
    """What has the rows of bots that an object of a part leaves out. None is, where none has."""
    if part.sizes.get(BOTS) != UNTOLD or rollup.name == CUBE:
        return rollups.beside(dataset, part.sizes, rollup)
    with suppress(LookupError):
        return rollups.counting_bots(dataset, part.sizes, dimensions, months=False)
    return []
