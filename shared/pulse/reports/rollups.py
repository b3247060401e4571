"""The roll-ups: which sums over fewer dimensions lie beside the cube of every dimension.

A roll-up holds the sums of the same daily rows over the dimensions that it leaves out, and by month
also over the days. Sums add up, so every question that names only its dimensions gets the same
answer from it as from the cube, out of a fraction of the rows. Builder and reader both go by this
one list.

A roll-up is named after its grain and dimensions. So one that is declared anew is never mistaken
for an object that was made before: such objects are read as long as the list has their names, and
other questions take the cube, in which a dimension that was unknown then has no value.

Sums by month are of no use where a newer part has some days of the month. Mostly these are the
last days of a part: late answers, and updates of what was open. So beside each roll-up by month
lies its tail, whose last month or two are by day.

What bots have sent is in the cube and in one roll-up of its own. All others leave it out, as
reports do: so they need not tell devices apart for its sake. Where it is too much for one object,
there are sums of it by what each of the others tells, out of which bots are counted.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from pulse import lake
from pulse.tenants.tenant import BOTS, CUBE, UNTOLD

Grain = Literal["day", "month", "tail"]

_LATE = timedelta(days=7)
"""Days that may still change once a newer one has rows."""

_SAFE = 2.0**62
"""Far enough below 2**63 for a sum of floating-point numbers to tell that integers will fit."""


@dataclass(frozen=True)
class Rollup:
    """Sums by these dimensions and by day, or by month named by its first day.

    A tail is by month up to `tail_of` the part's days, and by day from there on.
    """

    name: str
    dimensions: tuple[str, ...]
    grain: Grain = "day"

    def serves(self, dimensions: Collection[str], *, months: bool, tail: bool = False) -> bool:
        """True where questions that name these dimensions can be answered from it.

        `months`: the question asks for nothing finer than months, and for whole ones. `tail`: for
        whole ones before the tail.
        """
        fine_enough = self.grain == "day" or months or (tail and self.grain == "tail")
        return fine_enough and {*dimensions} <= {*self.dimensions}

    @property
    def is_of_bots(self) -> bool:
        """True where its rows are those of bots alone."""
        return self.name.partition("-")[0] == BOTS


def _of(
    dataset: lake.DailyTable,
    *by_day: tuple[str, ...],
    by_month: Collection[tuple[str, ...]] = (),
    without: Collection[str] = (),
) -> tuple[Rollup, ...]:
    """The cube, its sums by month, and roll-ups by day and by month over these dimensions.

    Each by month has a tail.

    What a dataset keeps apart is in each of them: figures across it would mean nothing. The sums by
    month are over what all tenants have: they leave out what some have declared, and what would
    leave hardly fewer rows than the cube has.
    """
    shared = [name for name in dataset.dimensions if name not in (*dataset.slots, *without)]
    found = [Rollup(CUBE, dataset.dimensions), _rollup(dataset, shared, "month")]
    grains: tuple[tuple[Grain, Collection[tuple[str, ...]]], ...]
    grains = ("day", by_day), ("month", by_month)
    for grain, several in grains:
        for names in several:
            found.append(_rollup(dataset, (*dataset.parted_by, *names), grain))
    monthly = [one for one in found if one.grain == "month"]
    found += [_rollup(dataset, one.dimensions, "tail") for one in monthly]
    return tuple(found)


def _rollup(dataset: lake.DailyTable, names: Collection[str], grain: Grain) -> Rollup:
    dimensions = tuple(name for name in dataset.dimensions if name in names)
    if unknown := {*names} - {*dimensions}:
        raise ValueError(f"{dataset.name} has no dimensions {sorted(unknown)}")
    return Rollup("-".join((grain, *dimensions)), dimensions, grain)


ROLLUPS: Mapping[str, tuple[Rollup, ...]] = {
    lake.SCORES.name: _of(
        lake.SCORES,
        # reports over time, by metric and by channel, filtered by either of these
        ("survey", "channel"),
        # by country: the map
        ("survey", "channel", "country"),
        # by agent, alone, with a survey or channel, and with what agents are compared within
        ("agent",),
        ("survey", "channel", "agent"),
        ("channel", "agent", "country"),
        # browsers and devices
        ("survey", "channel", "browser", "os", "device"),
        # the same in one country
        ("country", "browser", "os", "device"),
        # what tenants have declared, by survey and channel
        ("survey", "channel", *lake.SCORES.slots),
        # agents over whole months, as most presets ask: by day that is half of the cube
        by_month=[("channel", "agent", "country")],
    ),
    lake.INTERACTIONS.name: _of(
        lake.INTERACTIONS,
        # revenue
        ("media_type", "currency"),
        # what customers met, whose average revenue is told by currency
        ("media_type", "customer_segment", "service_type", "currency"),
        # what agents did
        ("media_type", "agent"),
        # what customers met with each agent, by what they wanted
        ("service_type", "agent", "currency"),
    ),
    lake.SESSIONS.name: _of(lake.SESSIONS, ("media_type",)),
    # Each tells media, by which it is told how many answers are linked to an interaction.
    lake.EXPERIENCE.name: _of(
        lake.EXPERIENCE,
        # what customers went through, in turn or together, by survey and channel
        ("survey", "channel", "media_type", "accept", "first_response", "finish"),
        ("survey", "channel", "media_type", "wait"),
        ("survey", "channel", "media_type", "life"),
        ("survey", "channel", "media_type", "was_abandoned", "had_revenue", "was_rated"),
        # who dealt with them
        ("survey", "media_type", "agent"),
        # which customers, and what they wanted
        ("survey", "media_type", "customer_segment", "service_type"),
        # from which devices they answered
        ("survey", "channel", "media_type", "device"),
        # when they got in touch
        ("media_type", "entered_on"),
        # by the days of the interactions: the answers to one day's come on several
        by_month=[
            ("survey", "channel", "media_type", "accept", "was_rated", "entered_on"),
            (
                *("survey", "media_type", "customer_segment", "service_type"),
                *("was_rated", "entered_on"),
            ),
            ("survey", "media_type", "agent", "was_rated", "entered_on"),
        ],
        without=["entered_on"],
    ),
}
"""By the name of the dataset, the cube first."""

OF_LARGE: Mapping[str, tuple[Rollup, ...]] = {
    dataset.name: tuple(
        {
            rollup.name: rollup
            for declared in (
                *(one for one in ROLLUPS[dataset.name][1:] if one.grain != "tail"),
                _rollup(dataset, dataset.parted_by, "day"),
            )
            for rollup in (declared, _rollup(dataset, declared.dimensions, "month"))
        }.values()
    )
    for dataset in lake.DAILY_TABLES
}
"""What a tenant has whose cube is too large: every other roll-up, and by month each one by day. One
by day is always small enough to be there, for whoever needs the days and nothing else. Its year is
one part, which needs no tails."""

OF_BOTS: Mapping[str, Rollup] = {
    dataset.name: Rollup(BOTS, dataset.dimensions)
    for dataset in lake.DAILY_TABLES
    if dataset.tells_bots
}
"""By the name of the dataset the roll-up of bots' rows, where rows tell of bots. It answers no
question alone."""

COUNTING_BOTS: Mapping[str, tuple[Rollup, ...]] = {
    dataset.name: tuple(
        replace(
            _rollup(dataset, (*rollup.dimensions, lake.DEVICE), rollup.grain),
            name=f"{BOTS}-{rollup.name}",
        )
        for rollup in OF_LARGE[dataset.name]
    )
    for dataset in lake.DAILY_TABLES
    if dataset.tells_bots
}
"""What a large tenant has whose rows of bots are too many for one object: their sums by what each
of its roll-ups tells. So whatever people's answers are filtered by, bots' are counted by as well.
The device is in each, as it says in any object whose rows are bots'. They answer no question."""

_DECLARED: Mapping[str, tuple[Rollup, ...]] = {
    name: tuple(dict.fromkeys((*rollups, *OF_LARGE[name]))) for name, rollups in ROLLUPS.items()
}


def named(dataset: lake.DailyTable, name: str) -> Rollup:
    """The roll-up of that name. Raises KeyError where none is declared, as of a former version."""
    return _BY_NAME[dataset.name, name]


_BY_NAME: Mapping[tuple[str, str], Rollup] = {
    (dataset, rollup.name): rollup for dataset, rollups in _DECLARED.items() for rollup in rollups
}


def tail_of(held: Collection[date]) -> date:
    """From which day on tails of a part that holds these days are by day: the first of a month."""
    return (max(held) - _LATE).replace(day=1)


def covering(
    dataset: lake.DailyTable,
    sizes: Mapping[str, int],
    dimensions: Collection[str],
    *,
    months: bool,
    tail: bool = False,
) -> list[Rollup]:
    """Which objects of a part can answer a question with these dimensions, the smallest first.

    `sizes` are the bytes of the objects that the part has, by the names of their roll-ups; names
    that are not declared are left out. See Rollup.serves for `months` and `tail`.
    """
    found = [
        rollup
        for rollup in _DECLARED[dataset.name]
        if rollup.name in sizes and rollup.serves(dimensions, months=months, tail=tail)
    ]
    return sorted(found, key=lambda rollup: (sizes[rollup.name], len(rollup.dimensions)))


def beside(dataset: lake.DailyTable, sizes: Mapping[str, int], rollup: Rollup) -> list[Rollup]:
    """What has the rows that this object of a part leaves out: that of bots, if it is there."""
    return [OF_BOTS[dataset.name]] if rollup.name != CUBE and sizes.get(BOTS, 0) > 0 else []


def lacks_bots(sizes: Mapping[str, int]) -> bool:
    """True of a part whose bots are in no object: a version laid it that did not sum them up."""
    return sizes.get(BOTS) == UNTOLD and not any(name.startswith(f"{BOTS}-") for name in sizes)


def counting_bots(
    dataset: lake.DailyTable, sizes: Mapping[str, int], dimensions: Collection[str], *, months: bool
) -> list[Rollup]:
    """Of a part whose bots are too many for one object, the smallest that counts them by these.

    Empty where there are none any more. Raises LookupError where no object tells them apart so. See
    Rollup.serves for `months`.
    """
    found = [
        rollup
        for rollup in COUNTING_BOTS[dataset.name]
        if sizes.get(rollup.name, UNTOLD) != UNTOLD and rollup.serves(dimensions, months=months)
    ]
    if not found:
        raise LookupError(f"no object tells bots apart by {', '.join(sorted(dimensions))}")
    smallest = min(found, key=lambda rollup: sizes[rollup.name])
    return [smallest] if sizes[smallest.name] else []


def roll_up(
    dataset: lake.DailyTable, rollup: Rollup, rows: pa.Table, *, tail: date = date.min
) -> pa.Table:
    """The rows of a roll-up, summed up from those of the cube or of another one that covers it.

    `tail` is the day from which on a tail is by day. The rows have the schema of
    tenant_year.schema and come in no particular order. Raises OverflowError where sums may not fit
    into 64 bits: the cube alone then tells them exactly.
    """
    keys = [*rollup.dimensions, "day"]
    rows = rows.select([*keys, *dataset.measures])
    if rollup.grain != "day":
        named = pc.floor_temporal(rows["day"], unit="month")
        if rollup.grain == "tail":
            is_before = pc.less(rows["day"], pa.scalar(tail, pa.date32()))
            named = pc.if_else(is_before, named, rows["day"])
        rows = _set(rows, "day", named)
    for name in dataset.measures:
        _check_fits(rows, name)
    sums = rows.group_by(keys, use_threads=False).aggregate(
        [(name, "sum") for name in dataset.measures]
    )
    columns = [sums[name] for name in keys] + [sums[f"{name}_sum"] for name in dataset.measures]
    summed: pa.Table = pa.table(columns, names=rows.schema.names).cast(rows.schema)
    return summed


def parted(dataset: lake.DailyTable, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(rows of people, rows of bots), of the cube's rows where these tell of bots."""
    if not dataset.tells_bots:
        return rows, rows.slice(0, 0)
    is_bot = pc.is_in(rows[lake.DEVICE], value_set=pa.array([lake.BOT]))
    return rows.filter(pc.invert(is_bot)), rows.filter(is_bot)


def roll_ups(
    dataset: lake.DailyTable, cube: pa.Table, held: Collection[date]
) -> Iterator[tuple[Rollup, pa.Table]]:
    """Every declared roll-up but the cube itself, with its rows, made from those of the cube.

    `held` are the part's days; where all of them are of the tail, there is none.
    That of bots comes first, if rows tell of bots; it may have no rows. Each is made from the
    fewest rows that have its dimensions, which may be another one's. What raises OverflowError in
    `roll_up` is left out, and so are those over what a tenant may declare where no row has any of
    it.
    """
    people, bots = parted(dataset, cube)
    if dataset.tells_bots:
        yield OF_BOTS[dataset.name], bots
    made: list[tuple[Rollup, pa.Table]] = [(ROLLUPS[dataset.name][0], people)]
    wanted = ROLLUPS[dataset.name][1:]
    used = {name for name in dataset.slots if cube[name].null_count < len(cube)}
    tail = tail_of(held) if held else date.min
    has_tails = any(day < tail for day in held)
    for rollup in sorted(wanted, key=lambda one: (one.grain != "day", -len(one.dimensions))):
        if rollup.grain == "tail" and not has_tails:
            continue
        if (declared := {*rollup.dimensions} & {*dataset.slots}) and not declared & used:
            continue
        monthly = rollup.grain == "month"
        sources = [rows for one, rows in made if one.serves(rollup.dimensions, months=monthly)]
        try:
            rows = roll_up(dataset, rollup, min(sources, key=len), tail=tail)
        except OverflowError:
            continue
        if rollup.grain != "tail":  # large, and hardly fewer rows than where it is made from
            made.append((rollup, rows))
        yield rollup, rows


def _set(rows: pa.Table, name: str, values: Any) -> pa.Table:
    place = rows.schema.get_field_index(name)
    field = rows.schema.field(place)
    return rows.set_column(place, field, values.cast(field.type))


def _check_fits(rows: pa.Table, name: str) -> None:
    column = rows[name]
    if not pa.types.is_integer(column.type):
        return  # a decimal of 38 digits has room for whatever decimals of 18 add up to
    total: Any = pc.sum(pc.abs(column.cast(pa.float64(), safe=False)))
    if (total.as_py() or 0) >= _SAFE:
        raise OverflowError(f"the sum of {name} may not fit into 64 bits")
