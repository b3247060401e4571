"""An order for an export: which exports there can be, and the state of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
"""The dimensions by which an export can be filtered, for each stream that can be exported. To these
come a tenant's own ones."""
SLOTS: Mapping[str, tuple[str, ...]] = {
    table.stream: table.slots for table in (lake.SCORES, lake.INTERACTIONS)
}
"""The columns of each stream that tenants' own dimensions may have."""
STREAMS = tuple(FILTERS)

MOST_DAYS = 366
KEEP = timedelta(days=7)
"""How long the record is kept; the lifecycle rule of its prefix deletes the file."""
LEASE_US = 20 * 60 * days.SECOND
"""When another worker may begin: a worker runs for at most 15 minutes, its statement a little
longer."""
MOST_ORDERS = 10
"""The most open orders of a tenant. They are made one after another."""
MOST_TRIES = 3
"""How often an export is begun at most: if all these workers died, the next would die as well."""


@dataclass(frozen=True)
class ExportRequest:
    """Which rows are exported, and in which format."""

    stream: str
    dates: DateRange
    filters: Filters
    format: Format
    csv: CsvForm = PLAIN
    own: Mapping[str, str] = field(default_factory=dict)
    """The columns of the tenant's own dimensions, by their keys. They are columns of the file, and
    may be filters."""

    @property
    def filters_by_column(self) -> Filters:
        """The filters by the columns of the stream's rows."""
        return {self.own.get(name, name): found for name, found in self.filters.items()}

    @property
    def file_name(self) -> str:
        """The name of the file when it is downloaded."""
        return f"{self.stream}_{self.dates.start}_{self.dates.end}.{self.format}"


@dataclass(frozen=True)
class Export:
    """One export of a tenant.

    `key` is the key of its file once it is done, `reason` says why it failed.
    """

    tenant: str
    id: str
    request: ExportRequest
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
        """When its record expires (UTC, microseconds)."""
        return self.created_us + KEEP // timedelta(microseconds=1)

    def at_work(self, now_us: int) -> bool:
        """Whether a worker may be making it."""
        started_us = self.started_us or self.created_us
        return self.state == "running" and now_us - started_us < LEASE_US

    def shown(self, now_us: int) -> dict[str, Any]:
        """The members of a reply, without the link. If its worker has died, it is waiting."""
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
