"""The folder of one month in the finance bucket: what lies in it, and what is put there.

A put names what it replaces, as the listing showed it, so that an exporter that was overtaken
fails instead of undoing what the other one did.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pulse import lake
from pulse.errors import BuildCheckError, ConflictError
from pulse.finance.manifest import MANIFEST, File, Manifest
from pulse.store.objects import Objects

_ADJUSTMENT = re.compile(r"adjustments/(\d{4,})\.csv", re.ASCII)


@dataclass(frozen=True)
class Folder:
    """A month's folder as a listing found it."""

    objects: Objects
    tenant: str
    month: str
    etags: Mapping[str, str]
    """By name, relative to the folder."""
    in_time: Callable[[], bool]
    """False once nothing may be put any more."""

    @cached_property
    def manifest(self) -> Manifest | None:
        """Its manifest as it was found; None before the first export that came to its end."""
        return Manifest.from_json(self.read(MANIFEST)) if MANIFEST in self.etags else None

    @property
    def adjustments(self) -> list[str]:
        """The names of the adjustments, in order; also of those that no manifest lists."""
        numbered = {name: _ADJUSTMENT.fullmatch(name) for name in self.etags}
        numbers = {name: int(found[1]) for name, found in numbered.items() if found}
        return sorted(numbers, key=numbers.__getitem__)

    @property
    def next_adjustment(self) -> str:
        """The name that the next adjustment gets."""
        last = _ADJUSTMENT.fullmatch(self.adjustments[-1]) if self.adjustments else None
        return f"adjustments/{int(last[1]) + 1 if last else 1:04}.csv"

    def read(self, name: str) -> bytes:
        """The bytes of a file that the listing showed."""
        return self.objects.get(self._key(name))

    def read_listed(self, file: File) -> bytes:
        """The bytes of a file that a manifest lists. Raises BuildCheckError if they are others."""
        body = self.read(file.name) if file.name in self.etags else None
        if body is None or sha256(body) != file.sha256:
            raise BuildCheckError(
                f"s3://{self.objects.bucket}/{self._key(file.name)} is not what its manifest says: "
                "bring back the version that has the SHA-256 listed there"
            )
        return body

    def has(self, file: File) -> bool:
        """True if the listing shows the file with the bytes that a manifest lists."""
        return _bare(self.etags.get(file.name, "")) == file.etag

    def found(self, name: str, body: bytes) -> File:
        """What a manifest is to say of a file that the listing showed, with the bytes it has."""
        return File(name, len(body), sha256(body), _bare(self.etags[name]))

    def put(self, name: str, body: bytes) -> File:
        """Put a file in the place of what the listing showed; what a manifest is to say of it.

        Raises ConflictError where something else lies there by now, or time is over.
        """
        if not self.in_time():
            raise ConflictError(f"no time is left to export {self.tenant} {self.month}")
        digest, before = sha256(body), self.etags.get(name)
        etag = self.objects.replace(self._key(name), body, sha256=digest, etag=before)
        return File(name, len(body), digest, _bare(etag))

    def _key(self, name: str) -> str:
        return lake.revenue_prefix(self.tenant, self.month) + name


def list_folders(
    objects: Objects, tenant: str, year: int, in_time: Callable[[], bool]
) -> dict[str, Folder]:
    """The folder of each month of a tenant's year, empty ones included, after one listing."""
    listed = objects.etags(lake.revenue_year_prefix(tenant, year))
    folders = {}
    for number in range(1, 13):
        month = f"{year}-{number:02}"
        prefix = lake.revenue_prefix(tenant, month)
        etags = {k.removeprefix(prefix): etag for k, etag in listed.items() if k.startswith(prefix)}
        folders[month] = Folder(objects, tenant, month, etags, in_time)
    return folders


def sha256(body: bytes) -> str:
    """The hash by which a manifest names a file's bytes."""
    return hashlib.sha256(body).hexdigest()


def _bare(etag: str) -> str:
    """An ETag without the quotes around it."""
    return etag.strip('"')
