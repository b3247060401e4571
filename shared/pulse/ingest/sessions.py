"""Reads one agent session, or says what is wrong with it."""

from decimal import Decimal
from typing import Any

from pulse import days
from pulse.ingest import fields
from pulse.ingest.message import Event
from pulse.ingest.reader import ItemReader
from pulse.streams.sessions import LONGEST_US, SESSIONS

_LONGEST_S = Decimal(LONGEST_US // days.SECOND)


class SessionReader(ItemReader):
    """Reads the agent sessions of a request."""

    stream = SESSIONS

    def read(self, given: object, own_id: str | None = None) -> Event:
        """The session in an item of a request. Raises RejectedError for the first fault found."""
        item = self.item(given)
        values = self.values(item)
        day = fields.day(item, "day", self.first_day, self.local_day(self.received_us))
        active = _seconds(item, "active_seconds", _LONGEST_S)
        engaged = _seconds(item, "engaged_seconds", active)
        values |= {
            "day": day.isoformat(),
            "active_us": int(active * days.SECOND),
            "engaged_us": int(engaged * days.SECOND),
        }
        return Event.of(values["session_id"], values)


def _seconds(item: dict[str, Any], field: str, most: Decimal) -> Decimal:
    """A required duration of at most `most` seconds, exact to the microsecond."""
    return fields.required(field, fields.decimal(item, field, 0, most, places=6))
