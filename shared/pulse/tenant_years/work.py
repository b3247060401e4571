"""A table and its years in one build of the reports: how they stood, and what comes of them."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pulse import lake
from pulse.errors import AthenaError, PulseError
from pulse.halving import Failures, halves, portions
from pulse.store.catalog import Partition
from pulse.store.held import Held
from pulse.tenant_years.comparing import ByTenant
from pulse.tenants.tenant import Tenant, YearState
from pulse.unbuilt import Unbuilt

TenantYear = tuple[str, int]
FIRST_PORTION = 100
"""Of a failed statement over more tenants so many are tried at once, before these are halved."""


@dataclass
class Table(Failures[TenantYear]):
    """A table in one round: how it stood, and what has become of it."""

    dataset: lake.DailyTable
    held: Held
    partitions: Mapping[date, Partition]
    """The days that the round looks at, as they were published when it began."""
    among: frozenset[date] | None
    """Of which days these are all that are published, the others being as they were built last.
    None where they are all days of the table."""
    tenants: Mapping[str, Tenant]
    as_of_us: int
    """When they were read."""
    impatient: bool
    rewritten: list[TenantYear] = field(default_factory=list)
    examined: int = 0
    folded: int = 0
    written: int = 0
    finished: bool = True
    """False where time ran out or another builder was first."""
    unread: dict[date, PulseError] = field(default_factory=dict)
    """Days whose runs could not be compared."""
    owed: dict[TenantYear, frozenset[date]] = field(default_factory=dict)
    """Of each tenant's year the days that are still to be built when it ends."""
    halving: dict[TenantYear, tuple[int, AthenaError]] = field(default_factory=dict)
    """The last statement over a tenant-year that failed: how many it was over, and why."""
    halved: dict[TenantYear, int] = field(default_factory=dict)
    """What was still being halved when time ran out: how many the last statement was over."""
    _last: AthenaError | None = None

    @property
    def has_built(self) -> bool:
        """True once a tenant-year has been built."""
        return bool(self.rewritten)

    @property
    def failures(self) -> list[PulseError]:
        """Every error of this round, each once."""
        return list(dict.fromkeys([*super().failures, *self.unread.values()]))

    @property
    def last_error(self) -> PulseError:
        """Why the last of the statements that have failed did so."""
        return self._last or self.failures[-1]

    @property
    def unsettled(self) -> frozenset[date]:
        """The days whose rows are not known to be those of their newest run, but for what is owed.

        An empty set means that nothing of the table is left over.
        """
        found = self.partitions.items()
        return frozenset(day for day, one in found if not self.held.is_settled(day, one.run))

    @property
    def published(self) -> Collection[date]:
        """The published days."""
        return self._runs.keys()

    @property
    def years(self) -> list[int]:
        """The years that have published days, in order."""
        return sorted({day.year for day in self.published})

    def run_of(self, year: int) -> dict[date, str]:
        """The run of each published day of a year.

        Of a day that the round does not look at it is the one that every tenant's rows are of.
        """
        return {day: run for day, run in self._runs.items() if day.year == year}

    @property
    def _runs(self) -> dict[date, str]:
        """The run of each published day."""
        found = {day: one.run for day, one in self.partitions.items()}
        if self.among is not None:
            held = self.held.days.items()
            found |= {day: runs[-1] for day, runs in held if day not in self.among}
        return found

    def state(self, tenant: str, year: int) -> YearState | None:
        """The tenant's year as it stood."""
        return self.tenants[tenant].table(self.dataset.name).years.get(year)

    def unbuilt(self, tenant: str, year: int) -> Unbuilt | None:
        """What an earlier run has noted of a tenant's year that it could not build."""
        return self.tenants[tenant].table(self.dataset.name).behind.years.get(year)

    def hold_up(self, tenants: Collection[str], year: int, error: PulseError) -> None:
        """Note that these could not be built, and that the error is none of theirs."""
        self.held_up.update(dict.fromkeys(((tenant, year) for tenant in tenants), error))

    def stop(self, tenants: Collection[str], year: int) -> None:
        """Note that no time is left for these. Those that were being halved are held up."""
        self.finished = False
        for tenant in tenants:
            if (tenant, year) in self.halving:
                self.halved[tenant, year], error = self.halving[tenant, year]
                self.hold_up([tenant], year, error)

    def note_failure(
        self, tenants: Sequence[str], year: int, error: AthenaError
    ) -> list[list[str]]:
        """Note that a statement over these tenants failed; the portions to be tried next.

        Halving thousands would take more failures than show that Athena is out of order.
        """
        self.statements_failed += 1
        self._last = error
        if error.retryable:
            self.hold_up(tenants, year, error)
            return []
        if len(tenants) == 1:
            tenant = tenants[0]
            self.failed[tenant, year] = AthenaError(f"{tenant} {year}: {error}")
            return []
        self.halving |= {(tenant, year): (len(tenants), error) for tenant in tenants}
        if len(tenants) > FIRST_PORTION:
            return list(portions(tenants, 2 * FIRST_PORTION))
        return halves(tenants)


@dataclass
class TableYear:
    """A table's calendar year in one round."""

    number: int
    run_of: Mapping[date, str]
    """The run of each of its published days."""
    counted: dict[date, ByTenant] = field(default_factory=dict)
    """Of each day that was compared what its newest run has of each tenant."""
    pending: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))
    """By tenant the days whose rows are to be written."""

    def events(self, tenant: str) -> int:
        """How many events the tenant's pending days have, counted by the comparison."""
        found = (self.counted[day].get(tenant) for day in self.pending[tenant])
        return sum(one.events for one in found if one)

    def rows(self, tenant: str) -> int:
        """How many rows these days have."""
        found = (self.counted.get(day, {}).get(tenant) for day in self.pending[tenant])
        return sum(one.rows for one in found if one)

    def fingerprint(self, tenant: str) -> str:
        """What the tenant's pending days are made of: a hash over their (day, run) pairs."""
        pairs = [f"{day} {self.run_of[day]}" for day in sorted(self.pending[tenant])]
        return hashlib.sha256("\n".join(pairs).encode()).hexdigest()
