"""The Glue catalogue: which run each day of a daily table points at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from botocore.exceptions import ClientError

from pulse.store.clients import client

_RUN, _VERSION, _ANSWERS = "pulse.run", "pulse.version", "pulse.answers"


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

    def partitions(self, table: str) -> Mapping[date, Partition]:
        """Every published day of a daily table."""
        pages = (
            client("glue")
            .get_paginator("get_partitions")
            .paginate(DatabaseName=self._database, TableName=table, ExcludeColumnSchema=True)
        )
        found = (_partition(raw) for page in pages for raw in page["Partitions"])
        return {partition.day: partition for partition in found}

    def point(self, table: str, partition: Partition, location: str) -> None:
        """Let a day of a table be what lies at `location`, in one step for every reader."""
        glue = client("glue")
        storage = self._storage_of(table) | {"Location": location}
        wanted = {
            "Values": [partition.day.isoformat()],
            "StorageDescriptor": storage,
            "Parameters": {
                _RUN: partition.run,
                _VERSION: str(partition.version),
                _ANSWERS: str(partition.answers),
            },
        }
        where = {"DatabaseName": self._database, "TableName": table, "PartitionInput": wanted}
        try:
            glue.update_partition(PartitionValueList=wanted["Values"], **where)
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            self._create(where)

    def _create(self, where: Mapping[str, Any]) -> None:
        try:
            client("glue").create_partition(**where)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            # Another builder made the day in between; the caller's claim decides who speaks.
            values = where["PartitionInput"]["Values"]
            client("glue").update_partition(PartitionValueList=values, **where)

    def _storage_of(self, table: str) -> dict[str, Any]:
        """How the table's objects are to be read; a new version of it comes with a new process."""
        if table not in self._storage:
            found = client("glue").get_table(DatabaseName=self._database, Name=table)
            self._storage[table] = found["Table"]["StorageDescriptor"]
        return self._storage[table]


def _partition(raw: Mapping[str, Any]) -> Partition:
    known = raw.get("Parameters", {})
    return Partition(
        day=date.fromisoformat(raw["Values"][0]),
        run=known.get(_RUN, ""),
        version=int(known.get(_VERSION, 0)),
        answers=int(known.get(_ANSWERS, 0)),
    )
