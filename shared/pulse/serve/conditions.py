"""Filters: which values of a dimension count, and how several of them combine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pulse.lake import NOT_GIVEN

Value = str | None


@dataclass(frozen=True)
class Condition:
    """One dimension's filter: its value is among `values`, or, negated, is not.

    None stands for "not given", which is a value like any other: "not DE" holds for it.
    """

    values: frozenset[Value]
    negated: bool = False

    def holds(self, value: Value) -> bool:
        """Does a response with this value count?"""
        return (value in self.values) != self.negated

    def __and__(self, other: "Condition") -> "Condition":
        """The condition that holds where both do."""
        if self.negated and other.negated:
            return Condition(self.values | other.values, negated=True)
        if self.negated:
            return other & self
        if other.negated:
            return Condition(self.values - other.values)
        return Condition(self.values & other.values)

    def shown(self) -> dict[str, list[Value]]:
        """As replies show it: {"is": [...]} or {"is_not": [...]}, null for "not given"."""
        ordered = sorted(self.values, key=lambda value: (value is None, value or ""))
        return {"is_not" if self.negated else "is": ordered}


Filters = Mapping[str, Condition]


def among(values: Iterable[str]) -> Condition:
    """The condition that a value is one of these, written as a key or a report holds them."""
    return Condition(frozenset(None if value == NOT_GIVEN else value for value in values))


def given() -> Condition:
    """The condition that there is a value at all."""
    return Condition(frozenset({None}), negated=True)


def both(first: Filters, second: Filters) -> Filters:
    """Two sets of filters, ANDed dimension by dimension."""
    merged = dict(first)
    for name, condition in second.items():
        merged[name] = merged[name] & condition if name in merged else condition
    return merged
