"""A record of each import in the table, so that the import can be undone or replaced.

pk                      sk              record
IMPORTS#tenant          name            the file, a hash of what was to be sent, the keys that sent
IMPORT_IDS#tenant#name  content#number  a part of the hashes of the ids that its rows got, as base64

A record is stored before anything is sent with the key that it names. So the events of an import
that died can be found by its keys.
"""

import base64
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from pulse.store.records import Record, Records

_PART = 240_000
"""The bytes of hashes in one record, a multiple of eight; in base64 below DynamoDB's 400 KB."""


@dataclass(frozen=True)
class ImportRecord:
    """The record of an import, under its name."""

    tenant: str
    name: str
    stream: str
    into: str
    """A survey's id, or the column of the file that names the surveys."""
    file: str
    """The file's name, without folders."""
    file_sha256: str
    content_sha256: str
    """The SHA-256 of all events in the order of the file. With other options it is another one."""
    started_us: int
    batch: str | None = None
    """The name given with --batch, which is then `name`; equal rows of two batches count twice."""
    key_ids: tuple[str, ...] = ()
    """The keys that were made for it, one for each run."""
    replaced_key_ids: tuple[str, ...] = ()
    """The keys of its runs with other options, until their events are known to be removed."""
    shared_key_id: str | None = None
    """The key that the user gave it, which may have sent other events as well."""
    rows: int = 0
    accepted: int | None = None
    """How many rows its last complete run had accepted; None if there was none."""
    rejected: int | None = None

    def again(self, now: "ImportRecord") -> "ImportRecord":
        """The same import with the content of `now`, which replaces its former events."""
        replaced = (*self.replaced_key_ids, *self.key_ids)
        return replace(now, name=self.name, key_ids=(), replaced_key_ids=replaced)


class Imports:
    """Reads and writes the records of imports."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)

    def of_tenant(self, tenant: str) -> list[ImportRecord]:
        """The tenant's imports, by name."""
        found = self._records.query(f"IMPORTS#{tenant}", consistent=True)
        return [_imported(tenant, record) for record in found]

    def get(self, tenant: str, name: str) -> ImportRecord | None:
        """The import of that name, or None."""
        record = self._records.get(f"IMPORTS#{tenant}", name, consistent=True)
        return _imported(tenant, record) if record else None

    def create(self, imported: ImportRecord, hashes: bytes) -> None:
        """Store a new import and the hashes of its rows' ids, eight bytes each.

        Raises ConflictError if there is one of that name.
        """
        self._put_hashes(imported, hashes)
        told = {n: v for n, v in asdict(imported).items() if n not in ("tenant", "name")}
        self._records.create({"pk": f"IMPORTS#{imported.tenant}", "sk": imported.name, **told})

    def change(self, before: ImportRecord, now: ImportRecord, hashes: bytes) -> None:
        """Replace the record `before` by `now`, which has the same name.

        Raises ConflictError if the record is not `before`.
        """
        self._put_hashes(now, hashes)
        told = {n: v for n, v in asdict(now).items() if n not in ("tenant", "name")}
        self._update(
            now,
            "SET " + ", ".join(f"#{name} = :{name}" for name in told),
            {f":{name}": value for name, value in told.items()}
            | {":before": before.content_sha256, ":known": list(before.key_ids)},
            names={f"#{name}": name for name in told},
            condition="content_sha256 = :before AND key_ids = :known",
        )

    def add_key(self, imported: ImportRecord, key_id: str) -> None:
        """Note that a key sends its events. Raises ConflictError if its content has changed."""
        self._update(
            imported,
            "SET key_ids = list_append(key_ids, :key)",
            {":key": [key_id], ":content": imported.content_sha256},
            condition="content_sha256 = :content",
        )

    def share_key(self, imported: ImportRecord, key_id: str) -> None:
        """Note that a key of the user's sends its events. Raises ConflictError as `add_key`."""
        self._update(
            imported,
            "SET shared_key_id = :key",
            {":key": key_id, ":content": imported.content_sha256},
            condition="content_sha256 = :content",
        )

    def finish(self, imported: ImportRecord, accepted: int, rejected: int) -> None:
        """Note how many rows were accepted and rejected. Raises ConflictError as `add_key`."""
        self._update(
            imported,
            "SET accepted = :accepted, rejected = :rejected",
            {
                ":accepted": accepted,
                ":rejected": rejected,
                ":content": imported.content_sha256,
            },
            condition="content_sha256 = :content",
        )

    def settle(self, imported: ImportRecord) -> None:
        """Note that the events which it replaces are removed; delete the hashes of older contents.

        Raises ConflictError if it replaces other events by now.
        """
        self._update(
            imported,
            "SET replaced_key_ids = :none",
            {":none": [], ":replaced": list(imported.replaced_key_ids)},
            condition="replaced_key_ids = :replaced",
        )
        pk = _ids(imported.tenant, imported.name)
        for record in self._records.query(pk, consistent=True):
            if not record["sk"].startswith(f"{imported.content_sha256}#"):
                self._records.delete({"pk": pk, "sk": record["sk"]})

    def hashes(self, imported: ImportRecord) -> Iterator[bytes]:
        """The hashes of its rows' ids, in pieces of whole hashes."""
        first, last = f"{imported.content_sha256}#", f"{imported.content_sha256}#~"
        pk = _ids(imported.tenant, imported.name)
        for record in self._records.query(pk, between=(first, last), consistent=True):
            yield base64.b64decode(record["hashes"])

    def forget(self, imported: ImportRecord) -> None:
        """Delete its record and hashes; if that is interrupted, the record is still there."""
        self._records.clear(_ids(imported.tenant, imported.name))
        self._records.delete({"pk": f"IMPORTS#{imported.tenant}", "sk": imported.name})

    def remove(self, tenant: str) -> int:
        """Delete the records of all imports of a tenant; return how many there were."""
        found = self.of_tenant(tenant)
        for imported in found:
            self.forget(imported)
        return len(found)

    def _put_hashes(self, imported: ImportRecord, hashes: bytes) -> None:
        pk = _ids(imported.tenant, imported.name)
        for number, first in enumerate(range(0, len(hashes), _PART)):
            part = base64.b64encode(hashes[first : first + _PART]).decode()
            sk = f"{imported.content_sha256}#{number:06}"
            self._records.put({"pk": pk, "sk": sk, "hashes": part})

    def _update(
        self,
        imported: ImportRecord,
        expression: str,
        values: dict[str, Any],
        *,
        condition: str,
        names: dict[str, str] | None = None,
    ) -> None:
        self._records.update(
            f"IMPORTS#{imported.tenant}",
            imported.name,
            expression,
            names=names,
            values=values,
            condition=condition,
        )


def _ids(tenant: str, name: str) -> str:
    return f"IMPORT_IDS#{tenant}#{name}"


def _imported(tenant: str, record: Record) -> ImportRecord:
    told = {name: value for name, value in record.items() if name not in ("pk", "sk")}
    for name in ("key_ids", "replaced_key_ids"):
        told[name] = tuple(told[name])
    return ImportRecord(tenant=tenant, name=record["sk"], **told)
