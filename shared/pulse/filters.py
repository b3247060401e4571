"""Filters: conditions on the values of dimensions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pulse.lake import BOT, DEVICE, NOT_GIVEN
from pulse.texts import tidy

Value = str | None


@dataclass(frozen=True)
class Condition:
    """The filter of one dimension: its value is among `values`, or is not if `negated`.

    None, for events that do not name the dimension, is a value like any other: "not DE" holds for
    it.
    """

    values: frozenset[Value]
    negated: bool = False

    def holds(self, value: str | int | None) -> bool:
        """Whether a row with this value passes the filter."""
        return (value in self.values) != self.negated

    def __and__(self, other: "Condition") -> "Condition":
        """The condition that holds if both hold."""
        if self.negated and other.negated:
            return Condition(self.values | other.values, negated=True)
        if self.negated:
            return other & self
        if other.negated:
            return Condition(self.values - other.values)
        return Condition(self.values & other.values)

    def shown(self) -> dict[str, list[Value]]:
        """The condition in a reply: {"is": [...]} or {"is_not": [...]}, with null for None."""
        ordered = sorted(self.values, key=lambda value: (value is None, value or ""))
        return {"is_not" if self.negated else "is": ordered}


Filters = Mapping[str, Condition]

PEOPLE = Condition(frozenset({BOT}), negated=True)
"""Of a device: that it is no bot's."""
BOTS = Condition(frozenset({BOT}))
"""Of a device: that it is a bot's."""


def let_bots_in(filters: Filters) -> bool:
    """Would the filters count bots without having been asked for them?

    A filter asks for bots by naming them, and `device=!mobile` does not.
    """
    device = filters.get(DEVICE)
    return device is None or (device.negated and device.holds(BOT))


def among(values: Iterable[str], *, negated: bool = False) -> Condition:
    """The condition that a value is one of these, or none of them if `negated`.

    Each matches in the form in which names are stored (pulse.texts), and as it is written here,
    because rows that were stored before there was one form have others.
    """
    forms = (form for value in values for form in (value, tidy(value)) if form)
    return Condition(frozenset(None if form == NOT_GIVEN else form for form in forms), negated)


def not_null() -> Condition:
    """The condition that the value is not null."""
    return Condition(frozenset({None}), negated=True)


def both(first: Filters, second: Filters) -> Filters:
    """The filters that hold if both sets of filters hold."""
    merged = dict(first)
    for name, condition in second.items():
        merged[name] = merged[name] & condition if name in merged else condition
    return merged
