"""streams: what an event of each stream is made of, declared once a field.

`fields` says what a declaration is; `responses`, `interactions` and `sessions` are one each. By
them ingest reads what is sent, write_raw judges rows, the lake knows its raw tables and dimensions,
exports their columns, imports what cells may mean, and OpenAPI is written (docs/decisions/0059).
"""

from collections.abc import Mapping

from pulse.streams.fields import Stream
from pulse.streams.interactions import INTERACTIONS
from pulse.streams.responses import RESPONSES
from pulse.streams.sessions import SESSIONS

__all__ = ["INTERACTIONS", "RESPONSES", "SESSIONS", "STREAMS", "Stream"]

STREAMS: Mapping[str, Stream] = {
    stream.name: stream for stream in (RESPONSES, INTERACTIONS, SESSIONS)
}
"""Every stream by its name."""
