"""An order for an export is read like a report's query, and refused with a code."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pulse import days, lake
from pulse.csv_cells import CsvForm
from pulse.days import DateRange
from pulse.errors import BadRequestError
from pulse.export_orders import FILTERS, KEEP, LEASE_US, Export, ExportRequest
from pulse.exports.request import read_request
from pulse.filters import Condition
from pulse.tenants.tenant import TableState, Tenant, YearState

NOON_US = 1_795_262_400_000_000
ASKED = {"stream": "responses", "start_date": "2026-11-01", "end_date": "2026-11-20"}


BERLIN = Tenant("acme", "Acme", timezone="Europe/Berlin", week_start="sunday")


def request(**more: Any) -> ExportRequest:
    return read_request({**ASKED, **more}, BERLIN)


def test_a_request_without_filters_is_for_every_row_as_csv() -> None:
    asked = ExportRequest("responses", DateRange(date(2026, 11, 1), date(2026, 11, 20)), {}, "csv")
    assert request() == asked
    assert request().file_name == "responses_2026-11-01_2026-11-20.csv"
    assert request(format="parquet").file_name.endswith(".parquet")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("chat", Condition(frozenset({"chat"}))),
        ("chat,ticket", Condition(frozenset({"chat", "ticket"}))),
        ("!chat,(none)", Condition(frozenset({"chat", None}), negated=True)),
    ],
)
def test_a_filter_is_written_as_in_a_query(text: str, condition: Condition) -> None:
    assert request(channel=text).filters == {"channel": condition}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("M%C3%BCller%2C J.", "Müller, J."),
        ("Müller", "Müller"),
        ("ada+1@example.com", "ada+1@example.com"),  # in JSON a plus is no space
        ("ada%20b", "ada b"),
        ("%21loud", "!loud"),
    ],
)
def test_a_value_is_decoded_once_and_a_plus_is_itself(text: str, value: str) -> None:
    assert request(agent=text).filters == {"agent": Condition(frozenset({value}))}


def test_a_lists_texts_are_values_as_they_stand() -> None:
    condition = Condition(frozenset({"Doe, Jane", "!x", None}))
    assert request(agent=["Doe, Jane", "!x", "(none)"]).filters == {"agent": condition}


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        ("yesterday", date(2026, 11, 21), date(2026, 11, 21)),  # in Berlin it is the 22nd
        ("last_week", date(2026, 11, 15), date(2026, 11, 21)),
        ("last_month", date(2026, 10, 1), date(2026, 10, 31)),
        ("all_time", date(2026, 3, 5), date(2026, 11, 22)),  # today is among them
    ],
)
def test_a_preset_means_the_tenants_own_days(preset: str, first: date, last: date) -> None:
    year = YearState((), "", 0, date(2026, 3, 5), 0)
    tenant = replace(BERLIN, tables={"scores": TableState({2026: year})})
    with days.clock(lambda: datetime(2026, 11, 21, 23, 30, tzinfo=UTC)):
        asked = read_request({"stream": "responses", "preset": preset}, tenant)
    assert asked.dates == DateRange(first, last)


def test_a_preset_may_not_mean_more_days_than_an_export_has() -> None:
    year = YearState((), "", 0, date(2024, 3, 5), 0)
    tenant = replace(BERLIN, tables={"scores": TableState({2024: year})})
    with (
        days.clock(lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)),
        pytest.raises(BadRequestError) as caught,
    ):
        read_request({"stream": "responses", "preset": "all_time"}, tenant)
    assert [(e.code, e.field) for e in caught.value.errors] == [("range_too_long", "preset")]


def test_csv_is_plain_unless_it_is_for_excel() -> None:
    assert request().csv == CsvForm()
    assert request(excel=True, separator="semicolon").csv == CsvForm(excel=True, semicolon=True)


@pytest.mark.parametrize(
    ("members", "code", "field"),
    [
        ({"stream": "sessions"}, "unknown_stream", "stream"),
        ({"currency": "EUR"}, "unknown_parameter", "currency"),
        ({"stream": "interactions", "channel": "chat"}, "unknown_parameter", "channel"),
        ({"stream": "interactions", "media_type": ""}, "empty_value", "media_type"),
        ({"format": "xlsx"}, "unknown_format", "format"),
        ({"tenant": "globex"}, "unknown_parameter", "tenant"),
        ({"preset": "last_7_days"}, "preset_with_dates", "preset"),
        ({"excel": "yes"}, "unknown_value", "excel"),
        ({"separator": ";"}, "unknown_value", "separator"),
        ({"group_by": "agent"}, "unknown_parameter", "group_by"),
        ({"channel": ["chat", 1]}, "not_text", "channel"),
        ({"channel": None}, "not_text", "channel"),
        ({"start_date": 20261101}, "invalid_date", "start_date"),
        ({"stream": {}}, "not_text", "stream"),
        ({"start_date": "2026-11-31"}, "invalid_date", "start_date"),
        ({"start_date": "2026-11-21"}, "start_after_end", "start_date"),
        ({"start_date": "1989-12-31", "end_date": "1990-01-01"}, "date_out_of_range", "start_date"),
        ({"start_date": "2025-11-19"}, "range_too_long", "end_date"),
        ({"metric": "fax"}, "unknown_value", "metric"),
        ({"channel": "chat,!ticket"}, "misplaced_negation", "channel"),
        ({"agent": ""}, "empty_value", "agent"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        request(**members)
    (error,) = caught.value.errors
    assert (caught.value.code, error.code, error.field) == (code, code, field)


OWN = replace(
    BERLIN,
    dimensions={
        "team": ((date(2026, 1, 1), True), (date(2026, 2, 1), False)),
        "plan": ((days.FIRST_DAY, True),),
    },
)


def test_a_tenants_own_dimensions_are_filters_of_responses() -> None:
    found = read_request({**ASKED, "team": ["north", "(none)"], "plan": "!pro"}, OWN)
    north, pro = Condition(frozenset({"north", None})), Condition(frozenset({"pro"}), negated=True)
    assert found.filters == {"team": north, "plan": pro}
    assert found.own == {"team": "tag1", "plan": "tag2"}
    assert found.filters_by_column == {"tag1": north, "tag2": pro}


def test_nobody_else_and_no_interaction_has_a_tenants_own_dimensions() -> None:
    calls = {**ASKED, "stream": "interactions"}
    for members, tenant in (({**ASKED, "team": "x"}, BERLIN), ({**calls, "team": "x"}, OWN)):
        with pytest.raises(BadRequestError, match="team"):
            read_request(members, tenant)
    assert read_request(calls, OWN).own == {}
    assert read_request(ASKED, BERLIN).own == {}


def test_an_unknown_stream_is_told_which_there_are() -> None:
    with pytest.raises(BadRequestError, match="Allowed: responses, interactions"):
        request(stream="sessions")


def test_interactions_have_filters_of_their_own() -> None:
    texts = dict.fromkeys(FILTERS["interactions"], "x") | {"media_type": "voice,chat"}
    found = request(stream="interactions", **texts)
    assert found.filters.keys() == texts.keys()
    assert found.filters["media_type"] == Condition(frozenset({"voice", "chat"}))
    assert found.filters["currency"] == Condition(frozenset({"x"}))
    assert found.file_name == "interactions_2026-11-01_2026-11-20.csv"


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (("stream",), "unknown_stream"),
        (("start_date",), "missing_date"),
        (("end_date",), "missing_date"),
        (("start_date", "end_date"), "missing_date"),
    ],
)
def test_the_stream_and_both_days_are_required(missing: tuple[str, ...], code: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_request({n: value for n, value in ASKED.items() if n not in missing}, BERLIN)
    assert caught.value.code == code


def test_a_year_and_a_leap_day_may_be_asked_for_at_once() -> None:
    assert request(start_date="2025-11-20").dates.days == 366


def test_an_export_that_lost_its_worker_waits_for_the_next() -> None:
    began_us = NOON_US + days.DAY
    export = Export("acme", lake.ulid(), request(), NOON_US, "running", began_us, tries=1)
    ends_us = began_us + LEASE_US
    assert export.shown(ends_us - 1)["state"] == "running"
    assert export.shown(ends_us)["state"] == "waiting"


def test_a_finished_export_waits_for_nobody() -> None:
    done = Export("acme", lake.ulid(), request(), NOON_US, "done", rows=0, key="k")
    assert done.shown(NOON_US + 10 * LEASE_US)["state"] == "done"
    assert done.expires_us - NOON_US == KEEP.days * days.DAY
