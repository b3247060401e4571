"""Reads, writes and deletes objects of one S3 bucket.

The bucket may keep versions: then a replaced or deleted object stays as an older version until the
bucket's lifecycle rules remove it, or `wipe` and the functions like it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from pulse.errors import ConflictError
from pulse.store.clients import client

_MOST_DELETED = 1000  # what S3 takes in one request
_LOST_A_RACE = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
"""The errors of a conditional PUT if the object has changed, changes at the moment, or is gone."""


@dataclass(frozen=True)
class Version:
    """A version of a key: an object, or a delete marker, which has no bytes."""

    key: str
    id: str
    stored: datetime
    """When it was made."""
    is_latest: bool
    """Whether it is the present one; if that is a delete marker, there is no object."""
    is_deletion: bool = False


class Objects:
    """One bucket."""

    def __init__(self, bucket: str, *, fail_fast: bool = False) -> None:
        self.bucket = bucket
        self._fail_fast = fail_fast

    @property
    def _client(self) -> Any:
        return client("s3", fail_fast=self._fail_fast)

    def get(self, key: str) -> bytes:
        """The bytes of an object that is known to exist."""
        return self._read(key)[0]

    def get_tagged(self, key: str) -> tuple[bytes, str]:
        """(bytes, ETag) of an object that is known to exist."""
        return self._read(key)

    def look(self, key: str) -> tuple[bytes, str] | None:
        """(bytes, ETag) of an object; None if there is none.

        Only for roles that may list the bucket: for others S3 replies 403 if there is no object.
        """
        try:
            return self._read(key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise

    def get_unless_gone(self, key: str) -> bytes | None:
        """The bytes of an object that existed; None if it seems to be gone.

        If it is gone, S3 replies 404, or 403 to roles that may not list the bucket. It also replies
        403 to roles that may not read the object, which this cannot distinguish.
        """
        try:
            return self._read(key)[0]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):
                return None
            raise

    def _read(self, key: str, **conditions: str) -> tuple[bytes, str]:
        """Return an object's bytes and its ETag."""
        reply = self._client.get_object(Bucket=self.bucket, Key=key, **conditions)
        return reply["Body"].read(), reply["ETag"]

    def get_version(self, version: Version) -> bytes | None:
        """The bytes of a version; None if it has gone since it was listed."""
        try:
            reply = self._client.get_object(
                Bucket=self.bucket, Key=version.key, VersionId=version.id
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        body: bytes = reply["Body"].read()
        return body

    def end_unless_gone(self, key: str, size: int) -> tuple[bytes, str] | None:
        """The last bytes of an object, and its ETag; None as of `get_unless_gone`."""
        try:
            return self._read(key, Range=f"bytes=-{size}")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):
                return None
            raise

    def begin(self, key: str, size: int) -> bytes:
        """The first bytes of an object that is known to exist and not to be empty."""
        return self._read(key, Range=f"bytes=0-{size - 1}")[0]

    def end(self, key: str, size: int) -> bytes:
        """The last bytes of an object that is known to exist and not to be empty."""
        return self._read(key, Range=f"bytes=-{size}")[0]

    def put(self, key: str, body: bytes) -> None:
        """Store an object under a name that nobody else uses."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def put_page(self, key: str, body: bytes, *, media_type: str, cache_control: str) -> None:
        """Store a file for browsers, with the headers with which it is served."""
        self._client.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=body,
            ContentType=media_type,
            CacheControl=cache_control,
        )

    def put_file(self, key: str, path: Path, *, media_type: str) -> None:
        """Store a file of any size under a name that nobody else uses."""
        from s3transfer.manager import TransferManager  # it takes 60 ms, and few processes need it

        with TransferManager(self._client) as transfers:
            extra = {"ContentType": media_type}
            transfers.upload(str(path), self.bucket, key, extra_args=extra).result()

    def link(self, key: str, file_name: str, *, seconds: int) -> str:
        """A signed address from which anybody can download the object, as a file of that name.

        It expires after `seconds`, or earlier with the credentials of the role that signed it.
        """
        wanted = {
            "Bucket": self.bucket,
            "Key": key,
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
        }
        link: str = self._client.generate_presigned_url(
            "get_object", Params=wanted, ExpiresIn=seconds
        )
        return link

    def replace(self, key: str, body: bytes, *, etag: str | None, sha256: str = "") -> str:
        """Replace the object with that ETag (None: there must be none); return the new ETag.

        `sha256` is stored as its metadata; if it is empty, the hash of the body is computed. Raises
        ConflictError if the object is not the one with that ETag.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        told = sha256 or hashlib.sha256(body).hexdigest()
        try:
            reply = self._client.put_object(
                Bucket=self.bucket, Key=key, Body=body, Metadata={"sha256": told}, **condition
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _LOST_A_RACE:
                raise ConflictError(f"{key} was replaced by somebody else") from error
            raise
        stored: str = reply["ETag"]
        return stored

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below a prefix, in order."""
        return (found["Key"] for found in self._listed(prefix))

    def etags(self, prefix: str) -> dict[str, str]:
        """The ETag of every object below a prefix, by key, in order."""
        return {found["Key"]: found["ETag"] for found in self._listed(prefix)}

    def sizes(self, prefix: str) -> dict[str, int]:
        """The bytes of every object below a prefix, by key, in order."""
        return {found["Key"]: found["Size"] for found in self._listed(prefix)}

    def _listed(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        for page in pages:
            yield from page.get("Contents", ())

    def folders(self, prefix: str) -> Iterator[str]:
        """The prefixes one level below `prefix`, each ending in a slash."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, Delimiter="/"
        )
        for page in pages:
            yield from (found["Prefix"] for found in page.get("CommonPrefixes", ()))

    def versions(self, prefix: str) -> Iterator[Version]:
        """Every version and delete marker below a prefix, by key, the latest of each key first."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        for page in pages:
            found = [
                Version(
                    key=one["Key"],
                    id=one["VersionId"],
                    stored=one["LastModified"],
                    is_latest=one["IsLatest"],
                    is_deletion=is_deletion,
                )
                for is_deletion, kind in ((False, "Versions"), (True, "DeleteMarkers"))
                for one in page.get(kind, ())
            ]
            yield from sorted(found, key=lambda one: (one.key, not one.is_latest))

    def older_versions(self, prefix: str) -> list[Version]:
        """Every replaced or deleted object below a prefix, without delete markers."""
        return [v for v in self.versions(prefix) if not v.is_latest and not v.is_deletion]

    def wipe(self, prefix: str) -> int:
        """Delete all versions of every object below a prefix; return how many there were.

        Raises RuntimeError with a key that S3 did not delete.
        """
        return self.delete_versions(self.versions(prefix))

    def wipe_keys(self, keys: Iterable[str]) -> int:
        """Delete all versions of these objects; return how many versions there were."""
        wanted = set(keys)
        # without the versions of longer keys that begin with this one
        found = [v for key in sorted(wanted) for v in self.versions(key) if v.key == key]
        return self.delete_versions(found)

    def delete_versions(self, versions: Iterable[Version]) -> int:
        """Delete these versions for good, the latest too; return how many there were.

        Raises RuntimeError with a key that S3 did not delete.
        """
        named = [{"Key": version.key, "VersionId": version.id} for version in versions]
        self._delete(named)
        return len(named)

    def delete_all(self, prefix: str) -> int:
        """Delete every object below a prefix; return how many there were.

        Raises RuntimeError with a key that S3 did not delete.
        """
        keys = list(self.keys(prefix))
        self.delete(keys)
        return len(keys)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; one that does not exist is no error.

        Raises RuntimeError with a key that S3 did not delete.
        """
        self._delete([{"Key": key} for key in keys])

    def _delete(self, named: Sequence[dict[str, str]]) -> None:
        for first in range(0, len(named), _MOST_DELETED):
            batch = named[first : first + _MOST_DELETED]
            reply = self._client.delete_objects(
                Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True}
            )
            for error in reply.get("Errors", ()):
                raise RuntimeError(f"S3 did not delete {error['Key']}: {error['Code']}")
