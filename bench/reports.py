"""Measures build_reports: what a build costs by tenants and years, and what it writes again.

The daily table is made here, as build_daily leaves it. So a build of the reports is measured alone.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from math import inf
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from bench.account import Account, deployed
from bench.measure import Goal, Scale, Section, alone
from pulse import lake
from pulse.reports import tenant_year
from pulse.reports.rollups import ROLLUPS
from pulse.settings import BuildSettings
from pulse.store.catalog import Catalog, Partition
from pulse.store.changes import Changes, Settled
from pulse.store.clients import client
from pulse.store.notices import Notices
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenant_years.build import BuildReports, ReportsResult
from pulse.tenant_years.writing import Change, YearWriter
from pulse.tenants.tenant import CUBE, Tenant, YearState

LAST = date(2026, 11, 20)
MONTH, YEARS = 30, 3 * 365
ROWS_A_DAY = 20
"""The rows of a tenant on a day, one for each agent."""
MOST_NIGHTLY, MOST_INTRADAY = 30, 100
"""The goals: the most bytes written for each new one, nightly and every 15 minutes; cubes alone."""
BUILDS_A_DAY = 96
MOST_GROWTH = 1.1
"""The goal: a night's build over years of history takes at most so many times one over a month."""
NIGHTS = 5
"""So many nights are measured where one takes less than a second, and the median is told."""
_SEED = 20_261_130
_CUBE = ROLLUPS[lake.SCORES.name][0]


@dataclass(frozen=True)
class BuildCost:
    """What one build cost, and its result."""

    seconds: float
    cpu: float
    """Seconds of the processor's time, of the build and of the process that stands for AWS."""
    calls: Mapping[str, int]
    partitions: int
    """How many partitions it read of the catalogue."""
    result: ReportsResult


@dataclass(frozen=True)
class Story:
    """Builds, one after another, of a stack with so many tenants and days of history."""

    tenants: int
    days: int
    first: BuildCost
    """The build of all the history."""
    nights: Sequence[BuildCost]
    """The builds after one more day of every tenant each."""
    late: BuildCost
    """The build after one tenant's answer of a week ago has come late."""
    nothing: BuildCost
    """The build that is woken without anything to do."""
    whole: BuildCost
    """The build that looks at every day nevertheless."""

    @property
    def night(self) -> BuildCost:
        """The night that took the median of the processor's time."""
        return sorted(self.nights, key=lambda cost: cost.cpu)[len(self.nights) // 2]

    @property
    def asked(self) -> int:
        """How many requests the nights made, and how many partitions they read."""
        names = ("StartQueryExecution", "GetObject", "PutObject", *_DYNAMODB)
        requests = sum(cost.calls[name] for cost in self.nights for name in names)
        return requests + sum(cost.partitions for cost in self.nights)

    @property
    def rate(self) -> float:
        """How many rows of the daily table the first build reads in a second."""
        return self.tenants * self.days * ROWS_A_DAY / self.first.seconds


def run(scale: Scale) -> Section:
    """Measure builds of stacks of several sizes, and the builds of one tenant's year."""
    real = scale.name != "tiny"
    sizes = [(10, MONTH), (100, MONTH), (1_000, MONTH), (10, YEARS)] if real else [(3, 9)]
    nights_of = {10: NIGHTS}
    stories = [alone(_story, tenants, some, nights_of.get(tenants, 1)) for tenants, some in sizes]
    short, years = stories[0], stories[-1]
    growth = years.night.cpu / short.night.cpu
    nights = 365 if real else 20
    nightly = alone(_written_again, nights, 1, nights)
    intraday = alone(_written_again, nights, BUILDS_A_DAY, 28 if real else 1)
    return Section(
        title="build_reports",
        about=f"BuildReports.run over daily_scores, {ROWS_A_DAY} rows for each tenant and day: "
        "first all of the history, then one more day of everybody (of 10 tenants the median of "
        f"{NIGHTS} nights), then a late answer of one tenant, then nothing, then nothing where "
        "every day is looked at, as `pulse build` does. Calls are those of build_reports itself. "
        "The processor's time is that of the build and of the process that plays all services: "
        "the clock tells more of other work on the machine. "
        "What is written again is measured on the code that writes a tenant's year, without "
        "Athena: the bytes of all cubes that a year of nightly builds puts, and the last four "
        "weeks of a year with a build every 15 minutes.",
        header=(
            "tenants",
            "days",
            "build",
            "seconds",
            "CPU s",
            "rows/s",
            "statements",
            "GETs",
            "PUTs",
            "DynamoDB",
            "partitions",
            "bytes put",
        ),
        rows=tuple(
            (
                f"{story.tenants:,}",
                f"{story.days:,}",
                name,
                f"{cost.seconds:.2f}",
                f"{cost.cpu:.2f}",
                f"{story.rate:,.0f}" if cost is story.first else "",
                str(cost.calls["StartQueryExecution"]),
                str(cost.calls["GetObject"]),
                str(cost.calls["PutObject"]),
                str(sum(cost.calls[name] for name in _DYNAMODB)),
                f"{cost.partitions:,}",
                f"{cost.result.written:,}",
            )
            for story in stories
            for name, cost in (
                ("all of it", story.first),
                ("a night", story.night),
                ("a late answer", story.late),
                ("nothing", story.nothing),
                ("nothing, on every day", story.whole),
            )
        ),
        goals=(
            Goal(
                f"a night's build with three years of history at most {MOST_GROWTH} times one with "
                "a month",
                f"{growth:.2f} times, of the processor's time",
                growth <= MOST_GROWTH if real else None,
            ),
            Goal(
                f"the same by what {NIGHTS} nights ask for",
                f"{years.asked} beside {short.asked} statements, GETs, PUTs, requests to DynamoDB "
                "and partitions",
                years.asked <= MOST_GROWTH * short.asked if real else None,
            ),
            Goal(
                f"at most {MOST_NIGHTLY} bytes written for each new one, nightly",
                str(nightly),
                nightly.by_day <= MOST_NIGHTLY if real else None,
            ),
            Goal(
                f"at most {MOST_INTRADAY} with a build every 15 minutes",
                str(intraday),
                intraday.by_day <= MOST_INTRADAY if real else None,
            ),
        ),
    )


_DYNAMODB = ("Query", "GetItem", "UpdateItem", "TransactWriteItems")
_GLUE = ("GetPartitions", "BatchGetPartition")
_PARTITIONS = "partitions"


def _story(tenants: int, days: int, nights: int) -> Story:
    with deployed() as account:
        settings = BuildSettings.from_environment(account.environment("BuildReports"))
        table = Tenants(settings.table)
        names = [f"tenant-{number:04}" for number in range(tenants)]
        for name in names:
            table.create(Tenant(name, name))
        drawn = random.Random(_SEED)  # noqa: S311 - made-up rows, no secret
        daily = _Daily(settings, names, drawn)
        stage = BuildReports.from_settings(settings)
        history = [LAST - timedelta(days=back) for back in range(days, 0, -1)]
        daily.publish(history)
        first = _measured(account, stage)
        every_night: list[BuildCost] = []
        for number in range(nights):
            daily.publish([LAST + timedelta(days=number)])
            every_night.append(_measured(account, stage))
        daily.change(LAST - timedelta(days=min(7, days)), names[0])
        late, nothing = _measured(account, stage), _measured(account, stage)
        whole = _measured(account, stage, whole=True)
        return Story(tenants, days, first, every_night, late, nothing, whole)


@dataclass
class _Daily:
    """The daily table as build_daily publishes it."""

    settings: BuildSettings
    tenants: Sequence[str]
    drawn: random.Random

    def publish(self, days: Sequence[date]) -> None:
        """Publish a run with rows of every tenant for these days."""
        for at in range(0, len(days), lake.PARTITION_LIMIT):
            some = days[at : at + lake.PARTITION_LIMIT]
            self._point({day: _rows(self.tenants, self.drawn) for day in some})
        self._end()

    def change(self, day: date, tenant: str) -> None:
        """Publish a new run of the day, with one more answer of the tenant."""
        catalog, objects = Catalog(self.settings.database), Objects(self.settings.lake_bucket)
        known = catalog.partitions(lake.SCORES.daily_table, [day])[day]
        table = pq.read_table(BytesIO(objects.get(_key(known.run, day))))
        columns: dict[str, list[Any]] = {
            name: table[name].to_pylist() for name in table.schema.names
        }
        columns["c9"][columns["tenant"].index(tenant)] += 1
        self._point({day: pa.table(columns, schema=table.schema)})
        self._end()

    def _point(self, rows: Mapping[date, pa.Table]) -> None:
        run, objects = lake.ulid(), Objects(self.settings.lake_bucket)
        locations: dict[Partition, str] = {}
        for day, table in rows.items():
            sink = BytesIO()
            pq.write_table(table, sink, compression=lake.CODEC)
            objects.put(_key(run, day), sink.getvalue())
            answers = tenant_year.count_events(lake.SCORES, table)
            folder = _key(run, day).rpartition("/")[0]
            where = f"s3://{self.settings.lake_bucket}/{folder}/"
            locations[Partition(day, run, 1, answers)] = where
        notices = Notices(self.settings.table)
        notice = notices.give(lake.SCORES.name, rows)
        Catalog(self.settings.database).point(lake.SCORES.daily_table, locations)
        notices.note_published(lake.SCORES.name, notice)

    def _end(self) -> None:
        """Note that a builder of days has come to its end, and has left none."""
        changes, stream = Changes(self.settings.table), lake.SCORES.stream
        changes.end(
            stream,
            lake.ulid(),
            changes.stands()[stream],
            published=True,
            failing=0,
            unbuilt=0,
            partial=False,
            settled=Settled(seen=0, looked_us=0),
        )


def _key(run: str, day: date) -> str:
    return f"{lake.run_prefix(lake.SCORES, run)}dt={day}/rows.parquet"


def _rows(tenants: Sequence[str], drawn: random.Random) -> pa.Table:
    """The rows of one day of the daily table, without its date."""
    agents = len(tenants) * ROWS_A_DAY
    columns: dict[str, Any] = {
        "tenant": [tenant for tenant in tenants for _ in range(ROWS_A_DAY)],
        **{name: [None] * agents for name in lake.SCORES.dimensions},
        "survey": ["support"] * agents,
        "metric": ["csat"] * agents,
        "scale": ["1-5"] * agents,
        "channel": drawn.choices(["chat", "ticket"], k=agents),
        "agent": [f"agent-{number}" for _ in tenants for number in range(ROWS_A_DAY)],
        "country": drawn.choices(["DE", "FR", "US", "GB", "ES"], k=agents),
        **{name: [0] * agents for name in lake.SCORE_COUNTS},
    }
    for score in range(1, 6):
        columns[f"c{score}"] = drawn.choices(range(4), k=agents)
    kinds: Mapping[str, pa.DataType] = {"string": pa.string(), "bigint": pa.int64()}
    fields = [pa.field(name, kinds[lake.SCORES.daily_columns[name]]) for name in columns]
    return pa.table(columns, schema=pa.schema(fields))


def _measured(account: Account, stage: BuildReports, *, whole: bool = False) -> BuildCost:
    def cpu_seconds() -> float:
        return account.cpu_seconds + time.process_time()

    with _calls() as calls:
        cpu, start = cpu_seconds(), time.perf_counter()
        result = stage.run(remaining_s=lambda: inf, whole=whole)
        seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    return BuildCost(seconds, cpu, calls, calls[_PARTITIONS], result)


@contextmanager
def _calls() -> Iterator[Counter[str]]:
    """How many requests are sent to AWS within the block, by operation.

    And under _PARTITIONS, how many partitions are read.
    """
    made: Counter[str] = Counter()

    def note(model: Any, **_: Any) -> None:
        made[model.name] += 1

    def note_partitions(parsed: Mapping[str, Any], **_: Any) -> None:
        made[_PARTITIONS] += len(parsed.get("Partitions", ()))

    emitters = {service: client(service).meta.events for service in ("dynamodb", "glue", "s3")}
    session: Any = boto3.DEFAULT_SESSION
    emitters["athena"] = session.events  # awswrangler makes a client for each call
    for service, events in emitters.items():
        events.register(f"before-call.{service}", note)
    for name in _GLUE:
        emitters["glue"].register(f"after-call.glue.{name}", note_partitions)
    try:
        yield made
    finally:
        for service, events in emitters.items():
            events.unregister(f"before-call.{service}", note)
        for name in _GLUE:
            emitters["glue"].unregister(f"after-call.glue.{name}", note_partitions)


class _Memory(Objects):
    """A bucket's objects, kept in memory."""

    def __init__(self) -> None:
        super().__init__("lake")
        self.bodies: dict[str, bytes] = {}
        self.cubes = 0
        """How many bytes of cubes have been put."""

    def put(self, key: str, body: bytes) -> None:
        self.bodies[key] = body
        if key.endswith(f"/{CUBE}.parquet"):
            self.cubes += len(body)

    def look(self, key: str) -> tuple[bytes, str] | None:
        return self.bodies[key], ""


@dataclass(frozen=True)
class WriteAmplification:
    """Bytes of cubes written for each one that is new."""

    by_day: float
    """Counted against each new day as an object of its own, the least that can be written."""
    by_all: float
    """Counted against all days in one object, where they share dictionaries and metadata."""

    def __str__(self) -> str:
        return f"{self.by_day:.1f} ({self.by_all:.1f} by what the days take in one object)"


def _written_again(days: int, builds_a_day: int, last: int) -> WriteAmplification:
    """What is written over the last of so many days from the beginning of a year.

    Each build finds the day's rows that there are by then. The days before come in one build.
    """
    objects = _Memory()
    writer = YearWriter(objects)
    drawn = random.Random(_SEED)  # noqa: S311 - made-up rows, no secret
    first = date(2026, 1, 1)
    every = [first + timedelta(days=number) for number in range(days)]
    rows = {day: _cube_rows(day, drawn) for day in every}
    state: YearState | None = None
    before = every[: days - last]
    if before:
        written = _write(
            writer, state, before, pa.concat_tables(rows[day] for day in before), every
        )
        state = written
    objects.cubes = 0
    for day in every[days - last :]:
        for build in range(1, builds_a_day + 1):
            there = rows[day].slice(0, max(1, len(rows[day]) * build // builds_a_day))
            state = _write(writer, state, [day], there, every)
    new = [rows[day] for day in every[-last:]]
    by_day = sum(map(_size, new))
    return WriteAmplification(objects.cubes / by_day, objects.cubes / _size(pa.concat_tables(new)))


def _size(rows: pa.Table) -> int:
    """The bytes of an object with these rows."""
    return len(tenant_year.encode(lake.SCORES, _CUBE, rows))


def _write(
    writer: YearWriter,
    state: YearState | None,
    days: Sequence[date],
    rows: pa.Table,
    published: Sequence[date],
) -> YearState:
    change = Change(frozenset(days), rows, lake.ulid(), as_of_us=0)
    return writer.write(lake.SCORES, "acme", 2026, state, change, published=published).state


def _cube_rows(day: date, drawn: random.Random) -> pa.Table:
    """One day of one tenant as parts hold it: some 300 rows, as many as a typical tenant has."""
    schema = tenant_year.schema(lake.SCORES, _CUBE)
    table = _rows([f"t{number}" for number in range(300 // ROWS_A_DAY)], drawn)
    agents = [f"agent-{number}" for number in range(len(table))]
    table = table.set_column(table.schema.get_field_index("agent"), "agent", pa.array(agents))
    table = table.append_column("day", pa.array([day] * len(table), pa.date32()))
    return table.select(schema.names).cast(schema)
