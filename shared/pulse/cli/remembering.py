"""Remembers imports under their names, so that they can be repeated, replaced and undone.

Two imports are the same one if the same bytes go into the same survey (or both are interactions),
unless both have names and these differ. If an import would send the same events again, it does so,
and they count once. If it would send others, because another time zone or mapping is given, these
are sent first, and then its former events are removed. So if that is interrupted, no event is
missing, and running it again finishes it.
"""

import hashlib
import shlex
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pulse import days
from pulse.cli import building, output
from pulse.cli.arguments import WAIT_S
from pulse.cli.exits import FailedError, WrongUseError
from pulse.cli.preparing import Prepared
from pulse.cli.target import Target
from pulse.erasure.purge import Purge
from pulse.errors import ConflictError
from pulse.store.imports import ImportRecord, Imports
from pulse.tenants.keys import sha256

if TYPE_CHECKING:
    from pulse.erasure.receipt import Receipt

LONGEST_NAME = 128
_KEY_ID = 12


@dataclass(frozen=True)
class Repeats:
    """How many rows of a file equal rows of another import and so count only once."""

    rows: int
    name: str
    started_us: int


@dataclass(frozen=True)
class Memory:
    """The records of one tenant's imports."""

    imports: Imports
    tenant: str

    @classmethod
    def of(cls, target: Target, tenant: str) -> "Memory":
        """The records of a tenant of a stack."""
        return cls(Imports(target.outputs.table), tenant)

    def find(self, name: str) -> ImportRecord:
        """The import of that name. Raises WrongUseError with the names that there are."""
        found = self.imports.get(self.tenant, name) if name else None
        if found is None:
            others = ", ".join(one.name for one in self.imports.of_tenant(self.tenant))
            raise WrongUseError(
                f"{self.tenant} has no import {name!r} (it has: {others or 'none'})."
            )
        return found

    def recall(
        self, path: Path, stream: str, into: str, prepared: Prepared, batch: str | None
    ) -> "Recalled":
        """Find which of the remembered imports the file is.

        Raises WrongUseError if `batch` is the name of another file's import, and if an import is to
        be replaced whose key may have sent other events as well.
        """
        file = path.name.encode(errors="replace").decode()[:LONGEST_NAME]
        digest, content = _file_sha256(path), prepared.content.hexdigest()
        known = self.imports.of_tenant(self.tenant)
        named = next((one for one in known if batch is not None and one.name == batch), None)
        if named and (named.batch, named.stream, named.into, named.file) != (
            *(batch, stream, into),
            file,
        ):
            raise WrongUseError(
                f"{batch!r} is the name of another import ({named.file}, "
                f"{days.iso(named.started_us)}). Take another one for --batch, or take that import "
                f"back first: {undo_command(named)}"
            )
        same = [
            one
            for one in known
            if (one.file_sha256, one.stream, one.into) == (digest, stream, into)
            and (batch is None or one.batch in (None, batch))
        ]
        mine = named or next((one for one in same if one.batch == batch), None)
        others = tuple(one for one in same if one is not mine)
        for other in others:
            _check_own_keys(other)
        if mine and mine.content_sha256 == content:
            return Recalled(mine, mine, others)
        if mine:
            _check_own_keys(mine)
        taken = {one.name for one in known}
        now = ImportRecord(
            tenant=self.tenant,
            name=batch or next(name for name in _names(file) if name not in taken),
            stream=stream,
            into=into,
            file=file,
            file_sha256=digest,
            content_sha256=content,
            started_us=days.now_us(),
            batch=batch,
            rows=prepared.rows,
        )
        return Recalled(mine.again(now) if mine else now, mine, others)

    def repeats(self, recalled: "Recalled", made: "array[int]") -> tuple[list[Repeats], bytes]:
        """The other imports with which the file shares rows whose ids were computed.

        The second value has the hashes of rows that it shares with none, which are to be stored. So
        a file that grows and is imported every day adds only the hashes of its new rows.
        """
        import numpy as np  # slow to import

        own = {recalled.now.name, *(one.name for one in recalled.others)}
        others = [
            one
            for one in self.imports.of_tenant(self.tenant)
            if one.stream == recalled.now.stream and one.name not in own
        ]
        left = np.unique(np.frombuffer(made, dtype=np.uint64)) if made else np.zeros(0, np.uint64)
        found = []
        for other in sorted(others, key=lambda one: one.started_us):
            if not len(left):
                break
            parts = [np.frombuffer(part, dtype="<u8") for part in self.imports.hashes(other)]
            shared = np.isin(left, np.concatenate(parts)) if parts else np.zeros(len(left), bool)
            if shared.any():
                found.append(Repeats(int(shared.sum()), other.name, other.started_us))
                left = left[~shared]
        return found, left.astype("<u8").tobytes()

    def begin(self, recalled: "Recalled", hashes: bytes, key: str, *, shared: bool) -> None:
        """Store the import and the hashes of its rows. Call it before anything is sent with `key`.

        Raises FailedError if another process has just begun, changed or undone it.
        """
        now, before = recalled.now, recalled.before
        try:
            if before is None:
                self.imports.create(now, hashes)
            elif before is not now:
                self.imports.change(before, now, hashes)
            remember = self.imports.share_key if shared else self.imports.add_key
            remember(now, sha256(key)[:_KEY_ID])
        except ConflictError as error:
            raise FailedError(
                f"Somebody else has just begun or taken back the import {now.name!r}: try again."
            ) from error

    def finish(self, now: ImportRecord, accepted: int, rejected: int) -> None:
        """Store how the import ended, unless it was undone meanwhile."""
        try:
            self.imports.finish(now, accepted, rejected)
        except ConflictError as error:
            raise FailedError(f"The import {now.name!r} was taken back meanwhile.") from error


@dataclass(frozen=True)
class Recalled:
    """Which import a file is, and which events are to be removed after it has been sent."""

    now: ImportRecord
    before: ImportRecord | None
    """The record under its name, which is `now` if it is only run again."""
    others: tuple[ImportRecord, ...]
    """Imports of the same file under other names, which it replaces."""

    @property
    def replaced(self) -> list[ImportRecord]:
        """The imports that it replaces, including its own former record."""
        own = [self.before] if self.before and self.now.replaced_key_ids else []
        return [*own, *self.others]


def replace_former(target: Target, memory: Memory, recalled: Recalled) -> None:
    """Remove the file's former events, after it has been sent with other options.

    Raises FailedError if some of these arrived meanwhile; then it has to be run again.
    """
    replaced = [(one, one.key_ids + one.replaced_key_ids) for one in recalled.others]
    if recalled.now.replaced_key_ids:
        replaced.append((recalled.now, recalled.now.replaced_key_ids))
    _remove(target, replaced, dry_run=False, rebuild=None)
    try:
        for other in recalled.others:
            memory.imports.forget(other)
        if recalled.now.replaced_key_ids:
            memory.imports.settle(recalled.now)
    except ConflictError as error:
        raise FailedError("Somebody else imports the same file: run it again.") from error


def take_back(
    target: Target, memory: Memory, imported: ImportRecord, *, dry_run: bool
) -> "list[Receipt]":
    """Remove the events of an import and build again; return the receipts, one for each key.

    Afterwards the import's record is deleted, unless `dry_run`. Raises WrongUseError for an import
    whose key may have sent other events as well, and FailedError if some of its events arrived
    meanwhile.
    """
    _check_own_keys(imported)
    brought = [(imported, imported.key_ids + imported.replaced_key_ids)]
    build = partial(building.rebuild, target.build_settings)
    receipts = _remove(target, brought, dry_run=dry_run, rebuild=build)
    if not dry_run:
        memory.imports.forget(imported)
    return receipts


def _remove(
    target: Target,
    brought: "list[tuple[ImportRecord, tuple[str, ...]]]",
    *,
    dry_run: bool,
    rebuild: Callable[[], None] | None,
) -> "list[Receipt]":
    """Remove the events of the keys of these imports, by a purge for each key."""
    from pulse.erasure.erase import Erase  # slow to import: it talks to Athena

    building.wait_until_stored(target.outputs.queue_url, WAIT_S)
    now_us = days.now_us()
    purges = [
        Purge(one.tenant, (one.stream,), now_us, key_id) for one, keys in brought for key_id in keys
    ]
    receipts = []
    with building.functions_quiet():
        stage = Erase.from_settings(
            target.build_settings, target.outputs.dead_letter_queue_url, output.say
        )
        if dry_run:
            return [stage.preview(purge) for purge in purges]
        for purge in purges:  # all tombstones first, so that their waiting times run together
            stage.erasures.add(purge.erasure)
        begun = time.monotonic()
        for number, purge in enumerate(purges, 1):
            settle_s = max(0.0, stage.settle_s - (time.monotonic() - begun) * (number > 1))
            build = rebuild if rebuild and number == len(purges) else _nothing
            receipts.append(replace(stage, settle_s=settle_s).run(purge, rebuild=build)[1])
    if late := sum(receipt.found_again or 0 for receipt in receipts):
        raise FailedError(f"{late:,} rows have arrived meanwhile: run it again.")
    return receipts


def _nothing() -> None:
    """Build nothing: all days are built together afterwards."""


def _check_own_keys(imported: ImportRecord) -> None:
    if imported.shared_key_id is not None:
        raise WrongUseError(
            f"{imported.name!r} was imported with --key, and that key may have brought other "
            f"events. See what came from then on, and remove it: pulse purge "
            f"--tenant {imported.tenant} --key {imported.shared_key_id} "
            f"--received-from {days.iso(imported.started_us)} --dry-run. "
            f"Then: {undo_command(imported)} --forget"
        )


def undo_command(imported: ImportRecord) -> str:
    """The command that undoes an import."""
    return f"pulse import undo {shlex.quote(imported.name)} --tenant {imported.tenant}"


def checked_name(text: str) -> str:
    """Return the name of an import. Raises WrongUseError if it cannot be one."""
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise WrongUseError(f"--batch takes a text of 1 to {LONGEST_NAME} characters.")
    return name


def _names(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
