"""One day from ingest to report with Trino in Athena's place.

Trino reads our Parquet through our Glue tables, and our builders read what it has written.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pulse import days
from pulse.checks import run_checks
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

NOON = datetime(2024, 11, 21, 12, tzinfo=UTC)
"""In the past for good: what a projection calls NOW is the machine's, where Trino runs."""
RANGE = "start_date=2024-11-20&end_date=2024-11-21"


@pytest.fixture
def pulse() -> Iterator[Driver]:
    """Two tenants in zones of their own, with a survey each, and an empty lake."""
    with days.clock(lambda: NOON), running() as driver:
        driver.tenant("acme", "Europe/Berlin")
        driver.tenant("globex", "America/New_York")
        for tenant in ("acme", "globex"):
            driver.survey(tenant, "support", Rule.make("csat", 1, 5))
        yield driver


def answer(number: int, score: int, at: str, **more: Any) -> dict[str, Any]:
    return {
        "survey_id": "support",
        "response_id": f"r{number}",
        "score": score,
        "answered_at": at,
        **more,
    }


def test_a_days_events_come_to_the_reports_as_they_were_sent(pulse: Driver) -> None:
    sent = [
        # 00:30 on the 21st in Berlin
        answer(1, 5, "2024-11-20T23:30:00Z", agent_id="Zoë, O'Hara", country="DE", tags={"a": "ü"}),
        answer(2, 4, "2024-11-21T09:00:00Z", agent_id="李", comment='line\nbreak, "quoted" 😀'),
        answer(3, 1, "2024-11-21T09:00:00Z"),
        answer(4, 3, "2024-11-20T09:00:00Z"),
    ]
    assert pulse.post("acme", sent).status == 202
    assert pulse.post("acme", [sent[1], sent[2] | {"score": 2}]).status == 202  # again, and changed
    assert pulse.post("globex", sent[:1]).status == 202
    update = {"interaction_id": "i1", "media_type": "voice", "entered_at": "2024-11-21T08:00:00Z"}
    accepted = update | {
        "accepted_at": "2024-11-21T08:00:10Z",
        "revenue": {"amount": "10.05", "currency": "EUR"},
    }
    finished = update | {"finished_at": "2024-11-21T08:05:10Z", "satisfaction": 4.5}
    assert pulse.post_interactions("acme", [update, accepted, finished]).status == 202
    session = {
        "session_id": "s1",
        "agent_id": "a",
        "media_type": "voice",
        "day": "2024-11-21",
        "active_seconds": 100,
        "engaged_seconds": 25,
    }
    assert pulse.post_sessions("acme", [session]).status == 202
    daily, reports = pulse.build()
    assert daily.finished
    assert reports.finished

    by_day = pulse.report("acme", "csat", f"{RANGE}&granularity=day")["rows"]
    assert [(r["period"], r["responses"], r["satisfied"], r["dissatisfied"]) for r in by_day] == [
        ("2024-11-20", 1, 0, 0),
        ("2024-11-21", 3, 2, 1),
    ]
    of_globex = pulse.report("globex", "csat", f"{RANGE}&granularity=day")["rows"]
    assert [(r["period"], r["responses"]) for r in of_globex] == [("2024-11-20", 1)]
    agents = pulse.report("acme", "csat", f"{RANGE}&group_by=agent&granularity=total")["rows"]
    assert {r["agent"]: r["responses"] for r in agents} == {"Zoë, O'Hara": 1, "李": 1, None: 2}
    [entered] = pulse.report("acme", "customer-perspective", f"{RANGE}&granularity=total")["rows"]
    assert (entered["entered"], entered["accepted"], entered["finished"]) == (1, 1, 1)
    assert (entered["avg_accept_time"], entered["avg_satisfaction"]) == (10.0, 4.5)
    [revenue] = pulse.report("acme", "revenue", f"{RANGE}&group_by=currency&granularity=total")[
        "rows"
    ]
    assert (revenue["currency"], revenue["revenue"]) == ("EUR", "10.0500")
    active, nobody = pulse.report("acme", "agent-activity", f"{RANGE}&granularity=total")["rows"]
    assert (active["active_seconds"], active["engaged_seconds"]) == (100, 25)
    assert (nobody["agent"], nobody["handled"], nobody["avg_handle_time"]) == (None, 1, 300)

    checks = run_checks(pulse.settings)
    assert {check.state for check in checks} == {"ok"}, checks

    wanted = {"stream": "responses", "start_date": "2024-11-20", "end_date": "2024-11-21"}
    export = pulse.export("acme", **wanted)
    assert (export["state"], export["rows"]) == ("done", 4)
    export = pulse.export("acme", **wanted | {"stream": "interactions"})
    assert (export["state"], export["rows"]) == ("done", 1)


def test_a_late_answer_changes_its_day_alone(pulse: Driver) -> None:
    pulse.post("acme", [answer(1, 5, "2024-11-19T09:00:00Z"), answer(2, 5, "2024-11-20T09:00:00Z")])
    pulse.build()
    pulse.post("acme", [answer(3, 1, "2024-11-19T10:00:00Z")])
    pulse.build()
    rows = pulse.report(
        "acme", "csat", "start_date=2024-11-19&end_date=2024-11-20&granularity=day"
    )["rows"]
    assert [(r["period"], r["responses"], r["dissatisfied"]) for r in rows] == [
        ("2024-11-19", 2, 1),
        ("2024-11-20", 1, 0),
    ]
    assert {check.state for check in run_checks(pulse.settings)} == {"ok"}
