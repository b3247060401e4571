"""The statement by which Athena makes the one roll-up that a question needs, and what is read back.

A roll-up has the sums of the question's days by the dimensions that it groups by, its filters
applied, in as few rows as tell the question's periods apart. So whatever works on a Block works on
it as on any report object, and gives the same reply byte by byte.

Text that a caller sent stands in the statement as a parameter and nowhere else. Athena takes
parameters in a WHERE alone (docs.aws.amazon.com/athena/latest/ug/
querying-with-prepared-statements.html), so what a filter is about is not among the roll-up's
columns: every row passed it, and the reader puts a value that passes in its place. Of the filtered
dimensions alone whether a value of theirs is `(other)` is told: a reply warns of it. It warns of
days, whatever the filters leave of them, hence the rows that count nothing and are marked.
"""

# ruff: noqa: S608 - this module's work is to write SQL; what is no parameter is the code's own text

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pulse import days, lake
from pulse.days import ONE_DAY, DateRange
from pulse.filters import Condition, Filters
from pulse.reports.declarations import Label
from pulse.reports.rollups import Rollup
from pulse.serve import parquet
from pulse.serve.block import Block, CountsInMemory
from pulse.serve.encoding import Encoded, Integers
from pulse.serve.needs import Needs
from pulse.serve.statements import Statement, rows_in
from pulse.serve.years import Piece
from pulse.tenants.tenant import check_tenant_id

MOST_ROWS = 1_000_000
"""A roll-up with more rows is not read: it would not fit beside the rest of a reader's memory."""
LONGEST_VALUE = 1022
"""Athena takes 1,024 characters as a parameter (botocore's model of StartQueryExecution), of which
two are the quotes; no dimension has values as long as that."""
_MARK = "mark"
_NULL = "CAST(NULL AS varchar)"
_OF_BOTS = {
    "left out": [f"({lake.DEVICE} <> '{lake.BOT}' OR {lake.DEVICE} IS NULL)"],
    "alone": [f"{lake.DEVICE} = '{lake.BOT}'"],
}
_ZEROS = {"bigint": "CAST(0 AS bigint)", "decimal(38,4)": "CAST(0 AS decimal(38, 4))"}


OfBots = Literal["counted", "told", "left out", "alone"]
"""What becomes of bots' rows. They are `told` apart whether or not devices are grouped by."""


@dataclass(frozen=True)
class Wanted:
    """One roll-up of one tenant's rows in one table."""

    table: lake.DailyTable
    tenant: str
    laid: Mapping[str, frozenset[date]]
    """Where its rows lie in the table of large tenants: for each run the days to read of it."""
    ranges: tuple[DateRange, ...]
    """The days asked for, and those that they are compared with."""
    grouped: tuple[str, ...]
    """The dimensions that are told apart."""
    filters: Filters
    granularity: str = "total"
    """Periods that are told apart; `total` for none."""
    week_start: str = "monday"
    bots: OfBots = "counted"
    entered_on: str | None = None
    """The dimension that names the days by which the question goes, if these are not the rows'."""
    entered: tuple[DateRange, ...] = ()
    """The days by which it goes then: Needs.entered."""

    @classmethod
    def of(cls, needs: Needs, laid: Mapping[str, frozenset[date]]) -> Self:
        """The roll-up that has what is needed of these days.

        Bots that are left out unasked are in it, so that they can be counted.
        """
        filters = needs.filters
        if needs.bots_left_out:
            device = filters[lake.DEVICE]
            asked = Condition(device.values - {lake.BOT}, negated=True)
            filters = {**filters, lake.DEVICE: asked}
        return cls(
            table=needs.table,
            tenant=needs.tenant.id,
            laid=laid,
            ranges=needs.ranges,
            grouped=tuple(name for name in needs.table.dimensions if name in needs.grouped),
            filters=filters,
            granularity=needs.granularity,
            week_start=needs.tenant.week_start,
            bots="told" if needs.bots_left_out else "counted",
            entered_on=needs.entered_on,
            entered=needs.entered,
        )

    @cached_property
    def statement(self) -> Statement:
        """What Athena is asked. Raises ValueError for a tenant's id that is none."""
        check_tenant_id(self.tenant)
        counted, marks = self._branches()
        names = [*self._columns, "dt", *self.table.measures, _MARK]
        measures = ", ".join(self.table.measures)
        sums = ", ".join(self._sum(name) for name in self.table.measures)
        keys = "".join(f"{name}, " for name in self._columns)
        kept = "\n    UNION ALL\n".join(branch.sql for branch in (*counted, *marks))
        sql = (
            f"SELECT {keys}CAST(day AS date) AS day, {sums}, {_MARK}\n"
            f"FROM (SELECT {keys}{self._day} AS day, {measures}, {_MARK}\n"
            f"FROM (\n{kept}\n) AS kept ({', '.join(names)})) AS told\n"
            f"GROUP BY {keys}day, {_MARK}\n"
            f"LIMIT {MOST_ROWS + 1}"
        )
        parameters = tuple(one for branch in (*counted, *marks) for one in branch.parameters)
        return Statement(sql, parameters)

    def piece(self, block: Block) -> Piece:
        """The roll-up as a reader takes it: each row has a day of a range that it counts in."""
        ranged = frozenset(day for dates in self.ranges for day in dates)
        return Piece(block, ranged, ranged)

    def block(self, objects: Sequence[bytes]) -> Block:
        """The roll-up, from the objects that the statement wrote.

        Raises TooManyRowsError where it has more rows than a reader holds.
        """
        tables = [rows_in(body) for body in objects]
        rows = sum(map(len, tables))
        if rows > MOST_ROWS:
            raise TooManyRowsError
        if not rows:
            return _without_rows(self.table)
        sink = pa.BufferOutputStream()
        pq.write_table(pa.concat_tables(tables), sink, compression="none")
        found = parquet.read(sink.getvalue().to_pybytes(), self.table, Rollup("", self._columns))
        marked: Any = pa.concat_tables(tables).column(_MARK).combine_chunks()
        mark = np.from_dlpack(marked)
        named = {*self.grouped, *self.filters, *self._columns}
        made = {name: self._column(name, found, mark) for name in named}
        return Block(self.table, found.day, _Made(made), found.counts)

    # -- the statement

    @cached_property
    def _filters(self) -> Filters:
        """Those that some value fails."""
        return {
            name: condition
            for name, condition in self.filters.items()
            if condition.values or not condition.negated
        }

    @cached_property
    def _open(self) -> tuple[str, ...]:
        """The dimensions of the question that may have `(other)` as a value."""
        asked = {*self.grouped, *self.filters}
        return tuple(
            name for name in self.table.dimensions if name in lake.OPEN_DIMENSIONS and name in asked
        )

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        """The columns of the roll-up that are dimensions."""
        return tuple(
            name
            for name in self.table.dimensions
            if name in self.grouped
            or name in self._open
            or (name == lake.DEVICE and self.bots == "told")
        )

    def _branches(self) -> tuple[list[Statement], list[Statement]]:
        """The SELECTs of the rows that count, and of those that are only marked."""
        conditions, values = where(self._filters)
        conditions += _OF_BOTS.get(self.bots, [])
        counted, marks = [], []
        for run, its_days in self.asked:
            rows = "\n        AND ".join(self._rows(run, its_days))
            select = ", ".join(
                [
                    *(self._selected(name) for name in self._columns),
                    "dt",
                    *(self._measure(name) for name in self.table.measures),
                    "CAST(0 AS bigint)",
                ]
            )
            text = f"    SELECT {select}\n    FROM {self.table.large_table}\n    WHERE {rows}"
            text += "".join(f"\n        AND {condition}" for condition in conditions)
            counted.append(Statement(text, tuple(values)))
            for number, name in self._marked:
                text = (
                    f"    SELECT DISTINCT {', '.join(self._marking(name, number))}\n"
                    f"    FROM {self.table.large_table}\n    WHERE {rows}\n"
                    f"        AND {name} = '{lake.OTHER}'"
                )
                marks.append(Statement(text, ()))
        return counted, marks

    @cached_property
    def asked(self) -> list[tuple[str, list[date]]]:
        """Each run that has days asked for, and these days. Raises ValueError for what is no run.

        What is changed by other days is no other question.
        """
        found = []
        for run, its_days in sorted(self.laid.items()):
            if not lake.is_ulid(run):
                raise ValueError(f"{run!r} is no run")
            asked = [d for d in sorted(its_days) if any(r.start <= d <= r.end for r in self.ranges)]
            if asked:
                found.append((run, asked))
        return found or [(run, []) for run in sorted(self.laid)[:1]]

    def _rows(self, run: str, asked: Sequence[date]) -> Iterator[str]:
        """Where a run's rows of the days asked for lie. Ids and days have no quotes in them."""
        yield f"tenant = '{self.tenant}'"
        yield f"run = '{run}'"
        if not asked:
            yield "dt = '1970-01-01'"
            return
        if self.entered_on:
            name = self.entered_on
            each = (f"{name} BETWEEN '{span.start}' AND '{span.end}'" for span in self.entered)
            yield f"({' OR '.join(each)})"
        spans = days.ranges(asked, len(asked))
        yield f"dt BETWEEN '{asked[0]}' AND '{asked[-1]}'"
        if len(spans) > 1:
            each = (f"dt BETWEEN '{span.start}' AND '{span.end}'" for span in spans)
            yield f"({' OR '.join(each)})"

    def _selected(self, name: str) -> str:
        if name in self.grouped:
            return name
        told = lake.BOT if name == lake.DEVICE else lake.OTHER
        return f"CASE WHEN {name} = '{told}' THEN '{told}' END"

    @cached_property
    def _day(self) -> str:
        """A day that lies in the same ranges and is shown in the same periods as the row's own."""
        if self.granularity == "day":
            return "dt"
        last = max(found.end for found in self.ranges)
        starts = {found.start for found in self.ranges}
        starts |= {found.end + ONE_DAY for found in self.ranges if found.end < last}
        if self.granularity != "total":
            for found in self.ranges:
                starts |= {*days.shown_apart(found, self.granularity, self.week_start)}
        cuts = sorted(starts)
        if len(cuts) == 1:
            return f"'{cuts[0]}'"
        whens = " ".join(f"WHEN dt < '{end}' THEN '{start}'" for start, end in pairwise(cuts))
        return f"CASE {whens} ELSE '{cuts[-1]}' END"

    @property
    def _marked(self) -> Iterator[tuple[int, str]]:
        """Dimensions of which `(other)` may be filtered out of the rows that count, numbered."""
        for number, name in enumerate(self._open, 1):
            others = [one for one in self._filters if one != name]
            own = self._filters.get(name)
            if others or (own and not own.holds(lake.OTHER)):
                yield number, name

    def _marking(self, marked: str, number: int) -> Iterator[str]:
        for name in self._columns:
            if name == marked:
                yield f"'{lake.OTHER}'"
            else:
                yield name if name == self.entered_on else _NULL
        yield "dt"
        for name in self.table.measures:
            yield self._zero(name)
        yield f"CAST({number} AS bigint)"

    def _sum(self, name: str) -> str:
        """A measure's sum; of rows from before there was such a measure it is 0."""
        return f"coalesce(sum({name}), {self._zero(name)}) AS {name}"

    def _zero(self, measure: str) -> str:
        return _ZEROS[self.table.daily_columns[measure]]

    def _measure(self, name: str) -> str:
        """A row's measure, or what said the same before there was one."""
        before = self.table.before.get(name)
        return f"coalesce({name}, {before})" if before else name

    # -- the roll-up

    def _column(self, name: str, found: Block, mark: Integers) -> Encoded:
        """A dimension of the roll-up; marked rows have a value that fails the filters."""
        condition = self._filters.get(name)
        if name in self._columns:
            read = found.columns[name]
        else:  # None stands for what has passed
            read = Encoded(np.zeros(len(mark), np.uint8), [None])
        values: list[Label] = list(read.values)
        codes = read.codes
        if condition and name not in self.grouped:
            # the value that the rows which passed have, in the place of what stands for it
            values = [_passing(condition) if value is None else value for value in values]
        failing = np.flatnonzero((mark > 0) & (mark != self._number(name)))
        if condition and len(failing):
            codes = codes.astype(np.int32)
            codes[failing] = len(values)
            values.append(_failing(condition))
        return _distinct(codes, values)

    def _number(self, name: str) -> int:
        return self._open.index(name) + 1 if name in self._open else -1


class TooManyRowsError(Exception):
    """A roll-up has more rows than a reader holds."""


@dataclass(frozen=True)
class _Made:
    """Dimensions by name, in memory."""

    columns: Mapping[str, Encoded]

    def __getitem__(self, name: str) -> Encoded:
        return self.columns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    @property
    def nbytes(self) -> int:
        """The memory that they take."""
        return sum(column.codes.nbytes for column in self.columns.values())


def _without_rows(table: lake.DailyTable) -> Block:
    nothing = {name: Encoded(np.empty(0, np.uint8), [None]) for name in table.dimensions}
    return Block(table, np.empty(0, np.int32), _Made(nothing), CountsInMemory({}))


def _distinct(codes: Integers, values: Sequence[Label]) -> Encoded:
    """The column, with None among its values and no value twice."""
    known: dict[Label, int] = {None: 0}
    places = np.array([known.setdefault(value, len(known)) for value in values], np.int32)
    return Encoded(places[codes], list(known))


def where(filters: Filters) -> tuple[list[str], list[str]]:
    """Filters of columns as conditions, and their parameters in order."""
    conditions: list[str] = []
    parameters: list[str] = []
    for name, condition in sorted(filters.items()):
        texts = sorted(value.replace("'", "''") for value in condition.values if value is not None)
        texts = [text for text in texts if len(text) <= LONGEST_VALUE]
        parameters += [f"'{text}'" for text in texts]
        among = f"{name} IN ({', '.join('?' * len(texts))})" if texts else ""
        conditions.append(_condition(name, among, condition))
    return conditions, parameters


def _condition(name: str, among: str, condition: Condition) -> str:
    """A dimension's filter; `among` holds for the texts that it names, and is empty for none."""
    names_null = None in condition.values
    if not condition.negated:
        null = f"{name} IS NULL" if names_null else ""
        return f"({' OR '.join(filter(None, (among, null))) or '1 = 0'})"
    if names_null:
        return " AND ".join(filter(None, (f"{name} IS NOT NULL", among and f"NOT {among}")))
    return f"(NOT {among} OR {name} IS NULL)" if among else "1 = 1"


def _passing(condition: Condition) -> str | None:
    """A value for which the condition holds, other than `(other)` where there is one."""
    if condition.negated:
        return _another(condition)
    return min(
        condition.values,
        key=lambda value: (value == lake.OTHER, value is None, value or ""),
        default=None,
    )


def _failing(condition: Condition) -> str | None:
    """A value for which the condition does not hold."""
    if condition.negated:
        return min(condition.values, key=lambda value: (value is None, value or ""))
    return _another(condition)


def _another(condition: Condition) -> str:
    """A text that the condition does not name."""
    text = "-"
    while text in condition.values:
        text += "-"
    return text
