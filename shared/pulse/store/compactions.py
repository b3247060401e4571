"""The manifests of compactions: which objects of a day were written in the place of which others.

    compactions/<stream>/dt=YYYY-MM-DD/<ulid>.json
        {"objects": […], "sources": […], "finished_us": null or …}

While a compaction is at work its manifest names each object before that is put, and no source:
nothing that a compaction writes can be forgotten. Once it is finished the sources have served; they
are removed a day later, and the manifest after them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pulse import days, lake
from pulse.store.objects import Objects

KEEP = timedelta(days=1)
"""For so long after a compaction its sources stay, and what it did can be undone."""


@dataclass(frozen=True)
class Compaction:
    """One day's compaction, at work or finished."""

    stream: str
    day: date
    name: str
    objects: tuple[str, ...] = ()
    """Keys of what it wrote, or is about to."""
    sources: tuple[str, ...] = ()
    """Keys of what has served. Never more than the objects hold."""
    finished_us: int | None = None

    @property
    def is_over(self) -> bool:
        """True once the sources may go."""
        if self.finished_us is None:
            return False
        return days.now() - days.from_us(self.finished_us) >= KEEP

    @property
    def key(self) -> str:
        """Where its manifest lies."""
        return lake.compaction_key(self.stream, self.day, self.name)


class Compactions:
    """The manifests of one lake."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def all(self) -> Iterator[Compaction]:
        """Every compaction that has a manifest."""
        return map(self._read, self._objects.keys(lake.COMPACTIONS))

    def of_day(self, stream: str, day: date) -> list[Compaction]:
        """Those of a day."""
        return [self._read(key) for key in self._objects.keys(lake.compactions_prefix(stream, day))]

    def put(self, compaction: Compaction) -> None:
        """Store the manifest as it is now."""
        manifest = {
            "objects": compaction.objects,
            "sources": compaction.sources,
            "finished_us": compaction.finished_us,
        }
        self._objects.put(compaction.key, json.dumps(manifest, indent=1).encode())

    def remove_sources(self, compaction: Compaction) -> None:
        """Delete what has served, then the manifest. Only for whoever holds the day's lease.

        The sources' versions stay, to restore them from. Not so where the compaction was undone:
        what it wrote stands in its sources, which go on. Where an object that it wrote has been
        lost since, the sources are what there is of it, and stay.
        """
        if compaction.objects:
            if all(map(self._is_there, compaction.objects)):
                self._objects.delete(compaction.sources)
        else:
            self._objects.wipe_keys(compaction.sources)
        self._objects.delete([compaction.key])

    def _is_there(self, key: str) -> bool:
        # housekeep may list the versions of raw, and neither read nor list its objects
        return any(
            version.key == key and version.is_latest and not version.is_deletion
            for version in self._objects.versions(key)
        )

    def _read(self, key: str) -> Compaction:
        stream, partition, file_name = key.removeprefix(lake.COMPACTIONS).split("/")
        manifest = json.loads(self._objects.get(key))
        return Compaction(
            stream=stream,
            day=date.fromisoformat(partition.removeprefix("dt=")),
            name=file_name.removesuffix(".json"),
            objects=tuple(manifest["objects"]),
            sources=tuple(manifest["sources"]),
            finished_us=manifest["finished_us"],
        )
