"""Single answers that tests make up, and the report objects that a build makes of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from pulse import days, lake
from pulse.http import Call
from pulse.serve.years import YearRows
from pulse.tenants.tenant import TableState, Tenant
from tests import report_parts

SCALES = (
    ("csat", "1-5"),
    ("csat", "1-5:good5"),
    ("csat", "1-7"),
    ("nps", "0-10"),
    ("ces", "1-7"),
    ("ces", "1-7:low"),
)
AGENTS = (None, "ada", "Ümit, B.", '=cmd|" /C calc"!A0', 'says "hi"\nthen leaves', "🙂", "!x")


@dataclass(frozen=True)
class Answer:
    """One response, as it would come out of the raw table."""

    day: date
    score: int
    metric: str = "csat"
    scale: str = "1-5"
    survey: str = "s1"
    channel: str = "chat"
    agent: str | None = None
    country: str | None = None
    browser: str | None = None
    os: str | None = None
    device: str | None = None
    tag1: str | None = None
    tag2: str | None = None
    tag3: str | None = None
    tag4: str | None = None

    def dimension(self, name: str) -> str | None:
        """The answer's value of a dimension."""
        value: str | None = getattr(self, name)
        return value


def as_object(answers: Iterable[Answer]) -> bytes:
    """The cube's object of these answers, as build_reports writes it."""
    return report_parts.cube(lake.SCORES, [as_piece(answers)])


def as_piece(answers: Iterable[Answer]) -> bytes:
    """The Parquet of these answers as a plain writer makes it: nothing sorted, all nullable."""
    cells: Counter[tuple[tuple[str | None, ...], date, int]] = Counter(
        (tuple(answer.dimension(name) for name in lake.SCORES.dimensions), answer.day, answer.score)
        for answer in answers
    )
    rows: dict[tuple[tuple[str | None, ...], date], list[int]] = {}
    for (values, day, score), count in cells.items():
        rows.setdefault((values, day), [0] * 11)[score] += count
    columns: dict[str, pa.Array[Any]] = {
        name: pa.array([values[place] for values, _ in rows], pa.string())
        for place, name in enumerate(lake.SCORES.dimensions)
    }
    columns["day"] = pa.array([day for _, day in rows], pa.date32())
    for score, name in enumerate(lake.SCORE_COUNTS):
        columns[name] = pa.array([counts[score] for counts in rows.values()], pa.int64())
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression=lake.CODEC, write_statistics=False)
    return sink.getvalue().to_pybytes()


def by_year(answers: Sequence[Answer]) -> dict[int, list[Answer]]:
    """The answers of each calendar year, oldest first."""
    years = sorted({answer.day.year for answer in answers})
    return {year: [a for a in answers if a.day.year == year] for year in years}


def as_years(answers: Sequence[Answer]) -> list[YearRows]:
    """The years of these answers as they are read, oldest first."""
    return [
        report_parts.as_year(lake.SCORES, as_object(some)) for some in by_year(answers).values()
    ]


def built(
    tenant: Tenant, answers: Sequence[Answer], as_of_us: int = 1, content: str = "hash"
) -> Tenant:
    """The tenant whose record says that these answers were built."""
    states = {
        year: report_parts.state(
            (answer.day for answer in found), content=content, as_of_us=as_of_us
        )
        for year, found in by_year(answers).items()
    }
    return replace(
        tenant, tables={lake.SCORES.name: TableState(states, as_of_us=as_of_us if states else None)}
    )


def call(
    path: str,
    query: str = "",
    *,
    key: str | None = None,
    route: str | None = None,
    **headers: str,
) -> Call:
    """A request as API Gateway hands it over; `accept="text/csv"` names a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if key:
        named["authorization"] = f"Bearer {key}"
    return Call(
        route=route or f"GET {path}",
        path=path,
        raw_query=query,
        headers=named,
        body=b"",
        source_ip="192.0.2.1",
        request_id="r-1",
    )


def pairs(query: str) -> list[tuple[str, str]]:
    """The (name, raw value) pairs of a query string."""
    return call("/", query).query


def answers(first: date, last: date, *, most: int = 40) -> st.SearchStrategy[list[Answer]]:
    """Lists of random answers on random scales, within a range of days."""

    def one(metric_scale: tuple[str, str]) -> st.SearchStrategy[Answer]:
        low, high = (int(end) for end in metric_scale[1].split(":")[0].split("-"))
        return st.builds(
            Answer,
            day=st.dates(first, last),
            score=st.integers(low, high),
            metric=st.just(metric_scale[0]),
            scale=st.just(metric_scale[1]),
            survey=st.sampled_from(["s1", "s2"]),
            channel=st.sampled_from(["ticket", "chat", "external"]),
            agent=st.sampled_from(AGENTS),
            country=st.sampled_from([None, "DE", "FR"]),
            browser=st.sampled_from([None, "Firefox"]),
        )

    return st.lists(st.sampled_from(SCALES).flatmap(one), max_size=most)


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - days.EPOCH.date()).days
