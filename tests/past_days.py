"""A past day with many objects, and nightly runs: for tests of compact_raw and housekeep."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pulse import days
from pulse.tenants.rules import Rule
from tests.account_state import Account
from tests.clock import Clock
from tests.driver import Driver

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PAST = date(2026, 11, 11)
TENANTS = ("globex", "acme")


def set_up(pulse: Driver) -> None:
    """Two tenants, each with the survey `email` (nps)."""
    for tenant in TENANTS:
        pulse.tenant(tenant)
        pulse.survey(tenant, "email", Rule.make("nps", 0, 10))
        pulse.key(tenant, "secret")
        pulse.key(tenant, "report")


@contextmanager
def taken_back(pulse: Driver) -> Iterator[None]:
    """After the block, restore the lake, the table and the catalogue as they were before it."""
    settings = pulse.settings
    account = Account((settings.lake_bucket,), settings.table, settings.database)
    state = account.state()
    pulse.forget()
    try:
        yield
    finally:
        pulse.messages()
        account.put_back(state)


def answer(number: int, day: date = PAST, **more: Any) -> dict[str, Any]:
    at = f"{day}T12:00:{number % 60:02}Z"
    known = {"response_id": f"r{number}", "score": number % 11, "answered_at": at}
    return {"survey_id": "email", **known, **more}


def write_one_by_one(pulse: Driver) -> None:
    """Let write_raw store every message as an object of its own."""
    for record in pulse.messages():
        assert pulse.write([record]) == []


def fill(pulse: Driver, objects: int = 8) -> None:
    """Make so many objects of responses on the past day, of both tenants in turn."""
    for number in range(objects):
        assert pulse.post(TENANTS[number % 2], [answer(number)]).status == 202
    write_one_by_one(pulse)


def nights(pulse: Driver, clock: Clock, *, many: int = 2) -> None:
    """Run compact_raw, and housekeep a day later, so many times."""
    with days.clock(clock):
        for _ in range(many):
            pulse.compact()
            clock.a_day_passes()
            pulse.housekeep()


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, owner: Any, method: str, job: Callable[[], Any]
) -> None:
    """Call `job` once, just before the next call of a method."""
    real, waiting = getattr(owner, method), [job]

    def replaced(*args: Any, **given: Any) -> Any:
        if waiting:
            waiting.pop()()
        return real(*args, **given)

    monkeypatch.setattr(owner, method, replaced)
