"""Reads and writes objects on S3 with the rights of a statement's caller, and keeps local copies.

Each caller has copies of its own, so that nobody can read a copy of an object that he may not read.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PREFIX = "pulse-athena-"
MOST_BYTES_KEPT = 4_000_000_000
"""The most bytes of copies, or a tenth of the free space on the disk if that is less."""
FEW_LOCATIONS = 8
"""Up to so many locations are listed one by one; of more, their common prefix is listed once."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of a listing."""

    bucket: str
    key: str
    etag: str
    size: int

    @property
    def url(self) -> str:
        """The object's address, s3://BUCKET/KEY."""
        return f"s3://{self.bucket}/{self.key}"


class Copies:
    """Objects on local disk, by caller and ETag, in a private folder that is removed at exit.

    The least recently used go when there is more than `most_bytes`. Readers get hard links in a
    folder of their own, so a copy may go while it is being read. What a process that was killed
    left behind goes when the next one starts.
    """

    def __init__(self, most_bytes: int = MOST_BYTES_KEPT) -> None:
        _remove_orphans(Path(tempfile.gettempdir()))
        most_bytes = min(most_bytes, shutil.disk_usage(tempfile.gettempdir()).free // 10)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self.most_bytes = most_bytes
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        atexit.register(self.remove)

    def remove(self) -> None:
        """Remove the folder and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def link(self, name: str, to: Path) -> bool:
        """Make `to` a link to the copy of that name; False if there is no such copy."""
        with self._lock:
            if name not in self._sizes:
                return False
            self._sizes.move_to_end(name)
            os.link(self.folder / name, to)
            return True

    def add(self, name: str, file: Path, size: int) -> None:
        """Keep a copy of `file`, which stays where it is, under the name."""
        with self._lock:
            if name not in self._sizes and size <= self.most_bytes:
                os.link(file, self.folder / name)
                self._sizes[name] = size
                self._bytes += size
            while self._bytes > self.most_bytes:
                oldest, freed = self._sizes.popitem(last=False)
                self._bytes -= freed
                (self.folder / oldest).unlink()


def _remove_orphans(parent: Path) -> None:
    """Remove the folders of processes that have ended."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        try:
            os.kill(int(folder.name.removeprefix(_PREFIX).split("-")[0]), 0)  # 0 is no signal
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (PermissionError, ValueError):
            continue  # another user's process


class Store:
    """S3 for one execution: lists, reads and writes as the caller."""

    def __init__(self, client: "S3Client", caller: str, copies: Copies, folder: Path) -> None:
        self.client = client
        self.caller = caller
        self.copies = copies
        self.folder = folder
        self.scanned_bytes = 0

    def listing(self, url: str) -> Iterator[StoredObject]:
        """Every object whose URL starts with `url`, by key."""
        bucket, prefix = split_url(url)
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", []):
                yield StoredObject(bucket, item["Key"], item["ETag"].strip('"'), item["Size"])

    def is_empty(self, location: str) -> bool:
        """Whether nothing lies below the location."""
        return next(self.listing(location), None) is None

    def data_objects(self, locations: Sequence[str]) -> dict[str, list[StoredObject]]:
        """The data objects below each location, hidden and empty ones left out."""
        roots = {location.rstrip("/") + "/" for location in locations}
        found: dict[str, list[StoredObject]] = {root: [] for root in sorted(roots)}
        for url in _to_list(roots):
            for item in self.listing(url):
                root = _location_of(item.url, roots)
                if root and item.size and not _is_hidden(item.url[len(root) :]):
                    found[root].append(item)
        return found

    def fetch(self, item: StoredObject) -> Path:
        """A local file with the object's bytes, in this execution's folder."""
        identity = "\n".join((self.caller, item.url, item.etag, str(item.size)))
        name = hashlib.sha256(identity.encode()).hexdigest()
        path = self.folder / f"{name}.parquet"
        self.scanned_bytes += item.size
        if not path.exists() and not self.copies.link(name, path):
            with path.open("wb") as file:
                body = self.client.get_object(Bucket=item.bucket, Key=item.key)["Body"]
                shutil.copyfileobj(body, file)
            self.copies.add(name, path, item.size)
        return path

    def put(self, url: str, body: bytes) -> None:
        """Write an object."""
        bucket, key = split_url(url)
        self.client.put_object(Bucket=bucket, Key=key, Body=body)

    def put_file(self, url: str, file: Path) -> None:
        """Write a local file as an object."""
        bucket, key = split_url(url)
        with file.open("rb") as body:
            self.client.put_object(Bucket=bucket, Key=key, Body=body)


def split_url(url: str) -> tuple[str, str]:
    """Bucket and key of an s3:// URL."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def _to_list(roots: set[str]) -> list[str]:
    """The prefixes to list, which together contain all locations."""
    shared = os.path.commonprefix(sorted(roots))  # noqa: RUF071 - S3 lists by characters
    one_bucket = shared.count("/") >= 3  # s3://bucket/
    return [shared] if len(roots) > FEW_LOCATIONS and one_bucket else sorted(roots)


def _location_of(url: str, roots: set[str]) -> str | None:
    """The deepest of the locations that the object lies below."""
    end = url.rfind("/")
    while end > 0:
        if url[: end + 1] in roots:
            return url[: end + 1]
        end = url.rfind("/", 0, end)
    return None


def _is_hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))
