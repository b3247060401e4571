"""Makes moto list a bucket with versions as S3 does: deleted objects make no folder.

moto leaves deleted objects out of a listing, but still names the folder that they lay in.
"""

from types import SimpleNamespace
from typing import Any

from moto.s3.models import FakeDeleteMarker, S3Backend


def install() -> None:
    """From now on moto in this process lists like that. Calling it again changes nothing."""
    backend: Any = S3Backend
    if backend.list_objects is not _list_objects:
        backend.list_objects = _list_objects


_moto_list_objects = S3Backend.list_objects


def _list_objects(self: S3Backend, bucket: Any, *args: Any, **given: Any) -> Any:
    if any(isinstance(key, FakeDeleteMarker) for key in bucket.keys.values()):
        there = bucket.keys.items()
        living = {name: key for name, key in there if not isinstance(key, FakeDeleteMarker)}
        bucket = SimpleNamespace(keys=living)
    return _moto_list_objects(self, bucket, *args, **given)
