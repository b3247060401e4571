"""build_reports: the tenants' years whose days were rebuilt, written as far as they have changed.

What is to be built follows from the state: of each day the table names the runs that the reports'
rows may come from (store/held.py), and Glue names the run of now, of which a build reads the days
that have changed (looking.py). Where they differ, the day's runs are compared, which tells exactly
whose rows have changed. Athena lays these rows out, this module splits them by tenant, puts each
tenant's days as objects of their own, and makes them visible by one conditional write
(docs/decisions/0054).

What cannot be built of a tenant is noted on its record as owed, so that all other tenants' rows
count as built, and is tried again by a later run.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

from pulse import days, lake
from pulse.daily.standing import stand_of
from pulse.days import Remaining
from pulse.errors import AthenaError, BuildCheckError, ConflictError, raise_collected
from pulse.halving import FEW_FAILURES, MOST_FAILURES, halves
from pulse.observe import count, logger
from pulse.settings import BuildSettings
from pulse.store.athena import RESERVE_S, Athena
from pulse.store.catalog import Catalog
from pulse.store.changes import Stand
from pulse.store.events import Events
from pulse.store.held import NOTHING, Builds, HeldRuns
from pulse.store.ledger import Ledger
from pulse.store.notices import Notices
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenant_years.comparing import NEW, Comparison, batches, readable
from pulse.tenant_years.large import LargeTenants
from pulse.tenant_years.looking import Look
from pulse.tenant_years.publishing import Publisher
from pulse.tenant_years.telling import Behinds
from pulse.tenant_years.work import Table, TableYear, TenantYear
from pulse.tenant_years.writing import is_outdated
from pulse.tenants.tenant import YearState
from pulse.unbuilt import Unbuilt

MOST_OUTDATED = 20
"""Of so many tenants a build lays a year anew that is as a former version has laid it."""
ROUNDS = 3
"""How often a run starts over for a table that another builder changed under it."""


@dataclass(frozen=True)
class ReportsResult:
    """What a run did, over all tables."""

    rewritten: tuple[TenantYear, ...]
    """The tenants' years whose rows have changed."""
    examined: int
    """How many days' runs were compared."""
    folded: int
    """How many older parts of years became one with what has changed."""
    written: int
    """The bytes of objects put."""
    finished: bool
    """Whether nothing is left."""


@dataclass(frozen=True)
class BuildReports:
    """The stage; `run` is the whole job, from an event or a shell."""

    tenants: Tenants
    ledger: Ledger
    catalog: Catalog
    athena: Athena
    events: Events
    held: HeldRuns
    notices: Notices
    publisher: Publisher

    @classmethod
    def from_settings(cls, settings: BuildSettings) -> Self:
        """The stage over the stack that the settings name."""
        tenants = Tenants(settings.table)
        athena = Athena(settings.database, settings.workgroup)
        return cls(
            tenants=tenants,
            ledger=Ledger(settings.table),
            catalog=Catalog(settings.database),
            athena=athena,
            events=Events(settings.event_source),
            held=HeldRuns(settings.table),
            notices=Notices(settings.table),
            publisher=Publisher(
                objects=Objects(settings.lake_bucket),
                tenants=tenants,
                athena=athena,
                large=LargeTenants.from_settings(settings),
            ),
        )

    def run(
        self, *, remaining_s: Remaining, impatient: bool = False, whole: bool = False
    ) -> ReportsResult:
        """Write what has changed of every tenant's years.

        A table is passed over of which nothing has changed since a build has looked, and of others
        the days are looked at of which there is notice, unless the run is to look at the `whole`.
        What is known to fail is tried again from time to time, or now if `impatient`.

        Afterwards every tenant's record names objects that hold its rows of the days as they are
        published, and says which days and years could not be built. Raises AthenaError or
        BuildCheckError, with the tenant-years that it is about as they were; the others have been
        built.
        """
        read_us = days.now_us()
        behinds = Behinds(self.tenants, self.ledger, self.catalog)
        stands = self.ledger.changes.stands()  # before the catalogue: Stand.counted_until
        builds = self.held.builds()
        tables: list[Table] = []
        done: list[Table] = []
        settled_failing = 0
        behind: list[lake.DailyTable] = []
        for dataset in lake.DAILY_TABLES:
            known = builds.get(dataset.name, Builds(dataset.name))
            if known.is_settled(stand_of(dataset, stands)) and not (impatient or whole):
                settled_failing += known.failing
            else:
                behind.append(dataset)
        notices = self.notices.read() if behind else {}  # before the catalogue, too
        look = Look(stands, notices, whole=whole or impatient)
        for table in self._tables(behind, behinds, look, impatient):
            self._build(table, behinds, remaining_s)
            done.append(table)
            for _ in range(ROUNDS - 1):
                if table.finished or remaining_s() < RESERVE_S:
                    break
                (table,) = self._tables([table.dataset], behinds, look, impatient)
                self._build(table, behinds, remaining_s)
                done.append(table)
            tables.append(table)  # of the last round: what failed before was tried again
        rewritten = tuple(dict.fromkeys(one for table in done for one in table.rewritten))
        finished = all(table.finished for table in tables)
        failures = [failure for table in tables for failure in table.failures]
        notes = behinds.tell(tables, stands, remaining_s)
        for table in tables:
            stand = stand_of(table.dataset, stands)
            self._finish(table, stand, stand.counted_until(read_us), notes[table.dataset.name])
            taken = notices.get(table.dataset.name, ())
            self.notices.remove(
                [one for one in taken if one.is_over and not one.days & table.unsettled]
            )
        known_failing = (note.failing for some in notes.values() for note in some.values())
        failing = settled_failing + sum(known_failing)
        # A run that builds nothing must not wake itself again and again.
        again = not finished and (rewritten or not failures)
        self.events.announce("reports unfinished" if again else "reports built")
        result = ReportsResult(
            rewritten=rewritten,
            examined=sum(table.examined for table in done),
            folded=sum(table.folded for table in done),
            written=sum(table.written for table in done),
            finished=finished,
        )
        logger.info(
            "reports built",
            extra={
                "rewritten": len(rewritten),
                "examined": result.examined,
                "folded": result.folded,
                "bytes": result.written,
                "finished": finished,
            },
        )
        count("TenantYearsRewritten", len(rewritten))
        count("TenantYearsFailing", failing)
        if finished and not failures:
            count("ReportsUpToDate")  # the alarm Freshness waits for it
        raise_collected(failures)
        return result

    # -- a table

    def _tables(
        self,
        datasets: Sequence[lake.DailyTable],
        behinds: Behinds,
        look: Look,
        impatient: bool,
    ) -> list[Table]:
        """The tables as they stand now, as far as the run looks at their days.

        Tenants are read once for all of them, and last: whoever has rows in a catalogue is there.
        """
        read = []
        for one in datasets:
            held = self.held.read(one.name)  # before the catalogue: see store/held.py
            as_of_us, among = days.now_us(), look.among(one, held)
            partitions = self.catalog.partitions(one.daily_table, among)
            read.append((one, held, as_of_us, among, partitions))
        tenants = {tenant.id: tenant for tenant in self.tenants.all()} if read else {}
        behinds.note_read(tenants.values())
        return [
            Table(
                dataset=dataset,
                held=held,
                partitions=partitions,
                among=among,
                tenants=tenants,
                as_of_us=as_of_us,
                impatient=impatient,
            )
            for dataset, held, as_of_us, among, partitions in read
        ]

    def _build(self, table: Table, behinds: Behinds, remaining_s: Remaining) -> None:
        """Build what is behind of the table."""
        for year in table.years:
            if remaining_s() < RESERVE_S:
                table.finished = False
                break
            try:
                self._build_year(table, year, behinds, remaining_s)
            except ConflictError:  # another builder has come, or a tenant is gone
                table.finished = False
                break

    def _build_year(
        self, table: Table, year: int, behinds: Behinds, remaining_s: Remaining
    ) -> None:
        """Build what has changed of a year, for every tenant.

        Raises ConflictError where another builder has changed the table's records.
        """
        if year in table.held.former:  # reading it takes long
            table.held = self.held.put(table.held, year, {})
        run_of = table.run_of(year)
        due = [day for day in sorted(run_of) if not table.held.is_settled(day, run_of[day])]
        owed = {
            tenant: state.owed
            for tenant in table.tenants
            if (state := table.state(tenant, year)) and state.owed
        }
        outdated = self._outdated(table, year, run_of)
        if not (due or owed or outdated):
            return
        whole = TableYear(year, run_of)
        if due:
            self._name_runs(table, whole, due)
            self._compare(table, whole, due, remaining_s)
        for tenant, its_days in owed.items():
            whole.pending[tenant] |= its_days
        for tenant, day in outdated.items():
            whole.pending[tenant].add(day)
        self._widen(table, whole)
        behinds.tell_left(table, whole)
        self.publisher.publish(table, whole, remaining_s)
        self.publisher.note_owed(table, whole)
        settled = {day: (run_of[day],) for day in due if day in whole.counted}
        if settled:
            table.held = self.held.put(table.held, year, settled)

    def _outdated(self, table: Table, year: int, published: Collection[date]) -> dict[str, date]:
        """Tenants whose roll-ups of the year do not tell bots apart, and a day of each.

        With that day all is laid. A few at a time, so that no build has to lay the years of all
        large tenants anew.
        """
        found: dict[str, date] = {}
        for tenant in sorted(table.tenants):
            state = table.state(tenant, year)
            for part in state.parts if state else ():
                if not is_outdated(table.dataset, part):
                    continue
                if its_days := part.days.intersection(published):
                    found[tenant] = max(its_days)
            if len(found) == MOST_OUTDATED:
                break
        return found

    def _name_runs(self, table: Table, year: TableYear, due: Sequence[date]) -> None:
        """Say that rows of the runs of now may be published from here on."""
        added: dict[date, tuple[str, ...]] = {}
        for day in due:
            run, known = year.run_of[day], table.held.days.get(day, (NOTHING,))
            if table.held.newest(day) != run:
                added[day] = (*(one for one in known if one != run), run)
        if added:
            table.held = self.held.put(table.held, year.number, added)

    # -- which tenants' rows have changed

    def _compare(
        self, table: Table, year: TableYear, due: Sequence[date], remaining_s: Remaining
    ) -> None:
        """Find out for each day that is due whose rows of it are others than before.

        Days of which that cannot be told are left as they are.
        """
        by_copies: dict[int, dict[date, Sequence[str]]] = defaultdict(dict)
        for day in due:
            runs = table.held.days[day]
            by_copies[len(runs)][day] = runs
        for copies, runs_of in sorted(by_copies.items()):
            left = deque(batches(runs_of))
            while left:
                some = {day: runs_of[day] for day in left.popleft()}
                if remaining_s() < RESERVE_S:
                    table.finished = False
                    return
                try:
                    self._compare_days(table, year, some, copies, remaining_s)
                except AthenaError as error:
                    table.statements_failed += 1
                    most = MOST_FAILURES if table.examined else FEW_FAILURES
                    hopeless = error.retryable or table.statements_failed >= most
                    if hopeless or len(some) == 1:
                        failed = some if not hopeless else [*some, *(d for ds in left for d in ds)]
                        named = error if hopeless else AthenaError(f"{min(some)}: {error}")
                        table.unread.update(dict.fromkeys(failed, named))
                        if hopeless:
                            break
                    else:
                        left.extendleft(reversed(halves([*some])))

    def _compare_days(
        self,
        table: Table,
        year: TableYear,
        runs: Mapping[date, Sequence[str]],
        copies: int,
        remaining_s: Remaining,
    ) -> None:
        """Let some days be pending for the tenants whose rows of them have changed.

        Days that Athena reads nothing of are noted as unread. Raises AthenaError.
        """
        compare = Comparison(self.athena).compare
        try:
            found = compare(table.dataset, runs, copies=copies, remaining_s=remaining_s)
        except AthenaError as error:
            ((_, several), *others) = runs.items()
            if error.retryable or others or len(readable(several)) == 1:
                raise
            # an older run of the day cannot be read: then whoever has rows of it counts as changed
            runs = {day: some[-1:] for day, some in runs.items()}
            found = compare(table.dataset, runs, copies=NEW, remaining_s=remaining_s)
        for day, tenants in found.items():
            known = table.partitions[day].answers
            if known and not sum(one.events for one in tenants.values()):
                message = f"{day}: Athena finds no events in {table.dataset.daily_table}"
                table.unread[day] = BuildCheckError(f"{message}, where the day counts {known}")
                continue
            table.examined += 1
            year.counted[day] = tenants
            changed = {tenant for tenant, one in tenants.items() if one.differing}
            if len(readable(runs[day])) == 1:  # compared with nothing: some may have rows no more
                changed |= {t for t in table.tenants if _shows(table.state(t, year.number), day)}
            for tenant in changed.intersection(table.tenants):
                year.pending[tenant].add(day)
            # a build of a former version that died may have left out whose rows differ nowhere
            for tenant in table.tenants.keys() & tenants.keys() - changed:
                if tenants[tenant].events and not _shows(table.state(tenant, year.number), day):
                    year.pending[tenant].add(day)

    def _widen(self, table: Table, year: TableYear) -> None:
        """Let every day be pending for tenants one of whose objects a former version has made."""
        for tenant in [*year.pending]:
            state = table.state(tenant, year.number)
            if state and any(not part.run for part in state.parts):
                year.pending[tenant] |= {*year.run_of}

    def _finish(
        self,
        table: Table,
        stand: Stand,
        counted_us: int | None,
        notes: Mapping[TenantYear, Unbuilt],
    ) -> None:
        """Note that no day of the table is left over, if that is so, and when to look again.

        Then the rows have all that was stored before `counted_us`, as the daily table had.
        """
        if not table.finished or table.unsettled:
            return
        left_to_time = len(notes) == len(table.owed) and all(n.failing for n in notes.values())
        self.held.finish(
            table.held,
            counted_us,
            seen=stand.published if left_to_time else None,
            again_us=min((note.due_us(note.of) for note in notes.values()), default=None),
            failing=sum(note.failing for note in notes.values()),
            unnoticed=table.held.builds.unnoticed if table.among is not None else stand.unnoticed,
        )


def _shows(state: YearState | None, day: date) -> bool:
    """True if a reader may find rows of a day."""
    return state is not None and any(day in part.days for part in state.parts)
