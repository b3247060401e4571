"""GET /v1/insights and GET /v1/insights/drivers report what was sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pulse import days
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FIRST = datetime(2026, 9, 26, 9, 0, tzinfo=UTC)
"""56 days; last_28_days begins with the second half of them."""
BAD = range(35, 42)


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """On seven days Austrians are unhappy, and calls are answered late and earn less."""
    with days.clock(lambda: NOW), running() as driver:
        driver.tenant("acme")
        driver.survey("acme", "visit", Rule.make("csat", 1, 5))
        responses: list[dict[str, Any]] = []
        calls: list[dict[str, Any]] = []
        for day in range(56):
            at = FIRST + timedelta(days=day)
            for n in range(20):
                is_bad = day in BAD and n < 10
                responses.append(
                    {
                        "survey_id": "visit",
                        "response_id": f"r-{day}-{n}",
                        "answered_at": at.isoformat(),
                        "score": 1 if is_bad or n == 19 else 5,
                        "country": "AT" if n < 10 and (is_bad or n < 3) else "DE",
                        "channel": "chat",
                        "agent_id": "mia" if n % 2 else "tom",
                        "agent_name": "Mia B." if n % 2 else "Tom",
                    }
                )
            for n in range(3 if day in BAD else 2):
                calls.append(
                    {
                        "interaction_id": f"c-{day}-{n}",
                        "media_type": "voice",
                        "entered_at": at.isoformat(),
                        "offered_at": at.isoformat(),
                        "updated_at": at.isoformat(),
                        "revenue": {
                            "amount": "10.00" if day in BAD else "20.00",
                            "currency": "EUR",
                        },
                    }
                )
        for start in range(0, len(responses), 400):
            assert driver.post("acme", responses[start : start + 400]).status == 202
        assert driver.post_interactions("acme", calls).status == 202
        driver.build()
        yield driver


def ask(pulse: Driver, path: str = "insights", kind: str = "report", **headers: str) -> Any:
    return pulse.call(
        "GET", f"/v1/{path}", key=pulse.key("acme", kind, **_LIMITS.get(kind, {})), headers=headers
    )


_LIMITS: dict[str, dict[str, Any]] = {"feed": {"report": "daily"}}


def test_the_bad_days_are_told_with_whom_and_what_they_cost(pulse: Driver) -> None:
    reply = ask(pulse).json
    worst = reply["worst"]
    assert (worst["start_date"], worst["end_date"]) == ("2026-10-31", "2026-11-06")
    assert worst["responses"] == 7 * 20
    assert worst["score"] == 45.0  # 9 of 20
    top = worst["top_contributor"]
    assert (top["value"], top["score"], top["score_previous"]) == ("AT", 0.0, 100.0)
    cost = worst["cost"]
    assert (cost["bad_responses"], cost["bad_responses_previous"]) == (77, 7)
    assert cost["revenue"] == [
        {"currency": "EUR", "revenue": "210.0000", "revenue_change": "-70.0000"}
    ]
    first = reply["movers"]["rows"][0]
    assert (first["dimension"], first["value"]) == ("country", "AT")
    assert reply["sentences"][2]["text"].startswith("Answers from Austria explain ")


def test_the_headline_is_the_reports(pulse: Driver) -> None:
    (headline,) = ask(pulse).json["headlines"]
    totals = ask(pulse, "reports/daily?granularity=total&compare=previous_period").json["totals"]
    assert {name: headline[name] for name in totals[0]} == totals[0]


def test_drivers_tell_what_goes_with_it_under_the_tenants_names(pulse: Driver) -> None:
    reply = ask(pulse, "insights/drivers?metric=csat").json
    first, *others = reply["drivers"]
    assert (first["dimension"], first["significant"]) == ("country", True)
    (agents,) = [one for one in others if one["dimension"] == "agent"]
    assert {one["name"] for one in agents["rows"]} == {"Mia B.", "Tom"}
    assert reply["headline"]["responses"] == 28 * 20


@pytest.mark.parametrize("path", ["insights?lang=fr", "insights/drivers?lang=fr"])
def test_who_has_a_reply_is_not_sent_it_again(pulse: Driver, path: str) -> None:
    first = ask(pulse, path)
    assert first.headers["Cache-Control"] == "private, max-age=60"
    assert first.json["language"] == "fr"
    again = ask(pulse, path, **{"if-none-match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, "")


@pytest.mark.parametrize("path", ["insights", "insights/drivers"])
def test_only_keys_that_read_reports_are_told(pulse: Driver, path: str) -> None:
    assert ask(pulse, path, "secret").status == 200
    for kind in ("feed", "publishable"):
        assert ask(pulse, path, kind).status in (401, 403), kind
    operator = pulse.key(None, "operator")
    assert pulse.call("GET", f"/v1/{path}", key=operator).json["code"] == "missing_tenant"
    assert pulse.call("GET", f"/v1/{path}?tenant=acme", key=operator).status == 200
