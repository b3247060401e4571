"""Reading rows as interactions: what is read, what is set aside, and how rows are dated."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse.cli.exits import WrongUseError
from pulse.cli.interactions import INTERACTIONS
from pulse.cli.notation import Notation
from pulse.cli.plan import Event, ImportPlan, RowError
from pulse.cli.table import Row, TableFile
from pulse.cli.times import TimeFormatError, TimeReader
from pulse.streams.interactions import INTERACTIONS as STREAM

FILE = TableFile(
    Path("calls.csv"),
    ("call", "start", "answered", "end", "lost", "mails", "csat", "sale", "ccy", "queue"),
)
COLUMNS = {
    "interaction_id": "call",
    "entered_at": "start",
    "accepted_at": "answered",
    "finished_at": "end",
    "abandoned": "lost",
    "replies": "mails",
    "satisfaction": "csat",
    "revenue.amount": "sale",
    "revenue.currency": "ccy",
    "service_type": "queue",
}
START = "2026-11-20 09:00"


def plan(
    columns: dict[str, str] = COLUMNS,
    fixed: dict[str, str] | None = None,
    timezone: str = "UTC",
    *,
    decimal_comma: bool = False,
) -> ImportPlan:
    values = {"media_type": "voice"} if fixed is None else fixed
    notation = Notation(TimeReader(timezone), decimal_comma)
    return ImportPlan.make(INTERACTIONS, FILE, columns, values, notation)


def row(**cells: str) -> Row:
    named = {"call": "c-1", "start": START} | cells
    return Row(2, tuple(named.get(column, "") for column in FILE.header))


def read(**cells: str) -> Event:
    return plan().event(row(**cells))


def test_a_row_says_what_is_mapped_and_what_is_set() -> None:
    cells = {
        "call": "c-7 ä",
        "answered": "2026-11-20T09:00:04.5+00:00",
        "end": "2026-11-20 09:05:00",
        "lost": "no",
        "mails": "2.0",
        "csat": " 4.5 ",
        "sale": "-99999999999999.9999",
        "ccy": "EUR ",
        "queue": "Delivery",
    }
    assert read(**cells) == {
        "interaction_id": "c-7 ä",
        "media_type": "voice",
        "entered_at": "2026-11-20T09:00:00Z",
        "accepted_at": "2026-11-20T09:00:04.500000Z",
        "finished_at": "2026-11-20T09:05:00Z",
        "abandoned": False,
        "replies": 2,
        "satisfaction": "4.5",
        "revenue": {"amount": "-99999999999999.9999", "currency": "EUR"},
        "service_type": "Delivery",
    }


def test_empty_cells_say_nothing() -> None:
    assert set(read()) == {"interaction_id", "media_type", "entered_at"}


def test_every_field_of_the_interface_can_be_mapped() -> None:
    outer = {name.partition(".")[0] for name in INTERACTIONS.field_names}
    assert outer == set(STREAM.sent)


@pytest.mark.parametrize(
    ("text", "truth"),
    [("true", True), ("TRUE", True), ("1", True), ("Yes", True), ("t", True), ("Y", True),
     ("1.0", True), ("f", False), ("N", False), ("0.0", False),
     ("false", False), ("0", False), (" no ", False)],
)  # fmt: skip
def test_people_and_programs_write_truth_in_their_ways(text: str, truth: bool) -> None:
    assert read(lost=text)["abandoned"] is truth


@pytest.mark.parametrize(
    ("cells", "code", "name"),
    [
        ({"lost": "maybe"}, "abandoned_not_boolean", "abandoned"),
        ({"lost": "2"}, "abandoned_not_boolean", "abandoned"),
        ({"mails": "1.5"}, "replies_not_whole_number", "replies"),
        ({"sale": "12,50"}, "amount_not_number", "revenue.amount"),
        ({"csat": "4,5"}, "satisfaction_not_number", "satisfaction"),
        ({"start": "yesterday"}, "entered_at_invalid", "entered_at"),
        ({"end": "2026-02-30 10:00"}, "finished_at_invalid", "finished_at"),
    ],
)
def test_a_row_that_would_be_rejected_is_not_sent(
    cells: dict[str, str], code: str, name: str
) -> None:
    with pytest.raises(RowError) as raised:
        read(**cells)
    assert (raised.value.fault.code, raised.value.fault.field) == (code, name)


def test_a_file_with_decimal_commas_says_the_same_numbers() -> None:
    german = {"mails": "2,0", "csat": "4,5", "sale": "-1.234,50", "ccy": "EUR"}
    point = {"mails": "2.0", "csat": "4.5", "sale": "-1234.50", "ccy": "EUR"}
    assert plan(decimal_comma=True).event(row(**german)) == read(**point)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"mails": "1,5"}, "replies_not_whole_number"),
        ({"csat": "4.5"}, "satisfaction_not_number"),
        ({"sale": "1.234", "ccy": "BHD"}, "amount_not_number"),
    ],
)
def test_in_a_file_with_decimal_commas_a_point_is_no_decimal_one(
    cells: dict[str, str], code: str
) -> None:
    with pytest.raises(RowError) as raised:
        plan(decimal_comma=True).event(row(**cells))
    assert raised.value.fault.code == code


def test_every_time_is_read_as_strictly_as_the_first() -> None:
    with pytest.raises(TimeFormatError):
        read(answered="03/04/2026 09:00")
    with pytest.raises(RowError) as raised:
        plan(timezone="Europe/Berlin").event(row(end="2026-03-29 02:30"))
    assert raised.value.fault.code == "finished_at_skipped"


@pytest.mark.parametrize(
    ("columns", "fixed", "complaint"),
    [
        ({"interaction_id": "call"}, {"media_type": "voice"}, r"--map entered_at=COLUMN; the col"),
        ({"entered_at": "start"}, {}, r"--set media_type=voice"),
        (COLUMNS | {"revenue": "sale"}, {"media_type": "voice"}, r"no field 'revenue'; the fields"),
        (COLUMNS | {"tags.x": "sale"}, {"media_type": "voice"}, r"no field 'tags\.x'"),
        (
            {"entered_at": "start", "revenue.amount": "sale"},
            {"media_type": "voice"},
            r"--set revenue\.currency=EUR",
        ),
        (
            {"entered_at": "start"},
            {"media_type": "voice", "revenue.currency": "EUR"},
            r"--map revenue\.amount=COLUMN",
        ),
    ],
)
def test_a_plan_that_gives_no_interactions_is_refused(
    columns: dict[str, str], fixed: dict[str, str], complaint: str
) -> None:
    with pytest.raises(WrongUseError, match=complaint):
        plan(columns, fixed)


# -- what a row need not say


def completed(*rows: Row) -> list[dict[str, Any]]:
    complete = INTERACTIONS.completing(None)
    return [complete(plan().event(one)) for one in rows]


def updated(*rows: Row) -> list[str]:
    return [event["updated_at"] for event in completed(*rows)]


def test_a_currency_without_an_amount_is_no_revenue() -> None:
    without, with_amount = completed(row(ccy="EUR"), row(ccy="EUR", sale="0"))
    assert "revenue" not in without
    assert with_amount["revenue"] == {"amount": "0", "currency": "EUR"}


def test_of_several_rows_on_one_interaction_the_later_one_is_dated_later() -> None:
    assert updated(
        row(), row(call="c-2"), row(end="2026-11-20 09:05"), row(sale="1", ccy="EUR")
    ) == [
        "2026-11-20T09:00:00Z",
        "2026-11-20T09:00:00Z",
        "2026-11-20T09:00:00.000001Z",
        "2026-11-20T09:00:00.000002Z",
    ]


def test_a_correction_is_not_dated_by_the_time_that_it_corrects() -> None:
    wrong, right = updated(row(end="2026-11-22 09:05")), updated(row(end="2026-11-20 09:05"))
    assert wrong == right


def test_a_date_of_the_file_is_used_as_it_is() -> None:
    dated = plan(COLUMNS, {"media_type": "voice", "updated_at": "2026-11-21T00:00:00Z"})
    complete = INTERACTIONS.completing(None)
    assert [complete(dated.event(row()))["updated_at"] for _ in range(2)] == [
        "2026-11-21T00:00:00Z",
        "2026-11-21T00:00:00Z",
    ]


def test_rows_without_an_id_get_one_and_stay_distinct() -> None:
    names = [event["interaction_id"] for event in completed(*[row(call="")] * 3, row())]
    assert len(set(names)) == 4
    assert names[-1] == "c-1"


def test_a_row_without_its_first_moment_is_left_to_the_interface_to_refuse() -> None:
    (event,) = completed(row(start=""))
    assert "entered_at" not in event and "updated_at" not in event


@given(st.lists(st.sampled_from(["c-1", "c-2", ""]), max_size=20), st.randoms())
def test_the_same_file_is_always_completed_in_the_same_way(
    calls: list[str], shuffle: random.Random
) -> None:
    rows = [row(call=call, mails=str(shuffle.randrange(3))) for call in calls]
    events = completed(*rows)
    assert completed(*rows) == events
    assert len({(e["interaction_id"], e["updated_at"]) for e in events}) == len(rows)


# -- days alone, and the hour that comes twice


def one_completed(timezone: str, **cells: str) -> Event:
    return INTERACTIONS.completing(None)(plan(timezone=timezone).event(row(**cells)))


def test_a_bare_day_is_sent_as_the_day_that_it_is() -> None:
    update = one_completed("Europe/Berlin", start="2026-11-20", answered="2026-11-21")
    assert (update["entered_at"], update["accepted_at"]) == ("2026-11-20", "2026-11-21")
    assert update["updated_at"] == "2026-11-20T11:00:00Z"


def test_rows_with_bare_days_keep_the_ids_that_earlier_versions_gave_them() -> None:
    """The expected id is one of version 1, which sent a bare day as its noon."""
    columns = {"entered_at": "start", "accepted_at": "answered"}
    update = plan(columns, timezone="Europe/Berlin").event(
        row(start="2026-11-20", answered="2026-11-20")
    )
    noon = "2026-11-20T11:00:00Z"
    before = {"media_type": "voice", "entered_at": noon, "accepted_at": noon}
    complete = INTERACTIONS.completing
    assert complete(None)(update)["interaction_id"] == complete(None)(before)["interaction_id"]


@pytest.mark.parametrize(
    ("start", "answered", "end", "expected"),
    [
        # the clocks in Berlin go back from 03:00 to 02:00 at 01:00 UTC
        ("02:50", "02:05", "02:20", ("00:50", "01:05", "01:20")),
        ("02:05", "02:20", "02:50", ("00:05", "00:20", "00:50")),
        ("02:05", "02:20", "02:10", ("00:05", "00:20", "01:10")),
        ("01:50", "02:05", "03:05", ("23:50", "00:05", "02:05")),
    ],
)
def test_the_order_of_milestones_tells_the_first_hour_from_the_second(
    start: str, answered: str, end: str, expected: tuple[str, str, str]
) -> None:
    day = "2026-10-25"
    update = one_completed(
        "Europe/Berlin", start=f"{day} {start}", answered=f"{day} {answered}", end=f"{day} {end}"
    )
    told = [str(update[name])[11:16] for name in ("entered_at", "accepted_at", "finished_at")]
    assert told == list(expected)
