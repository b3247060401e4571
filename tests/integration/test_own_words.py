"""Channels and media that are not among the usual ones, from the request to reports and files."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pulse import days, lake
from pulse.store.objects import Objects
from pulse.tenants.rules import Rule
from tests.driver import Driver, running

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AT = "2026-11-20T10:00:00Z"
EVER = days.FIRST_DAY
ACCEPTED = {"entered_at": AT, "offered_at": AT, "accepted_at": "2026-11-20T10:00:40Z"}


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """A call is to be accepted within 30 s, a chat of WhatsApp within a minute; both wait."""
    with days.clock(lambda: NOW), running() as driver:
        driver.tenant(
            "acme",
            thresholds={"voice.accept": ((EVER, 30),), "WhatsApp.accept": ((EVER, 60),)},
            synchronous_media=("voice", "WhatsApp"),
        )
        driver.survey("acme", "email", Rule.make("nps", 0, 10))
        answers = [
            {"survey_id": "email", "score": 9, "answered_at": AT, "response_id": f"r{n}", **more}
            for n, more in enumerate(
                [{"channel": "chat"}, {"channel": "in-app"}, {"channel": " in-app "}, {}]
            )
        ]
        assert driver.post("acme", answers).status == 202
        contacts = [
            {"interaction_id": "1", "media_type": "voice", **ACCEPTED},
            {"interaction_id": "2", "media_type": "WhatsApp", **ACCEPTED},
            {"interaction_id": "3", "media_type": "Kiosk, lobby", **ACCEPTED},
        ]
        money = {"revenue": {"amount": "12.5", "currency": "EUR"}}
        assert driver.post_interactions("acme", [c | money for c in contacts]).status == 202
        driver.build()
        driver.export_revenue()
        yield driver


def rows(pulse: Driver, report: str, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pulse.report("acme", report, query)["rows"]
    return found


def test_source_shows_a_channel_of_ones_own_beside_the_usual_ones(pulse: Driver) -> None:
    counted = {row["channel"]: row["responses"] for row in rows(pulse, "source", "")}
    assert counted == {"chat": 1, "in-app": 2, "external": 1, "ticket": 0}


def test_channels_are_filtered_for(pulse: Driver) -> None:
    (row,) = rows(pulse, "nps", "channel=in-app")
    assert row["responses"] == 2
    (row,) = rows(pulse, "nps", "channel=!in-app")
    assert row["responses"] == 2


def test_each_medium_has_its_service_level_and_says_whether_customers_waited(
    pulse: Driver,
) -> None:
    by_medium = {
        row["media_type"]: (row["accept_service_level_pct"], row["responded"])
        for row in rows(pulse, "customer-perspective", "group_by=media_type")
    }
    assert by_medium == {"voice": (0, 1), "WhatsApp": (100, 1), "Kiosk, lobby": (None, 0)}
    query = "group_by=media_type&media_type=Kiosk%2C%20lobby,WhatsApp"
    shown = [row["media_type"] for row in rows(pulse, "customer-perspective", query)]
    assert shown == ["Kiosk, lobby", "WhatsApp"]


def test_finance_has_media_of_any_name(pulse: Driver) -> None:
    key = lake.revenue_prefix("acme", "2026-11") + "revenue.csv"
    body = Objects(pulse.finance_settings.finance_bucket).get(key).decode()
    booked = {row["media_type"]: row["revenue"] for row in csv.DictReader(io.StringIO(body))}
    assert booked == dict.fromkeys(("voice", "WhatsApp", "Kiosk, lobby"), "12.5000")


def test_a_keys_filter_may_name_them(pulse: Driver) -> None:
    key = pulse.key("acme", "report", filters={"channel": ("in-app",)})
    reply = pulse.call("GET", "/v1/reports/source", key=key).json
    assert {row["channel"]: row["responses"] for row in reply["rows"]}["in-app"] == 2
    assert reply["totals"][0]["responses"] == 2
