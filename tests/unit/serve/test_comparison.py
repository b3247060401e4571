"""Every day that is compared with stands beside exactly one day, the right one, and sums agree.

The years have a 29 February on either side. What a period must have is counted day by day.
"""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.reports.registry import REPORTS
from pulse.serve.answer import answer
from pulse.serve.plan import needs_of, plan_of
from pulse.serve.query import parse
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.calendar_oracle import Calendar, every_day, first_day, preset_days
from tests.unit.serve.events import Answer, as_years, built, pairs

SECRET = Key("0" * 64, "secret", "acme", 0)
FIRST, LAST = date(2022, 12, 1), date(2025, 4, 30)
presets = st.sampled_from([name for name in days.PRESETS if name != "all_time"])
starts = st.dates(date(2024, 1, 1), date(2025, 3, 31)) | st.sampled_from(
    [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2025, 2, 28), date(2025, 3, 1)]
)


def reply(query: str, found: list[Answer], week_start: str) -> Any:
    tenant = built(Tenant("acme", "Acme", week_start=week_start), found)
    report = REPORTS["daily"]
    plan = plan_of(report, parse(pairs(query), report), [tenant], SECRET)
    return json.loads(answer(plan, {"acme": as_years(found)}, query).body)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    start=starts,
    length=st.sampled_from([365, 90, 30, 13, 6, 1, 0]),
    preset=st.none() | presets,
    granularity=st.sampled_from(["day", "week", "month"]),
    week_start=st.sampled_from(["monday", "sunday"]),
    compare=st.sampled_from(["previous_year", "previous_period"]),
)
def test_the_rows_before_add_up_to_their_days_and_each_is_counted_day_by_day(
    seed: int,
    start: date,
    length: int,
    preset: str | None,
    granularity: str,
    week_start: str,
    compare: str,
) -> None:
    chance = random.Random(seed)
    sent = {day: chance.choice([0, 0, 1, 2, 5]) for day in every_day((FIRST, LAST))}
    found = [
        Answer(day, chance.randint(1, 5)) for day, number in sent.items() for _ in range(number)
    ]
    now = preset_days(preset, start, week_start) if preset else (start, start + length * DAY)
    calendar = Calendar(now, compare, preset, week_start)
    query = f"preset={preset}" if preset else f"start_date={now[0]}&end_date={now[1]}"
    query += f"&granularity={granularity}&compare={compare}&limit=10000&fill=true"
    noon = datetime(start.year, start.month, start.day, 12, tzinfo=UTC)
    with days.clock(lambda: noon):
        rows = reply(query, found, week_start)["rows"]

    assert calendar.before
    before: Counter[str] = Counter()
    for day in every_day(calendar.before):
        shown = first_day(calendar.shown_on(day), granularity, week_start)
        before[shown] += sent.get(day, 0)
    asked: Counter[str] = Counter()
    for day in every_day(now):
        asked[first_day(day, granularity, week_start)] += sent.get(day, 0)
    if not asked.total() and not before.total():
        assert rows == []
        return
    assert {row["period"]: row["responses"] for row in rows} == dict(asked)
    assert {row["period"]: row["responses_previous"] for row in rows} == {
        period: before[period] for period in asked
    }
    told = sum(row["responses_previous"] for row in rows)
    assert told == sum(sent.get(day, 0) for day in every_day(calendar.before))
    assert {row["period"]: row["partial"] for row in rows} == {
        period: calendar.is_partial(period, granularity) for period in asked
    }
    for row in rows:
        if calendar.is_uneven(row["period"], granularity):
            assert row["score_significant"] is None


DAY = timedelta(days=1)


def test_tenants_with_weeks_of_their_own_each_say_which_of_them_are_partial() -> None:
    found = [Answer(date(2026, 3, 1) + at * DAY, 5) for at in range(10)]
    tenants = [
        built(replace(Tenant(week_start, "Acme"), week_start=week_start), found)
        for week_start in ("monday", "sunday")
    ]
    query = "tenant=monday,sunday&start_date=2026-03-01&end_date=2026-03-10&granularity=week"
    report = REPORTS["daily"]
    operator = Key("1" * 64, "operator", None, 0)
    plan = plan_of(report, parse(pairs(query), report, across_tenants=True), tenants, operator)
    years = {tenant.id: as_years(found) for tenant in tenants}
    rows = json.loads(answer(plan, years, query).body)["rows"]
    assert [(row["period"], row["responses"], row["partial"]) for row in rows] == [
        ("2026-02-23", 1, True),
        ("2026-03-01", 7, False),
        ("2026-03-02", 7, False),
        ("2026-03-08", 3, True),
        ("2026-03-09", 2, True),
    ]


@pytest.mark.parametrize(
    ("query", "months"),
    [
        ("start_date=2025-01-01&end_date=2025-12-31&compare=previous_year", True),
        ("start_date=2024-02-29&end_date=2024-05-10&compare=previous_year", True),
        ("preset=last_3_months&compare=previous_period", True),
        ("preset=last_month&compare=previous_period", True),
        # ten days of February, all of which stand beside days of March
        ("start_date=2025-03-01&end_date=2025-03-10&compare=previous_period", True),
        # 29 January beside 31 March, 30 January beside 1 April
        ("start_date=2025-03-01&end_date=2025-04-30&compare=previous_period", False),
        ("start_date=2025-03-01&end_date=2025-04-30", True),
    ],
)
def test_sums_by_month_answer_where_each_month_is_shown_in_one(query: str, months: bool) -> None:
    report = REPORTS["daily"]
    query += "&granularity=month"
    with days.clock(lambda: datetime(2025, 3, 15, 12, tzinfo=UTC)):
        parsed = parse(pairs(query), report)
        plan = plan_of(report, parsed, [Tenant("acme", "Acme")], SECRET)
    assert [needs.months for needs in needs_of(plan)] == [months]
