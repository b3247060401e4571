"""Every object that covers a question gives the same reply, byte by byte.

So it has through any division of a year into parts, also where older parts still hold rows of days
that newer ones have replaced.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse import days, lake
from pulse.reports import tenant_year
from pulse.reports.declarations import PERIOD
from pulse.reports.registry import REPORTS
from pulse.reports.rollups import ROLLUPS, Rollup
from pulse.serve import identity
from pulse.serve.answer import answer
from pulse.serve.own import own_dimensions, with_own
from pulse.serve.plan import Plan, needs_of, plan_of
from pulse.serve.query import parse
from pulse.serve.years import Years
from pulse.store.objects import Objects
from pulse.tenants.keys import Key
from pulse.tenants.tenant import BOTS, CUBE, Part, TableState, Tenant, YearState
from tests import report_parts
from tests.unit.serve.events import pairs

SECRET = Key("0" * 64, "secret", "acme", 0)
FIRST, LAST = date(2025, 10, 1), date(2026, 6, 30)
SCALES = [("csat", "1-5"), ("nps", "0-10"), ("ces", "1-7")]
VALUES: Mapping[str, Sequence[str | None]] = {
    "survey": ["s1", "s2"],
    "channel": ["ticket", "chat", "external"],
    "agent": ["ada", None, lake.OTHER],
    "country": ["DE", "FR", None],
    "browser": ["Firefox", None],
    "os": ["Linux", None],
    "device": ["desktop", "mobile", lake.BOT, None],
    "tag1": ["north", "south", None],
    "tag2": ["pro", None, lake.OTHER],
    "tag3": [None],
    "tag4": [None],
    "media_type": ["voice", "email", "chat"],
    "customer_segment": ["gold", None],
    "service_type": ["repair", None],
    "currency": ["EUR", "JPY", None],
    **{name: [*values, None] for name, values in lake.EXPERIENCED.items() if values},
    "entered_on": ["2025-12-31", "2026-02-03", None],
}
OWN = {"team": "tag1", "plan": "tag2", "shop": "tag3"}
TENANT = Tenant("acme", "Acme", dimensions={key: ((FIRST, True),) for key in OWN})
Row = dict[str, Any]


class Shelf(Objects):
    """A bucket in memory."""

    def __init__(self, bodies: Mapping[str, bytes]) -> None:
        super().__init__("shelf")
        self.bodies = bodies
        self.asked: list[str] = []

    def get_unless_gone(self, key: str) -> bytes | None:
        """As S3 would answer."""
        self.asked.append(key)
        return self.bodies.get(key)


def invented(chance: random.Random, table: lake.DailyTable, day: date) -> Row:
    """A row of the daily table, of small numbers."""
    row: Row = {"day": day}
    row |= {name: chance.choice(VALUES[name]) for name in table.dimensions if name in VALUES}
    row |= {name: chance.choice([0, 0, 1, 7]) for name in table.measures}
    if table == lake.EXPERIENCE and chance.random() < 0.3:
        row |= dict.fromkeys(lake.EXPERIENCED)  # linked to no interaction
    elif table == lake.EXPERIENCE:
        row["entered_on"] = str(day - timedelta(days=chance.choice([0, 0, 1, 30, 100])))
    if table in (lake.SCORES, lake.EXPERIENCE):
        row["metric"], row["scale"] = chance.choice(SCALES)
        low, high = (int(end) for end in row["scale"].split("-"))
        row |= dict.fromkeys(lake.SCORE_COUNTS, 0)
        row[lake.SCORE_COUNTS[chance.randint(low, high)]] = chance.randint(1, 3)
    if table == lake.INTERACTIONS and row["currency"] is None:
        row |= {"revenue": 0, "with_revenue": 0}
    return row


def table_of(table: lake.DailyTable, rows: Sequence[Row]) -> pa.Table:
    schema = tenant_year.schema(table, ROLLUPS[table.name][0])
    return pa.table(
        {field.name: pa.array([row[field.name] for row in rows], field.type) for field in schema},
        schema=schema,
    )


@dataclass(frozen=True)
class Lake:
    """The rows of one tenant as one object a year, and once more in several parts."""

    whole: Mapping[str, bytes]
    parts: Mapping[str, bytes]
    whole_states: Mapping[str, Mapping[int, YearState]]
    part_states: Mapping[str, Mapping[int, YearState]]


def invent(seed: int, size: int, tables: Sequence[lake.DailyTable]) -> Lake:
    """Random rows, divided at random: a day's rows are in the newest part that has the day."""
    chance = random.Random(seed)
    span = (LAST - FIRST).days
    layout: report_parts.Layout = chance.choice(["now", "now", "of before"])
    whole: dict[str, bytes] = {}
    parts: dict[str, bytes] = {}
    whole_states: dict[str, dict[int, YearState]] = {}
    part_states: dict[str, dict[int, YearState]] = {}
    for table in tables:
        rows = [
            invented(chance, table, FIRST + timedelta(days=chance.randint(0, span)))
            for _ in range(size)
        ]
        for year in sorted({row["day"].year for row in rows}):
            its_rows = [row for row in rows if row["day"].year == year]
            its_days = sorted({row["day"] for row in its_rows})
            laid = report_parts.lay(
                table, "acme", year, [(its_days, table_of(table, its_rows))], layout="cube alone"
            )
            whole |= laid.bodies
            whole_states.setdefault(table.name, {})[year] = laid.state
            divided_rows = divided(chance, table, its_rows)
            laid = report_parts.lay(table, "acme", year, divided_rows, layout=layout)
            parts |= laid.bodies
            part_states.setdefault(table.name, {})[year] = replace(
                laid.state, first_day=its_days[0]
            )
    return Lake(whole, parts, whole_states, part_states)


def divided(
    chance: random.Random, table: lake.DailyTable, rows: Sequence[Row]
) -> list[tuple[set[date], pa.Table]]:
    """One to three parts, the newest first, the older ones with rows of days that are replaced."""
    left = {row["day"] for row in rows}
    made: list[tuple[set[date], list[Row]]] = []
    for last in ([True], [False, True], [False, False, True])[chance.randint(0, 2)]:
        some = set(left) if last else {day for day in sorted(left) if chance.random() < 0.2}
        newer = sorted({day for its_days, _ in made for day in its_days})
        stale = {day for day in newer if chance.random() < 0.5}
        kept = [row for row in rows if row["day"] in some]
        kept += [invented(chance, table, day) for day in sorted(stale) for _ in range(2)]
        made.append((some | stale, kept))
        left -= some
    return [(its_days, table_of(table, kept)) for its_days, kept in made]


def reply(report: str, query: str, states: Any, shelf: Shelf) -> tuple[str, Plan]:
    entry = with_own(REPORTS[report], own_dimensions([TENANT]))
    tenant = replace(TENANT, tables={n: TableState(y) for n, y in states.items()})
    plan = plan_of(entry, parse(pairs(query), entry), [tenant], SECRET)
    needs = needs_of(plan)
    found = [year for years in Years(shelf).read(needs) for year in years]
    return answer(plan, {"acme": found}, query).body, plan


def preferring(name: str, states: Mapping[int, YearState]) -> dict[int, YearState]:
    """The states whose parts have the cube and this object, if it was made: the smaller one."""

    def smaller(part: Part) -> Part:
        kept = {known: size for known, size in part.sizes.items() if known == BOTS}
        own = {name: 1} if name in part.sizes else {}
        return replace(part, sizes={CUBE: 2**30, **own, **kept})

    return {
        year: replace(state, parts=tuple(map(smaller, state.parts)))
        for year, state in states.items()
    }


RANGES = [
    (date(2025, 1, 1), date(2026, 12, 31)),
    (date(2026, 1, 1), date(2026, 6, 30)),
    (date(2025, 11, 1), date(2026, 2, 28)),
    (date(2025, 12, 20), date(2026, 3, 10)),
    (date(2026, 2, 3), date(2026, 2, 3)),
]


@settings(max_examples=30, deadline=None)
@given(
    report=st.sampled_from(list(REPORTS)),
    seed=st.integers(0, 2**32),
    size=st.sampled_from([300, 60, 3]),
    ends=st.sampled_from(RANGES),
    granularity=st.sampled_from(days.GRANULARITIES),
    compare=st.sampled_from([None, "previous_period", "previous_year"]),
    data=st.data(),
)
def test_every_object_and_division_gives_the_same_reply(
    report: str,
    seed: int,
    size: int,
    ends: tuple[date, date],
    granularity: str,
    compare: str | None,
    data: st.DataObject,
) -> None:
    entry = with_own(REPORTS[report], own_dimensions([TENANT]))
    names = [name for name in entry.filter_names if OWN.get(name, name) in VALUES]
    columns = names if granularity == "total" else [*names, PERIOD]
    by = data.draw(st.none() | st.lists(st.sampled_from(columns), unique=True, max_size=3))
    filtered = data.draw(st.sampled_from([None, *names]))
    query = f"start_date={ends[0]}&end_date={ends[1]}&granularity={granularity}"
    if by:
        query += f"&group_by={','.join(by)}"
    if compare:
        query += f"&compare={compare}"
    if filtered:
        value = data.draw(st.sampled_from(VALUES[OWN.get(filtered, filtered)]))
        query += f"&{filtered}={'!' if data.draw(st.booleans()) else ''}{value or lake.NOT_GIVEN}"
    if data.draw(st.booleans()):
        query += "&subtotals=true"
    if entry.entered_on and data.draw(st.booleans()):
        query += "&date_basis=entered"
    found = invent(seed, size, entry.tables)
    expected, asked = reply(report, query, found.whole_states, Shelf(found.whole))
    shelf = Shelf(found.parts)
    for place in range(max(len(ROLLUPS[table.name]) for table in entry.tables)):
        preferred = {
            table.name: ROLLUPS[table.name][min(place, len(ROLLUPS[table.name]) - 1)]
            for table in entry.tables
        }
        states = {
            name: preferring(preferred[name].name, years)
            for name, years in found.part_states.items()
        }
        shelf.asked.clear()
        told, again = reply(report, query, states, shelf)
        assert told == expected
        assert identity.etag(again) == identity.etag(asked)
        check_reading(shelf.asked, again, preferred, states)


def check_reading(
    asked: Sequence[str],
    plan: Plan,
    preferred: Mapping[str, Rollup],
    states: Mapping[str, Mapping[int, YearState]],
) -> None:
    """At most one object of each part was read, and where it covers the question, the smaller.

    Beside one that leaves bots out that of bots was read, where there is one, and never otherwise.
    """
    folders = [key.rpartition("/")[0] for key in asked if not key.endswith(f"/{BOTS}.parquet")]
    assert len(folders) == len({*folders})
    parts = {
        lake.part_prefix(table, "acme", year, part.run).removesuffix("/"): part
        for table in plan.tables
        for year, state in states.get(table.name, {}).items()
        for part in state.parts
    }
    for key in asked:
        folder, _, name = key.rpartition("/")
        if folder in parts:
            with_bots = parts[folder].sizes.get(BOTS, 0) > 0 and f"{folder}/{CUBE}.parquet" != key
            assert (f"{folder}/{BOTS}.parquet" in asked) == with_bots, name
    for needs in needs_of(plan):
        smaller = preferred[needs.table.name]
        of_table = f"reports/{needs.table.name}/"
        names = {key.rpartition("/")[2] for key in asked if key.startswith(of_table)}
        names -= {f"{BOTS}.parquet"}
        years = states[needs.table.name].values()
        leaves_bots_out = all(part.leaves_bots_out for state in years for part in state.parts)
        dimensions = needs.dimensions_of_people if leaves_bots_out else needs.dimensions
        if not dimensions <= {*smaller.dimensions}:
            assert names <= {f"{CUBE}.parquet"}
        elif {*smaller.dimensions} & {*needs.table.slots}:  # which not every part has
            assert names <= {f"{smaller.name}.parquet", f"{CUBE}.parquet"}
        elif smaller.grain == "day":
            assert names <= {f"{smaller.name}.parquet"}
        elif not needs.months:
            assert names <= {f"{CUBE}.parquet"}
