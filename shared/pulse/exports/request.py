"""Reads the body of an order with the parser of reports, so that filters mean the same in both."""

from collections.abc import Mapping
from typing import Any

from pulse.days import DateRange
from pulse.export_orders import FORMATS, MOST_DAYS, STREAMS, ExportRequest, Format
from pulse.reports.registry import REPORTS
from pulse.serve.own import own_dimensions, read_from, with_own
from pulse.serve.posted import as_raw
from pulse.serve.query import parse, refusal
from pulse.tenants.tenant import Tenant

_DAYS = ("preset", "start_date", "end_date")
_CSV = ("excel", "separator")
_LIKE_REPORT = {"responses": "daily", "interactions": "revenue"}
"""For each stream a report that has all of its filters."""


def read_request(body: Mapping[str, Any], tenant: Tenant) -> ExportRequest:
    """The request in a body's members; a preset becomes the tenant's days as of now.

    The tenant's own dimensions are filters like any other.

    Raises BadRequestError for the first wrong member, with what it may be.
    """
    stream = _choice(body, "stream", STREAMS)
    report = with_own(REPORTS[_LIKE_REPORT[stream]], own_dimensions([tenant]))
    asked = (*_DAYS, *_CSV, *report.filter_names)
    _check_members(body, ("stream", "format", *asked))
    kind = _choice({"format": "csv", **body}, "format", tuple(FORMATS))
    if not body.keys() & {*_DAYS}:
        raise refusal("start_date", "missing_date", "Name the first day and the last.")
    pairs = [(name, as_raw(name, body[name])) for name in asked if name in body]
    query = parse(pairs, report)
    dates = query.resolve(tenant, [table.name for table in report.tables])
    if dates.days > MOST_DAYS:
        named = "end_date" if query.dates else "preset"
        raise refusal(named, "range_too_long", f"{dates.days} days; at most {MOST_DAYS}.")
    form: Format = "csv" if kind == "csv" else "parquet"
    own = {name: column for name, column in read_from(report, tenant).items() if column}
    span = DateRange(dates.start, dates.end)
    return ExportRequest(stream, span, query.filters, form, query.csv, own)


def _check_members(body: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    for name in body:
        if name not in allowed:
            shown = name if len(name) <= 64 else f"{name[:64]}…"
            raise refusal(shown, "unknown_parameter", "There is no such member.", allowed)


def _choice(body: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value: str = body.get(name, "")
    if not isinstance(value, str):
        raise refusal(name, "not_text", "Write it as text.")
    if value not in allowed:
        reason = "Not one of its values." if name in body else "It is missing."
        raise refusal(name, f"unknown_{name}", reason, allowed)
    return value
