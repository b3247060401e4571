"""manifest.json, which lists a month's files and is written after them.

A reader who finds all files as the manifest lists them has the whole month.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from pulse import days

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class File:
    """A file as it was written; its name is relative to the manifest."""

    name: str
    bytes: int
    sha256: str
    etag: str
    """S3's ETag of the bytes: a listing shows whether they are still the same."""


@dataclass(frozen=True)
class Adjustment(File):
    """A file with the changes of figures since the month was closed, or the last adjustment."""

    as_of: str
    """When the build ran that made the changes."""
    rows: int
    revenue: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """A month's present state. Money is text with four decimals, times are RFC 3339."""

    tenant: str
    month: str
    version: int
    """Increases by one with each change of the manifest."""
    state: Literal["open", "closed"]
    """In a closed month the files never change; later changes of figures are adjustments."""
    closed_at: str | None
    as_of: str
    """When the build ran that made the latest figures."""
    rows: int
    revenue: Mapping[str, str]
    """The total revenue in the month's own files, without adjustments, by currency."""
    files: tuple[File, ...]
    """The month's CSV and Parquet, then the Parquet of each adjustment."""
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether the month is closed, so that its files are never overwritten."""
        return self.state == "closed"

    def file(self, name: str) -> File:
        """The file of that name."""
        return next(file for file in self.files if file.name == name)

    def shown(self) -> dict[str, Any]:
        """The members of its JSON."""
        return asdict(self)

    def to_json(self) -> bytes:
        """The object's bytes."""
        return (json.dumps(self.shown(), indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """The manifest in the object's bytes."""
        members = json.loads(body)
        members["files"] = tuple(File(**file) for file in members["files"])
        members["adjustments"] = tuple(Adjustment(**file) for file in members["adjustments"])
        return cls(**members)


def to_the_second(us: int) -> str:
    """A moment (UTC, microseconds) as manifests write it: RFC 3339, to the second."""
    return days.iso(us // days.SECOND * days.SECOND)
