"""The numbers of the formats that one version of Pulse writes and another one reads.

Every change of what is written raises the number, and small examples of each number lie under
tests/formats/ (docs/decisions/0036). A reader ignores what it does not know. Where that would make
it read wrongly, the writer also raises `reader`, and readers that know only smaller numbers refuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pulse.errors import NewerFormatError


@dataclass(frozen=True)
class Format:
    """A format: the number that is written now, and the least one whose readers understand it."""

    number: int
    reader: int = 1

    @property
    def metadata(self) -> dict[str, str]:
        """What a Parquet object tells of its format."""
        return {"pulse.format": str(self.number), "pulse.reader": str(self.reader)}

    def check(self, metadata: Mapping[bytes, bytes] | None) -> None:
        """Raise NewerFormatError if an object with these metadata would be read wrongly."""
        told = (metadata or {}).get(b"pulse.reader", b"1")
        if int(told) > self.number:
            raise NewerFormatError(
                f"an object is for readers of format {int(told)}, this version knows {self.number}"
            )


MESSAGE = Format(3)
"""Messages from ingest to write_raw. One without a number is of format 1."""
RAW = Format(3)
"""Objects of events in raw. Columns are only added, and none changes its meaning."""
REPORT = Format(4)
"""The objects of a tenant-year's parts. Columns are only added: one that an object lacks has
nothing in its rows, or what another column said before (lake.Dataset.before). From 4 on there are
roll-ups, which have only some of the dimensions; under 3 and before, one object held a year."""
COMMENTS = Format(1)
"""The objects of a tenant's comments of a month. Columns are only added."""
QUARANTINE = Format(3)
"""Lines that were set aside."""
TABLE = Format(3)
"""The table's records, which carry no number: readers pass over attributes that they do not know.
What has to be told otherwise gets another name, as the states of tenant-years have with 3."""
