"""What a plan, its rows and its reply are called: cursors and ETags hold by these names."""

from pulse.serve import meta, warnings
from pulse.serve.columns import name_column
from pulse.serve.cursors import Cursor, fingerprint
from pulse.serve.plan import Plan, TenantDays

_FORM = 8
"""Raise it when the same objects give other bytes: ETags and cursors then differ too."""


def question_name(plan: Plan) -> str:
    """Names the question whatever the day and the data: pages of one reply share it."""
    query = plan.query
    return fingerprint(
        _FORM,
        [one.tenant.id for one in plan.tenants],
        plan.report.name,
        query.preset,
        query.dates and [query.dates.start, query.dates.end],
        query.compare,
        query.granularity,
        query.group_by,
        query.fill,
        query.subtotals,
        {name: condition.shown() for name, condition in plan.all_filters.items()},
        [[order.column, order.descending] for order in query.order_by],
        plan.strata,
        plan.min_sample,
        *([query.date_basis] if query.date_basis else []),
    )


def rows_name(plan: Plan) -> str:
    """Names the rows that answer the question in their order, as the tenants' records tell of them.

    The same rows have the same name, whatever objects they are read from. Where they are ordered by
    names, other names may be another order.
    """
    ordered = {order.column for order in plan.query.order_by}
    names = {one: known for one, known in plan.names.items() if name_column(one) in ordered}
    rows = [_days_and_rows(plan, one) for one in plan.tenants]
    return fingerprint(question_name(plan), rows, *([names] if names else []))


def etag(plan: Plan) -> str:
    """Names the reply, byte by byte but for what its figures were read from (meta.engine)."""
    query = plan.query
    form = (query.format, [query.csv.excel, query.csv.semicolon])
    shown = (meta.described(plan), warnings.unbuilt(plan), plan.names, plan.lacks_names)
    parts = (*shown, *form, query.limit, query.cursor)
    return f'"{fingerprint(rows_name(plan), *parts)}"'


def cursor_at(plan: Plan, position: int) -> str:
    """The cursor of a row's position in the plan's rows."""
    return Cursor(question_name(plan), rows_name(plan), position).text()


def start(plan: Plan) -> int | None:
    """Where the page begins; None for a cursor that was cut from other rows.

    Raises BadRequestError for a cursor of another question.
    """
    if plan.query.cursor is None:
        return 0
    cursor = Cursor.of_question(plan.query.cursor, question_name(plan))
    return cursor.position if cursor.content == rows_name(plan) else None


def _days_and_rows(plan: Plan, one: TenantDays) -> list[object]:
    """A tenant's days, and by table and year what has changed last of their rows."""
    contents = [
        (table.name, year, state.content)
        for table in plan.tables_of(one)
        for touched in [{year for dates in one.stored_under(table) for year in dates.years}]
        for year, state in sorted(one.tenant.table(table.name).years.items())
        if year in touched and state.published
    ]
    if one.scored:
        contents.append((one.tenant.satisfaction_from, 0, one.tenant.satisfaction_scale))
    compared = one.compared and meta.first_and_last(one.compared)
    return [meta.first_and_last(one.dates), compared, one.tenant.week_start, contents]
