"""Measures comments: a month of a typical tenant, and searches over a year of the largest one.

DuckDB reads one local Parquet file of the same rows, and compares letters alone. Pulse reads a
month's object each from an S3 that takes its time, looks at whole words, and lays out a page.
"""

import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bench import slow_s3
from bench.account import deployed
from bench.data import SHARE_WITH_COMMENTS
from bench.measure import Goal, Scale, Section, Taken, milliseconds, worked_in_turns
from pulse import days, lake
from pulse.comments.month import SCHEMA, Month
from pulse.days import DateRange
from pulse.serve.comments import comments_query
from pulse.serve.comments.comments_query import CommentsQuery
from pulse.serve.comments.found import Narrowed, read, shown, too_many
from pulse.store.objects import Objects
from pulse.tenants.keys import Key

BUCKET = "comments"
DELAY_MS = 25
YEAR = 2025
_ROUNDS_LESS = 5
_SHARE_LINKED = 2 / 3
_KEY = Key("0" * 64, "secret", None, 0)
_MOST_TIMES_DUCKDB = 3.0
_MOST_TIMES_A_GET = 2.0
_TEXT = (
    "der die und zu lange gewartet Rückruf Lieferung kam spät die App stürzt ab immer wieder "
    "Retoure freundlich schnell gut Mitarbeiter Anliegen gelöst Übersicht fehlt Größe Straße the "
    "agent was very helpful waiting time too long price package broken thanks"
)
_SEARCHES = {
    "a word of a third of the comments": ("rückruf", "%ruckruf%"),
    "a phrase of hardly any": ('"zu lange gewartet"', "%zu lange gewartet%"),
    "a word of none": ("nirgends", "%nirgends%"),
}
"""By what they look for: the search as Pulse takes it, and the pattern for DuckDB."""


def run(scale: Scale) -> Section:
    """Measure the comments of a month, and each search over a year."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulse-bench-")))
        typical = int(scale.typical_rows * SHARE_WITH_COMMENTS)
        largest = int(scale.largest_rows * SHARE_WITH_COMMENTS)
        store(root / BUCKET, "typical", typical)
        store(root / BUCKET, "largest", largest, root / "largest.parquet")
        endpoint_url = stack.enter_context(slow_s3.serving(root, DELAY_MS))
        stack.enter_context(deployed(AWS_ENDPOINT_URL_S3=endpoint_url))
        return _part(scale, largest, root / "largest.parquet")


def store(bucket: Path, tenant: str, comments: int, whole: Path | None = None) -> None:
    """Put a year of a tenant's comments, an object a month; with `whole` also as one file."""
    rng = random.Random(comments)  # noqa: S311 - made-up data, the same each time
    months = []
    for number in range(1, 13):
        first = date(YEAR, number, 1)
        rows = _rows(rng, first, comments // 12)
        months.append(rows)
        path = bucket / lake.comments_key(tenant, first)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Month(rows, {first: days.noon(first, "UTC")}).encode())
    if whole:
        pq.write_table(pa.concat_tables(months), whole, compression=lake.CODEC)


def _rows(rng: random.Random, first: date, count: int) -> pa.Table:
    words = _TEXT.split()
    day = [first + timedelta(days=number * 28 // count) for number in range(count)]
    columns: dict[str, Any] = {
        "day": pa.array(day, pa.date32()),
        "answered_us": [days.noon(each, "UTC") + number for number, each in enumerate(day)],
        "response_id": [f"{rng.getrandbits(80):020x}" for _ in day],
        "key_kind": ["secret"] * count,
        "survey": rng.choices(("email", "chat"), k=count),
        "metric": ["nps"] * count,
        "scale": ["0-10"] * count,
        "score": rng.choices(range(11), k=count),
        "channel": rng.choices(("ticket", "chat", "external"), k=count),
        "agent": [f"agent-{rng.randrange(400):03d}" for _ in day],
        "country": rng.choices(("DE", "AT", "CH"), k=count),
        "interaction": [f"case-{rng.getrandbits(40):010x}" for _ in day],
        "comment": [" ".join(rng.choices(words, k=rng.randint(5, 25))) for _ in day],
        **_gone_through(rng, day),
    }
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(count, field.type)
        for field in SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _gone_through(rng: random.Random, days_of: Sequence[date]) -> dict[str, list[str | None]]:
    """What each customer went through: two answers of three are linked to an interaction."""
    linked = [rng.random() < _SHARE_LINKED for _ in days_of]

    def told(values: Sequence[str | None]) -> list[str | None]:
        return [rng.choice(values) if is_linked else None for is_linked in linked]

    entered = [str(day - timedelta(days=rng.randrange(4))) for day in days_of]
    return {
        **{name: told(values) for name, values in lake.COMMENT_EXPERIENCE.items() if values},
        "media_type": told(("voice", "chat", "email")),
        "customer_segment": told(("private", "business", "gold", None)),
        "service_type": told(("billing", "delivery", "returns", None)),
        "handled_by": told([f"agent-{number:03d}" for number in range(400)]),
        "entered_on": [day if link else None for day, link in zip(entered, linked, strict=True)],
    }


def _never(
    tenant: str, keys: Sequence[str], dates: DateRange, asked: CommentsQuery, most: int
) -> Narrowed:
    """Stands for Athena, which is not asked about so few."""
    raise too_many(most)


def _part(scale: Scale, comments: int, whole: Path) -> Section:
    lake_of = Objects(BUCKET, fail_fast=True)
    key = lake.comments_key("typical", date(YEAR, 6, 1))
    june = DateRange(date(YEAR, 6, 1), date(YEAR, 6, 30))
    year = DateRange(date(YEAR, 1, 1), date(YEAR, 12, 31))
    connection = duckdb.connect()
    connection.execute("SET threads = 1")  # as many as a function of 2 GB has, nearly

    def ours(tenant: str, within: DateRange, text: str) -> Callable[[], int]:
        def page() -> int:
            asked = comments_query.parse(
                [("q", text)] if text else [], comments_query.COMMENTS, _KEY
            )
            found = read(lake_of, tenant, within, asked, 5, _never)
            list(shown(found.rows.slice(0, comments_query.DEFAULT_SHOWN)))
            return len(found.rows)

        return page

    def theirs(pattern: str) -> Callable[[], int]:
        found = (
            f"SELECT *, count(*) OVER () FROM '{whole}' "  # noqa: S608 - our own file
            f"WHERE strip_accents(lower(comment)) LIKE '{pattern}' "
            f"ORDER BY answered_us DESC LIMIT {comments_query.DEFAULT_SHOWN}"
        )

        def searched() -> int:
            page = connection.execute(found).fetchall()
            return int(page[0][-1]) if page else 0

        return searched

    single, month = "a single GET of that month", "a month of the typical tenant, its newest page"
    things: dict[str, Callable[[], object]] = {
        single: lambda: lake_of.get(key),
        month: ours("typical", june, ""),
    }
    for name, (text, pattern) in _SEARCHES.items():
        things |= {
            f"{name}: Pulse": ours("largest", year, text),
            f"{name}: DuckDB": theirs(pattern),
        }
        if things[f"{name}: Pulse"]() != things[f"{name}: DuckDB"]():
            raise RuntimeError(f"Pulse and DuckDB do not agree on {name}.")
    taken = worked_in_turns(max(1, scale.rounds // _ROUNDS_LESS), things, DELAY_MS / 1000)
    beside_a_get = taken[month].alone / taken[single].alone
    beside_duckdb = max(_times(taken, name) for name in _SEARCHES)
    rows = []
    for name, each in taken.items():
        what, _, who = name.rpartition(": ")
        times = f"{_times(taken, what):.2f}" if who == "Pulse" else ""
        if name == month:
            times = f"{beside_a_get:.2f}"
        rows.append((name, each.wall.text, milliseconds(each.processor.median), times))
    judged = comments >= 500_000
    return Section(
        title="comments",
        about=f"{comments:,} comments of a year of the largest tenant. Months are read from an S3 "
        f"that takes {DELAY_MS} ms to the first byte. DuckDB reads one local Parquet file of the "
        "same rows with one thread, for the page and the number of all that are found; it "
        "compares letters without case and accents, where Pulse looks at whole words. "
        "Times are those of the processor, a GET's with its delay.",
        header=("what", "median (p5-p95)", "processor", "times"),
        rows=tuple(rows),
        goals=(
            Goal(
                f"a month of the typical tenant takes at most {_MOST_TIMES_A_GET:.0f} times a "
                "single GET",
                f"{beside_a_get:.2f}",
                beside_a_get <= _MOST_TIMES_A_GET if judged else None,
            ),
            Goal(
                "a search over a year of the largest tenant takes at most "
                f"{_MOST_TIMES_DUCKDB:.0f} times what DuckDB takes",
                f"{beside_duckdb:.2f}",
                beside_duckdb <= _MOST_TIMES_DUCKDB if judged else None,
            ),
        ),
    )


def _times(taken: dict[str, Taken], search: str) -> float:
    """How many times as long as DuckDB Pulse takes for a search."""
    own, others = (taken[f"{search}: {who}"].processor.median for who in ("Pulse", "DuckDB"))
    return own / others
