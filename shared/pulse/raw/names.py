"""Stores the names of agents that a batch's events give, for GET /v1/dimensions.

Names are not needed for any figure. So storing one never fails a message, and takes at most
LONGEST_US of a batch's time: the rest waits for the next batch. Names from secret keys come before
those from publishable keys, and tenants take turns.
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
"""The most names a batch that come from publishable keys, which anybody can use: each name costs
a write or two."""
LONGEST_US = 5 * days.SECOND
"""After so long the rest of the names waits for the next batch, and this one is acknowledged."""
_AT_ONCE = 8  # writes at the same time; each takes a few milliseconds
_MOST_REMEMBERED = 100_000
_MOST_WAITING = 20_000

_Voice = tuple[str, str, bool]
"""A tenant, its agent, and whether the name comes from a secret key (trusted)."""


class _Word(NamedTuple):
    """The name that a row gives an agent; `day` is the event's. The greatest tuple counts."""

    happened_us: int
    received_us: int
    day: date
    name: str


class AgentNames:
    """Stores names. It remembers what it has stored, so that few names are written twice.

    A name is written when it changes, and once for each later day. So processes that received
    different names at different times end with the same one.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._noted: dict[_Voice, tuple[str, date]] = {}
        self._waiting: dict[_Voice, _Word] = {}
        """Names that earlier batches had no time to store."""

    def note(self, rows: Iterable[tuple[date, Row]]) -> None:
        """Store the names in these rows, each with its day. Never raises: failures are logged.

        Names for which there is no time wait in this process for its next batch.
        """
        until_us = days.now_us() + LONGEST_US
        words = self._news(rows)
        stopped = Event()

        def is_noted(voice: _Voice) -> bool:
            if stopped.is_set() or days.now_us() > until_us:
                return False
            try:
                self._names.note(_naming(voice, words[voice]))
            except Exception as error:  # the rows are stored, so their messages must not fail
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
        """The names in these rows and among those that wait, without those stored already."""
        latest = _latest(rows)
        for voice, word in self._waiting.items():
            latest[voice] = max(word, latest.get(voice, word))
        return {voice: word for voice, word in latest.items() if self._is_new(voice, word)}

    def _is_new(self, voice: _Voice, word: _Word) -> bool:
        name, noted_day = self._noted.get(voice, (None, date.min))
        return word.day > noted_day or (word.day == noted_day and word.name != name)

    def _remember(self, voice: _Voice, word: _Word) -> None:
        if len(self._noted) >= _MOST_REMEMBERED:
            self._noted.clear()  # somebody invents agents; memory must not grow with them
        self._noted[voice] = word.name, word.day


def _latest(rows: Iterable[tuple[date, Row]]) -> dict[_Voice, _Word]:
    """The latest name from each voice."""
    latest: dict[_Voice, _Word] = {}
    for day, row in rows:
        agent, name = row["agent"], row.get("agent_name")
        if not (agent and name):
            continue
        # only responses have a kind of key: all other events come with secret keys
        voice = row["tenant"], agent, row.get("key_kind", "secret") == "secret"
        happened_us = row["answered_us"] if "answered_us" in row else row["entered_us"]
        known = latest.get(voice)
        if known is None or known[:2] <= (happened_us, row["received_us"]):
            latest[voice] = _Word(happened_us, row["received_us"], day, name)
    return latest


def _chosen(words: Mapping[_Voice, _Word]) -> list[_Voice]:
    """The voices whose names are stored with this batch if time allows, in order."""
    voices = _in_turn(words)
    trusted = sum(is_trusted for _, _, is_trusted in voices)
    return voices[: trusted + MOST_PUBLIC]


def _in_turn(voices: Iterable[_Voice]) -> list[_Voice]:
    """The trusted voices first, and within both kinds one of each tenant in turn.

    So a flood of names delays neither those of secret keys nor those of other tenants.
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
