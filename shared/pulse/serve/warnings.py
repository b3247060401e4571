"""The warnings of a reply: what its readers have to know beside the figures.

Builders write on the tenant's record which days of a table they could not build, and rows show by
the value `(other)` that values were counted together. So no warning needs a read of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, product

from pulse import lake
from pulse.days import DateRange
from pulse.filters import Filters
from pulse.reports.experiences import EXPERIENCE
from pulse.serve.folding import Folded
from pulse.serve.groups import Key
from pulse.serve.plan import Plan, TenantDays
from pulse.serve.years import TenantYears
from pulse.tenants.tenant import Behind
from pulse.texts import tidy

Warnings = list[tuple[str, str]]
"""Codes, which programs may go by, each with a sentence."""

_MOST_NAMED = 5
_LONGEST_SHOWN = 64


def nothing_built(plan: Plan) -> Warnings:
    """Which of the tenants have no report yet."""
    return [
        ("nothing_built", f"No report of tenant {one.tenant.id} has been built yet.")
        for one in plan.tenants
        if not _is_built(plan, one)
    ]


def _is_built(plan: Plan, one: TenantDays) -> bool:
    """True once there is something to read, or a build has found that there is nothing."""
    tables = [one.tenant.table(table.name) for table in plan.tables_of(one)]
    return any(table.as_of_us is not None or table.published_years for table in tables)


def not_told_apart(plan: Plan) -> Warnings:
    """Of which of the report's tables the figures are null, since they lack a dimension."""
    return [
        (
            f"{table.name}_not_told_apart",
            f"Figures of {table.name} are null: they are told by "
            f"{', '.join(table.dimensions)} alone.",
        )
        for table in plan.report.tables
        if table not in plan.tables
    ]


def filters(conditions: Filters) -> Warnings:
    """Which filters nothing can pass."""
    found: Warnings = []
    for name, condition in conditions.items():
        if not condition.values and not condition.negated:
            message = f"The filters on {name} exclude each other: nothing can pass them."
            found.append(("contradicting_filters", message))
        if lake.REST in condition.values:
            message = f"{name}: {lake.REST} names groups of a reply, and is no value to filter by."
            found.append(("filter_by_rest", message))
    return found


def nameless(plan: Plan) -> Warnings:
    """That names could not be read."""
    if not plan.lacks_names:
        return []
    return [("names_unavailable", "Display names cannot be read just now.")]


def unmatched(plan: Plan, objects: TenantYears) -> Warnings:
    """Which values of the query's filters no row has of the days asked for or compared with.

    What Athena has made holds only what passes all filters together, and so does not tell.
    """
    read = [(year, one.ranges) for one in plan.tenants for year in objects[one.tenant.id]]
    if not read or any(year.engine == "athena" for year, _ in read):
        return []
    found: Warnings = []
    for name, condition in plan.query.filters.items():
        known = {
            value for year, ranges in read for dates in ranges for value in year.values(dates, name)
        }
        if lake.OTHER in known:  # any value may be among those that are counted together
            continue
        forms: dict[str, set[str]] = defaultdict(set)
        for value in condition.values:
            if value is None or value in (lake.OTHER, lake.REST):
                continue
            forms[tidy(value) or value].add(value)
        unknown = sorted(value for value, written in forms.items() if not written & known)
        if unknown:
            found.append(("filter_matches_nothing", _unknown(name, unknown)))
    return found


def _unknown(name: str, values: Sequence[str]) -> str:
    named = ", ".join(_quoted(value) for value in values[:_MOST_NAMED])
    more = f" and {len(values) - _MOST_NAMED} more" if len(values) > _MOST_NAMED else ""
    which = "the value" if len(values) == 1 else "any of the values"
    message = f"{name}: nothing in the days asked for has {which} {named}{more}."
    if any("," in value for value in values):
        message += (
            " A comma that is written as %2C belongs to the value; for several values write "
            f"{name}=a,b or {name}=a&{name}=b."
        )
    return message


def _quoted(value: str) -> str:
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")


def unbuilt(plan: Plan) -> Warnings:
    """Which days, asked for or compared with, have events that the figures do not show.

    And which tenants have sent their first events, of which there is no report yet.
    """
    found: Warnings = [
        (
            "first_events_waiting",
            f"The first events of tenant {one.tenant.id} have arrived, and wait for their build.",
        )
        for one in plan.tenants
        if one.tenant.started and not one.tenant.has_reports
    ]
    for one in plan.tenants:
        whose = f" of tenant {one.tenant.id}" if len(plan.tenants) > 1 else ""
        failing, waiting = _days(plan, one)
        if failing:
            message = (
                f"Days{whose} that cannot be built: {_named(failing)}. Their figures are missing "
                "or older than what was sent; whoever operates Pulse has been told."
            )
            found.append(("days_failing", message))
        if waiting:
            message = (
                f"Days{whose} that wait for the next build: {_named(waiting)}. What was sent of "
                "them since they were built is not in the figures yet."
            )
            found.append(("days_waiting", message))
    return found


def values_folded(plan: Plan, objects: TenantYears) -> Warnings:
    """Which dimensions that are asked for have values of the days that are counted as `(other)`."""
    may_be = {*lake.OPEN_DIMENSIONS, *(dimension.name for dimension in plan.report.own)}
    told = [
        name
        for name in dict.fromkeys([*plan.query.group_by, *plan.all_filters])
        if name in may_be
        and any(
            year.has(dates, name, lake.OTHER)
            for one in plan.tenants
            for year in objects[one.tenant.id]
            for dates in one.ranges
        )
    ]
    if not told:
        return []
    message = (
        f"Values of {', '.join(told)} that public keys sent are counted together as {lake.OTHER} "
        "on days that had more of them than are kept apart."
    )
    return [("values_folded", message)]


def bots(plan: Plan, objects: TenantYears) -> Warnings:
    """How many answers of bots the filters would let in, but that bots are left out."""
    if not plan.bots_left_out and not any(one.scored for one in plan.tenants):
        return []
    left_out = sum(
        year.bots(one.dates, plan.all_filters)
        for one in plan.tenants
        for year in objects[one.tenant.id]
    )
    if not left_out:
        return []
    answers = "answer of a bot is" if left_out == 1 else "answers of bots are"
    message = (
        f"{left_out:,} {answers} left out, as always unless the filter on device names "
        f"{lake.BOT}: {lake.DEVICE}={lake.BOT} shows these alone."
    )
    if not plan.bots_left_out:
        message = (
            f"{left_out:,} {answers} left out whose scores would stand for satisfactions: the "
            f"report {EXPERIENCE.name} shows them by {lake.DEVICE}={lake.BOT}."
        )
    return [("bots_left_out", message)]


def rest(folded: Folded | None) -> Warnings:
    """How many groups have no row of their own."""
    if folded is None:
        return []
    message = (
        f"The {folded.kept:,} groups of the most answers have rows of their own; what is "
        f"called {lake.REST} is the sum of all others, {folded.total - folded.kept:,} of them."
    )
    return [("groups_folded", message)]


def unjudged(left_out: Mapping[Key, int]) -> Warnings:
    """How many answers are left out of all figures: this version cannot judge their scores."""
    if not left_out:
        return []
    answers = sum(left_out.values())
    scales = sorted({" ".join(map(str, key)) for key in left_out})
    more = f" and {len(scales) - _MOST_NAMED} more" if len(scales) > _MOST_NAMED else ""
    message = (
        f"{answers} answers are left out, of scales or with scores that this version of Pulse does "
        f"not know: {', '.join(scales[:_MOST_NAMED])}{more}."
    )
    return [("unknown_scales", message)]


def _days(plan: Plan, asked: TenantDays) -> tuple[list[DateRange], list[DateRange]]:
    """The tenant's days that are failing and those that are waiting, in any of the tables."""
    failing: list[DateRange] = []
    waiting: list[DateRange] = []
    for table in plan.tables_of(asked):
        behind, ranges = asked.tenant.table(table.name).behind, asked.stored_under(table)
        failing += _within(ranges, chain(behind.failing, _years(behind, failing=True)))
        waiting += _within(ranges, chain(behind.waiting, _years(behind, failing=False)))
    return _in_order(failing), _in_order(waiting)


def _years(behind: Behind, *, failing: bool) -> Iterator[DateRange]:
    for year, told in behind.years.items():
        if told.failing == failing:
            yield DateRange(date(year, 1, 1), date(year, 12, 31))


def _within(days: Iterable[DateRange], ranges: Iterable[DateRange]) -> Iterator[DateRange]:
    """The parts of the ranges that are among these days."""
    for one, asked in product(ranges, days):
        if one.start <= asked.end and asked.start <= one.end:
            yield DateRange(max(one.start, asked.start), min(one.end, asked.end))


def _in_order(ranges: Iterable[DateRange]) -> list[DateRange]:
    """The ranges in order; those that share days are one, as tables may wait for the same days."""
    found: list[DateRange] = []
    for one in sorted(ranges, key=lambda some: (some.start, some.end)):
        if found and one.start <= found[-1].end:
            found[-1] = DateRange(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(DateRange(one.start, one.end))
    return found


def _named(ranges: Sequence[DateRange]) -> str:
    names = [
        str(one.start) if one.start == one.end else f"{one.start} to {one.end}"
        for one in ranges[:_MOST_NAMED]
    ]
    more = len(ranges) - _MOST_NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
