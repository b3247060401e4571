"""The clock, instants, a tenant's days, and the presets of docs/metrics.md."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days

SATURDAY = date(2026, 11, 21)
ANY_DAY = st.dates(date(1991, 1, 1), date(2090, 12, 31))


def resolved(preset: str, **given: object) -> tuple[str, str]:
    found = days.resolve_preset(preset, SATURDAY, **given)  # type: ignore[arg-type]
    return str(found.start), str(found.end)


@pytest.mark.parametrize(
    ("preset", "start", "end"),
    [
        # the check that docs/metrics.md gives
        ("last_7_days", "2026-11-14", "2026-11-20"),
        ("last_week", "2026-11-09", "2026-11-15"),
        ("this_week", "2026-11-16", "2026-11-22"),
        ("this_quarter", "2026-10-01", "2026-12-31"),
        ("last_3_months", "2026-08-01", "2026-10-31"),
        # the others, by hand
        ("today", "2026-11-21", "2026-11-21"),
        ("yesterday", "2026-11-20", "2026-11-20"),
        ("week_to_date", "2026-11-16", "2026-11-21"),
        ("this_month", "2026-11-01", "2026-11-30"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("month_to_date", "2026-11-01", "2026-11-21"),
        ("last_quarter", "2026-07-01", "2026-09-30"),
        ("quarter_to_date", "2026-10-01", "2026-11-21"),
        ("this_year", "2026-01-01", "2026-12-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("year_to_date", "2026-01-01", "2026-11-21"),
        ("last_14_days", "2026-11-07", "2026-11-20"),
        ("last_28_days", "2026-10-24", "2026-11-20"),
        ("last_30_days", "2026-10-22", "2026-11-20"),
        ("last_90_days", "2026-08-23", "2026-11-20"),
        ("last_7_days_to_date", "2026-11-15", "2026-11-21"),
        ("last_30_days_to_date", "2026-10-23", "2026-11-21"),
        ("last_12_months", "2025-11-01", "2026-10-31"),
        ("all_time", "2026-11-21", "2026-11-21"),
    ],
)
def test_each_preset_on_a_saturday(preset: str, start: str, end: str) -> None:
    assert resolved(preset) == (start, end)


def test_the_table_above_names_every_preset() -> None:
    (mark,) = test_each_preset_on_a_saturday.pytestmark  # type: ignore[attr-defined]
    assert sorted(case[0] for case in mark.args[1]) == sorted(days.PRESETS)


def test_weeks_may_begin_on_sunday() -> None:
    assert resolved("this_week", week_start="sunday") == ("2026-11-15", "2026-11-21")
    assert resolved("last_week", week_start="sunday") == ("2026-11-08", "2026-11-14")


def test_all_time_begins_with_the_first_day_that_has_data() -> None:
    assert resolved("all_time", first_day=date(2019, 3, 4)) == ("2019-03-04", "2026-11-21")


def test_an_unknown_preset_is_an_error() -> None:
    with pytest.raises(ValueError, match="last_fortnight"):
        days.resolve_preset("last_fortnight", SATURDAY)


@given(ANY_DAY, st.sampled_from([p for p in days.PRESETS if p != "all_time"]))
def test_presets_are_whole_units_in_the_right_place(today: date, preset: str) -> None:
    found = days.resolve_preset(preset, today)
    assert found.start <= found.end
    if preset.startswith("this_"):
        assert found.start <= today <= found.end
    if preset.endswith("to_date"):
        assert found.end == today
    if preset.startswith("last_"):
        assert found.end < today or preset.endswith("to_date")
    if "week" in preset:
        assert found.start.weekday() == 0
    if any(unit in preset for unit in ("month", "quarter", "year")):
        assert found.start.day == 1
    if preset.startswith("last_") and "days" in preset:
        assert found.days == int(preset.split("_")[1])


# -- what a range is compared with


def compared(compare: str, preset: str, today: date = SATURDAY) -> tuple[str, str]:
    found = days.COMPARISONS[compare](days.resolve_preset(preset, today))
    return str(found.start), str(found.end)


@pytest.mark.parametrize(
    ("preset", "start", "end"),
    [
        ("today", "2026-11-20", "2026-11-20"),
        ("yesterday", "2026-11-19", "2026-11-19"),
        ("this_week", "2026-11-09", "2026-11-15"),
        ("last_week", "2026-11-02", "2026-11-08"),
        ("week_to_date", "2026-11-09", "2026-11-14"),
        ("this_month", "2026-10-01", "2026-10-31"),
        ("last_month", "2026-09-01", "2026-09-30"),
        ("month_to_date", "2026-10-01", "2026-10-21"),
        ("this_quarter", "2026-07-01", "2026-09-30"),
        ("last_quarter", "2026-04-01", "2026-06-30"),
        ("quarter_to_date", "2026-07-01", "2026-08-21"),  # 52 days each
        ("this_year", "2025-01-01", "2025-12-31"),
        ("last_year", "2024-01-01", "2024-12-31"),
        ("year_to_date", "2025-01-01", "2025-11-21"),
        ("last_7_days", "2026-11-07", "2026-11-13"),
        ("last_14_days", "2026-10-24", "2026-11-06"),
        ("last_28_days", "2026-09-26", "2026-10-23"),
        ("last_30_days", "2026-09-22", "2026-10-21"),
        ("last_90_days", "2026-05-25", "2026-08-22"),
        ("last_7_days_to_date", "2026-11-08", "2026-11-14"),
        ("last_30_days_to_date", "2026-09-23", "2026-10-22"),
        ("last_3_months", "2026-05-01", "2026-07-31"),
        ("last_12_months", "2024-11-01", "2025-10-31"),
    ],
)
def test_what_came_before_each_preset(preset: str, start: str, end: str) -> None:
    assert compared("previous_period", preset) == (start, end)


def test_the_table_above_names_every_preset_but_all_time() -> None:
    (mark,) = test_what_came_before_each_preset.pytestmark  # type: ignore[attr-defined]
    assert sorted([*(case[0] for case in mark.args[1]), "all_time"]) == sorted(days.PRESETS)


@pytest.mark.parametrize(
    ("preset", "today", "start", "end"),
    [
        # a longer month to date than the month before has days: all of that month
        ("month_to_date", date(2026, 3, 31), "2026-02-01", "2026-02-28"),
        ("month_to_date", date(2024, 3, 30), "2024-02-01", "2024-02-29"),
        # elapsed days, not dates: 1 March is the 61st day of a leap year
        ("year_to_date", date(2024, 3, 1), "2023-01-01", "2023-03-02"),
        ("year_to_date", date(2024, 12, 31), "2023-01-01", "2023-12-31"),
        ("quarter_to_date", date(2026, 3, 31), "2025-10-01", "2025-12-29"),
        ("quarter_to_date", date(2026, 9, 30), "2026-04-01", "2026-06-30"),
        ("this_month", date(2024, 2, 10), "2024-01-01", "2024-01-31"),
        ("this_quarter", date(2026, 2, 1), "2025-10-01", "2025-12-31"),
    ],
)
def test_units_before_at_the_turn_of_months_and_years(
    preset: str, today: date, start: str, end: str
) -> None:
    assert compared("previous_period", preset, today) == (start, end)


def test_the_week_before_begins_on_the_same_weekday() -> None:
    for preset, end in (("this_week", 14), ("week_to_date", 14)):
        found = days.resolve_preset(preset, SATURDAY, week_start="sunday")
        before = days.previous_period(found)
        assert (before.start, before.end) == (date(2026, 11, 8), date(2026, 11, end))


def test_dates_are_compared_with_as_many_days_just_before() -> None:
    month = days.DateRange(date(2026, 3, 1), date(2026, 3, 31))  # dates: no calendar month
    before = days.previous_period(month)
    assert (before.start, before.end) == (date(2026, 1, 29), date(2026, 2, 28))


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), (date(2025, 11, 1), date(2025, 11, 30))),
        (date(2024, 2, 1), date(2024, 2, 29), (date(2023, 2, 1), date(2023, 2, 28))),
        (date(2024, 2, 29), date(2024, 2, 29), (date(2023, 2, 28), date(2023, 2, 28))),
        (date(2025, 2, 1), date(2025, 2, 28), (date(2024, 2, 1), date(2024, 2, 28))),
        (date(2025, 3, 1), date(2025, 3, 1), (date(2024, 3, 1), date(2024, 3, 1))),
    ],
)
def test_the_same_dates_a_year_before(start: date, end: date, before: tuple[date, date]) -> None:
    found = days.previous_year(days.DateRange(start, end))
    assert (found.start, found.end) == before


@pytest.mark.parametrize(
    ("start", "end", "day", "shown"),
    [
        (date(2024, 1, 1), date(2024, 12, 31), date(2023, 3, 10), date(2024, 3, 10)),
        (date(2025, 1, 1), date(2025, 12, 31), date(2024, 3, 10), date(2025, 3, 10)),
        (date(2025, 1, 1), date(2025, 12, 31), date(2024, 2, 29), date(2025, 2, 28)),
        (date(2024, 2, 29), date(2024, 3, 9), date(2023, 2, 28), date(2024, 2, 29)),
    ],
)
def test_a_date_of_the_year_before_is_shown_on_the_same_date(
    start: date, end: date, day: date, shown: date
) -> None:
    assert days.previous_year(days.DateRange(start, end)).shown_on(day) == shown


@pytest.mark.parametrize(
    ("preset", "today", "day", "shown"),
    [
        ("last_month", date(2026, 3, 5), date(2026, 1, 31), date(2026, 2, 28)),
        ("this_month", date(2026, 3, 5), date(2026, 2, 28), date(2026, 3, 28)),
        ("last_3_months", date(2026, 6, 5), date(2025, 12, 31), date(2026, 3, 31)),
        ("last_12_months", date(2026, 6, 5), date(2024, 6, 30), date(2025, 6, 30)),
        ("last_week", date(2026, 6, 5), date(2026, 5, 20), date(2026, 5, 27)),
        # as many days as have passed, but the same dates: the leap year's day 61 is 1 March
        ("year_to_date", date(2024, 3, 1), date(2023, 3, 2), date(2024, 3, 1)),
        ("quarter_to_date", date(2026, 5, 15), date(2026, 1, 31), date(2026, 4, 30)),
        ("last_7_days", date(2026, 6, 5), date(2026, 5, 22), date(2026, 5, 29)),
        ("last_30_days_to_date", date(2026, 6, 30), date(2026, 5, 2), date(2026, 6, 1)),
    ],
)
def test_a_day_of_the_period_before_is_shown_beside_its_own(
    preset: str, today: date, day: date, shown: date
) -> None:
    found = days.previous_period(days.resolve_preset(preset, today))
    assert found.start <= day <= found.end
    assert found.shown_on(day) == shown


@given(
    ANY_DAY,
    st.sampled_from([p for p in days.PRESETS if p != "all_time"]),
    st.sampled_from(sorted(days.COMPARISONS)),
    st.sampled_from(["day", "week", "month"]),
)
def test_days_compared_with_keep_their_order_and_stay_in_the_range(
    today: date, preset: str, compare: str, granularity: str
) -> None:
    dates = days.resolve_preset(preset, today)
    before = days.COMPARISONS[compare](dates)
    shown = [before.shown_on(day) for day in before]
    assert shown == sorted(shown)
    assert dates.start <= shown[0] <= shown[-1] <= dates.end
    each = days.days_by_period(before, granularity)
    assert sum(each.values()) == before.days
    assert list(each) == [
        days.period_start(before.shown_on(day), granularity)
        for day in days.shown_apart(before, granularity)
    ]


def test_nothing_came_before_all_time() -> None:
    everything = days.resolve_preset("all_time", SATURDAY, first_day=date(2020, 1, 1))
    for compare in days.COMPARISONS.values():
        with pytest.raises(ValueError, match="all_time"):
            compare(everything)


@given(ANY_DAY, st.sampled_from([p for p in days.PRESETS if p != "all_time"]))
def test_what_came_before_ends_before_the_range_begins(today: date, preset: str) -> None:
    found = days.resolve_preset(preset, today)
    before = days.previous_period(found)
    assert before.start <= before.end < found.start
    if preset.endswith("to_date"):
        assert before.days <= found.days
    if "days" in preset or preset in ("today", "yesterday"):
        assert before.days == found.days
    if preset.startswith("this_"):
        assert before.end == found.start - timedelta(days=1)


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        ("day", ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"]),
        ("week", ["2026-01-26", "2026-02-02"]),
        ("month", ["2026-01-01", "2026-02-01"]),
    ],
)
def test_periods_are_those_that_the_range_touches(granularity: str, expected: list[str]) -> None:
    dates = days.DateRange(date(2026, 1, 30), date(2026, 2, 2))
    assert [str(first) for first in days.periods(dates, granularity)] == expected


def test_periods_reach_the_last_day_that_there_is() -> None:
    dates = days.DateRange(date(9999, 12, 30), date.max)
    assert {len(days.periods(dates, name)) for name in ("week", "month")} == {1}
    assert len(days.periods(dates, "day")) == 2


@given(st.tuples(ANY_DAY, st.integers(0, 500)), st.sampled_from(["day", "week", "month"]))
def test_every_day_lies_in_one_of_the_periods(given: tuple[date, int], granularity: str) -> None:
    dates = days.DateRange(given[0], given[0] + timedelta(days=given[1]))
    each = [dates.start + timedelta(days=day) for day in range(dates.days)]
    starts = sorted({days.period_start(day, granularity, "sunday") for day in each})
    assert days.periods(dates, granularity, "sunday") == starts


@given(ANY_DAY, st.sampled_from(["day", "week", "month"]), st.sampled_from(["monday", "sunday"]))
def test_a_period_starts_on_or_before_its_days(day: date, unit: str, start: str) -> None:
    first = days.period_start(day, unit, start)
    assert first <= day
    assert days.period_start(first, unit, start) == first
    assert day - first < timedelta(days={"day": 1, "week": 7, "month": 31}[unit])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T14:03:00+01:00", datetime(2026, 11, 20, 13, 3, tzinfo=UTC)),
        ("2026-11-20T14:03:00Z", datetime(2026, 11, 20, 14, 3, tzinfo=UTC)),
        ("2026-11-20t14:03:00z", datetime(2026, 11, 20, 14, 3, tzinfo=UTC)),
        ("2026-11-20 14:03:00.5-00:30", datetime(2026, 11, 20, 14, 33, 0, 500000, tzinfo=UTC)),
        # what a Go program writes: the nanoseconds are cut
        ("2026-11-20T14:03:00.123456789Z", datetime(2026, 11, 20, 14, 3, 0, 123456, tzinfo=UTC)),
        ("1969-12-31T23:59:59.999999Z", datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_an_rfc_3339_time_is_read_exactly(text: str, expected: datetime) -> None:
    assert days.from_us(days.parse_instant(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T14:03:00",  # no offset: whose time?
        "2026-11-20",
        "2026-W47-5T14:03:00Z",
        "20261120T140300Z",
        "2026-02-30T00:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T14:03:60Z",
        "0001-01-01T00:00:00+02:00",  # the year 0 in UTC
        "9999-12-31T23:59:59-02:00",
        "2026-11-20T14:03:00+25:00",
        "２０２６-11-20T14:03:00Z",
        "2026-11-20T14:03:00Z\n",
        "",
    ],
)
def test_anything_else_is_not_a_time(text: str) -> None:
    with pytest.raises(ValueError):
        days.parse_instant(text)


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
    st.integers(-23 * 60, 23 * 60),
)
def test_an_instant_survives_text_in_any_offset(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    us = days.parse_instant(moment.isoformat())
    assert us == days.to_us(moment)
    assert days.parse_instant(days.iso(us)) == us


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-11-20T23:30:00Z", "Europe/Berlin", date(2026, 11, 21)),
        ("2026-11-20T22:59:59.999999Z", "Europe/Berlin", date(2026, 11, 20)),
        ("2026-07-20T22:00:00Z", "Europe/Berlin", date(2026, 7, 21)),  # summer time
        ("2026-11-21T04:59:59Z", "America/New_York", date(2026, 11, 20)),
        ("2026-11-20T10:00:00Z", "Pacific/Kiritimati", date(2026, 11, 21)),
    ],
)
def test_a_day_is_the_tenants_own(instant: str, zone: str, day: date) -> None:
    assert days.local_day(days.parse_instant(instant), zone) == day


def test_an_unknown_zone_is_an_error() -> None:
    for name in ("Mars/Olympus", "", "../etc/passwd", "Europe"):
        with pytest.raises(ValueError, match="time zone"):
            days.zone(name)


def test_the_clock_is_what_it_is_set_to(noon: datetime) -> None:
    assert days.now() == noon
    assert days.today("Pacific/Kiritimati") == date(2026, 11, 22)


def test_days_as_few_ranges() -> None:
    found = [date(2026, 11, 3), date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 9)]
    first = days.DateRange(date(2026, 10, 31), date(2026, 11, 1))
    third, ninth = (days.DateRange(date(2026, 11, d), date(2026, 11, d)) for d in (3, 9))
    assert days.ranges(found, 50) == (first, third, ninth)
    assert days.ranges([], 50) == ()
    # too many: the last one reaches to the end, and so says rather too much
    assert days.ranges(found, 2) == (first, days.DateRange(date(2026, 11, 3), date(2026, 11, 9)))
