"""An export: what was asked for, and how it stands.

A request is read with the parser of reports, so that a filter means the same rows in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Self

from pulse import days, lake
from pulse.days import DateRange
from pulse.reports.registry import REPORTS
from pulse.serve.conditions import Filters
from pulse.serve.query import parse, refusal

State = Literal["waiting", "running", "done", "failed"]
Format = Literal["csv", "parquet"]

FORMATS: Mapping[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}
"""The media type of each format."""
FILTERS: Mapping[str, tuple[str, ...]] = {
    "responses": lake.SCORE_DIMENSIONS,
    "interactions": lake.INTERACTION_DIMENSIONS,
}
"""For each stream that can be exported, by what."""
STREAMS = tuple(FILTERS)

MOST_DAYS = 366
KEEP = timedelta(days=7)
"""So long there is a record; the file goes with the lifecycle rule of its prefix."""
LEASE_US = 20 * 60 * days.SECOND
"""A worker lives 15 minutes at most, its statement a little longer: then another may begin."""
MOST_ORDERS = 10
"""A tenant may have so many orders that have not ended. They are made one after another."""
MOST_TRIES = 3
"""A worker may begin an export so often: if all of them died, the next would die as well."""

_LIKE_REPORT = {"responses": "daily", "interactions": "revenue"}
"""For each stream a report that takes all of its filters."""


@dataclass(frozen=True)
class Request:
    """Which rows are wanted, in which form."""

    stream: str
    dates: DateRange
    filters: Filters
    format: Format

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
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
        return cls(stream, query.dates, query.filters, "csv" if kind == "csv" else "parquet")

    @property
    def file_name(self) -> str:
        """What the file is called where it is downloaded."""
        return f"{self.stream}_{self.dates.start}_{self.dates.end}.{self.format}"


@dataclass(frozen=True)
class Export:
    """One export of a tenant; `key` is the file's once it is done, `reason` says why it failed."""

    tenant: str
    id: str
    request: Request
    created_us: int
    state: State = "waiting"
    started_us: int | None = None
    """When a worker last began it."""
    tries: int = 0
    """How often a worker has begun it."""
    finished_us: int | None = None
    rows: int | None = None
    key: str | None = None
    reason: str | None = None

    @property
    def expires_us(self) -> int:
        """When it is forgotten."""
        return self.created_us + KEEP // timedelta(microseconds=1)

    def at_work(self, now_us: int) -> bool:
        """True while a worker may be making it."""
        started_us = self.started_us or self.created_us
        return self.state == "running" and now_us - started_us < LEASE_US

    def shown(self, now_us: int) -> dict[str, Any]:
        """As replies show it, without the link. If its worker has died, it is shown as waiting."""
        lost = self.state == "running" and not self.at_work(now_us)
        return {
            "id": self.id,
            "state": "waiting" if lost else self.state,
            "reason": self.reason,
            "stream": self.request.stream,
            "start_date": self.request.dates.start.isoformat(),
            "end_date": self.request.dates.end.isoformat(),
            "filters": {name: found.shown() for name, found in self.request.filters.items()},
            "format": self.request.format,
            "rows": self.rows,
            "created_at": _second(self.created_us),
            "finished_at": _second(self.finished_us) if self.finished_us else None,
            "expires_at": _second(self.expires_us),
        }


def _second(us: int) -> str:
    return days.iso(us // days.SECOND * days.SECOND)


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
