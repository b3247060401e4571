"""The agents' names that a batch holds, noted beside its rows: what GET /v1/dimensions shows.

A name is a nicety. Noting one never fails a message, and takes a bounded part of a batch's time:
what is left out is noted with a later batch. Those of secret keys come first; tenants take turns.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Event
from typing import NamedTuple

from pulse import days
from pulse.observe import logger
from pulse.raw.rows import Row
from pulse.store.names import Names, Naming

MOST_PUBLIC = 500
"""Agents a batch whom publishable keys name, which anybody has: each costs a write or two."""
LONGEST_US = 5 * days.SECOND
"""After so long the rest of a batch's names waits: its messages are to be acknowledged."""
_AT_ONCE = 8  # writes in flight, each of a few milliseconds
_MOST_REMEMBERED = 100_000
_MOST_WAITING = 20_000

_Voice = tuple[str, str, bool]
"""Tenant, agent, and whether it is trusted: who is called something, by whom."""


class _Word(NamedTuple):
    """What a row calls an agent; `day` is the event's. The greatest word counts."""

    happened_us: int
    received_us: int
    day: date
    name: str


class AgentNames:
    """Notes names. The process remembers what it has noted, so that little is written twice.

    A name is noted when it changes, and once for each later day: the record then has a version of
    that day, and processes that were told different names agree again.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._noted: dict[_Voice, tuple[str, date]] = {}
        self._waiting: dict[_Voice, _Word] = {}
        """What earlier batches had no time for."""

    def note(self, rows: Iterable[tuple[date, Row]]) -> None:
        """The names in these rows, each with its day, are known, or the log says why not.

        Those that there was no time for wait in this process for its next batch.
        """
        until_us = days.now_us() + LONGEST_US
        words = self._news(rows)
        stopped = Event()

        def is_noted(voice: _Voice) -> bool:
            if stopped.is_set() or days.now_us() > until_us:
                return False
            try:
                self._names.note(_naming(voice, words[voice]))
            except Exception as error:  # the rows are stored: their messages are not to come again
                if not stopped.is_set():
                    logger.error("names not noted", extra={"error": type(error).__name__})
                stopped.set()
                return False
            return True

        chosen = _chosen(words)
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            noted = [v for v, done in zip(chosen, pool.map(is_noted, chosen), strict=True) if done]
        for voice in noted:
            self._remember(voice, words.pop(voice))
        if words:
            logger.warning("names wait for a later batch", extra={"names": len(words)})
        kept = _in_turn(words)[:_MOST_WAITING]
        if len(kept) < len(words):
            logger.error("names left out", extra={"names": len(words) - len(kept)})
        self._waiting = {voice: words[voice] for voice in kept}

    def _news(self, rows: Iterable[tuple[date, Row]]) -> dict[_Voice, _Word]:
        """What these rows and those that wait say, as far as it is not noted yet."""
        latest = _latest(rows)
        for voice, word in self._waiting.items():
            latest[voice] = max(word, latest.get(voice, word))
        return {voice: word for voice, word in latest.items() if self._is_new(voice, word)}

    def _is_new(self, voice: _Voice, word: _Word) -> bool:
        name, noted_day = self._noted.get(voice, (None, date.min))
        return word.day > noted_day or (word.day == noted_day and word.name != name)

    def _remember(self, voice: _Voice, word: _Word) -> None:
        if len(self._noted) >= _MOST_REMEMBERED:
            self._noted.clear()  # somebody makes agents up; do not grow with them
        self._noted[voice] = word.name, word.day


def _latest(rows: Iterable[tuple[date, Row]]) -> dict[_Voice, _Word]:
    """Of each voice its greatest word."""
    latest: dict[_Voice, _Word] = {}
    for day, row in rows:
        agent, name = row["agent"], row.get("agent_name")
        if not (agent and name):
            continue
        # only responses come with publishable keys too
        voice = row["tenant"], agent, row.get("key_kind", "secret") == "secret"
        happened_us = row["answered_us"] if "answered_us" in row else row["entered_us"]
        known = latest.get(voice)
        if known is None or known[:2] <= (happened_us, row["received_us"]):
            latest[voice] = _Word(happened_us, row["received_us"], day, name)
    return latest


def _chosen(words: Mapping[_Voice, _Word]) -> list[_Voice]:
    """Whose names are noted with this batch, if time allows, in order."""
    voices = _in_turn(words)
    trusted = sum(is_trusted for _, _, is_trusted in voices)
    return voices[: trusted + MOST_PUBLIC]


def _in_turn(voices: Iterable[_Voice]) -> list[_Voice]:
    """The trusted ones first, and among equals each tenant in its turn.

    So a flood uses up neither what a secret key, nor what another tenant may have noted of a batch.
    """
    met: Counter[tuple[str, bool]] = Counter()
    turns: dict[_Voice, tuple[bool, int]] = {}
    for voice in voices:
        tenant, _, is_trusted = voice
        turns[voice] = not is_trusted, met[tenant, is_trusted]
        met[tenant, is_trusted] += 1
    return sorted(turns, key=turns.__getitem__)


def _naming(voice: _Voice, word: _Word) -> Naming:
    tenant, agent, trusted = voice
    return Naming(tenant, agent, word.name, trusted, word.happened_us, word.received_us)
