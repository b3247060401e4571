"""Objects are asked for once a minute, sent again only when changed, and kept within a budget."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pulse import days, lake
from pulse.serve.years import Years
from pulse.store.objects import Objects
from pulse.tenants.tenant import TableState, Tenant, YearState
from tests.unit.serve.events import Answer, as_object, built

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANSWERS = [Answer(date(year, 6, 1), 4) for year in (2024, 2025, 2026)]
TENANT = built(Tenant("acme", "Acme"), ANSWERS)


class Shelf(Objects):
    """A bucket in memory that says what was asked of it."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        super().__init__("shelf")
        self.bodies = bodies
        self.asked: list[tuple[str, str | None]] = []

    def get_unless(self, key: str, etag: str | None) -> tuple[bytes, str] | None:
        """As S3 would answer; the ETag is the content's hash."""
        self.asked.append((key, etag))
        found = f'"{hash(self.bodies[key])}"'
        return None if found == etag else (self.bodies[key], found)


def key(year: int) -> str:
    return lake.report_key(lake.SCORES, "acme", year)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({key(answer.day.year): as_object([answer]) for answer in ANSWERS})


@pytest.fixture
def moment() -> Iterator[list[datetime]]:
    """The present, to be moved."""
    moments = [NOON]
    with days.clock(lambda: moments[-1]):
        yield moments


def later(moment: list[datetime], seconds: float) -> None:
    moment.append(moment[-1] + timedelta(seconds=seconds))


def responses(years: Years, tenant: Tenant = TENANT) -> int:
    found = years.read(lake.SCORES, tenant, range(2020, 2031))
    whole = days.DateRange(date(2020, 1, 1), date(2030, 12, 31))
    return sum(sum(year.cells.group(whole, {}, [])[()]) for year in found)


def test_only_published_years_of_the_range_are_asked_for(
    shelf: Shelf, moment: list[datetime]
) -> None:
    states = dict(TENANT.table("scores").years)
    states[2023] = YearState("hash", 1, None, published=False)
    tenant = replace(TENANT, tables={"scores": TableState(states)})
    found = Years(shelf).read(lake.SCORES, tenant, range(2022, 2026))
    assert len(found) == 2
    assert sorted(shelf.asked) == [(key(2024), None), (key(2025), None)]


def test_within_the_minute_nothing_is_asked_again(shelf: Shelf, moment: list[datetime]) -> None:
    years = Years(shelf)
    responses(years)
    shelf.asked.clear()
    later(moment, 59)
    assert responses(years) == 3
    assert shelf.asked == []


def test_after_the_minute_only_what_changed_is_sent(shelf: Shelf, moment: list[datetime]) -> None:
    years = Years(shelf)
    responses(years)
    shelf.bodies[key(2026)] = as_object([ANSWERS[2]] * 5)
    shelf.asked.clear()
    later(moment, 60)
    assert responses(years) == 7
    assert all(etag for _, etag in shelf.asked)
    assert len(shelf.asked) == 3


def test_a_build_is_seen_as_soon_as_the_tenant_s_record_tells_of_it(
    shelf: Shelf, moment: list[datetime]
) -> None:
    years = Years(shelf)
    responses(years)
    shelf.bodies[key(2026)] = as_object([ANSWERS[2]] * 5)
    states = dict(TENANT.table("scores").years)
    states[2026] = replace(states[2026], built_from="another hash")
    shelf.asked.clear()
    assert responses(years, replace(TENANT, tables={"scores": TableState(states)})) == 7
    assert [asked for asked, _ in shelf.asked] == [key(2026)]


def test_anew_asks_whatever_the_time(shelf: Shelf, moment: list[datetime]) -> None:
    years = Years(shelf)
    responses(years)
    shelf.asked.clear()
    years.read(lake.SCORES, TENANT, [2026], anew=True)
    assert [asked for asked, _ in shelf.asked] == [key(2026)]


def test_the_least_recently_used_leave_when_memory_is_short(
    shelf: Shelf, moment: list[datetime]
) -> None:
    one = Years(shelf).read(lake.SCORES, TENANT, [2024])[0].cells.nbytes
    years = Years(shelf, budget_bytes=2 * one)
    for year in (2024, 2025, 2024, 2026):
        years.read(lake.SCORES, TENANT, [year])
    shelf.asked.clear()
    years.read(lake.SCORES, TENANT, [2024])
    assert shelf.asked == []
    years.read(lake.SCORES, TENANT, [2025])
    assert shelf.asked == [(key(2025), None)]


def test_what_is_larger_than_the_budget_is_read_all_the_same(
    shelf: Shelf, moment: list[datetime]
) -> None:
    years = Years(shelf, budget_bytes=0)
    assert responses(years) == 3
    assert responses(years) == 3
    assert len(shelf.asked) == 6
