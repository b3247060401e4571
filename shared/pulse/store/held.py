"""Which runs of build_daily the rows of the report tables may come from.

    pk             sk       record
    REPORTS#table  BUILDS   number, as_of_us
    REPORTS#table  YYYY     days: by day, the runs that its rows may come from; format

A day is settled where one run is named: every tenant's rows of it are those of that run. A build of
the reports adds the run that the catalogue names before it publishes rows of it, and leaves that
one alone once every tenant has them. `number` counts the changes of these records. So whoever read
them before it read the catalogue, and adds a run under the number that it read, knows that no run
named before is newer, and that one added later is no older: the last of a day's runs is the newest.

A run stays in the lake as long as it is named here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from pulse import formats
from pulse.errors import ConflictError
from pulse.store.records import Check, Records, Update

_BUILDS = "BUILDS"


@dataclass(frozen=True)
class Held:
    """The records of one table, as they stood under a number."""

    table: str
    number: int = 0
    as_of_us: int | None = None
    """When the last build that has left nothing over read the catalogue."""
    days: Mapping[date, tuple[str, ...]] = field(default_factory=dict)
    """By day, the runs that its rows may come from, in the order in which they were added."""

    def newest(self, day: date) -> str | None:
        """The run that was added last; None for a day that was never built."""
        runs = self.days.get(day, ())
        return runs[-1] if runs else None

    @property
    def fence(self) -> Check:
        """The condition that nothing of this has changed."""
        return Check(_pk(self.table), _BUILDS, *_stands(self.number))


class HeldRuns:
    """Reads and changes these records."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)

    def read(self, table: str) -> Held:
        """What stands there now. Days whose rows another format holds are left out."""
        held, found = Held(table), {}
        for record in self._records.query(_pk(table), consistent=True):
            if record["sk"] == _BUILDS:
                number, as_of_us = record["number"], record.get("as_of_us")
                held = replace(held, number=number, as_of_us=as_of_us)
            elif record["format"] == formats.REPORT.number:
                for day, runs in record["days"].items():
                    found[date.fromisoformat(day)] = tuple(runs)
        return replace(held, days=found)

    def runs(self, table: str) -> frozenset[str]:
        """Every run that is named, whatever the format of the rows made of it."""
        records = self._records.query(_pk(table), consistent=True)
        named = (runs for record in records for runs in record.get("days", {}).values())
        return frozenset(run for runs in named for run in runs)

    def as_of_us(self, table: str) -> int | None:
        """When the last build that has left nothing over read the catalogue; None before it."""
        record = self._records.get(_pk(table), _BUILDS)
        return record.get("as_of_us") if record else None

    def put(self, held: Held, year: int, runs: Mapping[date, tuple[str, ...]]) -> Held:
        """Name other runs for these days of a year; how it stands then.

        Raises ConflictError if anything has changed since `held` was read.
        """
        days = {**held.days, **runs}
        of_year = {str(day): list(some) for day, some in sorted(days.items()) if day.year == year}
        condition, _, values = _stands(held.number)
        number = held.number + 1
        self._records.update_all(
            Update(
                _pk(held.table),
                _BUILDS,
                condition,
                {"#number": "number"},
                {**values, ":next": number},
                "SET #number = :next",
            ),
            Update(
                _pk(held.table),
                str(year),
                "",
                {"#days": "days", "#format": "format"},
                {":days": of_year, ":format": formats.REPORT.number},
                "SET #days = :days, #format = :format",
            ),
        )
        return replace(held, number=number, days=days)

    def finish(self, held: Held, as_of_us: int) -> None:
        """Note that a build which read the catalogue then has left nothing over.

        Nothing happens if something has changed since: whoever changed it will note it.
        """
        if not held.number:
            return
        condition, names, values = _stands(held.number)
        try:
            self._records.update(
                _pk(held.table),
                _BUILDS,
                "SET as_of_us = :as_of",
                names=names,
                values={**values, ":as_of": as_of_us},
                condition=condition,
            )
        except ConflictError:
            return


def _pk(table: str) -> str:
    return f"REPORTS#{table}"


def _stands(number: int) -> tuple[str, dict[str, str], dict[str, int]]:
    """The condition, with its names and values, that the number is still this one."""
    if number:
        return "#number = :number", {"#number": "number"}, {":number": number}
    return "attribute_not_exists(pk)", {}, {}
