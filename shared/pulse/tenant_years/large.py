"""What a large tenant's year is made of, without its rows ever being in this process.

A tenant with more rows than one process can hold has them laid out apart from all others', by
Athena and for Athena: a question that no roll-up covers then reads this tenant's days alone. A year
is one part without a cube. Its roll-ups are made by Athena too, out of these rows, each by the
statement that a question for the same sums would run, and of the changed days alone: the sums of
all others are in the roll-ups that there were before.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from pulse import lake
from pulse.days import DateRange, Remaining
from pulse.reports import reading, rollups, tenant_year
from pulse.reports.rollups import COUNTING_BOTS, OF_BOTS, OF_LARGE, Rollup
from pulse.serve.distributed_sql import MOST_ROWS, OfBots, Wanted
from pulse.settings import BuildSettings
from pulse.sql import spread, statement
from pulse.store.athena import Athena
from pulse.store.laid import LaidRows
from pulse.store.objects import Objects
from pulse.tenant_years.comparing import batches, pair
from pulse.tenant_years.writing import Visible, WriteResult, rolls_bots_up, visible_parts
from pulse.tenants.tenant import CUBE, UNTOLD, Part, YearState

Laid = Mapping[str, frozenset[date]]
"""Which days of a tenant's rows each run has laid out apart (lake.large_run_prefix)."""

_SEVERAL = 8
"""So many runs of about as many days each are laid out again as one, because a statement has a
branch for each run, and a record names each. Nightly builds of a year lay out a row three times."""
_BANDS = ((0, 8), (8, 40))
"""Runs have about as many days if the numbers of their days lie in one of these bands, each from
its first number to below its second."""
_FOOTER = 2**20
"""So many bytes at an object's end suffice to tell how many rows it has."""
_ALL = Rollup("", (), "month")
"""Sums over everything, which always fit."""


@dataclass(frozen=True)
class LargeWriteResult(WriteResult):
    """What a large tenant's year has become; `size` is without the rows that were laid out."""

    events: int
    """How many events the rows of the changed days stand for, as they were laid out. Other days
    may have been laid out with them, of a tenant that was not large before."""


@dataclass
class _Work:
    """One tenant's year while it is made."""

    dataset: lake.DailyTable
    tenant: str
    year: int
    remaining_s: Remaining
    fresh: frozenset[date]
    """The days that are laid out anew."""
    visible: Sequence[Visible]
    laid: dict[str, frozenset[date]] = field(default_factory=dict)
    """The days whose rows each run has laid out, of all days of the year."""

    @property
    def days(self) -> frozenset[date]:
        return self.fresh.union(*(one.days for one in self.visible))

    @property
    def broken(self) -> frozenset[int]:
        """The months whose sums in older parts hold rows that count and rows that no longer do."""
        return frozenset(
            day.month
            for one in self.visible
            for day in one.part.days - one.days
            if any(kept.month == day.month for kept in one.days)
        )


@dataclass(frozen=True)
class LargeTenants:
    """Lays out rows of large tenants, and makes their years of them."""

    athena: Athena
    objects: Objects
    most_rows: int
    """Tenants with more rows than this in a year of a table are large."""

    @classmethod
    def from_settings(cls, settings: BuildSettings) -> Self:
        """Over the stack that the settings name."""
        return cls(
            Athena(settings.database, settings.workgroup),
            Objects(settings.lake_bucket),
            settings.most_rows,
        )

    def is_large(
        self,
        dataset: lake.DailyTable,
        tenant: str,
        year: int,
        before: YearState | None,
        changed_rows: int,
    ) -> bool:
        """Is the tenant's year to be written here, once so many rows of it have changed?

        What has been written here once remains so.
        """
        parts = before.parts if before else ()
        if any(part.laid for part in parts):
            return True
        sizes = {part.run: part.sizes.get(CUBE, 0) for part in parts if part.run}
        if sum(sizes.values()) + changed_rows <= self.most_rows:  # a row has a byte or more
            return False
        rows = sum(
            self._rows(lake.part_key(dataset, tenant, year, run, CUBE), size)
            for run, size in sizes.items()
        )
        return rows + changed_rows > self.most_rows

    def write(
        self,
        dataset: lake.DailyTable,
        tenant: str,
        year: int,
        before: YearState | None,
        changed: Collection[date],
        run_of: Mapping[date, str],
        *,
        as_of_us: int,
        remaining_s: Remaining,
    ) -> LargeWriteResult:
        """Make one part of the days that have changed and of all that the year had before.

        `run_of` names the run of the daily table for every published day of the year; days of
        former parts that are not among them count no more. Nothing points at what is put before the
        state returned is the tenant's. Raises AthenaError, and GoneError where an object of
        before is gone: as a rule another state has come.
        """
        told = frozenset(changed)
        visible = list(visible_parts(before, told, run_of))
        unlaid = {day for one in visible for day in one.days if not _has(one.part.laid, day)}
        if unlaid:  # of the time when the tenant was not large
            changed = {*changed} | unlaid
            visible = list(visible_parts(before, frozenset(changed), run_of))
        fresh = {day: run_of[day] for day in changed if day in run_of}
        work = _Work(dataset, tenant, year, remaining_s, frozenset(fresh), visible)
        new = self.lay_out(dataset, tenant, fresh, remaining_s=remaining_s)
        work.laid = {**new, **_still(visible)}
        run = lake.ulid()
        sizes = {
            rollup.name: self._put(work, run, rollup, rows) for rollup, rows in self._made(work)
        }
        self._lay_together(work)
        parts = [Part(run, work.days, sizes, laid=work.laid)] if work.days else []
        state = YearState.after(
            before,
            changed,
            parts=parts,
            content=run,
            as_of_us=as_of_us,
            first_day=self._first_day(work),
        )
        return LargeWriteResult(
            state=state,
            events=self._events(work, {run: days & told for run, days in new.items()}),
            folded=len(before.parts) if before else 0,
            size=sum(size for size in sizes.values() if size != UNTOLD),
        )

    # -- rows

    def lay_out(
        self,
        dataset: lake.DailyTable,
        tenant: str,
        run_of: Mapping[date, str],
        *,
        remaining_s: Remaining,
        again: bool = False,
    ) -> dict[str, frozenset[date]]:
        """Lay out a tenant's rows of these days; returns the days of each new run.

        `run_of` names for each day the run of the daily table whose rows are taken, or if `again`,
        the run of an earlier call. Days without rows are returned, too. Nothing points at the
        result yet. Raises AthenaError.
        """
        text = statement("large", dataset.name)
        if again:  # has the same columns, the tenant's name as a partition
            text = text.replace(dataset.runs_table, dataset.large_table)
        laid: dict[str, frozenset[date]] = {}
        for some in batches(
            {day: (run,) for day, run in run_of.items()}, most=lake.PARTITION_LIMIT
        ):
            run = lake.ulid()
            sql, params = spread(
                text,
                {
                    "tenant": tenant,
                    "runs": sorted({run_of[day] for day in some}),
                    "pairs": [pair(run_of[day], day) for day in some],
                    "first_day": some[0].isoformat(),
                    "last_day": some[-1].isoformat(),
                },
                "runs",
            )
            self.athena.unload(
                sql,
                params,
                target=f"s3://{self.objects.bucket}/{lake.large_run_prefix(dataset, tenant, run)}",
                partition="dt",
                remaining_s=remaining_s,
            )
            LaidRows(self.objects).complete(lake.large_run_prefix(dataset, tenant, run), some)
            laid[run] = frozenset(some)
        return laid

    def _lay_together(self, work: _Work) -> None:
        """Keep the number of runs small: lay out several of about as many days each as one."""
        for least, most in _BANDS:
            small = {run: some for run, some in work.laid.items() if least <= len(some) < most}
            if len(small) >= _SEVERAL:
                run_of = {day: run for run, its_days in small.items() for day in its_days}
                together = self.lay_out(
                    work.dataset, work.tenant, run_of, remaining_s=work.remaining_s, again=True
                )
                kept = {run: some for run, some in work.laid.items() if run not in small}
                work.laid = {**kept, **together}

    def _first_day(self, work: _Work) -> date | None:
        """The first of the days that has rows."""
        found: list[date] = []
        for run, its_days in work.laid.items():
            prefix = lake.large_run_prefix(work.dataset, work.tenant, run)
            folders = {folder.removeprefix(prefix) for folder in self.objects.folders(prefix)}
            found += [day for day in its_days if f"dt={day}/" in folders]
        return min(found, default=None)

    def _events(self, work: _Work, laid: Laid) -> int:
        rows = self._by_athena(work, {run: days for run, days in laid.items() if days}, _ALL)
        return 0 if rows is None else tenant_year.count_events(work.dataset, rows)

    def _rows(self, key: str, size: int) -> int:
        """How many rows a Parquet object of so many bytes has."""
        end = self.objects.end(key, min(_FOOTER, size))
        file = bytes(size - len(end)) + end
        return int(pq.read_metadata(pa.BufferReader(file)).num_rows)

    # -- roll-ups

    def _made(self, work: _Work) -> Iterator[tuple[Rollup, pa.Table | None]]:
        """Each roll-up that a reader can hold, with its rows; those of bots without, if it cannot.

        There are several of bots where one of all that they tell would be too large.
        """
        if bots := OF_BOTS.get(work.dataset.name):
            rows = self._roll_up(work, bots, None)
            yield bots, rows
            if rows is None:
                yield from self._each(work, COUNTING_BOTS[work.dataset.name])
        made = self._each(work, OF_LARGE[work.dataset.name])
        yield from ((rollup, rows) for rollup, rows in made if rows is not None)

    def _each(
        self, work: _Work, wanted: Sequence[Rollup]
    ) -> Iterator[tuple[Rollup, pa.Table | None]]:
        """Each of these roll-ups with its rows, None where they are too many for a reader.

        What another one covers is made from that one, here; the others need Athena.
        """
        left = sorted(wanted, key=lambda one: (one.grain == "month", -len(one.dimensions)))
        made: list[tuple[Rollup, pa.Table]] = []
        while left:
            rollup = left.pop(0)
            monthly = rollup.grain == "month"
            sources = [rows for one, rows in made if one.serves(rollup.dimensions, months=monthly)]
            rows = self._roll_up(work, rollup, min(sources, key=len, default=None))
            yield rollup, rows
            if rows is None:
                continue
            made = [  # the others are done with, and their memory is needed
                (one, some)
                for one, some in (*made, (rollup, rows))
                if any(one.serves(r.dimensions, months=r.grain == "month") for r in left)
            ]

    def _roll_up(self, work: _Work, rollup: Rollup, source: pa.Table | None) -> pa.Table | None:
        """The rows of a roll-up, None where there are too many or their sums do not fit."""
        try:
            if source is not None:
                return rollups.roll_up(work.dataset, rollup, source)
            known = self._known(work, rollup)
            if known is None:
                return None
            rows = self._by_athena(
                work, self._unknown(work, rollup), rollup, _of_bots(work, rollup)
            )
            if rows is None:
                return None
            rows = pa.concat_tables([*known, rows])
            summed = rollups.roll_up(work.dataset, rollup, rows) if known else rows
        except OverflowError:
            return None
        return summed if len(summed) <= MOST_ROWS else None

    def _known(self, work: _Work, rollup: Rollup) -> list[pa.Table] | None:
        """The rows of the roll-up that older parts have; None where one of them lacks it.

        Of a roll-up by month these are the months all of whose rows still count.
        """
        found: list[pa.Table] = []
        for part, its_days in ((one.part, one.days) for one in work.visible):
            if _never_made(work.dataset, part, rollup):
                continue
            if part.sizes.get(rollup.name, UNTOLD) == UNTOLD:
                return None
            if not part.sizes[rollup.name]:  # there were no bots
                continue
            rows = reading.rows_of_part(
                self.objects, work.dataset, work.tenant, work.year, part, rollup
            )
            wanted = {*its_days}
            if rollup.grain == "month":
                months = {day.replace(day=1) for day in its_days}
                wanted = {first for first in months if first.month not in work.broken}
            found.append(tenant_year.of_days(rows, wanted))
        return found

    def _unknown(self, work: _Work, rollup: Rollup) -> Laid:
        """The days that older parts do not tell of, and where their rows lie."""
        wanted = work.fresh.union(
            *(one.days for one in work.visible if _never_made(work.dataset, one.part, rollup))
        )
        if rollup.grain == "month":
            wanted |= {day for day in work.days if day.month in work.broken}
        return {run: its_days & wanted for run, its_days in work.laid.items() if its_days & wanted}

    def _by_athena(
        self, work: _Work, laid: Laid, rollup: Rollup, bots: OfBots = "counted"
    ) -> pa.Table | None:
        return self.roll_up(
            work.dataset,
            work.tenant,
            work.year,
            laid,
            rollup,
            bots=bots,
            remaining_s=work.remaining_s,
        )

    def _put(self, work: _Work, run: str, rollup: Rollup, rows: pa.Table | None) -> int:
        """Put the object of these rows; returns its bytes, or what stands for them in Part.sizes.

        That is UNTOLD for a roll-up with too many rows, and 0 for one of bots where there are none.
        """
        if rows is None:
            return UNTOLD
        if rollup.is_of_bots and not len(rows):
            return 0
        body = tenant_year.encode(work.dataset, rollup, rows)
        key = lake.part_key(work.dataset, work.tenant, work.year, run, rollup.name)
        self.objects.put(key, body)
        return len(body)

    def roll_up(
        self,
        dataset: lake.DailyTable,
        tenant: str,
        year: int,
        laid: Laid,
        rollup: Rollup,
        *,
        remaining_s: Remaining,
        bots: OfBots = "counted",
    ) -> pa.Table | None:
        """The rows of a roll-up (tenant_year.schema) over the days laid out, all of one year.

        `bots`: what becomes of bots' rows.

        None where it has more rows than a reader holds. Raises AthenaError.
        """
        if not laid:
            return tenant_year.schema(dataset, rollup).empty_table()
        wanted = Wanted(
            table=dataset,
            tenant=tenant,
            laid=laid,
            ranges=(DateRange(date(year, 1, 1), date(year, 12, 31)),),
            grouped=rollup.dimensions,
            filters={},
            granularity=rollup.grain,
            bots=bots,
        )
        prefix = lake.staging_prefix(dataset, lake.ulid())
        try:
            self.athena.unload(
                wanted.statement.sql,
                {},
                target=f"s3://{self.objects.bucket}/{prefix}",
                partition=None,
                remaining_s=remaining_s,
            )
            pieces = (self.objects.get(key) for key in self.objects.keys(prefix))
            rows = tenant_year.read(dataset, rollup, pieces)
        finally:
            self.objects.delete_all(prefix)
        return rows if len(rows) <= MOST_ROWS else None


def _of_bots(work: _Work, rollup: Rollup) -> OfBots:
    """What becomes of bots' rows in a roll-up."""
    if not work.dataset.tells_bots:
        return "counted"
    return "alone" if rollup.is_of_bots else "left out"


def _never_made(dataset: lake.DailyTable, part: Part, rollup: Rollup) -> bool:
    """True where no build of the part has tried to make this roll-up.

    A version has laid it that counted bots in all of them, or the roll-up counts bots and those of
    the part were few enough for one object, or were not summed up.
    """
    if rolls_bots_up(dataset, part):
        return True
    return rollup in COUNTING_BOTS.get(dataset.name, ()) and rollup.name not in part.sizes


def _has(laid: Laid, day: date) -> bool:
    return any(day in its_days for its_days in laid.values())


def _still(visible: Sequence[Visible]) -> dict[str, frozenset[date]]:
    """The runs in which rows of older parts lie that still count, with the days of these rows."""
    found: dict[str, frozenset[date]] = {}
    for one in visible:
        for run, its_days in one.part.laid.items():
            if kept := its_days & one.days:
                found[run] = found.get(run, frozenset()) | kept
    return found
