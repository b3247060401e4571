"""Makes moto list a bucket as S3 does: at one moment, and without folders of deleted objects.

moto copies the names of all objects and then looks at each: an object that goes meanwhile ends the
listing in a KeyError. It leaves deleted objects out, but still names the folder that they lay in.
And it goes through all objects of the bucket for what lies below one prefix, and copies them all,
bodies and all, to list versions.
"""

from types import SimpleNamespace
from typing import Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, S3Backend


def install() -> None:
    """From now on moto in this process lists like that. Calling it again changes nothing."""
    backend: Any = S3Backend
    if backend.list_objects is not _list_objects:
        backend.list_objects = _list_objects
        backend.list_object_versions = _list_object_versions


_moto_list_objects = S3Backend.list_objects
_moto_list_object_versions = S3Backend.list_object_versions


def _list_objects(self: S3Backend, bucket: Any, prefix: Any, *args: Any, **given: Any) -> Any:
    living = {}
    for name, versions in _versions(bucket):
        if prefix and not name.startswith(prefix):
            continue
        if versions and not isinstance(versions[-1], FakeDeleteMarker):
            living[name] = versions[-1]
    narrowed: Any = SimpleNamespace(keys=living)
    return _moto_list_objects(self, narrowed, prefix, *args, **given)


def _list_object_versions(
    self: S3Backend, bucket_name: str, *, prefix: str = "", **given: Any
) -> Any:
    there = dict(_versions(self.get_bucket(bucket_name)))
    below = {name: versions for name, versions in there.items() if name.startswith(prefix)}
    bucket = SimpleNamespace(keys=SimpleNamespace(iterlists=below.items))
    narrowed: Any = SimpleNamespace(get_bucket=lambda name: bucket)
    return _moto_list_object_versions(narrowed, bucket_name, prefix=prefix, **given)


def _versions(bucket: FakeBucket) -> list[tuple[str, list[Any]]]:
    """The names in the bucket, each with its versions, the latest last, as they are at a moment.

    dict's own view holds the lists themselves, so that nothing is looked up a second time.
    """
    return list(dict.items(bucket.keys))
