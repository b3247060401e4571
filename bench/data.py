"""Made-up responses, as write_raw stores them: the same seed and day give the same rows.

200 tenants share them by Zipf's law, so that of 20 million a year the largest has 3.4 million.
Days are made one at a time with numpy, a million rows in seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from pulse import days, lake
from pulse.raw.parquet import schema
from pulse.streams.responses import CHANNELS

TENANTS = tuple(f"tenant-{number:03d}" for number in range(1, 201))
"""The tenants, those with the most responses first."""
SURVEYS = (("csat", "1-5"), ("nps", "0-10"), ("ces", "1-7"), ("csat", "1-5"))
"""Metric and scale of each of a tenant's surveys."""
SHARE_WITH_COMMENTS = 0.2
"""The share of the answers that have a comment."""
AGENTS = 40
SENT_AGAIN = 100
"""One response in so many is sent twice. It must be counted once."""
OBJECT_ROWS = 500_000
"""The most rows of an object, as compaction leaves them: many small ones slow scans down."""

_SEED = 20_261_122
_ULID = np.frombuffer(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", np.uint8)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
COUNTRIES = ("DE", "US", "GB", "FR", "NL", "AT", "CH", "ES", "IT", "PL", "SE", "DK", "NO", "FI")
CLIENTS = (
    ("Chrome", "Windows", "desktop"),
    ("Chrome Mobile", "Android", "mobile"),
    ("Mobile Safari", "iOS", "mobile"),
    ("Safari", "Mac OS X", "desktop"),
    ("Edge", "Windows", "desktop"),
    ("Firefox", "Windows", "desktop"),
    ("Firefox", "Ubuntu", "desktop"),
    ("Samsung Internet", "Android", "mobile"),
    ("Mobile Safari", "iOS", "tablet"),
    ("Chrome", "Chrome OS", "desktop"),
)
_WORDS = (
    "thanks",
    "quick",
    "answer",
    "friendly",
    "waited",
    "long",
    "solved",
    "late",
    "again",
    "no",
)

Generator = np.random.Generator
Numbers = npt.NDArray[Any]


def tenant_of_size(rows: int, of: int) -> str:
    """The tenant with about `rows` of all `of` responses."""
    return TENANTS[int(np.abs(zipf(len(TENANTS)) - rows / of).argmin())]


@cache
def zipf(size: int) -> Numbers:
    """Probabilities by Zipf's law: the second is half as likely as the first, and so on."""
    weights = 1 / np.arange(1, size + 1)
    return np.asarray(weights / weights.sum())


@dataclass(frozen=True)
class Responses:
    """A number of responses, spread evenly over days."""

    rows: int
    first_day: date
    days: int
    tenants: tuple[str, ...] = TENANTS

    @property
    def dates(self) -> list[date]:
        """The days, in order."""
        return [self.first_day + timedelta(days=number) for number in range(self.days)]

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """The objects of raw, each as its key and its bytes."""
        for number, day in enumerate(self.dates):
            size = self.rows * (number + 1) // self.days - self.rows * number // self.days
            table = responses_of(day, size, self.tenants)
            for start in range(0, size, OBJECT_ROWS):
                name = f"{days.EPOCH:%Y}{start:022d}"  # as long as a ULID, and the same each time
                body = _encode(table.slice(start, OBJECT_ROWS))
                yield lake.raw_key("responses", day, name), body

    def write(self, folder: Path) -> int:
        """Write the objects into a folder, under their keys; return how many bytes they have."""
        total = 0
        for key, body in self.objects():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            total += path.write_bytes(body)
        return total


def responses_of(day: date, size: int, tenants: Sequence[str] = TENANTS) -> pa.Table:
    """`size` rows of a day with raw's columns, sorted by tenant, survey, kind of key and id."""
    rng = np.random.default_rng([_SEED, day.toordinal(), size])
    again = size // SENT_AGAIN
    table = _once(rng, day, size - again, tenants)
    table = pa.concat_tables([table, _sent_again(rng, table.slice(0, again))])
    order = ("tenant", "survey", "key_kind", "response_id", "received_us")
    return table.sort_by([(name, "ascending") for name in order])


def _once(rng: Generator, day: date, size: int, tenants: Sequence[str]) -> pa.Table:
    """Rows of which no two have the same identity."""
    tenant = rng.choice(len(tenants), size, p=zipf(len(tenants)))
    survey = rng.integers(0, len(SURVEYS), size)
    client = rng.choice(len(CLIENTS), size, p=zipf(len(CLIENTS)))
    answered = days.to_us(days.EPOCH) + (day - days.EPOCH.date()).days * days.DAY
    answered_us = answered + rng.integers(0, days.DAY, size)
    scales = np.array([_range_of(scale) for _, scale in SURVEYS])[survey]
    agent = rng.integers(0, AGENTS, size)
    columns = {
        "tenant": _labels(tenant, tenants),
        "survey": _labels(survey, [f"survey-{number}" for number in range(len(SURVEYS))]),
        "metric": _labels(survey, [metric for metric, _ in SURVEYS]),
        "scale": _labels(survey, [scale for _, scale in SURVEYS]),
        "response_id": _texts(rng, _ULID, size, 26),
        "key_kind": _labels((rng.random(size) < 0.3).astype(int), ("publishable", "secret")),
        "answered_us": pa.array(answered_us),
        "received_us": pa.array(answered_us + rng.integers(0, 5 * days.SECOND, size)),
        "content_hash": _texts(rng, _HEX, size, 32),
        "score": pa.array(rng.integers(scales[:, 0], scales[:, 1] + 1, dtype=np.int32)),
        "channel": _labels(rng.choice(3, size, p=(0.3, 0.5, 0.2)), CHANNELS),
        "agent": _labels(agent, [f"agent-{number:02d}" for number in range(AGENTS)]),
        "agent_name": _labels(agent, [f"Agent {number:02d}" for number in range(AGENTS)]),
        "customer": _some(rng, 0.7, _numbered("customer", rng.integers(0, 1_000_000, size))),
        "interaction": _some(rng, 0.5, _numbered("case", rng.integers(0, 10**8, size))),
        "comment": _some(
            rng, SHARE_WITH_COMMENTS, _labels(rng.integers(0, 5_000, size), _comments())
        ),
        "tags": _tags(rng, size),
        "country": _labels(rng.choice(len(COUNTRIES), size, p=zipf(len(COUNTRIES))), COUNTRIES),
        **{
            name: _labels(client, [row[place] for row in CLIENTS])
            for place, name in enumerate(("browser", "os", "device"))
        },
        "key_id": _labels(tenant, [f"{number:012x}" for number in range(len(tenants))]),
        "linkable": pa.nulls(size, pa.bool_()),  # as of surveys that link signed answers alone
        **dict.fromkeys(lake.TAG_SLOTS, pa.nulls(size, pa.string())),  # as of most tenants
    }
    wanted = schema(lake.SCORES.raw_columns)
    return pa.table({name: columns[name] for name in wanted.names}).cast(wanted)


def _sent_again(rng: Generator, table: pa.Table) -> pa.Table:
    """The same answers, received a minute later, so that they count instead of the first ones."""
    later = pa.array(np.asarray(table["received_us"]) + 60 * days.SECOND)
    place = table.schema.get_field_index("received_us")
    return table.set_column(place, table.schema.field(place), later)


def _range_of(scale: str) -> tuple[int, int]:
    low, high = scale.split("-")
    return int(low), int(high)


def _labels(codes: Numbers, values: Sequence[str]) -> Any:
    return pa.array(values).take(_array(codes))


def _array(numbers: Numbers) -> Any:
    return pa.array(numbers)


def _numbered(prefix: str, numbers: Numbers) -> Any:
    return pa.array(np.char.add(f"{prefix}-", numbers.astype(str)))


def _texts(rng: Generator, alphabet: Numbers, size: int, length: int) -> Any:
    """Random texts of one length, made as the buffers that Arrow keeps texts in."""
    letters = alphabet[rng.integers(0, len(alphabet), size * length, dtype=np.uint8)]
    offsets = np.arange(size + 1, dtype=np.int32) * length
    return pa.StringArray.from_buffers(
        size, pa.py_buffer(offsets.tobytes()), pa.py_buffer(letters.tobytes())
    )


def _some(rng: Generator, part: float, values: Any) -> Any:
    """About that part of the values, and null instead of the others."""
    return pa.compute.if_else(pa.array(rng.random(len(values)) < part), values, None)


def _tags(rng: Generator, size: int) -> Any:
    """A map with one tag for about half of the rows, null for the others."""
    given = rng.random(size) < 0.5
    offsets = np.concatenate([[0], np.cumsum(given)]).astype(np.int32)
    total = int(offsets[-1])
    teams = _labels(rng.integers(0, 20, total), [f"team-{number}" for number in range(20)])
    names = _labels(np.zeros(total, int), ["team"])
    return pa.MapArray.from_arrays(_array(offsets), names, teams, mask=_array(~given))


@cache
def _comments() -> tuple[str, ...]:
    rng = np.random.default_rng(_SEED)
    return tuple(" ".join(rng.choice(_WORDS, rng.integers(3, 30))) for _ in range(5_000))


def _encode(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression=lake.CODEC)
    body: bytes = sink.getvalue().to_pybytes()
    return body
