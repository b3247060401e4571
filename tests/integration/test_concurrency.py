"""Two builders at once: neither harms the other, and the newer numbers stay."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulse import days, lake
from pulse.store.athena import Athena
from pulse.store.catalog import Catalog, Partition
from pulse.store.objects import Objects
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
YESTERDAY = (TODAY - timedelta(days=1)).date()


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running() as driver:
        driver.tenant("acme", "Europe/Berlin")
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        yield driver


def post(pulse: Driver, score: int, number: int) -> None:
    at = (TODAY - timedelta(days=1)).isoformat()
    answer = {"survey_id": "email", "score": score, "response_id": f"r{number}", "answered_at": at}
    assert pulse.post("acme", [answer]).status == 202
    pulse.write()


def responses(pulse: Driver) -> int:
    pulse.forget()
    totals = pulse.report("acme", "nps", "preset=yesterday")["totals"]
    return sum(row["responses"] for row in totals)


def meanwhile(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, job: Any) -> None:
    """Let `job` happen once, in the moment before the next call of a method."""
    real = getattr(owner, method)
    waiting = [job]

    def call(*args: Any, **given: Any) -> Any:
        if waiting:
            waiting.pop()()
        return real(*args, **given)

    monkeypatch.setattr(owner, method, call)


def test_of_two_daily_builds_the_one_that_read_the_newer_events_stays(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(pulse, 9, number=1)

    def newer() -> None:
        post(pulse, 3, number=2)
        pulse.build_daily()

    # The older build has its rows and its claim, and is about to point the partition at them.
    meanwhile(monkeypatch, Catalog, "point", newer)
    pulse.build_daily()
    (partition,) = Catalog(pulse.settings.database).partitions("daily_scores").values()
    assert (partition.day, partition.version, partition.answers) == (YESTERDAY, 2, 2)
    assert pulse.build_daily().built == ()
    pulse.build_reports()
    assert responses(pulse) == 2


def test_an_older_daily_build_does_not_publish_over_a_newer_one(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(pulse, 9, number=1)

    def newer() -> None:
        post(pulse, 3, number=2)
        pulse.build_daily()

    published: list[Partition] = []
    real = Catalog.point

    def point(self: Catalog, table: str, locations: Mapping[Partition, str]) -> None:
        published.extend(locations)
        real(self, table, locations)

    monkeypatch.setattr(Catalog, "point", point)
    # The older build has not even read raw: its rows will be new, but the version it read is old.
    meanwhile(monkeypatch, Athena, "unload", newer)
    pulse.build_daily()
    assert [partition.version for partition in published] == [2]


def test_of_two_report_builds_the_object_never_becomes_older(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(pulse, 9, number=1)
    pulse.build()
    post(pulse, 3, number=2)
    pulse.build_daily()

    def newer() -> None:
        post(pulse, 5, number=3)
        pulse.build_daily()
        pulse.build_reports()

    # The older build holds its bytes and is about to put them.
    meanwhile(monkeypatch, Objects, "replace", newer)
    result = pulse.build_reports()
    assert responses(pulse) == 3
    assert result.finished
    assert pulse.build_reports().rewritten == ()


def test_a_build_that_found_equal_bytes_is_not_overtaken_by_an_older_one(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(pulse, 9, number=1)
    pulse.build()
    first = set(pulse.objects("raw/"))
    post(pulse, 1, number=2)
    pulse.build_daily()

    def back_to_what_it_was() -> None:
        # the second answer is taken out of raw, which now holds what the object shows already
        for key in set(pulse.objects("raw/")) - first:
            Objects(pulse.settings.lake_bucket).delete_all(key)
        pulse.build_daily(YESTERDAY, YESTERDAY)
        pulse.build_reports()

    meanwhile(monkeypatch, Objects, "replace", back_to_what_it_was)
    pulse.build_reports()
    assert responses(pulse) == 1
    assert pulse.build_reports().rewritten == ()


def test_a_reader_during_builds_sees_the_old_or_the_new_whole(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(pulse, 9, number=0)
    pulse.build()
    seen: list[int] = []
    for number in range(1, 6):
        post(pulse, 9, number=number)
        meanwhile(monkeypatch, Catalog, "point", lambda: seen.append(responses(pulse)))
        pulse.build_daily()
        seen.append(responses(pulse))
        meanwhile(monkeypatch, Objects, "replace", lambda: seen.append(responses(pulse)))
        pulse.build_reports()
        seen.append(responses(pulse))
        monkeypatch.undo()
        assert seen[-4:] == [number, number, number, number + 1]
    key = lake.report_key(lake.SCORES, "acme", 2026)
    assert list(pulse.objects("reports/")) == [key]
