"""Every number of the reports equals the oracle's, for random answers through the whole flow.

The answers go through ingest, the queue (shuffled, doubled, split anew), write_raw, builds at
any moment and the report API; the oracle works the same numbers out from what was sent.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.tenants.rules import Rule
from tests import oracle
from tests.calendar_oracle import Calendar, preset_days
from tests.driver import Driver, running
from tests.oracle import Part, ReportQuery, Sent
from tests.sampling import either

NOW = datetime(2026, 11, 3, 18, 0, tzinfo=UTC)
ZONES = {"acme": "Europe/Berlin", "globex": "America/New_York", "wonka": "Australia/Lord_Howe"}
CHANGED = datetime(2026, 10, 28, 12, 0, tzinfo=UTC)
# survey → (since, metric, scale as labelled, good scores, bad scores), by docs/metrics.md
RULES: Mapping[str, Sequence[tuple[datetime | None, str, str, range, range]]] = {
    "support": [
        (None, "csat", "1-5", range(4, 6), range(1, 3)),
        (CHANGED, "csat", "1-5:good5", range(5, 6), range(1, 3)),
    ],
    "loyal": [(None, "nps", "0-10", range(9, 11), range(7))],
    "effort": [(None, "ces", "1-7:low", range(1, 4), range(5, 8))],
}
CHANNELS = ("ticket", "chat", "external")
# Around both summer-time changes of the three zones, midnights, and the year's end.
MOMENTS = [
    datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
    CHANGED - timedelta(microseconds=1),
    CHANGED,
    datetime(2026, 10, 31, 23, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 3, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 1, 4, 0, tzinfo=UTC),
    datetime(2026, 11, 3, 17, 59, tzinfo=UTC),
    datetime(2026, 1, 1, 4, 59, 59, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 0, tzinfo=UTC),
]


def rule_of(answer: Sent) -> tuple[str, str, range, range]:
    """(metric, scale, good, bad) in force when it was answered."""
    *_, last = (
        rule for rule in RULES[answer.survey] if not rule[0] or rule[0] <= answer.answered_at
    )
    return last[1:]


def set_up(pulse: Driver) -> None:
    for tenant, zone in ZONES.items():
        pulse.tenant(tenant, zone)
        for survey, rules in RULES.items():
            dated = [
                (days.to_us(since) if since else 0, Rule.parse(metric, scale))
                for since, metric, scale, _, _ in rules
            ]
            pulse.survey(tenant, survey, *dated)


@st.composite
def answers(draw: st.DrawFn) -> list[Sent]:
    """Answers in the order in which they are sent; identities repeat."""
    sent = []
    for order in range(draw(st.integers(1, 30))):
        survey = draw(st.sampled_from(sorted(RULES)))
        scale = {"support": range(1, 6), "loyal": range(11), "effort": range(1, 8)}[survey]
        sent.append(
            Sent(
                tenant=draw(st.sampled_from(sorted(ZONES))),
                survey=survey,
                response_id=draw(st.sampled_from("abcdef")),
                answered_at=draw(st.sampled_from(MOMENTS)),
                score=draw(st.sampled_from(scale)),
                order=order,
                dimensions={
                    "channel": draw(st.sampled_from(CHANNELS)),
                    "agent": draw(st.sampled_from([None, "Zoë, O'Hara", "李", "!=1+1"])),
                    "country": draw(st.sampled_from([None, "DE", "US"])),
                },
            )
        )
    return sent


def send(pulse: Driver, sent: Sequence[Sent], chance: random.Random) -> None:
    """Post the answers in their order, one request each moment, and deliver them in any."""
    builds = chance.sample(range(len(sent)), k=min(2, len(sent)))
    records: list[dict[str, Any]] = []
    for position, answer in enumerate(sent):
        item = {
            "survey_id": answer.survey,
            "response_id": answer.response_id,
            "answered_at": answer.answered_at.isoformat(),
            "score": answer.score,
            "channel": answer.dimensions["channel"],
            "agent_id": answer.dimensions["agent"],
            "country": answer.dimensions["country"],
        }
        given = {name: value for name, value in item.items() if value is not None}
        with days.clock(lambda received=answer.order: NOW + timedelta(seconds=received)):  # type: ignore[misc]
            reply = pulse.post(answer.tenant, [given])
        assert reply.status == 202, reply.body
        records += pulse.messages()
        if position in builds:
            deliver(pulse, records, chance)
            pulse.build_daily()
            if chance.random() < 0.5:
                pulse.build_reports()
    deliver(pulse, records, chance)
    pulse.build_daily()
    pulse.build_reports()
    pulse.forget()


def deliver(pulse: Driver, records: list[dict[str, Any]], chance: random.Random) -> None:
    """At least once, in any order, in any batches; what was delivered may come again later."""
    again = [record for record in records for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(again)
    while again:
        cut = chance.randint(1, len(again))
        assert pulse.write(again[:cut]) == []
        del again[:cut]


@dataclass(frozen=True)
class Counted:
    """An answer that counts, on the tenant's day and under the rule in force."""

    day: date
    score: int
    metric: str
    scale: str
    dimensions: Mapping[str, str | None]

    def dimension(self, name: str) -> str | None:
        return {"metric": self.metric, "scale": self.scale, **self.dimensions}[name]


def counted(sent: Sequence[Sent], tenant: str) -> list[Counted]:
    found = []
    for day, answer in oracle.counted(sent, ZONES):
        if answer.tenant == tenant:
            metric, scale, _, _ = rule_of(answer)
            found.append(Counted(day, answer.score, metric, scale, answer.dimensions))
    return found


RANGE = "start_date=2025-01-01&end_date=2026-11-30"
QUESTIONS = [
    (ReportQuery("daily", ("agent", "country"), "day"), f"{RANGE}&group_by=agent,country"),
    (ReportQuery("geo", ("country",)), "preset=last_7_days&compare=previous_period"),
    (
        ReportQuery("agents", ("agent",), "week", fill=True),
        "preset=last_30_days&granularity=week&fill=true",
    ),
    (ReportQuery("source", ("channel",)), "preset=this_month&compare=previous_period"),
    (ReportQuery("csat", ("channel",)), f"{RANGE}&group_by=channel"),
    (ReportQuery("nps", ()), f"{RANGE}&compare=previous_year"),
    (
        ReportQuery("ces", (), "month"),
        "preset=this_quarter&granularity=month&compare=previous_year",
    ),
    (ReportQuery("rates", ("score_value",)), RANGE),
    (
        ReportQuery("browsers", ("channel", "country"), subtotals=True),
        f"{RANGE}&group_by=channel,country&subtotals=true",
    ),
]


def part(sent: Sequence[Sent], tenant: str, query: str) -> Part:
    """What the query means for the tenant, at the moment of the test."""
    given = dict(pair.split("=") for pair in query.split("&"))
    today = NOW.astimezone(ZoneInfo(ZONES[tenant])).date()
    preset = given.get("preset")
    if preset:
        dates = preset_days(preset, today, "monday")
    else:
        dates = date.fromisoformat(given["start_date"]), date.fromisoformat(given["end_date"])
    return Part(counted(sent, tenant), Calendar(dates, given.get("compare"), preset), tenant)


def assert_same(reply: Any, asked: ReportQuery, parts: Sequence[Part]) -> None:
    """The reply is what the oracle says, and so is its distribution."""
    assert (reply["rows"], reply["totals"]) == oracle.reply(asked, parts)
    if "breakdown" in reply:
        assert reply["breakdown"] == oracle.breakdown(asked, parts)


@pytest.mark.sampled
@settings(
    max_examples=either(2, 4),
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes seconds to run
    suppress_health_check=[HealthCheck.too_slow],
)
@given(sent=answers(), chance=st.randoms(use_true_random=False))
def test_every_report_says_what_the_answers_say(sent: list[Sent], chance: random.Random) -> None:
    with days.clock(lambda: NOW), running() as pulse:
        set_up(pulse)
        send(pulse, sent, chance)
        for asked, query in QUESTIONS:
            for tenant in ZONES:
                # a secret key, from which small samples are not withheld
                reply = pulse.report(tenant, asked.report, query, "secret")
                assert_same(reply, asked, [part(sent, tenant, query)])
        query = "preset=last_7_days&group_by=tenant&compare=previous_period"
        path = f"/v1/reports/geo?{query}&tenant={','.join(ZONES)}"
        reply = pulse.call("GET", path, key=pulse.key(None, "operator")).json
        assert_same(
            reply, ReportQuery("geo", ("tenant",)), [part(sent, name, query) for name in ZONES]
        )
