"""Whoever reads days of which a build has brought some up to date and not others is warned.

A build makes a tenant's calendar year visible in one step. Where it dies, or has no time left,
between two years of a tenant, its earlier year is newer than its later one.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from pulse import lake
from pulse.store.athena import RESERVE_S
from pulse.store.tenants import Tenants
from pulse.tenant_years.build import BuildReports
from tests.account_state import Account, State
from tests.aws_calls import AwsCalls, changes
from tests.driver import Driver
from tests.unbuilt import calls, read, two_tenants, warned

pytestmark = pytest.mark.only_whole

BOTH_YEARS = "start_date=2025-12-01&end_date=2026-11-20&granularity=month"
BEFORE, BETWEEN, AFTER = {2026: 2}, {2025: 6, 2026: 2}, {2025: 6, 2026: 17}
"""How many of acme's calls are shown of each year; each test asks for no others."""


@pytest.fixture
def pulse() -> Iterator[Driver]:
    """Calls of both tenants have come since their reports were built: acme's are of two years."""
    with two_tenants() as driver:
        for tenant in ("acme", "globex"):
            driver.post_interactions(tenant, calls(range(1, 3)))
        driver.build()
        turn_of_the_year = range(320, 331)  # from 2025-12-26 to 2026-01-05
        driver.post_interactions("acme", calls(turn_of_the_year, name="old"))
        for tenant in ("acme", "globex"):
            driver.post_interactions(tenant, calls(range(1, 11), name="new"))
        driver.write()
        yield driver


def shown(pulse: Driver) -> tuple[dict[int, int], Sequence[str]]:
    """How many of acme's calls a reader finds of each year, and of what it is warned."""
    by_month, warnings = entered(pulse, BOTH_YEARS)
    found: Counter[int] = Counter()
    for period, number in by_month.items():
        found[int(period[:4])] += number
    return {year: number for year, number in found.items() if number}, warnings


def entered(pulse: Driver, query: str) -> tuple[dict[str, int], Sequence[str]]:
    """How many of acme's calls a reader finds of each period, and of what it is warned."""
    answer = read(pulse, query)
    found = {row["period"]: row["entered"] for row in answer.json["rows"]}
    return found, [f"{code}: {message}" for code, message in warned(answer)]


def account_of(pulse: Driver) -> Account:
    return Account((pulse.settings.lake_bucket,), pulse.settings.table, pulse.settings.database)


def deaths(account: Account, aws: AwsCalls, run: Callable[[], object]) -> list[State]:
    """What a death leaves at the beginning of a run, and after each call that changes anything."""
    states = [account.state()]

    def note() -> None:
        if changes(aws.made[-1]):
            states.append(account.state())

    aws.after_each = note
    assert aws.run(run)
    aws.after_each = None
    return states


def test_a_reader_is_warned_where_a_build_is_killed_between_two_years_of_a_tenant(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.build_daily()
    assert shown(pulse) == (BEFORE, [])
    assert warned(read(pulse, BOTH_YEARS, "globex")) == []  # so that both keys are there
    account = account_of(pulse)
    states = deaths(account, AwsCalls(monkeypatch), pulse.build_reports)
    assert shown(pulse) == (AFTER, [])
    cuts: list[int] = []
    for cut, state in enumerate(states):
        account.put_back(state)
        figures, warnings = shown(pulse)
        assert figures in (BEFORE, BETWEEN, AFTER), cut
        if figures == BETWEEN:
            cuts.append(cut)
            (told,) = warnings
            assert told.startswith("days_waiting: ")
            assert "next build: 2026-01-01 to 2026-01-05, 2026-11-11 to 2026-11-20." in told
    assert len(cuts) > 1
    account.put_back(states[cuts[-1]])
    assert warned(read(pulse, "start_date=2025-12-01&end_date=2025-12-31")) == []
    assert warned(read(pulse, BOTH_YEARS, "globex")) == []
    pulse.build_reports()
    assert shown(pulse) == (AFTER, [])


def test_a_reader_is_warned_where_a_build_has_no_time_for_the_second_of_two_years(
    pulse: Driver,
) -> None:
    """So it is after another such build, until one has come to the end."""
    pulse.build_daily()
    stage = BuildReports.from_settings(pulse.settings)

    def remaining_s() -> float:
        figures, _ = shown(pulse)
        return 900.0 if figures == BEFORE else RESERVE_S - 1

    for _ in range(2):
        assert not stage.run(remaining_s=remaining_s).finished
        figures, warnings = shown(pulse)
        assert figures == BETWEEN
        assert [told.partition(":")[0] for told in warnings] == ["days_waiting"]
        assert warned(read(pulse, BOTH_YEARS, "globex")) == []
    assert pulse.build_reports().finished
    assert shown(pulse) == (AFTER, [])


def test_what_waits_is_noted_once_for_whoever_has_changed_days_in_several_years(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    real = Tenants.set_behind

    def note(self: Tenants, tenant: str, *args: Any, **more: Any) -> None:
        noted.append(tenant)
        real(self, tenant, *args, **more)

    monkeypatch.setattr(Tenants, "set_behind", note)
    pulse.build()
    assert noted == ["acme"] * 2  # the second time that nothing waits any more
    noted.clear()
    for tenant in ("acme", "globex"):
        pulse.post_interactions(tenant, calls(range(1, 11), name="newer"))
    pulse.build()
    assert noted == []


def test_a_reader_is_warned_where_a_build_of_days_is_killed_that_has_published_some(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reports are built of what it has left there."""
    pulse.build()
    pulse.post_interactions("acme", calls(range(1, 6), name="newer"))
    pulse.write()
    week = "start_date=2026-11-16&end_date=2026-11-20&granularity=day"
    before = entered(pulse, week)[0]
    monkeypatch.setattr(lake, "PARTITION_LIMIT", 2)
    account = account_of(pulse)
    found: list[int] = []
    for cut, state in enumerate(deaths(account, AwsCalls(monkeypatch), pulse.build_daily)):
        account.put_back(state)
        pulse.build_reports()
        figures, warnings = entered(pulse, week)
        newer = [day for day, number in figures.items() if number != before[day]]
        left = sorted(figures.keys() - newer)
        assert all(figures[day] == before[day] + 1 for day in newer), cut
        if newer and left:
            found.append(len(newer))
            (told,) = warnings
            assert told.startswith("days_waiting: ")
            named = left[0] if len(left) == 1 else f"{left[0]} to {left[-1]}"
            assert f"next build: {named}." in told, cut
        elif newer:
            pulse.build_daily()
            pulse.build_reports()
            assert entered(pulse, week) == (figures, [])
            break
    assert {*found} == {2, 4}  # a call publishes the days of a statement
