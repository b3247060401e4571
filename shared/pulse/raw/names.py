"""The agents' names that a batch holds, noted beside its rows: what GET /v1/dimensions shows.

A name is a nicety. Noting one never fails a message, and takes a bounded part of a batch's time:
what is left out is noted when it comes again.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice

from pulse.observe import logger
from pulse.raw.rows import Row
from pulse.store.names import Names, Naming

MOST_AT_ONCE = 500
"""Writes a batch, each a few milliseconds."""
_MOST_REMEMBERED = 100_000

_Voice = tuple[str, str, bool]
"""Tenant, agent, and whether it is trusted: who is called something, by whom."""


class AgentNames:
    """Notes names. The process remembers what it has noted, so that little is written twice.

    A name is noted when it changes, and once for each later day: the record then has a version of
    that day, and processes that were told different names agree again.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._noted: dict[_Voice, tuple[str, date]] = {}

    def note(self, rows: Iterable[tuple[date, Row]]) -> None:
        """The names in these rows, each with its day, are known, or the log says why not."""
        try:
            for voice, (naming, day) in islice(self._news(rows), MOST_AT_ONCE):
                self._names.note(naming)
                self._remember(voice, naming.name, day)
        except Exception as error:  # the rows are stored: their messages are not to come again
            logger.error("names not noted", extra={"error": type(error).__name__})

    def _news(
        self, rows: Iterable[tuple[date, Row]]
    ) -> Iterator[tuple[_Voice, tuple[Naming, date]]]:
        for voice, (naming, day) in _latest(rows).items():
            name, noted_day = self._noted.get(voice, (None, date.min))
            if day > noted_day or (day == noted_day and naming.name != name):
                yield voice, (naming, day)

    def _remember(self, voice: _Voice, name: str, day: date) -> None:
        if len(self._noted) >= _MOST_REMEMBERED:
            self._noted.clear()  # somebody makes agents up; do not grow with them
        self._noted[voice] = name, day


def _latest(rows: Iterable[tuple[date, Row]]) -> dict[_Voice, tuple[Naming, date]]:
    """Of each voice its greatest word, with the day of the event."""
    latest: dict[_Voice, tuple[int, int, date, str]] = {}
    for day, row in rows:
        if not (row["agent"] and row.get("agent_name")):
            continue
        # only responses come with publishable keys too
        voice = row["tenant"], row["agent"], row.get("key_kind", "secret") == "secret"
        happened_us = row["answered_us"] if "answered_us" in row else row["entered_us"]
        word = happened_us, row["received_us"], day, row["agent_name"]
        if voice not in latest or latest[voice][:2] <= word[:2]:
            latest[voice] = word
    return {
        (tenant, agent, trusted): (
            Naming(tenant, agent, name, trusted, happened_us, received_us),
            day,
        )
        for (tenant, agent, trusted), (happened_us, received_us, day, name) in latest.items()
    }
