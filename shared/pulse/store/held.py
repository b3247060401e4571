"""Which runs of build_daily the rows of the report tables may come from.

    pk             sk     record
    REPORTS        table  number; as_of_us, seen, seen_us, again_us, failing, unnoticed, format:
                          what the last build that left no day over has found
    REPORTS#table  YYYY   runs: by day, the runs that its rows may come from, as one text, of which
                          every line has a day and its runs; format

A day is settled where one run is named: every tenant's rows of it are those of that run, but for
days that a tenant's own record says it is owed. A build of the reports adds the run that the
catalogue names before it publishes rows of it, and leaves that one alone once every tenant has
them. Of a day that was never built NOTHING is named before its first run: else whoever reads it
before rows are published, as after a build that died, would take the day for settled. `number`
counts the changes of these records. So whoever read them before it read the catalogue, and adds a
run under the number that it read, knows that no run named before is newer, and that one added later
is no older: the last of a day's runs is the newest.

A run stays in the lake as long as it is named here.

A year is one text, since DynamoDB's clients take some ten times as long for a list of each day.
Versions of before stored `days` in its place: by day the list of its runs. This one leaves it empty
for them, so that no day counts as built there, and goes by it where it is not: then such a version
was deployed again and has named the runs of the year since.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date

from pulse import days, formats
from pulse.errors import ConflictError
from pulse.store.changes import Stand, stays_settled
from pulse.store.records import Check, Record, Records, Update

_BUILDS = "REPORTS"
NOTHING = ""
"""Stands for no run at all: the rows of a day that was never built."""


@dataclass(frozen=True)
class Builds:
    """How the builds of one report table stand; moments are UTC microseconds."""

    table: str
    number: int = 0
    as_of_us: int | None = None
    """Every event that was stored before then is in the rows of every tenant, but for days and
    years that its record names as not built. None until a build has left no day over."""
    seen: int | None = None
    """How many changes of the daily table (Stand.published) it has seen; None: some are left."""
    seen_us: int = 0
    again_us: int | None = None
    """From when on a tenant's year is to be tried again that cannot be built."""
    format: int = formats.REPORT.number
    """The format of what it has seen."""
    failing: int = 0
    """How many tenants' years cannot be built, as of `seen_us`."""
    unnoticed: int | None = None
    """How often builders of the daily table had given no notice of what they published
    (Stand.unnoticed) when a build last looked at every day. None: none has yet."""

    @property
    def fence(self) -> Check:
        """The condition that nothing of this has changed."""
        return Check(_BUILDS, self.table, *_stands(self.number))

    def is_settled(self, stand: Stand) -> bool:
        """True where a build of the reports would find nothing to do.

        Once in a night it is not, so that nothing that was never told is missed for longer.
        """
        return (
            self.seen == stand.published
            and self.format == formats.REPORT.number
            and not stand.at_work
            and stays_settled(self.seen_us, self.again_us)
        )


@dataclass(frozen=True)
class Held:
    """The records of one table, as they stood under a number."""

    builds: Builds
    days: Mapping[date, tuple[str, ...]] = field(default_factory=dict)
    """By day, the runs that its rows may come from, in the order in which they were added."""
    former: frozenset[int] = frozenset()
    """The years whose records are as a version of before has written them."""
    lacks_years: bool = False
    """True where years were left out, since another format holds their rows."""

    @property
    def unsettled(self) -> frozenset[date]:
        """The days of which some tenants may not have the rows of the newest run."""
        return frozenset(day for day, runs in self.days.items() if len(runs) > 1)

    def is_told_all(self, stand: Stand) -> bool:
        """True where notices, beside `unsettled`, tell every day that a build has to look at.

        False as long as no build has looked at all days since a builder of the daily table gave no
        notice, as versions of before do not.
        """
        return self.builds.unnoticed == stand.unnoticed and not self.lacks_years

    @property
    def fence(self) -> Check:
        """The condition that nothing of this has changed."""
        return self.builds.fence

    def newest(self, day: date) -> str | None:
        """The run that was added last; None for a day that was never built."""
        runs = self.days.get(day, ())
        return runs[-1] if runs else None

    def is_settled(self, day: date, run: str) -> bool:
        """True where every tenant's rows of the day are those of that run."""
        return self.days.get(day) == (run,)


class HeldRuns:
    """Reads and changes these records."""

    def __init__(self, table: str, *, fail_fast: bool = False) -> None:
        self._records = Records(table, fail_fast=fail_fast)

    def builds(self) -> Mapping[str, Builds]:
        """How the builds of every table that has some stand, in one consistent read."""
        records = self._records.query(_BUILDS, consistent=True)
        return {record["sk"]: _builds(record["sk"], record) for record in records}

    def as_of(self) -> Mapping[str, int]:
        """By table, until when everything that was stored is in the rows (see Builds)."""
        found = self.builds().items()
        return {name: one.as_of_us for name, one in found if one.as_of_us is not None}

    def read(self, table: str) -> Held:
        """What stands there now. Days whose rows another format holds are left out."""
        # the number first: a change between the two reads is noticed when something is put
        builds = _builds(table, self._records.get(_BUILDS, table, consistent=True) or {})
        found: dict[date, tuple[str, ...]] = {}
        former: set[int] = set()
        lacks_years = False
        for record in self._records.query(_pk(table), consistent=True):
            if record["format"] != formats.REPORT.number:
                lacks_years = True
                continue
            found |= _runs(record)
            if record["days"]:
                former.add(int(record["sk"]))
        return Held(builds, found, frozenset(former), lacks_years)

    def runs(self, table: str) -> Mapping[date, tuple[str, ...]]:
        """By day, every run that is named, whatever the format of the rows made of it."""
        found: dict[date, tuple[str, ...]] = {}
        for record in self._records.query(_pk(table), consistent=True):
            found |= _runs(record)
        return found

    def put(self, held: Held, year: int, runs: Mapping[date, tuple[str, ...]]) -> Held:
        """Name other runs for these days of a year; how it stands then.

        Raises ConflictError if anything has changed since `held` was read.
        """
        found = {**held.days, **runs}
        of_year = {day: some for day, some in found.items() if day.year == year}
        table = held.builds.table
        condition, names, values = _stands(held.builds.number)
        number = held.builds.number + 1
        self._records.update_all(
            Update(
                _BUILDS,
                table,
                condition,
                names,
                {**values, ":next": number},
                "SET #number = :next REMOVE seen",
            ),
            Update(
                _pk(table),
                str(year),
                "",
                {"#days": "days", "#format": "format"},
                {":runs": _text(of_year), ":none": {}, ":format": formats.REPORT.number},
                "SET runs = :runs, #days = :none, #format = :format",
            ),
        )
        builds = replace(held.builds, number=number, seen=None)
        return replace(held, builds=builds, days=found, former=held.former - {year})

    def forget(self) -> None:
        """Let no day of any table count as built, as where tenants' records are those of before."""
        for table in self.builds():
            self._records.update(
                _BUILDS,
                table,
                "SET #number = if_not_exists(#number, :none) + :one "
                "REMOVE seen, as_of_us, unnoticed",
                names={"#number": "number"},
                values={":none": 0, ":one": 1},
            )
            self._records.clear(_pk(table))

    def finish(
        self,
        held: Held,
        as_of_us: int | None,
        *,
        seen: int | None,
        again_us: int | None,
        failing: int,
        unnoticed: int | None,
    ) -> None:
        """Note that a build has left no day over; see Builds for the figures.

        `as_of_us` is None where the build cannot tell: what was true before is still true. Nothing
        happens if something has changed since: whoever changed it will note it.
        """
        condition, names, values = _stands(held.builds.number)
        known = [us for us in (held.builds.as_of_us, as_of_us) if us is not None]
        told = {":seen": seen, ":now": days.now_us(), ":again": again_us}
        told |= {
            ":as_of": max(known, default=None),
            ":failing": failing,
            ":unnoticed": unnoticed,
            ":format": formats.REPORT.number,
        }
        with suppress(ConflictError):
            self._records.update(
                _BUILDS,
                held.builds.table,
                "SET as_of_us = :as_of, seen = :seen, seen_us = :now, again_us = :again, "
                "failing = :failing, unnoticed = :unnoticed, #format = :format",
                names={**names, "#format": "format"},
                values={**values, **told},
                condition=condition,
            )


def _pk(table: str) -> str:
    return f"{_BUILDS}#{table}"


def _text(runs: Mapping[date, Sequence[str]]) -> str:
    """The days of a year with their runs, as they are stored."""
    return "\n".join(f"{day} {','.join(some)}" for day, some in sorted(runs.items()))


def _runs(record: Record) -> dict[date, tuple[str, ...]]:
    """The days of a year's record with their runs."""
    if record["days"]:  # a version of before has written it last
        return {date.fromisoformat(day): tuple(some) for day, some in record["days"].items()}
    lines = (line.partition(" ") for line in record["runs"].splitlines())
    return {date.fromisoformat(day): tuple(some.split(",")) for day, _, some in lines}


def _builds(table: str, record: Record) -> Builds:
    return Builds(
        table,
        number=record.get("number", 0),
        as_of_us=record.get("as_of_us"),
        seen=record.get("seen"),
        seen_us=record.get("seen_us", 0),
        again_us=record.get("again_us"),
        failing=record.get("failing", 0),
        unnoticed=record.get("unnoticed"),
        format=record.get("format", formats.REPORT.number),
    )


def _stands(number: int) -> tuple[str, dict[str, str], dict[str, int]]:
    """The condition, with its names and values, that the number is still this one."""
    names = {"#number": "number"}
    if number:
        return "#number = :number", names, {":number": number}
    return "attribute_not_exists(#number)", names, {}
