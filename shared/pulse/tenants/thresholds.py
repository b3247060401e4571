"""A tenant's service levels: within how many seconds customers should get what they wait for.

Each medium has three settings, and each setting a timeline of its own: since which of the
tenant's days which value is in force. docs/metrics.md ("Interactions") says what they judge.

A target says how many in a hundred should get it: pages colour a medium's service levels by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pulse import days
from pulse.streams.interactions import MEDIA_TYPES
from pulse.texts import is_word

Timeline = tuple[tuple[date, int | None], ...]
"""(in force since, seconds) of one setting, oldest first; None: there is no threshold."""

KINDS = ("accept", "first_response", "finish")
SETTINGS = tuple(f"{media_type}.{kind}" for media_type in MEDIA_TYPES for kind in KINDS)
"""The settings of the usual media by their names, such as voice.accept; others have such too."""
_TARGET = "_target"
"""Ends the name of a target: voice.accept_target is that of the threshold voice.accept."""
MOST_S = 10**9
"""More than thirty years: whatever is longer is a mistake."""


def is_threshold(name: str) -> bool:
    """Is it a medium's name, a dot and the kind of a threshold?"""
    medium, _, kind = name.rpartition(".")
    return kind in KINDS and is_word(medium)


def threshold_of_target(name: str) -> str | None:
    """The threshold whose target is called so; None where it is no target's name."""
    threshold = name.removesuffix(_TARGET)
    return threshold if threshold != name and is_threshold(threshold) else None


def check_targets(targets: Mapping[str, int]) -> None:
    """Raise ValueError unless these are percentages by the names of thresholds."""
    for name, pct in targets.items():
        if not is_threshold(name):
            raise ValueError(f"there is no threshold {name!r}")
        if not 0 < pct <= 100:
            raise ValueError(f"{name}{_TARGET} must lie within 1 and 100 percent, or be none")


@dataclass(frozen=True)
class Thresholds:
    """What is in force for one medium on one day, in seconds. None: no threshold."""

    accept_s: int | None = None
    first_response_s: int | None = None
    finish_s: int | None = None


def thresholds_on(timelines: Mapping[str, Timeline], media_type: str, day: date) -> Thresholds:
    """The thresholds in force for a medium on a day of the tenant."""
    accept, first_response, finish = (
        _value(timelines.get(f"{media_type}.{kind}", ()), day) for kind in KINDS
    )
    return Thresholds(accept, first_response, finish)


def _value(timeline: Timeline, day: date) -> int | None:
    in_force = [seconds for since, seconds in timeline if since <= day]
    return in_force[-1] if in_force else None


def beginning(timeline: Timeline, tomorrow: date) -> date:
    """Since when a value is in force that names no day.

    The first one since ever; a later one from tomorrow on, so that every day is under one rule.
    """
    return tomorrow if any(seconds is not None for _, seconds in timeline) else days.FIRST_DAY


def changed_timeline(timeline: Timeline, since: date, seconds: int | None) -> Timeline:
    """The timeline with a value in force from a day on, until the next change that it has."""
    return tuple(sorted({**dict(timeline), since: seconds}.items()))


def check_timelines(timelines: Mapping[str, Timeline]) -> None:
    """Raise ValueError unless these are timelines of settings that there are."""
    for name, timeline in timelines.items():
        if not is_threshold(name):
            raise ValueError(f"there is no threshold {name!r}")
        since = [day for day, _ in timeline]
        if since != sorted(set(since)) or any(day < days.FIRST_DAY for day in since):
            raise ValueError(f"{name} must have rising days, from {days.FIRST_DAY} on")
        for _, seconds in timeline:
            if seconds is not None and not 0 <= seconds <= MOST_S:
                raise ValueError(f"{name} must lie within 0 and {MOST_S} seconds")
