"""An order of an export: what may be asked for, what was, and how it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pulse import days, lake
from pulse.csv_cells import PLAIN, CsvForm
from pulse.days import DateRange
from pulse.filters import Filters

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


@dataclass(frozen=True)
class Request:
    """Which rows are wanted, in which form."""

    stream: str
    dates: DateRange
    filters: Filters
    format: Format
    csv: CsvForm = PLAIN

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
