"""On which day each key was last used, noted beside the requests that show it.

A day's first request with a key hands the note to a thread and goes on: it neither waits for the
note nor fails with it. So a process writes at most once for a key and a day (docs/decisions/0065).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from pulse import days
from pulse.observe import logger
from pulse.tenants.keys import Key

AGAIN_US = 600 * days.SECOND
"""So long after a note that failed the key's next use is noted again."""


class LastUses:
    """What this process has noted of the keys that it was shown.

    One thread writes, so that a table which does not answer holds up the notes of keys alone.
    """

    def __init__(self, write: Callable[[Key, date], None]) -> None:
        """`write` stores the day (UTC) on which a key was used."""
        self._write = write
        self._next_us: dict[str, int] = {}  # by a key's hash: when its use is to be noted again
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="key-uses")

    def note(self, key: Key) -> None:
        """Note that the key is in use today, if this process has not done so yet.

        A key that was made for one command is not listed for long: nothing is noted of it.
        """
        now_us = days.now_us()
        if key.passing or now_us < self._next_us.get(key.sha256, 0):
            return
        today = days.from_us(now_us).date()
        self._next_us[key.sha256] = (now_us // days.DAY + 1) * days.DAY
        try:
            self._writer.submit(self._noted, key, today, now_us + AGAIN_US)
        except RuntimeError:  # the process ends, or has no room for a thread
            self._next_us[key.sha256] = now_us + AGAIN_US
            logger.warning("last use of a key not noted", extra={"key_id": key.id})

    def _noted(self, key: Key, day: date, again_us: int) -> None:
        try:
            self._write(key, day)
        except Exception as error:
            self._next_us[key.sha256] = again_us
            # the kind of failure alone: botocore's messages can hold parameters
            logger.warning(
                "last use of a key not noted",
                extra={"key_id": key.id, "error": type(error).__name__},
            )
