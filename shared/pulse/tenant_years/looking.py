"""Which days of the daily tables a build of the reports looks at in the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pulse import lake
from pulse.daily.standing import stand_of
from pulse.store.changes import Stand
from pulse.store.held import Held
from pulse.store.notices import Notice


@dataclass(frozen=True)
class Look:
    """What a build knows of changed days before it reads the catalogue."""

    stands: Mapping[str, Stand]
    """How all streams and tables stood (Changes.stands)."""
    notices: Mapping[str, Sequence[Notice]]
    """The notices of days that have changed, by table."""
    whole: bool
    """Whether it is to look at every day whatever these say."""

    def among(self, table: lake.DailyTable, held: Held) -> frozenset[date] | None:
        """The days of a table that may have changed since the reports were built.

        None stands for all of its days, where it is not certain that notices tell every change.
        """
        if self.whole or not held.is_told_all(stand_of(table, self.stands)):
            return None
        noticed = (notice.days for notice in self.notices.get(table.name, ()))
        return held.unsettled.union(*noticed)
