"""Events by which a stage invokes the next one, over EventBridge's default bus.

An event says only that there may be something to do; the state says what. So a lost event only
costs time.
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
        """Send an event with the detail-type `what`; `about` is its detail.

        Raises RuntimeError if EventBridge refuses it.
        """
        detail = json.dumps(dict(about or {}))
        entry = {"Source": self._source, "DetailType": what, "Detail": detail}
        reply = client("events", fail_fast=self._fail_fast).put_events(Entries=[entry])
        if reply["FailedEntryCount"]:
            raise RuntimeError(f"EventBridge refused {what!r}: {reply['Entries'][0]}")
