"""Insights, drivers, reports by tags and words over a year, beside one GET and beside DuckDB.

The years lie behind S3 that takes 25 ms to its first byte (slow_s3), with the roll-ups that
build_reports makes; all objects are fetched and read anew for each question. DuckDB reads one local
Parquet file of the same daily rows, and makes only the sums that the question is answered from: it
judges nothing and tells nothing.
"""

# ruff: noqa: S608 - the statements are put together from the lake's own names

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench import comments, slow_s3
from bench.account import Account, deployed
from bench.data import AGENTS, SHARE_WITH_COMMENTS, Responses
from bench.laid import (
    BUCKET,
    Laid,
    Pulse,
    cube_of_raw,
    experience_cube,
    interactions_cube,
    lay,
    publish,
)
from bench.measure import Scale, Section, Taken, milliseconds, worked_in_turns
from pulse import days, lake
from pulse.days import DateRange
from pulse.serve.insights.insights_query import MOVED_BY
from pulse.store.objects import Objects

DELAY_MS = 25
YEAR = DateRange(date(2025, 1, 1), date(2025, 12, 31))
HALF = DateRange(date(2025, 7, 2), date(2025, 12, 31))
"""As many days as lie before it in the year."""
BAD = DateRange(date(2025, 11, 10), date(2025, 11, 16))
"""In these days everybody in Germany is unhappy, so that there is something to be told."""
TAGS = {"team": "tag1", "plan": "tag2"}
"""The tags that are dimensions, and their columns."""
VALUES = {"tag1": tuple(f"team-{n:02}" for n in range(20)), "tag2": ("free", "pro", "enterprise")}
_DIMENSIONS = {**{name: name for name in MOVED_BY}, **TAGS}
_STRATA = ("channel", "country")
_ROUNDS_LESS = 5


Reply = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
Counts = Mapping[tuple[Any, ...], int]
"""How many answers some groups have."""


@dataclass(frozen=True)
class Beside:
    """The statement over a file by which DuckDB makes the same sums, and what both must agree on.

    What is `told` has to be among what is `made`.
    """

    sql: Callable[[str], str]
    told: Callable[[Reply], Counts]
    made: Callable[[Rows], Counts]


@dataclass(frozen=True)
class Question:
    """What is asked of Pulse, and DuckDB beside it, if that can answer."""

    path: str
    dates: DateRange
    query: str = ""
    beside: Beside | None = None


def run(scale: Scale) -> Section:
    """Every question of both tenants, over a year."""
    tenants = {"typical": scale.typical_rows, "largest": scale.largest_rows}
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulse-bench-")))
        laid = [one for name, rows in tenants.items() for one in _store(root, name, rows)]
        endpoint_url = stack.enter_context(slow_s3.serving(root, DELAY_MS))
        account = stack.enter_context(deployed(AWS_ENDPOINT_URL_S3=endpoint_url))
        publish(account, laid)
        pulse = Pulse(account.environment("ServeReports")["PULSE_TABLE"], _keys(account, tenants))
        return _part(scale, pulse, {name: root / f"{name}.parquet" for name in tenants}, laid)


def _store(root: Path, tenant: str, size: int) -> list[Laid]:
    """Put a year of the tenant's answers, comments and interactions; DuckDB's file beside."""
    with tempfile.TemporaryDirectory(prefix="pulse-bench-") as folder:
        Responses(size, YEAR.start, YEAR.days, (tenant,)).write(Path(folder))
        rows = _unhappy(_tagged(cube_of_raw(Path(folder), tenant, YEAR.start.year)))
    pq.write_table(rows, root / f"{tenant}.parquet", compression=lake.CODEC)
    comments.store(root / BUCKET, tenant, int(size * SHARE_WITH_COMMENTS))
    tables = (
        (lake.SCORES, rows),
        (lake.INTERACTIONS, interactions_cube(YEAR.start.year, size, AGENTS)),
        (lake.EXPERIENCE, experience_cube(YEAR.start.year, size, AGENTS)),
    )
    return [lay(root / BUCKET, table, tenant, YEAR.start.year, some) for table, some in tables]


def _tagged(rows: pa.Table) -> pa.Table:
    """The rows with tags; a row of the cube is hardly ever more than one answer."""
    rng = np.random.default_rng(len(rows))
    for name, values in VALUES.items():
        place = rows.schema.get_field_index(name)
        given = np.array(values, object)[rng.integers(0, len(values), len(rows))]
        column = pa.array(given, pa.string())
        rows = rows.set_column(place, rows.schema.field(place), column)
    return rows


def _unhappy(rows: pa.Table) -> pa.Table:
    """The rows with the score 1 in the place of any other in Germany's bad days."""
    first, last = (pa.scalar(day, pa.date32()) for day in (BAD.start, BAD.end))
    day: Any = rows["day"]
    is_bad = pc.and_(pc.and_(pc.greater_equal(day, first), pc.less_equal(day, last)), _german(rows))
    answers = np.sum([rows[name].to_numpy() for name in lake.SCORE_COUNTS], axis=0)
    for score, name in enumerate(lake.SCORE_COUNTS):
        place = rows.schema.get_field_index(name)
        given = pa.array(answers if score == 1 else np.zeros_like(answers))
        column = pc.if_else(is_bad, given.cast(rows.schema.field(place).type), rows[name])
        rows = rows.set_column(place, rows.schema.field(place), column)
    return rows


def _german(rows: pa.Table) -> Any:
    return pc.is_in(rows["country"], value_set=pa.array(["DE"]))


def _keys(account: Account, tenants: Mapping[str, int]) -> dict[str, str]:
    """Secret keys, which read comments, of tenants with tags as dimensions."""
    for name in tenants:
        if (tenant := account.tenants.get(name)) is None:
            raise RuntimeError(f"{name} is no tenant")
        own = {tag: ((days.FIRST_DAY, True),) for tag in TAGS}
        account.tenants.set(tenant, dimensions=own)
    return {name: account.key(name, "secret") for name in tenants}


# -- what is asked

_COUNTS = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in lake.SCORE_COUNTS)
_COLUMNS = ", ".join(_DIMENSIONS.values())


def _answers(row: Mapping[str, Any]) -> int:
    return sum(int(row[name] or 0) for name in lake.SCORE_COUNTS)


def _insights(dates: DateRange, query: str = "", where: str = "true") -> Question:
    """By day, and by each dimension, now and before."""
    before = dates.start - days.ONE_DAY * dates.days
    each = ", ".join(f"(metric, scale, before, {name})" for name in _DIMENSIONS.values())

    def sql(file: str) -> str:
        return (
            f"SELECT metric, scale, before, day, {_COLUMNS}, {_COUNTS} "
            f"FROM (SELECT *, day < DATE '{dates.start}' AS before FROM '{file}' "
            f"WHERE day BETWEEN DATE '{before}' AND DATE '{dates.end}' AND {where}) "
            f"GROUP BY GROUPING SETS ((metric, scale, before, day), {each})"
        )

    def told(reply: Reply) -> Counts:
        return {(one["metric"], one["scale"]): one["responses"] for one in reply["headlines"]}

    def made(rows: Rows) -> Counts:
        found: Counter[tuple[Any, ...]] = Counter()
        for row in rows:
            if row["day"] and not row["before"]:
                found[row["metric"], row["scale"]] += _answers(row)
        return found

    return Question("/v1/insights", dates, query, Beside(sql, told, made))


def _drivers(dates: DateRange) -> Question:
    """By each dimension within the strata, of one measure.

    DuckDB makes no sums by what customers went through.
    """
    sets = {name: sorted({column, *_STRATA}) for name, column in _DIMENSIONS.items()}
    each = ", ".join(dict.fromkeys(f"({', '.join(columns)})" for columns in sets.values()))

    def sql(file: str) -> str:
        return (
            f"SELECT {_COLUMNS}, grouping_id({_COLUMNS}) AS absent, {_COUNTS} FROM '{file}' "
            f"WHERE metric = 'csat' AND day BETWEEN DATE '{dates.start}' AND DATE '{dates.end}' "
            f"GROUP BY GROUPING SETS ({each})"
        )

    def told(reply: Reply) -> Counts:
        return {
            (one["dimension"], row["value"]): row["responses"]
            for one in reply["drivers"]
            if one["dimension"] in _DIMENSIONS
            for row in one["rows"]
            if row["value"] != lake.OTHER
        }

    def made(rows: Rows) -> Counts:
        found: Counter[tuple[Any, ...]] = Counter()
        columns = [*_DIMENSIONS.values()]
        absent = {
            name: sum(2 ** (len(columns) - 1 - at) for at, c in enumerate(columns) if c not in its)
            for name, its in sets.items()
        }
        for row in rows:
            for name, column in _DIMENSIONS.items():
                if row["absent"] == absent[name]:
                    found[name, row[column]] += _answers(row)
        return found

    return Question("/v1/insights/drivers", dates, "metric=csat", Beside(sql, told, made))


def _report(query: str, by: Mapping[str, str], where: str = "true") -> Question:
    """The report csat grouped by names; DuckDB has them as these columns."""

    def sql(file: str) -> str:
        columns = ", ".join(f"{column} AS {name}" for name, column in by.items())
        return (
            f"SELECT scale, {columns}, {_COUNTS} FROM '{file}' "
            f"WHERE metric = 'csat' AND {where} GROUP BY ALL"
        )

    def told(reply: Reply) -> Counts:
        return {
            (row["scale"], *(str(row[name]) for name in by)): row["responses"]
            for row in reply["rows"]
        }

    def made(rows: Rows) -> Counts:
        return {(row["scale"], *(str(row[name]) for name in by)): _answers(row) for row in rows}

    query = f"group_by={','.join(by)}&{query}"
    return Question("/v1/reports/csat", YEAR, query, Beside(sql, told, made))


_TEAM, _PLAN = ({name: column} for name, column in TAGS.items())
_ONE_TEAM = "team=team-07", "tag1 = 'team-07'"
QUESTIONS: Mapping[str, Question] = {
    "insights, the second half of the year against the first": _insights(HALF),
    "the same of one team": _insights(HALF, *_ONE_TEAM),
    "insights of the year, compared with nothing": _insights(YEAR, "compare=none"),
    "drivers of the year": _drivers(YEAR),
    "csat by team": _report("granularity=total", _TEAM),
    "csat by team and plan, of one channel": _report(
        "granularity=total&channel=chat", {**_TEAM, **_PLAN}, "channel = 'chat'"
    ),
    "csat by day, of one team": _report(
        f"granularity=day&{_ONE_TEAM[0]}", {"period": "day"}, _ONE_TEAM[1]
    ),
    "words of June": Question("/v1/words", DateRange(date(2025, 6, 1), date(2025, 6, 30))),
    "words of the year": Question("/v1/words", YEAR),
}


# -- what is measured


def _part(scale: Scale, pulse: Pulse, files: Mapping[str, Path], laid: list[Laid]) -> Section:
    bucket = Objects(BUCKET, fail_fast=True)
    connection = duckdb.connect()
    connection.execute("SET threads = 1")  # as many as a function of 2 GB has, nearly
    single = "a single GET of the typical tenant's year"
    key = next(one.key() for one in laid if (one.tenant, one.table) == ("typical", lake.SCORES))
    things: dict[str, Callable[[], object]] = {single: lambda: bucket.get(key)}
    gets: dict[str, int] = {single: 1}
    for tenant, file in files.items():
        for name, question in QUESTIONS.items():
            what = f"{tenant}: {name}"
            ours = _asking(pulse, tenant, question)
            before = pulse.gets
            told = ours()
            gets[what] = pulse.gets - before
            things[what] = ours
            if question.beside:
                theirs = _summing(connection, question.beside.sql(str(file)))
                things[_of_duckdb(what)] = theirs
                made, counts = (
                    question.beside.made(theirs()),
                    question.beside.told(json.loads(told, parse_float=Decimal)),
                )
                if not counts or not counts.items() <= made.items():
                    raise RuntimeError(f"Pulse and DuckDB do not agree on {what}.")
    taken = worked_in_turns(max(1, scale.rounds // _ROUNDS_LESS), things, DELAY_MS / 1000)
    return Section(
        title="insights, drivers, tags and words",
        about=f"The typical tenant has {scale.typical_rows:,} answers and as many interactions in "
        f"the year, the largest {scale.largest_rows:,}, and comments to a fifth of them; two tags "
        f"are dimensions. S3 takes {DELAY_MS} ms to the first byte, objects are fetched and read "
        "anew. Times of a GET are told as for serve_reports' questions: its delay is counted once, "
        "however often objects are fetched one after another. DuckDB "
        "reads one local Parquet file of the same daily rows with one thread, and makes the sums "
        "that the question is answered from: by day and by each dimension now and before, of "
        "drivers by each dimension and stratum. Drivers also look at ten dimensions of what "
        "customers went through, of the third of all answers that are linked, for which DuckDB "
        "makes no sums. Times DuckDB are of the processor. Words count at most 50,000 comments of "
        "either group.",
        header=("what", "median (p5-p95)", "processor", "times a GET", "GETs", "times DuckDB"),
        rows=tuple(_row(name, taken, single, gets) for name in taken),
    )


def _row(
    name: str, taken: Mapping[str, Taken], single: str, gets: Mapping[str, int]
) -> tuple[str, ...]:
    its, other = taken[name], taken.get(_of_duckdb(name))
    is_ours = name in gets
    return (
        name,
        its.wall.text,
        milliseconds(its.processor.median),
        f"{its.alone / taken[single].alone:.2f}" if is_ours else "",
        f"{gets[name]}" if is_ours else "",
        f"{its.processor.median / other.processor.median:.2f}" if other else "",
    )


def _of_duckdb(what: str) -> str:
    return f"{what}: DuckDB"


def _asking(pulse: Pulse, tenant: str, question: Question) -> Callable[[], str]:
    path, dates = question.path, question.dates
    report = path.removeprefix("/v1/reports/")
    if report != path:
        return lambda: pulse.ask(pulse.cold(), tenant, dates, report, question.query)
    asked = f"start_date={dates.start}&end_date={dates.end}&{question.query}".rstrip("&")
    return lambda: pulse.get(tenant, path, asked)


def _summing(connection: duckdb.DuckDBPyConnection, sql: str) -> Callable[[], Rows]:
    def summed() -> Rows:
        found = connection.execute(sql)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    return summed
