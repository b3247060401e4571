"""Replies of the interaction family equal what plain loops over rows of daily tables compute.

Every report, grouping, filter, granularity and comparison, for one tenant and several. Fractions
and strings; nothing is shared with the code under test but the names of the measures.
"""

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.calendar_oracle import compared_days
from tests.unit.serve.interactions import Tables, ask
from tests.unit.serve.interactions_oracle import COUNTS, Days, InteractionQuery, Part, Row, reply

SECRET = Key("0" * 64, "secret", "acme", 0)
OPERATOR = Key("1" * 64, "operator", None, 0)
TENANTS = (Tenant("acme", "Acme"), Tenant("globex", "Globex", week_start="sunday"))


# -- rows


VALUES: Mapping[str, Sequence[str | None]] = {
    "media_type": ["voice", "email", "chat"],
    "customer_segment": ["gold", "Ümit, B.", None],
    "service_type": ["=1+1", None],
    "agent": ["ada", "bob", None],
    "currency": ["EUR", "JPY", "BHD", None, None],
}


def interaction(chance: random.Random, day: date, greatest: int) -> Row:
    row: Row = {name: chance.choice(values) for name, values in VALUES.items()}
    row |= {name: chance.choice([0, 1, chance.randint(0, 9)]) for name in COUNTS}
    row |= {name: chance.randint(0, greatest) for name in COUNTS if name.endswith("_us")}
    row |= {"day": day, "entered": chance.randint(1, 5), "satisfaction": chance.randint(0, 90_000)}
    if row["currency"] is None:
        return row | {"revenue": 0, "with_revenue": 0}
    if row["with_revenue"] == 0:
        return row | {"revenue": 0}
    return row | {"revenue": chance.randint(-(greatest**2), greatest**2)}


def session(chance: random.Random, day: date, greatest: int) -> Row:
    active = chance.randint(0, greatest)
    return {
        "day": day,
        "agent": chance.choice(["ada", "bob", "eve"]),
        "media_type": chance.choice(["voice", "chat"]),
        "sessions": chance.randint(1, 3),
        "active_us": active,
        "engaged_us": chance.randint(0, active),
    }


def invent(seed: int, size: int, first: date, last: date) -> Tables:
    chance = random.Random(seed)
    span = (last - first).days
    greatest = chance.choice([100, 10**9, 2**55])

    def day() -> date:
        return first + timedelta(days=chance.randint(0, span))

    return {
        "interactions": [interaction(chance, day(), greatest) for _ in range(size)],
        "sessions": [session(chance, day(), greatest) for _ in range(size // 3)],
    }


# -- what is asked


DEFAULTS = {
    "customer-perspective": ("tenant", "media_type", "period", "customer_segment", "service_type"),
    "agent-activity": ("agent", "media_type"),
    "revenue": ("period", "currency"),
}
DIMENSIONS = ("period", "tenant", "media_type", "customer_segment", "service_type", "agent")
reports = st.sampled_from(sorted(DEFAULTS))
groupings = st.none() | st.lists(
    st.sampled_from([*DIMENSIONS, "currency"]), unique=True, min_size=1, max_size=4
)
granularities = st.none() | st.sampled_from(days.GRANULARITIES)
comparisons = st.sampled_from(["previous_period", "previous_year", None])
ranges = st.tuples(
    st.dates(date(2026, 1, 1), date(2026, 12, 1)), st.sampled_from([90, 27, 6, 0, 400])
)


def question(
    report: str, by: list[str] | None, granularity: str | None, **given_flags: Any
) -> tuple[InteractionQuery, str]:
    """What the oracle is asked, and the query that asks the same."""
    if by is not None:
        by = [name for name in by if name != "currency" or report == "revenue"] or ["agent"]
    names = list(DEFAULTS[report] if by is None else by)
    if granularity == "total" and by is not None and "period" in by:
        granularity = "week"
    query = "" if by is None else f"&group_by={','.join(by)}"
    query += f"&granularity={granularity}" if granularity else ""
    asked = granularity or ("day" if "period" in names else "total")
    if asked == "total":
        names = [name for name in names if name != "period"]
    elif "period" not in names:
        names = ["period", *names]
    for name, value in given_flags.items():
        if value and name != "narrow":
            query += f"&{name}={'true' if value is True else value}"
    return InteractionQuery(report, tuple(names), asked, **given_flags), query


def rows_of(told: Any) -> tuple[list[Any], list[Any]]:
    """(rows, totals); every row has every column, in order."""
    columns = [column["name"] for column in told["columns"]]
    assert all(list(row) == columns for row in (*told["rows"], *told["totals"]))
    return told["rows"], told["totals"]


SEGMENTS = {"": None, "gold": {"gold"}, "!gold": {"Ümit, B.", None}, "(none)": {None}}


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from([120, 30, 3, 0]),
    report=reports,
    by=groupings,
    granularity=granularities,
    start_and_length=ranges,
    compare=comparisons,
    segment=st.sampled_from(list(SEGMENTS)),
    subtotals=st.booleans(),
    fill=st.booleans(),
    week_start=st.sampled_from(list(days.WEEK_STARTS)),
)
def test_replies_are_those_of_the_single_rows(
    seed: int,
    size: int,
    report: str,
    by: list[str] | None,
    granularity: str | None,
    start_and_length: tuple[date, int],
    compare: str | None,
    segment: str,
    subtotals: bool,
    fill: bool,
    week_start: str,
) -> None:
    start, length = start_and_length
    fill = fill and length < 30
    dates = start, start + timedelta(days=length)
    tables = invent(seed, size, start - timedelta(days=100), dates[1] + timedelta(days=20))
    asked, query = question(
        report,
        by,
        granularity,
        subtotals=subtotals,
        fill=fill,
        compare=compare,
        narrow=bool(segment),
    )
    query = f"start_date={dates[0]}&end_date={dates[1]}&limit=10000{query}"
    query += f"&customer_segment={segment}" if segment else ""
    tenant = Tenant("acme", "Acme", week_start=week_start)
    told = json.loads(ask(report, query, [(tenant, tables)], SECRET).body)
    kept = SEGMENTS[segment]
    left = [
        row for row in tables["interactions"] if kept is None or row["customer_segment"] in kept
    ]
    part = Part({**tables, "interactions": left}, dates, compare, tenant)
    assert rows_of(told) == reply(asked, [part])
    warned = "sessions_not_told_apart" in [w["code"] for w in told["meta"]["warnings"]]
    assert warned == (report == "agent-activity" and not asked.with_sessions)


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.tuples(st.integers(0, 2**32), st.integers(0, 2**32)),
    report=reports,
    by=groupings,
    granularity=granularities,
    compare=comparisons,
    subtotals=st.booleans(),
    fill=st.booleans(),
)
def test_an_operator_s_tenants_are_added_up_in_each_currency(
    seeds: tuple[int, int],
    report: str,
    by: list[str] | None,
    granularity: str | None,
    compare: str | None,
    subtotals: bool,
    fill: bool,
) -> None:
    dates = date(2026, 2, 20), date(2026, 3, 9)
    found = [invent(seed, 40, date(2026, 1, 20), dates[1]) for seed in seeds]
    asked, query = question(
        report, by, granularity, subtotals=subtotals, fill=fill, compare=compare
    )
    query = f"tenant=acme,globex&start_date={dates[0]}&end_date={dates[1]}&limit=10000{query}"
    whose = list(zip(TENANTS, found, strict=True))
    told = json.loads(ask(report, query, whose, OPERATOR).body)
    parts = [Part(tables, dates, compare, tenant) for tenant, tables in whose]
    assert rows_of(told) == reply(asked, parts)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    report=reports,
    by=groupings,
    compare=comparisons,
    subtotals=st.booleans(),
)
def test_csv_has_the_same_figures_with_a_column_for_each_currency(
    seed: int, report: str, by: list[str] | None, compare: str | None, subtotals: bool
) -> None:
    dates = date(2026, 3, 1), date(2026, 3, 28)
    tables = invent(seed, 40, date(2026, 2, 1), dates[1])
    asked, query = question(report, by, None, subtotals=subtotals, compare=compare)
    query = f"start_date={dates[0]}&end_date={dates[1]}{query}"
    told = json.loads(ask(report, f"{query}&limit=10000", [(TENANTS[0], tables)], SECRET).body)
    text = ask(report, f"{query}&format=csv", [(TENANTS[0], tables)], SECRET).body
    lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    money_columns = [c["name"] for c in told["columns"] if c.get("unit") == "money"]
    flat = "currency" in asked.names and not subtotals
    codes = sorted({row["currency"] for row in kept_rows(asked, tables, dates, compare)})
    expected = []
    for row in told["rows"]:
        cells: Row = {}
        for name, value in row.items():
            if name not in money_columns or flat:
                cells[name] = value
                continue
            for code in codes:
                single = value if row.get("currency") == code else None
                amounts = value if isinstance(value, dict) else {code: single}
                cells[f"{name}_{code}"] = amounts.get(code)
        expected.append(cells)
    assert [list(line) for line in lines] == [list(row) for row in expected]
    for line_, row in zip(lines, expected, strict=True):
        for name, value in row.items():
            if value is None:
                assert line_[name] == ""
            elif isinstance(value, bool):
                assert line_[name] == str(value).lower()
            elif isinstance(value, str):
                plain = name in asked.names
                assert (line_[name].removeprefix("'") if plain else line_[name]) == value
            else:
                assert float(line_[name]) == value


def kept_rows(
    asked: InteractionQuery, tables: Tables, dates: Days, compare: str | None
) -> list[Any]:
    """The rows with money of the days asked for and of those compared with."""
    spans = [dates, *([compared_days(compare, None, dates, "monday")] if compare else [])]
    return [
        row
        for row in tables["interactions"]
        if row["currency"] and any(first <= row["day"] <= last for first, last in spans)
    ]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), which=st.integers(0), descending=st.booleans(), report=reports)
def test_every_column_orders_the_rows(seed: int, which: int, descending: bool, report: str) -> None:
    tables = invent(seed, 40, date(2026, 2, 1), date(2026, 3, 28))
    by = "currency,agent" if report == "revenue" else "agent,media_type"
    query = f"start_date=2026-03-01&end_date=2026-03-28&group_by={by}&granularity=total"
    query += "&compare=previous_period&subtotals=true"
    plain = json.loads(ask(report, query, [(TENANTS[0], tables)], SECRET).body)
    column = plain["columns"][which % len(plain["columns"])]
    order = f"&order_by={'-' if descending else ''}{column['name']}"
    if column.get("unit") == "money" and report != "revenue":
        return  # refused: tests/unit/serve/test_interactions.py
    ordered = json.loads(ask(report, query + order, [(TENANTS[0], tables)], SECRET).body)["rows"]

    def value(row: Row) -> Any:
        found = row[column["name"]]
        if isinstance(found, dict):
            return None
        if column.get("unit") == "money":
            return None if found is None else Decimal(found)
        if column.get("unit") == "time":
            return None if found is None else [int(part) for part in found.split(":")]
        return found

    has_value = sorted(
        (row for row in plain["rows"] if value(row) is not None), key=value, reverse=descending
    )
    assert ordered == has_value + [row for row in plain["rows"] if value(row) is None]
