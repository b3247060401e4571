"""What files have brought, in the table: so that an import can be taken back or replaced.

pk                      sk              record
IMPORTS#tenant          name            the file, a hash of what was to be sent, the keys that sent
IMPORT_IDS#tenant#name  content#number  a part of the hashes of the ids that its rows got, as base64

A record is stored before anything is sent with the key that it names. So whatever an import that
died has brought can be found by its keys.
"""

import base64
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from pulse.store.records import Record, Records

_PART = 240_000
"""Bytes of hashes in one record, a multiple of eight; in base64 less than DynamoDB's 400 KB."""


@dataclass(frozen=True)
class Imported:
    """One import, as it is remembered under its name."""

    tenant: str
    name: str
    stream: str
    into: str
    """What it was for within the stream: a survey's id, or the column that names the surveys."""
    file: str
    """The file's name, without folders."""
    file_sha256: str
    content_sha256: str
    """Of all events in the order of the file: another one means that other options were given."""
    started_us: int
    batch: str | None = None
    """The name that was asked for, which keeps its rows apart from equal ones; it is `name`."""
    key_ids: tuple[str, ...] = ()
    """The keys that were made for it, one for each time that it was run."""
    replaced_key_ids: tuple[str, ...] = ()
    """Those of what it brought with other options, as long as that is not known to be removed."""
    shared_key_id: str | None = None
    """A key that somebody had given it, which may have brought other events as well."""
    rows: int = 0
    accepted: int | None = None
    """Rows that were accepted when it last ran to its end; None: it has not yet."""
    rejected: int | None = None

    def again(self, now: "Imported") -> "Imported":
        """The same import with another content: that of `now`, which replaces what it brought."""
        replaced = (*self.replaced_key_ids, *self.key_ids)
        return replace(now, name=self.name, key_ids=(), replaced_key_ids=replaced)


class Imports:
    """Reads and writes what is remembered of imports."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)

    def of_tenant(self, tenant: str) -> list[Imported]:
        """The tenant's imports, by name."""
        found = self._records.query(f"IMPORTS#{tenant}", consistent=True)
        return [_imported(tenant, record) for record in found]

    def get(self, tenant: str, name: str) -> Imported | None:
        """The import of that name, or None."""
        record = self._records.get(f"IMPORTS#{tenant}", name, consistent=True)
        return _imported(tenant, record) if record else None

    def create(self, imported: Imported, hashes: bytes) -> None:
        """Remember a new import and the hashes of its rows' ids, eight bytes each.

        Raises ConflictError if there is one of that name.
        """
        self._put_hashes(imported, hashes)
        told = {n: v for n, v in asdict(imported).items() if n not in ("tenant", "name")}
        self._records.create({"pk": f"IMPORTS#{imported.tenant}", "sk": imported.name, **told})

    def change(self, before: Imported, now: Imported, hashes: bytes) -> None:
        """Let `now`, of the same name, be remembered in the place of `before`.

        Raises ConflictError if that is not what is remembered.
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

    def add_key(self, imported: Imported, key_id: str) -> None:
        """Remember that a key sends for it. Raises ConflictError if its content is another now."""
        self._update(
            imported,
            "SET key_ids = list_append(key_ids, :key)",
            {":key": [key_id], ":content": imported.content_sha256},
            condition="content_sha256 = :content",
        )

    def share_key(self, imported: Imported, key_id: str) -> None:
        """Remember that a key of somebody's sends for it. Raises ConflictError as `add_key`."""
        self._update(
            imported,
            "SET shared_key_id = :key",
            {":key": key_id, ":content": imported.content_sha256},
            condition="content_sha256 = :content",
        )

    def finish(self, imported: Imported, accepted: int, rejected: int) -> None:
        """Remember how it ended. Raises ConflictError as `add_key`."""
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

    def settle(self, imported: Imported) -> None:
        """Remember that what it replaces has been removed; older hashes go.

        Raises ConflictError if it replaces something else by now.
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

    def hashes(self, imported: Imported) -> Iterator[bytes]:
        """The hashes of its rows' ids, in parts of whole hashes."""
        first, last = f"{imported.content_sha256}#", f"{imported.content_sha256}#~"
        pk = _ids(imported.tenant, imported.name)
        for record in self._records.query(pk, between=(first, last), consistent=True):
            yield base64.b64decode(record["hashes"])

    def forget(self, imported: Imported) -> None:
        """Remember it no more; if that is interrupted, it is still there to be forgotten."""
        self._records.clear(_ids(imported.tenant, imported.name))
        self._records.delete({"pk": f"IMPORTS#{imported.tenant}", "sk": imported.name})

    def remove(self, tenant: str) -> int:
        """Forget all imports of a tenant; how many there were."""
        found = self.of_tenant(tenant)
        for imported in found:
            self.forget(imported)
        return len(found)

    def _put_hashes(self, imported: Imported, hashes: bytes) -> None:
        pk = _ids(imported.tenant, imported.name)
        for number, first in enumerate(range(0, len(hashes), _PART)):
            part = base64.b64encode(hashes[first : first + _PART]).decode()
            sk = f"{imported.content_sha256}#{number:06}"
            self._records.put({"pk": pk, "sk": sk, "hashes": part})

    def _update(
        self,
        imported: Imported,
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


def _imported(tenant: str, record: Record) -> Imported:
    told = {name: value for name, value in record.items() if name not in ("pk", "sk")}
    for name in ("key_ids", "replaced_key_ids"):
        told[name] = tuple(told[name])
    return Imported(tenant=tenant, name=record["sk"], **told)
