"""Whole replies against an oracle in plain Python: fractions over single answers.

The oracle shares no code with metrics, registry or cells: METRICS.md is written out again.
"""

import csv
import io
import json
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days
from pulse.reports.registry import REPORTS
from pulse.serve import cells
from pulse.serve.query import parse
from pulse.serve.questions import Question
from pulse.serve.years import Year
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.serve.events import Answer, answers, as_object, built, by_year, pairs

FIRST, LAST = date(2025, 6, 1), date(2027, 3, 31)
SECRET = Key("0" * 64, "secret", "acme", 0)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

GOOD = {
    ("csat", "1-5"): {4, 5},
    ("csat", "1-5:good5"): {5},
    ("csat", "1-7"): {6, 7},
    ("nps", "0-10"): {9, 10},
    ("ces", "1-7"): {5, 6, 7},
    ("ces", "1-7:low"): {1, 2, 3},
}
DETRACTORS = set(range(7))


def two(exact: Fraction) -> float:
    return float(Decimal(round(exact * 100)) / 100)


def interval(metric: str, scale: str, scores: Sequence[int]) -> tuple[float, float]:
    z, n = Decimal("1.959964"), len(scores)
    good = sum(score in GOOD[metric, scale] for score in scores)
    with localcontext(prec=60):
        if metric == "nps":
            bad = sum(score in DETRACTORS for score in scores)
            p, d = ((Decimal(count) + Decimal("0.75")) / (n + 3) for count in (good, bad))
            centre, lowest = p - d, Decimal(-100)
            half = z * ((p + d - centre**2) / (n + 3)).sqrt()
        else:
            p, lowest = Decimal(good) / n, Decimal(0)
            centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
            half = z * (p * (1 - p) / n + z**2 / (4 * n * n)).sqrt() / (1 + z**2 / n)
        low, high = (round(100 * end, 2) for end in (centre - half, centre + half))
    value = headline(metric, scale, scores)
    return min(float(max(low, lowest)), value), max(float(min(high, Decimal(100))), value)


def headline(metric: str, scale: str, scores: Sequence[int]) -> float:
    lead = sum(score in GOOD[metric, scale] for score in scores)
    if metric == "nps":
        lead -= sum(score in DETRACTORS for score in scores)
    return two(Fraction(100 * lead, len(scores)))


def figures(metric: str, scale: str, scores: Sequence[int], whole: int) -> dict[str, Any]:
    """Every figure that a report of this spine may show."""
    n = len(scores)
    row: dict[str, Any] = {"responses": n, "share_pct": two(Fraction(100 * n, whole))}
    if metric == "nps":
        for name, among in (
            ("promoters", {9, 10}),
            ("passives", {7, 8}),
            ("detractors", DETRACTORS),
        ):
            count = sum(score in among for score in scores)
            row |= {name: count, f"{name}_pct": two(Fraction(100 * count, n)) if n else None}
    if not scores:
        empty = ("average", "median", "score", "nps", "ci_low", "ci_high")
        return row | dict.fromkeys(empty)
    value, (low, high) = headline(metric, scale, scores), interval(metric, scale, scores)
    return row | {
        "average": two(Fraction(sum(scores), n)),
        "median": statistics.median(scores),
        "score": value,
        "nps": value,
        "ci_low": low,
        "ci_high": high,
    }


def first_day(day: date, granularity: str, week_start: str) -> str:
    if granularity == "week":
        while day.strftime("%A").lower() != week_start:
            day -= timedelta(days=1)
    return (day.replace(day=1) if granularity == "month" else day).isoformat()


def expected_rows(
    report: str,
    found: Sequence[Answer],
    granularity: str,
    by: Sequence[str],
    week_start: str,
) -> list[dict[str, Any]]:
    """The rows over answers that have passed the filters, in the default order."""
    groups: dict[tuple[str | None, ...], list[int]] = {}
    for answer in found:
        period = [] if granularity == "total" else [first_day(answer.day, granularity, week_start)]
        values = [answer.dimension(name) for name in ("metric", "scale", *by)]
        groups.setdefault((*period, *values), []).append(answer.score)
    names = [*(["period"] if granularity != "total" else []), "metric", "scale", *by]
    wholes: dict[tuple[str | None, ...], int] = {}
    apart = len(names) - len(by)
    for key, scores in groups.items():
        wholes[key[:apart]] = wholes.get(key[:apart], 0) + len(scores)
    if report == "source" and "channel" in by:
        at = names.index("channel")
        for key in list(groups):
            for channel in ("ticket", "chat", "external"):
                groups.setdefault((*key[:at], channel, *key[at + 1 :]), [])
    rows = []
    for key in sorted(groups, key=lambda key: [(part is None, part or "") for part in key]):
        row = dict(zip(names, key, strict=True))
        every = figures(str(row["metric"]), str(row["scale"]), groups[key], wholes[key[:apart]])
        rows.append(row | {m.name: every[m.name] for m in REPORTS[report].metrics})
    return rows


def years_of(found: Sequence[Answer]) -> list[Year]:
    family = REPORTS["daily"].family
    return [
        Year(f'"{year}"', cells.read(as_object(some), family))
        for year, some in by_year(found).items()
    ]


def ask(report: str, tenant: Tenant, found: Sequence[Answer], query: str) -> Any:
    question = Question.ask(
        REPORTS[report], parse(pairs(query), REPORTS[report]), built(tenant, found), SECRET
    )
    return question.reply(years_of(found), query)


COUNTRIES: dict[str, Callable[[str | None], bool]] = {
    "": lambda country: True,
    "DE": lambda country: country == "DE",
    "!DE": lambda country: country != "DE",
    "(none)": lambda country: country is None,
    "!(none),FR": lambda country: country not in (None, "FR"),
}
ranges = st.tuples(st.dates(FIRST, LAST), st.dates(FIRST, LAST)).map(sorted)
groupings = st.lists(
    st.sampled_from(["survey", "channel", "agent", "country", "browser", "os"]),
    unique=True,
    min_size=1,
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(
    found=answers(FIRST, LAST),
    report=st.sampled_from(list(REPORTS)),
    dates=ranges,
    granularity=st.sampled_from(days.GRANULARITIES),
    by=groupings,
    week_start=st.sampled_from(["monday", "sunday"]),
    countries=st.sampled_from(list(COUNTRIES)),
)
def test_replies_are_those_of_the_single_answers(
    found: list[Answer],
    report: str,
    dates: list[date],
    granularity: str,
    by: list[str],
    week_start: str,
    countries: str,
) -> None:
    query = f"start_date={dates[0]}&end_date={dates[1]}&granularity={granularity}"
    query += f"&group_by={','.join(by)}" + (f"&country={countries}" if countries else "")
    tenant = Tenant("acme", "Acme", week_start=week_start)
    passes = COUNTRIES[countries]
    kept = [
        answer
        for answer in found
        if dates[0] <= answer.day <= dates[1]
        and passes(answer.country)
        and (report != "nps" or answer.metric == "nps")
    ]
    reply = json.loads(ask(report, tenant, found, query).body)
    assert reply["rows"] == expected_rows(report, kept, granularity, by, week_start)
    columns = [column["name"] for column in reply["columns"]]
    assert all(list(row) == columns for row in reply["rows"])
    whole = {
        (row["metric"], row["scale"]): row
        for row in expected_rows(report, kept, "total", [], week_start)
    }
    assert len(reply["totals"]) == len(whole)
    for row in reply["totals"]:
        assert whole[row["metric"], row["scale"]].items() <= row.items()
        assert {row[name] for name in columns if name in ("period", *by)} == {None}


@settings(max_examples=50, deadline=None)
@given(found=answers(date(2026, 10, 1), date(2026, 11, 20)))
def test_the_nps_distribution_is_that_of_the_single_answers(found: list[Answer]) -> None:
    with days.clock(lambda: NOW):
        reply = json.loads(ask("nps", Tenant("acme", "Acme"), found, "preset=all_time").body)
    scores = [answer.score for answer in found if answer.metric == "nps"]
    expected = [
        {
            "metric": "nps",
            "scale": "0-10",
            "score_value": score,
            "segment": "detractors" if score < 7 else "passives" if score < 9 else "promoters",
            "responses": scores.count(score),
            "share_pct": two(Fraction(100 * scores.count(score), len(scores))),
        }
        for score in range(11)
        if scores
    ]
    assert reply["breakdown"] == expected


@settings(max_examples=50, deadline=None)
@given(found=answers(FIRST, LAST), by=groupings)
def test_csv_has_the_same_rows_as_json(found: list[Answer], by: list[str]) -> None:
    query = f"start_date={FIRST}&end_date={LAST}&group_by={','.join(by)}"
    tenant = Tenant("acme", "Acme")
    rows = json.loads(ask("source", tenant, found, query).body)["rows"]
    text = ask("source", tenant, found, f"{query}&format=csv").body
    lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        for name, value in row.items():
            if value is None:
                assert line[name] == ""
            elif isinstance(value, str):
                assert line[name].removeprefix("'") == value
            else:
                assert float(line[name]) == value
