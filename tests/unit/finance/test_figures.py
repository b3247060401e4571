"""Revenue is added up exactly, and months end where they should."""

from datetime import date
from decimal import Decimal

import pytest

from pulse.finance.figures import (
    NOTHING,
    Figure,
    FigureKey,
    add,
    closing_day,
    difference,
    first_day,
    totals,
)

DAY = date(2026, 10, 31)
EUR = FigureKey(DAY, "voice", "gold", "sales", "EUR")
USD = EUR._replace(currency="USD")


def money(text: str, interactions: int = 1) -> Figure:
    return Figure(interactions, Decimal(text))


def test_a_tenth_and_two_tenths_are_three_tenths() -> None:
    assert money("0.1000").plus(money("0.2000")) == money("0.3000", 2)


def test_the_greatest_sums_are_exact() -> None:
    greatest = money("9999999999999999999999999999999999.9999")
    assert greatest.minus(money("0.0001")).revenue == Decimal(
        "9999999999999999999999999999999999.9998"
    )


@pytest.mark.parametrize(
    ("revenue", "interactions", "average"),
    [
        ("10.0000", 3, "3.3333"),
        ("0.0001", 2, "0.0000"),  # half, to even
        ("0.0003", 2, "0.0002"),
        ("-0.0003", 2, "-0.0002"),
        ("12.5000", 1, "12.5000"),
    ],
)
def test_an_average_is_rounded_half_even_to_four_decimals(
    revenue: str, interactions: int, average: str
) -> None:
    assert str(money(revenue, interactions).average) == average


def test_there_is_no_average_over_nothing() -> None:
    assert NOTHING.average is None


def test_a_difference_leads_from_one_to_the_other_and_names_only_what_changed() -> None:
    before = {EUR: money("5.0000", 2), USD: money("1.0000")}
    now = {EUR: money("7.5000", 2), USD: money("1.0000")}
    assert difference(now, before) == {EUR: money("2.5000", 0)}
    assert add(before, difference(now, before)) == now


def test_what_is_gone_is_taken_away_and_a_zero_that_came_is_no_difference() -> None:
    assert difference({USD: NOTHING}, {EUR: money("5.0000")}) == {EUR: money("-5.0000", -1)}


def test_totals_never_cross_currencies() -> None:
    found = totals({USD: money("1.0000"), EUR: money("2.0000")})
    assert found == {"EUR": Decimal("2.0000"), "USD": Decimal("1.0000")}
    assert list(found) == ["EUR", "USD"]


def test_a_month_closes_some_days_after_it_has_ended() -> None:
    assert closing_day("2026-10", 7) == date(2026, 11, 8)
    assert closing_day("2026-12", 0) == date(2027, 1, 1)
    assert closing_day("2024-02", 1) == date(2024, 3, 2)


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "202610", "2026-10-01", "", "2026-W10"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        first_day(text)
