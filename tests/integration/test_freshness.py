"""The metric of the alarm Freshness counts only runs that leave nothing to do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pulse import days
from pulse.errors import AthenaError
from pulse.observe import metrics
from pulse.store.athena import RESERVE_S, Athena
from pulse.tenant_years.build import BuildReports
from pulse.tenants.rules import Rule
from tests.driver import Driver

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def behind(driver: Driver) -> Iterator[Driver]:
    """A Pulse whose days are built and whose reports are not."""
    with days.clock(lambda: NOON):
        if driver.tenants.get("acme") is None:
            driver.tenant("acme")
            driver.survey("acme", "email", Rule.make("nps", 0, 10))
        at = (NOON - timedelta(days=len(driver.objects("raw/")))).isoformat()
        answer = {"survey_id": "email", "score": 9, "answered_at": at}
        assert driver.post("acme", [answer]).status == 202
        driver.write()
        driver.build_daily()
        metrics.clear_metrics()
        yield driver
        metrics.clear_metrics()


def fresh() -> bool:
    """What this invocation would print says that the reports are up to date."""
    return "ReportsUpToDate" in metrics.metric_set


def test_a_run_that_brings_all_up_to_date_counts_even_if_nothing_was_to_be_done(
    behind: Driver,
) -> None:
    assert behind.build_reports().finished
    assert fresh()
    metrics.clear_metrics()
    assert behind.build_reports().rewritten == ()
    assert fresh()
    assert metrics.provider.timestamp == days.to_us(NOON) // 1000


def test_a_run_that_leaves_something_to_the_next_one_does_not_count(behind: Driver) -> None:
    stage = BuildReports.from_settings(behind.settings)
    assert not stage.run(remaining_s=lambda: RESERVE_S - 1).finished
    assert not fresh()


def test_a_run_that_failed_does_not_count(behind: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AthenaError("FAILED: as asked")

    monkeypatch.setattr(Athena, "unload", refuse)
    with pytest.raises(AthenaError, match="as asked"):
        behind.build_reports()
    assert "TenantYearsRewritten" in metrics.metric_set
    assert not fresh()
