"""The folder of one month in the finance bucket: reads and writes its files.

Each PUT names the ETag that the listing showed, so that an exporter that was overtaken by another
one fails instead of overwriting its files.
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
    """A month's folder as a listing showed it."""

    objects: Objects
    tenant: str
    month: str
    etags: Mapping[str, str]
    """The ETags of its files, by name within the folder."""
    in_time: Callable[[], bool]
    """True while files may be written."""

    @cached_property
    def manifest(self) -> Manifest | None:
        """The manifest; None before the first export that was completed."""
        return Manifest.from_json(self.read(MANIFEST)) if MANIFEST in self.etags else None

    @property
    def adjustments(self) -> list[str]:
        """The names of all adjustments, in order, including those that no manifest lists."""
        numbered = {name: _ADJUSTMENT.fullmatch(name) for name in self.etags}
        numbers = {name: int(found[1]) for name, found in numbered.items() if found}
        return sorted(numbers, key=numbers.__getitem__)

    @property
    def next_adjustment(self) -> str:
        """The name for the next adjustment."""
        last = _ADJUSTMENT.fullmatch(self.adjustments[-1]) if self.adjustments else None
        return f"adjustments/{int(last[1]) + 1 if last else 1:04}.csv"

    def read(self, name: str) -> bytes:
        """The bytes of a file that the listing showed."""
        return self.objects.get(self._key(name))

    def read_listed(self, file: File) -> bytes:
        """The bytes of a file in a manifest. Raises BuildCheckError if the bytes have changed."""
        body = self.read(file.name) if file.name in self.etags else None
        if body is None or sha256(body) != file.sha256:
            raise BuildCheckError(
                f"s3://{self.objects.bucket}/{self._key(file.name)} is not what its manifest says: "
                "bring back the version that has the SHA-256 listed there"
            )
        return body

    def has(self, file: File) -> bool:
        """Whether the listing shows the file with the ETag in the manifest."""
        return _bare(self.etags.get(file.name, "")) == file.etag

    def found(self, name: str, body: bytes) -> File:
        """The manifest's entry for a file that the listing showed, and that has these bytes."""
        return File(name, len(body), sha256(body), _bare(self.etags[name]))

    def put(self, name: str, body: bytes) -> File:
        """Write a file over the one that the listing showed; return the manifest's entry for it.

        Raises ConflictError if the file has changed since the listing, or the time is over.
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
    """The folders of a tenant's year by month, including empty ones, from one listing."""
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
