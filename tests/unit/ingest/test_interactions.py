"""Interactions of a request, read with one tenant in memory."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days, lake
from pulse.ingest.body import read_object
from pulse.ingest.fields import RejectedError
from pulse.ingest.interactions import InteractionReader
from pulse.ingest.message import Event
from pulse.ingest.money import MONEY
from pulse.streams import INTERACTIONS
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.ingest.memory import directory

NOW_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
BANK = Tenant(
    "bank",
    "Bank",
    "America/New_York",
    thresholds={
        "voice.accept": ((days.FIRST_DAY, 20), (date(2026, 11, 1), 30)),
        "voice.finish": ((date(2026, 11, 2), 300),),
        "email.first_response": ((days.FIRST_DAY, 3600), (date(2026, 11, 1), None)),
    },
)
CALL = {"interaction_id": "i-1", "media_type": "voice", "entered_at": "2026-11-20T15:00:00Z"}


def reader(tenant: Tenant = BANK) -> InteractionReader:
    return InteractionReader(directory(tenant), Key("0" * 64, "secret", "bank", 0), "bank", NOW_US)


def read(**more: object) -> Event:
    return reader().read({**CALL, **more})


def written(number: str) -> Any:
    """A JSON number as a request's body holds it."""
    return read_object(f'{{"n": {number}}}'.encode(), 10_000)["n"]


def test_everything_that_may_be_sent_is_kept_under_the_tables_names() -> None:
    interaction = read(
        updated_at="2026-11-20T15:10:00.000001Z",
        customer_segment="Gold",
        service_type="Loans",
        agent_id="a-1",
        agent_name="Ana",
        customer_id="c-1",
        offered_at="2026-11-20T15:00:00Z",
        accepted_at="2026-11-20T15:00:01Z",
        first_response_at="2026-11-20T15:00:02Z",
        finished_at="2026-11-20T15:00:03Z",
        abandoned=False,
        replies=2,
        satisfaction=4,
        revenue={"amount": "12.5", "currency": "eur"},
    )
    entered_us = days.parse_instant("2026-11-20T15:00:00Z")
    assert interaction.values == dict(
        interaction_id="i-1",
        media_type="voice",
        entered_us=entered_us,
        updated_us=entered_us + 600 * days.SECOND + 1,
        customer_segment="Gold",
        service_type="Loans",
        agent="a-1",
        agent_name="Ana",
        customer="c-1",
        offered_us=entered_us,
        accepted_us=entered_us + 1 * days.SECOND,
        first_response_us=entered_us + 2 * days.SECOND,
        finished_us=entered_us + 3 * days.SECOND,
        abandoned=False,
        replies=2,
        satisfaction="4.0000",
        revenue="12.5000",
        currency="EUR",
        accept_threshold_us=30 * days.SECOND,
        finish_threshold_us=300 * days.SECOND,
        synchronous=True,
    )
    assert set(interaction.values) <= set(lake.INTERACTIONS.raw_columns)


def test_a_milestone_may_come_two_years_after_the_entry() -> None:
    """From 20 November 2024 to 20 November 2026 are 730 days; 731 are two years with a leap day."""
    given = {"entered_at": "2024-11-19T15:00:00Z", "finished_at": "2026-11-20T15:00:00Z"}
    interaction = read(**given)
    assert interaction["finished_us"] is not None
    assert interaction["finished_us"] - interaction["entered_us"] == 731 * 86_400 * 1_000_000


def test_what_is_not_given_is_not_in_the_message() -> None:
    nothing = dict.fromkeys(set(INTERACTIONS.sent) - set(CALL)) | {"agent_id": "", "revenue": None}
    assert read(**nothing).values == {
        "interaction_id": "i-1",
        "media_type": "voice",
        "entered_us": days.parse_instant("2026-11-20T15:00:00Z"),
        "updated_us": NOW_US,
        "accept_threshold_us": 30 * days.SECOND,
        "finish_threshold_us": 300 * days.SECOND,
        "synchronous": True,
    }


@pytest.mark.parametrize(
    ("entered_at", "accept_s", "finish_s"),
    [
        ("2026-11-01T03:59:59.999999Z", 20, None),  # still October in New York
        ("2026-11-01T04:00:00Z", 30, None),
        ("2026-11-02T04:59:59Z", 30, None),  # the clocks went back in between
        ("2026-11-02T05:00:00Z", 30, 300),
        ("1990-01-01T05:00:00Z", 20, None),
    ],
)
def test_the_thresholds_are_those_of_the_tenants_day_on_which_it_entered(
    entered_at: str, accept_s: int, finish_s: int | None
) -> None:
    call = read(entered_at=entered_at)
    assert call["accept_threshold_us"] == accept_s * days.SECOND
    assert call["finish_threshold_us"] == (finish_s * days.SECOND if finish_s else None)


def test_each_medium_has_thresholds_of_its_own_and_one_taken_away_is_none() -> None:
    october = read(media_type="email", entered_at="2026-10-31T12:00:00Z")
    assert (october["accept_threshold_us"], october["first_response_threshold_us"]) == (
        None,
        3600000000,
    )
    november = read(media_type="email", entered_at="2026-11-01T12:00:00Z")
    assert november["first_response_threshold_us"] is None


def test_whether_customers_wait_on_the_line_is_the_tenants_to_say() -> None:
    assert [read(media_type=medium)["synchronous"] for medium in ("voice", "chat", "email")] == [
        True,
        True,
        False,
    ]
    tenant = replace(BANK, synchronous_media=("voice", "social"))
    found = [reader(tenant).read({**CALL, "media_type": m}) for m in ("voice", "chat", "social")]
    assert [one["synchronous"] for one in found] == [True, False, True]


def test_a_threshold_of_zero_is_a_threshold() -> None:
    tenant = replace(BANK, thresholds={"voice.accept": ((days.FIRST_DAY, 0),)})
    assert reader(tenant).read(CALL)["accept_threshold_us"] == 0


@pytest.mark.parametrize(
    ("amount", "stored"),
    [
        ("0.1", "0.1000"),
        ("99999999999999.9999", "99999999999999.9999"),
        ("-99999999999999.9999", "-99999999999999.9999"),
        ("9007199254740993", None),  # 2**53 + 1: no float, and more than the column holds
        ("90071992547409.9301", "90071992547409.9301"),
        ("1e2", "100.0000"),
        ("1.5E+3", "1500.0000"),
        ("12.50000", "12.5000"),
        ("-5", "-5.0000"),
        ("0", "0.0000"),
        ("-0.0", "0.0000"),
        ("0e99", "0.0000"),
        ("0.0001", "0.0001"),
    ],
)
def test_an_amount_is_kept_exactly_whether_it_is_a_number_or_a_text(
    amount: str, stored: str | None
) -> None:
    for value in (amount, written(amount)):
        if stored is None:
            assert fault(revenue={"amount": value, "currency": "EUR"}) == (
                "revenue.amount",
                "amount_out_of_range",
            )
        else:
            assert read(revenue={"amount": value, "currency": "EUR"})["revenue"] == stored


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("1E-5", "amount_too_precise"),
        ("0.00001", "amount_too_precise"),
        ("0.30000000000000004", "amount_too_precise"),
        ("1e-300", "amount_too_precise"),
        ("100000000000000", "amount_out_of_range"),
        ("-99999999999999.99999", "amount_out_of_range"),
        ("1e20", "amount_out_of_range"),
        ("1e300", "amount_out_of_range"),
    ],
)
def test_an_amount_that_would_have_to_be_rounded_is_refused(amount: str, code: str) -> None:
    for value in (amount, written(amount)):
        assert fault(revenue={"amount": value, "currency": "EUR"}) == ("revenue.amount", code)


def fault(**more: object) -> tuple[str, str]:
    """The field and the code that an interaction is rejected for."""
    with pytest.raises(RejectedError) as caught:
        read(**more)
    return caught.value.fault.field, caught.value.fault.code


AMOUNTS = st.decimals(-MONEY, MONEY, places=4)


@given(AMOUNTS, st.booleans())
def test_no_amount_changes_on_its_way(amount: Decimal, as_text: bool) -> None:
    value = str(amount) if as_text else written(str(amount))
    kept = read(revenue={"amount": value, "currency": "EUR"})["revenue"]
    assert kept is not None
    assert Decimal(kept) == amount
    assert kept[-5] == "."


@given(AMOUNTS, st.integers(1, 9), st.integers(5, 12), st.booleans())
def test_no_amount_with_a_fifth_decimal_is_taken(
    amount: Decimal, digit: int, place: int, as_text: bool
) -> None:
    text = f"{amount:f}" + "0" * (place - 5) + str(digit)
    value = text if as_text else written(text)
    field, code = fault(revenue={"amount": value, "currency": "EUR"})
    assert field == "revenue.amount"
    assert code in ("amount_too_precise", "amount_out_of_range")


@pytest.mark.parametrize(
    ("scale", "satisfaction", "stored"),
    [
        ("1-5", 1, "1.0000"),
        ("1-5", 4.3333, "4.3333"),
        ("1-5", "4.5", "4.5000"),
        ("1-5", 5.0001, None),
        ("1-5", 0.9999, None),
        ("0-10", 0, "0.0000"),
        ("0-10", 10, "10.0000"),
        ("0-100", 99.5, "99.5000"),
    ],
)
def test_satisfaction_lies_within_the_tenants_scale(
    scale: str, satisfaction: float | str, stored: str | None
) -> None:
    read_it = reader(replace(BANK, satisfaction_scale=scale)).read
    if stored is None:
        with pytest.raises(RejectedError) as caught:
            read_it({**CALL, "satisfaction": satisfaction})
        assert caught.value.fault.code == "satisfaction_out_of_range"
    else:
        assert read_it({**CALL, "satisfaction": satisfaction})["satisfaction"] == stored


TIMES = ["2026-11-20T09:30:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["voice", "EUR", "12.5", "١٢", *TIMES]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.sampled_from(["amount", "currency"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(VALUES | st.dictionaries(st.sampled_from([*INTERACTIONS.sent, "x"]), VALUES), st.booleans())
def test_any_json_is_an_interaction_or_rejected_with_a_code(item: Any, filled: bool) -> None:
    if isinstance(item, dict) and filled:
        item = CALL | item
    try:
        interaction = reader().read(item)
    except RejectedError as error:
        assert error.fault.code
        assert error.fault.message
    else:
        json.dumps(interaction.values)
        assert interaction["entered_us"] <= NOW_US + 300 * days.SECOND
        assert (interaction["revenue"] is None) == (interaction["currency"] is None)


# -- days alone

NOON_US = days.parse_instant("2026-11-20T17:00:00Z")  # in New York


def test_a_bare_day_is_the_tenants_noon_and_is_told_as_such() -> None:
    call = read(entered_at="2026-11-20", accepted_at="2026-11-20", finished_at="2026-11-20")
    assert (call["entered_us"], call["accepted_us"], call["finished_us"]) == (NOON_US,) * 3
    flags = (call["entered_by_day"], call["accepted_by_day"], call["finished_by_day"])
    assert flags == (True, True, True)
    assert call["first_response_by_day"] is None


def test_a_day_alone_is_never_before_a_moment_of_that_day() -> None:
    call = read(entered_at="2026-11-20T22:00:00Z", accepted_at="2026-11-20")
    assert (call["accepted_us"], call["entered_by_day"], call["accepted_by_day"]) == (
        NOON_US,
        None,
        True,
    )
    with pytest.raises(RejectedError) as raised:
        read(entered_at="2026-11-20T22:00:00Z", accepted_at="2026-11-19")
    assert raised.value.fault.code == "negative_duration"


def test_todays_day_is_taken_in_the_morning_and_tomorrow_is_not() -> None:
    """It is seven in the morning in New York."""
    assert read(entered_at="2026-11-21")["entered_us"] == NOW_US
    with pytest.raises(RejectedError) as raised:
        read(entered_at="2026-11-22")
    assert raised.value.fault.code == "entered_at_in_future"


@pytest.mark.parametrize("text", ["2026-02-30", "0001-01-01", "20261120", "2026-11-20 ", "2026-11"])
def test_what_is_no_day_is_no_time_either(text: str) -> None:
    with pytest.raises(RejectedError) as raised:
        read(entered_at=text)
    assert raised.value.fault.code == "entered_at_invalid"
