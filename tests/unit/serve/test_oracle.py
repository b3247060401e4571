"""Replies equal those of tests/oracle.py, which computes them from single answers.

Every report, grouping, filter, preset, granularity and comparison, for one tenant and several.
"""

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.reports.registry import REPORTS
from pulse.serve.answer import answer
from pulse.serve.plan import plan_of
from pulse.serve.query import parse
from pulse.serve.years import YearRows
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests import oracle
from tests.calendar_oracle import Calendar, Days, preset_days
from tests.oracle import Part, ReportQuery
from tests.unit.serve.events import AGENTS, SCALES, Answer, as_years, built, pairs

FIRST, LAST = date(2025, 6, 1), date(2027, 3, 31)
SECRET = Key("0" * 64, "secret", "acme", 0)
OPERATOR = Key("1" * 64, "operator", None, 0)
ACME = Tenant("acme", "Acme")


def read(found: Sequence[Answer]) -> list[YearRows]:
    return as_years(found)


def ask(report: str, query: str, found: Sequence[tuple[Tenant, Sequence[Answer]]], key: Key) -> Any:
    """The reply's text; JSON unless the query says otherwise."""
    entry = REPORTS[report]
    parsed = parse(pairs(query), entry, across_tenants=key.kind == "operator")
    tenants = [built(tenant, some) for tenant, some in found]
    objects = {tenant.id: read(some) for tenant, some in found}
    return answer(plan_of(entry, parsed, tenants, key), objects, query).body


def rows_of(reply: Any) -> tuple[list[Any], list[Any]]:
    """(rows, totals) by what they hold; every row has every column, in order."""
    columns = [column["name"] for column in reply["columns"]]
    assert all(list(row) == columns for row in (*reply["rows"], *reply["totals"]))
    return reply["rows"], reply["totals"]


# -- what is asked

COUNTRIES: dict[str, Callable[[str | None], bool]] = {
    "": lambda country: True,
    "DE": lambda country: country == "DE",
    "!DE": lambda country: country != "DE",
    "(none)": lambda country: country is None,
    "!(none),FR": lambda country: country not in (None, "FR"),
}
DIMENSIONS = ("survey", "channel", "agent", "country", "browser", "os")
reports = st.sampled_from(sorted(oracle.COLUMNS))
granularities = st.sampled_from(days.GRANULARITIES)
comparisons = st.sampled_from(["previous_period", "previous_year", None])
# hypothesis likes what comes first, so that is what has the most in it
starts = st.integers(-270, 300).map(lambda days: date(2026, 4, 1) + timedelta(days=days))
ranges = st.tuples(starts, st.sampled_from([180, 90, 27, 6, 0, 400]))
presets = st.sampled_from([preset for preset in days.PRESETS if preset != "all_time"])
week_starts = st.sampled_from(["monday", "sunday"])
groupings = st.none() | st.lists(
    st.sampled_from(DIMENSIONS), unique=True, min_size=1, max_size=3
).map(tuple)


def crowds(first: date, last: date) -> st.SearchStrategy[list[Answer]]:
    """Many random answers on a few scales; quicker to draw than one by one."""

    def invent(seed: int, size: int, scales: list[tuple[str, str]]) -> list[Answer]:
        chance = random.Random(seed)
        return [one(chance, *chance.choice(scales)) for _ in range(size)]

    def one(chance: random.Random, metric: str, scale: str) -> Answer:
        low, high = (int(end) for end in scale.split(":")[0].split("-"))
        passed = chance.random()  # of the days; the later, the better: some changes show
        return Answer(
            day=first + timedelta(days=round(passed * (last - first).days)),
            score=round(low + (high - low) * (passed + chance.random()) / 2),
            metric=metric,
            scale=scale,
            survey=chance.choice(["s1", "s2"]),
            channel=chance.choice(["ticket", "chat", "external"]),
            agent=chance.choice(AGENTS),
            country=chance.choice([None, "DE", "DE", "DE", "FR"]),
            browser=chance.choice([None, "Firefox"]),
        )

    few = st.lists(st.sampled_from(SCALES), min_size=1, max_size=3, unique=True)
    return st.builds(invent, st.integers(0, 2**32), st.sampled_from([300, 50, 5, 0]), few)


def asked(
    report: str, by: tuple[str, ...] | None, granularity: str | None, **flags: bool
) -> tuple[ReportQuery, str]:
    """What the oracle is asked, and the query that asks the same."""
    query = "" if granularity is None else f"&granularity={granularity}"
    if by is not None:
        query += f"&group_by={','.join(by)}"
    query += "".join(f"&{name}=true" for name, is_set in flags.items() if is_set)
    grouped = oracle.GROUPED_BY.get(report, ()) if by is None else by
    if report == "rates" and "score_value" not in grouped:
        grouped = (*grouped, "score_value")
    natural = "day" if report == "daily" else "total"
    return ReportQuery(report, grouped, granularity or natural, **flags), query


def named(days_asked: Days) -> str:
    return f"start_date={days_asked[0]}&end_date={days_asked[1]}"


# -- one tenant


@settings(max_examples=120, deadline=None)
@given(
    found=crowds(FIRST, LAST),
    report=reports,
    by=groupings,
    granularity=st.none() | granularities,
    start_and_length=ranges,
    compare=comparisons,
    week_start=week_starts,
    countries=st.sampled_from(list(COUNTRIES)),
    subtotals=st.booleans(),
)
def test_replies_are_those_of_the_single_answers(
    found: list[Answer],
    report: str,
    by: tuple[str, ...] | None,
    granularity: str | None,
    start_and_length: tuple[date, int],
    compare: str | None,
    week_start: str,
    countries: str,
    subtotals: bool,
) -> None:
    start, length = start_and_length
    dates = start, start + timedelta(days=length)
    question, query = asked(report, by, granularity, subtotals=subtotals)
    query = named(dates) + query + (f"&country={countries}" if countries else "")
    query += f"&compare={compare}" if compare else ""
    kept = [answer for answer in found if COUNTRIES[countries](answer.country)]
    tenant = replace(ACME, week_start=week_start)
    reply = json.loads(ask(report, query, [(tenant, found)], SECRET))
    part = Part(kept, Calendar(dates, compare, week_start=week_start))
    rows, totals = oracle.reply(question, [part])
    assert rows_of(reply) == (rows, totals)
    if "breakdown" in reply:
        assert reply["breakdown"] == oracle.breakdown(question, [part])


@settings(max_examples=60, deadline=None)
@given(
    found=crowds(date(2026, 10, 1), date(2026, 12, 31)),
    report=reports,
    by=groupings,
    granularity=granularities,
    compare=comparisons,
    subtotals=st.booleans(),
    length=st.integers(0, 40),
)
def test_filled_replies_have_every_period(
    found: list[Answer],
    report: str,
    by: tuple[str, ...] | None,
    granularity: str,
    compare: str | None,
    subtotals: bool,
    length: int,
) -> None:
    by = by[:1] if by else by
    dates = date(2026, 11, 5), date(2026, 11, 5) + timedelta(days=length)
    question, query = asked(report, by, granularity, subtotals=subtotals, fill=True)
    query = named(dates) + query + (f"&compare={compare}" if compare else "") + "&limit=10000"
    reply = json.loads(ask(report, query, [(ACME, found)], SECRET))
    assert rows_of(reply) == oracle.reply(question, [Part(found, Calendar(dates, compare))])


@settings(max_examples=90, deadline=None)
@given(
    found=crowds(date(2023, 1, 1), date(2025, 3, 31)),
    preset=presets,
    today=st.dates(date(2024, 1, 1), date(2025, 3, 31)),  # a leap year's end of February, and more
    compare=comparisons,
    granularity=st.sampled_from(["total", "week", "month"]),
    week_start=week_starts,
)
def test_presets_mean_the_days_that_the_calendar_shows(
    found: list[Answer],
    preset: str,
    today: date,
    compare: str | None,
    granularity: str,
    week_start: str,
) -> None:
    tenant = replace(ACME, timezone="Pacific/Auckland", week_start=week_start)
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=ZoneInfo(tenant.timezone))
    question, query = asked("geo", None, granularity)
    query = f"preset={preset}{query}" + (f"&compare={compare}" if compare else "")
    with days.clock(lambda: noon.astimezone(UTC)):
        reply = json.loads(ask("geo", query, [(tenant, found)], SECRET))
    dates = preset_days(preset, today, week_start)
    calendar = Calendar(dates, compare, preset, week_start)
    shown = reply["meta"]["date_range"]
    assert (shown["start_date"], shown["end_date"]) == tuple(map(str, dates))
    if calendar.before:
        compared = reply["meta"]["compare"]
        assert (compared["start_date"], compared["end_date"]) == tuple(map(str, calendar.before))
    assert rows_of(reply) == oracle.reply(question, [Part(found, calendar)])


# -- several tenants

TENANTS = (
    ACME,
    Tenant("globex", "Globex", timezone="Pacific/Kiritimati", week_start="sunday"),
    Tenant("wonka", "Wonka", timezone="America/Los_Angeles"),
)
NOW = datetime(2026, 11, 1, 11, 30, tzinfo=UTC)  # three zones, three days: 31 Oct to 2 Nov


@settings(max_examples=60, deadline=None)
@given(
    found=st.lists(crowds(date(2026, 9, 1), date(2026, 11, 30)), min_size=3, max_size=3),
    how_many=st.integers(1, 3),
    report=reports,
    by=st.lists(st.sampled_from(["tenant", "channel", "country"]), unique=True, min_size=1),
    granularity=granularities,
    preset=presets,
    compare=comparisons,
    fill=st.booleans(),
)
def test_an_operator_s_tenants_each_have_their_own_days(
    found: list[list[Answer]],
    how_many: int,
    report: str,
    by: list[str],
    granularity: str,
    preset: str,
    compare: str | None,
    fill: bool,
) -> None:
    fill = fill and "year" not in preset and "12" not in preset  # those are many rows
    question, query = asked(report, tuple(by), granularity, fill=fill)
    tenants = TENANTS[:how_many]
    query = f"tenant={','.join(tenant.id for tenant in tenants)}&preset={preset}{query}"
    query += f"&compare={compare}&limit=10000" if compare else "&limit=10000"
    parts = []
    for tenant, some in zip(tenants, found, strict=False):
        today = NOW.astimezone(ZoneInfo(tenant.timezone)).date()
        dates = preset_days(preset, today, tenant.week_start)
        parts.append(Part(some, Calendar(dates, compare, preset, tenant.week_start), tenant.id))
    with days.clock(lambda: NOW):
        reply = json.loads(ask(report, query, list(zip(tenants, found, strict=False)), OPERATOR))
    shown = {entry["tenant"]: entry for entry in reply["meta"]["date_range"]["tenants"]}
    assert {part.tenant: str(part.calendar.now[0]) for part in parts} == {
        tenant: entry["start_date"] for tenant, entry in shown.items()
    }
    assert rows_of(reply) == oracle.reply(question, parts)


# -- forms and order


@settings(max_examples=50, deadline=None)
@given(found=crowds(FIRST, LAST), by=groupings, compare=comparisons)
def test_csv_has_the_same_rows_as_json(
    found: list[Answer], by: tuple[str, ...] | None, compare: str | None
) -> None:
    _, query = asked("source", by, None, subtotals=True)
    query = named((FIRST, LAST)) + query + (f"&compare={compare}" if compare else "")
    rows = json.loads(ask("source", query, [(ACME, found)], SECRET))["rows"]
    text = ask("source", f"{query}&format=csv", [(ACME, found)], SECRET)
    lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert list(line) == list(row)
        for name, value in row.items():
            if value is None:
                assert line[name] == ""
            elif isinstance(value, bool):
                assert line[name] == str(value).lower()
            elif isinstance(value, str):
                assert line[name].removeprefix("'") == value
            else:
                assert float(line[name]) == value


@settings(max_examples=25, deadline=None)
@given(found=crowds(FIRST, LAST), column=st.integers(0), descending=st.booleans())
def test_every_column_orders_the_rows(found: list[Answer], column: int, descending: bool) -> None:
    query = f"{named((FIRST, LAST))}&compare=previous_year&subtotals=true&granularity=month"
    plain = json.loads(ask("geo", query, [(ACME, found)], SECRET))
    names = [column["name"] for column in plain["columns"]]
    name = names[column % len(names)]
    order = f"&order_by={'-' if descending else ''}{name}"
    ordered = json.loads(ask("geo", query + order, [(ACME, found)], SECRET))["rows"]
    given_rows = [row for row in plain["rows"] if row[name] is not None]
    given_rows.sort(key=lambda row: row[name], reverse=descending)
    assert ordered == given_rows + [row for row in plain["rows"] if row[name] is None]
