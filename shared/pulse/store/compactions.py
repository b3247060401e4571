"""The manifests of compactions: which objects of a day replace which others.

    compactions/<stream>/dt=YYYY-MM-DD/<ulid>.json
        {"objects": […], "sources": […], "finished_us": null or …}

While a compaction runs, its manifest names each object before that is written, and no source. So
no object is left unnoticed if the compaction dies. Once it is finished, the manifest names the
sources, which are removed a day later; then the manifest is removed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pulse import days, lake
from pulse.store.objects import Objects

KEEP = timedelta(days=1)
"""How long after a compaction its sources stay, so that it can be undone."""


@dataclass(frozen=True)
class Compaction:
    """A compaction of one day, running or finished."""

    stream: str
    day: date
    name: str
    objects: tuple[str, ...] = ()
    """The keys of the objects that it has written or is about to write."""
    sources: tuple[str, ...] = ()
    """The keys of the objects that are replaced. The new objects hold all their rows."""
    finished_us: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether the sources may be removed."""
        if self.finished_us is None:
            return False
        return days.now() - days.from_us(self.finished_us) >= KEEP

    @property
    def key(self) -> str:
        """The key of its manifest."""
        return lake.compaction_key(self.stream, self.day, self.name)


class Compactions:
    """The manifests of one lake."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def all(self) -> Iterator[Compaction]:
        """Every compaction that has a manifest."""
        return map(self._read, self._objects.keys(lake.COMPACTIONS))

    def of_day(self, stream: str, day: date) -> list[Compaction]:
        """The compactions of a day."""
        return [self._read(key) for key in self._objects.keys(lake.compactions_prefix(stream, day))]

    def put(self, compaction: Compaction) -> None:
        """Store the manifest."""
        manifest = {
            "objects": compaction.objects,
            "sources": compaction.sources,
            "finished_us": compaction.finished_us,
        }
        self._objects.put(compaction.key, json.dumps(manifest, indent=1).encode())

    def remove_sources(self, compaction: Compaction) -> None:
        """Delete the sources, then the manifest. The caller must hold the day's lease.

        Older versions of the sources stay, so that they can be restored. If the compaction was
        undone, its sources are the objects that it wrote, and these versions are deleted too. If an
        object that it wrote has been lost, the sources stay: nothing else has their rows.
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
