"""A question and its reply: a query of a report, asked by a key of one tenant or several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from pulse import days, lake
from pulse.days import DateRange
from pulse.errors import ForbiddenError
from pulse.filters import Filters, among, both, given
from pulse.http import JSON, Reply
from pulse.reports.declarations import TENANT, Report
from pulse.serve import figures, groups, warnings
from pulse.serve.computing import Computation
from pulse.serve.cursors import Cursor, fingerprint, outdated
from pulse.serve.figures import Figures
from pulse.serve.folding import Tally
from pulse.serve.formats import PAGE_BYTES, fill, json_array, json_object, to_json
from pulse.serve.needs import Needs
from pulse.serve.query import Query, refusal
from pulse.serve.spans import Span
from pulse.serve.years import Engine, TenantYears
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant

CSV = "text/csv; charset=utf-8; header=present"
_FORM = 6
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

    @property
    def needs(self) -> list[Needs]:
        """What is to be read for the answer, tenant by tenant and of each table by table."""
        return [needs for span in self.spans for needs in span.needs(self.all_filters)]

    @cached_property
    def content(self) -> str:
        """Names the rows that answer the question, as the tenants' records tell of them.

        The same rows have the same name, whatever objects they are read from.
        """
        return fingerprint(
            self.asked,
            [
                [
                    _days(span.dates),
                    span.compared and _days(span.compared),
                    span.tenant.week_start,
                    span.contents,
                ]
                for span in self.spans
            ],
        )

    @cached_property
    def etag(self) -> str:
        """Names the reply, byte by byte but for what its figures were read from (meta.engine)."""
        query = self.query
        form = (query.format, [query.csv.excel, query.csv.semicolon])
        parts = (self._meta, self._unbuilt, *form, query.limit, query.cursor)
        return f'"{fingerprint(self.content, *parts)}"'

    @property
    def goes_on(self) -> bool:
        """True unless the cursor was cut from other rows than the records tell of.

        Raises BadRequestError for a cursor of another question.
        """
        return self._cursor is None or self._cursor.content == self.content

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
        if not self.goes_on:
            raise outdated()
        found = self._computation(objects).figures()
        keys = found.ordered(self.query.order_by)
        page = _Page(self, found, keys, self._cursor.position if self._cursor else 0, objects)
        return page.csv(raw_query) if self.query.format == "csv" else page.json()

    def _computation(self, objects: TenantYears) -> Computation:
        return Computation(
            self.report,
            self.query,
            self.tables,
            self.spans,
            self.all_filters,
            self.min_sample,
            objects,
        )

    def tally(self, objects: TenantYears, names: Sequence[str]) -> Tally:
        """How much each group by these columns counts, however many groups there are."""
        return self._computation(objects).tally(names)

    def meta(self, objects: TenantYears, made: Figures | None = None) -> dict[str, Any]:
        """What the reply says of itself, and of the figures that were made for it."""
        found = self._warnings(objects)
        if made:
            found += [*warnings.rest(made.folded), *warnings.unjudged(made.left_out)]
        return {
            **self._meta,
            "engine": _engine(objects),
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
        names = dict.fromkeys([*self.query.group_by, *self.all_filters])
        return [
            *warnings.nothing_built(self.spans),
            *self._unbuilt,
            *warnings.folded(self.spans, names, objects),
            *warnings.unpaired(self.spans),
            *warnings.not_told_apart(self.report, self.tables),
            *warnings.filters(self.all_filters),
            *warnings.unmatched(self.query.filters, [y for ys in objects.values() for y in ys]),
        ]


def _engine(objects: TenantYears) -> Engine:
    """What the figures come from: Athena as soon as any of them do."""
    engines = {year.engine for years in objects.values() for year in years}
    return "athena" if "athena" in engines else "reports"


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
        flat, form = self.figures.flat, self.question.query.csv
        head = form.start + form.line([column.name for column in flat.columns])
        texts = (form.line(list(row.values())) for row in flat.rows(self.keys, self.start))
        lines = self._fill(texts, len(head.encode()))
        headers = {"Content-Type": CSV, "Content-Disposition": self._file_name()}
        if cursor := self._next_cursor(len(lines)):
            headers["X-Next-Cursor"] = cursor
            headers["Link"] = f'<{self._next_link(raw_query, cursor)}>; rel="next"'
        return Reply(200, head + "".join(lines), headers)

    def _fill(self, texts: Any, used: int) -> list[str]:
        return fill(texts, limit=self.question.query.limit, room=PAGE_BYTES - used)

    def _next_cursor(self, rows: int) -> str | None:
        end = self.start + rows
        return self._cursor(end) if end < len(self.keys) else None

    def _cursor(self, position: int) -> str:
        return Cursor(self.question.asked, self.question.content, position).text()

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
