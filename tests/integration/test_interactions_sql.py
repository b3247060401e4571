"""From the queue to the daily tables of interactions and sessions, on the embedded Athena.

Updates go in as ingest would put them on the queue; what comes out is compared to a merge in plain
Python for any order of arrival. What single rows come to lies in tests/tables.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
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
from pulse.tenants.tenant import CUBE
from tests.daily_rows import NOW, NOW_US, Row, daily_rows, message, noon_us, read_rows
from tests.driver import Driver, running

S = days.SECOND
THRESHOLDS = {
    "accept_threshold_us": 20 * S,
    "first_response_threshold_us": 30 * S,
    "finish_threshold_us": 300 * S,
}
BY_DAY = ("entered_by_day", "accepted_by_day", "first_response_by_day", "finished_by_day")


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
    return {name: value for name, value in {**known, **given}.items() if value is not None}


def interactions(pulse: Driver, day: date, *records: Row) -> list[Row]:
    """The daily rows after these messages."""
    assert pulse.write(records) == []
    pulse.build_daily()
    return daily_rows(pulse, lake.INTERACTIONS, day)


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
    (row,) = daily_rows(pulse, lake.INTERACTIONS, old)
    assert (row["accepted"], row["finished"], row["revenue"]) == (1, 1, 5)
    (row,) = daily_rows(pulse, lake.INTERACTIONS, new)
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
    assert len(daily_rows(pulse, lake.INTERACTIONS, other)) == 1


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
    for _ in range(draw(st.integers(1, 30))):
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


CASES = 8
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
        assert as_set(daily_rows(pulse, lake.INTERACTIONS, day)) == as_set(expected_rows(stored))


def raw(pulse: Driver, day: date) -> list[Row]:
    """Every update that is stored of a day."""
    return read_rows(pulse, f"raw/interactions/dt={day}/")


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
    for name in lake.INTERACTIONS.raw_columns.keys() - {*together, *BY_DAY}:
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
    return {**known, **given}


def test_of_a_session_the_last_received_counts_whole(pulse: Driver, day: date) -> None:
    first = message(session(day, active_us=9), stream="sessions", received_us=1)
    last = message(session(day, agent="bob", engaged_us=0), stream="sessions", received_us=2)
    assert pulse.write([last, first]) == []
    pulse.build_daily()
    (row,) = daily_rows(pulse, lake.SESSIONS, day)
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
