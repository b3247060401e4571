"""The Glue catalogue: which run each day of a daily table points at."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pulse.errors import CatalogError
from pulse.store.clients import client

_RUN, _VERSION, _ANSWERS = "pulse.run", "pulse.version", "pulse.answers"
_MOST_BY_KEY = 1000
"""The most that Glue takes at once in BatchGetPartition."""


@dataclass(frozen=True)
class Partition:
    """One published day: its run, the ledger's version it was built from, its events counted."""

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
        """Every published day of a daily table; given days, those of them that are published.

        Given days are asked for by name, a thousand in a call: the cost goes by their number and
        not by that of the table's days.
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
            if unprocessed and not reply["Partitions"]:  # asking again would lead nowhere
                names = {one["Values"][0] for one in (*unprocessed, *left)}
                yield from (raw for raw in self._every(table) if raw["Values"][0] in names)
                return
            left += unprocessed

    def point(self, table: str, locations: Mapping[Partition, str]) -> None:
        """Let each of at most a hundred days be what lies at its location.

        Each day changes in one step for every reader; the days do not change together. Raises
        CatalogError naming a day that could not be changed.
        """
        glue, where = client("glue"), {"DatabaseName": self._database, "TableName": table}
        wanted = {
            partition.day.isoformat(): self._input(table, partition, location)
            for partition, location in locations.items()
        }
        # Those that are new. Where another builder was first, the claim decides who speaks.
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
        """How the table's objects are to be read; a new version of it comes with a new process."""
        if table not in self._storage:
            found = client("glue").get_table(DatabaseName=self._database, Name=table)
            self._storage[table] = found["Table"]["StorageDescriptor"]
        return self._storage[table]


def _failed(reply: Mapping[str, Any], but: str = "") -> list[str]:
    """The days of a batch that failed for that reason. Raises CatalogError for any other."""
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
