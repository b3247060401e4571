"""What stands where in a group's sums, for one question.

    measures of its first table, of the next, …, then for each currency what money is made of

Metrics ask for a sum by its name. Decimals are integers of 1/10000, durations microseconds: all
adding is exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pulse import lake

Sums = list[int]
"""A group's additive counts, in the order of the question's layout."""


@dataclass(frozen=True)
class Layout:
    """The order of a question's sums.

    `by_currency` names the measures of the first table that are also added up for each of the
    `currencies`. (What they add up to over all currencies is no figure where it is money.) Of the
    tables' measures those that are `taken` alone are added up, all where it is None.
    """

    tables: tuple[lake.DailyTable, ...] = ()
    by_currency: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    taken: frozenset[str] | None = None

    @cached_property
    def width(self) -> int:
        """How many sums a group has."""
        return len(self.places) + len(self.by_currency) * len(self.currencies)

    def measured(self, sums: Sequence[int], name: str) -> int | None:
        """The sum of a measure; None where none of the tables has it."""
        place = self.places.get(name)
        return None if place is None else sums[place]

    def of_currency(self, sums: Sequence[int], name: str, currency: str) -> int:
        """The sum of a measure that is kept by currency; 0 of an unknown currency."""
        first = self.currency_places.get(currency)
        return 0 if first is None else sums[first + self.by_currency.index(name)]

    def recorded(self, sums: Sequence[int]) -> list[str]:
        """The currencies in which anything was recorded, in order."""
        each = len(self.by_currency)
        return [
            currency
            for currency, first in self.currency_places.items()
            if any(sums[first : first + each])
        ]

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each measure's sum stands."""
        names = [name for table in self.tables for name in table.measures]
        taken = names if self.taken is None else [name for name in names if name in self.taken]
        return {name: place for place, name in enumerate(taken)}

    @cached_property
    def counted(self) -> tuple[int, ...]:
        """Where the sums stand that say how many events there were."""
        return tuple(self.places[name] for table in self.tables for name in table.counted)

    @cached_property
    def currency_places(self) -> Mapping[str, int]:
        """Where the sums of each currency begin."""
        each = len(self.by_currency)
        return {
            currency: len(self.places) + at * each for at, currency in enumerate(self.currencies)
        }
