"""Computes replies of the interaction family by plain loops over rows of the daily tables.

Fractions and strings; nothing is shared with the code under test but the names of the measures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pulse import lake
from pulse.tenants.tenant import Tenant
from tests.calendar_oracle import Calendar, every_day, first_day
from tests.oracle import rounded, share
from tests.unit.serve.interactions import Tables

Row = dict[str, Any]
AnyRow = Mapping[str, Any]
Label = tuple[Any, ...]
Pairs = Sequence[tuple[Label, AnyRow]]
Days = tuple[date, date]
ANY = object()
"""In a row's label: over all values."""


COUNTS = [name for name, kind in lake.DAILY_INTERACTIONS.items() if kind == "bigint"]


# -- what the reports must say


@dataclass(frozen=True)
class InteractionQuery:
    """A query of a report on interactions; `names` are the dimensions of its rows."""

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


def counted_before(asked: InteractionQuery, part: Part) -> Pairs:
    """Each row of the days compared with, under the day beside which its own stands."""
    before = part.calendar.before
    return counted(asked, part, before, part.calendar.shown_on) if before else []


def counted(
    asked: InteractionQuery,
    part: Part,
    span: Days,
    shown_on: Callable[[date], date] = lambda day: day,
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


def period(asked: InteractionQuery, part: Part, day: date) -> str:
    return first_day(day, asked.granularity, part.tenant.week_start)


def periods(asked: InteractionQuery, part: Part) -> list[str]:
    return sorted({period(asked, part, day) for day in every_day(part.now)})


def reply(asked: InteractionQuery, parts: Sequence[Part]) -> tuple[list[Row], list[Row]]:
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


def belonging(asked: InteractionQuery, label: Label, pairs: Pairs, *names: str) -> list[AnyRow]:
    """The rows under a label; where names are given, those that agree with it in these."""
    return [
        row
        for other, row in pairs
        if all(
            wanted is ANY or wanted == value or (names and name not in names)
            for name, wanted, value in zip(asked.names, label, other, strict=True)
        )
    ]


def line(
    asked: InteractionQuery, label: Label, now: Pairs, before: Pairs, parts: Sequence[Part]
) -> Row:
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


def is_partial(asked: InteractionQuery, row: Row, parts: Sequence[Part]) -> bool | None:
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


def figures(asked: InteractionQuery, rows: Sequence[AnyRow], currency: Any) -> Row:
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
