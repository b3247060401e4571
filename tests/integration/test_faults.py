"""While AWS fails nothing accepted is lost and nothing published harmed; the next run recovers."""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from botocore.exceptions import BotoCoreError, ClientError

from functions.build_daily import app as build_daily
from functions.build_reports import app as build_reports
from functions.ingest import app as ingest
from local.athena.faults import Fault, cancelled, empty, failed, next_executions, passes, stuck
from pulse import days
from pulse.errors import AthenaError, BuildCheckError, PulseError
from pulse.ingest.routes import DEADLINE_S
from pulse.store import clients
from pulse.store.catalog import Catalog
from pulse.tenants.rules import Rule
from tests.aws_faults import AwsFaults, without_pauses
from tests.driver import CONTEXT, Driver, Reply, running

pytestmark = pytest.mark.only_whole

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REGION = "eu-central-1"
RESPONSES = 120
TRIES = 40
NAMES = (f"tenant-{number}" for number in count())
FAILURES = (PulseError, ClientError, BotoCoreError, RuntimeError)
"""What the stages raise when AWS does not do what it is asked."""


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with days.clock(lambda: TODAY), running() as driver:
        yield driver


@pytest.fixture
def tenant(pulse: Driver) -> str:
    """A tenant of this test alone."""
    name = next(NAMES)
    pulse.tenant(name, "Europe/Berlin")
    pulse.survey(name, "email", Rule.make("nps", 0, 10))
    return name


def answer(number: int) -> dict[str, Any]:
    at = TODAY - timedelta(days=1 + number % 3)
    known = {"response_id": f"r{number}", "answered_at": at.isoformat()}
    return {"survey_id": "email", "score": number % 11, **known}


# -- a third of all calls


@pytest.fixture
def own_clients() -> Iterator[None]:
    """Clients of this test alone: botocore's count how often they may still try again."""
    clients._made.cache_clear()
    yield
    clients._made.cache_clear()


@pytest.mark.usefixtures("own_clients")
def test_with_a_third_of_all_calls_failing_nothing_is_lost_and_nothing_counts_twice(
    pulse: Driver, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_REMEMBER_SECONDS", "0")  # so that each request looks things up
    key = pulse.key(tenant, "secret")
    pulse.forget()
    asked = AwsFaults(0.3)
    with asked.at_work():
        accepted = post_all(pulse, key, monkeypatch)
    assert len(accepted) == RESPONSES
    records = pulse.messages()
    assert len(records) >= RESPONSES

    written = AwsFaults(0.3, hopeless=0.03)
    with written.at_work(), without_pauses():
        while records:
            pulse.forget()
            again = set(pulse.write(records))
            records = [record for record in records if record["messageId"] in again]

    built = AwsFaults(0.3, hopeless=0.03)
    with built.at_work(), without_pauses():
        broken = sum(
            until(job)
            for job in (
                lambda: pulse.build_daily().built == (),
                lambda: pulse.build_reports().rewritten == (),
                lambda: pulse.export_revenue().exported == (),
                lambda: housekept(pulse),
            )
        )
        reply = until_ok(lambda: read(pulse, key, "/v1/reports/nps?preset=last_7_days"))
        rows = exported(pulse, tenant)
    assert broken > 0
    assert [row["responses"] for row in json.loads(reply.body)["totals"]] == [RESPONSES]
    assert sorted(row["response_id"] for row in rows) == sorted(accepted)
    for faults in (asked, written, built):
        assert min(faults.met.values()) > 0
        assert faults.met.total() > faults.requests / 5


def post_all(pulse: Driver, key: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Send every answer until it is accepted, as a client does; the ids that got a 202.

    Each reply came in time, and is a 202 or a 503 that says when to come again.
    """
    handler: Any = ingest.handler
    bare = handler.__wrapped__.__wrapped__  # its metrics are not made for threads
    monkeypatch.setattr(ingest, "handler", bare)
    refused = 0

    def send(number: int) -> tuple[int, Reply, float]:
        began = time.monotonic()
        body = json.dumps(answer(number))
        reply = pulse.call("POST", "/v1/responses", key=key, body=body)
        return number, reply, time.monotonic() - began

    accepted: set[str] = set()
    missing = list(range(RESPONSES))
    while missing:
        with ThreadPoolExecutor(16) as pool:
            replies = list(pool.map(send, missing))
        for number, reply, seconds in replies:
            assert seconds < DEADLINE_S + 1
            if reply.status == 202:
                accepted.add(f"r{number}")
            else:
                assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
                refused += 1
        missing = [number for number in missing if f"r{number}" not in accepted]
    assert refused > 0
    return accepted


def until(job: Callable[[], bool]) -> int:
    """Run a job as often as it takes; how often it failed. What fails says so."""
    broken = 0
    for _ in range(TRIES):
        try:
            if job():
                return broken
        except FAILURES:
            broken += 1
    raise AssertionError(f"not done after {TRIES} runs, {broken} of them failed")


def housekept(pulse: Driver) -> bool:
    with days.clock(lambda: TODAY + timedelta(days=2)):
        pulse.housekeep()
    return True


def read(pulse: Driver, key: str, path: str) -> Reply:
    pulse.forget()
    return pulse.call("GET", path, key=key)


def until_ok(ask: Callable[[], Reply]) -> Reply:
    """What is answered in the end; before that only that it is to be asked again."""
    for _ in range(TRIES):
        reply = ask()
        if reply.status in (200, 202):
            return reply
        assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    raise AssertionError("never answered")


def exported(pulse: Driver, tenant: str) -> list[dict[str, str]]:
    """The rows of an export, ordered anew where its worker failed."""
    key = pulse.key(tenant, "secret")
    order = {"stream": "responses", "start_date": "2026-11-01", "end_date": "2026-11-21"}
    body = json.dumps(order)
    for _ in range(TRIES):
        ordered = until_ok(lambda: pulse.call("POST", "/v1/exports", key=key, body=body))
        try:
            pulse.make_export(tenant, ordered.json["id"])
        except FAILURES:
            continue
        told = until_ok(lambda path=ordered.headers["Location"]: read(pulse, key, path)).json  # type: ignore[misc]
        if told["state"] == "done":
            found = requests.get(told["link"], timeout=10).content.decode()
            return list(csv.DictReader(io.StringIO(found, newline="")))
    raise AssertionError("never exported")


# -- Athena

DAILY, REPORTS = 3, 2
"""Statements of a run: count, UNLOAD, count; UNLOAD, count."""
FAULTS: dict[str, Fault] = {
    "failed": failed("GENERIC_INTERNAL_ERROR"),
    "failed after writing": failed("GENERIC_INTERNAL_ERROR", after_writing=True),
    "cancelled": cancelled(),
    "stuck": stuck(),
    "empty": empty(),
}


HEALED = {
    # the counts after it are right, and so is what was built
    (build_daily, 0, "empty"),
    # the older run is left out of the comparison, and whoever has rows of the day counts as changed
    (build_reports, 0, "failed"),
    (build_reports, 0, "failed after writing"),
}
"""Which fault of which statement a run does without."""


def published(pulse: Driver) -> tuple[Any, Any]:
    """What analysts and readers of reports see: where the days point to, and the object's ETag."""
    days_published = Catalog(pulse.settings.database).partitions("daily_scores")
    return days_published, pulse.objects("reports/")


def invoke(app: Any) -> Any:
    """One invocation, with no time left once its first portion has begun."""
    app.stage.cache_clear()
    left = iter([900_000] * (3 if app is build_reports else 1))  # a year, its days, its tenants
    context = {**vars(CONTEXT), "get_remaining_time_in_millis": lambda: next(left, 10_000)}
    return app.handler({}, SimpleNamespace(**context))


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_becomes_of_a_statement_what_is_published_stays_and_the_next_run_heals(
    pulse: Driver, tenant: str, name: str
) -> None:
    numbers = iter(range(0, 300, 3))  # all of yesterday
    pulse.post(tenant, [answer(next(numbers))])
    pulse.build()
    for app, statements in ((build_daily, DAILY), (build_reports, REPORTS)):
        for nth in range(statements):
            number = next(numbers)
            pulse.post(tenant, [answer(number)])
            pulse.write()
            if app is build_reports:
                pulse.build_daily()
            before = published(pulse)
            planned = [*[passes()] * nth, FAULTS[name]]
            with next_executions(*planned, region=REGION) as left:
                if (app, nth, name) in HEALED:
                    invoke(app)
                else:
                    with pytest.raises((AthenaError, BuildCheckError)):
                        invoke(app)
                    assert published(pulse) == before
                assert not left
            pulse.build()
            totals = pulse.report(tenant, "nps", "preset=last_7_days")["totals"]
            assert [row["responses"] for row in totals] == [1 + number // 3]


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "empty"])
def test_a_build_that_has_to_count_again_and_cannot_publishes_nothing(
    pulse: Driver, tenant: str, name: str
) -> None:
    """A build counts a second time if it has built more rows than there were before."""
    pulse.post(tenant, [answer(0)])
    pulse.write()
    before = published(pulse)
    planned = [empty(), passes(), passes(), FAULTS[name]]
    with next_executions(*planned, region=REGION) as left, pytest.raises(AthenaError):
        invoke(build_daily)
    assert not left
    assert published(pulse) == before
    pulse.build()
    totals = pulse.report(tenant, "nps", "preset=last_7_days")["totals"]
    assert [row["responses"] for row in totals] == [1]


@pytest.mark.parametrize(("app", "statements"), [(build_daily, DAILY), (build_reports, 1)])
def test_a_run_that_finds_nothing_where_there_is_something_publishes_nothing(
    pulse: Driver, tenant: str, app: Any, statements: int
) -> None:
    """It is as if a table's location were wrong: every statement succeeds, and none has rows."""
    pulse.post(tenant, [answer(0)])
    pulse.build()
    pulse.post(tenant, [answer(3)])
    pulse.write()
    if app is build_reports:
        pulse.build_daily()
    before = published(pulse)
    with (
        next_executions(*[empty()] * statements, region=REGION),
        pytest.raises(BuildCheckError),
    ):
        invoke(app)
    assert published(pulse) == before
    pulse.build()
    totals = pulse.report(tenant, "nps", "preset=last_7_days")["totals"]
    assert [row["responses"] for row in totals] == [2]
