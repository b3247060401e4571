"""Two builders at once do not harm each other, and the newer numbers stay."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, product
from typing import Any

import pytest

from pulse import days
from pulse.store.catalog import Catalog
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.rules import Rule
from tests.aws_calls import Turns
from tests.driver import Driver, running
from tests.sampling import some

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OF_DAILY = tuple(product(range(4), range(1, 4)))
"""How far the older build gets, and then the newer one: UNLOAD, claim, partition, event."""
OF_REPORTS = tuple(product(range(1, 6), (1, 3, 5)))
"""The same of one tenant-year: naming its run, UNLOAD, object, state, tidying up, settling."""
YESTERDAY = (TODAY - timedelta(days=1)).date()


@pytest.fixture
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running() as driver:
        driver.tenant("acme", "Europe/Berlin")
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        yield driver


def post(pulse: Driver, score: int, number: int, ago: int = 1) -> None:
    at = (TODAY - timedelta(days=ago)).isoformat()
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


@pytest.mark.sampled
def test_of_two_daily_builds_the_one_that_read_the_newer_events_stays(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One build has read the day before an answer came, the other after it, in any interleaving."""
    turns = Turns(monkeypatch)
    for place, (n, m) in enumerate(some(OF_DAILY, 6)):
        ago = place + 1
        post(pulse, 9, number=1, ago=ago)
        newer = partial(post, pulse, 3, number=2, ago=ago)
        turns.run(pulse.build_daily, n, pulse.build_daily, m, between=newer)
        day = (TODAY - timedelta(days=ago)).date()
        partition = Catalog(pulse.settings.database).partitions("daily_scores")[day]
        assert (partition.version, partition.answers) == (2, 2), (n, m)
        assert pulse.build_daily().built == ()
    pulse.build_reports()
    pulse.forget()
    totals = pulse.report("acme", "nps", "preset=last_30_days")["totals"]
    assert [row["responses"] for row in totals] == [2 * ago]


@pytest.mark.only_whole
def test_of_two_report_builds_the_object_never_becomes_older(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One build has read the days before one of them was built again, in any interleaving."""
    turns = Turns(monkeypatch)
    numbers = count()

    def one_more() -> None:
        post(pulse, 9, number=next(numbers))
        pulse.build_daily()

    for n, m in OF_REPORTS:
        one_more()
        turns.run(pulse.build_reports, n, pulse.build_reports, m, between=one_more)
        after = pulse.build_reports()
        assert (after.rewritten, after.finished) == ((), True), (n, m)
        events = next(numbers)
        assert responses(pulse) == events, (n, m)
        post(pulse, 9, number=events)


@pytest.mark.only_whole
def test_a_build_that_found_nothing_changed_is_not_overtaken_by_an_older_one(
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

    meanwhile(monkeypatch, Objects, "put", back_to_what_it_was)
    pulse.build_reports()
    assert responses(pulse) == 1
    assert pulse.build_reports().rewritten == ()


@pytest.mark.only_whole
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
        meanwhile(monkeypatch, Tenants, "set_year", lambda: seen.append(responses(pulse)))
        pulse.build_reports()
        seen.append(responses(pulse))
        monkeypatch.undo()
        assert seen[-4:] == [number, number, number, number + 1]
