"""Interactions from request to report equal an oracle's figures, in any order of arrival."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.tenants.tenant import Tenant
from tests.driver import Driver, running
from tests.interaction_oracle import Thresholds, Update, Whole, merged, money, perspective
from tests.sampling import either

ZONE = "America/New_York"
NOW = datetime(2026, 11, 5, 18, 0, tzinfo=UTC)
RANGE = "start_date=2026-10-01&end_date=2026-11-05&limit=10000"
LEVELS: Thresholds = {
    "voice": {"accept": 20, "first_response": 30, "finish": 300},
    "email": {"first_response": 3600, "finish": 86_400},
    "chat": {"accept": 0},
}
# About midnight, about the change from summer time, and in another month.
ENTRIES = [
    datetime(2026, 10, 31, 3, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 10, 31, 4, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC),
]
WAITS = [timedelta(), timedelta(seconds=20), timedelta(seconds=20, microseconds=1)]
WAITS += [timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=30)]
AMOUNTS = ["0.1", "0.2", "0", "-12.50", "99999999999999.9999", "0.0001", "3"]
OPTIONAL = ("offered_at", "accepted_at", "first_response_at", "finished_at")


@st.composite
def updates(draw: st.DrawFn) -> list[Update]:
    """Updates of a few interactions, in the order in which they are sent."""
    sent = []
    for order in range(draw(st.integers(1, 14))):
        number = draw(st.integers(0, 4))
        entered = ENTRIES[number]
        fields: dict[str, Any] = {
            "media_type": draw(st.sampled_from(["voice", "voice", "email", "chat"])),
            "entered_at": entered,
        }
        for name in OPTIONAL:
            wait = draw(st.none() | st.sampled_from(WAITS))
            fields[name] = None if wait is None else entered + wait
        fields["abandoned"] = draw(st.sampled_from([None, True, False]))
        fields["replies"] = draw(st.sampled_from([None, 0, 1, 3]))
        fields["satisfaction"] = draw(st.sampled_from([None, "1", "4.5", "3.3333"]))
        fields["customer_segment"] = draw(st.sampled_from([None, "gold", "Zoë, O'Hara"]))
        fields["service_type"] = draw(st.sampled_from([None, "!=1+1", "sales"]))
        fields["agent_id"] = draw(st.sampled_from([None, "a1", "李"]))
        if draw(st.booleans()):
            amount = Decimal(draw(st.sampled_from(AMOUNTS)))
            fields["revenue"] = (amount, draw(st.sampled_from(["EUR", "BHD"])))
        later = timedelta(days=draw(st.sampled_from([0, 0, 1, 3])))
        # revised in any order, and often at the same moment
        revised = entered + timedelta(minutes=draw(st.sampled_from([0, 1, 2])))
        sent.append(Update(f"i{number % 4}", revised + later, order, fields))
    return sent


def item(update: Update) -> dict[str, Any]:
    """As POST /v1/interactions takes it."""
    given: dict[str, Any] = {"interaction_id": update.interaction_id}
    for name, value in {**update.fields, "updated_at": update.updated_at}.items():
        if isinstance(value, datetime):
            given[name] = value.isoformat()
        elif name == "revenue":
            given[name] = {"amount": str(value[0]), "currency": value[1]}
        elif value is not None:
            given[name] = value
    if "satisfaction" in given:
        given["satisfaction"] = float(given["satisfaction"])
    return given


def set_up(pulse: Driver) -> None:
    dated = {
        f"{media_type}.{level}": ((date(1990, 1, 1), seconds),)
        for media_type, levels in LEVELS.items()
        for level, seconds in levels.items()
    }
    pulse.tenants.create(Tenant("acme", "Acme", ZONE, thresholds=dated))


def records(pulse: Driver, sent: Sequence[Update]) -> list[dict[str, Any]]:
    """The messages of the updates, each received a second after the one before."""
    found: list[dict[str, Any]] = []
    for update in sent:
        with days.clock(lambda order=update.order: NOW + timedelta(seconds=order)):  # type: ignore[misc]
            reply = pulse.post_interactions("acme", [item(update)])
        assert reply.status == 202, reply.body
        found += pulse.messages()
    return found


def deliver(pulse: Driver, messages: list[dict[str, Any]], chance: random.Random) -> None:
    """At least once, in any order, in any batches, with builds in between."""
    waiting = [message for message in messages for _ in range(chance.choice((1, 1, 2, 3)))]
    chance.shuffle(waiting)
    while waiting:
        cut = chance.randint(1, len(waiting))
        assert pulse.write(waiting[:cut]) == []
        del waiting[:cut]
        if chance.random() < 0.3:
            pulse.build_daily()
    pulse.build_daily()
    pulse.build_reports()
    pulse.forget()


def of_group(wholes: Sequence[Whole], row: dict[str, Any]) -> list[Whole]:
    """The interactions that a row of the default grouping is about."""
    named = ("media_type", "customer_segment", "service_type")
    return [
        whole
        for whole in wholes
        if str(whole.day) == row["period"] and all(whole.get(name) == row[name] for name in named)
    ]


def figures(row: dict[str, Any]) -> dict[str, Any]:
    """What a row says beside its labels."""
    labels = ("tenant", "period", "media_type", "customer_segment", "service_type", "level")
    return {name: v for name, v in row.items() if name not in (*labels, "partial")}


@pytest.mark.sampled
@settings(
    max_examples=either(2, 4),
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes seconds to run
    suppress_health_check=[HealthCheck.too_slow],
)
@given(sent=updates(), chance=st.randoms(use_true_random=False))
def test_updates_in_any_order_batches_and_copies_make_the_oracles_report(
    sent: list[Update], chance: random.Random
) -> None:
    with days.clock(lambda: NOW), running() as pulse:
        set_up(pulse)
        deliver(pulse, records(pulse, sent), chance)
        wholes = merged(sent, ZONE)
        reply = pulse.report("acme", "customer-perspective", RANGE)
        assert sum(row["entered"] for row in reply["rows"]) == len(wholes)
        for row in reply["rows"]:
            assert figures(row) == perspective(of_group(wholes, row), LEVELS)
        (total,) = reply["totals"]
        assert figures(total) == perspective(wholes, LEVELS)
        by_segment = pulse.report("acme", "revenue", f"{RANGE}&group_by=customer_segment")
        for row in by_segment["rows"]:
            mine = [w for w in wholes if w.get("customer_segment") == row["customer_segment"]]
            assert (row["revenue"], row["avg_revenue"]) == money(mine)


# -- the sample of the report that Customer Perspective comes from


def call(number: int, **milestones: float | None) -> dict[str, Any]:
    """A call of one morning, its milestones in seconds after it entered."""
    entered = datetime(2026, 11, 3, 14, 0, tzinfo=UTC) + timedelta(minutes=number)
    return {
        "interaction_id": f"call-{number}",
        "media_type": "voice",
        "entered_at": entered.isoformat(),
        "customer_segment": "Default",
        **{
            name: (entered + timedelta(seconds=after)).isoformat()
            for name, after in milestones.items()
            if after is not None
        },
    }


def test_the_cells_of_the_original_sample_can_be_reproduced() -> None:
    # 26 offered, 9 of them accepted and 6 answered in time
    busy = [call(n, offered_at=1, accepted_at=15, first_response_at=25) for n in range(6)]
    busy += [call(n, offered_at=1, accepted_at=18, first_response_at=45) for n in range(6, 9)]
    busy += [call(n, offered_at=1, accepted_at=95, first_response_at=99) for n in range(9, 22)]
    busy += [call(n, offered_at=1) | {"abandoned": True} for n in range(22, 26)]
    # 5 entered, each replied to once; and a group that nobody accepted, all finished in time
    steady = [
        call(n, accepted_at=10, finished_at=200) | {"customer_segment": "Gold", "replies": 1}
        for n in range(30, 35)
    ]
    unheard = [
        call(n, offered_at=1, finished_at=30) | {"customer_segment": "Silver", "abandoned": True}
        for n in range(40, 43)
    ]
    with days.clock(lambda: NOW), running() as pulse:
        set_up(pulse)
        assert pulse.post_interactions("acme", [*busy, *steady, *unheard]).status == 202
        pulse.build()
        reply = pulse.report("acme", "customer-perspective", "preset=last_7_days")
    default, gold, silver = reply["rows"]
    assert (default["entered"], default["offered"], default["abandoned"]) == (26, 26, 4)
    assert default["accept_service_level_pct"] == 34.62
    assert default["first_response_service_level_pct"] == 23.08
    assert default["finished_service_level_pct"] is None
    assert (gold["entered"], gold["response_ratio"]) == (5, 1.0)
    assert gold["avg_finish_response_time_fmt"] == "00:03:20"
    assert (silver["accepted"], silver["response_ratio"]) == (0, None)
    assert silver["finished_service_level_pct"] == 100.0
    assert silver["accept_service_level_pct"] == 0.0


# -- money


def sale(number: int, day: str, amount: Any, currency: str | None) -> dict[str, Any]:
    revenue = None if currency is None else {"amount": amount, "currency": currency}
    return {
        "interaction_id": f"sale-{number}",
        "media_type": "chat",
        "entered_at": f"{day}T15:00:00Z",
        "revenue": revenue,
    }


def test_money_is_exact_and_never_crosses_a_currency() -> None:
    sales = [
        sale(1, "2026-10-31", "0.1", "EUR"),
        sale(2, "2026-10-31", 0.2, "EUR"),
        sale(3, "2026-10-31", "-5", "USD"),
        sale(4, "2026-10-31", 0, "USD"),
        sale(5, "2026-11-01", 1200, "JPY"),
        sale(6, "2026-11-01", "1.234", "BHD"),
        sale(7, "2026-11-01", None, None),
    ]
    with days.clock(lambda: NOW), running() as pulse:
        set_up(pulse)
        assert pulse.post_interactions("acme", sales).json["accepted"] == 7
        pulse.build()
        daily = pulse.report("acme", "revenue", RANGE)
        whole = pulse.report("acme", "revenue", f"{RANGE}&granularity=total&group_by=media_type")
    columns = ("period", "currency", "interactions_with_revenue", "revenue", "avg_revenue")
    assert [tuple(row[column] for column in columns) for row in daily["rows"]] == [
        ("2026-10-31", "EUR", 2, "0.3000", "0.1500"),
        ("2026-10-31", "USD", 1, "-5.0000", "-5.0000"),
        ("2026-11-01", "BHD", 1, "1.2340", "1.2340"),
        ("2026-11-01", "JPY", 1, "1200.0000", "1200.0000"),
    ]
    (row,) = whole["rows"]
    assert row["revenue"] == {
        "BHD": "1.2340",
        "EUR": "0.3000",
        "JPY": "1200.0000",
        "USD": "-5.0000",
    }
    assert row["interactions_with_revenue"] == 5
