"""What a query of a report means now: tables, each tenant's days, every filter, what is read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache

from pulse import days, lake
from pulse.days import ComparedRange, DateRange
from pulse.errors import ForbiddenError
from pulse.filters import PEOPLE, Filters, among, both, let_bots_in, not_null
from pulse.reports.declarations import CURRENCY, PERIOD, Family, Report
from pulse.reports.experiences import EXPERIENCE
from pulse.serve import groups, satisfaction, unlinked
from pulse.serve.columns import Names
from pulse.serve.needs import Needs
from pulse.serve.own import names_told, own_dimensions, read_from
from pulse.serve.query import Query
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant

_LAST = date(9998, 12, 31)
"""The last day of entering that is looked behind for answers: a year later Python's dates end."""


@dataclass(frozen=True)
class TenantDays:
    """The days of one tenant, in its calendar, and those that they are compared with, if any."""

    tenant: Tenant
    dates: DateRange
    compared: ComparedRange | None
    granularity: str
    years: frozenset[int] | None = None
    """Of which calendar years it has periods, where not of all: those that have rows."""
    by_entered: bool = False
    """True where answers count on the days on which the interactions entered that they are linked
    to: the days asked for are such days then."""
    scored: bool = False
    """True where scores stand for satisfactions that interactions lack (serve/satisfaction.py)."""
    unlinked: tuple[DateRange, ...] = ()
    """The days of the ranges whose answers the table of experience lacks, as none is linked to an
    interaction: they are read from the table of scores (serve/unlinked.py)."""

    @property
    def ranges(self) -> tuple[DateRange, ...]:
        """The days asked for, and those compared with, if any."""
        return (self.dates, self.compared) if self.compared else (self.dates,)

    def stored_under(self, table: lake.DailyTable) -> tuple[DateRange, ...]:
        """The days under which rows of a table lie that may count in these ranges.

        An answer lies under its own day, and counts on that of its interaction: whole months may
        have some. Where clocks are changed, a link reaches a day further.
        """
        if self.by_entered or (self.scored and table is lake.EXPERIENCE):
            return tuple(map(_answered, self.ranges))
        if self.unlinked and table is lake.SCORES:
            return self.unlinked
        return self.ranges

    @property
    def periods(self) -> tuple[str, ...]:
        """The first day of each period asked for."""
        found = _periods(self.dates, self.granularity, self.tenant.week_start)
        return found if self.years is None else _of_years(found, self.granularity, self.years)

    @property
    def has_whole_months(self) -> bool:
        """Is each calendar month, as far as a range has days of it, shown in one period?"""
        if self.granularity != "month":
            return self.granularity == "total"
        return not self.compared or all(
            day.day == 1 or day == self.compared.start
            for day in days.shown_apart(self.compared, self.granularity)
        )


def _answered(entered: DateRange) -> DateRange:
    """The whole months in which answers may lie that are linked to what entered on these days."""
    last = min(entered.end, _LAST) + timedelta(days=lake.LONGEST_LINK_DAYS + 1)
    first = last.replace(day=1)
    length = days.period_length(first, "month")
    return DateRange(entered.start.replace(day=1), first + timedelta(days=length - 1))


@lru_cache(maxsize=4)  # of however many tenants; fifty years of days take a megabyte
def _periods(dates: DateRange, granularity: str, week_start: str) -> tuple[str, ...]:
    found = days.periods(dates, granularity, week_start)
    return tuple(first.isoformat() for first in found)


def _of_years(periods: Sequence[str], granularity: str, years: Collection[int]) -> tuple[str, ...]:
    """Those of the periods that lie in one of these years, if only by their last day."""
    longer = timedelta(days=6 if granularity == "week" else 0)
    ends = ((period, date.fromisoformat(period)) for period in periods)
    return tuple(p for p, first in ends if {first.year, (first + longer).year} & {*years})


@dataclass(frozen=True)
class Plan:
    """All that an answer depends on but the rows themselves."""

    report: Report
    query: Query
    tables: tuple[lake.DailyTable, ...]
    """Of the report's tables, those that know all that is asked for."""
    tenants: tuple[TenantDays, ...]
    filters: Filters
    """The query's and the key's; the report's own are not among them."""
    all_filters: Filters
    """Every filter that holds, the report's own included, and that bots are left out."""
    strata: tuple[str, ...]
    """The dimensions within which rows are compared, for figures that take all rows at once
    (Report.among). Empty where the report has no such figures."""
    min_sample: int
    """A row of fewer answers than this shows no figures that tell how a person was judged; where
    it is 0, every row shows them."""
    names: Names = field(default_factory=dict)
    """What the values of grouped dimensions are called, where that is to be shown."""
    lacks_names: bool = False
    """True where they could not be read."""
    bots_left_out: bool = False
    """True where bots are left out without a filter that says so."""

    def tables_of(self, one: TenantDays) -> tuple[lake.DailyTable, ...]:
        """The tables that a tenant's rows are read from."""
        scored = (lake.EXPERIENCE,) if one.scored else ()
        return (*self.tables, *scored, *((lake.SCORES,) if one.unlinked else ()))

    @property
    def required(self) -> slice:
        """The places of the grouped columns that the report's family requires."""
        return groups.required_places(self.report, self.query.group_by)

    @property
    def period_place(self) -> int | None:
        """The place of the period among the grouped columns, if it is one."""
        return groups.period_place(self.query.group_by)

    @property
    def split_by(self) -> tuple[str, ...]:
        """The columns that sums are split by: the grouped ones, and behind them the strata."""
        grouped = self.query.group_by
        return (*grouped, *(name for name in self.strata if name not in grouped))

    @property
    def frame(self) -> tuple[int, ...]:
        """The places of the grouped columns within which shares and changes are told, in order."""
        period = [] if self.period_place is None else [self.period_place]
        return tuple(sorted({*period, *range(self.required.start, self.required.stop)}))


def plan_of(report: Report, query: Query, tenants: Sequence[Tenant], key: Key) -> Plan:
    """The query as a key of these tenants asks it at this moment.

    Raises ForbiddenError where the report lacks a dimension that the key is bound to.
    """
    filters = both(
        query.filters,
        bound_filters(
            key,
            names_told(report, own_dimensions(tenants)),
            f"report {report.name} cannot tell",
        ),
    )
    fixed = {name: among(values) for name, values in report.fixed.items()}
    asked = {*query.group_by, *filters}
    tables = report.tables_telling(asked)
    own = both(both(filters, fixed), dict.fromkeys(report.not_null, not_null()))
    bots_left_out = any(table.tells_bots for table in tables) and let_bots_in(own)
    return Plan(
        report=report,
        query=query,
        tables=tables,
        tenants=tuple(
            _tenant_days(query, tables, tenant, own, scored=_scored(report, key, tenant, asked))
            for tenant in tenants
        ),
        filters=filters,
        all_filters=both(own, {lake.DEVICE: PEOPLE}) if bots_left_out else own,
        strata=_strata(report, tenants),
        min_sample=_min_sample(report.family, key, tenants, asked),
        bots_left_out=bots_left_out,
    )


def needs_of(plan: Plan) -> list[Needs]:
    """What is to be read for the answer, tenant by tenant and of each table by table."""
    query = plan.query
    grouped = {*query.group_by, *plan.strata, *([CURRENCY] if plan.report.by_currency else [])}
    if plan.report.linked_by:
        grouped.add(plan.report.linked_by)
    granularity = query.granularity if PERIOD in query.group_by else "total"
    entered_on = plan.report.entered_on if query.by_entered else None
    if entered_on:
        grouped.add(entered_on)
        granularity = "total"
    found = []
    for one in plan.tenants:
        own = read_from(plan.report, one.tenant)
        stored = {own.get(name, name) for name in grouped}
        filters = {
            column: condition
            for name, condition in plan.all_filters.items()
            if (column := own.get(name, name))
        }
        found += [
            Needs(
                table=table,
                tenant=one.tenant,
                dimensions=frozenset({*table.dimensions} & {*stored, *filters}),
                filters=filters,
                ranges=one.stored_under(table),
                months=granularity == "total" or one.has_whole_months,
                grouped=frozenset({*table.dimensions} & stored),
                granularity=granularity,
                bots_left_out=plan.bots_left_out and table.tells_bots,
                own=own,
                entered_on=entered_on,
                entered=one.ranges if entered_on else (),
            )
            for table in plan.tables
        ]
        if one.scored:
            found.append(_scores_needed(plan, one))
        if one.unlinked:
            found.append(_unlinked_needed(plan, one))
    return found


def _scores_needed(plan: Plan, one: TenantDays) -> Needs:
    """What is read of the answers whose scores stand for satisfactions (serve/satisfaction.py)."""
    table, its_own = lake.EXPERIENCE, satisfaction.filters(one.tenant)
    filters = {name: found for name, found in plan.all_filters.items() if name in table.dimensions}
    grouped = {*plan.query.group_by, satisfaction.ENTERED_ON, satisfaction.SCALE}
    return Needs(
        table=table,
        tenant=one.tenant,
        dimensions=frozenset({*table.dimensions} & {*grouped, *filters, *its_own}),
        filters=both(filters, its_own),
        ranges=one.stored_under(table),
        months=True,
        grouped=frozenset({*table.dimensions} & grouped),
        granularity="total",
        bots_left_out=True,
        entered_on=satisfaction.ENTERED_ON,
        entered=one.ranges,
        in_place_of=lake.INTERACTIONS,
    )


def _unlinked_needed(plan: Plan, one: TenantDays) -> Needs:
    """What is read of the answers that the table of experience lacks (serve/unlinked.py)."""
    known = {*lake.SURVEYED_DIMENSIONS}
    filters = {name: found for name, found in plan.all_filters.items() if name in known}
    grouped = known & {*plan.query.group_by}
    granularity = plan.query.granularity if PERIOD in plan.query.group_by else "total"
    return Needs(
        table=lake.SCORES,
        tenant=one.tenant,
        dimensions=frozenset(grouped | {*filters}),
        filters=filters,
        ranges=one.unlinked,
        months=granularity == "total" or one.has_whole_months,
        grouped=frozenset(grouped),
        granularity=granularity,
        bots_left_out=plan.bots_left_out,
        in_place_of=lake.EXPERIENCE,
    )


def bound_filters(key: Key, names: Collection[str], lacking: str) -> Filters:
    """The filters that the key is bound to.

    Raises ForbiddenError, ending in what is `lacking`, for a dimension that is not among the names.
    """
    for name in key.filters:
        if name not in names:
            raise ForbiddenError(
                "filter_not_applicable", f"This key is bound to one {name}, which {lacking}."
            )
    return {name: among(values) for name, values in key.filters.items()}


def _tenant_days(
    query: Query,
    tables: Sequence[lake.DailyTable],
    tenant: Tenant,
    filters: Filters,
    *,
    scored: bool,
) -> TenantDays:
    names = [table.name for table in tables]
    counts_unlinked = lake.EXPERIENCE in tables and not query.by_entered
    if counts_unlinked:
        names.append(lake.SCORES.name)
    dates = query.resolve(tenant, names)
    compared = days.COMPARISONS[query.compare](dates) if query.compare else None
    years = None
    if dates.preset == "all_time":  # one old answer makes no decades of empty rows
        states = (tenant.table(name).years.items() for name in names)
        years = frozenset(y for some in states for y, state in some if state.first_day) or None
        if years and query.by_entered:  # what entered late in a year is answered in the next, too
            years |= {year - 1 for year in years}
    found = TenantDays(tenant, dates, compared, query.granularity, years, query.by_entered, scored)
    if not counts_unlinked or not unlinked.pass_filters(filters):
        return found
    return replace(found, unlinked=unlinked.days_without_links(tenant, found.ranges))


def _strata(report: Report, tenants: Sequence[Tenant]) -> tuple[str, ...]:
    return strata_of(report, tenants, report.among.strata) if report.among else ()


def strata_of(report: Report, tenants: Sequence[Tenant], usual: tuple[str, ...]) -> tuple[str, ...]:
    """The dimensions of a report within which its rows are compared.

    They are those that the tenants have set, if all have set the same ones; otherwise `usual`.
    """
    wanted = {tenant.adjust_for for tenant in tenants}
    names = wanted.pop() if len(wanted) == 1 else usual
    return tuple(name for name in names if name in report.filter_names)


def _scored(report: Report, key: Key, tenant: Tenant, asked: set[str]) -> bool:
    """True where scores stand for satisfactions that interactions lack.

    They do not where a report key asks by person: such a key is told no few scores of a person.
    """
    if not report.by_scores or not tenant.satisfaction_from:
        return False
    return not _min_sample(EXPERIENCE, key, [tenant], asked)


def _min_sample(family: Family, key: Key, tenants: Sequence[Tenant], asked: set[str]) -> int:
    """The fewest answers whose figures the key may see where these dimensions are asked for.

    0 where all may be seen: docs/metrics.md withholds persons' scores from report keys alone.
    """
    persons = {dimension.name for dimension in family.dimensions if dimension.a_person}
    if key.kind != "report" or not persons & asked:
        return 0
    return max(tenant.min_sample for tenant in tenants)
