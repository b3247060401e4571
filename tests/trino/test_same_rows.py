"""Every statement gives the same rows on DuckDB and on Trino, over the same lake.

Every day of the lake is a case of its own, of random rows; one execution reads them all. What
differs is a fault of the embedded engine or of the statement. Compared are the columns' names,
order and types, and every cell; of an UNLOAD the folders and the Parquet columns in them.
"""

import hashlib
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from local.athena.duck import DuckExecutor
from local.athena.engine import Caller, Engine, Outcome, Request
from local.athena.objects import Copies
from local.athena.trino import TrinoExecutor
from pulse import days, lake, sql
from pulse.comments.month import SCHEMA, Month
from pulse.days import DateRange
from pulse.filters import Condition
from pulse.serve.comments.narrowing import Narrowing
from pulse.serve.distributed_sql import Wanted
from pulse.sql import spread, statement
from pulse.store.athena import statement_text
from pulse.store.catalog import Catalog, Partition
from pulse.store.clients import client
from pulse.store.objects import Objects
from pulse.streams.interactions import MEDIA_TYPES
from pulse.tombstones import customer_hash, identity_hash, interaction_hash, prefix
from tests.documents import DOCS, texts
from tests.driver import Driver, running
from tests.lake_objects import body
from tests.recipes import views

NOON = datetime(2024, 11, 21, 12, tzinfo=UTC)
DAYS = [date(2024, 11, day) for day in (1, 2, *range(5, 15))]
EMPTY_DAYS = [date(2024, 10, 1), date(2024, 10, 2)]
TENANTS = ("acme", "globex")
MOMENT_US = days.to_us(datetime(2024, 11, 1, 12, tzinfo=UTC))
FAR_US = 2**61
"""A number of microseconds whose differences still fit into a bigint."""
TEXTS = (
    "", " ", "a", "A", "a ", "ß", "İ", "ı", "é", "e\u0301", "日本", "😀", "\U0010ffff", "\ufffd",
    "it's", '"', "\\", "a\nb", "\r\n", "\t", "a\x00b", "%_", "'; DROP TABLE t --", "(other)", "=1",
    "-", "null", "NULL", "NaN", "1e5", "__HIVE_DEFAULT_PARTITION__", "a|b", "\u202e", "?", ":day",
)  # fmt: skip
CHOICES: Mapping[str, Sequence[Any]] = {
    "tenant": (*TENANTS, "other"),
    "survey": ("s1", "s 2", "ü"),
    "metric": ("csat", "nps", "ces"),
    "scale": ("1-5", "0-10", "1-7:low", "1-5:good5"),
    "response_id": ("r1", "r2", "ü|r", "'r'"),
    "interaction_id": ("i1", "i2", "ü|i", "'i'"),
    "interaction": ("i1", "i2", "ü|i", None),
    "session_id": ("x1", "x2", "x3"),
    "key_kind": ("secret", "publishable"),
    "media_type": MEDIA_TYPES,
    "key_id": ("k1", "k2", None),
    "currency": ("EUR", "CHF"),
}
STATEMENTS = sorted(
    (path.parent.name, path.stem)
    for path in Path(sql.__file__).parent.rglob("*.sql")
    if path.stem != "linked"  # it reads what the statements name that it is a part of
)
UNLOADED = {"daily": "dt", "exports": "dt", "large": "dt", "reports": "bucket"}
"""Whose rows go to Parquet objects, and by what."""
VERSION = ("content_hash", "received_us", "key_id")
"""What does not belong to the contents that the hash is of."""
NUMBERS = count(1)
SEED = int(os.environ.get("PULSE_SEED") or 1)
"""Of the random rows: PULSE_SEED=… gives others."""


# ---- a lake with random rows


def cell(chance: random.Random, name: str, kind: str) -> Any:
    """A value of a column; often an odd one, often none."""
    if name in CHOICES:
        return chance.choice(CHOICES[name])
    if name.endswith("_us"):
        if name in ("entered_us", "updated_us", "received_us", "answered_us"):
            return MOMENT_US + chance.choice((0, 1, -1, 10**6, chance.randrange(10**10)))
        if name in (*lake.INTERACTIONS.measures, *lake.SESSIONS.measures):  # which are summed
            return chance.choice((0, 1, 10**12, 2**53 + 1, chance.randrange(10**9)))
        moment = MOMENT_US + chance.randrange(-(10**9), 10**9)
        return chance.choice((None, None, moment, MOMENT_US, FAR_US, -FAR_US))
    match kind:
        case "boolean":
            return chance.choice((None, False, True))
        case "int":
            return (
                chance.choice((0, 1, 5, 10))
                if name == "score"
                else chance.choice((None, 0, 2**31 - 1))
            )
        case "bigint":
            return 2**53 + 1 if chance.random() < 0.02 else chance.choice((0, 1, 7, 10**12))
        case "map<string,string>":
            return chance.choice((None, [], [("k", None)], [("k", "v"), ("ü", "")]))
        case "string":
            return chance.choice((None, *TEXTS))
    digits, scale = (int(n) for n in kind.removeprefix("decimal(").rstrip(")").split(","))
    largest = 10 ** min(digits, 30) - 1
    number = chance.choice((None, 0, 1, -1, 12_345, largest, -largest))
    if name in lake.INTERACTIONS.measures:
        number = number or 0
    return None if number is None else Decimal(number).scaleb(-scale)


def rows(seed: str, columns: Mapping[str, str], how_many: int) -> list[dict[str, Any]]:
    """Rows, some of them twice; equal hashes are those of equal contents.

    Some columns have one value in all of them, so that there are ties of every kind.
    """
    chance = random.Random(f"{SEED} {seed}")
    same = {n: cell(chance, n, kind) for n, kind in columns.items() if chance.random() < 0.2}
    found = []
    for _ in range(how_many):
        row = {name: cell(chance, name, kind) for name, kind in columns.items()} | same
        if "currency" in row and "revenue" in row and row["revenue"] is None:
            row["currency"] = None
        if "content_hash" in row:
            told = {
                k: v for k, v in row.items() if k not in ("content_hash", "received_us", "key_id")
            }
            row["content_hash"] = hashlib.sha256(repr(told).encode()).hexdigest()
        found += [row] * chance.choice((1, 1, 1, 2))
    return found


@dataclass
class Both:
    """The two engines over one lake, and what to ask them with."""

    pulse: Driver
    duck: Engine
    trino: Engine
    run: str

    def ask(self, text: str, engine: Engine, given: Sequence[str] = ()) -> Outcome:
        settings = self.pulse.settings
        output = f"s3://{settings.lake_bucket}/results/"
        request = Request(f"q{next(NUMBERS)}", text, tuple(given), settings.database, output)
        access_key = os.environ["AWS_ACCESS_KEY_ID"]
        return engine.run(request, Caller(access_key, client("s3"), client("glue")))

    def select(self, text: str, given: Sequence[str] = ()) -> Outcome:
        """The result of a SELECT, which is the same on both; `given` stand for its `?`."""
        ours, theirs = self.ask(text, self.duck, given), self.ask(text, self.trino, given)
        assert kind_of(ours) == kind_of(theirs), (ours.reason, theirs.reason)
        assert columns(ours) == columns(theirs)
        assert ordered(ours.rows) == ordered(theirs.rows)
        return theirs

    def unload(self, text: str, by: str) -> dict[str, pa.Table]:
        """The objects of an UNLOAD by folder, which are the same of both."""
        written = []
        for engine in (self.duck, self.trino):
            place = f"unloaded/{next(NUMBERS)}/"
            target = f"s3://{self.pulse.settings.lake_bucket}/{place}"
            outcome = self.ask(
                f"UNLOAD (\n{text}\n) TO '{target}' WITH (format = 'PARQUET', "
                f"compression = 'SNAPPY', partitioned_by = ARRAY['{by}'])",
                engine,
            )
            assert outcome.reason is None
            written.append(self.folders(place))
        ours, theirs = written
        assert ours.keys() == theirs.keys()
        for folder, table in ours.items():
            assert table.schema.names == theirs[folder].schema.names
            assert table.schema.types == theirs[folder].schema.types
            assert ordered(cells(table)) == ordered(cells(theirs[folder])), folder
        return theirs

    def folders(self, place: str) -> dict[str, pa.Table]:
        found: dict[str, list[pa.Table]] = {}
        for key in sorted(self.pulse.objects(place)):
            table = parquet.ParquetFile(pa.BufferReader(self.pulse.read(key))).read()
            found.setdefault(key.removeprefix(place).split("/")[0], []).append(
                table.replace_schema_metadata(None)
            )
        return {folder: pa.concat_tables(tables) for folder, tables in found.items()}


def kind_of(outcome: Outcome) -> str | None:
    return outcome.reason and outcome.reason.split(":")[0]


def columns(outcome: Outcome) -> list[tuple[str, str]]:
    return [(output.name, str(output.type)) for output in outcome.outputs]


def ordered(found: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """The rows in an order that is the same whoever gives them."""
    return sorted(found, key=repr)


def cells(table: pa.Table) -> list[list[Any]]:
    return [list(row.values()) for row in table.to_pylist()]


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """The template's tables: for each day raw rows in two objects, and published daily rows."""
    print(f"PULSE_SEED={SEED} gives these rows again")  # noqa: T201 - shown where a test fails
    with days.clock(lambda: NOON), running() as pulse:
        settings, run = pulse.settings, lake.ulid(NOON)
        objects, catalog = Objects(settings.lake_bucket), Catalog(settings.database)
        for number, dataset in enumerate(lake.DATASETS):
            for place, day in enumerate(DAYS):
                for half in range(2):
                    found = rows(f"raw {number} {place} {half}", dataset.raw_columns, 40)
                    key = lake.raw_key(dataset.stream, day, f"h{half}")
                    objects.put(key, body(dataset.raw_columns, found))
                found = rows(f"daily {number} {place}", dataset.daily_columns, 60)
                folder = f"{lake.run_prefix(dataset, run)}dt={day}/"
                objects.put(f"{folder}p.parquet", body(dataset.daily_columns, found))
                apart = f"{lake.large_run_prefix(dataset, 'acme', run)}dt={day}/"
                own = {n: k for n, k in dataset.daily_columns.items() if n != "tenant"}
                objects.put(f"{apart}p.parquet", body(own, found))
                partition = Partition(day, run, 1, 60)
                location = f"s3://{settings.lake_bucket}/{folder}"
                catalog.point(dataset.daily_table, {partition: location})
        for place, day in enumerate(DAYS):
            columns = lake.EXPERIENCE.daily_columns
            found = rows(f"experience {place}", columns, 60)
            folder = f"{lake.run_prefix(lake.EXPERIENCE, run)}dt={day}/"
            objects.put(f"{folder}p.parquet", body(columns, found))
            location = f"s3://{settings.lake_bucket}/{folder}"
            catalog.point(lake.EXPERIENCE.daily_table, {Partition(day, run, 1, 60): location})
            apart = f"{lake.large_run_prefix(lake.EXPERIENCE, 'acme', run)}dt={day}/"
            own = {name: kind for name, kind in columns.items() if name != "tenant"}
            objects.put(f"{apart}p.parquet", body(own, found))
        copies = Copies()
        duck, trino = DuckExecutor(copies), TrinoExecutor()
        try:
            yield Both(pulse, Engine(duck, copies), Engine(trino, copies), run)
        finally:
            trino.close()
            duck.close()
            copies.remove()


def parameters(both: Both, wanted: Sequence[date]) -> dict[str, Any]:
    """Something for every name that a statement may hold."""
    named = [customer_hash("acme", text) for text in TEXTS[3:9]]
    named += [interaction_hash("acme", text) for text in ("i1", "ü|i", "a", "ß")]
    responses = [("response", "acme", str(DAYS[0]), "secret", name, "ü") for name in ("r1", "ü|r")]
    named += [identity_hash(*parts) for parts in responses]
    filters: dict[str, Any] = {}
    for name in {*lake.SCORE_DIMENSIONS, *lake.INTERACTION_DIMENSIONS, *lake.TAG_SLOTS}:
        filters |= {name: ["", "=nope", "=it's"], f"{name}_negated": True}
    filters |= {"agent": ["", "-", *(f"={text}" for text in TEXTS)], "agent_negated": False}
    return {
        "first_day": str(wanted[0]),
        "last_day": str(wanted[-1]),
        "days": [str(day) for day in wanted],
        "answered": [str(day) for day in wanted[1:]],
        "link_us": 9 * 10**9,
        "tenants": list(TENANTS),
        "tenant": "acme",
        "run": both.run,
        "runs": [both.run],
        "pairs": [f"{both.run}/{day}" for day in wanted],
        "newest": [f"{both.run}/{day}" for day in wanted],
        "compared": 2,
        "everybody": False,
        "public_values": 3,
        "synchronous": ["voice", "ü"],
        "from_us": MOMENT_US,
        "to_us": MOMENT_US + 10**9,
        "width_us": 10**6,
        "received_us": MOMENT_US + 10**8,
        "key_id": "k1",
        "customer": named[0],
        "hashes": named,
        "customers": named[:1],
        "without": [str(wanted[-1])],
        **{f"{k}_prefix": prefix(k, "acme") for k in ("customer", "interaction", "response")},
        **filters,
    }


# ---- the statements


@pytest.mark.parametrize("wanted", [DAYS, EMPTY_DAYS], ids=["rows", "no rows"])
@pytest.mark.parametrize(("folder", "name"), STATEMENTS)
def test_a_statement_of_ours_has_the_same_rows_on_both_engines(
    both: Both, folder: str, name: str, wanted: Sequence[date]
) -> None:
    text = statement_text(*spread(statement(folder, name), parameters(both, wanted), "runs"))
    by = None if name.endswith(("_changed", "comments")) else UNLOADED.get(folder)
    if by:
        written = both.unload(text, by)
        assert bool(written) == (wanted == DAYS)
    else:
        outcome = both.select(text)
        assert outcome.reason is None
        assert outcome.rows or wanted == EMPTY_DAYS
        if name.endswith("_on_two_days"):
            assert outcome.rows == both.ask(text, both.duck).rows  # in its order


QUESTIONS: Sequence[tuple[str, tuple[str, ...], str, Mapping[str, tuple[str | None, bool]]]] = (
    (
        "scores",
        ("agent", "metric", "scale"),
        "week",
        {"agent": ("ü", False), "browser": ("?", True)},
    ),
    ("scores", ("country",), "day", {"os": (lake.OTHER, False), "agent": (None, True)}),
    ("scores", (), "total", {}),
    ("interactions", ("media_type", "currency"), "month", {"agent": ("it's", True)}),
    ("interactions", ("agent", "customer_segment"), "total", {"currency": ("EUR", False)}),
    ("sessions", ("agent",), "day", {"media_type": ("chat", False)}),
    ("experience", ("accept", "entered_on"), "week", {"agent": ("ü", True)}),
)


@pytest.mark.parametrize(("table", "grouped", "granularity", "filters"), QUESTIONS)
def test_a_question_about_a_large_tenant_has_the_same_rows(
    both: Both,
    table: str,
    grouped: tuple[str, ...],
    granularity: str,
    filters: Mapping[str, tuple[str | None, bool]],
) -> None:
    (dataset,) = (one for one in lake.DAILY_TABLES if one.name == table)
    asked = Wanted(
        table=dataset,
        tenant="acme",
        laid={both.run: frozenset(DAYS)},
        ranges=(DateRange(DAYS[0], DAYS[6]), DateRange(DAYS[5], DAYS[-1])),
        grouped=grouped,
        filters={
            name: Condition(frozenset({value}), negated)
            for name, (value, negated) in filters.items()
        },
        granularity=granularity,
    )
    outcome = both.select(asked.statement.sql, asked.statement.parameters)
    assert outcome.reason is None
    assert outcome.rows


def comments(both: Both, day: date, *, former: bool) -> str:
    """The address of a tenant's comments of a day's month, which has a row for each text.

    Objects of former versions lack the columns of what customers went through.
    """
    objects = Objects(both.pulse.settings.lake_bucket)
    found = [
        dict.fromkeys(lake.COMMENT_COLUMNS)
        | {"day": day, "answered_us": n, "score": n % 6, "agent": ("a", "it's", None)[n % 3]}
        | {"comment": text, "tags": ({}, None, {"team": "ü"}, {"team": "it's", "x": "y"})[n % 4]}
        | ({} if former else {"accept": ("late", None)[n % 2], "handled_by": ("a", None)[n % 2]})
        for n, text in enumerate(WRITTEN)
    ]
    body = Month(pa.Table.from_pylist(found, SCHEMA), {day: 1}).encode()
    if former:
        sink = pa.BufferOutputStream()
        rows = parquet.read_table(pa.BufferReader(body)).drop_columns([*lake.COMMENT_EXPERIENCE])
        parquet.write_table(rows, sink, compression=lake.CODEC)
        body = sink.getvalue().to_pybytes()
    for tenant in ("acme", "globex"):
        objects.put(lake.comments_key(tenant, day), body)
    return f"s3://{objects.bucket}/{lake.comments_key('acme', day)}"


WRITTEN = (
    *("App", "the ÄPP", "appétit 👍", "A\u0308pp", "Straße", "STRASSE", "ẞ", "x² ½ …", "日本語"),
    *("", " ", "it's", "?", "%", "\\", "a\tb\nc", "ёлка ЁЛКА", "한국", "\u0345", "ΣΟΦΟΣ", "ガ"),
    *("".join(chr(first + n) for n in range(64)) for first in range(0x20, 0x2800, 64)),
)


@pytest.mark.parametrize(
    ("held", "tags", "filters", "scores"),
    [
        (("app",), (), {}, ()),
        (("e", "ελ"), (), {}, (1, 2, 3)),
        (("?", "'"), ("team", "x"), {"agent": Condition(frozenset({"it's", None}))}, ()),
        ((), ("it's",), {"agent": Condition(frozenset({None}), negated=True)}, (5,)),
        (("app",), (), {"accept": Condition(frozenset({"late"}))}, ()),
        ((), (), {"handled_by": Condition(frozenset({None}))}, (1, 2)),
    ],
)
def test_comments_are_narrowed_to_the_same_rows(
    both: Both,
    held: Sequence[str],
    tags: Sequence[str],
    filters: Mapping[str, Condition],
    scores: Sequence[int],
) -> None:
    dates = (date(2024, 10, 31), date(2024, 11, 5))
    paths = [(f"{day:%Y-%m}", comments(both, day, former=day == dates[0])) for day in dates]
    asked = Narrowing(paths, DateRange(*dates), filters, tags, scores, held)
    statement = asked.statement(10_000)
    outcome = both.select(statement.sql, statement.parameters)
    assert outcome.reason is None
    assert outcome.rows
    executor = both.trino.executor
    assert isinstance(executor, TrinoExecutor)
    sizes = Objects(both.pulse.settings.lake_bucket).sizes(lake.COMMENTS)
    ours = sum(size for key, size in sizes.items() if "tenant=acme." in key)
    # as each of the two halves reads them, and nothing of the other tenant
    assert executor.effort.read_bytes <= 2 * ours


@pytest.mark.parametrize("view", views())
def test_a_view_of_the_recipes_has_the_same_rows_on_both_engines(both: Both, view: str) -> None:
    outcome = both.select(views()[view])
    assert outcome.reason is None
    assert outcome.rows


def test_the_query_in_the_documentation_of_the_api_has_the_same_rows(both: Both) -> None:
    [shown] = texts(DOCS / "api.md", "sql")
    here = {"demo": "acme", "2026-10-01": "2024-11-01", "2026-10-31": "2024-11-30"}
    for written, ours in here.items():
        assert written in shown
        shown = shown.replace(written, ours)
    outcome = both.select(shown)
    assert outcome.reason is None
    assert outcome.rows
