"""When schedules call their functions, and with which event."""

from datetime import UTC, datetime
from typing import Any

import pytest

from local.schedules import Clock, Schedule, ScheduleError, parse_expression, read_schedules
from local.stack import Stack
from tests.local.stack.conftest import eventually


def moments(expression: str, after: str, count: int = 1, zone: str = "UTC") -> list[str]:
    """The next firings, as text in UTC."""
    next_time, moment = parse_expression(expression, zone), datetime.fromisoformat(after)
    found = []
    for _ in range(count):
        following = next_time(moment)
        if following is None:
            break
        moment = following
        found.append(moment.strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", ["2026-11-21 10:01", "2026-11-21 10:02"]),
        ("rate(15 minutes)", ["2026-11-21 10:15", "2026-11-21 10:30"]),
        ("rate(2 days)", ["2026-11-23 10:00", "2026-11-25 10:00"]),
        ("cron(20 1 * * ? *)", ["2026-11-22 01:20", "2026-11-23 01:20"]),
        ("cron(0/30 * * * ? *)", ["2026-11-21 10:30", "2026-11-21 11:00"]),
        ("cron(0 9 ? * MON-FRI *)", ["2026-11-23 09:00", "2026-11-24 09:00"]),
        ("cron(0 9 ? * 2-6 *)", ["2026-11-23 09:00", "2026-11-24 09:00"]),
        ("cron(0 9 ? * 1 *)", ["2026-11-22 09:00", "2026-11-29 09:00"]),
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("cron(0 8 ? * 6L *)", ["2026-11-27 08:00", "2026-12-25 08:00"]),
        ("cron(0 8 ? * 2#1 *)", ["2026-12-07 08:00", "2027-01-04 08:00"]),
        ("cron(0 0 1 1 ? 2028)", ["2028-01-01 00:00"]),
        ("at(2026-11-21T12:30:00)", ["2026-11-21 12:30"]),
        ("at(2026-11-20T12:30:00)", []),
    ],
)
def test_expression_fires_at(expression: str, expected: list[str]) -> None:
    assert moments(expression, "2026-11-21T10:00:00+00:00", count=2) == expected


def test_cron_is_in_the_schedules_time_zone_in_winter_and_summer() -> None:
    at_two = "cron(0 2 * * ? *)"
    assert moments(at_two, "2026-01-10T12:00:00+00:00", zone="Europe/Berlin") == [
        "2026-01-11 01:00"
    ]
    assert moments(at_two, "2026-07-10T12:00:00+00:00", zone="Europe/Berlin") == [
        "2026-07-11 00:00"
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(5)",
        "cron(0 2 * * *)",
        "cron(0 2 * * * *)",
        "cron(99 2 * * ? *)",
        "",
    ],
)
def test_what_eventbridge_would_refuse_is_an_error(expression: str) -> None:
    with pytest.raises(ScheduleError):
        parse_expression(expression)


def test_schedules_are_read_from_the_template_and_disabled_ones_left_out(stack: Stack) -> None:
    [nightly] = read_schedules(stack.deployment, "eu-central-1")
    assert (nightly.name, nightly.function) == ("WorkerNightly", "Worker")
    assert nightly.payload(datetime(2026, 1, 1, tzinfo=UTC)) == {"do": "nightly"}
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert nightly.next_time(summer) == datetime(2026, 7, 2, 0, 30, tzinfo=UTC)


class Recorder:
    """Stands where a function stands, and keeps what it is called with."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def submit_event(self, event: Any) -> None:
        self.events.append(event)


def test_clock_calls_a_function_each_time_it_is_due_and_no_more_once_stopped() -> None:
    target = Recorder()
    every_tenth = Schedule(
        name="often",
        function="F",
        next_time=lambda after: datetime.fromtimestamp(after.timestamp() + 0.1, UTC),
        payload=lambda moment: {"time": moment.isoformat()},
    )
    clock = Clock([every_tenth], {"F": target})
    assert eventually(lambda: len(target.events) >= 3, seconds=3)
    clock.stop()
    called = len(target.events)
    assert not eventually(lambda: len(target.events) > called, seconds=0.4)
