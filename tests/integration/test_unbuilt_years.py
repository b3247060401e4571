"""Tenants one of whose years cannot be built are reported, and hold up no others."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from pulse.errors import AthenaError
from pulse.store.athena import Athena
from pulse.tenant_years.build import BuildReports
from tests.driver import Driver
from tests.unbuilt import YESTERDAY, answers, calls, check, read, spoil, two_tenants, warned

pytestmark = pytest.mark.only_whole


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with two_tenants() as driver:
        yield driver


def refuse(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[Sequence[str]]:
    """Let Athena fail over the rows of these tenants; the tenants of each statement."""
    real, asked = Athena.unload, []

    def unload(self: Athena, sql: str, params: Any, **given: Any) -> None:
        asked.append(params["tenants"])
        if set(names) & set(params["tenants"]):
            raise AthenaError("FAILED: a row that nobody can read")
        real(self, sql, params, **given)

    monkeypatch.setattr(Athena, "unload", unload)
    return asked


def test_a_tenant_whose_year_cannot_be_put_together_keeps_no_other_from_its_own(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["acme", "globex", *(f"tenant-{number}" for number in range(6))]
    for name in names[2:]:
        pulse.tenant(name)
    for name in names:
        pulse.post_interactions(name, calls(range(1, 3)))
    pulse.write()
    pulse.build_daily()
    with monkeypatch.context() as patched:
        asked = refuse(patched, "globex")
        with pytest.raises(AthenaError):
            pulse.build_reports()
        assert len(asked) == 7  # 8, 4, 2, 1, 1, 2, 4
        asked.clear()
        pulse.build_reports()
        assert asked == []
    found = {name: read(pulse, "preset=last_7_days", name) for name in names}
    assert [name for name in names if not found[name].json["rows"]] == ["globex"]
    assert [name for name in names if warned(found[name])] == ["globex"]
    codes = dict(warned(found["globex"]))
    assert "2026-11-14 to 2026-11-20" in codes["days_failing"]
    told = check(pulse, "reports interactions = daily_interactions")
    assert told.state == "failed"
    assert "globex 2026: FAILED: a row that nobody can read" in told.detail
    stage = BuildReports.from_settings(pulse.settings)
    assert stage.run(remaining_s=lambda: 900.0, impatient=True).rewritten == (("globex", 2026),)
    assert warned(read(pulse, "preset=last_7_days", "globex")) == []


def test_time_that_runs_out_over_a_tenants_year_is_used_up_by_the_next_run(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"tenant-{number:02}" for number in range(30)]
    for name in names:
        pulse.tenant(name)
    for name in ("acme", "globex", *names):
        pulse.post_interactions(name, calls(range(1, 3)))
    pulse.write()
    pulse.build_daily()
    asked = refuse(monkeypatch, "acme")
    stage = BuildReports.from_settings(pulse.settings)
    for _ in range(4):
        left = iter([900.0] * 3)
        with suppress(AthenaError):
            stage.run(remaining_s=lambda: next(left, 100.0))  # noqa: B023 - used up in the loop
    assert [len(some) for some in asked[::2]] != [32] * len(asked[::2])
    with suppress(AthenaError):
        pulse.build_reports()
    behind = {tenant.id: tenant.table("interactions").behind for tenant in pulse.tenants.all()}
    assert [name for name, one in behind.items() if one.years] == ["acme"]
    assert behind["acme"].years[2026].alone


def test_where_no_tenants_year_can_be_put_together_nobody_is_called_failing(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"tenant-{number:02}" for number in range(40)]
    for name in names:
        pulse.tenant(name)
    for name in ("acme", "globex", *names):
        pulse.post_interactions(name, calls(range(1, 3)))
    pulse.write()
    pulse.build_daily()
    with monkeypatch.context() as patched:
        asked = refuse(patched, "acme", "globex", *names)
        with pytest.raises(AthenaError):
            pulse.build_reports()
        assert len(asked) == 10
    tables = [tenant.table("interactions") for tenant in pulse.tenants.all()]
    years = [table.behind.years[2026] for table in tables]
    assert len(years) == 42
    assert [year for year in years if year.failing] == []
    pulse.build_reports()
    assert [t for t in pulse.tenants.all() if t.table("interactions").behind.years] == []


def test_how_many_cannot_be_built_is_counted(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[str, int] = {}
    for module in ("pulse.daily.build", "pulse.tenant_years.build"):
        monkeypatch.setattr(f"{module}.count", lambda name, value=1: counted.update({name: value}))
    pulse.post_interactions("acme", calls(range(1, 5)))
    pulse.post("acme", answers(range(1, 5)))
    pulse.write()
    pulse.build_daily()
    pulse.build_reports()
    assert (counted["DaysFailing"], counted["TenantYearsFailing"]) == (0, 0)
    for stream in ("interactions", "responses"):
        spoil(pulse, stream, YESTERDAY)
    for tenant in ("acme", "globex"):
        pulse.post_interactions(tenant, calls(range(1, 5), "more"))
        pulse.post(tenant, answers(range(5, 7)))
    pulse.write()
    with pytest.raises(AthenaError):
        pulse.build_daily()
    assert counted["DaysFailing"] == 3  # of scores, of interactions, and of experience
    pulse.build_daily()
    assert counted["DaysFailing"] == 3
    with monkeypatch.context() as patched:
        refuse(patched, "acme")
        with pytest.raises(AthenaError):
            pulse.build_reports()
    assert counted["TenantYearsFailing"] == 2
