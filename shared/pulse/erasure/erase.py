"""pulse erase and pulse purge: rows are removed from raw and every other place, and stay out.

They look for the rows of a person (person.py), or for what a key or a time brought (purge.py).

First a tombstone is stored: from then on write_raw leaves out what it names. Then the rows that are
stored already are removed. The objects of a day are rewritten under its lease, each in its own
place by one PUT, and the ledger counts the change, so that the day is built again. Older versions
of these objects, and of what was made of them, are removed as well. A write_raw that began before
the tombstone may still store some rows. So after its longest time everything is searched again,
until a whole search finds nothing. If a run dies, another one finishes its work: what is known of
the rows, and the days to be built again, is stored with the tombstone before anything is removed.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import pyarrow as pa

from pulse import lake
from pulse.comments.stored import Comments
from pulse.erasure.person import Person
from pulse.erasure.receipt import Receipt, RewrittenObject
from pulse.erasure.search import RowSearch
from pulse.erasure.sought import Sought
from pulse.erasure.traces import Traces
from pulse.errors import BuildCheckError, ConflictError
from pulse.raw.covered import holds, rewritten
from pulse.settings import BuildSettings
from pulse.store import queue
from pulse.store.athena import Athena
from pulse.store.clients import client
from pulse.store.erasures import Erasures
from pulse.store.exports import Exports
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects, Version
from pulse.store.turns import InTurn
from pulse.tombstones import Tombstones

SETTLE_S = 150.0
"""After this time every invocation of write_raw has read the tombstone: none takes over 120 s.
By then a dead letter that an earlier run received before it died is visible again, too."""
_TO_MEND = "restore that day, or copy the object elsewhere and delete it, then run this again"
_AT_ONCE = 8  # objects rewritten at the same time
_TRIES = 5

Days = Mapping[str, Collection[date]]
"""Days by stream."""


@dataclass(frozen=True)
class Erase:
    """The stage, which `pulse erase` and `pulse purge` run."""

    objects: Objects
    ledger: Ledger
    erasures: Erasures
    search: RowSearch
    exports: Exports
    dead_letters: str
    """The queue's address."""
    say: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep
    settle_s: float = SETTLE_S

    @classmethod
    def from_settings(
        cls, settings: BuildSettings, dead_letters: str, say: Callable[[str], None]
    ) -> Self:
        """The stage over the stack that the settings name; `say` gets its messages."""
        client("s3")  # made before there are threads: botocore cannot make one in two at once
        ledger = Ledger(settings.table)
        return cls(
            objects=Objects(settings.lake_bucket),
            ledger=ledger,
            erasures=Erasures(settings.table),
            search=RowSearch(ledger, Athena(settings.database, settings.workgroup)),
            exports=Exports(settings.table),
            dead_letters=dead_letters,
            say=say,
        )

    def run(self, sought: Sought, *, rebuild: Callable[[], None]) -> tuple[str, Receipt]:
        """As `remove`; also store the receipt. Return its key in the lake, and the receipt."""
        receipt = self.remove(sought, rebuild=rebuild)
        self.store(receipt, receipt.shown())
        return receipt.key, receipt

    def remove(self, sought: Sought, *, rebuild: Callable[[], None]) -> Receipt:
        """Remove the rows that are sought; return the receipt, which the caller stores.

        Afterwards no place holds such a row that has been received, rows that are still queued will
        be left out, and `rebuild` has built everything again without them. If this ends early, a
        receipt of what was removed is in the lake all the same: `pulse check` would miss the rows
        without it.
        """
        receipt = Receipt(sought.tenant, sought.told, sought.erased_us)
        owed: set[tuple[str, date]] = set()
        for erasure in self.erasures.unfinished(sought.tenant, sought.identity_hash):
            if isinstance(sought, Person):
                sought.hashes |= erasure.hashes
            owed.update(erasure.days)
        self.erasures.add(sought.erasure)
        self._look(sought, receipt, _by_stream(owed))
        while True:
            self.say(f"Waiting {self.settle_s:.0f} s for what had begun to be written before …")
            self.pause(self.settle_s)
            if not self._look(sought, receipt, {}):
                break
        receipt.results_removed = self.traces.remove_results()
        self.erasures.finish(sought.tenant, sought.identity_hash)
        self.store(receipt, receipt.shown())  # it must be there even if the build fails
        rebuild()
        receipt.versions_removed += self.traces.remove_versions(sought.tenant)
        receipt.found_again = self._count(sought)
        return receipt

    def store(self, receipt: Receipt, shown: Mapping[str, Any]) -> None:
        """Write `shown` to the receipt's key in the lake."""
        self.objects.put(receipt.key, json.dumps(shown, indent=1).encode())

    def preview(self, sought: Sought) -> Receipt:
        """What `run` would remove, as far as one search finds it. Changes nothing."""
        receipt = Receipt(sought.tenant, sought.told, sought.erased_us)
        self._learn(sought)
        self._mend_dead_letters(sought, receipt, dry=True)
        self._clear_quarantine(sought, receipt, dry=True)
        touched = self.search.days(sought)
        for stream, day in _pairs(touched):
            self._rewrite(sought, receipt, stream, day, dry=True)
        found = self.traces.affected(sought.tenant, touched)
        receipt.exports_withdrawn = [export.id for export in found]
        return receipt

    @property
    def traces(self) -> Traces:
        """The other places that may show the rows."""
        return Traces(self.objects, self.exports, self.say, self.pause)

    @property
    def comments(self) -> Comments:
        """The stored comments of responses."""
        return Comments(self.objects)

    def _learn(self, sought: Sought) -> None:
        """Find all hashes of a person. Removes nothing.

        An interaction is the person's only if none of its updates names another customer, so every
        place has to be searched before anything is removed.
        """
        if not isinstance(sought, Person):
            return
        nothing = Receipt(sought.tenant, sought.told, sought.erased_us)
        self._mend_dead_letters(sought, nothing, dry=True)
        self._clear_quarantine(sought, nothing, dry=True)
        self.search.learn(sought)
        sought.settle()

    # -- one look through everything

    def _look(self, sought: Sought, receipt: Receipt, owed: Days) -> bool:
        """Search every place once and remove what is found; return whether there was any new row.

        The days `owed` count as changed in any case: an earlier run removed rows of them.
        """
        before, told = sought.erasure.hashes, receipt.shown()
        self._learn(sought)
        touched = self.search.days(sought)
        news = sought.erasure.hashes - before
        if news or any(touched.values()):
            found = replace(sought.erasure, hashes=news, days=tuple(_pairs(touched)))
            self.erasures.add(found)
        self._mend_dead_letters(sought, receipt)
        self._clear_quarantine(sought, receipt)
        self._foresee(receipt, touched)
        # Should the block under a lease take longer than the lease, nothing is lost: a compaction
        # reads the tombstones after it has taken the lease itself, and each PUT in the block names
        # the object that it replaces.
        in_turn = InTurn(self.say, self.pause)
        changed = sorted({*_pairs(touched), *_pairs(owed)})
        for stream, day in changed:
            with self.ledger.lease_in_turn(stream, day, "an erasure", in_turn):
                self._rewrite(sought, receipt, stream, day)
                self.ledger.add(stream, day, rewritten=True)
                if stream == lake.SCORES.stream:
                    self.comments.drop(sought.tenant, day)
                receipt.days_rebuilt.add(day)
        entered = {day for stream, day in changed if stream == lake.INTERACTIONS.stream}
        if entered:
            answered = self.ledger.entries(lake.SCORES.stream)
            self.comments.unlink(sought.tenant, entered, answered)
        withdrawn, files = self.traces.withdraw(sought.tenant, _union(touched, owed))
        receipt.exports_withdrawn += withdrawn
        receipt.files_removed += files
        return bool(news) or receipt.shown() != told

    def _foresee(self, receipt: Receipt, touched: Mapping[str, Counter[date]]) -> None:
        """Write a receipt of what is about to be removed, under the key of the final one.

        If the run dies, this receipt stays, so that the removed rows are not missed. The next run
        finds fewer rows and writes a receipt of its own.
        """
        rows = Counter({stream: found.total() for stream, found in touched.items()})
        if rows.total():
            shown = receipt.shown()
            self.store(receipt, shown | {"removed": dict(Counter(shown["removed"]) + rows)})

    # -- raw

    def _rewrite(
        self, sought: Sought, receipt: Receipt, stream: str, day: date, *, dry: bool = False
    ) -> None:
        """Remove the rows from the day's objects; delete older versions that hold any of them."""
        tombstones = Tombstones.of([sought.erasure])
        prefix = lake.raw_prefix(stream, day)

        def rewrite(key: str) -> RewrittenObject | None:
            body, etag = self.objects.get_tagged(key)
            try:
                new = rewritten(body, stream, day, tombstones)
            except pa.ArrowException as error:
                # without the error's text, which could quote an event
                unread = (
                    f"{key} cannot be read ({type(error).__name__}), and may hold what is to go"
                )
                raise BuildCheckError(f"{unread}: {_TO_MEND}") from None
            if new is None:
                return None
            after = hashlib.sha256(new.body).hexdigest()
            if not dry:
                self.objects.replace(key, new.body, sha256=after, etag=etag)
            before = hashlib.sha256(body).hexdigest()
            return RewrittenObject(key, new.removed, new.left, before, after)

        def is_sought(version: Version) -> bool:
            body = self.objects.get_version(version)
            return body is not None and holds(body, stream, day, tombstones)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            changed = [new for new in pool.map(rewrite, self.objects.keys(prefix)) if new]
            older = self.objects.older_versions(prefix)
            judged = zip(older, pool.map(is_sought, older), strict=True)
            versions = [version for version, theirs in judged if theirs]
        if not dry:
            self.objects.delete_versions(versions)
        receipt.versions_removed += len(versions)
        if changed:
            receipt.objects += changed
            receipt.removed[stream] += sum(new.removed for new in changed)
            receipt.days.setdefault(stream, set()).add(day)

    def _count(self, sought: Sought) -> int:
        return sum(self.search.rows(sought, stream).total() for stream in sought.streams)

    # -- what was never written

    def _mend_dead_letters(self, sought: Sought, receipt: Receipt, *, dry: bool = False) -> None:
        def mend(body: str) -> str | None:
            new = sought.mended(body)
            receipt.removed[new.stream] += new.removed
            receipt.dead_letters_removed += new.body is None
            receipt.dead_letters_changed += new.body not in (body, None)
            return body if dry else new.body

        queue.mend(self.dead_letters, mend)

    def _clear_quarantine(self, sought: Sought, receipt: Receipt, *, dry: bool = False) -> None:
        for key in self.objects.keys(lake.QUARANTINE):
            receipt.quarantine_lines += self._clear_lines(sought, key, dry=dry)
        if not dry:
            self._clear_versions_of_quarantine(sought, receipt)

    def _clear_lines(self, sought: Sought, key: str, *, dry: bool) -> int:
        """Remove the sought lines of an object; return how many.

        `pulse quarantine resend` may change the object at the same time.
        """
        for _ in range(_TRIES):
            found = self.objects.look(key)
            if found is None:
                return 0
            body, etag = found
            lines = body.decode().splitlines()
            left = [line for line in lines if not sought.is_in(line)]
            removed = len(lines) - len(left)
            if removed and not dry and left:
                new = "".join(f"{line}\n" for line in left).encode()
                try:
                    self.objects.replace(key, new, etag=etag)
                except ConflictError:
                    continue
            elif removed and not dry:
                self.objects.delete([key])
            return removed
        raise ConflictError(f"{key} keeps being changed by somebody else: run it again")

    def _clear_versions_of_quarantine(self, sought: Sought, receipt: Receipt) -> None:
        for version in self.objects.older_versions(lake.QUARANTINE):
            body = self.objects.get_version(version)
            if body is not None and any(map(sought.is_in, body.decode().splitlines())):
                receipt.versions_removed += self.objects.delete_versions([version])


def _pairs(found: Days) -> list[tuple[str, date]]:
    return sorted((stream, day) for stream, some in found.items() for day in some)


def _by_stream(pairs: Iterable[tuple[str, date]]) -> dict[str, set[date]]:
    found: dict[str, set[date]] = {}
    for stream, day in pairs:
        found.setdefault(stream, set()).add(day)
    return found


def _union(one: Days, other: Days) -> dict[str, set[date]]:
    return {stream: {*one.get(stream, ()), *other.get(stream, ())} for stream in {*one, *other}}
