"""Makes moto's Glue fast enough for tables of thousands of days.

It runs in moto's process. moto serialises each member of each partition by botocore's model of the
service: 4,000 partitions were measured to take seconds, in the process that is all of AWS. And moto
returns all partitions of a table in one reply, while Glue has pages of at most a thousand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.glue.models import FakePartition
from moto.glue.responses import GlueResponse

LARGEST_PAGE = 1000
"""The most partitions in one reply of Glue, and the most names in one request."""


def install() -> None:
    """Change how the Glue of this process's moto replies about partitions."""
    responses: Any = GlueResponse
    responses.get_partitions = get_partitions
    responses.batch_get_partition = batch_get_partition


def get_partitions(call: GlueResponse) -> str:
    """GetPartitions: the partitions that match the expression, in the order of their values."""
    asked = call.parameters
    size = min(int(asked.get("MaxResults") or LARGEST_PAGE), LARGEST_PAGE)
    found = sorted(_wanted(call, asked), key=lambda one: one.values)
    after = asked.get("NextToken")
    if after:
        last = _values_of(after)
        found = [one for one in found if one.values > last]
    page = found[:size]
    answer: dict[str, Any] = {"Partitions": _described(page, asked)}
    if len(found) > size:
        answer["NextToken"] = json.dumps(page[-1].values)
    return json.dumps(answer)


def batch_get_partition(call: GlueResponse) -> str:
    """BatchGetPartition: those of the named partitions that exist."""
    asked = call.parameters
    named = asked.get("PartitionsToGet") or []
    if len(named) > LARGEST_PAGE:
        raise JsonRESTError(
            "ValidationException",
            f"Member must have length less than or equal to {LARGEST_PAGE}",
        )
    table = call.glue_backend.get_table(asked["DatabaseName"], asked["TableName"])
    there = [table.partitions.get(str(one["Values"])) for one in named]
    return json.dumps({"Partitions": _described((one for one in there if one), {})})


def _wanted(call: GlueResponse, asked: Mapping[str, Any]) -> list[FakePartition]:
    backend, expression = call.glue_backend, asked.get("Expression")
    if expression:
        return backend.get_partitions(asked["DatabaseName"], asked["TableName"], expression)
    table = backend.get_table(asked["DatabaseName"], asked["TableName"])
    return list(table.partitions.values())


def _values_of(token: str) -> list[str]:
    """The values of the last partition of the page before. Raises Glue's error for a bad token."""
    try:
        values: list[str] = list(json.loads(token))
    except (TypeError, ValueError) as error:
        raise JsonRESTError("InvalidInputException", "Invalid NextToken") from error
    return values


def _described(partitions: Iterable[FakePartition], asked: Mapping[str, Any]) -> list[Any]:
    bare = bool(asked.get("ExcludeColumnSchema"))
    return [_one(partition, without_columns=bare) for partition in partitions]


def _one(partition: FakePartition, *, without_columns: bool) -> dict[str, Any]:
    """A partition in Glue's JSON, in which times are seconds since 1970."""
    described = partition.as_dict()
    described["CreationTime"] = partition.creation_time.timestamp()
    storage = described.get("StorageDescriptor")
    if without_columns and storage:
        kept = {name: value for name, value in storage.items() if name != "Columns"}
        described["StorageDescriptor"] = kept
    return described
