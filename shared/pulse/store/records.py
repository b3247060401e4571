"""The DynamoDB table as plain dicts: a record is what DynamoDB calls an item.

Every record has a partition key `pk` and a sort key `sk`; the modules beside this one say which
records there are. Numbers come back as int.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from pulse.errors import ConflictError
from pulse.store.clients import client

Record = dict[str, Any]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def _item(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _record(item: Mapping[str, Any]) -> Record:
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


class Records:
    """One DynamoDB table."""

    def __init__(self, table: str, *, hurried: bool = False) -> None:
        self.table = table
        self._hurried = hurried

    @property
    def _client(self) -> Any:
        return client("dynamodb", hurried=self._hurried)

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> Record | None:
        """The record, or None."""
        reply = self._client.get_item(
            TableName=self.table, Key=_item({"pk": pk, "sk": sk}), ConsistentRead=consistent
        )
        return _record(reply["Item"]) if "Item" in reply else None

    def query(self, pk: str, *, consistent: bool = False) -> Iterator[Record]:
        """Every record of a partition, in order of `sk`."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=_item({":pk": pk}),
            ConsistentRead=consistent,
        )
        for page in pages:
            yield from map(_record, page["Items"])

    def create(self, *records: Record) -> None:
        """Put new records, all or none. Raises ConflictError if one exists already."""
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

    def delete(self, *keys: Mapping[str, str]) -> None:
        """Delete the records of these `pk` and `sk`, all or none; a missing one is no fault."""
        deletes = [{"Delete": {"TableName": self.table, "Key": _item(key)}} for key in keys]
        self._client.transact_write_items(TransactItems=deletes)

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
        """Run an update expression; the record as it is afterwards.

        Raises ConflictError where `condition` does not hold.
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


@contextmanager
def _conflicts() -> Iterator[None]:
    """Turn DynamoDB's failed conditions into ConflictError."""
    try:
        yield
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])  # of a transaction
        codes = {error.response["Error"]["Code"], *(reason.get("Code") for reason in reasons)}
        if codes & {"ConditionalCheckFailedException", "ConditionalCheckFailed"}:
            raise ConflictError("the record was changed or made by somebody else") from error
        raise
