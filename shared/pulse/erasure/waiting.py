"""Pauses between two tries, and says once what is waited for."""

from collections.abc import Callable
from dataclasses import dataclass

from pulse.store.turns import ASK_EVERY_S


@dataclass
class Waiting:
    """Pauses when it is called; the first time it also says what it waits for."""

    say: Callable[[str], None]
    pause: Callable[[float], None]
    reason: str
    has_begun: bool = False

    def __call__(self) -> None:
        """Pause once."""
        if not self.has_begun:
            self.say(self.reason)
            self.has_begun = True
        self.pause(ASK_EVERY_S)
