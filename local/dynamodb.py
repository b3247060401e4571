"""Makes moto's DynamoDB handle one call at a time, and fast enough for thousands of records.

It runs in moto's process, whose server has a thread for each call. moto reads a record, changes it
and writes it without a lock, so one of two simultaneous additions to a number could be lost, which
DynamoDB makes one after the other. For a transaction moto copies the whole table, which fails if a
record is added meanwhile; and if the transaction fails it restores the copy, which removes what
others have written since. It makes a transaction again that is sent again with the same token,
which DynamoDB does not. And for a query moto sorts all records of the table.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

_CALLS = (
    "put_item",
    "get_item",
    "query",
    "scan",
    "update_item",
    "delete_item",
    "transact_get_items",
)
_lock = threading.RLock()
_mine = threading.local()
_made: dict[str, None] = {}
_MOST_TOKENS = 10_000
"""DynamoDB remembers tokens for ten minutes."""
_Place = tuple[Table, DynamoType, DynamoType]


def install() -> None:
    """Change the DynamoDB of this process's moto. To call it again changes nothing."""
    table: Any = Table
    if table.query is _query:
        return
    backend: Any = DynamoDBBackend
    for name in _CALLS:
        setattr(backend, name, _alone(getattr(backend, name)))
    backend.transact_write_items = _transact_write_items
    handler: Any = DynamoHandler
    handler.transact_write_items = _once(handler.transact_write_items)
    table.query = _query
    table.__deepcopy__ = _copied


def _alone(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **given: Any) -> Any:
        with _lock:
            return method(*args, **given)

    return call


def _once(transact: Callable[..., Any]) -> Callable[..., Any]:
    """The same of a transaction that has been made already, as its token tells, does nothing.

    So a client's second try is answered whose first reply was lost.
    """

    @wraps(transact)
    def call(handler: DynamoHandler) -> Any:
        token = handler.body.get("ClientRequestToken")
        with _lock:
            if token in _made:
                return ActionResult({})
            result = transact(handler)
            if token:
                _made[token] = None
                while len(_made) > _MOST_TOKENS:
                    del _made[next(iter(_made))]
            return result

    return call


_moto_transact_write_items = DynamoDBBackend.transact_write_items
_moto_query = Table.query


def _transact_write_items(
    self: DynamoDBBackend, transact_items: Sequence[Mapping[str, Mapping[str, Any]]]
) -> None:
    with _lock, _undone_on_error(dict(_named(self, transact_items))):
        _mine.transacting = True
        try:
            _moto_transact_write_items(self, list(map(dict, transact_items)))
        finally:
            _mine.transacting = False


def _named(
    backend: DynamoDBBackend, transact_items: Sequence[Mapping[str, Mapping[str, Any]]]
) -> Iterator[tuple[_Place, Item | None]]:
    """The records of a transaction, as they are now."""
    for operations in transact_items:
        for operation in operations.values():
            table = backend.tables.get(operation["TableName"])
            key = operation.get("Key") or operation.get("Item") or {}
            if table is None or not {table.hash_key_attr, table.range_key_attr} <= key.keys():
                continue  # moto refuses the transaction
            hash_key = DynamoType(key[table.hash_key_attr])
            range_key = DynamoType(key[table.range_key_attr or ""])
            yield (table, hash_key, range_key), copy.deepcopy(table.get_item(hash_key, range_key))


@contextmanager
def _undone_on_error(before: Mapping[_Place, Item | None]) -> Iterator[None]:
    """If the block raises, restore the records."""
    try:
        yield
    except BaseException:
        for (table, hash_key, range_key), item in before.items():
            if item is None:
                table.delete_item(hash_key, range_key)
            else:
                table.items[hash_key][range_key] = item
        raise


def _query(
    self: Table,
    hash_key: DynamoType | None,
    range_comparison: str | None,
    range_objs: list[DynamoType],
    limit: int,
    exclusive_start_key: dict[str, Any],
    scan_index_forward: bool,
    projection_expressions: list[list[str]] | None,
    index_name: str | None = None,
    *more: Any,
    **given: Any,
) -> Any:
    """As moto's own, but only over the records of the key, unless an index is queried."""
    among: Any = self
    if hash_key is not None and not index_name:
        among = copy.copy(self)
        among.items = {hash_key: self.items[hash_key]} if hash_key in self.items else {}
    return _moto_query(
        among,
        hash_key,
        range_comparison,
        range_objs,
        limit,
        exclusive_start_key,
        scan_index_forward,
        projection_expressions,
        index_name,
        *more,
        **given,
    )


def _copied(self: Table, memo: dict[int, Any]) -> Table:
    """A copy of the table for a backup, but the table itself for a transaction."""
    if getattr(_mine, "transacting", False):
        return self
    made = copy.copy(self)
    memo[id(self)] = made
    made.__dict__ = copy.deepcopy(self.__dict__, memo)
    return made
