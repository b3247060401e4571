"""Finds the partitions that a WHERE can need, before any object is listed or read.

It understands plain conditions on a partition key in the WHERE (or in the ON of an inner or left
join) that are ANDed: =, IN, BETWEEN, <, <=, >, >=, contains(ARRAY[...], key), with literals. All
other conditions are left to the query itself, so pruning never changes a result.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from local.athena.trino_types import DATE, VARCHAR, TrinoType, is_integer

Value = str | int | dt.date


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """The condition on one partition key: one of `values` (None: any), within the bounds."""

    values: frozenset[Value] | None = None
    low: Value | None = None
    high: Value | None = None

    def admits(self, value: Value) -> bool:
        """Whether a partition with this value can have rows that the query needs."""
        return (
            (self.values is None or value in self.values)
            and (self.low is None or value >= self.low)  # type: ignore[operator] # one key, one type
            and (self.high is None or value <= self.high)  # type: ignore[operator]
        )

    def and_(self, other: "KeyFilter") -> "KeyFilter":
        """Both filters at once."""
        values = self.values if other.values is None else other.values
        if self.values is not None and other.values is not None:
            values = self.values & other.values
        return KeyFilter(
            values, _tighter(max, self.low, other.low), _tighter(min, self.high, other.high)
        )


def _tighter(choose: Callable[..., Value], a: Value | None, b: Value | None) -> Value | None:
    return choose(a, b) if a is not None and b is not None else a if b is None else b


def key_filters(
    conditions: list[exp.Expr], key_type: Callable[[exp.Column], tuple[str, TrinoType] | None]
) -> dict[str, KeyFilter]:
    """The filter of each partition key that the conditions restrict.

    `key_type` gives name and type of the partition key that a column means, None for other columns.
    """
    found: dict[str, KeyFilter] = {}
    for condition in conditions:
        for part in _conjuncts(condition):
            for column, make in _restrictions(part):
                key = key_type(column)
                restriction = key and make(key[1])
                if key and restriction:
                    found[key[0]] = found.get(key[0], KeyFilter()).and_(restriction)
    return found


def parse_value(text: str, kind: TrinoType) -> Value | None:
    """A partition's value in the key's type; Glue and S3 hold it as text."""
    try:
        if kind == DATE:
            return dt.date.fromisoformat(text)
        return int(text) if is_integer(kind) else text
    except ValueError:
        return None


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    node = node.unnest()
    if isinstance(node, exp.And):
        for part in node.flatten():
            yield from _conjuncts(part)
    else:
        yield node


_Restriction = Callable[[TrinoType], KeyFilter | None]
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}


def _restrictions(node: exp.Expr) -> Iterator[tuple[exp.Column, _Restriction]]:
    """What one condition says of a column, once the column's type is known."""
    kind = type(node)
    if kind in _MIRRORED:
        left, right = node.this.unnest(), node.expression.unnest()
        if isinstance(left, exp.Column):
            yield left, lambda t: _compared(kind, right, t)
        if isinstance(right, exp.Column):
            yield right, lambda t: _compared(_MIRRORED[kind], left, t)
    elif isinstance(node, exp.Between) and isinstance(node.this, exp.Column):
        yield (
            node.this,
            lambda t: _bounds(_literal(node.args["low"], t), _literal(node.args["high"], t)),
        )
    elif isinstance(node, exp.In) and isinstance(node.this, exp.Column) and node.expressions:
        yield node.this, lambda t: _one_of(node.expressions, t)
    elif isinstance(node, exp.ArrayContains) and isinstance(node.this, exp.Array):
        array, key = node.this, node.expression
        if isinstance(key, exp.Column):
            yield key, lambda t: _one_of(array.expressions, t)


def _compared(kind: type[exp.Expr], literal: exp.Expr, t: TrinoType) -> KeyFilter | None:
    value = _literal(literal, t)
    if value is None:
        return None
    if kind is exp.EQ:
        return KeyFilter(values=frozenset({value}))
    # < and > keep the partition of the bound itself, so at most one is read without need.
    return KeyFilter(low=value) if kind in (exp.GT, exp.GTE) else KeyFilter(high=value)


def _bounds(low: Value | None, high: Value | None) -> KeyFilter | None:
    return None if low is None and high is None else KeyFilter(low=low, high=high)


def _one_of(nodes: list[exp.Expr], t: TrinoType) -> KeyFilter | None:
    values = [_literal(node, t) for node in nodes if not isinstance(node, exp.Null)]
    known = [value for value in values if value is not None]
    return KeyFilter(values=frozenset(known)) if len(known) == len(values) else None


def _literal(node: exp.Expr, t: TrinoType) -> Value | None:
    """The value of a literal of the key's type; None for anything else."""
    node = node.unnest()
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.DATE and t == DATE:
        node = node.this
    elif t == DATE:
        return None
    if not isinstance(node, exp.Literal) or node.is_string != (t in (DATE, VARCHAR)):
        return None
    return parse_value(node.name, t)
