"""A question and its reply: a query of a report, asked by a key of one tenant or several."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from pulse import days, lake
from pulse.csv_cells import csv_line
from pulse.days import DateRange
from pulse.errors import ForbiddenError
from pulse.http import JSON, Reply
from pulse.lake import REST
from pulse.reports.declarations import CURRENCY, PERIOD, TENANT, Report
from pulse.reports.sums import Layout
from pulse.serve import figures, groups, warnings
from pulse.serve.cells import Fold
from pulse.serve.columns import Column, columns, withheld
from pulse.serve.conditions import Filters, among, both, given
from pulse.serve.cursors import Cursor, fingerprint, outdated
from pulse.serve.figures import Figures, Folded, Side
from pulse.serve.folding import LEAST_KEPT, Ranking, Tally, open_columns
from pulse.serve.formats import PAGE_BYTES, fill, json_array, json_object, to_json
from pulse.serve.groups import Groups, TooManyGroupsError
from pulse.serve.query import Query, refusal
from pulse.serve.spans import Span
from pulse.serve.years import TenantYears
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant

CSV = "text/csv; charset=utf-8; header=present"
_FORM = 3
"""Raise it when the same objects give other bytes: ETags and cursors then differ too."""


@dataclass(frozen=True)
class Question:
    """What is asked, with the days that it means now and every filter that holds."""

    report: Report
    query: Query
    tables: tuple[lake.Dataset, ...]
    """Of the report's tables, those that know all that is asked for."""
    spans: tuple[Span, ...]
    """Each tenant's days."""
    filters: Filters
    """The query's and the key's; the report's own are not among them."""
    min_sample: int

    @classmethod
    def ask(cls, report: Report, query: Query, tenants: Sequence[Tenant], key: Key) -> "Question":
        """The question that a key of these tenants asks, narrowed by the key's own filters.

        Raises ForbiddenError where the report lacks a dimension that the key is bound to.
        """
        for name in key.filters:
            if name not in report.filter_names:
                raise ForbiddenError(
                    "filter_not_applicable",
                    f"This key is bound to one {name}, which report {report.name} cannot tell.",
                )
        bound = {name: among(values) for name, values in key.filters.items()}
        filters = both(query.filters, bound)
        threshold = max(tenant.min_sample for tenant in tenants)
        asked = {*query.group_by, *filters}
        tables = report.tables_telling(asked)
        return cls(
            report=report,
            query=query,
            tables=tables,
            spans=tuple(Span.of(report, query, tables, tenant) for tenant in tenants),
            filters=filters,
            min_sample=figures.min_sample(key.kind, threshold, report.family, asked),
        )

    @cached_property
    def all_filters(self) -> Filters:
        """Every filter that holds, the report's own included."""
        fixed = {name: among(values) for name, values in self.report.fixed.items()}
        return both(both(self.filters, fixed), dict.fromkeys(self.report.given, given()))

    @cached_property
    def asked(self) -> str:
        """Names the question whatever the day and the data: pages of one reply share it."""
        query = self.query
        return fingerprint(
            _FORM,
            [span.tenant.id for span in self.spans],
            self.report.name,
            query.preset,
            query.dates and [query.dates.start, query.dates.end],
            query.compare,
            query.granularity,
            query.group_by,
            query.fill,
            query.subtotals,
            {name: condition.shown() for name, condition in self.all_filters.items()},
            [[order.column, order.descending] for order in query.order_by],
            self.min_sample,
        )

    def content(self, objects: TenantYears) -> str:
        """Names the rows that these objects make for the question."""
        return fingerprint(
            self.asked,
            [
                [
                    _days(span.dates),
                    span.compared and _days(span.compared),
                    span.tenant.week_start,
                    [year.etag for year in objects[span.tenant.id]],
                ]
                for span in self.spans
            ],
        )

    def etag(self, objects: TenantYears) -> str:
        """Names the reply, byte by byte."""
        query = self.query
        parts = (self._meta, self._unbuilt, query.format, query.limit, query.cursor)
        return f'"{fingerprint(self.content(objects), *parts)}"'

    def goes_on_in(self, objects: TenantYears) -> bool:
        """True unless the cursor was cut from other rows than these objects make.

        Raises BadRequestError for a cursor of another question.
        """
        return self._cursor is None or self._cursor.content == self.content(objects)

    @cached_property
    def _cursor(self) -> Cursor | None:
        if self.query.cursor is None:
            return None
        cursor = Cursor.parse(self.query.cursor)
        if cursor.asked != self.asked:
            raise refusal("cursor", "invalid_cursor", "It belongs to another query.")
        return cursor

    # -- the reply

    def reply(self, objects: TenantYears, raw_query: str) -> Reply:
        """The page that is asked for, made from the objects of these days.

        Raises OutdatedError for a cursor of other rows, UnprocessableError for more
        rows than can be told.
        """
        if not self.goes_on_in(objects):
            raise outdated()
        found = self._figures(objects)
        keys = found.ordered(self.query.order_by)
        page = _Page(self, found, keys, self._cursor.position if self._cursor else 0, objects)
        return page.csv(raw_query) if self.query.format == "csv" else page.json()

    def _figures(self, objects: TenantYears) -> Figures:
        """The rows to be; where there are too many, those of the largest groups and of the rest.

        Raises TooManyGroupsError where these are too many, too.
        """
        try:
            return self._told(objects)
        except TooManyGroupsError:
            pass  # and go on outside, where the groups made so far are no longer held
        opened = open_columns(self.report, self.query.group_by)
        if opened:
            ranking = Ranking(self.tally(objects, self._stored), opened)
            for most in self._choices(ranking):
                with suppress(TooManyGroupsError):
                    told = self._told(objects, ranking.kept(most).fold)
                    return replace(told, folded=Folded(most, ranking.total))
        raise TooManyGroupsError(*self._ways_to_ask_less())

    @property
    def _stored(self) -> list[str]:
        """The grouped columns that groups have before they are split by count."""
        by_count = self.report.by_count
        return [name for name in self.query.group_by if not (by_count and name == by_count.name)]

    def tally(self, objects: TenantYears, names: Sequence[str]) -> Tally:
        """How much each group by these columns counts, however many there are."""
        tally = Tally(names)
        for span in self.spans:
            span.count(objects[span.tenant.id], self.all_filters, tally)
        return tally

    def _choices(self, ranking: Ranking) -> Iterator[int]:
        """Numbers of groups to keep that may make no more rows than there may be, from the top."""
        room = groups.MOST_GROUPS // self._times
        # a rest of one group would tell of that group, under another name: it is of two or more
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
        """How many rows so many groups make, told without making them."""
        fills = self.query.fill and PERIOD in self.query.group_by
        rows = ranking.rows(ranking.kept(kept).fold, without=[PERIOD] if fills else [])
        rows *= max(span.periods for span in self.spans) if fills else 1
        return rows * (len(self.report.family.dataset.measures) if self.report.by_count else 1)

    @property
    def _times(self) -> int:
        """How often each row's figures are worked out, but for those of a page."""
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

    def _told(self, objects: TenantYears, fold: Fold | None = None) -> Figures:
        layout = self._layout(objects)
        now: list[Groups] = []
        before: list[Groups] = []
        keys: set[groups.Key] = set()
        left_out: list[Groups] = []
        for span in self.spans:
            years = objects[span.tenant.id]
            for side, found in (
                (now, span.now(years, self.all_filters, layout, fold)),
                (before, span.before(years, self.all_filters, layout, fold)),
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

    def _layout(self, objects: TenantYears) -> Layout:
        """What stands where in the sums that these objects make, all currencies that they know."""
        by_currency = self.report.by_currency
        if not by_currency:
            return Layout(self.tables)
        known = {
            currency
            for years in objects.values()
            for year in years
            for currency in year.cells.columns[CURRENCY].values
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

    def meta(self, objects: TenantYears, made: Figures | None = None) -> dict[str, Any]:
        """What the reply says of itself, and of the figures that were made for it."""
        found = self._warnings(objects)
        if made:
            found += [*warnings.rest(made.folded), *warnings.unjudged(made.left_out)]
        return {
            **self._meta,
            "formulas": made.formulas if made else [],
            "warnings": [{"code": code, "message": message} for code, message in found],
        }

    @cached_property
    def _unbuilt(self) -> warnings.Warnings:
        """What the objects do not tell: days that could not be built."""
        return warnings.unbuilt(self.spans)

    @cached_property
    def _meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = {
            "date_range": {"preset": self.query.preset, **self._each(_dates_of)},
            "as_of": self._as_of,
            "filters": {name: condition.shown() for name, condition in self.filters.items()},
        }
        if self.query.compare:
            meta["compare"] = {"with": self.query.compare, **self._each(_compared_of)}
        return meta

    def _each(self, describe: Callable[[Span], dict[str, str]]) -> dict[str, Any]:
        """A description of the tenant's days; where the query names tenants, of each one's."""
        if self.query.tenants is None:
            return describe(self.spans[0])
        return {"tenants": [{TENANT.name: span.tenant.id, **describe(span)} for span in self.spans]}

    @property
    def _as_of(self) -> str | None:
        """When the builds ran that the reply reflects: the earliest of several tenants'."""
        us = min((span.as_of_us for span in self.spans if span.as_of_us), default=None)
        return days.iso(us // days.SECOND * days.SECOND) if us is not None else None

    def _warnings(self, objects: TenantYears) -> warnings.Warnings:
        found = [
            ("nothing_built", f"No report of tenant {span.tenant.id} has been built yet.")
            for span in self.spans
            if span.as_of_us is None
        ]
        found += self._unbuilt
        found += warnings.folded(
            self.spans, dict.fromkeys([*self.query.group_by, *self.all_filters]), objects
        )
        if more := max(span.unpaired for span in self.spans):
            message = f"The range compared with has {more} periods more: see the totals."
            found.append(("unpaired_periods", message))
        for table in self.report.tables:
            if table not in self.tables:
                told = ", ".join(table.dimensions)
                message = f"Figures of {table.name} are null: they are told by {told} alone."
                found.append((f"{table.name}_not_told_apart", message))
        for name, condition in self.all_filters.items():
            if not condition.values and not condition.negated:
                message = f"The filters on {name} exclude each other: nothing can pass them."
                found.append(("contradicting_filters", message))
            if REST in condition.values:
                message = f"{name}: {REST} names groups of a reply, and is no value to filter by."
                found.append(("filter_by_rest", message))
        return found


def _days(dates: DateRange) -> dict[str, str]:
    return {"start_date": dates.start.isoformat(), "end_date": dates.end.isoformat()}


def _dates_of(span: Span) -> dict[str, str]:
    return {**_days(span.dates), "timezone": span.tenant.timezone}


def _compared_of(span: Span) -> dict[str, str]:
    return _days(span.compared) if span.compared else {}


@dataclass(frozen=True)
class _Page:
    """Rows of a reply from a position on, as many as fit."""

    question: Question
    figures: Figures
    keys: Sequence[groups.Key]
    start: int
    objects: TenantYears

    def json(self) -> Reply:
        members = {
            "report": to_json(self.question.report.name),
            "meta": to_json(self.question.meta(self.objects, self.figures)),
            "columns": to_json([column.shown for column in self.figures.columns]),
            "rows": "",
            "totals": to_json(self.figures.totals),
            "next_cursor": to_json(self._cursor(len(self.keys))),  # as long as it may get
        }
        if self.question.report.breakdown:
            members["breakdown"] = to_json(self.figures.breakdown)
        texts = map(to_json, self.figures.rows(self.keys, self.start))
        rows = self._fill(texts, len(json_object(members).encode()))
        members["rows"] = json_array(rows)
        members["next_cursor"] = to_json(self._next_cursor(len(rows)))
        return Reply(200, json_object(members), {"Content-Type": JSON})

    def csv(self, raw_query: str) -> Reply:
        flat = self.figures.flat
        head = csv_line([column.name for column in flat.columns])
        texts = (csv_line(list(row.values())) for row in flat.rows(self.keys, self.start))
        lines = self._fill(texts, len(head.encode()))
        headers = {"Content-Type": CSV, "Content-Disposition": self._file_name()}
        if cursor := self._next_cursor(len(lines)):
            headers["Link"] = f'<{self._next_link(raw_query, cursor)}>; rel="next"'
        return Reply(200, head + "".join(lines), headers)

    def _fill(self, texts: Any, used: int) -> list[str]:
        return fill(texts, limit=self.question.query.limit, room=PAGE_BYTES - used)

    def _next_cursor(self, rows: int) -> str | None:
        end = self.start + rows
        return self._cursor(end) if end < len(self.keys) else None

    def _cursor(self, position: int) -> str:
        return Cursor(self.question.asked, self.question.content(self.objects), position).text()

    def _file_name(self) -> str:
        dates = [span.dates for span in self.question.spans]
        first, last = min(d.start for d in dates), max(d.end for d in dates)
        name = f"{self.question.report.name}_{first}_{last}.csv"
        return f'attachment; filename="{name}"'

    def _next_link(self, raw_query: str, cursor: str) -> str:
        """The same query, as it was sent, with the next cursor."""
        kept = [part for part in raw_query.split("&") if part and not part.startswith("cursor=")]
        # what a sloppy client left unescaped must not end the link: <, >, ", spaces
        query = quote("&".join([*kept, f"cursor={cursor}"]), safe="%!'()*,-._~&=+:;@/?$")
        return f"/v1/reports/{self.question.report.name}?{query}"
