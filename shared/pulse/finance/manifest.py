"""manifest.json: what a month's files are, put after them.

Whoever finds the files as the manifest says has the month whole.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from pulse import days

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class File:
    """A file as it was put; its name is relative to the manifest."""

    name: str
    bytes: int
    sha256: str
    etag: str
    """What S3 called these bytes: a listing then tells whether they are still there."""


@dataclass(frozen=True)
class Adjustment(File):
    """A file of changes that came after the month was closed."""

    as_of: str
    """When the build ran that the changes come from."""
    rows: int
    revenue: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """A month as it stands. Money is written out with four decimals, times are RFC 3339."""

    tenant: str
    month: str
    version: int
    """Rises by one with each put of the manifest."""
    state: Literal["open", "closed"]
    """Closed: what `files` names stays as it is for good, what changes comes as adjustments."""
    closed_at: str | None
    as_of: str
    """When the build ran that the latest of the figures come from."""
    rows: int
    revenue: Mapping[str, str]
    """Total by currency, and so is the one of an adjustment; of `files`, without adjustments."""
    files: tuple[File, ...]
    """The month as CSV and as Parquet; then the Parquet beside each adjustment."""
    adjustments: tuple[Adjustment, ...] = ()

    @property
    def closed(self) -> bool:
        """True once the files are never overwritten any more."""
        return self.state == "closed"

    def file(self, name: str) -> File:
        """The file of that name."""
        return next(file for file in self.files if file.name == name)

    def shown(self) -> dict[str, Any]:
        """Its members, as the object has them."""
        return asdict(self)

    def to_json(self) -> bytes:
        """The object's bytes."""
        return (json.dumps(self.shown(), indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """The manifest of an object."""
        members = json.loads(body)
        members["files"] = tuple(File(**file) for file in members["files"])
        members["adjustments"] = tuple(Adjustment(**file) for file in members["adjustments"])
        return cls(**members)


def to_the_second(us: int) -> str:
    """An instant as manifests write it."""
    return days.iso(us // days.SECOND * days.SECOND)
