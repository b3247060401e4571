"""The numbers of the formats that one version of Pulse writes and another version reads.

Every change of a format raises its number, and tests/formats/ has small examples of each number
(docs/decisions/0036). A reader ignores what it does not know. If it would misread the format then,
the change also raises `reader`, and readers that know only smaller numbers refuse the format.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pulse.errors import NewerFormatError


@dataclass(frozen=True)
class Format:
    """A format: the number that is written now, and the lowest number whose readers can read it."""

    number: int
    reader: int = 1

    @property
    def metadata(self) -> dict[str, str]:
        """The format as metadata of a Parquet object."""
        return {"pulse.format": str(self.number), "pulse.reader": str(self.reader)}

    def check(self, metadata: Mapping[bytes, bytes] | None) -> None:
        """Raise NewerFormatError if this version would misread an object with these metadata."""
        told = (metadata or {}).get(b"pulse.reader", b"1")
        if int(told) > self.number:
            raise NewerFormatError(
                f"an object is for readers of format {int(told)}, this version knows {self.number}"
            )


MESSAGE = Format(3)
"""Messages from ingest to write_raw. A message without a number has format 1."""
RAW = Format(3)
"""Objects of events in raw. Columns are only added, and none changes its meaning."""
REPORT = Format(4)
"""The objects of a tenant-year's parts. Columns are only added: one that an object lacks has
nothing in its rows, or what another column said before (lake.Dataset.before). From 4 on there are
roll-ups, which have only some of the dimensions; under 3 and before, one object held a year."""
COMMENTS = Format(2)
"""The objects of a tenant's comments of a month. Columns are only added: one that an object lacks
is null in its rows."""
QUARANTINE = Format(3)
"""Lines that were set aside."""
TABLE = Format(3)
"""The table's records. They hold no number: readers ignore attributes that they do not know. What
changes its meaning gets another name, as the states of tenant-years did with format 3."""
