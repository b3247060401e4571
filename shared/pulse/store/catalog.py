"""The Glue catalogue: from which run readers get each day of a daily table."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pulse.errors import CatalogError
from pulse.store.clients import client

_RUN, _VERSION, _ANSWERS = "pulse.run", "pulse.version", "pulse.answers"
_MOST_BY_KEY = 1000
"""The most partitions that Glue takes in one BatchGetPartition."""


@dataclass(frozen=True)
class Partition:
    """A published day: its run, the ledger's version that it was built from, its event count."""

    day: date
    run: str
    version: int
    answers: int


class Catalog:
    """The tables of one Glue database."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._storage: dict[str, dict[str, Any]] = {}

    def partitions(
        self, table: str, among: Collection[date] | None = None
    ) -> Mapping[date, Partition]:
        """The published days of a daily table: all, or those of `among` that are published.

        Days of `among` are requested by name, a thousand in a call, so that the cost depends on
        their number and not on the number of the table's days.
        """
        raws = self._every(table) if among is None else self._named(table, among)
        return {partition.day: partition for partition in map(_partition, raws)}

    def _every(self, table: str) -> Iterator[Mapping[str, Any]]:
        pages = (
            client("glue")
            .get_paginator("get_partitions")
            .paginate(DatabaseName=self._database, TableName=table, ExcludeColumnSchema=True)
        )
        for page in pages:
            yield from page["Partitions"]

    def _named(self, table: str, among: Collection[date]) -> Iterator[Mapping[str, Any]]:
        left = [{"Values": [day.isoformat()]} for day in sorted(among)]
        while left:
            asked, left = left[:_MOST_BY_KEY], left[_MOST_BY_KEY:]
            reply = client("glue").batch_get_partition(
                DatabaseName=self._database, TableName=table, PartitionsToGet=asked
            )
            yield from reply["Partitions"]
            unprocessed = reply.get("UnprocessedKeys", ())
            if unprocessed and not reply["Partitions"]:  # another call would bring no more
                names = {one["Values"][0] for one in (*unprocessed, *left)}
                yield from (raw for raw in self._every(table) if raw["Values"][0] in names)
                return
            left += unprocessed

    def point(self, table: str, locations: Mapping[Partition, str]) -> None:
        """Point each of at most a hundred days to its location.

        Each day changes for all readers in one step, but not all days at the same time. Raises
        CatalogError with a day that could not be changed.
        """
        glue, where = client("glue"), {"DatabaseName": self._database, "TableName": table}
        wanted = {
            partition.day.isoformat(): self._input(table, partition, location)
            for partition, location in locations.items()
        }
        # These days are new. If another builder was first, the ledger's claim decides between them.
        reply = glue.batch_create_partition(**where, PartitionInputList=list(wanted.values()))
        known = _failed(reply, but="AlreadyExistsException")
        if known:
            entries = [
                {"PartitionValueList": [day], "PartitionInput": wanted[day]} for day in known
            ]
            _failed(glue.batch_update_partition(**where, Entries=entries))

    def _input(self, table: str, partition: Partition, location: str) -> Mapping[str, Any]:
        return {
            "Values": [partition.day.isoformat()],
            "StorageDescriptor": self._storage_of(table) | {"Location": location},
            "Parameters": {
                _RUN: partition.run,
                _VERSION: str(partition.version),
                _ANSWERS: str(partition.answers),
            },
        }

    def _storage_of(self, table: str) -> dict[str, Any]:
        """The table's storage descriptor, read once a process: it changes only by a deployment."""
        if table not in self._storage:
            found = client("glue").get_table(DatabaseName=self._database, Name=table)
            self._storage[table] = found["Table"]["StorageDescriptor"]
        return self._storage[table]


def _failed(reply: Mapping[str, Any], but: str = "") -> list[str]:
    """The days of a batch that failed with the code `but`. Raises CatalogError for other codes."""
    days = []
    for failure in reply.get("Errors", ()):
        (day,) = failure.get("PartitionValues") or failure["PartitionValueList"]  # create; update
        code = failure["ErrorDetail"]["ErrorCode"]
        if code != but:
            raise CatalogError(f"{day}: {code}")
        days.append(day)
    return days


def _partition(raw: Mapping[str, Any]) -> Partition:
    known = raw.get("Parameters", {})
    return Partition(
        day=date.fromisoformat(raw["Values"][0]),
        run=known.get(_RUN, ""),
        version=int(known.get(_VERSION, 0)),
        answers=int(known.get(_ANSWERS, 0)),
    )
