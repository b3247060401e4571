"""What reading an item takes, whatever its stream: one object as a caller wrote it → an event.

docs/http.md#writing is the contract. An item is rejected for the first fault found, so that
accepted and rejected items add up; an unknown field is a fault, because a misspelt one would lose
data without a word. The modules beside this one read one stream each.
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
"""How far a caller's clock may be ahead of ours. What a page learns of our clock may be as old
(pages.py), which makes an answer's time wrong by as much at most."""


@dataclass(frozen=True)
class Reader(ABC):
    """Reads the items of one request, by its key and by when it was received."""

    directory: Directory
    key: Key
    tenant: str
    received_us: int
    retention_days: int = 0
    """How long raw is kept; 0: for ever."""

    stream: ClassVar[Stream]
    """What its items may have; a batch's list is called as it is."""

    @abstractmethod
    def read(self, given: object, own_id: str | None = None) -> Event:
        """The event that an item of the request means.

        `own_id` (Idempotency-Key) identifies a response that does not name its id itself; other
        streams have no use for it. Raises RejectedError for the first fault.
        """

    @property
    def settings(self) -> Tenant:
        """The tenant as it stands, or stood up to a minute ago."""
        tenant = self.directory.tenant(self.tenant)
        if tenant is None:
            raise ForbiddenError("tenant_unknown", "The key's tenant does not exist.")
        return tenant

    def item(self, given: object) -> dict[str, Any]:
        """The item as an object that has known fields only."""
        if not isinstance(given, dict):
            raise RejectedError(
                "",
                f"{self.stream.noun}_not_object",
                f"Each of the {self.stream.name} must be a JSON object.",
            )
        fields.check_names(given, self.stream.sent)
        return given

    def values(self, item: dict[str, Any]) -> dict[str, Any]:
        """What is stored of the fields that are judged by themselves, by their names."""
        return {
            field.name: fields.stored(item, field, field.sent)
            for field in self.stream.fields
            if field.sent and field.sent.kind in fields.PLAIN
        }

    def moment(self, item: dict[str, Any], field: str) -> int | None:
        """An optional time that has come already, as microseconds.

        Of a day alone it is the noon by the tenant's clock, or the present moment before that.
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
        """The earliest day of which anything is taken: what is older is not kept."""
        return max(days.FIRST_DAY, first_kept_day(self.retention_days))

    def local_day(self, us: int) -> date:
        """The tenant's day on which the moment falls."""
        return days.local_day(us, self.settings.timezone)
