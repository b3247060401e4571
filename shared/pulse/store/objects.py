"""Objects of one S3 bucket: whole reads, single PUTs, conditional ones where it matters.

The bucket may keep versions: then what is replaced or deleted lies on as an older version until
the bucket's lifecycle rules or `wipe` and its kind remove that too.
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
"""What a conditional PUT answers where the object is another, changes just now, or has gone."""


@dataclass(frozen=True)
class Version:
    """One of the versions of a key, or the mark of its deletion (which has no bytes)."""

    key: str
    id: str
    stored: datetime
    """When it came to be."""
    is_latest: bool
    """What stands under the key now; where it is a deletion, there is no object."""
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
        """(bytes, ETag) of an object; None if there is none, or none any more.

        Only for roles that may list the bucket: to others S3 answers 403 for what is missing.
        """
        try:
            return self._read(key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise

    def get_unless_gone(self, key: str) -> bytes | None:
        """The bytes of an object that has been there; None if it seems to be gone.

        S3 answers 404, or 403 to roles that may not list the bucket. It answers 403 also to those
        that may not read the object.
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
        """Store what browsers get, with the headers that it is served with."""
        self._client.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=body,
            ContentType=media_type,
            CacheControl=cache_control,
        )

    def put_file(self, key: str, path: Path, *, media_type: str) -> None:
        """Store a file of any size under a name that nobody else uses."""
        from s3transfer.manager import TransferManager  # 60 ms, that hardly any process needs

        with TransferManager(self._client) as transfers:
            extra = {"ContentType": media_type}
            transfers.upload(str(path), self.bucket, key, extra_args=extra).result()

    def link(self, key: str, file_name: str, *, seconds: int) -> str:
        """A signed address that downloads the object, under that name, without a key.

        It ends after the seconds, or earlier with the credentials of the role that signed it.
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
        """Store an object in the place of the one with that ETag (None: of nothing); its own ETag.

        `sha256` is stored beside it: the hash of the body, unless the caller has another.
        Raises ConflictError if something else stands there by now.
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
        """Every version and every deletion below a prefix, by key, the latest of each first."""
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
        """What was replaced or deleted below a prefix, without the marks of deletions."""
        return [v for v in self.versions(prefix) if not v.is_latest and not v.is_deletion]

    def wipe(self, prefix: str) -> int:
        """Delete every object below a prefix with all its versions; how many versions there were.

        Raises RuntimeError naming a key that S3 would not delete.
        """
        return self.delete_versions(self.versions(prefix))

    def wipe_keys(self, keys: Iterable[str]) -> int:
        """Delete objects with all their versions; how many versions there were."""
        wanted = set(keys)
        # a key may begin as another does
        found = [v for key in sorted(wanted) for v in self.versions(key) if v.key == key]
        return self.delete_versions(found)

    def delete_versions(self, versions: Iterable[Version]) -> int:
        """Delete these versions for good, the latest too; how many they were.

        Raises RuntimeError naming a key that S3 would not delete.
        """
        named = [{"Key": version.key, "VersionId": version.id} for version in versions]
        self._delete(named)
        return len(named)

    def delete_all(self, prefix: str) -> int:
        """Delete every object below a prefix; how many there were.

        Raises RuntimeError naming a key that S3 would not delete.
        """
        keys = list(self.keys(prefix))
        self.delete(keys)
        return len(keys)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; one that is not there is no fault.

        Raises RuntimeError naming a key that S3 would not delete.
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
