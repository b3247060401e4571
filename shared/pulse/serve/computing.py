"""From a question and its objects to the figures of the reply, folded where they are too many."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pulse import lake
from pulse.filters import Filters
from pulse.reports.declarations import CURRENCY, PERIOD, Report
from pulse.reports.sums import Layout
from pulse.serve import groups
from pulse.serve.cells import Fold
from pulse.serve.columns import Column, columns, withheld
from pulse.serve.figures import Figures, Folded, Side
from pulse.serve.folding import LEAST_KEPT, Ranking, Tally, open_columns
from pulse.serve.groups import Groups, TooManyGroupsError
from pulse.serve.query import Query
from pulse.serve.spans import Span
from pulse.serve.years import TenantYears


@dataclass(frozen=True)
class Computation:
    """A question (see Question for its members) with the objects that hold its days."""

    report: Report
    query: Query
    tables: tuple[lake.Dataset, ...]
    spans: tuple[Span, ...]
    filters: Filters
    """Every filter that holds, the report's own included."""
    min_sample: int
    objects: TenantYears

    def figures(self) -> Figures:
        """The rows of the reply. If there are too many, the largest groups and the sum of the rest.

        Raises TooManyGroupsError if even these are too many.
        """
        try:
            return self._told()
        except TooManyGroupsError:
            pass  # outside of this block the groups made so far are no longer held in memory
        opened = open_columns(self.report, self.query.group_by)
        if opened:
            ranking = Ranking(self.tally(self._stored), opened)
            for most in self._choices(ranking):
                with suppress(TooManyGroupsError):
                    told = self._told(ranking.kept(most).fold)
                    return replace(told, folded=Folded(most, ranking.total))
        raise TooManyGroupsError(*self._ways_to_ask_less())

    @property
    def _stored(self) -> list[str]:
        """The grouped columns that groups have before they are split by count."""
        by_count = self.report.by_count
        return [name for name in self.query.group_by if not (by_count and name == by_count.name)]

    def tally(self, names: Sequence[str]) -> Tally:
        """How much each group by these columns counts, however many groups there are."""
        tally = Tally(names)
        for span in self.spans:
            span.count(self.objects[span.tenant.id], self.filters, tally)
        return tally

    def _choices(self, ranking: Ranking) -> Iterator[int]:
        """How many groups to keep: numbers that may not make too many rows, the largest first."""
        room = groups.MOST_GROUPS // self._times
        # a rest of a single group would show that group under another name: leave two or more
        most = min(room, ranking.eligible, ranking.total - 2)
        if self._rows_at_least(ranking, LEAST_KEPT) > room:
            return
        while most >= LEAST_KEPT:
            rows = self._rows_at_least(ranking, most)
            if rows <= room:
                yield most
                most //= 2  # subtotals and the like make more rows than can be told beforehand
            else:
                most = min(most * room // rows, most * 7 // 8)

    def _rows_at_least(self, ranking: Ranking, kept: int) -> int:
        """The least number of rows that so many groups make, without making the rows."""
        fills = self.query.fill and PERIOD in self.query.group_by
        rows = ranking.rows(ranking.kept(kept).fold, without=[PERIOD] if fills else [])
        rows *= max(span.periods for span in self.spans) if fills else 1
        return rows * (len(self.report.family.dataset.measures) if self.report.by_count else 1)

    @property
    def _times(self) -> int:
        """How often the figures of each row are computed, those of the page aside."""
        labels = {*self.query.group_by, "level"}
        orders = sum(order.column not in labels for order in self.query.order_by)
        return 1 + orders * (2 if self.query.compare else 1)

    def _ways_to_ask_less(self) -> Iterator[str]:
        query = self.query
        if PERIOD in query.group_by:
            yield "ask for fewer days"
            if query.granularity != "month":
                yield "a coarser granularity"
        given = {
            "fill": query.fill,
            "subtotals": query.subtotals,
            "compare": query.compare,
            "order_by": self._times > 1,
        }
        if left_out := [name for name, is_given in given.items() if is_given]:
            yield f"leave out {' or '.join(left_out)}"
        yield "group by fewer dimensions"

    def _told(self, fold: Fold | None = None) -> Figures:
        layout = self._layout()
        now: list[Groups] = []
        before: list[Groups] = []
        keys: set[groups.Key] = set()
        left_out: list[Groups] = []
        for span in self.spans:
            years = self.objects[span.tenant.id]
            for side, found in (
                (now, span.now(years, self.filters, layout, fold)),
                (before, span.before(years, self.filters, layout, fold)),
            ):
                judged, unjudged = groups.judged(self.report, self.query.group_by, found)
                side.append(judged)
                left_out.append(unjudged)
            keys |= span.keys({*now[-1], *before[-1]})
            groups.check_size(len(keys))
        return Figures(
            now=self._side(now, layout),
            before=self._side(before, layout) if self.query.compare else None,
            keys=self._rows(keys),
            columns=self._columns,
            left_out=groups.merge(left_out),
        )

    def _layout(self) -> Layout:
        """What stands where in the sums, with all currencies that these days have."""
        by_currency = self.report.by_currency
        if not by_currency:
            return Layout(self.tables)
        known = {
            currency
            for span in self.spans
            for year in self.objects[span.tenant.id]
            for dates in span.ranges
            for currency in year.values(dates, CURRENCY)
            if currency is not None
        }
        return Layout(self.tables, by_currency, tuple(sorted(known)))

    def _side(self, parts: Sequence[Groups], layout: Layout) -> Side:
        """One side of the figures: the sums of every tenant, and those over all scales."""
        group_by = self.query.group_by
        found = groups.merge(parts)
        groups.check_size(len(found), layout.width)
        if self.report.over_all:
            found = groups.with_over_all(found, groups.apart(self.report, group_by))
        return Side(self.report, group_by, layout, found, self.query.subtotals, self.min_sample)

    def _rows(self, keys: set[groups.Key]) -> set[groups.Key]:
        """The keys of every row: of these groups, and of those that the query or report adds."""
        apart = groups.apart(self.report, self.query.group_by)
        keys = groups.with_always(self.report, self.query.group_by, keys)
        if self.report.over_all:
            keys |= {groups.over_all(key, apart) for key in keys}
        if self.query.subtotals:
            keys |= {part for key in keys for part in groups.beginnings(key, apart.stop)}
        place = groups.period_place(self.query.group_by)
        if place is not None:  # a period without a counterpart has no rows of its own
            keys = {key for key in keys if len(key) <= place or key[place] is not None}
        groups.check_size(len(keys), times=self._times)
        return keys

    @property
    def _columns(self) -> list[Column]:
        query = self.query
        compared = query.compare is not None
        found = columns(self.report, query.group_by, compared=compared, subtotals=query.subtotals)
        return [*found, withheld()] if self.min_sample else found
