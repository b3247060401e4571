"""What stands where in a group's sums, for one question.

    the measures of its first table, of the next, …, then for each currency what money is made of

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
    `currencies`. (What they add up to over all currencies is no figure where it is money.)
    """

    tables: tuple[lake.Dataset, ...] = ()
    by_currency: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()

    @cached_property
    def width(self) -> int:
        """How many sums a group has."""
        return len(self._places) + len(self.by_currency) * len(self.currencies)

    def is_of(self, table: lake.Dataset) -> bool:
        """True where the sums of the table's groups are the question's as they are."""
        return self.tables == (table,) and not self.by_currency

    def size(self, sums: Sequence[int]) -> int:
        """How many events such sums stand for."""
        return sum(map(sums.__getitem__, self._counted))

    def told(self, sums: Sequence[int], name: str) -> int | None:
        """The sum of a measure; None where none of the tables has it."""
        place = self._places.get(name)
        return None if place is None else sums[place]

    def of_currency(self, sums: Sequence[int], name: str, currency: str) -> int:
        """The sum of a measure that is kept by currency; 0 of an unknown currency."""
        first = self._currency_places.get(currency)
        return 0 if first is None else sums[first + self.by_currency.index(name)]

    def recorded(self, sums: Sequence[int]) -> list[str]:
        """The currencies in which anything was recorded, in order."""
        each = len(self.by_currency)
        return [
            currency
            for currency, first in self._currency_places.items()
            if any(sums[first : first + each])
        ]

    def laid_out(self, table: lake.Dataset, sums: Sums, currency: str | None = None) -> Sums:
        """The sums of a group of one table, all of that currency, as sums of the question."""
        first = self._places[table.measures[0]]
        line = [*[0] * first, *sums, *[0] * (self.width - first - len(sums))]
        if currency is not None and self.by_currency:
            first = self._currency_places[currency]
            line[first : first + len(self.by_currency)] = map(
                line.__getitem__, self._by_currency_places
            )
        return line

    @cached_property
    def _places(self) -> Mapping[str, int]:
        names = (name for table in self.tables for name in table.measures)
        return {name: place for place, name in enumerate(names)}

    @cached_property
    def _counted(self) -> tuple[int, ...]:
        return tuple(self._places[name] for table in self.tables for name in table.counted)

    @cached_property
    def _by_currency_places(self) -> tuple[int, ...]:
        return tuple(self._places[name] for name in self.by_currency)

    @cached_property
    def _currency_places(self) -> Mapping[str, int]:
        """Where the sums of each currency begin."""
        each = len(self.by_currency)
        return {
            currency: len(self._places) + at * each for at, currency in enumerate(self.currencies)
        }
