"""Reads and writes records of the DynamoDB table as dicts. DynamoDB calls a record an item.

Every record has a partition key `pk` and a sort key `sk`; the other modules of this package say
which records there are. Numbers are read as int.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from pulse.errors import ConflictError
from pulse.store.clients import client

Record = dict[str, Any]

_MOST_IN_TRANSACTION = 100


def _item(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in record.items()}


def _attribute(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's own form. Raises TypeError for a type that no record may hold."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case list() | tuple():
            return {"L": [_attribute(one) for one in value]}
        case Mapping():
            return {"M": _item(value)}
    raise TypeError(f"a record cannot hold a {type(value).__name__}")


def _record(item: Mapping[str, Any]) -> Record:
    return {name: _plain(attribute) for name, attribute in item.items()}


def _plain(attribute: Mapping[str, Any]) -> Any:
    """The value that is given in DynamoDB's own form."""
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(value)
        case "L":
            return [_plain(one) for one in value]
        case "M":
            return _record(value)
    return value


@dataclass(frozen=True)
class Check:
    """A condition that a record must meet so that other records are written."""

    pk: str
    sk: str
    condition: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Update(Check):
    """A change of a record, which is made if the condition holds; an empty one always holds."""

    expression: str = ""


class Records:
    """One DynamoDB table."""

    def __init__(self, table: str, *, fail_fast: bool = False) -> None:
        self.table = table
        self._fail_fast = fail_fast

    @property
    def _client(self) -> Any:
        return client("dynamodb", fail_fast=self._fail_fast)

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> Record | None:
        """The record, or None if there is none."""
        reply = self._client.get_item(
            TableName=self.table, Key=_item({"pk": pk, "sk": sk}), ConsistentRead=consistent
        )
        return _record(reply["Item"]) if "Item" in reply else None

    def query(
        self,
        pk: str,
        *,
        after: str = "",
        between: tuple[str, str] | None = None,
        consistent: bool = False,
    ) -> Iterator[Record]:
        """Every record of a partition, in order of `sk`.

        With `after` only those with a greater `sk`; with `between` those from the first to the last
        of the two, both included.
        """
        condition, values = "pk = :pk", {":pk": pk}
        if after:
            condition, values = "pk = :pk AND sk > :after", {":pk": pk, ":after": after}
        if between is not None:
            condition = "pk = :pk AND sk BETWEEN :first AND :last"
            values = {":pk": pk, ":first": between[0], ":last": between[1]}
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_item(values),
            ConsistentRead=consistent,
        )
        for page in pages:
            yield from map(_record, page["Items"])

    def scan(self, prefix: str) -> Iterator[Record]:
        """Every record whose `pk` begins with the prefix, in no order. Reads the whole table."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self.table,
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues=_item({":prefix": prefix}),
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(_record, page["Items"])

    def put(self, record: Record) -> None:
        """Store a record; a record with its keys is replaced."""
        self._client.put_item(TableName=self.table, Item=_item(record))

    def create(self, *records: Record) -> None:
        """Store new records, all or none. Raises ConflictError if one of them exists already."""
        puts = [
            {
                "Put": {
                    "TableName": self.table,
                    "Item": _item(record),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for record in records
        ]
        with _conflicts():
            self._client.transact_write_items(TransactItems=puts)

    def create_numbered(self, record: Record, *, counter: tuple[str, str], number: int) -> None:
        """Store a new record, and `number` in the record of the keys `counter` (pk, sk).

        Does both or nothing. Raises ConflictError unless the counter has the number before.
        """
        pk, sk = counter
        put = {
            "TableName": self.table,
            "Item": _item(record),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        count = {
            "TableName": self.table,
            "Key": _item({"pk": pk, "sk": sk}),
            "UpdateExpression": "SET #number = :number",
            "ConditionExpression": "#number = :before OR attribute_not_exists(pk)",
            "ExpressionAttributeNames": {"#number": "number"},
            "ExpressionAttributeValues": _item({":number": number, ":before": number - 1}),
        }
        with _conflicts():
            self._client.transact_write_items(TransactItems=[{"Put": put}, {"Update": count}])

    def delete(self, *keys: Mapping[str, str]) -> None:
        """Delete the records with these `pk` and `sk`, all or none; a missing one is no error.

        Raises ConflictError if another transaction changes one of them at the moment.
        """
        deletes = [{"Delete": {"TableName": self.table, "Key": _item(key)}} for key in keys]
        with _conflicts():
            self._client.transact_write_items(TransactItems=deletes)

    def clear(self, pk: str) -> int:
        """Delete every record of a partition; return how many there were."""
        keys = [{"pk": pk, "sk": record["sk"]} for record in self.query(pk, consistent=True)]
        self.delete_all(keys)
        return len(keys)

    def delete_all(self, keys: Iterable[Mapping[str, str]]) -> None:
        """Delete any number of records with these `pk` and `sk`; a missing one is no error.

        Raises ConflictError as `delete` does, with some of them deleted.
        """
        left = list(keys)
        for first in range(0, len(left), _MOST_IN_TRANSACTION):
            self.delete(*left[first : first + _MOST_IN_TRANSACTION])

    def update(
        self,
        pk: str,
        sk: str,
        expression: str,
        *,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        condition: str = "",
    ) -> Record:
        """Run an update expression; return the record as it is afterwards.

        Raises ConflictError if `condition` does not hold.
        """
        given: dict[str, Any] = {}
        if names:
            given["ExpressionAttributeNames"] = dict(names)
        if values:
            given["ExpressionAttributeValues"] = _item(values)
        if condition:
            given["ConditionExpression"] = condition
        with _conflicts():
            reply = self._client.update_item(
                TableName=self.table,
                Key=_item({"pk": pk, "sk": sk}),
                UpdateExpression=expression,
                ReturnValues="ALL_NEW",
                **given,
            )
        return _record(reply["Attributes"])

    def update_all(self, *changes: Check) -> None:
        """Make all updates if all conditions hold, including those of checks.

        Raises ConflictError, and changes nothing, if one does not hold or another transaction
        changes one of the records at the moment.
        """
        actions = []
        for change in changes:
            action: dict[str, Any] = {
                "TableName": self.table,
                "Key": _item({"pk": change.pk, "sk": change.sk}),
            }
            if change.condition:
                action["ConditionExpression"] = change.condition
            if change.names:
                action["ExpressionAttributeNames"] = dict(change.names)
            if change.values:
                action["ExpressionAttributeValues"] = _item(change.values)
            if isinstance(change, Update):
                actions.append({"Update": action | {"UpdateExpression": change.expression}})
            else:
                actions.append({"ConditionCheck": action})
        with _conflicts():
            self._client.transact_write_items(TransactItems=actions)


_CONFLICTS = {
    "ConditionalCheckFailedException",
    "ConditionalCheckFailed",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}


@contextmanager
def _conflicts() -> Iterator[None]:
    """Within the block a failed condition of DynamoDB becomes a ConflictError."""
    try:
        yield
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])  # of a transaction
        codes = {error.response["Error"]["Code"], *(reason.get("Code") for reason in reasons)}
        if codes & _CONFLICTS:
            raise ConflictError("the record was changed or made by somebody else") from error
        raise
