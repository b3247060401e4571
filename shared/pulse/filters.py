"""Filters: which values of a dimension count, and how several of them combine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pulse.lake import NOT_GIVEN
from pulse.texts import tidy

Value = str | None


@dataclass(frozen=True)
class Condition:
    """One dimension's filter: its value is among `values`, or, negated, is not.

    None stands for "not given", which is a value like any other: "not DE" holds for it.
    """

    values: frozenset[Value]
    negated: bool = False

    def holds(self, value: str | int | None) -> bool:
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


def among(values: Iterable[str], *, negated: bool = False) -> Condition:
    """The condition that a value is one of these, or none of them, as people write them.

    Each stands for itself in the one form that is stored (pulse.texts), and as it is written: rows
    from before there was one form have others.
    """
    forms = (form for value in values for form in (value, tidy(value)) if form)
    return Condition(frozenset(None if form == NOT_GIVEN else form for form in forms), negated)


def not_null() -> Condition:
    """The condition that there is a value at all."""
    return Condition(frozenset({None}), negated=True)


def both(first: Filters, second: Filters) -> Filters:
    """Two sets of filters, ANDed dimension by dimension."""
    merged = dict(first)
    for name, condition in second.items():
        merged[name] = merged[name] & condition if name in merged else condition
    return merged
