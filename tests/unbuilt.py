"""Two tenants with some events that cannot be built, for tests of readers and checks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pulse import days, lake
from pulse.checks import CheckResult, run_checks
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.tenants.rules import Rule
from tests.driver import Driver, Reply, running

TODAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
YESTERDAY = date(2026, 11, 20)


def later(hours: float) -> Callable[[], datetime]:
    return lambda: TODAY + timedelta(hours=hours)


@contextmanager
def two_tenants() -> Iterator[Driver]:
    """Two tenants with the survey `email` (nps)."""
    with days.clock(lambda: TODAY), running() as driver:
        for tenant in ("acme", "globex"):
            driver.tenant(tenant)
            driver.survey(tenant, "email", Rule.make("nps", 0, 10))
        yield driver


def calls(ago: range, name: str = "i") -> list[dict[str, Any]]:
    """An interaction on each of these days before today."""
    return [
        {
            "interaction_id": f"{name}{number}",
            "media_type": "email",
            "entered_at": (TODAY - timedelta(days=number)).isoformat(),
        }
        for number in ago
    ]


def answers(ago: range) -> list[dict[str, Any]]:
    """An answer on each of these days before today."""
    return [
        {
            "survey_id": "email",
            "score": 9,
            "response_id": f"r{number}",
            "answered_at": (TODAY - timedelta(days=number)).isoformat(),
        }
        for number in ago
    ]


def spoil(pulse: Driver, stream: str, day: date) -> str:
    """Add an unreadable object to a day; return its key."""
    key = lake.raw_key(stream, day, lake.ulid())
    Objects(pulse.settings.lake_bucket).put(key, b"no Parquet")
    Ledger(pulse.settings.table).add(stream, day)
    return key


def read(pulse: Driver, query: str, tenant: str = "acme", etag: str = "") -> Reply:
    pulse.forget()
    path = f"/v1/reports/customer-perspective?{query}"
    headers = {"if-none-match": etag}
    return pulse.call("GET", path, key=pulse.key(tenant, "report"), headers=headers)


def warned(answer: Reply) -> list[tuple[str, str]]:
    return [(told["code"], told["message"]) for told in answer.json["meta"]["warnings"]]


def check(pulse: Driver, name: str) -> CheckResult:
    (found,) = (one for one in run_checks(pulse.settings) if one.name == name)
    return found
