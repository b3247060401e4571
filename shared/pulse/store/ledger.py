"""The ledger: how often each day of each stream has changed, and which build speaks for it.

    pk              sk          record
    LEDGER#stream   YYYY-MM-DD  version; the claim: claimed_version, claimed_run, claimed_answers

write_raw adds 1 to `version` after each object it puts. A builder claims a day for its run
before it points the Glue partition there, so that of two builders the one that read the newer
version prevails whatever their order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pulse.errors import ConflictError
from pulse.store.records import Record, Records


@dataclass(frozen=True)
class Entry:
    """One day of a stream: its version; the run that claimed it, from which version, with what."""

    day: date
    version: int
    claimed_version: int = 0
    claimed_run: str = ""
    claimed_answers: int = 0


class Ledger:
    """Reads and writes the ledger."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)

    def add(self, stream: str, day: date) -> None:
        """Count one more change of a day. Call it after the object is stored."""
        self._records.update(
            f"LEDGER#{stream}", day.isoformat(), "ADD version :one", values={":one": 1}
        )

    def entries(self, stream: str) -> Mapping[date, Entry]:
        """Every day of a stream that ever had an event, read consistently."""
        records = self._records.query(f"LEDGER#{stream}", consistent=True)
        return {entry.day: entry for entry in map(_entry, records)}

    def claim(self, stream: str, day: date, *, version: int, run: str, answers: int) -> bool:
        """Make `run`, built from `version` and counting `answers`, speak for the day.

        False, and nothing changed, if a run built from a newer version does already.
        """
        try:
            self._records.update(
                f"LEDGER#{stream}",
                day.isoformat(),
                "SET claimed_version = :version, claimed_run = :run, claimed_answers = :answers",
                values={":version": version, ":run": run, ":answers": answers},
                condition="attribute_not_exists(claimed_version) OR claimed_version <= :version",
            )
        except ConflictError:
            return False
        return True


def _entry(record: Record) -> Entry:
    return Entry(
        day=date.fromisoformat(record["sk"]),
        version=record.get("version", 0),
        claimed_version=record.get("claimed_version", 0),
        claimed_run=record.get("claimed_run", ""),
        claimed_answers=record.get("claimed_answers", 0),
    )
