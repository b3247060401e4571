"""A page of a reply, as JSON or CSV: as many rows from a position on as fit."""

from dataclasses import dataclass
from urllib.parse import quote

from pulse.http import JSON, Reply
from pulse.serve.columns import flat_cells, flat_names
from pulse.serve.compare import Rows
from pulse.serve.encoding import Integers
from pulse.serve.figures import Figures
from pulse.serve.formats import PAGE_BYTES, fill, json_object, json_rows, to_json
from pulse.serve.identity import cursor_at
from pulse.serve.meta import meta_of
from pulse.serve.years import TenantYears

CSV = "text/csv; charset=utf-8; header=present"


@dataclass(frozen=True)
class Page:
    """The rows at the places of `order`, from the position `start` on."""

    figures: Figures
    order: Integers
    start: int

    def json(self, objects: TenantYears) -> Reply:
        """The page as one JSON object."""
        figures = self.figures
        plan = figures.plan
        members = {
            "report": to_json(plan.report.name),
            "meta": to_json(meta_of(plan, objects, figures)),
            "columns": to_json([column.shown for column in figures.columns]),
            "rows": "",
            "totals": to_json(list(figures.cells(figures.totals))),
            "next_cursor": to_json(cursor_at(plan, len(self.order))),  # as long as it may get
        }
        if plan.report.breakdown:
            members["breakdown"] = to_json(figures.breakdown)
        room = PAGE_BYTES - len(json_object(members).encode())
        members["rows"], rows = json_rows(figures.texts(self._rows), room=room)
        members["next_cursor"] = to_json(self._next_cursor(rows))
        return Reply(200, json_object(members), {"Content-Type": JSON})

    def csv(self, raw_query: str) -> Reply:
        """The page as CSV; a header links to the next one, by the same query."""
        columns, currencies = self.figures.columns, self.figures.currencies
        form, cells = self.figures.plan.query.csv, self.figures.cells(self._rows)
        if currencies is None:
            names = [column.name for column in columns]
            texts = (form.line(list(row.values())) for row in cells)
        else:
            names = flat_names(columns, currencies)
            texts = (form.line(flat_cells(columns, currencies, row)) for row in cells)
        head = form.start + form.line(names)
        limit, room = self.figures.plan.query.limit, PAGE_BYTES - len(head.encode())
        lines = fill(texts, limit=limit, room=room)
        headers = {"Content-Type": CSV, "Content-Disposition": self._file_name()}
        if cursor := self._next_cursor(len(lines)):
            headers["X-Next-Cursor"] = cursor
            headers["Link"] = f'<{self._next_link(raw_query, cursor)}>; rel="next"'
        return Reply(200, head + "".join(lines), headers)

    @property
    def _rows(self) -> Rows:
        """The rows that the page has at most."""
        end = self.start + self.figures.plan.query.limit
        return self.figures.rows.take(self.order[self.start : end])

    def _next_cursor(self, rows: int) -> str | None:
        end = self.start + rows
        return cursor_at(self.figures.plan, end) if end < len(self.order) else None

    def _file_name(self) -> str:
        plan = self.figures.plan
        dates = [one.dates for one in plan.tenants]
        first, last = min(d.start for d in dates), max(d.end for d in dates)
        return f'attachment; filename="{plan.report.name}_{first}_{last}.csv"'

    def _next_link(self, raw_query: str, cursor: str) -> str:
        """The same query, as it was sent, with the next cursor."""
        kept = [part for part in raw_query.split("&") if part and not part.startswith("cursor=")]
        # what a sloppy client left unescaped must not end the link: <, >, ", spaces
        query = quote("&".join([*kept, f"cursor={cursor}"]), safe="%!'()*,-._~&=+:;@/?$")
        return f"/v1/reports/{self.figures.plan.report.name}?{query}"
