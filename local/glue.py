"""moto's Glue made quick enough for tables of thousands of days.

Runs in moto's process. moto serialises each member of each partition by botocore's model of the
service: measured, 4,000 partitions took seconds, of a process that answers for all of AWS. And it
gives all partitions of a table in one answer, where Glue gives pages of a thousand at most.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.glue.models import FakePartition
from moto.glue.responses import GlueResponse

LARGEST_PAGE = 1000
"""The most partitions that Glue gives in one answer, and the most that it is asked for by name."""


def install() -> None:
    """The Glue of this process's moto answers for partitions so from now on."""
    responses: Any = GlueResponse
    responses.get_partitions = get_partitions
    responses.batch_get_partition = batch_get_partition


def get_partitions(call: GlueResponse) -> str:
    """GetPartitions: the partitions that the expression wants, in the order of their values."""
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
    """BatchGetPartition: those that there are of the partitions named."""
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
    """The values of the last partition of the page before. Raises an error of Glue for no token."""
    try:
        values: list[str] = list(json.loads(token))
    except (TypeError, ValueError) as error:
        raise JsonRESTError("InvalidInputException", "Invalid NextToken") from error
    return values


def _described(partitions: Iterable[FakePartition], asked: Mapping[str, Any]) -> list[Any]:
    bare = bool(asked.get("ExcludeColumnSchema"))
    return [_one(partition, without_columns=bare) for partition in partitions]


def _one(partition: FakePartition, *, without_columns: bool) -> dict[str, Any]:
    """A partition in Glue's own JSON, whose moments are seconds since 1970."""
    described = partition.as_dict()
    described["CreationTime"] = partition.creation_time.timestamp()
    storage = described.get("StorageDescriptor")
    if without_columns and storage:
        kept = {name: value for name, value in storage.items() if name != "Columns"}
        described["StorageDescriptor"] = kept
    return described
