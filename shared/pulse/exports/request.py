"""Reads what an export is asked for, by the parser of reports: a filter means the same in both."""

from collections.abc import Mapping
from typing import Any

from pulse.export_orders import FILTERS, FORMATS, MOST_DAYS, STREAMS, Request
from pulse.reports.registry import REPORTS
from pulse.serve.query import parse, refusal

_LIKE_REPORT = {"responses": "daily", "interactions": "revenue"}
"""For each stream a report that takes all of its filters."""


def read_request(body: Mapping[str, Any]) -> Request:
    """The request of a body's members.

    Raises BadRequestError, naming the member and what it allows, for the first thing wrong.
    """
    stream = _choice(body, "stream", STREAMS)
    _check_members(body, ("stream", "start_date", "end_date", "format", *FILTERS[stream]))
    kind = _choice({"format": "csv", **body}, "format", tuple(FORMATS))
    # a plus is a space in a form, but not in JSON
    pairs = [
        (name, body[name].replace("+", "%2B"))
        for name in ("start_date", "end_date", *FILTERS[stream])
        if name in body
    ]
    query = parse(pairs, REPORTS[_LIKE_REPORT[stream]])
    if query.dates is None:
        raise refusal("start_date", "missing_date", "Name the first day and the last.")
    if query.dates.days > MOST_DAYS:
        raise refusal(
            "end_date", "range_too_long", f"{query.dates.days} days; at most {MOST_DAYS}."
        )
    return Request(stream, query.dates, query.filters, "csv" if kind == "csv" else "parquet")


def _check_members(body: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    for name, value in body.items():
        if name not in allowed:
            shown = name if len(name) <= 64 else f"{name[:64]}…"
            raise refusal(shown, "unknown_parameter", "There is no such member.", allowed)
        _check_text(name, value)


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise refusal(name, "not_text", "Write it as text, like in a report's query.")


def _choice(body: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value: str = body.get(name, "")
    _check_text(name, value)
    if value not in allowed:
        reason = "Not one of its values." if name in body else "It is missing."
        raise refusal(name, f"unknown_{name}", reason, allowed)
    return value
