"""Waiting until nobody else rewrites a day of raw, with a word about who does and for how long."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from pulse import days

ASK_EVERY_S = 5.0


@dataclass(frozen=True)
class DayLease:
    """A lease of a day's raw objects: who holds it, and until when at most (UTC, microseconds)."""

    stream: str
    day: date
    by: str
    until_us: int

    @property
    def told(self) -> str:
        """What a person who waits for its end has to know."""
        until = days.iso(self.until_us // days.SECOND * days.SECOND)
        return (
            f"Waiting for {self.by} that rewrites {self.stream} of {self.day} and holds the day "
            f"until {until} at most. Should it have died, this goes on then …"
        )


@dataclass
class InTurn:
    """Call it between two tries: it pauses. What is not known yet of the holder, it says before."""

    say: Callable[[str], None]
    pause: Callable[[float], None]
    _known: DayLease | None = None

    def __call__(self, held: DayLease) -> None:
        """Pause once."""
        if held != self._known:
            self.say(held.told)
            self._known = held
        self.pause(ASK_EVERY_S)
