"""What a question needs of one tenant's rows in one report table, before anything is read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from pulse import lake
from pulse.days import DateRange
from pulse.filters import PEOPLE, Filters
from pulse.tenants.tenant import Tenant


@dataclass(frozen=True)
class Needs:
    """The dimensions that the question names, its days and how finely these are told.

    `dimensions` are those that it groups and filters by, by their names in the table, `filters`
    those of them that narrow it, `ranges` the days asked for and those compared with.
    """

    table: lake.DailyTable
    tenant: Tenant
    dimensions: frozenset[str]
    filters: Filters
    ranges: tuple[DateRange, ...]
    months: bool
    """True where the question tells no days of a calendar month apart."""
    grouped: frozenset[str]
    """The dimensions that it tells apart: the other ones only narrow it."""
    granularity: str
    """The periods that it tells apart; `total` for none."""
    bots_left_out: bool = False
    """True where bots are left out although the query did not ask for it. Then the reply says how
    many they are."""
    own: Mapping[str, str | None] = field(default_factory=dict)
    """The tenant's own dimensions: by the name that the question has for one, its column of the
    table, or None where this tenant has none of that name."""
    entered_on: str | None = None
    """The dimension that names the day on which a row counts, where that is not the day under which
    it lies. `ranges` are then the days under which rows lie that may count."""
    entered: tuple[DateRange, ...] = ()
    """The days asked for and those compared with, by that dimension; empty without it."""
    in_place_of: lake.DailyTable | None = None
    """The table as whose rows these rows are read: that of interactions, for whose satisfactions
    their scores stand, or that of experience, which lacks their days. None where rows are read as
    they are."""

    @property
    def wants_bots(self) -> bool:
        """True where rows of bots count."""
        device = self.filters.get(lake.DEVICE)
        return self.table.tells_bots and (device is None or device.holds(lake.BOT))

    @property
    def dimensions_of_people(self) -> frozenset[str]:
        """The dimensions that an object has to tell whose rows are those of people alone.

        Where the device is asked for only to leave bots out, such an object need not tell it.
        """
        if self.filters.get(lake.DEVICE) != PEOPLE:
            return self.dimensions
        return self.dimensions - ({lake.DEVICE} - self.grouped)

    def days_of(self, held: Collection[date]) -> set[date]:
        """Those of the days `held` that lie in one of the ranges."""
        return {
            day for day in held if any(dates.start <= day <= dates.end for dates in self.ranges)
        }

    def whole_months(self, held: Collection[date], live: Collection[date]) -> bool:
        """Can sums by month of the days `held` stand for those of the `live` ones among them?

        So they can where each range takes all days that are held of a month, or none of them.
        """
        if not self.months:
            return False
        for dates in self.ranges:
            taken = {day for day in live if dates.start <= day <= dates.end}
            touched = {day.month for day in taken}
            if any(day.month in touched and day not in taken for day in held):
                return False
        return True
