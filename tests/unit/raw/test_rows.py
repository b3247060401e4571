"""Items of a message become rows of the raw table."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from pulse import days, lake
from pulse.ingest.message import Message
from pulse.raw.countries import Countries
from pulse.raw.rows import Origin, Row, row_of
from tests.unit.raw.mmdb import database

NOON_US = days.to_us(datetime(2026, 11, 21, 12, tzinfo=UTC))
COUNTRIES = Countries.from_bytes(
    database({"203.0.113.0/24": {"country_code": "DE"}, "2001:db8::/32": {"country_code": "FR"}}),
    "test",
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ITEM = {
    "survey": "checkout",
    "metric": "csat",
    "scale": "1-5",
    "response_id": "r-1",
    "answered_us": NOON_US,
    "score": 5,
    "channel": "chat",
}

pytestmark = pytest.mark.usefixtures("noon")


def origin(
    kind: str = "publishable",
    *,
    client_ip: str | None = "203.0.113.7",
    user_agent: str | None = FIREFOX,
    received_us: int = NOON_US,
    timezone: str = "UTC",
) -> Origin:
    message = Message("responses", "demo", kind, received_us, "id", (), user_agent)
    return Origin(message, client_ip, timezone)


def row(item: Any, where: Origin | None = None, index: int = 0) -> Row:
    return row_of(item, index, where or origin(), COUNTRIES)[1]


def test_a_row_has_exactly_the_tables_columns() -> None:
    assert row(ITEM).keys() == lake.SCORES.raw_columns.keys()


def test_a_pages_response_is_enriched_from_its_request_alone() -> None:
    item = ITEM | {"country": "US", "ip": "2001:db8::1", "user_agent": "curl/8.5.0"}
    made = row(item)
    assert (made["country"], made["browser"], made["os"]) == ("DE", "Firefox", "Linux")
    assert made["device"] == "desktop"


@pytest.mark.parametrize(
    ("fields", "country", "browser"),
    [
        ({}, None, None),
        ({"country": "US", "ip": "2001:db8::1"}, "US", None),
        ({"ip": "2001:db8::1", "user_agent": FIREFOX}, "FR", "Firefox"),
    ],
)
def test_a_servers_response_is_enriched_from_its_item_alone(
    fields: dict[str, str], country: str | None, browser: str | None
) -> None:
    """This holds even if the message of a secret key has the server's own address."""
    made = row(ITEM | fields, origin("secret"))
    assert (made["country"], made["browser"]) == (country, browser)


def test_no_column_holds_an_address() -> None:
    for made in (row(ITEM), row(ITEM | {"ip": "2001:db8::1"}, origin("secret"))):
        assert "203.0.113.7" not in str(made)
        assert "2001:db8::1" not in str(made)


@pytest.mark.parametrize(
    ("timezone", "moment", "day"),
    [
        ("UTC", "2026-11-20T23:59:59.999999Z", date(2026, 11, 20)),
        ("Europe/Berlin", "2026-11-20T23:00:00Z", date(2026, 11, 21)),
        ("America/Los_Angeles", "2026-11-21T07:59:59Z", date(2026, 11, 20)),
        ("Pacific/Kiritimati", "2026-11-21T10:00:00Z", date(2026, 11, 22)),
        ("Europe/Berlin", "2026-03-29T22:00:00Z", date(2026, 3, 30)),  # the day clocks change
    ],
)
def test_the_day_is_the_tenants_own(timezone: str, moment: str, day: date) -> None:
    item = ITEM | {"answered_us": days.parse_instant(moment)}
    assert row_of(item, 0, origin(timezone=timezone), COUNTRIES)[0] == day


def test_of_one_request_the_later_item_is_the_later_received() -> None:
    assert [row(ITEM, index=i)["received_us"] - NOON_US for i in (0, 1, 499)] == [0, 1, 499]


def test_the_hash_is_of_everything_but_the_time_of_receipt() -> None:
    first = row(ITEM)
    again = row(ITEM, origin(received_us=NOON_US + 10**9))
    assert first["content_hash"] == again["content_hash"]
    assert first != again
    assert len(first["content_hash"]) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"score": 4},
        {"comment": "x"},
        {"comment": "None"},
        {"tags": {"a": "b"}},
        {"tags": {"a": "c"}},
        {"answered_us": NOON_US - 1},
        {"agent": "x"},
        {"customer": "x"},
    ],
)
def test_another_content_has_another_hash(change: dict[str, Any]) -> None:
    assert row(ITEM | change)["content_hash"] != row(ITEM)["content_hash"]


def test_the_order_of_tags_makes_no_other_hash() -> None:
    one, other = ({"tags": dict(pairs)} for pairs in ((("a", "1"), ("b", "2")),) * 2)
    other["tags"] = dict(reversed(other["tags"].items()))
    assert row(ITEM | one)["content_hash"] == row(ITEM | other)["content_hash"]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (5, "object"),
        ({}, "survey"),
        (ITEM | {"survey": None}, "survey"),
        (ITEM | {"survey": 5}, "survey"),
        (ITEM | {"score": True}, "score"),
        (ITEM | {"score": 4.0}, "score"),
        (ITEM | {"score": 11}, "score"),
        (ITEM | {"score": 6}, "score must lie within the scale 1-5"),
        (ITEM | {"score": 0}, "score must lie within the scale 1-5"),
        (ITEM | {"metric": "joy"}, "metric must be one of csat, nps, ces"),
        (ITEM | {"scale": "1-6"}, "csat has no default cut-offs on 1-6"),
        (ITEM | {"scale": "five stars"}, "not a scale"),
        (ITEM | {"scale": "1-5:good9"}, "do not part the scale"),
        (ITEM | {"scale": "01-5"}, "the scale '1-5' is written '01-5'"),
        (ITEM | {"metric": "nps"}, "nps is defined on 0-10 alone"),
        (ITEM | {"answered_us": "2026-11-21T12:00:00Z"}, "answered_us"),
        (ITEM | {"answered_us": 10**30}, "answered_us"),
        (ITEM | {"answered_us": -(10**16)}, "outside"),
        (ITEM | {"answered_us": NOON_US + 3 * days.DAY}, "outside"),
        (ITEM | {"tags": {"a": 5}}, "tags"),
        (ITEM | {"tags": []}, "tags"),
        (ITEM | {"comment": "\ud800"}, "surrogates"),
        (ITEM | {"agent": ["x"]}, "agent"),
    ],
)
def test_an_item_that_is_no_row_is_a_value_error_that_says_why(item: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        row(item)


def test_a_kind_of_key_that_cannot_write_makes_no_row() -> None:
    with pytest.raises(ValueError, match="key_kind"):
        row(ITEM, origin("report"))


# -- interactions and sessions

CALL = {
    "interaction_id": "i-1",
    "media_type": "voice",
    "entered_us": NOON_US,
    "updated_us": NOON_US,
}
SESSION = {
    "session_id": "s-1",
    "agent": "ada",
    "media_type": "chat",
    "day": "2026-11-20",
    "active_us": 3_600_000_000,
    "engaged_us": 0,
}


def made(stream: str, item: Any, index: int = 0, timezone: str = "UTC") -> tuple[date, Row]:
    message = Message(stream, "demo", "secret", NOON_US, "id", ())
    return row_of(item, index, Origin(message, None, timezone), COUNTRIES)


def test_an_update_of_an_interaction_is_a_row_as_it_came() -> None:
    given = {"accepted_us": NOON_US + 5, "revenue": "12.50", "currency": "EUR", "abandoned": False}
    day, row = made("interactions", CALL | given, index=3)
    assert day == date(2026, 11, 21)
    assert row == {
        **dict.fromkeys(lake.INTERACTIONS.raw_columns),
        **CALL,
        **given,
        "tenant": "demo",
        "received_us": NOON_US + 3,
        "content_hash": row["content_hash"],
    }


def test_an_interaction_counts_on_the_tenants_day_of_its_entry() -> None:
    early = CALL | {"entered_us": days.parse_instant("2026-11-20T23:30:00Z")}
    assert made("interactions", early)[0] == date(2026, 11, 20)
    assert made("interactions", early, timezone="Europe/Berlin")[0] == date(2026, 11, 21)


def test_a_session_has_the_day_that_it_names() -> None:
    day, row = made("sessions", SESSION, timezone="Pacific/Kiritimati")
    assert day == date(2026, 11, 20)
    assert row.keys() == lake.SESSIONS.raw_columns.keys()
    assert (row["agent"], row["active_us"], row["engaged_us"]) == ("ada", 3_600_000_000, 0)


@pytest.mark.parametrize(("stream", "item"), [("interactions", CALL), ("sessions", SESSION)])
def test_the_hash_of_every_stream_is_of_all_but_the_time_of_receipt(stream: str, item: Row) -> None:
    first, again = (made(stream, item, index)[1] for index in (0, 7))
    assert first["content_hash"] == again["content_hash"]
    other = made(stream, item | {"agent": "someone else"})[1]
    assert other["content_hash"] != first["content_hash"]


def test_two_years_and_the_longest_day_are_rows() -> None:
    late = NOON_US + 731 * days.DAY
    assert made("interactions", CALL | {"finished_us": late})[1]["finished_us"] == late
    longest = made("sessions", SESSION | {"active_us": 90_000_000_000})[1]
    assert longest["active_us"] == 90_000_000_000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"interaction_id": None}, "interaction_id"),
        ({"updated_us": None}, "updated_us"),
        ({"media_type": 5}, "media_type"),
        ({"entered_us": 631_152_000_000_000 - 1}, "the day 1989-12-31 is outside"),
        ({"entered_us": NOON_US + 3 * days.DAY}, "the day 2026-11-24 is outside"),
        ({"finished_us": -1}, "finished_us is outside"),
        ({"finished_us": 10**18}, "finished_us is outside"),
        ({"finished_us": 2**63}, "finished_us must be a bigint"),
        ({"accepted_us": 1.0}, "accepted_us"),
        ({"accept_threshold_us": -1}, "accept_threshold_us"),
        ({"abandoned": 1}, "abandoned must be a boolean"),
        ({"replies": True}, "replies must be a int"),
        ({"replies": 2**31}, "replies must be a int"),
        ({"replies": -1}, "replies must not be negative"),
        *(
            ({name: NOON_US + 731 * days.DAY + 1}, f"{name} lies more than two years after")
            for name in ("offered_us", "accepted_us", "first_response_us", "finished_us")
        ),
        ({"satisfaction": 4.5}, "satisfaction"),
        ({"satisfaction": "123456"}, "satisfaction"),
        ({"revenue": "1", "currency": None}, "together"),
        ({"revenue": None, "currency": "EUR"}, "together"),
        ({"revenue": "0.00001", "currency": "EUR"}, "revenue"),
        ({"revenue": "123456789012345", "currency": "EUR"}, "revenue"),
        ({"revenue": "1e3", "currency": "EUR"}, "revenue"),
        ({"revenue": "NaN", "currency": "EUR"}, "revenue"),
        ({"revenue": 1, "currency": "EUR"}, "revenue"),
    ],
)
def test_an_update_that_is_no_row_says_why(change: Row, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        made("interactions", CALL | change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"agent": None}, "agent"),
        ({"day": None}, "day must be"),
        ({"day": "20261120"}, "day must be"),
        ({"day": "2026-11-31"}, "day"),
        ({"day": "1989-12-31"}, "outside"),
        ({"day": "2026-11-24"}, "outside"),
        ({"media_type": None}, "media_type"),
        ({"engaged_us": 3_600_000_001}, "engaged_us"),
        ({"active_us": -1, "engaged_us": -1}, "active_us"),
        ({"engaged_us": -1}, "engaged_us"),
        ({"active_us": 90_000_000_001}, "active_us must not be longer than a day"),
    ],
)
def test_a_session_that_is_no_row_says_why(change: Row, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        made("sessions", SESSION | change)
