"""raw → daily of interactions and sessions, rows in → rows out, through SQL on the embedded Athena.

Updates go in as ingest would put them on the queue; what comes out is compared to
docs/metrics.md by hand, and to a merge in plain Python for any order of arrival.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyarrow.parquet import ParquetFile

from pulse import days, lake
from pulse.checks import run_checks
from pulse.ingest.message import AgentSession, Interaction, Message
from pulse.raw import parquet as raw_parquet
from pulse.raw.rows import STREAMS
from pulse.store.catalog import Catalog
from pulse.store.ledger import Ledger
from pulse.store.objects import Objects
from pulse.tenants.tenant import CUBE
from tests.driver import Driver, running

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOW_US = days.to_us(NOW)
S = days.SECOND
THRESHOLDS = {
    "accept_threshold_us": 20 * S,
    "first_response_threshold_us": 30 * S,
    "finish_threshold_us": 300 * S,
}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def pulse() -> Iterator[Driver]:
    """One tenant in UTC; each test has days of its own."""
    with days.clock(lambda: NOW), running() as driver:
        driver.tenant("acme")
        driver.tenant("globex")
        yield driver


DAYS_BACK = count(1)


@pytest.fixture
def day() -> date:
    """A day that no other test uses."""
    return unused_day()


def unused_day() -> date:
    return NOW.date() - timedelta(days=next(DAYS_BACK))


def noon_us(day: date) -> int:
    return days.to_us(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


def update(day: date, number: int = 1, **given: Any) -> Row:
    """An update of interaction `number`, which entered at noon; milestones in seconds after."""
    entered_us = noon_us(day) + given.pop("entered", 0)
    for name in ("offered", "accepted", "first_response", "finished"):
        if name in given:
            given[f"{name}_us"] = entered_us + round(given.pop(name) * S)
    known: Row = {
        "interaction_id": f"i{number}",
        "media_type": "email",
        "entered_us": entered_us,
        "updated_us": NOW_US,
    }
    return Interaction(**{**known, **given}).item()


def message(
    *items: Row, stream: str = "interactions", received_us: int = NOW_US, tenant: str = "acme"
) -> Row:
    """A record of the queue with the items of one request."""
    body = Message(stream, tenant, "secret", received_us, "request", items).encode()
    return {
        "messageId": str(uuid.uuid4()),
        "body": body,
        "attributes": {},
        "messageAttributes": {},
    }


def daily(pulse: Driver, dataset: lake.Dataset, day: date) -> list[Row]:
    """The published rows of a day, without their tenant."""
    run = Catalog(pulse.settings.database).partitions(dataset.daily_table)[day].run
    return read(pulse, f"{lake.run_prefix(dataset, run)}dt={day}/")


def read(pulse: Driver, prefix: str) -> list[Row]:
    found = []
    for key in pulse.objects(prefix):
        found += ParquetFile(pa.BufferReader(pulse.read(key))).read().to_pylist()
    return found


def interactions(pulse: Driver, day: date, *records: Row) -> list[Row]:
    """The daily rows after these messages."""
    assert pulse.write(records) == []
    pulse.build_daily()
    return daily(pulse, lake.INTERACTIONS, day)


def told(row: Mapping[str, Any]) -> Row:
    """The measures of a row that are not zero."""
    return {name: row[name] for name in lake.INTERACTIONS.measures if row[name] != 0}


# -- what an interaction counts as


DUE = {"accept_due": 1, "first_response_due": 1}
ACCEPTED = {"offered": 1, "accepted": 1, "accept_timed": 1, **DUE}
SYNC = {**ACCEPTED, "responded": 1, "first_response_timed": 1, "replies": 1}
LATER = {"accepted": 1, "responded": 1, "finished": 1, "finished_responded": 1, "handled": 1}
BY_DAY = ("entered_by_day", "accepted_by_day", "first_response_by_day", "finished_by_day")
NO_THRESHOLDS = dict.fromkeys(THRESHOLDS)

FACTS: dict[str, tuple[Row, Row]] = {
    "entered alone": ({}, {}),
    "offered": ({"offered": 5}, {"offered": 1, **DUE}),
    "offered without thresholds": ({"offered": 5, **NO_THRESHOLDS}, {"offered": 1}),
    "accepted implies offered": (
        {"accepted": 5},
        {**ACCEPTED, "accept_met": 1, "accept_us": 5 * S},
    ),
    "accepted at the threshold": (
        {"accepted": 20},
        {**ACCEPTED, "accept_met": 1, "accept_us": 20 * S},
    ),
    "accepted a microsecond later": (
        {"accepted": 20.000001},
        {**ACCEPTED, "accept_us": 20 * S + 1},
    ),
    "accepted at once where no time is allowed": (
        {"accepted": 0, "accept_threshold_us": 0},
        {**ACCEPTED, "accept_met": 1},
    ),
    "accepted without a threshold": (
        {"accepted": 5, "accept_threshold_us": None},
        {
            **{"offered": 1, "accepted": 1, "accept_timed": 1, "first_response_due": 1},
            "accept_us": 5 * S,
        },
    ),
    "an accepted call has its first response and a reply": (
        {"media_type": "voice", "accepted": 25},
        {**SYNC, "first_response_met": 1, "accept_us": 25 * S, "first_response_us": 25 * S},
    ),
    "an accepted chat with replies": (
        {"media_type": "chat", "accepted": 1, "replies": 3},
        {
            **SYNC,
            **{"accept_met": 1, "first_response_met": 1, "replies": 3},
            **{"accept_us": S, "first_response_us": S},
        },
    ),
    "an accepted chat that says it had no reply": (
        {"media_type": "chat", "accepted": 1, "replies": 0},
        {
            **SYNC,
            **{"accept_met": 1, "first_response_met": 1},
            **{"accept_us": S, "first_response_us": S},
        },
    ),
    "a chat answered later than accepted": (
        {"media_type": "chat", "accepted": 1, "first_response": 31},
        {**SYNC, "accept_met": 1, "accept_us": S, "first_response_us": 31 * S},
    ),
    "a call that nobody took": (
        {"media_type": "voice", "offered": 5, "abandoned": True},
        {"offered": 1, "abandoned": 1, **DUE},
    ),
    "an accepted mail waits for its first response": (
        {"accepted": 5, "replies": 0},
        {**ACCEPTED, "accept_met": 1, "accept_us": 5 * S},
    ),
    "an answered mail": (
        {"accepted": 5, "first_response": 30, "replies": 2},
        {
            **ACCEPTED,
            **{"responded": 1, "replies": 2, "accept_met": 1, "first_response_met": 1},
            "first_response_timed": 1,
            **{"accept_us": 5 * S, "first_response_us": 30 * S},
        },
    ),
    "an answer to what was never offered meets nothing": (
        {"first_response": 5},
        {"responded": 1, "first_response_timed": 1, "first_response_us": 5 * S},
    ),
    "finished at the threshold": (
        {"finished": 300},
        {"finished": 1, "finish_due": 1, "finish_met": 1},
    ),
    "finished without a threshold": ({"finished": 5, **NO_THRESHOLDS}, {"finished": 1}),
    "finished late, with a response": (
        {"first_response": 40, "finished": 301},
        {
            **{"responded": 1, "finished": 1, "finish_due": 1, "finished_responded": 1},
            **{"first_response_timed": 1, "finish_timed": 1},
            **{"first_response_us": 40 * S, "finish_us": 301 * S},
        },
    ),
    "handled": (
        {"accepted": 10, "finished": 70},
        {
            **ACCEPTED,
            **{"accept_met": 1, "finished": 1, "finish_due": 1, "finish_met": 1, "handled": 1},
            **{"accept_us": 10 * S, "handle_us": 60 * S, "handle_timed": 1},
        },
    ),
    "finished before accepted: handled, in no time that is known": (
        {"accepted": 10, "finished": 5},
        {
            **ACCEPTED,
            **{"accept_met": 1, "finished": 1, "finish_due": 1, "finish_met": 1, "handled": 1},
            "accept_us": 10 * S,
        },
    ),
    "milestones before it entered are milestones, and make no level": (
        {"accepted": -10, "first_response": -5, "finished": -1},
        {"offered": 1, **LATER, "handle_timed": 1, "handle_us": 9 * S},
    ),
    "known by days alone: milestones, no durations and no levels": (
        {
            **{"accepted": 0, "first_response": 0, "finished": 86_400},
            **dict.fromkeys(BY_DAY, True),
        },
        {"offered": 1, **LATER},
    ),
    "entered on a day, accepted at a moment": (
        {"accepted": 40, "finished": 70, "entered_by_day": True},
        {
            **{"offered": 1, "accepted": 1, "finished": 1, "first_response_due": 1},
            **{"handled": 1, "handle_timed": 1, "handle_us": 30 * S},
        },
    ),
    "entered at a moment, accepted on a day, finished at a moment": (
        {"media_type": "voice", "accepted": 0, "finished": 70, "accepted_by_day": True},
        {
            **{"offered": 1, **LATER, "replies": 1},
            **{"finish_due": 1, "finish_met": 1, "finish_timed": 1, "finish_us": 70 * S},
        },
    ),
    "offered on a day and never accepted is no level met": (
        {"offered": 0, "entered_by_day": True},
        {"offered": 1, **DUE},
    ),
    "abandoned": ({"abandoned": True}, {"abandoned": 1}),
    "abandoned, but accepted": (
        {"abandoned": True, "accepted": 5},
        {**ACCEPTED, "accept_met": 1, "accept_us": 5 * S},
    ),
    "not abandoned": ({"abandoned": False}, {}),
    "satisfied": (
        {"satisfaction": "4.5"},
        {"with_satisfaction": 1, "satisfaction": Decimal("4.5")},
    ),
    "not satisfied at all": ({"satisfaction": "0"}, {"with_satisfaction": 1}),
    "revenue": (
        {"revenue": "12.50", "currency": "EUR"},
        {"with_revenue": 1, "revenue": Decimal("12.5")},
    ),
    "a refund": (
        {"revenue": "-0.0001", "currency": "EUR"},
        {"with_revenue": 1, "revenue": Decimal("-0.0001")},
    ),
    "a zero amount": ({"revenue": "0.00", "currency": "EUR"}, {}),
}


@pytest.fixture(scope="module")
def by_case(pulse: Driver) -> dict[str, Row]:
    """The daily row of each of FACTS, all of one day: its segment is the case's name."""
    day = unused_day()
    items = [
        update(day, number, **{**THRESHOLDS, **given, "customer_segment": case})
        for number, (case, (given, _)) in enumerate(FACTS.items())
    ]
    rows = interactions(pulse, day, message(*items))
    assert len(rows) == len(FACTS)
    return {row["customer_segment"]: row for row in rows}


@pytest.mark.parametrize("case", FACTS)
def test_what_an_interaction_counts_as(by_case: dict[str, Row], case: str) -> None:
    given, expected = FACTS[case]
    assert told(by_case[case]) == {"entered": 1, **expected}
    assert by_case[case]["currency"] == given.get("currency")


@pytest.mark.parametrize("medium", lake.MEDIA_TYPES)
def test_on_synchronous_media_alone_accepting_is_the_first_response(
    pulse: Driver, day: date, medium: str
) -> None:
    (row,) = interactions(pulse, day, message(update(day, media_type=medium, accepted=5)))
    synchronous = medium in lake.SYNCHRONOUS
    assert (row["responded"], row["replies"]) == ((1, 1) if synchronous else (0, 0))


@pytest.mark.parametrize("medium", ["voice", "email"])
@pytest.mark.parametrize("waits", [True, False])
def test_what_is_stamped_on_it_decides_whether_a_customer_waited(
    pulse: Driver, day: date, medium: str, waits: bool
) -> None:
    call = update(day, media_type=medium, accepted=5, synchronous=waits)
    (row,) = interactions(pulse, day, message(call))
    assert (row["media_type"], row["responded"]) == (medium, int(waits))


def test_of_each_milestone_the_update_that_gives_it_says_how_well_it_is_known(
    pulse: Driver, day: date
) -> None:
    updates = [
        update(day, accepted=0, accepted_by_day=True, updated_us=NOW_US - 2),
        update(day, accepted=7, updated_us=NOW_US - 1),
        update(day, finished=9, finished_by_day=True, updated_us=NOW_US),
    ]
    (row,) = interactions(pulse, day, message(*updates))
    assert (row["accept_timed"], row["accept_us"]) == (1, 7 * S)
    assert (row["handled"], row["handle_timed"], row["handle_us"]) == (1, 0, 0)


# -- sums


def test_decimals_add_up_exactly(pulse: Driver, day: date) -> None:
    amounts = ("0.1", "0.2", *("99999999999999.9999",) * 3)
    items = [
        update(day, n, revenue=amount, currency="EUR", satisfaction="0.1")
        for n, amount in enumerate(amounts)
    ]
    (row,) = interactions(pulse, day, message(*items))
    assert row["revenue"] == Decimal("300000000000000.2997")
    assert (row["satisfaction"], row["with_revenue"]) == (Decimal("0.5"), 5)
    items = [update(day, n, revenue=a, currency="EUR") for n, a in enumerate(("0.1", "0.2", "0"))]
    later = [item | {"updated_us": NOW_US + 1} for item in items]
    gone = [update(day, n, revenue="-0.3", currency="EUR", updated_us=NOW_US + 1) for n in (3, 4)]
    (row,) = interactions(pulse, day, message(*later, *gone))
    assert (row["revenue"], row["with_revenue"]) == (Decimal("-0.3"), 4)


def stored(pulse: Driver, stream: str, day: date, rows: Sequence[Row]) -> None:
    """Rows in raw as a release without today's door may have put them there."""
    key = lake.raw_key(stream, day, lake.ulid())
    columns = STREAMS[stream].columns
    body = raw_parquet.encode([dict.fromkeys(columns) | row for row in rows], columns)
    Objects(pulse.settings.lake_bucket).put(key, body)
    Ledger(pulse.settings.table).add(stream, day)


def test_durations_that_outgrow_their_column_end_at_its_greatest_number(
    pulse: Driver, day: date
) -> None:
    """8,500 interactions, each answered 36 years later, once overflowed the sum of a day."""
    entered_us, later_us = noon_us(day), 36 * 365 * days.DAY
    common = {"tenant": "acme", "media_type": "email", "received_us": NOW_US, "content_hash": "h"}
    common |= {"entered_us": entered_us, "updated_us": NOW_US}
    moments = ("accepted_us", "first_response_us", "finished_us")
    many = [
        common | {"interaction_id": f"i{n}"} | dict.fromkeys(moments, entered_us + later_us)
        for n in range(8_500)
    ]
    stored(pulse, "interactions", day, many)
    pulse.build_daily()
    (row,) = daily(pulse, lake.INTERACTIONS, day)
    assert row["entered"] == 8_500
    for name in ("accept_us", "first_response_us", "finish_us"):
        assert row[name] == 2**63 - 1 < 8_500 * later_us
    assert row["handle_us"] == 0
    known = {"tenant": "acme", "agent": "ada", "media_type": "chat", "content_hash": "h"}
    times = {"received_us": NOW_US, "active_us": 2**62, "engaged_us": 2**62}
    stored(pulse, "sessions", day, [known | times | {"session_id": f"s{n}"} for n in range(3)])
    pulse.build_daily()
    (row,) = daily(pulse, lake.SESSIONS, day)
    assert (row["sessions"], row["active_us"], row["engaged_us"]) == (3, 2**63 - 1, 2**63 - 1)


def test_each_currency_and_what_is_not_given_are_rows_of_their_own(
    pulse: Driver, day: date
) -> None:
    kinds: tuple[Row, ...] = (
        {"agent": "ada", "revenue": "1", "currency": "EUR"},
        {"agent": "ada", "revenue": "100", "currency": "JPY"},
        {"agent": "ada"},
        {"revenue": "2", "currency": "EUR"},
        {"service_type": "sales"},
        {},
        {},
    )
    items = [update(day, n, **kind) for n, kind in enumerate(kinds)]
    rows = interactions(pulse, day, message(*items))
    found = {
        (row["agent"], row["service_type"], row["currency"]): (row["entered"], row["revenue"])
        for row in rows
    }
    assert found == {
        ("ada", None, "EUR"): (1, 1),
        ("ada", None, "JPY"): (1, 100),
        ("ada", None, None): (1, 0),
        (None, None, "EUR"): (1, 2),
        (None, "sales", None): (1, 0),
        (None, None, None): (2, 0),
    }


# -- updates


def test_of_each_field_the_latest_update_that_gives_it_counts(pulse: Driver, day: date) -> None:
    first = update(
        day, agent="ada", service_type="sales", offered=1, abandoned=True, updated_us=NOW_US
    )
    second = update(day, agent="bob", accepted=5, abandoned=False, updated_us=NOW_US + 2)
    between = update(day, agent="eve", customer_segment="gold", finished=9, updated_us=NOW_US + 1)
    (row,) = interactions(pulse, day, message(second), message(between), message(first))
    assert (row["agent"], row["service_type"], row["customer_segment"]) == ("bob", "sales", "gold")
    assert (row["entered"], row["offered"], row["accepted"], row["handled"]) == (1, 1, 1, 1)
    assert row["abandoned"] == 0


def test_media_entry_and_thresholds_come_together_from_the_greatest_update(
    pulse: Driver, day: date
) -> None:
    call = update(day, media_type="voice", accepted=5, updated_us=NOW_US, **THRESHOLDS)
    task = update(day, media_type="task", entered=S, updated_us=NOW_US + 1)
    (row,) = interactions(pulse, day, message(call, task))
    assert (row["media_type"], row["accept_due"], row["replies"]) == ("task", 0, 0)
    assert row["accept_us"] == 4 * S  # it entered a second later than first said


def test_of_updates_of_one_moment_the_later_received_counts(pulse: Driver, day: date) -> None:
    one, other = update(day, agent="ada"), update(day, agent="bob")
    (row,) = interactions(pulse, day, message(one, received_us=9), message(other, received_us=8))
    assert row["agent"] == "ada"
    (row,) = interactions(pulse, day, message(one, other, received_us=9))  # the later item
    assert row["agent"] == "bob"


def test_an_update_days_later_changes_the_day_of_entry_and_no_other(pulse: Driver) -> None:
    old, new = unused_day(), unused_day()
    started = [update(old, 1, accepted=5), update(new, 2, accepted=5)]
    interactions(pulse, old, message(*started))
    finished = update(
        old, 1, finished=3 * 86_400, revenue="5", currency="EUR", updated_us=NOW_US + 1
    )
    assert pulse.write([message(finished)]) == []
    assert pulse.build_daily().built == (old,)
    (row,) = daily(pulse, lake.INTERACTIONS, old)
    assert (row["accepted"], row["finished"], row["revenue"]) == (1, 1, 5)
    (row,) = daily(pulse, lake.INTERACTIONS, new)
    assert (row["accepted"], row["finished"], row["currency"]) == (1, 0, None)


def test_one_id_of_two_tenants_or_on_two_days_is_told_apart(pulse: Driver, day: date) -> None:
    other = unused_day()
    rows = interactions(
        pulse,
        day,
        message(update(day), update(other)),
        message(update(day, replies=7), tenant="globex"),
    )
    assert sorted((row["tenant"], row["replies"]) for row in rows) == [("acme", 0), ("globex", 7)]
    assert len(daily(pulse, lake.INTERACTIONS, other)) == 1


# -- any order


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "customer_segment": st.sampled_from(("gold", "new")),
    "service_type": st.sampled_from(("sales", "help")),
    "agent": st.sampled_from(("ada", "bob", "")),
    "offered": st.integers(-5, 40),
    "accepted": st.integers(-5, 40),
    "first_response": st.integers(-5, 60),
    "finished": st.integers(-5, 400),
    "abandoned": st.booleans(),
    "replies": st.integers(0, 3),
    "satisfaction": st.sampled_from(("1", "4.25", "0.0001")),
    "accept_threshold_us": st.sampled_from((0, 20 * S)),
    "first_response_threshold_us": st.just(30 * S),
    "finish_threshold_us": st.just(300 * S),
}
MONEY = st.sampled_from(("0", "0.1", "0.2", "-12.5", "99999999999999.9999"))


@st.composite
def updates(draw: st.DrawFn) -> list[tuple[int, Row]]:
    """(received_us, what an update says): of some interactions, many of one moment."""
    found = []
    for _ in range(draw(st.integers(1, 40))):
        given = draw(st.fixed_dictionaries({}, optional=FIELDS))
        if draw(st.booleans()):
            given |= {"revenue": draw(MONEY), "currency": draw(st.sampled_from(("EUR", "JPY")))}
        given |= {
            "number": draw(st.integers(1, 8)),
            "media_type": draw(st.sampled_from(("voice", "email"))),
            "entered": draw(st.sampled_from((0, S))),
            **{name: draw(st.sampled_from((None, True))) for name in BY_DAY},
            "synchronous": draw(st.sampled_from((None, True, False))),
            "updated_us": NOW_US + draw(st.integers(0, 2)),
        }
        found.append((NOW_US + draw(st.integers(0, 2)), given))
    return found


CASES = 12
"""Days of one example: a build takes as long for many as for one."""


@given(data=st.data())
@settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # a build is too slow for shrinking
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
def test_any_order_duplication_and_splitting_of_updates_gives_the_same_rows(
    pulse: Driver, data: st.DataObject
) -> None:
    sent: dict[date, int] = {}
    halves: tuple[list[Row], list[Row]] = ([], [])
    for _ in range(CASES):
        day, once = unused_day(), data.draw(updates())
        again = once + data.draw(st.lists(st.sampled_from(once), max_size=10))
        sent[day] = len(again)
        shuffled, place = data.draw(st.permutations(again)), data.draw(st.integers(0, len(again)))
        for half, part in zip(halves, (shuffled[:place], shuffled[place:]), strict=True):
            half += [message(update(day, **says), received_us=us) for us, says in part]
    for records in filter(None, halves):
        assert pulse.write(records) == []
        pulse.build_daily()
    for day, number in sent.items():
        stored = raw(pulse, day)
        assert len(stored) == number
        assert as_set(daily(pulse, lake.INTERACTIONS, day)) == as_set(expected_rows(stored))


def raw(pulse: Driver, day: date) -> list[Row]:
    """Every update that is stored of a day."""
    return read(pulse, f"raw/interactions/dt={day}/")


def as_set(rows: Sequence[Row]) -> set[tuple[Any, ...]]:
    """Rows without their order; no two of a day are equal."""
    names = (*lake.INTERACTION_DIMENSIONS, *lake.INTERACTIONS.measures)
    found = {tuple(row[name] for name in names) for row in rows}
    assert len(found) == len(rows)
    return found


# -- the same in plain Python, as docs/metrics.md reads


def merged(updates: Sequence[Row]) -> Row:
    """What the updates of one interaction come to."""

    def version(update: Row) -> tuple[Any, ...]:
        return update["updated_us"], update["received_us"], update["content_hash"]

    latest_first = sorted(updates, key=version, reverse=True)
    together = ("media_type", "entered_us", "entered_by_day", "synchronous", *THRESHOLDS)
    row = {name: latest_first[0][name] for name in together}
    for name in (column for column in lake.RAW_INTERACTIONS if column not in (*together, *BY_DAY)):
        given = (update for update in latest_first if update[name] is not None)
        giving = next(given, {})
        row[name] = giving.get(name)
        if (by_day := name.replace("_us", "_by_day")) in BY_DAY:
            row[by_day] = giving.get(by_day)
    return row


def expected_rows(stored: Sequence[Row]) -> list[Row]:
    by_id: dict[str, list[Row]] = {}
    for one in stored:
        by_id.setdefault(one["interaction_id"], []).append(one)
    rows: dict[tuple[Any, ...], Row] = {}
    for interaction in map(merged, by_id.values()):
        key = tuple(interaction[name] for name in lake.INTERACTION_DIMENSIONS)
        named = dict(zip(lake.INTERACTION_DIMENSIONS, key, strict=True))
        row = rows.setdefault(key, {**named, **dict.fromkeys(lake.INTERACTIONS.measures, 0)})
        for name, value in counted(interaction).items():
            row[name] += value
    return list(rows.values())


def counted(one: Row) -> Row:
    """What one merged interaction adds to its row."""
    synchronous = one["synchronous"]
    if synchronous is None:  # of a version that did not say it
        synchronous = one["media_type"] in ("voice", "chat")
    accepted = one["accepted_us"] is not None
    offered = accepted or one["offered_us"] is not None
    response, response_us = "first_response", one["first_response_us"]
    if response_us is None and synchronous:
        response, response_us = "accepted", one["accepted_us"]
    responded = response_us is not None
    finished = one["finished_us"] is not None
    replies = one["replies"] or 0
    if synchronous and accepted and replies == 0:
        replies = 1

    def lasted(start: str, end: str) -> int | None:
        """None where it is not known: by a day alone, or backwards."""
        start_us, end_us = one[f"{start}_us"], one[f"{end}_us"]
        if start_us is None or end_us is None or end_us < start_us:
            return None
        return None if one[f"{start}_by_day"] or one[f"{end}_by_day"] else end_us - start_us

    accept, respond = lasted("entered", "accepted"), lasted("entered", response)
    finish, handle = lasted("entered", "finished"), lasted("accepted", "finished")

    def met(duration: int | None, threshold: str) -> bool:
        limit = one[threshold]
        return limit is not None and duration is not None and duration <= limit

    first_due = (
        offered
        and one["first_response_threshold_us"] is not None
        and (not responded or respond is not None)
    )
    revenue = one["revenue"] or Decimal(0)
    return {
        "entered": 1,
        "offered": offered,
        "accepted": accepted,
        "responded": responded,
        "finished": finished,
        "abandoned": bool(one["abandoned"]) and not accepted,
        "replies": replies,
        "accept_due": offered
        and one["accept_threshold_us"] is not None
        and (not accepted or accept is not None),
        "accept_met": met(accept, "accept_threshold_us"),
        "first_response_due": first_due,
        "first_response_met": first_due and met(respond, "first_response_threshold_us"),
        "finish_due": finish is not None and one["finish_threshold_us"] is not None,
        "finish_met": met(finish, "finish_threshold_us"),
        "finished_responded": finished and responded,
        "handled": accepted and finished,
        "with_satisfaction": one["satisfaction"] is not None,
        "with_revenue": revenue != 0,
        "accept_us": accept or 0,
        "first_response_us": respond or 0,
        "finish_us": (finish or 0) * responded,
        "handle_us": handle or 0,
        "accept_timed": accept is not None,
        "first_response_timed": respond is not None,
        "finish_timed": responded and finish is not None,
        "handle_timed": handle is not None,
        "satisfaction": one["satisfaction"] or 0,
        "revenue": revenue,
    }


# -- sessions


def session(day: date, name: str = "s1", **given: Any) -> Row:
    known: Row = {
        "session_id": name,
        "agent": "ada",
        "media_type": "voice",
        "day": day.isoformat(),
        "active_us": 3600 * S,
        "engaged_us": 1800 * S,
    }
    return AgentSession(**{**known, **given}).item()


def test_sessions_add_up_by_agent_and_medium(pulse: Driver, day: date) -> None:
    items = [
        session(day),
        session(day, "s2", active_us=1, engaged_us=1),
        session(day, "s3", media_type="chat"),
        session(day, "s4", agent="bob", active_us=0, engaged_us=0),
    ]
    assert pulse.write([message(*items, stream="sessions")]) == []
    pulse.build_daily()
    found = {
        (row["agent"], row["media_type"]): (row["sessions"], row["active_us"], row["engaged_us"])
        for row in daily(pulse, lake.SESSIONS, day)
    }
    assert found == {
        ("ada", "voice"): (2, 3600 * S + 1, 1800 * S + 1),
        ("ada", "chat"): (1, 3600 * S, 1800 * S),
        ("bob", "voice"): (1, 0, 0),
    }


def test_of_a_session_the_last_received_counts_whole(pulse: Driver, day: date) -> None:
    first = message(session(day, active_us=9), stream="sessions", received_us=1)
    last = message(session(day, agent="bob", engaged_us=0), stream="sessions", received_us=2)
    assert pulse.write([last, first]) == []
    pulse.build_daily()
    (row,) = daily(pulse, lake.SESSIONS, day)
    assert (row["agent"], row["sessions"], row["engaged_us"]) == ("bob", 1, 0)


# -- the whole lake


def test_every_number_follows_from_the_events(pulse: Driver, day: date) -> None:
    pulse.write([message(update(day, 1)), message(session(day), stream="sessions")])
    pulse.build_daily()
    pulse.build_reports()
    wrong = [result for result in run_checks(pulse.settings) if not result.ok]
    assert wrong == []


def test_a_tenant_year_holds_the_daily_rows_as_they_are(pulse: Driver, day: date) -> None:
    items = [
        update(day, 1, revenue="99999999999999.9999", currency="EUR", accepted=5, **THRESHOLDS),
        update(day, 2, revenue="-0.0001", currency="JPY"),
    ]
    expected = interactions(pulse, day, message(*items))
    pulse.build_reports()
    acme = pulse.tenants.get("acme")
    assert acme
    part = next(p for p in acme.table("interactions").years[day.year].parts if day in p.days)
    body = pulse.read(lake.part_key(lake.INTERACTIONS, "acme", day.year, part.run, CUBE))
    table = ParquetFile(pa.BufferReader(body)).read()
    assert table.schema.field("revenue").type == pa.decimal128(38, 4)
    assert [row for row in table.to_pylist() if row["day"] == day] == [
        {name: (row | {"day": day})[name] for name in table.column_names}
        for row in sorted(expected, key=lambda row: row["currency"])
    ]
