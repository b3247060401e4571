"""Notices of which days of the daily tables have changed: build_daily gives, build_reports takes.

    pk              sk           record
    LEDGER#NOTICES  table ULID   days; given_us (UTC, microseconds);
                                 published: whether the catalogue has these days since

A builder gives notice of days before it points their partitions to its run, and says so when it has
done so. So a build of the reports that reads the notices, then the catalogue at their days alone,
misses no day that has changed. It removes a notice once the reports have its days, if these were
published before it read the catalogue. The notice of a builder that has died between the two is
removed after an hour: then it publishes nothing any more.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from pulse import days, lake
from pulse.errors import ConflictError
from pulse.store.records import Record, Records
from pulse.unbuilt import HOUR_US

_PK = "LEDGER#NOTICES"


@dataclass(frozen=True)
class Notice:
    """Days of a table that have changed, or are about to."""

    table: str
    id: str
    days: frozenset[date]
    given_us: int
    published: bool

    @property
    def is_over(self) -> bool:
        """Whether its builder publishes nothing of it any more."""
        return self.published or days.now_us() - self.given_us > HOUR_US


class Notices:
    """Reads and writes the notices."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)

    def give(self, table: str, changed: Collection[date], *, published: bool = False) -> str:
        """Give notice of days of a daily table; returns the notice's id.

        `published` says whether the catalogue has them already as they are to be.
        """
        notice = lake.ulid()
        self._records.update(
            _PK,
            f"{table} {notice}",
            "SET #days = :days, given_us = :now, published = :published",
            names={"#days": "days"},
            values={
                ":days": [day.isoformat() for day in sorted(changed)],
                ":now": days.now_us(),
                ":published": published,
            },
        )
        return notice

    def note_published(self, table: str, notice: str) -> None:
        """Say that the catalogue has the days of a notice as its builder wanted them."""
        values = {":yes": True}
        self._records.update(_PK, f"{table} {notice}", "SET published = :yes", values=values)

    def read(self) -> Mapping[str, Sequence[Notice]]:
        """The notices by table, in one consistent read."""
        found: dict[str, list[Notice]] = defaultdict(list)
        for notice in map(_notice, self._records.query(_PK, consistent=True)):
            found[notice.table].append(notice)
        return found

    def remove(self, notices: Sequence[Notice]) -> None:
        """Remove notices. One that is not there any more is no error.

        Those stay that another build removes at the moment: the next one does it, if it does not.
        """
        with suppress(ConflictError):
            self._records.delete_all({"pk": _PK, "sk": f"{one.table} {one.id}"} for one in notices)


def _notice(record: Record) -> Notice:
    table, _, notice = record["sk"].partition(" ")
    return Notice(
        table=table,
        id=notice,
        # they lack where the notice was removed before its builder said that it was through
        days=frozenset(map(date.fromisoformat, record.get("days", ()))),
        given_us=record.get("given_us", 0),
        published=record["published"],
    )
