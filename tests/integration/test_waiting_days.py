"""Days that a build of a range, or one that was killed, has left are said to wait."""

from collections.abc import Iterator, Mapping
from datetime import date
from math import inf
from typing import Any

import pytest

from pulse import days, lake
from pulse.daily.build import BuildDaily
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog
from pulse.store.ledger import Entry, Ledger
from tests.driver import Driver, Reply
from tests.unbuilt import calls, check, read, two_tenants, warned

pytestmark = pytest.mark.only_whole

QUARTER = "start_date=2026-08-01&end_date=2026-11-20"


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with two_tenants() as driver:
        yield driver


def entry(pulse: Driver, day: date, stream: str = "interactions") -> Entry:
    return Ledger(pulse.settings.table).entries(stream)[day]


def published(pulse: Driver, dataset: lake.Dataset = lake.INTERACTIONS) -> set[date]:
    return set(Catalog(pulse.settings.database).partitions(dataset.daily_table))


def entered(reply: Reply) -> int:
    return sum(row["entered"] for row in reply.json["rows"])


def built_and_sent_more(pulse: Driver) -> None:
    """Both tenants have reports of two days; then acme sends a call of each of sixty days."""
    for tenant in ("acme", "globex"):
        pulse.post_interactions(tenant, calls(range(1, 3)))
    pulse.build()
    pulse.post_interactions("acme", calls(range(1, 61), name="more"))
    pulse.write()


def test_days_that_a_build_of_a_range_has_left_are_said_to_wait(pulse: Driver) -> None:
    built_and_sent_more(pulse)
    pulse.build_reports()
    assert warned(read(pulse, QUARTER)) == []  # as usual between two builds
    pulse.build_daily(date(2026, 10, 1), date(2026, 10, 31))
    pulse.build_reports()
    ((code, message),) = warned(read(pulse, QUARTER))
    assert code == "days_waiting"
    assert "wait for the next build: 2026-09-22 to 2026-09-30, 2026-11-01 to 2026-11-20." in message
    assert warned(read(pulse, "start_date=2026-10-01&end_date=2026-10-31")) == []
    assert [code for code, _ in warned(read(pulse, QUARTER, "globex"))] == ["days_waiting"]
    assert check(pulse, "interactions: days built").state == "waiting"
    pulse.build_daily()
    pulse.build_reports()
    assert warned(read(pulse, QUARTER)) == []
    assert entered(read(pulse, QUARTER)) == 62
    pulse.post_interactions("acme", calls(range(1, 2), name="late"))
    pulse.write()
    pulse.build_reports()
    assert warned(read(pulse, QUARTER)) == []


def test_after_a_build_of_a_range_that_has_left_nothing_no_day_is_said_to_wait(
    pulse: Driver,
) -> None:
    pulse.post_interactions("acme", calls(range(1, 61)))
    pulse.build()
    pulse.build_daily(date(2026, 10, 1), date(2026, 10, 31))
    pulse.post_interactions("acme", calls(range(1, 2), name="late"))
    pulse.write()
    pulse.build_reports()
    assert warned(read(pulse, QUARTER)) == []


def test_a_build_tells_how_many_of_its_days_are_done(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse.post_interactions("acme", calls(range(1, 25)))
    pulse.write()
    monkeypatch.setattr(lake, "PARTITION_LIMIT", 10)
    told: list[tuple[str, int, int]] = []
    BuildDaily.from_settings(pulse.settings).run(
        remaining_s=lambda: inf, progress=lambda *one: told.append(one)
    )
    days_done = [0, 10, 20, 24]
    assert told == [("interactions", done, 24) for done in days_done]


def test_days_that_a_build_has_left_which_was_killed_are_said_to_wait(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_and_sent_more(pulse)
    real = Athena.unload

    def killed(self: Athena, sql: str, params: Mapping[str, Any], **more: Any) -> None:
        if "2026-10-20" in str(params):
            raise KeyboardInterrupt
        real(self, sql, params, **more)

    with monkeypatch.context() as patched:
        patched.setattr(lake, "PARTITION_LIMIT", 10)
        patched.setattr(Athena, "unload", killed)
        with pytest.raises(KeyboardInterrupt):
            pulse.build_daily()
    pulse.build_reports()
    ((code, message),) = warned(read(pulse, QUARTER))
    assert (code, "2026-11-20. What was sent" in message) == ("days_waiting", True)
    first = date.fromisoformat(message.partition("build: ")[2][:10])
    assert date(2026, 10, 10) < first <= date(2026, 10, 20)
    assert warned(read(pulse, f"start_date=2026-08-01&end_date={first - days.ONE_DAY}")) == []
    pulse.build()
    assert warned(read(pulse, QUARTER)) == []
    assert entered(read(pulse, QUARTER)) == 62
