"""One agent session as a caller wrote it → as it is stored, or what is wrong with it."""

from decimal import Decimal
from typing import Any

from pulse import days
from pulse.ingest import fields
from pulse.ingest.message import AgentSession
from pulse.ingest.reader import Reader
from pulse.lake import LONGEST_SESSION_US

FIELDS = ("session_id", "agent_id", "media_type", "day", "active_seconds", "engaged_seconds")
"""Every field of a written session."""
_LONGEST_S = Decimal(LONGEST_SESSION_US // days.SECOND)


class SessionReader(Reader):
    """Reads the agent sessions of a request."""

    stream = "sessions"
    noun = "session"
    names = FIELDS

    def read(self, given: object, own_id: str | None = None) -> AgentSession:
        """The session that an item of a request means. Raises RejectedError for the first fault."""
        item = self.item(given)
        session_id = fields.required("session_id", fields.named(item, "session_id"))
        agent = fields.required("agent_id", fields.named_dimension(item, "agent_id"))
        media_type = fields.required("media_type", fields.word(item, "media_type"))
        day = fields.day(item, "day", self.first_day, self.local_day(self.received_us))
        active = _seconds(item, "active_seconds", _LONGEST_S)
        engaged = _seconds(item, "engaged_seconds", active)
        return AgentSession(
            session_id=session_id,
            agent=agent,
            media_type=media_type,
            day=day.isoformat(),
            active_us=int(active * days.SECOND),
            engaged_us=int(engaged * days.SECOND),
        )


def _seconds(item: dict[str, Any], field: str, most: Decimal) -> Decimal:
    """A required duration, down to the microsecond."""
    return fields.required(field, fields.decimal(item, field, 0, most, places=6))
