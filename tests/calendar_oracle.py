"""The calendar of the reports in plain Python: presets, comparisons, and the periods of days.

Like tests/oracle.py nothing here is shared with the code under test: docs/metrics.md's definitions,
by looking at every day of the calendar.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

Days = tuple[date, date]


@dataclass(frozen=True)
class Calendar:
    """The days that one tenant is asked for, and what they are compared with."""

    now: Days
    compare: str | None = None
    preset: str | None = None
    week_start: str = "monday"

    @property
    def before(self) -> Days | None:
        if self.compare is None:
            return None
        return compared_days(self.compare, self.preset, self.now, self.week_start)

    def shown_on(self, day: date) -> date:
        """Of a day that is compared with: the one asked for beside which it stands."""
        words = (self.preset or "rolling").split("_")
        unit = words[0] if words[-1] == "date" else words[-1]
        months = {"month": 1, "quarter": 3, "year": 12}.get(unit, 0)
        if unit == "months":
            months = int(words[1])
        if self.compare == "previous_year":
            shown = _months_later(day, 12)
        elif months:
            shown = _months_later(day, months)
        elif unit == "week":
            shown = day + timedelta(days=7)
        else:
            shown = day + timedelta(days=len(every_day(self.now)))
        return sorted([self.now[0], shown, self.now[1]])[1]

    def is_partial(self, period: str, granularity: str) -> bool:
        """Are days of the period not asked for, or compared with another number of days?"""
        first = date.fromisoformat(period)
        near = every_day((first, first + timedelta(days=40)))
        whole = sum(first_day(day, granularity, self.week_start) == period for day in near)
        told, before = _lengths(self, granularity).get(period, (0, 0))
        return told > 0 and not whole == told == before

    def is_uneven(self, period: str, granularity: str) -> bool:
        """Do other numbers of days stand beside each other in the period?"""
        told, before = _lengths(self, granularity).get(period, (0, 0))
        return told != before


@cache
def _lengths(calendar: Calendar, granularity: str) -> Mapping[str, tuple[int, int]]:
    """Of each period how many of its days are asked for, and how many these stand beside."""
    found: dict[str, tuple[int, int]] = {}
    for day in every_day(calendar.now):
        period = first_day(day, granularity, calendar.week_start)
        told, before = found.get(period, (0, 0))
        found[period] = told + 1, before + (calendar.before is None)
    for day in every_day(calendar.before) if calendar.before else ():
        period = first_day(calendar.shown_on(day), granularity, calendar.week_start)
        told, before = found[period]
        found[period] = told, before + 1
    return found


def every_day(days: Days) -> list[date]:
    return [days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days + 1)]


def _months_later(day: date, months: int) -> date:
    """The same date, or the last before it that the month has."""
    after = day.year * 12 + day.month - 1 + months
    number = day.day
    while True:
        try:
            return date(after // 12, after % 12 + 1, number)
        except ValueError:
            number -= 1


def first_day(day: date, granularity: str, week_start: str) -> str:
    if granularity == "week":
        while day.strftime("%A").lower() != week_start:
            day -= timedelta(days=1)
    return (day.replace(day=1) if granularity == "month" else day).isoformat()


# -- presets and comparisons, by looking at every day of the calendar


def preset_days(preset: str, today: date, week_start: str) -> Days:
    words = preset.split("_")
    if preset in ("today", "yesterday"):
        day = today - timedelta(days=preset == "yesterday")
        return day, day
    if words[0] == "this":
        return _around(today, words[1], week_start)
    if words[-2:] == ["to", "date"]:
        if words[0] == "last":
            return today - timedelta(days=int(words[1]) - 1), today
        return _around(today, words[0], week_start)[0], today
    if words[-1] == "days":
        return today - timedelta(days=int(words[1])), today - timedelta(days=1)
    if words[-1] == "months":
        return _months_before(today, int(words[1]))
    return _before(today, words[1], week_start)


def compared_days(compare: str, preset: str | None, days: Days, week_start: str) -> Days:
    first, last = days
    if compare == "previous_year":
        return _year_earlier(first), _year_earlier(last)
    words = (preset or "rolling").split("_")
    if words[-1] == "months":
        return _months_before(first, int(words[1]))
    unit = words[0] if words[-1] == "date" else words[-1]
    length = last - first
    if unit not in ("week", "month", "quarter", "year"):
        return first - length - timedelta(days=1), first - timedelta(days=1)
    start, end = _before(first, unit, week_start)
    return start, min(start + length, end) if words[-1] == "date" else end


def _year_earlier(day: date) -> date:
    last = 28 if (day.month, day.day) == (2, 29) else day.day
    return date(day.year - 1, day.month, last)


def _unit(day: date, unit: str, week_start: str) -> Any:
    if unit == "week":
        return first_day(day, "week", week_start)
    return {"month": (day.year, day.month), "quarter": (day.year, (day.month + 2) // 3)}.get(
        unit, day.year
    )


@cache
def _around(day: date, unit: str, week_start: str) -> Days:
    near = (day + timedelta(days=n) for n in range(-366, 367))
    same = [d for d in near if _unit(d, unit, week_start) == _unit(day, unit, week_start)]
    return same[0], same[-1]


def _before(day: date, unit: str, week_start: str) -> Days:
    return _around(_around(day, unit, week_start)[0] - timedelta(days=1), unit, week_start)


def _months_before(day: date, months: int) -> Days:
    first = last = _before(day, "month", "monday")
    for _ in range(months - 1):
        first = _before(first[0], "month", "monday")
    return first[0], last[1]
