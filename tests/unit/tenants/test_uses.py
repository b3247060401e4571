"""On which days uses of keys are recorded, and what happens if that fails or has to wait."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from queue import Queue

from pulse import days
from pulse.tenants.keys import Key
from pulse.tenants.uses import AGAIN_US, LastUses

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 21), date(2026, 11, 22)
KEY = Key("ab" * 32, "feed", "demo", 0)
OTHER = Key("cd" * 32, "secret", "demo", 0)
LAST = Key("ef" * 32, "report", "demo", 0)


class FakeNotes:
    """The notes in the order in which they were written; the first ones may fail."""

    def __init__(self, failures: int = 0) -> None:
        self.notes: Queue[tuple[Key, date]] = Queue()
        self.failures = failures

    def write(self, key: Key, day: date) -> None:
        self.notes.put((key, day))
        if self.failures:
            self.failures -= 1
            raise OSError("the table does not answer")

    def take(self, count: int) -> list[tuple[Key, date]]:
        """So many notes, once they are written."""
        return [self.notes.get(timeout=10) for _ in range(count)]


def note(uses: LastUses, key: Key, moment: datetime) -> None:
    with days.clock(lambda: moment):
        uses.note(key)


def test_a_key_is_written_once_a_day() -> None:
    written = FakeNotes()
    uses = LastUses(written.write)
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    for moment in (NOON, NOON, midnight - timedelta(microseconds=1), midnight, midnight):
        note(uses, KEY, moment)
    note(uses, OTHER, midnight)
    note(uses, LAST, midnight)  # one thread writes: in this order
    assert written.take(4) == [(KEY, TODAY), (KEY, TOMORROW), (OTHER, TOMORROW), (LAST, TOMORROW)]


def test_a_key_of_one_command_is_not_written() -> None:
    written = FakeNotes()
    uses = LastUses(written.write)
    note(uses, replace(KEY, passing=True), NOON)
    note(uses, OTHER, NOON)
    assert written.take(1) == [(OTHER, TODAY)]


def test_a_note_that_fails_is_tried_again_by_a_later_request() -> None:
    written = FakeNotes(failures=1)
    uses = LastUses(written.write)
    note(uses, KEY, NOON)
    note(uses, OTHER, NOON)
    assert written.take(2) == [(KEY, TODAY), (OTHER, TODAY)]  # so the first has failed by now
    again = NOON + timedelta(microseconds=AGAIN_US)
    note(uses, KEY, again - timedelta(microseconds=1))
    note(uses, KEY, again)
    note(uses, LAST, again)
    assert written.take(2) == [(KEY, TODAY), (LAST, TODAY)]


def test_a_request_does_not_wait_for_the_note() -> None:
    go_on, written = threading.Event(), FakeNotes()

    def write(key: Key, day: date) -> None:
        assert go_on.wait(10)
        written.write(key, day)

    uses = LastUses(write)
    note(uses, KEY, NOON)  # returns, although nothing is written
    note(uses, OTHER, NOON)
    assert written.notes.empty()
    go_on.set()
    assert written.take(2) == [(KEY, TODAY), (OTHER, TODAY)]
