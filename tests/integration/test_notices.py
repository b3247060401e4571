"""A build of the reports looks at days of which it has notice, and no change is missed for long."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any

import pytest

from pulse import days, lake
from pulse.store.catalog import Catalog
from pulse.store.changes import LONGEST_RUN_US, Changes
from pulse.store.held import HeldRuns
from pulse.store.ledger import Ledger
from pulse.store.notices import Notice, Notices
from pulse.store.records import Records
from pulse.tenant_years.build import BuildReports
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

pytestmark = pytest.mark.only_whole

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
YEAR = "start_date=2026-01-01&end_date=2026-11-21"


@pytest.fixture
def pulse() -> Iterator[Driver]:
    """A tenant with an answer on each of four days, built."""
    with days.clock(lambda: NOON), running() as driver:
        driver.tenant("acme")
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        for ago in range(1, 5):
            answer(driver, ago)
        driver.build()
        yield driver


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[date] | None]:
    """The days of scores of which the catalogue is asked; None for all of them."""
    asked: list[Sequence[date] | None] = []
    real = Catalog.partitions

    def partitions(self: Catalog, table: str, among: Any = None) -> Any:
        if table == lake.SCORES.daily_table:
            asked.append(None if among is None else sorted(among))
        return real(self, table, among)

    monkeypatch.setattr(Catalog, "partitions", partitions)
    return asked


def answer(driver: Driver, ago: int) -> None:
    moment = (NOON - timedelta(days=ago)).isoformat()
    driver.post("acme", [{"survey_id": "email", "score": 9, "answered_at": moment}])
    assert driver.write() == []


def day(ago: int) -> date:
    return (NOON - timedelta(days=ago)).date()


def responses(pulse: Driver) -> int:
    pulse.forget()
    totals = pulse.report("acme", "nps", YEAR)["totals"]
    return sum(row["responses"] for row in totals)


def notices(pulse: Driver) -> Sequence[Notice]:
    return Notices(pulse.settings.table).read().get("scores", ())


def test_a_build_looks_at_the_days_of_which_it_has_notice_and_removes_it(
    pulse: Driver, looked_at: list[Sequence[date] | None]
) -> None:
    assert notices(pulse) == ()
    answer(pulse, 3)
    answer(pulse, 0)
    pulse.build_daily()
    (given,) = notices(pulse)
    assert (given.days, given.published) == (frozenset({day(3), day(0)}), True)
    looked_at.clear()
    assert pulse.build_reports().examined == 2
    assert looked_at == [[day(3), day(0)]]
    assert (responses(pulse), notices(pulse)) == (6, ())


def test_the_ledger_is_read_only_where_days_are_not_built(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = Ledger.entries

    def entries(self: Ledger, stream: str, *between: Any) -> Any:
        read.append(stream)
        return real(self, stream, *between)

    answer(pulse, 2)
    pulse.build_daily()
    monkeypatch.setattr(Ledger, "entries", entries)
    pulse.build_reports()
    assert read == []
    Changes(pulse.settings.table).begin("responses", lake.ulid())  # another builder is at work
    pulse.build_reports()
    assert read == ["responses"]


def test_a_builder_that_dies_before_it_publishes_has_given_notice(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch, looked_at: list[Sequence[date] | None]
) -> None:
    answer(pulse, 2)
    with monkeypatch.context() as dying:
        dying.setattr(Catalog, "point", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pulse.build_daily()
    looked_at.clear()
    assert pulse.build_reports().rewritten == ()
    assert looked_at[0] == [day(2)]
    assert [one.published for one in notices(pulse)] == [False]
    with days.clock(lambda: NOON + timedelta(microseconds=LONGEST_RUN_US + 1)):
        pulse.build()
        assert (responses(pulse), notices(pulse)) == (5, ())


def test_after_a_builder_that_gives_no_notice_every_day_is_looked_at(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch, looked_at: list[Sequence[date] | None]
) -> None:
    """Such as one of a version of before, which this one meets where it was just deployed."""
    answer(pulse, 2)
    pulse.build_daily()
    records = Records(pulse.settings.table)
    records.clear("LEDGER#NOTICES")
    former = {":minus": -1}
    records.update("LEDGER#CHANGES", "responses", "ADD noticed :minus", values=former)
    looked_at.clear()
    assert pulse.build_reports().rewritten == (("acme", 2026),)
    assert (looked_at, responses(pulse)) == ([None], 5)
    answer(pulse, 2)
    pulse.build_daily()
    looked_at.clear()
    pulse.build_reports()
    assert (looked_at, responses(pulse)) == ([[day(2)]], 6)


def test_a_table_of_which_a_version_of_before_has_built_the_reports_is_looked_at_whole(
    pulse: Driver, looked_at: list[Sequence[date] | None]
) -> None:
    records = Records(pulse.settings.table)
    for table in lake.DAILY_TABLES:
        records.update("REPORTS", table.name, "REMOVE unnoticed")
    records.update("LEDGER#CHANGES", "responses", "REMOVE noticed, unbuilt")
    answer(pulse, 2)
    for expected in (None, [day(2)]):
        answer(pulse, 2)
        pulse.build_daily()
        looked_at.clear()
        pulse.build_reports()
        assert looked_at == [expected]
    assert responses(pulse) == 7


def test_housekeep_gives_notice_of_days_that_nobody_has_told(
    pulse: Driver, looked_at: list[Sequence[date] | None]
) -> None:
    answer(pulse, 2)
    pulse.build_daily()
    Notices(pulse.settings.table).remove(notices(pulse))  # as if a builder had forgotten it
    assert pulse.build_reports().rewritten == ()
    assert responses(pulse) == 4
    with days.clock(lambda: NOON + timedelta(days=1)):
        for _ in range(2):
            pulse.housekeep()
            assert [one.days for one in notices(pulse)] == [{day(2)}]
        looked_at.clear()
        assert pulse.build_reports().rewritten == (("acme", 2026),)
        assert (looked_at, responses(pulse)) == ([[day(2)]], 5)
        pulse.housekeep()
        assert notices(pulse) == ()


def test_pulse_build_looks_at_every_day(
    pulse: Driver, looked_at: list[Sequence[date] | None]
) -> None:
    answer(pulse, 2)
    pulse.build_daily()
    Notices(pulse.settings.table).remove(notices(pulse))
    looked_at.clear()
    stage = BuildReports.from_settings(pulse.settings)
    assert stage.run(remaining_s=lambda: inf, whole=True).rewritten == (("acme", 2026),)
    assert (looked_at, responses(pulse)) == ([None], 5)


def test_days_that_could_not_be_shown_stay_noticed(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(pulse, 2)
    pulse.build_daily()

    def die(*_: Any, **__: Any) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as dying:
        dying.setattr(HeldRuns, "put", die)
        with pytest.raises(RuntimeError, match="died"):
            pulse.build_reports()
    assert [one.days for one in notices(pulse)] == [{day(2)}]
    assert pulse.build_reports().rewritten == (("acme", 2026),)
    assert (responses(pulse), notices(pulse)) == (5, ())
