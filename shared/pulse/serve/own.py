"""Tenants' own dimensions in reports: named by their keys, read from the columns that keys have.

Which column a key has differs from tenant to tenant. So questions, plans and replies know keys, and
what is read of a tenant knows its columns (docs/decisions/0074).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from pulse import lake
from pulse.reports.declarations import PERIOD, TENANT, Dimension, Family, Report
from pulse.reports.registry import FAMILIES, REPORTS
from pulse.serve import query
from pulse.serve.columns import NAMED, WITHHELD, columns
from pulse.tenants.own_dimensions import columns_of
from pulse.tenants.tenant import Tenant


def own_dimensions(tenants: Iterable[Tenant]) -> tuple[Dimension, ...]:
    """The dimensions that any of the tenants has declared, given up or not, each once.

    One whose name has come to mean something else in the reports that would have it is left out.
    One whose name came to reports of another family stays, though none can be declared so any more.
    """
    keys = dict.fromkeys(key for tenant in tenants for key in tenant.dimensions)
    return tuple(_dimension(key) for key in keys if key not in _names_beside())


def with_own(report: Report, own: tuple[Dimension, ...]) -> Report:
    """The report with these dimensions, if its family is told apart by any.

    One whose name the family has for something else is left out.
    """
    if not report.family.dataset.slots:
        return report
    taken = report.family.dimension_names
    return replace(report, own=tuple(one for one in own if one.name not in taken))


def read_from(report: Report, tenant: Tenant) -> dict[str, str | None]:
    """By the names of a report's own dimensions a tenant's column of each; None if it lacks one."""
    found = columns_of(tenant.dimensions)
    return {dimension.name: found.get(dimension.name) for dimension in report.own}


def names_told(report: Report, own: Iterable[Dimension]) -> frozenset[str]:
    """What a key of tenants with these own dimensions can be bound to, so that the report tells it.

    A dimension of the report is not meant by a key that is bound to a tenant's own of that name.
    """
    elsewhere = {*own} - {*report.own}
    return frozenset({*report.filter_names} - {dimension.name for dimension in elsewhere})


@cache
def taken_names() -> frozenset[str]:
    """What no tenant can call a dimension, since queries or replies have something of that name."""
    return frozenset((*_names(FAMILIES.values()), *lake.COMMENT_EXPERIENCE))


@cache
def _names_beside() -> frozenset[str]:
    """What else has a name in queries and replies that tenants' own dimensions are in."""
    return frozenset(_names([family for family in FAMILIES.values() if family.dataset.slots]))


def _names(families: Iterable[Family]) -> Iterator[str]:
    """The names in queries and replies of these families, and in those of no family."""
    among = {family.name: family for family in families}
    yield from (
        *query.PARAMETERS,
        query.DATE_BASIS,
        PERIOD,
        TENANT.name,
        WITHHELD,
        *lake.TAG_SLOTS,
        *(name for name in lake.COMMENT_COLUMNS if name not in lake.COMMENT_EXPERIENCE),
    )
    yield from ("family", "q", "key", "segment", "score", "order", "contrast", "against", "lang")
    yield from (f"{name}_name" for name in NAMED)
    for family in among.values():
        yield from (family.name, *family.dimension_names)
    for report in (one for one in REPORTS.values() if one.family.name in among):
        yield from (dimension.name for dimension in report.dimensions)
        shown = columns(report, report.group_by, compared=True, subtotals=True)
        yield from (column.name for column in shown)
        if report.breakdown:
            yield from (dimension.name for dimension in report.breakdown.dimensions)


def _dimension(key: str) -> Dimension:
    return Dimension(key, key, f"The tag {key} of the answers.", open=True)
