"""From a plan and the objects that hold its days to the reply: the whole of an answer in order.

A query is parsed (query.py), planned (plan.py) and its objects are loaded (years.py). Here their
rows are aggregated, both ranges compared, and a page rendered.
"""

from contextlib import suppress

from pulse.http import Reply
from pulse.serve import identity
from pulse.serve.aggregate import aggregate
from pulse.serve.among import among
from pulse.serve.block import Fold
from pulse.serve.columns import columns, with_names, withheld
from pulse.serve.compare import compare, totals
from pulse.serve.cursors import outdated
from pulse.serve.figures import Figures
from pulse.serve.folding import Folded, folds, ways_to_ask_less
from pulse.serve.groups import TooManyGroupsError
from pulse.serve.plan import Plan
from pulse.serve.reply import Page
from pulse.serve.years import TenantYears


def answer(plan: Plan, objects: TenantYears, raw_query: str) -> Reply:
    """The page that is asked for, made from the objects of these days.

    Raises OutdatedError for a cursor of other rows, UnprocessableError for more
    rows than can be told.
    """
    start = identity.start(plan)
    if start is None:
        raise outdated()
    figures = figures_of(plan, objects)
    page = Page(figures, figures.ordered(plan.query.order_by), start)
    return page.csv(raw_query) if plan.query.format == "csv" else page.json(objects)


def figures_of(plan: Plan, objects: TenantYears) -> Figures:
    """The rows of the reply. If there are too many, the largest groups and the sum of the rest.

    Raises TooManyGroupsError if even these are too many.
    """
    with suppress(TooManyGroupsError):
        return _figures(plan, objects)
    for fold, folded in folds(plan, objects):
        with suppress(TooManyGroupsError):
            return _figures(plan, objects, fold, folded)
    raise TooManyGroupsError(*ways_to_ask_less(plan.query))


def _figures(
    plan: Plan, objects: TenantYears, fold: Fold | None = None, folded: Folded | None = None
) -> Figures:
    query = plan.query
    found = aggregate(plan, objects, fold)
    shown = columns(
        plan.report, query.group_by, compared=query.compare is not None, subtotals=query.subtotals
    )
    rows = compare(plan, found)
    if declared := plan.report.among:
        rows = among(plan, declared, found, rows)
    return Figures(
        plan=plan,
        columns=with_names([*shown, withheld()] if plan.min_sample else shown, plan.names),
        rows=rows,
        totals=totals(plan, found),
        left_out=found.left_out,
        folded=folded,
    )
