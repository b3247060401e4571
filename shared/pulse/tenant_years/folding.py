"""Makes one part of all that a tenant's year has, and removes every older object of it at once.

Builds join parts now and then, and the parts that they replace are removed a day later. After an
erasure that is too late: nobody is to find the reports as they were before it.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from pulse import lake
from pulse.errors import ConflictError
from pulse.settings import BuildSettings
from pulse.store.laid import LaidRows
from pulse.store.objects import Objects
from pulse.store.questions import Questions
from pulse.store.tenants import Tenants
from pulse.tenant_years.writing import YearWriter
from pulse.tenants.tenant import YearState


@dataclass(frozen=True)
class Folding:
    """Makes one part of each year of a tenant."""

    objects: Objects
    tenants: Tenants
    questions: Questions

    @classmethod
    def from_settings(cls, settings: BuildSettings) -> Self:
        """Over the stack that the settings name."""
        return cls(
            Objects(settings.lake_bucket), Tenants(settings.table), Questions(settings.table)
        )

    def fold(self, tenant: str) -> None:
        """Let every year of a tenant be one part, and remove every other object of its reports.

        So nothing is left of rows that newer rows have replaced. The reports say what they said.
        Raises GoneError where an object is not there that the tenant's record names.
        """
        for dataset in lake.DAILY_TABLES:
            for year in self._years(dataset, tenant):
                self._fold_year(dataset, tenant, year)
        self._remove_laid_rows(tenant)
        self.questions.remove(tenant, self.objects)

    def _remove_laid_rows(self, tenant: str) -> None:
        """Remove a large tenant's rows that were laid out and that its record does not name."""
        laid = LaidRows(self.objects)
        runs = laid.runs(tenant)
        laid_out = {dataset.name for dataset, _, _ in runs}
        for dataset in (one for one in lake.DAILY_TABLES if one.name in laid_out):
            # some may be a build's that is about to name them: now its condition fails
            for year in self._years(dataset, tenant):
                self._move_on(dataset, tenant, year)
        laid.remove_unnamed(runs, self.tenants.get(tenant))

    def _move_on(self, dataset: lake.DailyTable, tenant: str, year: int) -> None:
        """Give a year a new revision, so that no build can replace the state that it has read."""
        while known := self.tenants.get(tenant):
            with suppress(ConflictError):
                self._raise_revision(dataset, tenant, year, known.table(dataset.name).years[year])
                return

    def _raise_revision(
        self, dataset: lake.DailyTable, tenant: str, year: int, state: YearState
    ) -> None:
        """Give a year a new revision. Raises ConflictError where it is no longer in this state."""
        if state.revision:
            same = replace(state, revision=state.revision + 1)
            self.tenants.set_year(tenant, dataset.name, year, same, before=state)

    def _years(self, dataset: lake.DailyTable, tenant: str) -> list[int]:
        known = self.tenants.get(tenant)
        return sorted(known.table(dataset.name).years) if known else []

    def _fold_year(self, dataset: lake.DailyTable, tenant: str, year: int) -> None:
        while known := self.tenants.get(tenant):
            state = known.table(dataset.name).years[year]
            named = {part.run for part in state.parts}
            with suppress(ConflictError):  # a build was first: its state is folded next
                if len(named) > 1:
                    state_of_one = YearWriter(self.objects).fold(dataset, tenant, year, state).state
                    self.tenants.set_year(tenant, dataset.name, year, state_of_one, before=state)
                    continue
                superseded = _superseded(self.objects, dataset, tenant, year, named)
                if superseded:
                    # some may be a build's that is about to name them: now its condition fails
                    self._raise_revision(dataset, tenant, year, state)
                self.objects.wipe_keys(superseded)
                return


def _superseded(
    objects: Objects, dataset: lake.DailyTable, tenant: str, year: int, named: Collection[str]
) -> list[str]:
    """The keys of a tenant's year that belong to none of the runs that its record names."""
    whole = lake.part_key(dataset, tenant, year, "", "")
    kept = tuple(lake.part_prefix(dataset, tenant, year, run) for run in named if run)
    return [
        key
        for key in objects.keys(whole.removesuffix(".parquet"))
        if not key.startswith(kept) and not (key == whole and "" in named)
    ]
