"""A question and its reply: a query of a report, asked by a key of a tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from pulse import days
from pulse.days import DateRange
from pulse.errors import ForbiddenError
from pulse.http import JSON, Reply
from pulse.reports.registry import Report
from pulse.serve import cells, figures
from pulse.serve.conditions import Filters, among, both
from pulse.serve.cursors import Cursor, fingerprint, outdated
from pulse.serve.figures import Figures
from pulse.serve.formats import PAGE_BYTES, csv_line, fill, json_array, json_object, to_json
from pulse.serve.query import PERIOD, Query, refusal
from pulse.serve.years import Year
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant

CSV = "text/csv; charset=utf-8; header=present"
_FORM = 1
"""Raise it when the same objects give other bytes: ETags and cursors then differ too."""


@dataclass(frozen=True)
class Question:
    """What is asked, with the days that it means now and every filter that holds."""

    report: Report
    query: Query
    tenant: Tenant
    dates: DateRange
    filters: Filters
    """The query's and the key's; the report's own are not among them."""
    min_sample: int

    @classmethod
    def ask(cls, report: Report, query: Query, tenant: Tenant, key: Key) -> "Question":
        """The question that a key of the tenant asks, narrowed by the key's own filters.

        Raises ForbiddenError where the report lacks a dimension that the key is bound to.
        """
        for name in key.filters:
            if name not in report.family.dimension_names:
                raise ForbiddenError(
                    "filter_not_applicable",
                    f"This key is bound to one {name}, which report {report.name} cannot tell.",
                )
        bound = {name: among(values) for name, values in key.filters.items()}
        filters = both(query.filters, bound)
        return cls(
            report=report,
            query=query,
            tenant=tenant,
            dates=query.resolve(tenant, report.family.dataset.name),
            filters=filters,
            min_sample=figures.min_sample(
                key.kind, tenant.min_sample, report.family, {*query.group_by, *filters}
            ),
        )

    @cached_property
    def all_filters(self) -> Filters:
        """Every filter that holds, the report's own included."""
        fixed = {name: among(values) for name, values in self.report.fixed.items()}
        return both(self.filters, fixed)

    @cached_property
    def asked(self) -> str:
        """Names the question whatever the day and the data: pages of one reply share it."""
        query = self.query
        return fingerprint(
            _FORM,
            self.tenant.id,
            self.report.name,
            query.preset,
            query.dates and [query.dates.start, query.dates.end],
            query.granularity,
            query.group_by,
            {name: condition.shown() for name, condition in self.all_filters.items()},
            [[order.column, order.descending] for order in query.order_by],
            self.min_sample,
        )

    def content(self, years: Sequence[Year]) -> str:
        """Names the rows that these objects make for the question."""
        return fingerprint(
            self.asked,
            [self.dates.start, self.dates.end, self.tenant.week_start],
            [year.etag for year in years],
        )

    def etag(self, years: Sequence[Year]) -> str:
        """Names the reply, byte by byte."""
        query = self.query
        parts = (self.content(years), self._as_of, query.format, query.limit, query.cursor)
        return f'"{fingerprint(*parts)}"'

    def goes_on_in(self, years: Sequence[Year]) -> bool:
        """True unless the cursor was cut from other rows than these objects make.

        Raises BadRequestError for a cursor of another question.
        """
        return self._cursor is None or self._cursor.content == self.content(years)

    @cached_property
    def _cursor(self) -> Cursor | None:
        if self.query.cursor is None:
            return None
        cursor = Cursor.parse(self.query.cursor)
        if cursor.asked != self.asked:
            raise refusal("cursor", "invalid_cursor", "It belongs to another query.")
        return cursor

    @property
    def _as_of(self) -> str | None:
        us = self.tenant.table(self.report.family.dataset.name).as_of_us
        return days.iso(us // days.SECOND * days.SECOND) if us is not None else None

    # -- the reply

    def reply(self, years: Sequence[Year], raw_query: str) -> Reply:
        """The page that is asked for, made from the tenant's objects of these days.

        Raises OutdatedError for a cursor of other rows, UnprocessableError for more
        groups than can be told.
        """
        if not self.goes_on_in(years):
            raise outdated()
        found = self._figures(years)
        keys = found.ordered(self.query.order_by)
        page = _Page(self, found, keys, self._cursor.position if self._cursor else 0, years)
        return page.csv(raw_query) if self.query.format == "csv" else page.json()

    def _figures(self, years: Sequence[Year]) -> Figures:
        query = self.query
        dimensions = [name for name in query.group_by if name != PERIOD]
        groups = cells.merge(
            [
                year.cells.group(
                    self.dates,
                    self.all_filters,
                    dimensions,
                    granularity=query.granularity,
                    week_start=self.tenant.week_start,
                )
                for year in years
            ]
        )
        groups = figures.with_always(self.report, query, groups)
        return Figures(self.report, query.group_by, groups, self.min_sample)

    def meta(self, formulas: Sequence[str]) -> dict[str, Any]:
        """What the reply says of itself."""
        return {
            "date_range": {
                "preset": self.query.preset,
                "start_date": self.dates.start.isoformat(),
                "end_date": self.dates.end.isoformat(),
                "timezone": self.tenant.timezone,
            },
            "as_of": self._as_of,
            "filters": {name: condition.shown() for name, condition in self.filters.items()},
            "formulas": list(formulas),
            "warnings": self._warnings(),
        }

    def _warnings(self) -> list[dict[str, str]]:
        warnings = []
        if self._as_of is None:
            warnings.append(("nothing_built", "No report of this tenant has been built yet."))
        for name, condition in self.all_filters.items():
            if not condition.values and not condition.negated:
                message = f"The filters on {name} exclude each other: nothing can pass them."
                warnings.append(("contradicting_filters", message))
        return [{"code": code, "message": message} for code, message in warnings]


@dataclass(frozen=True)
class _Page:
    """Rows of a reply from a position on, as many as fit."""

    question: Question
    figures: Figures
    keys: Sequence[cells.Key]
    start: int
    years: Sequence[Year]

    def json(self) -> Reply:
        members = {
            "report": to_json(self.question.report.name),
            "meta": to_json(self.question.meta(self.figures.formulas)),
            "columns": to_json(self.figures.columns),
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
        names = [column["name"] for column in self.figures.columns]
        head = csv_line(names)
        texts = (
            csv_line([row[name] for name in names])
            for row in self.figures.rows(self.keys, self.start)
        )
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
        return Cursor(self.question.asked, self.question.content(self.years), position).text()

    def _file_name(self) -> str:
        dates = self.question.dates
        name = f"{self.question.report.name}_{dates.start}_{dates.end}.csv"
        return f'attachment; filename="{name}"'

    def _next_link(self, raw_query: str, cursor: str) -> str:
        """The same query, as it was sent, with the next cursor."""
        kept = [part for part in raw_query.split("&") if part and not part.startswith("cursor=")]
        # what a sloppy client left unescaped must not end the link: <, >, ", spaces
        query = quote("&".join([*kept, f"cursor={cursor}"]), safe="%!'()*,-._~&=+:;@/?$")
        return f"/v1/reports/{self.question.report.name}?{query}"
