"""The life of a key: stored as a hash, rotated with an overlap, and ended to the second.

A key is looked up by its SHA-256, so no code compares secrets and no answer's time tells anything:
whoever could time the look-up of a hash learns nothing of a text that has it.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import boto3
import pytest

from pulse import days
from pulse.tenants.keys import PREFIXES, Key, sha256
from pulse.tenants.rules import Rule
from tests.clock import Clock
from tests.driver import Driver, running
from tests.shell import Shell

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REMEMBERED = timedelta(seconds=60)
"""The template's RememberSeconds: so long a function may go on with what it has looked up."""
A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(START)
    with days.clock(clock):
        yield clock


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with days.clock(lambda: START), running() as driver:
        driver.tenant("acme")
        driver.survey("acme", "mail", Rule.make("csat", 1, 5))
        yield driver


ROUTES = {
    "report": ("GET", "/v1/reports", None),
    "secret": ("GET", "/v1/exports/01ARZ3NDEKTSV4RRFFQ69G5FAV", None),  # which there is not
    "publishable": ("POST", "/v1/responses", json.dumps({"survey_id": "mail", "score": 5})),
}
"""A route of each function that knows keys, and a kind that it admits."""


def admits(driver: Driver, kind: str, key: str) -> bool:
    """Whether the function behind the route of that kind takes the key."""
    method, path, body = ROUTES[kind]
    status = driver.call(method, path, key=key, body=body).status
    assert status in (200, 202, 401, 404)
    return status != 401


def made(shell: Shell, kind: str, *more: str) -> str:
    return shell.run("key", "create", "acme", "--kind", kind, *more).stdout.strip()


def revoke(shell: Shell, key: str) -> None:
    shell.run("key", "revoke", sha256(key)[:12])


@pytest.mark.parametrize("kind", ROUTES)
def test_a_revoked_key_ends_within_the_time_that_is_remembered(
    driver: Driver, shell: Shell, clock: Clock, kind: str
) -> None:
    key = made(shell, kind)
    assert admits(driver, kind, key)
    revoke(shell, key)
    clock.now += REMEMBERED - A_MOMENT
    assert admits(driver, kind, key), "it is remembered: else the table is asked at each request"
    clock.now += A_MOMENT
    assert not admits(driver, kind, key)


@pytest.mark.parametrize("kind", ROUTES)
def test_a_function_that_is_to_remember_nothing_asks_at_each_request(
    driver: Driver, shell: Shell, clock: Clock, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_REMEMBER_SECONDS", "0")
    driver.forget()
    key = made(shell, kind)
    assert admits(driver, kind, key)
    revoke(shell, key)
    assert not admits(driver, kind, key)
    monkeypatch.undo()
    driver.forget()


@pytest.mark.parametrize("kind", ROUTES)
def test_a_key_expires_at_the_second_even_where_it_is_remembered(
    driver: Driver, shell: Shell, clock: Clock, kind: str
) -> None:
    key = made(shell, kind, "--expires", "2026-11-23")
    ends = datetime(2026, 11, 24, tzinfo=UTC)  # when the tenant's day is over
    clock.now = ends - A_MOMENT
    assert admits(driver, kind, key)
    clock.now = ends
    assert not admits(driver, kind, key)


@pytest.mark.parametrize("kind", ROUTES)
def test_a_key_is_rotated_without_a_gap(
    driver: Driver, shell: Shell, clock: Clock, kind: str
) -> None:
    old = made(shell, kind)
    assert admits(driver, kind, old)
    new = made(shell, kind)
    for _ in range(3):  # as long as it takes to tell everybody of the new one
        clock.now += REMEMBERED
        assert admits(driver, kind, old)
        assert admits(driver, kind, new)
    revoke(shell, old)
    clock.now += REMEMBERED
    assert not admits(driver, kind, old)
    assert admits(driver, kind, new)


def last_uses(shell: Shell, *tenant: str) -> dict[str, str | None]:
    """What `pulse key list` tells of each key, by its id."""
    return {key["id"]: key["last_used"] for key in shell.json("key", "list", *tenant)}


@pytest.mark.parametrize("kind", PREFIXES)
def test_the_list_tells_the_day_of_a_key_s_last_use(
    driver: Driver, shell: Shell, clock: Clock, kind: str
) -> None:
    more = ("--report", "daily") if kind == "feed" else ()
    tenant = () if kind == "operator" else ("acme",)
    key = shell.run("key", "create", *tenant, "--kind", kind, *more).stdout.strip()
    key_id = sha256(key)[:12]
    method, path, body = ROUTES.get(kind, ROUTES["report"])

    def told_after(now: datetime, day: str) -> None:
        clock.now = now
        driver.call(method, path, key=key, body=body)
        for _ in range(200):  # a thread beside the request notes it
            if last_uses(shell, *tenant)[key_id] == day:
                return
            time.sleep(0.01)
        pytest.fail(f"not noted: {last_uses(shell, *tenant)}")

    assert last_uses(shell, *tenant)[key_id] is None
    told_after(START, "2026-11-21")
    told_after(START + timedelta(hours=12), "2026-11-22")
    driver.forget()  # another process, whose clock is behind
    used = Key(sha256(key), kind, tenant[0] if tenant else None, 0)
    driver.tenants.note_key_use(used, date(2026, 11, 21))
    assert last_uses(shell, *tenant)[key_id] == "2026-11-22"
    driver.tenants.note_key_use(used, date(2031, 1, 1))  # whose clock runs ahead
    driver.tenants.note_key_use(used, date(2026, 11, 23))
    assert last_uses(shell, *tenant)[key_id] == "2026-11-23"


def test_the_text_of_a_key_stands_nowhere(
    driver: Driver, shell: Shell, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = {kind: made(shell, kind) for kind in PREFIXES if kind not in ("operator", "feed")}
    texts["feed"] = made(shell, "feed", "--report", "daily")
    texts["operator"] = shell.run("key", "create", "--kind", "operator").stdout.strip()
    for kind, text in texts.items():
        assert text.startswith(PREFIXES[kind])
        for method, path, body in ROUTES.values():
            driver.call(method, path, key=text, body=body)
            driver.call(method, f"{path}?key={text}", body=body)
    revoke(shell, texts["report"])
    shell.run("key", "list", "acme")
    driver.build()
    driver.housekeep()

    said = capfd.readouterr()
    everywhere = said.out + said.err + json.dumps(records(driver))
    s3 = boto3.client("s3")
    keys = driver.objects("")
    stored = [s3.get_object(Bucket=driver.settings.lake_bucket, Key=key) for key in keys]
    bodies = [reply["Body"].read() for reply in stored]
    assert bodies
    for kind, text in texts.items():
        secret = text.removeprefix(PREFIXES[kind])
        assert secret not in everywhere, kind
        assert not [key for key in keys if secret in key]
        assert not [body for body in bodies if secret.encode() in body]
        assert sha256(text) in everywhere, kind


def records(driver: Driver) -> list[object]:
    table = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=driver.settings.table)
    return [record for page in table for record in page["Items"]]


def test_a_guess_is_refused_whatever_it_looks_like(driver: Driver, shell: Shell) -> None:
    """Half a key, a key's hash, its id or another kind's prefix is not a key."""
    key = made(shell, "secret")
    secret = key.removeprefix("sk_")
    for guess in (
        key[:-1],
        key + "A",
        key.upper(),
        secret,
        f"rk_{secret}",
        sha256(key),
        f"sk_{sha256(key)}",
        f"sk_{sha256(key)[:12]}",
        f"KEY#{sha256(key)}",
    ):
        assert not admits(driver, "secret", guess)
    assert admits(driver, "secret", key)
