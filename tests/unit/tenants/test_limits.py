"""How many requests a key and a tenant may send, by a clock that tests set."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days
from pulse.errors import TooManyRequestsError
from pulse.observe import metrics
from pulse.tenants.keys import Key
from pulse.tenants.limits import Buckets, Limits

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADA = Key("a" * 64, "publishable", "acme", 0)
BOB = Key("b" * 64, "publishable", "acme", 0)
EVE = Key("e" * 64, "secret", "other", 0)
NOBODYS = Key("0" * 64, "operator", None, 0)


@contextmanager
def at(seconds: float) -> Iterator[None]:
    with days.clock(lambda: NOON + timedelta(seconds=seconds)):
        yield


def admitted(limits: Limits, key: Key, tries: int, *, seconds: float = 0) -> int:
    """How many of so many requests at one moment are let through."""
    count = 0
    with at(seconds):
        for _ in range(tries):
            try:
                limits.admit(key)
            except TooManyRequestsError:
                continue
            count += 1
    return count


def test_a_minutes_requests_may_come_at_once_and_then_as_many_as_the_rate() -> None:
    limits = Limits.per_minute(60, 0)
    assert admitted(limits, ADA, 100) == 60
    assert admitted(limits, ADA, 100, seconds=0.9) == 0
    assert admitted(limits, ADA, 100, seconds=1) == 1
    assert admitted(limits, ADA, 100, seconds=11) == 10
    assert admitted(limits, ADA, 100, seconds=3_600) == 60


def test_a_key_that_is_used_up_leaves_the_others_theirs() -> None:
    limits = Limits.per_minute(10, 25)
    assert admitted(limits, ADA, 1_000) == 10
    assert admitted(limits, BOB, 10) == 10
    assert admitted(limits, EVE, 10) == 10
    assert admitted(limits, NOBODYS, 10) == 10


def test_a_tenants_keys_share_what_the_tenant_may() -> None:
    limits = Limits.per_minute(10, 15)
    assert (admitted(limits, ADA, 10), admitted(limits, BOB, 10)) == (10, 5)
    assert admitted(limits, EVE, 10) == 10


def test_what_a_key_is_refused_is_not_taken_from_its_tenant() -> None:
    limits = Limits.per_minute(10, 15)
    assert admitted(limits, ADA, 1_000) == 10
    assert admitted(limits, BOB, 5) == 5


def test_what_weighs_as_much_as_several_takes_as_many() -> None:
    limits = Limits.per_minute(120, 180)
    with at(0):
        limits.admit(ADA, 60)
        limits.admit(ADA, 50)
        with pytest.raises(TooManyRequestsError) as refused:
            limits.admit(ADA, 60)
        assert refused.value.headers["Retry-After"] == "25"  # 50 are lacking, at 120 a minute
    assert admitted(limits, ADA, 100) == 10
    assert admitted(limits, BOB, 100) == 60
    with at(30):
        limits.admit(ADA, 60)


def test_what_weighs_more_than_there_ever_is_takes_half_of_it() -> None:
    limits = Limits.per_minute(10, 0)
    with at(0):
        limits.admit(ADA, 60)
    assert admitted(limits, ADA, 10) == 5


@pytest.mark.parametrize("per_minute", [1, 2, 3, 60])
def test_with_any_limit_there_comes_a_time_for_a_request_that_weighs_much(per_minute: int) -> None:
    limits = Limits.per_minute(per_minute, 0)
    for second in range(0, 600, 5):
        with at(second), suppress(TooManyRequestsError):
            limits.admit(ADA)
            limits.admit(ADA, 60)
            return
    pytest.fail("never admitted")


def test_nought_is_without_a_limit() -> None:
    assert admitted(Limits.per_minute(0, 0), ADA, 10_000) == 10_000


@pytest.mark.parametrize(
    ("key_limit", "tenant_limit", "code"), [(6, 0, "key_limit"), (0, 6, "tenant_limit")]
)
def test_who_is_refused_is_told_what_is_allowed_and_when(
    key_limit: int, tenant_limit: int, code: str
) -> None:
    limits = Limits.per_minute(key_limit, tenant_limit)
    assert admitted(limits, ADA, 6) == 6
    metrics.metric_set.pop("RequestsOverLimit", None)
    with at(2.5), pytest.raises(TooManyRequestsError) as error:
        limits.admit(ADA)
    assert (error.value.status, error.value.code) == (429, code)
    assert error.value.headers == {"Retry-After": "8"}  # 7.5 s, and never too early
    assert "6 such requests a minute" in error.value.detail
    assert metrics.metric_set["RequestsOverLimit"]["Value"] == [1.0]
    assert admitted(limits, ADA, 2, seconds=2.5 + 8) == 1


def test_a_clock_that_is_set_back_shuts_nobody_out_for_long() -> None:
    limits = Limits.per_minute(6, 0)
    assert admitted(limits, ADA, 6, seconds=86_400) == 6
    assert admitted(limits, ADA, 6) == 0
    assert admitted(limits, ADA, 60, seconds=60) == 6


def test_buckets_are_bounded_and_the_longest_unused_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulse.tenants.limits._MOST_BUCKETS", 3)
    buckets = Buckets(1)
    for owner in ("a", "b", "c", "a", "d"):
        buckets.take(owner, 0)
    assert len(buckets._full_at) == 3
    assert buckets.take("a", 0) > 0
    assert buckets.take("b", 0) == 0


@given(
    per_minute=st.integers(1, 10_000),
    waits=st.lists(st.integers(0, 90 * days.SECOND), min_size=1, max_size=200),
)
def test_no_more_are_let_through_than_a_bucket_and_its_refill_hold(
    per_minute: int, waits: list[int]
) -> None:
    buckets, now, let_through = Buckets(per_minute), 0, 0
    for wait in waits:
        now += wait
        let_through += not buckets.take("a", now)
    refilled = now * per_minute / (60 * days.SECOND)
    assert let_through <= (per_minute + refilled) * 1.001 + 1


@given(per_minute=st.integers(1, 10_000))
def test_who_waits_as_long_as_told_is_let_through_and_nobody_before(per_minute: int) -> None:
    buckets = Buckets(per_minute)
    while not (wait := buckets.take("a", 0)):
        pass
    assert buckets.take("a", wait - 1) > 0
    assert buckets.take("a", wait) == 0
