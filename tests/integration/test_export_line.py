"""Orders for exports are made one at a time for each tenant, and none is lost when a worker dies.

What an event says is only that there is something to do; so events are lost here, come twice, and
find workers dead after any call that they make.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from functions.export_rows import app as export_rows
from functions.order_exports import app as order_exports
from pulse import days
from pulse.export_orders import LEASE_US, MOST_ORDERS, MOST_TRIES
from pulse.store.clients import client
from pulse.store.exports import Exports
from pulse.tenants.rules import Rule
from tests.aws_calls import AwsCalls
from tests.driver import CONTEXT, Driver, Reply, running

pytestmark = pytest.mark.only_whole

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WANTED = {"stream": "responses", "start_date": "2026-11-10", "end_date": "2026-11-30"}
LEASE = timedelta(microseconds=LEASE_US)


class World:
    """Two tenants with an answer each, at a time that tests move."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.now = NOW
        self.exports = Exports(driver.settings.table)

    def order(self, tenant: str = "acme") -> Reply:
        key = self.driver.key(tenant, "secret")
        return self.driver.call("POST", "/v1/exports", key=key, body=json.dumps(WANTED))

    def ordered(self, tenant: str = "acme") -> str:
        reply = self.order(tenant)
        assert (reply.status, reply.json["state"]) == (202, "waiting")
        export_id: str = reply.json["id"]
        return export_id

    def told(self, export_id: str, tenant: str = "acme") -> Any:
        key = self.driver.key(tenant, "secret")
        return self.driver.call("GET", f"/v1/exports/{export_id}", key=key).json

    def states(self, *export_ids: str) -> list[str]:
        return [self.told(export_id)["state"] for export_id in export_ids]

    def make(self, tenant: str = "acme", event_id: str = "") -> str:
        state: str = self.driver.make_export(tenant, event_id)["state"]
        return state

    def sweep(self) -> list[str]:
        """What the schedule does: whom it woke."""
        with announced() as events:
            woken: list[str] = order_exports.handler({}, CONTEXT)["woken"]
        assert [event["tenant"] for event in events] == woken
        return woken


@contextmanager
def announced() -> Iterator[list[dict[str, Any]]]:
    """The details of what is put on the bus within the block."""
    seen: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        seen.extend(json.loads(e["Detail"]) for e in json.loads(params["body"])["Entries"])

    clients = [client("events", fail_fast=fail_fast).meta.events for fail_fast in (True, False)]
    for events in clients:
        events.register("before-call.events.PutEvents", note)
    try:
        yield seen
    finally:
        for events in clients:
            events.unregister("before-call.events.PutEvents", note)


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with days.clock(lambda: NOW), running() as driver:
        for tenant in ("acme", "globex"):
            driver.tenant(tenant)
            driver.survey(tenant, "mail", Rule.make("csat", 1, 5))
            answer = {"survey_id": "mail", "score": 5, "answered_at": NOW.isoformat()}
            assert driver.post(tenant, [answer | {"response_id": "r"}]).status == 202
        driver.build()
        yield driver


@pytest.fixture
def world(driver: Driver) -> Iterator[World]:
    """Nothing in line."""
    for pk in ("EXPORT_LINES", "EXPORTS#acme", "EXPORTS#globex"):
        for record in Exports(driver.settings.table)._records.query(pk):
            Exports(driver.settings.table)._records.delete({"pk": pk, "sk": record["sk"]})
    world = World(driver)
    with days.clock(lambda: world.now):
        yield world


def test_orders_of_a_tenant_are_made_one_after_another_in_their_order(world: World) -> None:
    first, second, third = (world.ordered() for _ in range(3))
    assert world.exports.take_line("acme", "at work", days.now_us() + LEASE_US)
    assert world.make() == world.make() == "nothing to do"
    assert world.states(first, second, third) == ["waiting"] * 3
    for done in (1, 2, 3):
        with announced() as events:
            assert world.make(event_id="at work" if done == 1 else "") == "done"
        assert world.states(first, second, third) == ["done"] * done + ["waiting"] * (3 - done)
        assert events == [{"tenant": "acme"}] * (done < 3)  # the next is woken by who was before
    assert world.make() == "nothing to do"


def test_a_tenants_line_keeps_nobody_else_waiting(world: World) -> None:
    ours, theirs = world.ordered("acme"), world.ordered("globex")
    assert world.exports.take_line("acme", "at work", days.now_us() + LEASE_US)
    assert world.make("globex") == "done"
    assert world.told(theirs, "globex")["rows"] == 1
    assert world.states(ours) == ["waiting"]


def test_who_is_at_work_is_shown(world: World) -> None:
    order = world.ordered()
    world.exports.begin("acme", order, days.now_us())
    assert world.states(order) == ["running"]
    world.now += LEASE  # its worker cannot live any more
    assert world.states(order) == ["waiting"]


def test_a_full_line_takes_no_more_until_one_has_ended(world: World) -> None:
    for _ in range(MOST_ORDERS):
        world.ordered()
    with announced() as events:
        refused = world.order()
    assert (refused.status, refused.json["code"]) == (429, "too_many_exports")
    assert refused.headers["Retry-After"] == "60"
    assert events == []
    assert len(world.exports.of_tenant("acme")) == MOST_ORDERS  # and it left nothing behind
    world.ordered("globex")
    assert world.make() == "done"
    world.ordered()
    assert world.order().status == 429


def test_of_two_orders_for_the_last_place_one_is_refused(world: World) -> None:
    orders = [world.ordered() for _ in range(MOST_ORDERS)]
    last = world.exports.get("acme", orders[-1])
    assert last
    assert not world.exports.join_line(last, most=MOST_ORDERS)
    assert world.exports.line("acme") == tuple(orders)


def test_an_order_whose_event_is_lost_is_found(world: World) -> None:
    def refuse(request: Any, **_: Any) -> AWSResponse:
        class Body:
            def stream(self, **_: Any) -> Iterator[bytes]:
                yield b"{}"

        return AWSResponse(request.url, 500, HTTPHeaders(), Body())

    events = client("events", fail_fast=True).meta.events
    events.register_first("before-send.events.PutEvents", refuse)
    try:
        order = world.ordered()  # it is stored: the caller need not order it again
    finally:
        events.unregister("before-send.events.PutEvents", refuse)
    assert world.states(order) == ["waiting"]
    assert world.sweep() == ["acme"]
    assert world.make() == "done"
    assert world.sweep() == []


def test_the_schedule_wakes_nobody_beside_a_worker(world: World) -> None:
    world.ordered()
    assert world.exports.take_line("acme", "at work", days.now_us() + LEASE_US)
    assert world.sweep() == []
    world.now += LEASE
    assert world.sweep() == ["acme"]


def test_a_worker_may_die_after_any_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, cuts = AwsCalls(monkeypatch), iter(range(1, 100))
    survived = False
    while not survived:
        first, second = world.ordered(), world.ordered()
        cut = next(cuts)
        with announced() as events:
            survived = calls.run(lambda: world.make(event_id="e"), kill_after=cut)
            assert "failed" not in world.states(first, second), cut
            assert world.make(event_id="e") == "done"  # Lambda tries the event again
        if world.states(second) == ["waiting"]:
            assert events, cut
            assert world.make() == "done"
        assert world.states(first, second) == ["done", "done"], cut
        assert world.exports.line("acme") == ()
    assert cut > 5


def test_without_another_try_the_schedule_finds_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, cuts = AwsCalls(monkeypatch), iter(range(1, 100))
    survived = False
    while not survived:
        first, second = world.ordered(), world.ordered()
        cut = next(cuts)
        survived = calls.run(world.make, kill_after=cut)
        world.now += LEASE
        while woken := world.sweep():
            assert woken == ["acme"]
            assert world.make() == "done", cut
        assert world.states(first, second) == ["done", "done"], cut
    assert cut > 5


def test_an_order_at_any_moment_of_a_worker_is_made_without_the_schedule(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker may be about to end; then it sees the order, or the order's event sees its end."""
    calls, moments = AwsCalls(monkeypatch), iter(range(1, 100))
    moment = made = 1
    while moment <= made:
        moment = next(moments)
        first, late = world.ordered(), list[str]()

        def another(late: list[str] = late) -> None:
            late.append(world.ordered())
            world.make()

        def work() -> None:  # not by the handler: its metrics would be those of both
            export_rows.stage().run("acme", worker="e", remaining_s=lambda: inf)

        with announced() as events:
            calls.run(work, meanwhile={moment: another})
        made = len(calls.made)
        for event in events:
            world.make(event["tenant"])
        assert world.states(first, *late) == ["done"] * (1 + len(late)), moment
    assert made > 5


def test_what_kills_its_workers_fails_in_the_end_and_the_next_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = AwsCalls(monkeypatch)
    poison, harmless = world.ordered(), world.ordered()
    for _ in range(MOST_TRIES):
        assert not calls.run(lambda: world.make(event_id="e"), kill_after=4)
        assert world.states(poison) == ["running"]
    assert world.make(event_id="e") == "failed"
    told = world.told(poison)
    assert told["reason"] == "It was begun 3 times and never came to an end. Ask for fewer days."
    assert told["finished_at"]
    assert world.make() == "done"
    assert world.states(poison, harmless) == ["failed", "done"]


def test_what_was_forgotten_in_line_is_skipped(world: World) -> None:
    forgotten = world.ordered()
    world.now += timedelta(days=7)
    fresh = world.ordered()
    assert world.make() == "done"
    assert world.exports.line("acme") == ()
    assert world.told(forgotten)["code"] == "unknown_export"
    assert world.states(fresh) == ["done"]
