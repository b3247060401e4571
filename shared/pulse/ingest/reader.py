"""What the readers of all streams have in common: a reader makes an event from a request's item.

docs/http.md#writing is the contract. An item is rejected for the first fault that is found, so
each item is either accepted or rejected once. An unknown field is a fault: a misspelt one would
lose data unnoticed. responses.py, interactions.py and sessions.py have a reader each.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from pulse import days
from pulse.errors import ForbiddenError
from pulse.ingest import fields
from pulse.ingest.fields import RejectedError
from pulse.ingest.message import Event
from pulse.retention import first_kept_day
from pulse.streams.fields import Stream
from pulse.tenants.access import Directory
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant

AHEAD_S = 5 * 60
"""How many seconds a caller's clock may be ahead of ours. A page may know our clock from a reply
that is as old as this (pages.py); then the time of its response is wrong by at most this much."""


@dataclass(frozen=True)
class ItemReader(ABC):
    """Reads the items of one request, which has one key and one time of receipt."""

    directory: Directory
    key: Key
    tenant: str
    received_us: int
    retention_days: int = 0
    """How many days events are kept; 0 is for ever."""

    stream: ClassVar[Stream]
    """The stream, which declares the fields of its items. In a batch the list has its name."""

    @abstractmethod
    def read(self, given: object, own_id: str | None = None) -> Event:
        """The event in an item of the request.

        `own_id`, from the header Idempotency-Key, identifies a response without a response_id;
        other streams ignore it. Raises RejectedError for the first fault found.
        """

    @property
    def settings(self) -> Tenant:
        """The tenant's settings, which may be up to a minute old."""
        tenant = self.directory.tenant(self.tenant)
        if tenant is None:
            raise ForbiddenError("tenant_unknown", "The key's tenant does not exist.")
        return tenant

    def item(self, given: object) -> dict[str, Any]:
        """The item as a dict. Raises RejectedError unless it is an object with known fields."""
        if not isinstance(given, dict):
            raise RejectedError(
                "",
                f"{self.stream.noun}_not_object",
                f"Each of the {self.stream.name} must be a JSON object.",
            )
        fields.check_names(given, self.stream.sent)
        return given

    def values(self, item: dict[str, Any]) -> dict[str, Any]:
        """The values that are stored for the fields of plain kinds (fields.PLAIN), by name."""
        return {
            field.name: fields.stored(item, field, field.sent)
            for field in self.stream.fields
            if field.sent and field.sent.kind in fields.PLAIN
        }

    def moment(self, item: dict[str, Any], field: str) -> int | None:
        """An optional time that is not in the future, in microseconds (UTC).

        For a day alone it is noon in the tenant's time zone, or the time of receipt if that is
        earlier.
        """
        day = fields.bare_day(item, field)
        if day is not None:
            return self._noon(day, field)
        us = fields.instant(item, field)
        if us is not None and us > self.received_us + AHEAD_S * days.SECOND:
            raise fields.in_future(field)
        return us

    def _noon(self, day: date, field: str) -> int:
        if day > self.local_day(self.received_us):
            raise fields.in_future(field)
        us = days.noon(day, self.settings.timezone)
        if self.local_day(us) != day:
            raise RejectedError(field, f"{field}_invalid", f"{field} is a day that never was.")
        return min(us, self.received_us)

    @property
    def first_day(self) -> date:
        """The first day whose events are kept; earlier ones are rejected."""
        return max(days.FIRST_DAY, first_kept_day(self.retention_days))

    def local_day(self, us: int) -> date:
        """The day of a moment (UTC, microseconds) in the tenant's time zone."""
        return days.local_day(us, self.settings.timezone)
