"""Which threshold is in force on which day."""

from datetime import date

import pytest

from pulse import days
from pulse.tenants.tenant import Tenant
from pulse.tenants.thresholds import SETTINGS, Thresholds, Timeline, beginning, changed_timeline

TODAY = date(2026, 11, 21)
TOMORROW = TODAY + days.ONE_DAY
EVER = days.FIRST_DAY


def bank(**timelines: Timeline) -> Tenant:
    """A tenant with thresholds for voice."""
    return Tenant("bank", "Bank", thresholds={f"voice.{k}": line for k, line in timelines.items()})


def test_each_medium_has_three_settings() -> None:
    assert len(SETTINGS) == 18
    assert {"voice.accept", "email.first_response", "task.finish"} <= set(SETTINGS)


def test_a_medium_without_settings_has_no_thresholds() -> None:
    assert bank(accept=((EVER, 20),)).thresholds_at("chat", TODAY) == Thresholds(None, None, None)


@pytest.mark.parametrize(
    ("day", "accept_s", "finish_s"),
    [
        (date(2026, 11, 19), 20, None),
        (date(2026, 11, 20), 30, None),
        (date(2026, 11, 21), 30, 300),
        (date(2026, 12, 31), 30, 300),
        (date(2027, 1, 1), None, 300),
        (date(2027, 1, 2), 0, 300),
    ],
)
def test_each_setting_follows_its_own_timeline(
    day: date, accept_s: int | None, finish_s: int | None
) -> None:
    tenant = bank(
        accept=(
            (EVER, 20),
            (date(2026, 11, 20), 30),
            (date(2027, 1, 1), None),
            (date(2027, 1, 2), 0),
        ),
        finish=((date(2026, 11, 21), 300),),
    )
    assert tenant.thresholds_at("voice", day) == Thresholds(accept_s, None, finish_s)


@pytest.mark.parametrize(
    ("timeline", "since"),
    [
        ((), EVER),
        (((EVER, None),), EVER),
        (((EVER, 20),), TOMORROW),
        (((EVER, 20), (TODAY, None)), TOMORROW),
        (((date(2027, 5, 1), 20),), TOMORROW),
    ],
)
def test_a_value_without_a_day_begins_at_once_only_if_it_is_the_first(
    timeline: Timeline, since: date
) -> None:
    assert beginning(timeline, TOMORROW) == since


def test_a_change_holds_until_the_next_one_and_replaces_its_own_day() -> None:
    line = changed_timeline(((EVER, 20), (date(2027, 1, 1), 40)), TOMORROW, 30)
    assert line == ((EVER, 20), (TOMORROW, 30), (date(2027, 1, 1), 40))
    assert changed_timeline(line, TOMORROW, None) == (
        (EVER, 20),
        (TOMORROW, None),
        (date(2027, 1, 1), 40),
    )


@pytest.mark.parametrize(
    ("name", "timeline", "fault"),
    [
        ("voice.accept", ((TODAY, -1),), "within 0"),
        ("voice.accept", ((TODAY, 10**9 + 1),), "within 0"),
        ("voice.accept", ((date(1989, 12, 31), 20),), "from 1990-01-01"),
        ("voice.accept", ((TOMORROW, 20), (TODAY, 30)), "rising days"),
        ("voice.accept", ((TODAY, 20), (TODAY, 30)), "rising days"),
        ("voice.hold", ((TODAY, 20),), "no threshold 'voice.hold'"),
        ("(none).accept", ((TODAY, 20),), r"no threshold '\(none\).accept'"),
    ],
)
def test_what_a_threshold_cannot_be(name: str, timeline: Timeline, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Tenant("bank", "Bank", thresholds={name: timeline})


@pytest.mark.parametrize("scale", ["", "5", "5-1", "3-3", "1-5 ", "-1-5", "1-", "1-10000", "a-b"])
def test_what_a_satisfaction_scale_cannot_be(scale: str) -> None:
    with pytest.raises(ValueError, match="satisfaction_scale"):
        Tenant("bank", "Bank", satisfaction_scale=scale)


@pytest.mark.parametrize(("scale", "bounds"), [("1-5", (1, 5)), ("0-100", (0, 100))])
def test_a_satisfaction_scale_names_its_ends(scale: str, bounds: tuple[int, int]) -> None:
    assert Tenant("bank", "Bank", satisfaction_scale=scale).satisfaction_range == bounds
