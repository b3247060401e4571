"""Whole replies of the interaction family against plain loops over the rows of the daily tables.

Every report, grouping, filter, granularity and comparison, for one tenant and several. Fractions
and strings; nothing is shared with the code under test but the names of the measures.
"""

import csv
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days, lake
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.calendar_oracle import Calendar, compared_days, every_day, first_day
from tests.oracle import rounded, share
from tests.unit.serve.interactions import Tables, ask

SECRET = Key("0" * 64, "secret", "acme", 0)
OPERATOR = Key("1" * 64, "operator", None, 0)
TENANTS = (Tenant("acme", "Acme"), Tenant("globex", "Globex", week_start="sunday"))

Row = dict[str, Any]
AnyRow = Mapping[str, Any]
Label = tuple[Any, ...]
Pairs = Sequence[tuple[Label, AnyRow]]
Days = tuple[date, date]
ANY = object()
"""In a row's label: over all values."""

# -- rows

VALUES: Mapping[str, Sequence[str | None]] = {
    "media_type": ["voice", "email", "chat"],
    "customer_segment": ["gold", "Ümit, B.", None],
    "service_type": ["=1+1", None],
    "agent": ["ada", "bob", None],
    "currency": ["EUR", "JPY", "BHD", None, None],
}
COUNTS = [name for name, kind in lake.DAILY_INTERACTIONS.items() if kind == "bigint"]


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


# -- what the reports must say


@dataclass(frozen=True)
class Asked:
    report: str
    names: tuple[str, ...]
    granularity: str
    fill: bool = False
    subtotals: bool = False
    compare: str | None = None
    narrow: bool = False
    """True where it filters by the customer's segment too."""

    @property
    def with_sessions(self) -> bool:
        told = {"agent", "media_type", "period", "tenant"}
        return self.report == "agent-activity" and set(self.names) <= told and not self.narrow


@dataclass(frozen=True)
class Part:
    """One tenant's rows that pass the filters, and the days that are asked for."""

    tables: Tables
    now: Days
    compare: str | None
    tenant: Tenant

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.now, self.compare, week_start=self.tenant.week_start)


def counted_before(asked: Asked, part: Part) -> Pairs:
    """Each row of the days compared with, under the day beside which its own stands."""
    before = part.calendar.before
    return counted(asked, part, before, part.calendar.shown_on) if before else []


def counted(
    asked: Asked, part: Part, span: Days, shown_on: Callable[[date], date] = lambda day: day
) -> Pairs:
    """Each row of the days with its label."""
    found: list[tuple[Label, AnyRow]] = []
    for table, rows in part.tables.items():
        if table == "sessions" and not asked.with_sessions:
            continue
        for row in rows:
            if not span[0] <= row["day"] <= span[1]:
                continue
            if asked.report == "revenue" and row["currency"] is None:
                continue
            values = {**row, "tenant": part.tenant.id}
            if "period" in asked.names:
                values["period"] = period(asked, part, shown_on(row["day"]))
            found.append((tuple(values[name] for name in asked.names), row))
    return found


def period(asked: Asked, part: Part, day: date) -> str:
    return first_day(day, asked.granularity, part.tenant.week_start)


def periods(asked: Asked, part: Part) -> list[str]:
    return sorted({period(asked, part, day) for day in every_day(part.now)})


def reply(asked: Asked, parts: Sequence[Part]) -> tuple[list[Row], list[Row]]:
    """(rows, totals) in the default order."""
    now = [pair for part in parts for pair in counted(asked, part, part.now)]
    before = [pair for part in parts for pair in counted_before(asked, part)]
    labels: set[Label] = set()
    at = asked.names.index("period") if "period" in asked.names else None
    for part in parts:
        own = {label for label, _ in counted(asked, part, part.now)}
        own |= {label for label, _ in counted_before(asked, part)}
        if asked.fill and asked.names == ("period",):
            own = own or {(None,)}  # the one group that there is needs nothing to be told
        if at is not None and asked.fill:
            every = periods(asked, part)
            own = {(*x[:at], one, *x[at + 1 :]) for x in own for one in every}
        labels |= own
    if asked.subtotals:
        for told in range(len(asked.names)):
            rest = (ANY,) * (len(asked.names) - told)
            labels |= {(*label[:told], *rest) for label in labels}
    ordered = sorted(labels, key=rank)
    rows = [line(asked, label, now, before, parts) for label in ordered]
    everything = (ANY,) * len(asked.names)
    return rows, [line(asked, everything, now, before, parts)] if now or before else []


def rank(label: Label) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in label if value is not ANY]


def belonging(asked: Asked, label: Label, pairs: Pairs, *names: str) -> list[AnyRow]:
    """The rows under a label; where names are given, those that agree with it in these."""
    return [
        row
        for other, row in pairs
        if all(
            wanted is ANY or wanted == value or (names and name not in names)
            for name, wanted, value in zip(asked.names, label, other, strict=True)
        )
    ]


def line(asked: Asked, label: Label, now: Pairs, before: Pairs, parts: Sequence[Part]) -> Row:
    group = dict(zip(asked.names, label, strict=True))
    row: Row = {name: None if value is ANY else value for name, value in group.items()}
    if asked.subtotals:
        row["level"] = sum(value is not ANY for value in label)
    currency = group.get("currency", ANY)
    shown = figures(asked, belonging(asked, label, now), currency)
    last: Row = {"partial": is_partial(asked, row, parts)} if "period" in asked.names else {}
    if asked.compare is None:
        return row | shown | last
    earlier = figures(asked, belonging(asked, label, before), currency)
    something = belonging(asked, label, before, "period")
    for name, value in shown.items():
        row |= {name: value, f"{name}_previous": earlier[name]}
        if not name.endswith("_fmt"):
            changed = change(name, value, earlier[name])
            row[f"{name}_change"] = changed if something else None
    return row | last


def is_partial(asked: Asked, row: Row, parts: Sequence[Part]) -> bool | None:
    if row["period"] is None:
        return None
    told = [part.calendar for part in parts if row.get("tenant") in (None, part.tenant.id)]
    return any(calendar.is_partial(row["period"], asked.granularity) for calendar in told)


def change(name: str, now: Any, before: Any) -> Any:
    if isinstance(now, dict) or isinstance(before, dict):
        both = (now or {}, before or {})
        codes = (
            set.union(*map(set, both)) if name == "revenue" else set.intersection(*map(set, both))
        )
        sides = {c: [Fraction(side.get(c, "0")) for side in both] for c in sorted(codes)}
        return {c: amount(a - b) for c, (a, b) in sides.items()} or None
    if now is None or before is None:
        return None
    if isinstance(now, str):
        return amount(Fraction(now) - Fraction(before))
    return float(Decimal(str(now)) - Decimal(str(before)))


# -- figures


def figures(asked: Asked, rows: Sequence[AnyRow], currency: Any) -> Row:
    sums = {
        name: sum(row.get(name, 0) for row in rows)
        for name in (*COUNTS, "satisfaction", "active_us", "engaged_us")
    }
    if asked.report == "customer-perspective":
        return perspective(sums) | {"avg_revenue": money(rows, currency)[1]}
    if asked.report == "agent-activity":
        return activity(sums, asked.with_sessions)
    revenue, average = money(rows, currency)
    return {
        "interactions_with_revenue": sums["with_revenue"],
        "revenue": revenue,
        "avg_revenue": average,
    }


def perspective(sums: Mapping[str, int]) -> Row:
    s = sums
    first = ("entered", "offered", "accepted", "responded", "finished", "abandoned", "replies")
    return {
        **{name: s[name] for name in first},
        "response_ratio": mean(s["replies"], s["accepted"]),
        **level("accept", "accept_service_level_pct", s),
        **level("first_response", "first_response_service_level_pct", s),
        **level("finish", "finished_service_level_pct", s),
        "accept_timed": s["accept_timed"],
        **time("avg_accept_time", s["accept_us"], s["accept_timed"]),
        "first_response_timed": s["first_response_timed"],
        **time("avg_first_response_time", s["first_response_us"], s["first_response_timed"]),
        "finished_responded": s["finished_responded"],
        "finish_timed": s["finish_timed"],
        **time("avg_finish_response_time", s["finish_us"], s["finish_timed"]),
        "with_satisfaction": s["with_satisfaction"],
        "avg_satisfaction": mean(Fraction(s["satisfaction"], 10_000), s["with_satisfaction"]),
        "interactions_with_revenue": s["with_revenue"],
    }


def activity(sums: Mapping[str, int], with_sessions: bool) -> Row:
    s = sums
    times = {
        **time("active_seconds", s["active_us"], 1),
        **time("engaged_seconds", s["engaged_us"], 1),
        "engaged_pct": share(s["engaged_us"], s["active_us"]),
    }
    return {
        "handled": s["handled"],
        "handle_timed": s["handle_timed"],
        **time("avg_handle_time", s["handle_us"], s["handle_timed"]),
        **(times if with_sessions else dict.fromkeys(times)),
        "with_satisfaction": s["with_satisfaction"],
        "avg_satisfaction": mean(Fraction(s["satisfaction"], 10_000), s["with_satisfaction"]),
    }


def level(name: str, percentage: str, sums: Mapping[str, int]) -> Row:
    due, met = sums[f"{name}_due"], sums[f"{name}_met"]
    return {f"{name}_due": due, f"{name}_met": met, percentage: share(met, due)}


def mean(total: int | Fraction, n: int) -> float | None:
    return rounded(Fraction(total) / n) if n else None


def time(name: str, us: int, n: int) -> Row:
    if n == 0:
        return {name: None, f"{name}_fmt": None}
    exact = Fraction(us, n * 1_000_000)
    whole = round(exact)  # Fraction rounds half to even
    clock = f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
    return {name: rounded(exact), f"{name}_fmt": clock}


def amount(value: Fraction) -> str:
    """Four decimals, half to even."""
    units = round(value * 10_000)
    return f"{'-' if units < 0 else ''}{abs(units) // 10_000}.{abs(units) % 10_000:04}"


def money(rows: Sequence[AnyRow], currency: Any) -> tuple[Any, Any]:
    """(revenue, avg_revenue): texts in a row of one currency, else maps."""
    totals: dict[str, list[Fraction]] = {}
    for row in rows:
        if row.get("currency") is not None:
            sums = totals.setdefault(row["currency"], [Fraction(0), Fraction(0)])
            sums[0] += Fraction(row["revenue"], 10_000)
            sums[1] += row["with_revenue"]
    if currency is not ANY:
        total, n = totals.get(currency, [Fraction(0), Fraction(0)])
        return amount(total), amount(total / n) if n else None
    ordered = sorted(totals.items())
    revenue = {code: amount(total) for code, (total, _) in ordered}
    return revenue or None, {c: amount(total / n) for c, (total, n) in ordered if n} or None


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
) -> tuple[Asked, str]:
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
    return Asked(report, tuple(names), asked, **given_flags), query


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


def kept_rows(asked: Asked, tables: Tables, dates: Days, compare: str | None) -> list[Any]:
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
