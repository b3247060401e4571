"""What happened in some days: the headlines, the worst run, what moved a score, what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from pulse import days
from pulse.days import DateRange
from pulse.errors import ForbiddenError
from pulse.filters import Condition, Filters, both
from pulse.reports.declarations import PERIOD, GroupSums
from pulse.reports.metrics import segments
from pulse.reports.moving import (
    Answers,
    Contributor,
    Group,
    Head,
    Mover,
    Place,
    TopContributor,
    contributors,
    movers,
    top_contributor,
    under_heads,
)
from pulse.reports.surveys import HEADLINES, SURVEY
from pulse.reports.worst_run import Span, WorstRun, worst_run
from pulse.serve.answer import figures_of
from pulse.serve.figures import Figures, Row
from pulse.serve.insights.insights_query import MOVED_BY
from pulse.serve.insights.reading import NOTHING, Counted, Measure, Reader, aggregated, counted
from pulse.serve.plan import Plan, TenantDays
from pulse.serve.query import Query
from pulse.serve.years import TenantYears

NAMED = tuple(name for name in MOVED_BY if not SURVEY.dimension(name).a_person)
"""Whose groups may be named: a bad week is not to be laid at somebody's door."""
MOST_BY_DAY, MOST_BY_WEEK = 400, 2_800
"""The worst days of so many days are looked for by day, of so many by week, of more by month."""


@dataclass(frozen=True)
class Headline:
    """A measure over the days asked for. `row` is its total in the report `daily`.

    It is of so many `surveys`; None where that is not at hand.
    """

    measure: Measure
    row: Row
    now: Answers
    before: Answers
    surveys: int | None

    @property
    def change(self) -> float | None:
        """In points; None where there is nothing to compare."""
        if not (self.now.estimate and self.before.estimate):
            return None
        return float(self.now.estimate.value - self.before.estimate.value)

    @property
    def significant(self) -> bool | None:
        """Is the change more than chance explains? None of too few answers to tell."""
        found = self.row.get("score_significant")
        return found if isinstance(found, bool) else None


@dataclass(frozen=True)
class Contacts:
    """How the contact centre fared: how many came, how many of them were accepted in time."""

    entered: int
    entered_before: int
    accepted_pct: Decimal
    accepted_pct_before: Decimal


@dataclass(frozen=True)
class Revenue:
    """What was earned in one currency, and how much more than before."""

    currency: str
    amount: Decimal
    change: Decimal


@dataclass(frozen=True)
class Cost:
    """What the worst days meant, beside as many days before. Withheld counts are None.

    `revenue` begins with the currency of most interactions.
    """

    answers: int
    answers_before: int
    bad: int | None
    bad_before: int | None
    contacts: Contacts | None
    revenue: Sequence[Revenue]


@dataclass(frozen=True)
class Worst:
    """The worst run of days, and of which measure it is.

    `within` is the top contributor among the answers of the run's own one. `cost` is None where
    it is not at hand.
    """

    measure: Measure
    run: WorstRun
    top: TopContributor | None
    within: TopContributor | None
    cost: Cost | None


@dataclass(frozen=True)
class Moved:
    """What moved a headline: the strongest of so many `groups`."""

    headline: Headline
    heads: Sequence[Head]
    groups: int


@dataclass(frozen=True)
class Findings:
    """All that is told of some days.

    Of the headlines comes first the one with the worst days, then what changed most for certain,
    then what has the most answers. Groups of the dimensions `left_out` were not compared, of those
    that are `cut` only the largest.
    """

    figures: Figures
    objects: TenantYears
    headlines: Sequence[Headline]
    worst: Worst | None
    moved: Moved | None
    left_out: Sequence[str]
    cut: Sequence[str]

    @property
    def plan(self) -> Plan:
        """The question that the headlines answer."""
        return self.figures.plan


def find(reader: Reader, plan: Plan) -> Findings:
    """What happened in the days of the plan, a question by metric and scale of `daily`."""
    query = plan.query
    granularity = _granularity(plan.tenants)
    by_period = replace(
        query, group_by=(PERIOD, *query.group_by), granularity=granularity, compare=None
    )
    series = reader.plan("daily", by_period)
    objects, rows = reader.rows([plan, series])
    figures = figures_of(plan, objects)
    names = reader.apart(MOVED_BY, query.filters)
    compared = names if query.compare else [name for name in names if name == "survey"]
    groups = reader.by(query, compared)
    headlines = _headlines(figures, groups.get("survey"))
    periods = counted(series, aggregated(series, rows), PERIOD)
    worst = _worst(reader, series, headlines, periods)
    headlines.sort(key=lambda one: _rank(one, worst))
    moved = _moved(reader, query, headlines[0], groups) if query.compare and headlines else None
    left_out = [name for name in compared if name not in groups]
    cut = [name for name, some in groups.items() if any(one.is_cut for one in some.values())]
    return Findings(figures, objects, headlines, worst, moved, left_out, cut)


# -- the headlines


def _headlines(figures: Figures, surveys: Mapping[Measure, Counted] | None) -> list[Headline]:
    found = []
    for line, row in zip(figures.totals.lines(), figures.cells(figures.totals), strict=True):
        measure = Measure(str(row["metric"]), str(row["scale"]))
        now, before = (
            _answers(summed, measure, figures.plan) for summed in (line.now, line.before)
        )
        number = None
        if surveys is not None:
            values = surveys[measure].values if measure in surveys else {}
            number = sum(any(counts) for counts, _ in values.values())
        found.append(Headline(measure, row, now, before, number))
    return sorted(found, key=lambda one: [*HEADLINES].index(one.measure.metric))


def _answers(summed: GroupSums | None, measure: Measure, plan: Plan) -> Answers:
    return Answers.of(summed.sums if summed else NOTHING, measure.rule, least=plan.min_sample)


def _rank(headline: Headline, worst: Worst | None) -> tuple[int, int]:
    if worst and worst.measure == headline.measure:
        return 0, 0
    return (1 if headline.significant else 2), -headline.now.n


# -- the worst days


def _granularity(tenants: Sequence[TenantDays]) -> str:
    """Of which periods the worst days are looked for."""
    longest = max(one.dates.days for one in tenants)
    if longest <= MOST_BY_DAY:
        return "day"
    return "week" if longest <= MOST_BY_WEEK else "month"


def _spans(tenants: Sequence[TenantDays], granularity: str, its: Counted) -> list[Span]:
    """Each period with its answers, and the first and last day of it that are asked for."""
    first = min(one.dates.start for one in tenants)
    last = max(one.dates.end for one in tenants)
    starts = sorted({date.fromisoformat(start) for one in tenants for start in one.periods})
    return [
        Span(max(start, first), min(_end(start, granularity), last), its.tally(start.isoformat()))
        for start in starts
    ]


def _end(start: date, granularity: str) -> date:
    """The last day of the period that begins on a day."""
    if granularity == "month":
        return (start + timedelta(days=31)).replace(day=1) - days.ONE_DAY
    return start + timedelta(days=6 if granularity == "week" else 0)


def _worst(
    reader: Reader, series: Plan, headlines: Sequence[Headline], answers: Mapping[Measure, Counted]
) -> Worst | None:
    """Of each measure's worst days those that stand out most, and all that is told of them."""
    found: list[tuple[Measure, WorstRun]] = []
    for headline in headlines:
        its, whole = answers.get(headline.measure), headline.now.estimate
        if its and whole:
            spans = _spans(series.tenants, series.query.granularity, its)
            if run := worst_run(spans, whole, least=max(1, its.least)):
                found.append((headline.measure, run))
    if not found:
        return None
    measure, run = max(found, key=lambda one: one[1].z)
    asked = replace(
        series.query,
        preset=None,
        dates=DateRange(run.first, run.last),
        granularity="total",
        group_by=("metric", "scale"),
        compare="previous_period",
        filters=both(series.query.filters, measure.filters),
    )
    whole_run = reader.plan("daily", asked)
    if not reader.is_at_hand(whole_run):
        return Worst(measure, run, None, None, None)
    (rows,) = reader.rows([whole_run])
    all_answers = counted(whole_run, aggregated(whole_run, rows), "metric")[measure]
    top = _top(reader, asked, all_answers.group(measure.metric))
    within = None
    if top:
        there = both(asked.filters, _at(top.mover.place))
        within = _top(reader, replace(asked, filters=there), top.mover)
    return Worst(measure, run, top, within, _cost(reader, asked, all_answers))


def _top(reader: Reader, asked: Query, whole: Group) -> TopContributor | None:
    """Who stands out among the answers to a query about one measure, which are these."""
    now, before = whole.now, whole.before
    if not (now.estimate and before.estimate):
        return None
    groups = reader.by(asked, reader.apart(NAMED, asked.filters))
    found = [
        mover
        for by_measure in groups.values()
        for some in by_measure.values()
        for mover in movers(some.groups(), now, before)
    ]
    return top_contributor(found, now, before)


def _at(place: Place) -> Filters:
    """The filter by a value as it is stored, whatever it may look like."""
    value = place.value if place.value is None else str(place.value)
    return {place.dimension: Condition(frozenset({value}))}


# -- what it cost


def _cost(reader: Reader, asked: Query, answers: Counted) -> Cost:
    now, before = answers.whole()
    bad, bad_before = (
        None if 0 < sum(some) < answers.least else segments(some, answers.measure.rule).bad
        for some in (now, before)
    )
    contacts, revenue = _contact_centre(reader, asked)
    return Cost(sum(now), sum(before), bad, bad_before, contacts, revenue)


def _contact_centre(reader: Reader, asked: Query) -> tuple[Contacts | None, Sequence[Revenue]]:
    """Contacts and revenue of the same days, where no filter stands that they do not know."""
    if {*asked.filters} - {*SURVEY.required}:
        return None, ()
    query = replace(asked, filters={})
    try:
        plans = [
            reader.plan("customer-perspective", replace(query, group_by=("media_type",))),
            reader.plan("revenue", replace(query, group_by=("currency",))),
        ]
    except ForbiddenError:  # the key is bound to what they do not know
        return None, ()
    if not all(map(reader.is_at_hand, plans)):
        return None, ()
    centre, earned = (
        figures_of(plan, rows) for plan, rows in zip(plans, reader.rows(plans), strict=True)
    )
    return _contacts([*centre.cells(centre.totals)]), _revenue([*earned.cells(earned.rows)])


def _contacts(totals: Sequence[Row]) -> Contacts | None:
    if not totals:
        return None
    row = totals[0]
    name = "accept_service_level_pct"
    now, before = row[name], row[f"{name}_previous"]
    entered, entered_before = row["entered"], row["entered_previous"]
    if not (isinstance(now, Decimal) and isinstance(before, Decimal)):
        return None
    if not (isinstance(entered, int) and isinstance(entered_before, int)):
        return None
    return Contacts(entered, entered_before, now, before)


def _revenue(rows: Sequence[Row]) -> list[Revenue]:
    def interactions(row: Row) -> int:
        found = row["interactions_with_revenue"]
        return found if isinstance(found, int) else 0

    return [
        Revenue(str(row["currency"]), amount, change)
        for row in sorted(rows, key=interactions, reverse=True)
        if isinstance(amount := row["revenue"], Decimal)
        and isinstance(change := row["revenue_change"], Decimal)
        and row["currency"] is not None
    ]


# -- what moved a headline


def _moved(
    reader: Reader,
    query: Query,
    headline: Headline,
    groups: Mapping[str, Mapping[Measure, Counted]],
) -> Moved | None:
    measure, now, before = headline.measure, headline.now, headline.before
    if not (now.estimate and before.estimate):
        return None
    known = {name: some[measure] for name, some in groups.items() if measure in some}
    found = [mover for some in known.values() for mover in movers(some.groups(), now, before)]
    measured = both(query.filters, measure.filters)

    def outside(head: Contributor, places: Sequence[Place]) -> list[Mover]:
        """The places as they would be without the answers of the head."""
        asked = replace(query, filters=both(measured, _at(head.place)))
        inside = reader.by(asked, dict.fromkeys(place.dimension for place in places))
        rest: list[Group] = []
        for place in places:
            if (its := inside.get(place.dimension)) is not None:
                whole = known[place.dimension]
                part = its.get(measure) or replace(whole, values={})
                rest.append(whole.without(part, place.value))
        return movers(rest, now, before)

    told = contributors(found)
    return Moved(headline, under_heads(told, now, before, outside), len(told))
