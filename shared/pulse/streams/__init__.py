"""The fields of each stream's events, each declared once.

fields.py has the classes of a declaration; responses.py, interactions.py and sessions.py declare a
stream each. From these follow how ingest reads events and write_raw checks rows, the lake's raw
tables and dimensions, the columns of exports, what imports make of cells, and the OpenAPI document
(docs/decisions/0059).
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
