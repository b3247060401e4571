"""A tenant's thresholds: within how many seconds the milestones of an interaction should happen.

Each medium has three thresholds, and each threshold has a timeline: since which of the tenant's
days which value is in force. docs/metrics.md ("Interactions") says what they judge.

A threshold may have a target: the percentage of interactions that should meet it. Pages colour
service levels by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pulse import days
from pulse.streams.interactions import MEDIA_TYPES
from pulse.texts import is_word

Timeline = tuple[tuple[date, int | None], ...]
"""(in force since, seconds) of one threshold, the oldest first; None is no threshold."""

KINDS = ("accept", "first_response", "finish")
SETTINGS = tuple(f"{media_type}.{kind}" for media_type in MEDIA_TYPES for kind in KINDS)
"""The names of the usual media's thresholds, such as voice.accept; other media have them too."""
_TARGET = "_target"
"""The ending of a target's name: voice.accept_target is that of the threshold voice.accept."""
MOST_S = 10**9
"""The longest threshold, of more than thirty years: a longer one is a mistake."""


def is_threshold(name: str) -> bool:
    """Whether the name is that of a threshold: a medium, a dot and one of KINDS."""
    medium, _, kind = name.rpartition(".")
    return kind in KINDS and is_word(medium)


def threshold_of_target(name: str) -> str | None:
    """The threshold whose target has that name; None if it is no target's name."""
    threshold = name.removesuffix(_TARGET)
    return threshold if threshold != name and is_threshold(threshold) else None


def check_targets(targets: Mapping[str, int]) -> None:
    """Raise ValueError unless all names are thresholds' and all values percentages."""
    for name, pct in targets.items():
        if not is_threshold(name):
            raise ValueError(f"there is no threshold {name!r}")
        if not 0 < pct <= 100:
            raise ValueError(f"{name}{_TARGET} must lie within 1 and 100 percent, or be none")


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of one medium on one day, in seconds; None is no threshold."""

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
    """The day from which a value is in force that was set without one.

    A first value is in force on all days; a later one from tomorrow on, so that each day has one
    value.
    """
    return tomorrow if any(seconds is not None for _, seconds in timeline) else days.FIRST_DAY


def changed_timeline(timeline: Timeline, since: date, seconds: int | None) -> Timeline:
    """The timeline with a value in force from a day on, until the next change that it has."""
    return tuple(sorted({**dict(timeline), since: seconds}.items()))


def check_timelines(timelines: Mapping[str, Timeline]) -> None:
    """Raise ValueError unless all names are thresholds' and all timelines are in order."""
    for name, timeline in timelines.items():
        if not is_threshold(name):
            raise ValueError(f"there is no threshold {name!r}")
        since = [day for day, _ in timeline]
        if since != sorted(set(since)) or any(day < days.FIRST_DAY for day in since):
            raise ValueError(f"{name} must have rising days, from {days.FIRST_DAY} on")
        for _, seconds in timeline:
            if seconds is not None and not 0 <= seconds <= MOST_S:
                raise ValueError(f"{name} must lie within 0 and {MOST_S} seconds")
