"""What places are called, and figures as replies have them."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Protocol

from pulse.reports.moving import Place
from pulse.serve.insights.insights_query import InsightsQuery
from pulse.serve.insights.telling import NameOf

_HUNDREDTH = Decimal("0.01")


class Named(Protocol):
    """What tenants call values: serve.dimensions.DisplayNames."""

    def known(self, dimension: str, tenants: Sequence[str]) -> Mapping[str, str] | None:
        """Names by value; None where they cannot be read."""


def names_of(asked: InsightsQuery, names: Named, tenants: Sequence[str]) -> NameOf:
    """What places are called; agents and surveys as the tenants call them, if that can be read."""

    @cache
    def known(dimension: str) -> Mapping[str, str]:
        return names.known(dimension, tenants) or {}

    def name_of(place: Place) -> str:
        return asked.language.value(place.dimension, place.value, known(place.dimension))

    return name_of


def two(number: float) -> Decimal:
    """A figure with two decimals; never the negative zero."""
    return Decimal(number).quantize(_HUNDREDTH, ROUND_HALF_EVEN) + 0
