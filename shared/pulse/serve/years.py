"""A tenant's years as they are read: of each part the smallest object that covers the question.

The tenant's record tells which parts there are and what they hold, and keys are computed. So
nothing is listed, nothing is asked for in vain, and all of a question's objects are fetched side by
side. Objects never change: what is in memory is asked for no more.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

import numpy as np

from pulse import lake
from pulse.days import DateRange
from pulse.errors import GoneError, UnavailableError
from pulse.filters import BOTS, PEOPLE, Filters
from pulse.reports import rollups
from pulse.reports.declarations import Label
from pulse.reports.rollups import Rollup
from pulse.serve import groups, parquet, satisfaction, unlinked
from pulse.serve.block import EPOCH_DAY, Apart, Block, Fold
from pulse.serve.encoding import Encoded, Integers
from pulse.serve.groups import Groups
from pulse.serve.needs import Needs
from pulse.serve.own_columns import OwnColumns
from pulse.store.objects import Objects
from pulse.tenants.tenant import BOTS as BOTS_APART
from pulse.tenants.tenant import CUBE, UNTOLD, Part, Tenant, YearState

BUDGET_BYTES = 400 * 2**20
_AT_ONCE = 8
_ALL_DAYS = DateRange(date.min, date.max)
_A_GET = 2**20
"""An object that has to be fetched costs as much as one in memory that is so many bytes larger."""


@dataclass(frozen=True)
class Piece:
    """The rows of one object, and which of its days count.

    `held` are all days that the object was made from, `live` those of them that count here: newer
    parts have the rows of the others. Rows of days before `by_day_from` are by month.
    """

    block: Block
    held: frozenset[date]
    live: frozenset[date]
    by_day_from: date = date.min
    leaves_bots_out: bool = False
    """True where no row is a bot's: another piece has those of bots."""

    def filters(self, asked: Filters) -> Filters:
        """The filters that rows may fail: without that of people where no row can be a bot's."""
        if asked.get(lake.DEVICE) != PEOPLE:
            return asked
        if not self.leaves_bots_out and self.block.table.tells_bots:
            return asked
        return {name: condition for name, condition in asked.items() if name != lake.DEVICE}

    def under(self, own: Mapping[str, str | None]) -> "Piece":
        """The same rows, with dimensions under other names (Needs.own)."""
        columns = OwnColumns(self.block.columns, own, len(self.block.day))
        return replace(self, block=replace(self.block, columns=columns))

    def by_day_of(self, name: str) -> "Piece":
        """The rows that count and have a value of a dimension which names days, each on that day.

        Without the days of the rows themselves: those that count are all there is.
        """
        days = None if self.live == self.held else self.dates(_ALL_DAYS)
        block = self.block.only(days, {}).by_day_of(name)
        held = frozenset(map(date.fromordinal, (np.unique(block.day) + EPOCH_DAY).tolist()))
        return replace(self, block=block, held=held, live=held, by_day_from=date.min)

    def scored(self, tenant: Tenant) -> "Piece":
        """Rows of answers as rows of the interactions whose satisfactions they stand for."""
        asked = self.filters(satisfaction.filters(tenant))
        return replace(self, block=satisfaction.satisfactions(self.block, tenant, asked))

    def unlinked(self, ranges: Iterable[DateRange]) -> "Piece":
        """Rows of scores of these days as rows of experience that nothing is linked to."""
        found = self.only(ranges, {})
        return replace(found, block=unlinked.as_experience(found.block))

    def scores_of_bots(self, tenant: Tenant) -> "Piece":
        """Of rows of answers those of bots whose scores would stand for satisfactions."""
        return replace(self, block=satisfaction.of_bots(self.block, tenant))

    @property
    def tells_bots(self) -> bool:
        """May rows be of bots, and say so?"""
        return self.block.table.tells_bots and not self.leaves_bots_out

    def dates(self, asked: DateRange) -> Iterable[date] | None:
        """The days that rows which count are of, as the block names them; None for all rows."""
        taken = {day for day in self.live if asked.start <= day <= asked.end}
        if taken == self.held:
            return None
        return {day if day >= self.by_day_from else day.replace(day=1) for day in taken}

    def only(self, ranges: Iterable[DateRange], filters: Filters) -> "Piece":
        """The rows of these ranges that pass the filters."""
        days = [self.dates(dates) for dates in ranges]
        named = None if None in days else {day for some in days for day in some or ()}
        return replace(self, block=self.block.only(named, self.filters(filters)))


Engine = Literal["reports", "athena"]
"""What an answer is read from: report objects, or what Athena has made for the question."""


@dataclass(frozen=True)
class YearRows:
    """A tenant's rows of one calendar year in one table, as far as a question needs them.

    What Athena has made may be of several calendar years.
    """

    table: lake.DailyTable
    pieces: Sequence[Piece]
    engine: Engine = "reports"
    counting_bots: Sequence[Piece] = ()
    """Sums of bots' rows by what the question filters by: they are in no figure, and are counted
    where `pieces` have no rows of bots."""

    def under(self, own: Mapping[str, str | None]) -> "YearRows":
        """The same rows, with dimensions under the names that the question has for them."""
        if not own:
            return self
        pieces, counting = (
            [piece.under(own) for piece in some] for some in (self.pieces, self.counting_bots)
        )
        return replace(self, pieces=pieces, counting_bots=counting)

    def as_needed(self, needs: Needs) -> "YearRows":
        """The same rows, as the question names their dimensions and by the days it goes by."""
        if needs.in_place_of is lake.EXPERIENCE:
            pieces, counting = (
                [piece.unlinked(needs.ranges) for piece in some]
                for some in (self.pieces, self.counting_bots)
            )
            return replace(self, table=lake.EXPERIENCE, pieces=pieces, counting_bots=counting)
        if needs.entered_on is None:
            return self.under(needs.own)
        pieces, counting = (
            [piece.by_day_of(needs.entered_on) for piece in some]
            for some in (self.pieces, self.counting_bots)
        )
        if needs.in_place_of is None:
            return replace(self, pieces=pieces, counting_bots=counting).under(needs.own)
        scored = [piece.scored(needs.tenant) for piece in pieces]
        bots = [one.scores_of_bots(needs.tenant) for one in (*pieces, *counting) if one.tells_bots]
        return replace(self, table=needs.in_place_of, pieces=scored, counting_bots=bots)

    def group(
        self,
        dates: DateRange,
        filters: Filters,
        dimensions: Sequence[str],
        *,
        granularity: str = "day",
        week_start: str = "monday",
        fold: Fold | None = None,
        measures: Sequence[str] | None = None,
        apart: Apart | None = None,
    ) -> Groups:
        """Sums of the rows that the days and filters leave (see Block.group)."""
        found = [
            piece.block.group(
                piece.dates(dates),
                piece.filters(filters),
                dimensions,
                granularity=granularity,
                week_start=week_start,
                shown_on=dates.shown_on,
                fold=fold,
                measures=measures,
                apart=apart,
            )
            for piece in self.pieces
        ]
        return groups.merged(found)

    def sizes(
        self,
        dates: DateRange,
        filters: Filters,
        dimensions: Sequence[str],
        *,
        granularity: str = "day",
        week_start: str = "monday",
    ) -> Iterator[tuple[Sequence[Encoded], Integers]]:
        """The same groups as columns with how many events each has (see Block.sizes), by piece."""
        for piece in self.pieces:
            yield piece.block.sizes(
                piece.dates(dates),
                piece.filters(filters),
                dimensions,
                granularity=granularity,
                week_start=week_start,
                shown_on=dates.shown_on,
            )

    def bots(self, dates: DateRange, filters: Filters) -> int:
        """How many events of bots there are of these days, the filters' device aside."""
        wanted = {**filters, lake.DEVICE: BOTS}
        return sum(
            int(sizes.sum())
            for piece in self._every_piece
            if piece.tells_bots
            for _, sizes in [piece.block.sizes(piece.dates(dates), wanted, [])]
        )

    def has(self, dates: DateRange, name: str, value: str) -> bool:
        """Is there a row of these days with this value of a dimension?"""
        return any(
            piece.block.has(piece.dates(dates), name, value)
            for piece in self._every_piece
            if name in piece.block.columns
        )

    def values(self, dates: DateRange, name: str) -> set[Label]:
        """The values that a dimension has in the rows of these days.

        Of devices those of bots alone, where no other ones are needed.
        """
        found: set[Label] = set()
        for piece in self._every_piece:
            if name in piece.block.columns:
                found |= piece.block.values(piece.dates(dates), name)
        return found

    @property
    def _every_piece(self) -> Sequence[Piece]:
        return [*self.pieces, *self.counting_bots]


TenantYears = Mapping[str, Sequence[YearRows]]
"""The rows that a question is answered from: of each tenant the years, by the tenant's id."""


@dataclass(frozen=True)
class Uncovered:
    """A part of a year that has no object which covers the question, and its days that count."""

    state: YearState
    part: Part
    live: frozenset[date]


@dataclass(frozen=True)
class Left:
    """The parts, of whatever years, that have no object which covers what is needed."""

    needs: Needs
    parts: Sequence[Uncovered]


Admit = Callable[[], None]
"""Counts a statement against the limits of whoever asks; raises where that is one too many."""
Elsewhere = Callable[[Sequence[Left], Admit], Sequence[YearRows]]
"""Makes the rows that no object has, for each of what is left of a question, all at once."""


def nowhere(left: Sequence[Left], admit: Admit) -> Sequence[YearRows]:
    """Stands for an Elsewhere where nothing else makes rows. Raises UnavailableError."""
    raise not_rolled_up(left[0])


def not_rolled_up(left: Left) -> UnavailableError:
    """The error of a question for which there are no rows anywhere."""
    return UnavailableError(
        "not_rolled_up",
        f"The reports of tenant {left.needs.tenant.id} are too large for a question with these "
        f"dimensions and days: {len(left.parts)} parts of years have no sums by them.",
        retry_after_s=3600,
    )


def without_limit() -> None:
    """Count nothing: whoever asks is no caller of the API."""


_Name = tuple[str, str]
"""The name of an object in memory: its key, and YearState.content of one that former versions of
Pulse wrote, which replaced objects under the same key."""


@dataclass(frozen=True)
class _Choice:
    """An object of a part that is chosen to be read."""

    table: lake.DailyTable
    rollup: Rollup
    key: str
    name: _Name
    held: frozenset[date]
    live: frozenset[date]
    size: int
    leaves_bots_out: bool

    def piece(self, block: Block) -> Piece:
        by_day_from = {"day": date.min, "tail": rollups.tail_of(self.held), "month": date.max}
        return Piece(
            block, self.held, self.live, by_day_from[self.rollup.grain], self.leaves_bots_out
        )

    @property
    def counts_bots(self) -> bool:
        """True where its rows are of bots and are counted alone."""
        return self.rollup in rollups.COUNTING_BOTS.get(self.table.name, ())


@dataclass
class Years:
    """Reads parts of years from a bucket; the least recently used leave when memory is short."""

    objects: Objects
    budget_bytes: int = BUDGET_BYTES
    elsewhere: Elsewhere = nowhere
    _kept: OrderedDict[_Name, Block] = field(default_factory=OrderedDict)

    def read(self, asked: Sequence[Needs], admit: Admit = without_limit) -> list[list[YearRows]]:
        """For each of the needs the tenant's years that its days are in, oldest first.

        Of every part one object is fetched at most, and one of bots beside it where there is any,
        all of them side by side. Raises GoneError where an object is no longer there: the tenant's
        record then names others. Raises what `elsewhere` and `admit` raise.
        """
        plans = [self._plan(needs) for needs in asked]
        wanted = {
            choice.name: choice
            for years, _ in plans
            for choices in years.values()
            for choice in choices
        }
        found = self._blocks(wanted)
        left = [
            Left(needs, uncovered)
            for needs, (_, uncovered) in zip(asked, plans, strict=True)
            if uncovered
        ]
        elsewhere = iter(self.elsewhere(left, admit) if left else ())
        read = [
            [
                *(
                    _year(needs.table, choices, found).as_needed(needs)
                    for choices in years.values()
                    if choices
                ),
                *([next(elsewhere).as_needed(needs)] if uncovered else []),
            ]
            for needs, (years, uncovered) in zip(asked, plans, strict=True)
        ]
        self._forget()
        return read

    def weight(self, needs: Needs) -> int | None:
        """The bytes of the objects that tell all that is needed; None where objects do not."""
        years, uncovered = self._plan(needs)
        if uncovered:
            return None
        return sum(choice.size for choices in years.values() for choice in choices)

    # -- which objects

    def _plan(self, needs: Needs) -> tuple[Mapping[int, Sequence[_Choice]], Sequence[Uncovered]]:
        """By year what is read of it, and the parts that no object covers."""
        states = needs.tenant.table(needs.table.name).years
        touched = {year for dates in needs.ranges for year in dates.years}
        choices: dict[int, list[_Choice]] = {}
        uncovered: list[Uncovered] = []
        for year in sorted(touched & {*states}):
            state = states[year]
            choices[year] = []
            for part, live in _live(state.parts):
                if not needs.days_of(live):
                    continue
                chosen = self._choose(needs, year, state, part, live)
                choices[year] += chosen
                if not chosen:
                    uncovered.append(Uncovered(state, part, live))
        return choices, uncovered

    def _choose(
        self, needs: Needs, year: int, state: YearState, part: Part, live: frozenset[date]
    ) -> list[_Choice]:
        """The cheapest object to read of those that cover what is needed, if there is any.

        Beside one that leaves bots out stands that of bots, if there is one; of too many bots what
        counts those that the filters would let in.
        """

        def choice(rollup: Rollup) -> _Choice:
            key = lake.part_key(needs.table, needs.tenant.id, year, part.run, rollup.name)
            return _Choice(
                needs.table,
                rollup,
                key,
                (key, "" if part.run else state.content),
                part.days,
                live,
                part.sizes[rollup.name],
                part.leaves_bots_out and rollup.name != CUBE and not rollup.is_of_bots,
            )

        def cost(chosen: Sequence[_Choice]) -> int:
            return sum(one.size + (0 if one.name in self._kept else _A_GET) for one in chosen)

        months = needs.whole_months(part.days, live)
        try:
            counting = _counting_bots(needs, part, months=months)
        except LookupError:
            return []
        found = [
            [choice(rollup), *map(choice, rollups.beside(needs.table, part.sizes, rollup))]
            for rollup in rollups.covering(
                needs.table,
                part.sizes,
                needs.dimensions_of_people if part.leaves_bots_out else needs.dimensions,
                months=months,
                tail=needs.whole_months(_before_the_tail(part.days), live),
            )
        ]
        cheapest = min(found, key=cost, default=[])
        return [*cheapest, *map(choice, counting)] if cheapest else []

    # -- what is in memory

    def _blocks(self, wanted: Mapping[_Name, _Choice]) -> Mapping[_Name, Block]:
        missing = [choice for name, choice in wanted.items() if name not in self._kept]
        for choice, block in zip(missing, self._get_all(missing), strict=True):
            self._kept[choice.name] = block
        for name in wanted:
            self._kept.move_to_end(name)
        return {name: self._kept[name] for name in wanted}

    def _get_all(self, wanted: Collection[_Choice]) -> list[Block]:
        if len(wanted) < 2:  # as mostly: a millisecond less than with a thread
            return [self._get(choice) for choice in wanted]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(self._get, wanted))

    def _get(self, choice: _Choice) -> Block:
        body = self.objects.get_unless_gone(choice.key)
        if body is None:
            raise GoneError(f"{choice.key} is no longer there")
        return parquet.read(body, choice.table, choice.rollup)

    def _forget(self) -> None:
        size = sum(block.nbytes for block in self._kept.values())
        while size > self.budget_bytes:
            _, block = self._kept.popitem(last=False)
            size -= block.nbytes


def _counting_bots(needs: Needs, part: Part, *, months: bool) -> list[Rollup]:
    """What counts the bots of a part that has too many of them for one object.

    Empty where they need not be counted, and of a part of before there were such objects. Raises
    LookupError where no object has what is needed of them.
    """
    if part.sizes.get(BOTS_APART) != UNTOLD:
        return []
    if needs.wants_bots:
        raise LookupError("rows of bots lie in no object")
    if not needs.bots_left_out or rollups.lacks_bots(part.sizes):
        return []
    asked = {*needs.filters, needs.entered_on}
    filtered = [name for name in needs.table.dimensions if name in asked]
    return rollups.counting_bots(needs.table, part.sizes, filtered, months=months)


def _year(
    table: lake.DailyTable, choices: Sequence[_Choice], found: Mapping[_Name, Block]
) -> YearRows:
    """The rows of the objects chosen of a year's parts."""
    pieces, counting = (
        [
            choice.piece(found[choice.name])
            for choice in choices
            if choice.counts_bots == counts_bots
        ]
        for counts_bots in (False, True)
    )
    return YearRows(table, pieces, counting_bots=counting)


def _before_the_tail(held: Collection[date]) -> Collection[date]:
    tail = rollups.tail_of(held)
    return [day for day in held if day < tail]


def _live(parts: Sequence[Part]) -> Iterator[tuple[Part, frozenset[date]]]:
    """Each part with those of its days that no newer part has."""
    newer: frozenset[date] = frozenset()
    for part in parts:
        yield part, part.days - newer
        newer |= part.days
