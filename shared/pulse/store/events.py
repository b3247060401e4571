"""Wake-ups between the builders, over EventBridge's default bus.

An event only wakes: what is to be done follows from the state, so a lost one costs time alone.
"""

import json

from pulse.store.clients import client


class Events:
    """The stack's own source of events."""

    def __init__(self, source: str) -> None:
        self._source = source

    def announce(self, what: str) -> None:
        """Put an event of detail type `what`. Raises RuntimeError if the bus refuses it."""
        entry = {"Source": self._source, "DetailType": what, "Detail": json.dumps({})}
        reply = client("events").put_events(Entries=[entry])
        if reply["FailedEntryCount"]:
            raise RuntimeError(f"EventBridge refused {what!r}: {reply['Entries'][0]}")
