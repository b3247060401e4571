"""Revenue as finance gets it: of a tenant's year, by month, summed over agents.

There is one figure for each day, media type, customer segment, service type and currency. Money is
a decimal of four places and is added exactly; a sum that had to be rounded would raise an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc

_EXACT = Context(prec=76, traps=[Inexact, InvalidOperation])
_ZERO = Decimal("0.0000")


class FigureKey(NamedTuple):
    """The day and dimensions of a figure; None means that events do not name the dimension."""

    day: date
    media_type: str
    customer_segment: str | None
    service_type: str | None
    currency: str

    @property
    def rank(self) -> tuple[object, ...]:
        """The key by which rows are sorted; None comes after every text."""
        return tuple((part is None, part) if part is not None else (True,) for part in self)


class Figure(NamedTuple):
    """The number of interactions with revenue other than zero, and their total revenue."""

    interactions: int
    revenue: Decimal

    @property
    def average(self) -> Decimal | None:
        """Revenue per interaction, half even to four decimals; None without any interaction."""
        if not self.interactions:
            return None
        return _EXACT.scaleb(round(Fraction(self.revenue) / self.interactions * 10_000), -4)

    def plus(self, other: "Figure") -> "Figure":
        """The sums of this figure and the other."""
        revenue = _EXACT.add(self.revenue, other.revenue)
        return Figure(self.interactions + other.interactions, revenue)

    def minus(self, other: "Figure") -> "Figure":
        """The other figure subtracted from this one."""
        return self.plus(Figure(-other.interactions, _EXACT.minus(other.revenue)))


NOTHING = Figure(0, _ZERO)
Figures = Mapping[FigureKey, Figure]
"""The figures of a month, by key."""


def add(these: Figures, those: Figures) -> Figures:
    """The sums of both, key by key."""
    return {
        key: these.get(key, NOTHING).plus(those.get(key, NOTHING)) for key in {**these, **those}
    }


def difference(now: Figures, before: Figures) -> Figures:
    """The figures that, added to `before`, make `now`; without those that are zero."""
    changes = {k: now.get(k, NOTHING).minus(before.get(k, NOTHING)) for k in {**now, **before}}
    return {key: change for key, change in changes.items() if change != NOTHING}


def totals(figures: Figures) -> dict[str, Decimal]:
    """The revenue of each currency that has a row, by currency."""
    sums: dict[str, Decimal] = {}
    for key, figure in figures.items():
        sums[key.currency] = _EXACT.add(sums.get(key.currency, _ZERO), figure.revenue)
    return dict(sorted(sums.items()))


DIMENSIONS = FigureKey._fields[1:]
"""The dimensions that a year's rows must have, beside the day."""


@dataclass(frozen=True)
class RevenueYear:
    """A tenant's revenue of one calendar year."""

    months: tuple[str, ...]
    """The months that have interactions, with or without revenue: YYYY-MM, in order."""
    _rows: pa.Table

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """The revenue in rows of a year's interactions, which have a day and all DIMENSIONS."""
        months = {month_of(day) for day in pc.unique(table["day"]).to_pylist() if day}
        recorded = table.filter(pc.is_valid(table["currency"]))
        rows = recorded.group_by(list(FigureKey._fields)).aggregate(
            [("with_revenue", "sum"), ("revenue", "sum")]
        )
        return cls(tuple(sorted(months)), rows)

    def figures(self, month: str) -> Figures:
        """The month's figures, of all keys for which revenue was recorded, even if it is zero."""
        first, last = first_day(month), first_day_after(month)
        in_month = pc.and_(
            pc.greater_equal(self._rows["day"], pa.scalar(first)),
            pc.less(self._rows["day"], pa.scalar(last)),
        )
        rows = self._rows.filter(in_month)
        names = (*FigureKey._fields, "with_revenue_sum", "revenue_sum")
        columns = [rows[name].to_pylist() for name in names]
        return {FigureKey(*row[:5]): Figure(*row[5:]) for row in zip(*columns, strict=True)}


def month_of(day: date) -> str:
    """The month of a day, as YYYY-MM."""
    return day.isoformat()[:7]


def first_day(month: str) -> date:
    """The first day of a month written YYYY-MM. Raises ValueError for another text."""
    day = date.fromisoformat(f"{month}-01")
    if month_of(day) != month:
        raise ValueError(f"not a month: {month!r}")
    return day


def first_day_after(month: str) -> date:
    """The first day of the month that follows."""
    return (first_day(month) + timedelta(days=31)).replace(day=1)


def closing_day(month: str, close_days: int) -> date:
    """The day, in the tenant's zone, from which the month is closed."""
    return first_day_after(month) + timedelta(days=close_days)
