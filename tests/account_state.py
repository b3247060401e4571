"""The state of a stack's account, to compare and to restore it: objects, records, partitions.

It is read from moto's memory, because a test reads it hundreds of times, and restored through AWS's
API. The results of Athena's SELECTs are left out, because only their caller reads them.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.glue.models import glue_backends
from moto.s3.models import s3_backends

from pulse import lake
from pulse.store.clients import client

RESULTS = "athena/"

Object = tuple[bytes, Mapping[str, str]]
"""Bytes and metadata."""


@dataclass(frozen=True)
class State:
    """The state at one moment."""

    objects: Mapping[tuple[str, str], Object]
    """By bucket and key."""
    records: Mapping[tuple[str, str], Mapping[str, Any]]
    partitions: Mapping[tuple[str, str], Mapping[str, Any]]
    """By table and day."""

    def below(self, prefix: str, bucket: str | None = None) -> Iterator[tuple[str, bytes]]:
        """The key and bytes of each object below a prefix, in one bucket or in all."""
        for (where, key), (body, _) in self.objects.items():
            if bucket in (None, where) and key.startswith(prefix):
                yield key, body


@dataclass(frozen=True)
class Account:
    """The places of a stack's state; `database` is None if a test has no Glue."""

    buckets: tuple[str, ...]
    table: str
    database: str | None = None
    _bodies: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    """Objects that were read before, by bucket, key and ETag."""

    def state(self) -> State:
        """The present state."""
        return State(dict(self._objects()), dict(self._records()), dict(self._partitions()))

    def put_back(self, state: State) -> None:
        """Make the present state equal to this one."""
        now = self.state()
        s3, dynamodb, glue = client("s3"), client("dynamodb"), client("glue")
        for bucket, key in now.objects.keys() - state.objects.keys():
            s3.delete_object(Bucket=bucket, Key=key)
        for (bucket, key), (body, metadata) in _new(state.objects, now.objects):
            s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata=metadata)
        for pk, sk in now.records.keys() - state.records.keys():
            dynamodb.delete_item(TableName=self.table, Key={"pk": {"S": pk}, "sk": {"S": sk}})
        for _, item in _new(state.records, now.records):
            dynamodb.put_item(TableName=self.table, Item=item)
        for table, day in now.partitions.keys() - state.partitions.keys():
            glue.delete_partition(**self._table(table), PartitionValues=[day])
        for (table, day), partition in _new(state.partitions, now.partitions):
            if (table, day) in now.partitions:
                entry = {"PartitionValueList": [day], "PartitionInput": partition}
                glue.batch_update_partition(**self._table(table), Entries=[entry])
            else:
                glue.create_partition(**self._table(table), PartitionInput=partition)

    def _table(self, table: str) -> dict[str, str | None]:
        return {"DatabaseName": self.database, "TableName": table}

    def _objects(self) -> Iterator[tuple[tuple[str, str], Object]]:
        for bucket in self.buckets:
            for key, found in s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys.items():
                found = found[-1] if isinstance(found, list) else found
                if key.startswith(RESULTS) or type(found).__name__ == "FakeDeleteMarker":
                    continue
                place = bucket, key, found.etag
                if place not in self._bodies:
                    self._bodies[place] = found.value, dict(found.metadata)
                yield (bucket, key), self._bodies[place]

    def _records(self) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
        region = os.environ["AWS_REGION"]
        table = dynamodb_backends[DEFAULT_ACCOUNT_ID][region].tables[self.table]
        for records in table.items.values():
            for record in records.values():
                item = record.to_json()["Attributes"]
                yield (item["pk"]["S"], item["sk"]["S"]), item

    def _partitions(self) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
        if self.database is None:
            return
        glue = glue_backends[DEFAULT_ACCOUNT_ID][os.environ["AWS_REGION"]]
        for table in (dataset.daily_table for dataset in lake.DAILY_TABLES):
            for found in glue.databases[self.database].tables[table].partitions.values():
                yield (table, found.values[0]), found.partition_input


def _new(wanted: Mapping[Any, Any], there: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """The wanted items that are not there."""
    return [(key, value) for key, value in wanted.items() if there.get(key) != value]
