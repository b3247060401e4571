"""Makes moto list a bucket as S3 does: as of one moment, and without folders of deleted objects.

moto copies the names of all objects and then looks at each, so an object that is deleted meanwhile
ends the listing with a KeyError. It leaves deleted objects out, but still lists their folders. And
for one prefix it goes through all objects of the bucket, which it copies with their bodies to list
versions.
"""

from types import SimpleNamespace
from typing import Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, S3Backend


def install() -> None:
    """Change how this process's moto lists. To call it again changes nothing."""
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
    """The names in the bucket, each with its versions, the latest last, as of one moment.

    The items of the dict are taken in one step, so that no name is looked up a second time.
    """
    return list(dict.items(bucket.keys))
