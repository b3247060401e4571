"""A large tenant's rows in runs of build_daily, and what their roll-ups must add up to."""

import random
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import inf
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pulse import lake
from pulse.days import DateRange
from pulse.reports import tenant_year
from pulse.reports.rollups import OF_BOTS, OF_LARGE, Rollup
from pulse.store.athena import Athena
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.tenant_years import large
from pulse.tenant_years.large import LargeTenants, LargeWriteResult
from pulse.tenants.tenant import Part, YearState
from tests.driver import Driver

FIRST = date(2025, 2, 20)
DAYS = [FIRST + timedelta(days=number) for number in range(120)]
YEAR = DateRange(date(2025, 1, 1), date(2025, 12, 31))
RUNS = [lake.ulid(), lake.ulid()]
Row = dict[str, Any]


def row(tenant: str, day: date, run: str, chance: random.Random) -> Row:
    dimensions: Row = dict.fromkeys(lake.SCORES.dimensions)
    dimensions |= {"metric": "csat", "scale": "1-5", "survey": chance.choice("ab")}
    dimensions |= {"agent": chance.choice(["ada", None]), "channel": "chat"}
    dimensions |= {"device": chance.choice(["mobile", None, "bot"])}
    counts = {name: chance.randint(0, 3) for name in lake.SCORE_COUNTS}
    return {"tenant": tenant, **dimensions, **counts, "day": day, "run": run}


def put(pulse: Driver, run: str, day: date, rows: list[Row]) -> None:
    kinds = {"string": pa.string(), "bigint": pa.int64()}
    columns = {
        name: pa.array([row[name] for row in rows], kinds[kind])
        for name, kind in lake.DAILY_SCORES.items()
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    key = f"{lake.run_prefix(lake.SCORES, run)}dt={day}/rows"
    client("s3").put_object(
        Bucket=pulse.settings.lake_bucket, Key=key, Body=sink.getvalue().to_pybytes()
    )


def run_of(day: date) -> str:
    return RUNS[day.month % 2]


def stage(pulse: Driver) -> LargeTenants:
    settings = pulse.settings
    return LargeTenants(
        Athena(settings.database, settings.workgroup), Objects(settings.lake_bucket), most_rows=1000
    )


def laid_out(pulse: Driver) -> large.Laid:
    wanted = {day: run_of(day) for day in DAYS}
    return stage(pulse).lay_out(lake.SCORES, "acme", wanted, remaining_s=lambda: inf)


def sums(rows: list[Row], rollup: Rollup) -> dict[Any, list[int]]:
    """Plain loops over the rows that count."""
    return plain_sums(
        (r for r in rows if r["tenant"] == "acme" and r["run"] == run_of(r["day"])), rollup
    )


@dataclass
class LargeYear:
    """A large tenant's year in one table: its rows as they are now, and what was made of them."""

    pulse: Driver
    chance: random.Random
    table: lake.Dataset = lake.SCORES
    tenant: str = "hooli"
    rows: dict[date, list[Row]] = field(default_factory=dict)
    run_of: dict[date, str] = field(default_factory=dict)
    state: YearState | None = None

    def change(self, some: Iterable[date]) -> None:
        """Let a run of build_daily give these days other rows, or none."""
        run = lake.ulid()
        for day in some:
            made = [
                row(self.tenant, day, run, self.chance)
                for _ in range(self.chance.choice([0, 1, 4]))
            ]
            self.rows[day], self.run_of[day] = made, run
            others = [row("globex", day, run, self.chance)]
            put(self.pulse, run, day, made + others)

    def build(self, some: Collection[date]) -> LargeWriteResult:
        written = stage(self.pulse).write(
            self.table,
            self.tenant,
            2025,
            self.state,
            some,
            self.run_of,
            as_of_us=7,
            remaining_s=lambda: inf,
        )
        self.state = written.state
        return written

    @property
    def part(self) -> Part:
        assert self.state is not None
        (part,) = self.state.parts
        return part

    def check(self) -> None:
        """Every object has the sums of the rows, and every day's rows are laid out once."""
        assert self.state is not None
        assert self.part.days == {*self.run_of}
        laid = [day for its_days in self.part.laid.values() for day in its_days]
        assert sorted(laid) == sorted(self.run_of)
        all_rows = [one for day in self.run_of for one in self.rows[day]]
        assert self.state.first_day == min((one["day"] for one in all_rows), default=None)
        of_people = OF_LARGE[self.table.name]
        assert {*self.part.sizes} == {"bots", *(rollup.name for rollup in of_people)}
        for rollup in of_people:
            assert self.held(rollup) == plain_sums(people(all_rows), rollup), rollup.name
        bots = plain_sums(people(all_rows, bots=True), OF_BOTS[self.table.name])
        if bots:
            assert self.held(OF_BOTS[self.table.name]) == bots
        else:
            assert self.part.sizes["bots"] == 0

    def held(self, rollup: Rollup) -> dict[Any, list[int]]:
        key = lake.part_key(self.table, self.tenant, 2025, self.part.run, rollup.name)
        body = self.pulse.read(key)
        assert len(body) == self.part.sizes[rollup.name]
        return as_sums(tenant_year.read(self.table, rollup, [body]), rollup)


def as_sums(rows: pa.Table, rollup: Rollup) -> dict[Any, list[int]]:
    names = (*rollup.dimensions, "day")
    return {
        tuple(one[name] for name in names): [one[name] for name in lake.SCORE_COUNTS]
        for one in rows.to_pylist()
    }


def plain_sums(rows: Iterable[Row], rollup: Rollup) -> dict[Any, list[int]]:
    found: dict[Any, Counter[str]] = {}
    for one in rows:
        day = one["day"].replace(day=1) if rollup.grain == "month" else one["day"]
        key = (*(one[name] for name in rollup.dimensions), day)
        found.setdefault(key, Counter()).update({n: one[n] for n in lake.SCORE_COUNTS})
    return {key: [count[name] for name in lake.SCORE_COUNTS] for key, count in found.items()}


def people(rows: Iterable[Row], *, bots: bool = False) -> list[Row]:
    """The rows of people, or those of bots."""
    return [one for one in rows if (one["device"] == "bot") == bots]


def events(rows: Iterable[Row]) -> int:
    return sum(one[name] for one in rows for name in lake.SCORE_COUNTS)


def bots_of_every_day(year: LargeYear, some: Iterable[date]) -> None:
    """Let a run of build_daily give these days three rows each, of two bots and of a person."""
    run = lake.ulid()
    for day in some:
        made = [row(year.tenant, day, run, year.chance) for _ in range(3)]
        for number, (one, device) in enumerate(zip(made, ("bot", "bot", None), strict=True)):
            one |= {"device": device, "agent": ("ada", None)[number % 2], "survey": "a"}
        year.rows[day], year.run_of[day] = made, run
        put(year.pulse, run, day, made)
