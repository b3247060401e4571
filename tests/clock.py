"""A clock that stands still until a test moves it; `pulse.days.clock` takes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class Clock:
    """The time of everything that runs under it."""

    now: datetime

    def __call__(self) -> datetime:
        """The time at which it stands."""
        return self.now

    def a_minute_passes(self) -> datetime:
        """Move it by a minute; the moment then."""
        self.now += timedelta(minutes=1)
        return self.now

    def a_day_passes(self) -> None:
        """Move it by so much that whatever is due in a day is due then."""
        self.now += timedelta(days=1, minutes=1)
