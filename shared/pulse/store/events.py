"""Wake-ups between the stages, over EventBridge's default bus.

An event only wakes: what is to be done follows from the state, so a lost one costs time alone.
"""

import json
from collections.abc import Mapping

from pulse.store.clients import client


class Events:
    """The stack's own source of events. `fail_fast` where a caller waits."""

    def __init__(self, source: str, *, fail_fast: bool = False) -> None:
        self._source = source
        self._fail_fast = fail_fast

    def announce(self, what: str, about: Mapping[str, str] | None = None) -> None:
        """Put an event of detail type `what`; `about` names the records that it is about.

        Raises RuntimeError if the bus refuses it.
        """
        detail = json.dumps(dict(about or {}))
        entry = {"Source": self._source, "DetailType": what, "Detail": detail}
        reply = client("events", fail_fast=self._fail_fast).put_events(Entries=[entry])
        if reply["FailedEntryCount"]:
            raise RuntimeError(f"EventBridge refused {what!r}: {reply['Entries'][0]}")
