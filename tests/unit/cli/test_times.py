"""Reading times as files write them, in the time zone of Berlin unless a test says otherwise."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse import days
from pulse.cli.time_format import time_format
from pulse.cli.times import SkippedTimeError, TimeFormatError, TimeReader

BERLIN = "Europe/Berlin"


def read(text: str, timezone: str = BERLIN, date_format: str | None = None) -> str:
    return days.iso(TimeReader(timezone, date_format).read(text))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2026-11-20T14:03:00+01:00", "2026-11-20T13:03:00Z", id="rfc-3339"),
        pytest.param("2026-11-20T14:03:00Z", "2026-11-20T14:03:00Z", id="utc"),
        pytest.param("2026-11-20 14:03:00.5+00", "2026-11-20T14:03:00.500000Z", id="postgres"),
        pytest.param("2026-11-20 14:03:00 UTC", "2026-11-20T14:03:00Z", id="bigquery"),
        pytest.param("2026-11-20T14:03-0330", "2026-11-20T17:33:00Z", id="half-hour-offset"),
        pytest.param("2026-11-20 14:03", "2026-11-20T13:03:00Z", id="local-minute"),
        pytest.param("2026-07-20T14:03:09.25", "2026-07-20T12:03:09.250000Z", id="local-summer"),
        pytest.param("2026-11-20", "2026-11-20T11:00:00Z", id="a-day-is-its-noon"),
        pytest.param("2026-10-25 02:30", "2026-10-25T00:30:00Z", id="autumn-first-of-two"),
        pytest.param("2026-10-25 03:00", "2026-10-25T02:00:00Z", id="autumn-after"),
        pytest.param("2026-03-29 01:59:59", "2026-03-29T00:59:59Z", id="spring-before"),
        pytest.param("2026-03-29 03:00", "2026-03-29T01:00:00Z", id="spring-after"),
        pytest.param("2026/11/20", "2026-11-20T11:00:00Z", id="slashes"),
        pytest.param("2026.11.20 14:03", "2026-11-20T13:03:00Z", id="dots"),
        pytest.param("2026/4/3 9:05:06", "2026-04-03T07:05:06Z", id="no-zeros"),
        pytest.param("2026-11-20 14:03:00.1234567", "2026-11-20T13:03:00.123456Z", id="datetime2"),
        pytest.param(
            "2026-11-20 14:03:00.1234567 +01:00", "2026-11-20T13:03:00.123456Z", id="datetimeoffset"
        ),
        pytest.param("2026-04-18 10:00:00 PM", "2026-04-18T20:00:00Z", id="pm"),
        pytest.param("2026/4/18 1:05 a.m.", "2026-04-17T23:05:00Z", id="am-with-points"),
        pytest.param("2026-04-18 12:30 AM", "2026-04-17T22:30:00Z", id="midnight-is-12-am"),
        pytest.param("2026-04-18T12:30pm", "2026-04-18T10:30:00Z", id="noon-is-12-pm"),
        pytest.param("2026-04-18 02:03 PM UTC", "2026-04-18T14:03:00Z", id="pm-utc"),
        pytest.param("2026/04/03T09:05:06Z", "2026-04-03T09:05:06Z", id="slashes-utc"),
    ],
)
def test_times_that_begin_with_the_year_mean_one_instant(text: str, instant: str) -> None:
    assert read(text) == instant


@pytest.mark.parametrize("text", ["2026-03-29 02:00", "2026-03-29T02:59:59"])
def test_a_local_time_that_the_clocks_skip_is_none(text: str) -> None:
    with pytest.raises(SkippedTimeError, match=r"does not exist in Europe/Berlin"):
        read(text)


def test_a_day_that_a_zone_skipped_is_none() -> None:
    with pytest.raises(SkippedTimeError):
        read("2011-12-30", "Pacific/Apia")


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("03/04/2026", {"day": "%d/%m/%Y", "month": "%m/%d/%Y"}),
        ("3.4.26", {"day": "%d.%m.%y", "month": "%m.%d.%y"}),
        ("13.04.2026", {"day": "%d.%m.%Y"}),
        ("04-13-2026", {"month": "%m-%d-%Y"}),
        ("26-04-13", {"day": "%d-%m-%y", "year": "%y-%m-%d"}),
        ("3/4/2026 14:03", {"day": "%d/%m/%Y %H:%M", "month": "%m/%d/%Y %H:%M"}),
        ("13/4/2026, 2:03:04 PM", {"day": "%d/%m/%Y, %I:%M:%S %p"}),
        ("13/4/2026T14:03:04+02:00", {"day": "%d/%m/%YT%H:%M:%S%z"}),
    ],
)
def test_numbers_without_a_named_order_are_never_guessed(
    text: str, formats: dict[str, str]
) -> None:
    with pytest.raises(TimeFormatError) as raised:
        read(text)
    assert {one.first: one.format for one in raised.value.formats} == formats
    for date_format in formats.values():
        read(text, date_format=date_format)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-02-30", "2026-13-01", "25:00", "2026-11-20T14:03:00+25:00", "20261120",
     "0001-01-01 00:00", "9999-12-31 23:59:59 -0100", "n/a", "2026-04-18 13:00:00 PM",
     "2026-11-01\0", "2026/13/01", "2026/04.03", "99/99/2026", "13/04/2026 soon", "03/04/2026\0"],
)  # fmt: skip
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        read(text, "Asia/Tokyo")
    assert not isinstance(raised.value, TimeFormatError | SkippedTimeError)


@pytest.mark.parametrize(
    ("text", "date_format", "instant"),
    [
        pytest.param("03/04/2026", "%d/%m/%Y", "2026-04-03T10:00:00Z", id="day-first"),
        pytest.param("03/04/2026", "%m/%d/%Y", "2026-03-04T11:00:00Z", id="month-first"),
        pytest.param("3.4.26 7:05", "%d.%m.%y %H:%M", "2026-04-03T05:05:00Z", id="with-time"),
        pytest.param("3 Apr 2026", "%d %b %Y", "2026-04-03T10:00:00Z", id="month-name"),
        pytest.param("2026-03-04 10:00 +0000", "%Y-%d-%m %H:%M %z", "2026-04-03T10:00:00Z", id="z"),
        pytest.param("20/11/26 23:30 UTC", "%d/%m/%y %H:%M %Z", "2026-11-20T23:30:00Z", id="zone"),
        pytest.param("20/11/26 23:30 GMT", "%d/%m/%y %H:%M GMT", "2026-11-20T23:30:00Z", id="gmt"),
        pytest.param("20/11/26 14:03:09Z", "%d/%m/%y %H:%M:%SZ", "2026-11-20T14:03:09Z", id="Z"),
        pytest.param(
            "20/11/26 14:03+00:00", "%d/%m/%y %H:%M+00:00", "2026-11-20T14:03:00Z", id="0"
        ),
        pytest.param(
            "20/11/26 14:03 GMT+2", "%d/%m/%y %H:%M GMT+2", "2026-11-20T12:03:00Z", id="g2"
        ),
        pytest.param(
            "20/11/26 14:03-0530", "%d/%m/%y %H:%M-0530", "2026-11-20T19:33:00Z", id="-530"
        ),
        pytest.param(
            "20/07/26 14:03 UTC+05:30", "%d/%m/%y %H:%M %Z", "2026-07-20T08:33:00Z", id="shifted"
        ),
        pytest.param(
            "20/07/26 14:03 America/New_York",
            "%d/%m/%y %H:%M %Z",
            "2026-07-20T18:03:00Z",
            id="iana",
        ),
        pytest.param(
            "20/07/26 14:03 Asia/Tokyo",
            "%d/%m/%y %H:%M Asia/Tokyo",
            "2026-07-20T05:03:00Z",
            id="fix",
        ),
        pytest.param(
            "Nov 20 2026 14:03 +0100 CET", "%b %d %Y %H:%M %z %Z", "2026-11-20T13:03:00Z", id="zZ"
        ),
        pytest.param(
            "20/11/2026 14:03 PST -0800", "%d/%m/%Y %H:%M %Z %z", "2026-11-20T22:03:00Z", id="Zz"
        ),
        pytest.param(
            "Fri Nov 20 2026 14:03:00 GMT+0100",
            "%a %b %d %Y %H:%M:%S GMT%z",
            "2026-11-20T13:03:00Z",
            id="javascript",
        ),
        pytest.param(
            "20.11.2026 14:03:00.1234567",
            "%d.%m.%Y %H:%M:%S.%f",
            "2026-11-20T13:03:00.123456Z",
            id="seven-digits",
        ),
        pytest.param("20/11/2026 2:03 p. m.", "%d/%m/%Y %I:%M %p", "2026-11-20T13:03:00Z", id="pm"),
        pytest.param("1795183380", "unix", "2026-11-20T14:03:00Z", id="unix"),
        pytest.param("1795183380.25", "unix", "2026-11-20T14:03:00.250000Z", id="unix-fraction"),
        pytest.param("1795183380250", "unix_ms", "2026-11-20T14:03:00.250000Z", id="unix-ms"),
        pytest.param("46346", "excel", "2026-11-20T11:00:00Z", id="excel-day"),
        pytest.param("46346.5854166667", "excel", "2026-11-20T13:03:00Z", id="excel-time"),
        pytest.param("29.03.2026 00:00", "%d.%m.%Y %H:%M", "2026-03-28T23:00:00Z", id="midnight"),
    ],
)
def test_a_named_format_is_followed(text: str, date_format: str, instant: str) -> None:
    assert read(text, date_format=date_format) == instant


def test_the_name_of_another_zone_is_no_time() -> None:
    with pytest.raises(ValueError, match=r"does not match .* in a known zone"):
        read("20/11/2026 23:30 PST", date_format="%d/%m/%Y %H:%M %Z")


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        # as tzdata calls them; on 1 November 2026 the clocks of America/Denver go back at 02:00
        ("2026/07/20 10:29 MDT", "America/Denver", "2026-07-20T16:29:00Z"),
        ("2026/12/20 10:29 MST", "America/Denver", "2026-12-20T17:29:00Z"),
        ("2026/11/01 01:30 MDT", "America/Denver", "2026-11-01T07:30:00Z"),
        ("2026/11/01 01:30 MST", "America/Denver", "2026-11-01T08:30:00Z"),
        ("2026/07/20 10:29 CST", "Asia/Shanghai", "2026-07-20T02:29:00Z"),
        ("2026/01/20 10:29 CST", "America/Chicago", "2026-01-20T16:29:00Z"),
        ("2026/07/20 10:29 CEST", "Europe/Berlin", "2026-07-20T08:29:00Z"),
    ],
)
def test_a_zone_may_be_named_as_the_file_s_own_calls_its_time(
    text: str, zone: str, instant: str
) -> None:
    assert read(text, zone, "%Y/%m/%d %H:%M %Z") == instant


@pytest.mark.parametrize("text", ["2026/07/20 10:29 MDT", "2026/07/20 10:29 CST"])
def test_what_the_file_s_own_zone_is_not_called_then_is_no_zone(text: str) -> None:
    with pytest.raises(ValueError, match=r"in a known zone"):
        read(text, "America/Chicago", "%Y/%m/%d %H:%M %Z")


@pytest.mark.parametrize(
    ("date_format", "complaint"),
    [
        ("%d/%m/%Y %H:%M PST", "the zone 'PST' is not known"),
        ("%d/%m/%Y %H:%M Europe/Atlantis", "the zone 'Europe/Atlantis' is not known"),
        ("%d/%m/%Y %H:%M+25:00", "no offset"),
        ("%d/%m/%Y %H:%M UTC Asia/Tokyo", "two zones"),
        ("%d/%m/%Y %d", "twice"),
    ],
)
def test_a_format_that_cannot_be_followed_is_refused(date_format: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        time_format(date_format)


@pytest.mark.parametrize(
    ("date_format", "text"),
    [("unix", "soon"), ("unix", "1e9"), ("unix_ms", ""), ("excel", "20/11/2026"),
     ("unix", "999999999999999"), ("excel", "99999999")],
)  # fmt: skip
def test_what_is_no_count_is_no_time(date_format: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text, date_format=date_format)


def test_words_of_a_format_are_no_zones() -> None:
    text, date_format = "20. Nov 2026 um 14:03 Uhr", "%d. %b %Y um %H:%M Uhr"
    assert read(text, date_format=date_format) == "2026-11-20T13:03:00Z"


def test_a_time_that_a_named_zone_skipped_is_none() -> None:
    with pytest.raises(SkippedTimeError, match=r"Europe/Berlin"):
        read("29/03/26 02:30 Europe/Berlin", "UTC", "%d/%m/%y %H:%M %Z")


def test_a_named_format_is_the_only_one() -> None:
    with pytest.raises(ValueError, match=r"does not match"):
        read("2026-04-03", date_format="%d/%m/%Y")


@pytest.mark.parametrize(
    "date_format", ["%d/%m/%Y", "%m-%d-%y %I:%M %p", "%d %B %Y", "%Y-%j", "unix"]
)
def test_formats_that_name_a_day_are_accepted(date_format: str) -> None:
    time_format(date_format)


@pytest.mark.parametrize("date_format", ["dd/mm/yyyy", "%Y-%m", "%H:%M", "%Q"])
@pytest.mark.filterwarnings("ignore:Parsing dates involving a day of month without a year")
def test_formats_that_name_no_day_are_refused(date_format: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        time_format(date_format)


@given(
    local=st.datetimes(min_value=datetime.fromisoformat("1990-01-02")),
    timezone=st.sampled_from([BERLIN, "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_a_local_time_comes_back_from_its_instant(local: datetime, timezone: str) -> None:
    text = str(local)[:19]
    try:
        instant = TimeReader(timezone).read(text)
    except SkippedTimeError:
        return
    except ValueError:
        assert text.startswith("9999-12-31")
        return
    shown = days.from_us(instant).astimezone(days.zone(timezone))
    assert f"{shown:%Y-%m-%d %H:%M:%S}" == text
    assert shown.fold == 0
