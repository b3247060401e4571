"""Tenant-year objects, kept in the warm process as long as they are what S3 has.

The objects that exist are told by the tenant's record and their keys are computed, so that
nothing is listed and nothing is asked for in vain.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pulse import days, lake
from pulse.serve import parquet
from pulse.serve.cells import Cells
from pulse.store.objects import Objects
from pulse.tenants.tenant import Tenant, YearState

REMEMBER_US = 60 * days.SECOND
BUDGET_BYTES = 400 * 2**20
_AT_ONCE = 8


@dataclass(frozen=True)
class Year:
    """One object: what is in it, and the ETag that names this content."""

    etag: str
    cells: Cells


TenantYears = Mapping[str, Sequence[Year]]
"""What a question is answered from: the objects of each tenant, by its id."""


@dataclass(frozen=True)
class _Kept:
    """A year in memory: when S3 was asked last, and what the tenant's record said of it then."""

    year: Year
    asked_us: int
    state: YearState

    def is_fresh(self, state: YearState) -> bool:
        """Asked within the minute, and nothing was built since."""
        return self.state == state and days.now_us() - self.asked_us < REMEMBER_US


@dataclass
class Years:
    """Reads tenant-years from a bucket; the least recently used leave when memory is short."""

    objects: Objects
    budget_bytes: int = BUDGET_BYTES
    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)

    def read(
        self, table: lake.Dataset, tenant: Tenant, years: Collection[int], *, anew: bool = False
    ) -> list[Year]:
        """The tenant's published objects of these calendar years in a table, oldest first.

        An object is asked for at most once a minute, unless a build came between or `anew`, and
        sent again only if it has changed.
        """
        known = tenant.table(table.name)
        wanted = {
            lake.report_key(table, tenant.id, year): known.years[year]
            for year in known.published_years
            if year in years
        }
        stale = [key for key, state in wanted.items() if anew or not self._is_fresh(key, state)]
        found = dict(zip(stale, self._get_all(table, stale), strict=True))
        for key, state in wanted.items():
            if key in found:
                self._kept[key] = _Kept(found[key], days.now_us(), state)
            self._kept.move_to_end(key)
        read = [self._kept[key].year for key in wanted]
        self._forget()
        return read

    def _is_fresh(self, key: str, state: YearState) -> bool:
        kept = self._kept.get(key)
        return kept is not None and kept.is_fresh(state)

    def _get_all(self, table: lake.Dataset, keys: Sequence[str]) -> list[Year]:
        if len(keys) < 2:  # as mostly: a millisecond less than with a thread
            return [self._get(table, key) for key in keys]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(lambda key: self._get(table, key), keys))

    def _get(self, table: lake.Dataset, key: str) -> Year:
        kept = self._kept.get(key)
        found = self.objects.get_unless(key, kept.year.etag if kept else None)
        if found is None:
            return self._kept[key].year  # unchanged, so it is here
        body, etag = found
        return Year(etag, parquet.read(body, table))

    def _forget(self) -> None:
        size = sum(kept.year.cells.nbytes for kept in self._kept.values())
        while size > self.budget_bytes:
            _, kept = self._kept.popitem(last=False)
            size -= kept.year.cells.nbytes
