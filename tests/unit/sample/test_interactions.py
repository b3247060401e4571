"""The sample's interactions are the same on every machine and resemble a real centre's."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import mean
from typing import Any

import pytest

from local.sample.interactions import Interaction, at_work, interactions
from local.sample.story import BAD_WEEK, DAYS
from local.sample.tenant import AGENTS, DELIVERY, SEGMENTS, SERVICES, TENANT, THRESHOLDS
from local.sample.updates import sessions, updates
from pulse import days
from pulse.streams.interactions import MEDIA_TYPES

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
WEEK_BEFORE = range(21, 28)


@pytest.fixture(scope="module")
def sample() -> list[Interaction]:
    return list(interactions(NOW))


@pytest.fixture(scope="module")
def told(sample: list[Interaction]) -> list[dict[str, Any]]:
    return list(updates(sample, NOW))


@pytest.fixture(scope="module")
def shifts(sample: list[Interaction]) -> list[dict[str, Any]]:
    return list(sessions(sample, NOW))


def entered_on(interaction: Interaction) -> date:
    return days.local_day(days.to_us(interaction.entered), TENANT.timezone)


def to_sunday(day: date, today: date = TODAY) -> int:
    """How many days it is from there to the Sunday of the present week."""
    return (today - day).days + 6 - today.weekday()


def of_week(sample: Iterable[Interaction], week: range, *services: str) -> list[Interaction]:
    return [
        c
        for c in sample
        if to_sunday(entered_on(c)) in week and (not services or c.service in services)
    ]


def level(sample: Iterable[Interaction]) -> float:
    """Percentage of those offered that were accepted in time."""
    offered = [interaction for interaction in sample if interaction.offered]
    met = [c for c in offered if c.accepted and _within(c, THRESHOLDS[c.media_type].accept_s or 0)]
    return 100 * len(met) / len(offered)


def _within(interaction: Interaction, seconds: int) -> bool:
    return bool(
        interaction.accepted
        and interaction.accepted <= interaction.entered + timedelta(seconds=seconds)
    )


def satisfaction(sample: Iterable[Interaction]) -> float:
    return mean(c.satisfaction for c in sample if c.satisfaction is not None)


def money(sample: Iterable[Interaction], wanted: Callable[[Decimal], bool]) -> Decimal:
    amounts = [Decimal(c.sale.amount) for c in sample if c.sale and c.sale.currency == "EUR"]
    return sum(filter(wanted, amounts), Decimal())


def test_it_is_the_same_whoever_looks(sample: list[Interaction]) -> None:
    assert list(interactions(NOW)) == sample


@pytest.mark.parametrize("today", [date(2026, 11, 30), date(2027, 10, 31), date(2028, 2, 29)])
def test_on_every_date_the_same_happens(sample: list[Interaction], today: date) -> None:
    def story(sample: Iterable[Interaction], today: date) -> dict[int, list[Any]]:
        """What becomes of interactions, by how many days it is to Sunday, but for today's."""
        happened = defaultdict(list)
        for c in sample:
            spans = [at and at - c.entered for at in (c.offered, c.accepted, c.finished, c.rated)]
            facts = (c.media_type, c.segment, c.service, c.customer, c.agent, c.replies, c.sale)
            if entered_on(c) != today:
                happened[to_sunday(entered_on(c), today)].append((spans, facts, c.satisfaction))
        return happened

    known = story(sample, TODAY)
    other = story(interactions(datetime.combine(today, time(12), UTC)), today)
    common = known.keys() & other.keys()
    assert len(common) > 80
    assert [n for n in common if known[n] != other[n]] == []


def test_later_on_the_day_there_is_more_of_the_same(told: list[dict[str, Any]]) -> None:
    later = NOW + timedelta(hours=6)
    more = list(updates(interactions(later), later))
    known = {(one["interaction_id"], one["updated_at"]): one for one in more}
    same = [one for one in told if known.get((one["interaction_id"], one["updated_at"])) == one]
    assert len(more) > len(told)
    assert len(same) > 0.99 * len(told)  # of those under way, more is known


def test_its_size_is_one_that_loads_in_seconds(
    told: list[dict[str, Any]], shifts: list[dict[str, Any]]
) -> None:
    assert 15_000 <= len(told) <= 25_000
    assert 1_000 <= len(shifts) <= 2_500


def test_every_day_has_all_media_segments_and_matters(sample: list[Interaction]) -> None:
    assert {c.media_type for c in sample} == set(MEDIA_TYPES)
    assert {c.segment for c in sample} == set(SEGMENTS)
    assert {c.service for c in sample} == set(SERVICES)
    assert {(NOW.date() - entered_on(c)).days for c in sample} == set(range(DAYS + 1))


def test_milestones_come_one_after_the_other(sample: list[Interaction]) -> None:
    for c in sample:
        moments = [c.entered, c.offered, c.accepted, c.first_response, c.finished, c.rated]
        given = [moment for moment in moments if moment]
        assert given == sorted(given)
        assert (c.agent is None) == (c.accepted is None)


def test_whoever_takes_an_interaction_is_at_work_on_that_medium(sample: list[Interaction]) -> None:
    for c in sample:
        if c.agent:
            assert c.agent in at_work(c.media_type, entered_on(c).weekday())
            assert c.media_type in c.agent.media


@pytest.mark.parametrize("medium", MEDIA_TYPES)
def test_on_every_weekday_somebody_is_there(medium: str) -> None:
    for weekday in range(7):
        assert at_work(medium, weekday)


def test_promises_are_mostly_kept_in_a_usual_week(sample: list[Interaction]) -> None:
    for medium in MEDIA_TYPES:
        usual = [
            c for c in sample if c.media_type == medium and to_sunday(entered_on(c)) not in BAD_WEEK
        ]
        assert 65 <= level(usual) <= 95
    calls = [
        c for c in sample if c.media_type == "voice" and to_sunday(entered_on(c)) not in BAD_WEEK
    ]
    assert 0.01 <= mean(c.agent is None for c in calls) <= 0.12


def test_in_the_bad_week_people_call_and_are_not_served(sample: list[Interaction]) -> None:
    before, bad = of_week(sample, WEEK_BEFORE), of_week(sample, BAD_WEEK)
    assert len(bad) > 1.25 * len(before)
    hit_before = of_week(sample, WEEK_BEFORE, DELIVERY)
    hit = of_week(sample, BAD_WEEK, DELIVERY)
    assert level(hit_before) > 70
    assert level(hit) < 35
    assert satisfaction(hit) < satisfaction(hit_before) - 0.8
    others = [service for service in SERVICES if service != DELIVERY]
    assert level(of_week(sample, BAD_WEEK, *others)) > level(hit) + 25


@pytest.mark.parametrize("later", (0, 7, 19))
def test_the_bad_week_costs_sales_and_refunds(later: int) -> None:
    sample = list(interactions(NOW + timedelta(days=later)))

    def of(week: range) -> list[Interaction]:
        today = NOW.date() + timedelta(days=later)
        return [c for c in sample if to_sunday(entered_on(c), today) in week]

    before, bad = of(WEEK_BEFORE), of(BAD_WEEK)
    assert money(bad, lambda euros: euros > 0) < money(before, lambda euros: euros > 0)
    assert money(bad, lambda euros: euros < 0) < money(before, lambda euros: euros < 0)
    assert money(bad, lambda euros: True) < money(before, lambda euros: True) * Decimal("0.8")


def test_money_is_mostly_euros_with_refunds_and_an_exchange(sample: list[Interaction]) -> None:
    sales = [c.sale for c in sample if c.sale]
    assert {sale.currency for sale in sales} == {"EUR", "CHF", "PLN", "GBP"}
    assert mean(sale.currency == "EUR" for sale in sales) > 0.6
    amounts = [Decimal(sale.amount) for sale in sales]
    assert {amount.compare(Decimal()) for amount in amounts} == {Decimal(s) for s in (-1, 0, 1)}
    assert all(amount.as_tuple().exponent == -2 for amount in amounts)


def test_what_is_told_has_happened(told: list[dict[str, Any]]) -> None:
    now = "2026-11-21T12:00:00Z"
    for one in told:
        moments = [value for name, value in one.items() if name.endswith("_at")]
        assert max(moments) <= min(one["updated_at"], now)
        assert None not in one.values()


def test_many_interactions_are_told_in_parts(
    told: list[dict[str, Any]], sample: list[Interaction]
) -> None:
    parts: dict[str, list[str]] = defaultdict(list)
    for one in told:
        parts[one["interaction_id"]].append(one["updated_at"])
    assert set(parts) <= {c.id for c in sample}
    assert mean(len(updated) > 1 for updated in parts.values()) > 0.3
    assert max(map(len, parts.values())) == 3
    assert all(updated == sorted(updated) for updated in parts.values())


def test_sessions_are_of_agents_media_and_days_that_are_over(shifts: list[dict[str, Any]]) -> None:
    media = {agent.id: agent.media for agent in AGENTS}
    assert len({one["session_id"] for one in shifts}) == len(shifts)
    assert {one["agent_id"] for one in shifts} == set(media)
    for one in shifts:
        assert one["media_type"] in media[one["agent_id"]]
        assert one["day"] < "2026-11-21"
        assert 0 <= one["engaged_seconds"] <= one["active_seconds"] <= 90_000


def test_agents_are_busier_in_the_bad_week(shifts: list[dict[str, Any]]) -> None:
    def busy(week: range) -> float:
        found = [s for s in shifts if to_sunday(date.fromisoformat(s["day"])) in week]
        engaged, active = (
            sum(s[f"{kind}_seconds"] for s in found) for kind in ("engaged", "active")
        )
        return float(engaged / active)

    assert 0.3 < busy(WEEK_BEFORE) < 0.7
    assert busy(BAD_WEEK) > busy(WEEK_BEFORE) + 0.05
