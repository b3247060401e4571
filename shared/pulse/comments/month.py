"""A tenant's comments of a calendar month: one Parquet object in the lake.

The object is replaced by one conditional PUT, so a reader gets the month as it was before a build
or after it. For each day it holds as of when the day's rows were gathered, which is when the ledger
had been read: of two builders the one that read later prevails, whichever writes last.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pulse import formats, lake

_TYPES: Mapping[str, pa.DataType] = {
    "date": pa.date32(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "string": pa.string(),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
}
SCHEMA = pa.schema([(name, _TYPES[kind]) for name, kind in lake.COMMENT_COLUMNS.items()])
_ORDER: list[tuple[str, Literal["ascending", "descending"]]] = [
    (name, "ascending") for name in ("answered_us", "response_id", "survey", "key_kind")
]
_DAYS = "pulse.days"

Moments = Mapping[date, int]
"""As of when each day of a month is (UTC, microseconds)."""


@dataclass(frozen=True)
class Month:
    """The rows, and for each day as of when it is (UTC, microseconds)."""

    rows: pa.Table = field(default_factory=SCHEMA.empty_table)
    as_of_us: Moments = field(default_factory=dict)

    @classmethod
    def decode(cls, body: bytes) -> "Month":
        """The month in an object. Raises NewerFormatError if only a newer version can read it."""
        file = pq.ParquetFile(pa.BufferReader(body))
        moments = _moments(file.metadata)
        return cls(_in_schema(file.read(use_threads=False)), moments)

    @staticmethod
    def moments_in(end: bytes) -> Moments:
        """As of when the days of an object are, from its last bytes alone."""
        return _moments(pq.read_metadata(pa.BufferReader(end)))

    @staticmethod
    def rows_in(body: bytes) -> int:
        """How many rows an object has, without reading them."""
        rows: int = pq.read_metadata(pa.BufferReader(body)).num_rows
        return rows

    def encode(self) -> bytes:
        """The object's bytes. The same rows and moments give the same bytes."""
        days = {str(day): us for day, us in sorted(self.as_of_us.items())}
        told = formats.COMMENTS.metadata | {_DAYS: json.dumps(days)}
        sink = pa.BufferOutputStream()
        rows = self.rows.sort_by(_ORDER).replace_schema_metadata(told)
        pq.write_table(rows, sink, compression=lake.CODEC)
        body: bytes = sink.getvalue().to_pybytes()
        return body

    def replaced(self, days: Collection[date], rows: pa.Table, as_of_us: int) -> "Month":
        """The month with these rows in place of those of `days`.

        Days that it has as of a moment after `as_of_us` stay as they are.
        """
        taken = [day for day in days if not self.stands_later(day, as_of_us)]
        kept = self.rows.filter(pc.invert(_is_of(self.rows, taken)))
        joined = pa.concat_tables([kept, rows.filter(_is_of(rows, taken))])
        return Month(joined, {**self.as_of_us, **dict.fromkeys(taken, as_of_us)})

    def with_links_to(self, past: Collection[date], rows: pa.Table) -> pa.Table:
        """These rows, with the month's links to interactions of `past` days where they have none.

        Raw no longer keeps such interactions, so these links can be told by nothing else.
        """
        mine = self.rows.filter(_is_linked_to(self.rows, past))
        if not len(mine):
            return rows
        places = {row: place for place, row in enumerate(_linking(mine))}
        found = pa.array([places.get(row) for row in _linking(rows)], pa.int64())
        unlinked = pc.is_null(rows["media_type"])
        for name in lake.COMMENT_EXPERIENCE:
            told = pc.if_else(unlinked, mine[name].take(found), rows[name])
            rows = rows.set_column(rows.schema.get_field_index(name), name, told)
        return rows

    def unlinked(self, entered: Collection[date], days: Collection[date], as_of_us: int) -> "Month":
        """The month without what interactions tell that entered on these days.

        It has `days` as of this moment, unless it has them as of a later one.
        """
        theirs = _is_linked_to(self.rows, entered)
        rows = self.rows
        for name in lake.COMMENT_EXPERIENCE:
            told = pc.if_else(theirs, pa.scalar(None, pa.string()), rows[name])
            rows = rows.set_column(rows.schema.get_field_index(name), name, told)
        moments = {day: max(as_of_us, self.as_of_us.get(day, 0)) for day in days}
        return Month(rows, {**self.as_of_us, **moments})

    def stands_later(self, day: date, as_of_us: int) -> bool:
        """Whether the month has the day as of a moment after this one."""
        return self.as_of_us.get(day, 0) > as_of_us

    def has_rows_of(self, other: "Month") -> bool:
        """Whether both months have the same rows, in any order."""
        mine, others = (one.rows.sort_by(_ORDER).combine_chunks() for one in (self, other))
        return bool(mine.equals(others))


def _in_schema(rows: pa.Table) -> pa.Table:
    """The rows with the columns of a month. What an interaction tells may be missing: it is null.

    Objects of format 1 lack it.
    """
    for name in lake.COMMENT_EXPERIENCE:
        if name not in rows.schema.names:
            rows = rows.append_column(name, pa.nulls(len(rows), pa.string()))
    return rows.select(SCHEMA.names).cast(SCHEMA)


def _moments(told: Any) -> Moments:
    """Raises NewerFormatError if only a newer version can read the object."""
    metadata = told.metadata or {}
    formats.COMMENTS.check(metadata)
    days = json.loads(metadata[_DAYS.encode()])
    return {date.fromisoformat(day): us for day, us in days.items()}


def _linking(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Of each row what a link depends on, besides the interaction."""
    names = ("survey", "key_kind", "response_id", "interaction", "answered_us")
    return zip(*(rows[name].to_pylist() for name in names), strict=True)


def _is_linked_to(rows: pa.Table, entered: Collection[date]) -> Any:
    """For each row whether it is linked to an interaction that entered on one of these days."""
    return pc.is_in(rows["entered_on"], value_set=pa.array(map(str, entered), pa.string()))


def _is_of(rows: pa.Table, days: Collection[date]) -> Any:
    """For each row whether it is of one of these days."""
    return pc.is_in(rows["day"], value_set=pa.array(days, pa.date32()))
