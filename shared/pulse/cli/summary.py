"""The summary of an imported file: its rows and ids, their time, and what looks wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pulse import days
from pulse.cli.plan import Kind
from pulse.cli.preparing import Prepared
from pulse.cli.table import TableFile


@dataclass(frozen=True)
class Summary:
    """The figures of a file that was read."""

    read_as: str
    rows: int
    left_out: int
    """How many rows were left out by --leave-out."""
    events: int
    """How many rows are events."""
    distinct_ids: int
    first_us: int | None
    last_us: int | None
    timezone: str
    """The time zone of its local times."""
    shortened: dict[str, int]
    """How many ids a spreadsheet has cut to fewer digits, by field."""

    @classmethod
    def of(cls, source: TableFile, prepared: Prepared, timezone: str) -> "Summary":
        """The figures of a prepared file with local times of that zone."""
        return cls(
            source.told,
            prepared.rows,
            prepared.left_out,
            len(prepared.ids),
            prepared.distinct(),
            prepared.first_us,
            prepared.last_us,
            timezone,
            dict(prepared.shortened),
        )

    def shown(self) -> dict[str, Any]:
        """The figures as members of a command's result."""
        return {
            "read_as": self.read_as,
            "rows": self.rows,
            "left_out": self.left_out,
            "distinct_ids": self.distinct_ids,
            "first": None if self.first_us is None else days.iso(self.first_us),
            "last": None if self.last_us is None else days.iso(self.last_us),
            "timezone": self.timezone,
        }

    def text(self, kind: Kind, accepted: int, rejected: int) -> str:
        """The figures as sentences, with how many rows were accepted and rejected."""
        told = [f"{self.rows:,} rows: {accepted:,} accepted, {rejected:,} rejected"]
        if self.left_out:
            told[0] += f", {self.left_out:,} left out"
        if self.first_us is not None and self.last_us is not None:
            first, last = (self._local(us) for us in (self.first_us, self.last_us))
            told.append(
                f"{self.distinct_ids:,} different {kind.identity}s, {kind.moment} from {first} "
                f"to {last} ({self.timezone})"
            )
        return "\n".join(told)

    def _local(self, us: int) -> str:
        local = days.from_us(us).astimezone(days.zone(self.timezone))
        return local.strftime("%Y-%m-%d %H:%M")

    def warnings(self, kind: Kind) -> Iterator[str]:
        """Sentences about what looks wrong."""
        for name, count in self.shortened.items():
            yield (
                f"Rows whose {name} is a number that a spreadsheet has shortened, such as "
                f"1.60588E+11: {count:,}. Different ids may have become one. Export the file again "
                "with these cells as text."
            )
        if more := self.events - self.distinct_ids:
            yield kind.if_ids_repeat.format(count=f"{more:,}")
