"""Tombstones in the table: they say which rows are left out when they are written later.

    pk        sk        record
    ERASURES  number    tenant; customer and hashes, hashes all; erased_us; days that lose rows by
                        it; of a purge, instead of hashes, what was brought: key_id, from_us, to_us
                        and streams; whether all is done; `expires_s`: DynamoDB deletes it some
                        time after
    COUNTERS  ERASURES  number of the latest

A record gets its number when it becomes visible, and numbers have no gaps. So a process that has
read the records up to one number reads only those after it, and misses none.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from pulse import days
from pulse.errors import ConflictError
from pulse.store.records import Record, Records
from pulse.tombstones import Brought, Erasure, Tombstones

KEEP = timedelta(days=90)
"""How long a tombstone is kept. A message waits two weeks in the queue and two more as a dead
letter, and may then be sent to the queue again."""

_ERASURES = "ERASURES"
_COUNTER = ("COUNTERS", _ERASURES)
_HASHES_A_RECORD = 2_000  # DynamoDB takes 400 KB
_TRIES = 10


class Erasures:
    """Reads and writes tombstones. It remembers those that it has read."""

    def __init__(self, table: str) -> None:
        self._records = Records(table)
        self._known = Tombstones()
        self._read_to = ""

    def tombstones(self) -> Tombstones:
        """All tombstones, by consistent reads; only one request if there are no new ones."""
        found = self._records.query(_ERASURES, after=self._read_to, consistent=True)
        for record in found:
            self._known.add(_erasure(record))
            self._read_to = record["sk"]
        return self._known

    def add(self, erasure: Erasure) -> None:
        """Store a tombstone; from now on `tombstones` has it."""
        hashes = sorted(erasure.hashes)
        for start in range(0, len(hashes) or 1, _HASHES_A_RECORD):
            some = frozenset(hashes[start : start + _HASHES_A_RECORD])
            self._append(replace(erasure, hashes=some))

    def unfinished(self, tenant: str, customer: str) -> Iterator[Erasure]:
        """The erasures of a person that are not finished; their runs may be dead."""
        return map(_erasure, self._unfinished(tenant, customer))

    def finish(self, tenant: str, customer: str) -> None:
        """Note that all erasures of the person are finished."""
        for record in self._unfinished(tenant, customer):
            self._records.update(_ERASURES, record["sk"], "SET done = :yes", values={":yes": True})

    def _unfinished(self, tenant: str, customer: str) -> list[Record]:
        found = self._records.query(_ERASURES, consistent=True)
        theirs = (r for r in found if (r["tenant"], r["customer"]) == (tenant, customer))
        return [record for record in theirs if not record["done"]]

    def _append(self, erasure: Erasure) -> None:
        """Store the tombstone under the next number."""
        for _ in range(_TRIES):
            counter = self._records.get(*_COUNTER, consistent=True)
            number = (counter["number"] if counter else 0) + 1
            record = {"pk": _ERASURES, "sk": f"{number:012}", **_record(erasure)}
            try:
                self._records.create_numbered(record, counter=_COUNTER, number=number)
            except ConflictError:  # another process took the number
                continue
            return
        raise ConflictError("other erasures keep coming first")


def _record(erasure: Erasure) -> Record:
    expires_us = erasure.erased_us + KEEP // timedelta(microseconds=1)
    brought = erasure.brought
    return {
        "tenant": erasure.tenant,
        "customer": erasure.customer,
        "marks": sorted(erasure.hashes),
        "erased_us": erasure.erased_us,
        "days": [[stream, day.isoformat()] for stream, day in erasure.days],
        **({"brought": vars(brought)} if brought else {}),
        "done": False,
        "expires_s": expires_us // days.SECOND,
    }


def _erasure(record: Record) -> Erasure:
    brought = record.get("brought")
    return Erasure(
        tenant=record["tenant"],
        customer=record["customer"],
        hashes=frozenset(record["marks"]),
        erased_us=record["erased_us"],
        days=tuple((stream, date.fromisoformat(day)) for stream, day in record["days"]),
        brought=Brought(**brought | {"streams": tuple(brought["streams"])}) if brought else None,
    )
