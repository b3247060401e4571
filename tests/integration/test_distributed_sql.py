"""The roll-up that Athena makes for a question equals sums of the cube of the same rows.

The statement runs on the embedded Athena over the template's own table. The cube is made of all
rows in memory; what reports read of either has to be the same: sums, sizes, and what they warn of.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse import days, lake
from pulse.days import DateRange
from pulse.filters import Condition
from pulse.reports.declarations import PERIOD
from pulse.reports.registry import REPORTS
from pulse.serve import distributed_sql
from pulse.serve.answer import answer
from pulse.serve.block import Block
from pulse.serve.distributed_sql import TooManyRowsError, Wanted
from pulse.serve.own import own_dimensions, with_own
from pulse.serve.plan import Plan, needs_of, plan_of
from pulse.serve.query import parse
from pulse.serve.years import YearRows
from pulse.store.clients import client
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Part, TableState, Tenant, YearState
from tests.driver import Driver, running
from tests.report_parts import as_year, by_key
from tests.sampling import some
from tests.unit.serve.events import pairs

Row = dict[str, Any]
FIRST = date(2025, 11, 20)
SPAN_DAYS = 80
VALUES: Mapping[str, Sequence[str | None]] = {
    "agent": [None, "ada", lake.OTHER, "O'Neil", "a' OR '1'='1", "?", "Ümit; --", "🙂", "-"],
    "country": [None, "DE", "FR", "-"],
    "browser": [None, "Firefox", lake.OTHER],
    "metric": ["csat", "nps"],
    "scale": ["0-10"],
    "channel": ["chat", "ticket"],
    "device": [None, "mobile", "bot"],
    "tag2": [None, "north", lake.OTHER],
    "media_type": ["voice", "chat"],
    "customer_segment": [None, "gold", "'"],
    "currency": [None, "EUR", "JPY"],
    "accept": [None, "in_time", "never"],
    "entered_on": [None, "2025-11-25", "2025-12-24", "2026-01-11"],
}


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    with running() as driver:
        yield driver


def invent(table: lake.DailyTable, seed: int, size: int) -> list[Row]:
    """Daily rows: one for each combination of dimensions and day."""
    chance = random.Random(seed)
    greatest = chance.choice([1, 9, 10**9])
    rows = {}
    used = chance.sample(range(SPAN_DAYS), 9)
    for _ in range(size):
        keys: Row = {name: chance.choice(VALUES.get(name, [None])) for name in table.dimensions}
        keys["day"] = FIRST + timedelta(days=chance.choice(used))
        row = keys | {
            name: _amount(kind, chance, greatest)
            for name, kind in table.daily_columns.items()
            if name in table.measures
        }
        rows[tuple(keys.values())] = row
    return list(rows.values())


def _amount(kind: str, chance: random.Random, greatest: int) -> Any:
    amount = chance.choice([0, 0, chance.randint(0, greatest)])
    return Decimal(amount).scaleb(-4) if kind.startswith("decimal") else amount


def as_parquet(table: lake.DailyTable, rows: Sequence[Row], *, with_day: bool) -> bytes:
    kinds = {"string": pa.string(), "bigint": pa.int64(), "decimal(38,4)": pa.decimal128(38, 4)}
    columns = {
        name: pa.array([row[name] for row in rows], kinds[kind])
        for name, kind in table.daily_columns.items()
        if name != "tenant"
    }
    if with_day:
        columns["day"] = pa.array([row["day"] for row in rows], pa.date32())
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="snappy")
    body: bytes = sink.getvalue().to_pybytes()
    return body


def lay_out(
    pulse: Driver, table: lake.DailyTable, rows: Sequence[Row], chance: random.Random
) -> dict[str, frozenset[date]]:
    """The rows as several runs laid them out; beside them days of a run that do not count."""
    runs = [lake.ulid() for _ in range(chance.choice([1, 3]))]
    run_of = {day: chance.choice(runs) for day in {row["day"] for row in rows}}
    stale = [row | {name: 1 for name in table.counted} for row in rows]
    for day, run in run_of.items():
        for other in runs:
            prefix = lake.large_run_prefix(table, "acme", other)
            some = [row for row in (rows if other == run else stale) if row["day"] == day]
            body = as_parquet(table, some, with_day=False)
            client("s3").put_object(
                Bucket=pulse.settings.lake_bucket, Key=f"{prefix}dt={day}/x", Body=body
            )
    return {
        run: frozenset(day for day, of in run_of.items() if of == run)
        for run in runs
        if run in run_of.values()
    }


def answered(pulse: Driver, wanted: Wanted) -> Block:
    """The roll-up as Athena makes it."""
    lake_bucket = pulse.settings.lake_bucket
    prefix = lake.question_prefix(wanted.tenant, "f", lake.ulid())
    statement = wanted.statement
    given = {"ExecutionParameters": list(statement.parameters)} if statement.parameters else {}
    athena = client("athena")
    execution = athena.start_query_execution(
        QueryString=f"UNLOAD (\n{statement.sql}\n) TO 's3://{lake_bucket}/{prefix}'\n"
        "WITH (format = 'PARQUET', compression = 'SNAPPY')",
        QueryExecutionContext={"Database": pulse.settings.database},
        WorkGroup=pulse.settings.workgroup,
        **given,
    )["QueryExecutionId"]
    told = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
    assert told["State"] == "SUCCEEDED", told
    return wanted.block([pulse.read(key) for key in pulse.objects(prefix)])


@dataclass(frozen=True)
class RollUpQuery:
    """A question's part in one table."""

    grouped: tuple[str, ...]
    filters: Mapping[str, Condition]
    ranges: tuple[DateRange, ...]
    granularity: str
    week_start: str
    by_period: bool


@st.composite
def questions(draw: st.DrawFn, names: Sequence[str]) -> RollUpQuery:
    grouped = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    filters = {
        name: Condition(
            frozenset(draw(st.lists(st.sampled_from([*VALUES[name], "nobody"]), max_size=3))),
            draw(st.booleans()),
        )
        for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    }
    ranges = []
    for _ in range(draw(st.sampled_from([1, 2]))):
        start = FIRST + timedelta(days=draw(st.integers(-5, SPAN_DAYS)))
        end = start + timedelta(days=draw(st.sampled_from([60, 30, 6, 0])))
        ranges.append(DateRange(start, end))
    if len(ranges) == 2 and draw(st.booleans()):
        day = FIRST + timedelta(days=draw(st.integers(0, SPAN_DAYS)))
        preset = draw(
            st.sampled_from(["this_month", "quarter_to_date", "this_week", "last_3_months"])
        )
        asked = draw(st.sampled_from([ranges[0], days.resolve_preset(preset, day)]))
        compare = days.COMPARISONS[draw(st.sampled_from(sorted(days.COMPARISONS)))]
        ranges = [asked, compare(asked)]
    return RollUpQuery(
        tuple(grouped),
        filters,
        tuple(ranges),
        draw(st.sampled_from(["day", "week", "month"])),
        draw(st.sampled_from(sorted(days.WEEK_STARTS))),
        draw(st.booleans()),
    )


SCORES = questions(["agent", "country", "browser", "metric", "channel", "device"])
INTERACTIONS = questions(["media_type", "customer_segment", "agent", "currency"])


@pytest.mark.only_whole
@given(seed=st.integers(0, 2**32), size=st.sampled_from([90, 20, 1]), asked=SCORES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_answers_by_score(pulse: Driver, seed: int, size: int, asked: RollUpQuery) -> None:
    compare(pulse, lake.SCORES, seed, size, asked)


@pytest.mark.only_whole
@given(seed=st.integers(0, 2**32), size=st.sampled_from([90, 20, 1]), asked=INTERACTIONS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_interactions_with_decimals_and_currencies(
    pulse: Driver, seed: int, size: int, asked: RollUpQuery
) -> None:
    compare(pulse, lake.INTERACTIONS, seed, size, asked)


def compare(
    pulse: Driver, table: lake.DailyTable, seed: int, size: int, asked: RollUpQuery
) -> None:
    rows = invent(table, seed, size)
    cube = as_year(table, as_parquet(table, rows, with_day=True))
    wanted = Wanted(
        table=table,
        tenant="acme",
        laid=lay_out(pulse, table, rows, random.Random(seed)),
        ranges=asked.ranges,
        grouped=asked.grouped,
        filters=asked.filters,
        granularity=asked.granularity if asked.by_period else "total",
        week_start=asked.week_start,
    )
    made = YearRows(table, [wanted.piece(answered(pulse, wanted))])
    by = [*asked.grouped, *([PERIOD] if asked.by_period else [])]
    for dates in asked.ranges:
        for names in (by, by[:1], []):
            assert told(made, dates, asked, names) == told(cube, dates, asked, names)
            assert sizes(made, dates, asked, names) == sizes(cube, dates, asked, names)
        for name in {*asked.grouped, *asked.filters} & {*lake.OPEN_DIMENSIONS}:
            has = made.has(dates, name, lake.OTHER)
            assert has == cube.has(dates, name, lake.OTHER)


def either_way(
    pulse: Driver,
    asked: Plan,
    table: lake.DailyTable,
    rows: Sequence[Row],
    chance: random.Random,
    query: str,
) -> tuple[str, str]:
    """The reply from these rows' cube, and from what Athena makes; they name the same engine."""
    (needs,) = [one for one in needs_of(asked) if one.table == table]
    cube = as_year(table, as_parquet(table, rows, with_day=True))
    wanted = Wanted.of(needs, lay_out(pulse, table, rows, chance))
    made = YearRows(table, [wanted.piece(answered(pulse, wanted))], engine="athena")
    objects, athena = (
        answer(asked, {"acme": [year.as_needed(needs)]}, query).body for year in (cube, made)
    )
    return objects, athena.replace('"engine":"athena"', '"engine":"reports"')


def told(year: YearRows, dates: DateRange, asked: RollUpQuery, names: Sequence[str]) -> Any:
    return by_key(
        year.group(
            dates,
            asked.filters,
            names,
            granularity=asked.granularity,
            week_start=asked.week_start,
        )
    )


def sizes(year: YearRows, dates: DateRange, asked: RollUpQuery, names: Sequence[str]) -> Any:
    ((columns, found),) = year.sizes(
        dates,
        asked.filters,
        names,
        granularity=asked.granularity,
        week_start=asked.week_start,
    )
    labels = [[one.values[code] for code in one.codes.tolist()] for one in columns]
    keys = list(zip(*labels, strict=True)) if labels else [()] * len(found)
    return dict(zip(keys, found.tolist(), strict=True))


WHOLE = "start_date=2025-12-01&end_date=2026-01-31"
REPLIES = (
    ("csat", WHOLE),
    ("csat", "start_date=2025-11-25&end_date=2026-02-01&group_by=period&granularity=week"),
    ("daily", f"{WHOLE}&granularity=day"),
    ("agents", f"{WHOLE}&country=DE,(none)"),
    ("nps", f"{WHOLE}&compare=previous_period&group_by=channel"),
    ("nps", f"{WHOLE}&group_by=period,country&granularity=month&agent=!ada&subtotals=true"),
    ("nps", "start_date=2026-01-14&end_date=2026-02-03&granularity=week&compare=previous_period"),
    ("csat", "start_date=2026-01-10&end_date=2026-02-09&granularity=month&compare=previous_period"),
    ("browsers", "start_date=2025-11-20&end_date=2026-02-07&agent=(other)"),
    ("browsers", f"{WHOLE}&group_by=device"),
    ("browsers", f"{WHOLE}&group_by=browser,device&device=bot,mobile"),
    ("csat", f"{WHOLE}&device=!mobile&agent=ada,(other)"),
    ("csat", f"{WHOLE}&device=!bot"),
    ("csat", f"{WHOLE}&device=bot&compare=previous_period"),
    ("revenue", f"{WHOLE}&group_by=customer_segment"),
    ("revenue", f"{WHOLE}&currency=EUR"),
    ("customer-perspective", f"{WHOLE}&group_by=agent,period&granularity=month&format=csv"),
    ("csat", f"{WHOLE}&group_by=team,channel&subtotals=true"),
    ("csat", f"{WHOLE}&team=!north&plan=(none)&group_by=team&compare=previous_period"),
    ("csat", f"{WHOLE}&team=north,(other)&group_by=country"),
    ("experience", WHOLE),
    ("experience", f"{WHOLE}&group_by=agent,entered_on&accept=!never&compare=previous_period"),
    ("experience", f"{WHOLE}&date_basis=entered&granularity=week&compare=previous_period"),
    ("experience", f"{WHOLE}&date_basis=entered&channel=ticket&accept=in_time&group_by=agent"),
    ("experience", f"{WHOLE}&group_by=device&device=bot,mobile"),
    ("experience", f"{WHOLE}&date_basis=entered&device=!mobile&compare=previous_period"),
)


@pytest.mark.sampled
@pytest.mark.parametrize(("report", "query"), some(REPLIES, 5))
def test_a_whole_reply_is_the_same_byte_by_byte(pulse: Driver, report: str, query: str) -> None:
    own = {key: ((FIRST, True),) for key in ("plan", "team")}
    tenant = Tenant("acme", "Acme", dimensions=own)
    entry = with_own(REPORTS[report], own_dimensions([tenant]))
    table = entry.tables[0]
    rows = invent(table, 11, 300)
    chance = random.Random(11)
    state = YearState((Part("", frozenset(), {}),), "content", 0, FIRST, 0)
    tenant = replace(tenant, tables={table.name: TableState({2025: state, 2026: state})})
    asked = plan_of(entry, parse(pairs(query), entry), [tenant], Key("0" * 64, "secret", "acme", 0))
    replies = either_way(pulse, asked, table, rows, chance, query)
    assert replies[0] == replies[1]
    assert len(replies[0]) > 300
    unasked = table in (lake.SCORES, lake.EXPERIENCE) and query.count("bot") == 0
    assert ("bots_left_out" in replies[0]) == unasked


@pytest.mark.parametrize(
    "filters", ["", "&media_type=!voice&agent=ada,(none)&compare=previous_period"]
)
def test_scores_for_satisfactions_are_the_same_and_bots_left_out_of_them(
    pulse: Driver, filters: str
) -> None:
    table, chance = lake.EXPERIENCE, random.Random(12)
    rows = [
        {
            **row,
            "survey": chance.choice("st"),
            "agent": chance.choice(["ada", "O'Neil", None]),
            "was_rated": chance.choice(["no", "yes"]),
            "entered_on": str(row["day"] - timedelta(days=chance.choice([0, 1, 30]))),
        }
        for row in invent(table, 12, 300)
    ]
    tenant = Tenant("acme", "Acme", satisfaction_from="s", satisfaction_scale="0-10")
    entry = REPORTS["customer-perspective"]
    query = f"{WHOLE}&group_by=customer_segment,agent{filters}"
    asked = plan_of(entry, parse(pairs(query), entry), [tenant], Key("0" * 64, "secret", "acme", 0))
    replies = either_way(pulse, asked, table, rows, chance, query)
    assert replies[0] == replies[1]
    assert "bots_left_out" in replies[0]


@pytest.mark.parametrize(
    "query",
    [
        f"{WHOLE}&group_by=channel,agent&granularity=week",
        f"{WHOLE}&group_by=accept&device=!mobile&channel=!ticket&compare=previous_period",
        f"{WHOLE}&group_by=device&device=bot,mobile&channel=chat",
    ],
)
def test_days_without_links_are_the_same(pulse: Driver, query: str) -> None:
    table, chance = lake.SCORES, random.Random(13)
    rows = invent(table, 13, 300)
    held = frozenset(row["day"] for row in rows)
    years = {
        year: YearState((Part("", held, {}),), "content", 0, FIRST, 0) for year in (2025, 2026)
    }
    states = {"scores": TableState(years), "experience": TableState(as_of_us=1)}
    tenant, entry = Tenant("acme", "Acme", tables=states), REPORTS["experience"]
    asked = plan_of(entry, parse(pairs(query), entry), [tenant], Key("0" * 64, "secret", "acme", 0))
    replies = either_way(pulse, asked, table, rows, chance, query)
    assert replies[0] == replies[1]
    assert json.loads(replies[0])["meta"]["linked"]["of"] > 0


@pytest.mark.parametrize("granularity", days.GRANULARITIES)
def test_days_may_reach_to_the_last_of_all(granularity: str) -> None:
    asked = DateRange(date(9999, 11, 20), date.max)
    wanted = Wanted(
        lake.SCORES,
        "acme",
        {lake.ulid(): frozenset({date.max})},
        (asked, days.previous_period(asked)),
        (),
        {},
        granularity=granularity,
    )
    assert f"dt BETWEEN '{date.max}' AND '{date.max}'" in wanted.statement.sql


def test_a_caller_s_text_stands_in_no_statement() -> None:
    text = "'; DROP TABLE large_scores --"
    wanted = Wanted(
        lake.SCORES,
        "acme",
        {lake.ulid(): frozenset({FIRST})},
        (DateRange(FIRST, FIRST),),
        ("survey",),
        {"survey": Condition(frozenset({text})), "agent": Condition(frozenset({text}), True)},
    )
    assert "DROP" not in wanted.statement.sql
    assert wanted.statement.parameters == ("'''; DROP TABLE large_scores --'",) * 2
    assert wanted.statement.sql.count("?") == 2


@pytest.mark.parametrize(
    "tenant, run", [("a'b", "01M8NTHT3VS60TZ45GH9Z1MM4B"), ("acme", "x' OR 1 = 1")]
)
def test_no_other_name_gets_into_a_statement(tenant: str, run: str) -> None:
    days_of_run = {run: frozenset({FIRST})}
    wanted = Wanted(lake.SCORES, tenant, days_of_run, (DateRange(FIRST, FIRST),), (), {})
    with pytest.raises(ValueError, match=r"no tenant id|is no run"):
        assert wanted.statement


def test_a_roll_up_of_too_many_rows_is_not_read(
    pulse: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed_sql, "MOST_ROWS", 2)
    rows = invent(lake.SCORES, 7, 50)
    chance = random.Random(7)
    laid = lay_out(pulse, lake.SCORES, rows, chance)
    whole = DateRange(FIRST, FIRST + timedelta(days=SPAN_DAYS))
    wanted = Wanted(lake.SCORES, "acme", laid, (whole,), ("agent",), {})
    with pytest.raises(TooManyRowsError):
        answered(pulse, wanted)
