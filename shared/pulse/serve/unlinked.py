"""Answers of days to which no interaction can be linked, in reports on experience.

A day of the table of experience is built only if there is an interaction of any tenant that its
answers may link to (docs/decisions/0072). Of a day that is not built the table of scores has all
answers, and nothing of an interaction is known of any. So they are read there, and a reply does not
depend on what other tenants have sent (docs/decisions/0087).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from pulse import days, lake
from pulse.days import DateRange
from pulse.filters import Filters
from pulse.serve.block import Block
from pulse.serve.own_columns import OwnColumns
from pulse.tenants.tenant import TableState, Tenant


def pass_filters(filters: Filters) -> bool:
    """May answers that are linked to nothing pass the filters?"""
    return all(found.holds(None) for name, found in filters.items() if name in lake.EXPERIENCED)


def days_without_links(tenant: Tenant, ranges: Sequence[DateRange]) -> tuple[DateRange, ...]:
    """The days of the ranges of which the tenant's answers are in the table of scores alone.

    Days that wait for their build are not among them: links of theirs may come to be known. As long
    as the table of experience has not been built once, all days wait.
    """
    experience = tenant.table(lake.EXPERIENCE.name)
    if experience.as_of_us is None:
        return ()
    years = sorted({year for dates in ranges for year in dates.years})
    answered = _held(tenant.table(lake.SCORES.name), years)
    missing = {
        day
        for day in answered - _held(experience, years) - {*_waiting(experience, ranges)}
        if any(dates.start <= day <= dates.end for dates in ranges)
    }
    return days.ranges(missing, len(missing))


def as_experience(block: Block) -> Block:
    """Rows of the table of scores as rows of the table of experience that nothing is linked to."""
    columns = OwnColumns(block.columns, dict.fromkeys(lake.EXPERIENCED), len(block.day))
    return replace(block, table=lake.EXPERIENCE, columns=columns)


def _held(table: TableState, years: Sequence[int]) -> set[date]:
    """The days that a table's parts hold."""
    states = (table.years[year] for year in years if year in table.years)
    return {day for state in states for part in state.parts for day in part.days}


def _waiting(table: TableState, ranges: Sequence[DateRange]) -> Iterator[date]:
    """The days of the ranges that are not built, or not as they are by now."""
    behind = [*table.behind.failing, *table.behind.waiting]
    behind += [DateRange(date(year, 1, 1), date(year, 12, 31)) for year in table.behind.years]
    for dates in ranges:
        for one in behind:
            yield from DateRange(max(one.start, dates.start), min(one.end, dates.end))
