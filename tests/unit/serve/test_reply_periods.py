"""Periods and what they are compared with, empty periods, and subtotals."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pulse import days
from pulse.errors import UnprocessableError
from pulse.serve import groups
from tests.unit.serve.asking import DAY, TENANT, body, many
from tests.unit.serve.events import Answer

pytestmark = pytest.mark.usefixtures("noon")


# -- comparisons


THEN = date(2026, 10, 20)  # in the four weeks before the last
TWO_PERIODS = [
    *many(12, country="DE"),
    *[Answer(THEN, score, country="DE") for score in (1, 1, 1, 1, 1, 1, 1, 1, 5, 5)],
    *many(3, country="FR"),
    *[Answer(THEN, 2, country="AT")] * 2,
]


def test_a_comparison_stands_beside_each_metric() -> None:
    reply = body("geo", TWO_PERIODS, "compare=previous_period")
    assert reply["meta"]["compare"] == {
        "with": "previous_period",
        "start_date": "2026-09-26",
        "end_date": "2026-10-23",
    }
    names = [column["name"] for column in reply["columns"]]
    assert names[3:6] == ["responses", "responses_previous", "responses_change"]
    shown = {column["name"]: column for column in reply["columns"]}
    assert shown["score_change"] == {
        "name": "score_change",
        "kind": "change",
        "unit": "points",
        "metric": "score",
    }
    assert shown["score_significant"]["kind"] == "significant"
    germany = reply["rows"][1]
    assert (germany["score"], germany["score_previous"]) == (100.0, 20.0)
    assert (germany["score_change"], germany["score_significant"]) == (80.0, True)


def test_a_group_of_one_period_alone_has_its_row() -> None:
    austria, _, france = body("geo", TWO_PERIODS, "compare=previous_period")["rows"]
    assert (austria["country"], austria["responses"], austria["responses_previous"]) == ("AT", 0, 2)
    assert (austria["score"], austria["score_previous"]) == (None, 0.0)
    assert (austria["score_change"], austria["responses_change"]) == (None, -2)
    assert (france["responses_previous"], france["responses_change"]) == (0, 3)
    assert (france["score_change"], france["score_significant"]) == (None, None)


def test_nothing_changes_from_an_empty_period() -> None:
    (row,) = body("geo", many(3, country="FR"), "compare=previous_year")["rows"]
    assert (row["responses_previous"], row["share_pct_previous"]) == (0, None)
    assert {value for name, value in row.items() if name.endswith("_change")} == {None}


def test_the_totals_are_compared_too() -> None:
    (total,) = body("geo", TWO_PERIODS, "compare=previous_period")["totals"]
    assert (total["responses"], total["responses_previous"]) == (15, 12)
    assert total["score_significant"] is True


def several(day: date, n: int, score: int = 4) -> list[Answer]:
    return [Answer(day, score)] * n


def beside(reply: Any) -> list[tuple[Any, ...]]:
    """Of each row its period, the answers now and before, and whether it is partial."""
    names = ("period", "responses", "responses_previous", "partial")
    return [tuple(row[name] for name in names) for row in reply["rows"]]


def test_days_that_the_month_asked_for_lacks_stand_beside_its_last_one() -> None:
    found = [
        Answer(date(2026, 2, 1), 5),
        Answer(date(2026, 2, 28), 5),
        Answer(date(2026, 1, 1), 1),
        Answer(date(2026, 1, 30), 1),  # February has no thirtieth day
    ]
    with days.clock(lambda: datetime(2026, 3, 5, 12, tzinfo=UTC)):
        reply = body("daily", found, "preset=last_month&compare=previous_period")
    assert beside(reply) == [("2026-02-01", 1, 1, False), ("2026-02-28", 1, 1, True)]
    assert reply["totals"][0]["responses_previous"] == 2
    assert reply["totals"][0]["partial"] is None
    assert reply["meta"]["warnings"] == []


@pytest.mark.parametrize(("now", "before"), [(2024, 2023), (2025, 2024)])
def test_a_date_stands_beside_the_same_date_of_the_year_before(now: int, before: int) -> None:
    found = several(date(before, 3, 10), 20) + several(date(now, 3, 10), 20)
    query = f"start_date={now}-01-01&end_date={now}-12-31&compare=previous_year"
    assert beside(body("daily", found, query)) == [(f"{now}-03-10", 20, 20, False)]


def test_29_february_stands_beside_the_28th() -> None:
    found = several(date(2024, 2, 28), 2) + several(date(2024, 2, 29), 3)
    query = "start_date=2025-02-27&end_date=2025-03-01&compare=previous_year"
    assert beside(body("daily", found, query)) == [("2025-02-28", 0, 5, True)]
    query = "start_date=2025-02-27&end_date=2025-03-01&compare=previous_year&granularity=week"
    assert beside(body("daily", found, query)) == [("2025-02-24", 0, 5, True)]


def test_of_29_february_alone_the_day_before_is_that_of_the_28th() -> None:
    found = several(date(2024, 2, 29), 2) + several(date(2023, 2, 28), 3)
    query = "start_date=2024-02-29&end_date=2024-02-29&compare=previous_year"
    assert beside(body("daily", found, query)) == [("2024-02-29", 2, 3, False)]


def test_parts_of_weeks_are_compared_with_as_many_days() -> None:
    found = [Answer(date(2025, 2, 19) + timedelta(days=at), 5) for at in range(20)]
    query = "start_date=2025-03-01&end_date=2025-03-10&compare=previous_period&granularity=week"
    sunday = replace(TENANT, week_start="sunday")
    assert beside(body("daily", found, query, tenant=sunday)) == [
        ("2025-02-23", 1, 1, True),
        ("2025-03-02", 7, 7, False),
        ("2025-03-09", 2, 2, True),
    ]


def test_what_stands_beside_another_number_of_days_is_not_called_significant() -> None:
    found = several(date(2026, 1, 15), 30, 1) + several(date(2026, 2, 15), 30, 5)
    with days.clock(lambda: datetime(2026, 3, 5, 12, tzinfo=UTC)):
        reply = body("daily", found, "preset=last_month&compare=previous_period&granularity=month")
    (row,) = reply["rows"]
    assert (row["score_change"], row["score_significant"], row["partial"]) == (100.0, None, True)
    assert reply["totals"][0]["score_significant"] is True


def test_without_a_comparison_a_period_is_partial_where_the_range_cuts_it() -> None:
    found = [Answer(date(2026, month, 15), 5) for month in (1, 2, 3)]
    query = "start_date=2026-01-02&end_date=2026-03-31&granularity=month"
    rows = body("daily", found, query)["rows"]
    assert [row["partial"] for row in rows] == [True, False, False]


def test_without_periods_nothing_is_partial() -> None:
    reply = body("geo", many(1), "")
    assert "partial" not in reply["rows"][0]


def test_rows_are_ordered_by_how_they_changed() -> None:
    query = "compare=previous_period&order_by=-responses_change"
    rows = body("geo", TWO_PERIODS, query)["rows"]
    assert [row["country"] for row in rows] == ["FR", "DE", "AT"]


# -- empty periods, subtotals


def test_fill_gives_each_group_a_row_in_every_period() -> None:
    found = [Answer(date(2026, 11, 2), 5, country="DE"), Answer(date(2026, 11, 4), 1)]
    query = "start_date=2026-11-02&end_date=2026-11-04&granularity=day&fill=true"
    rows = body("geo", found, query)["rows"]
    assert [(row["period"][-2:], row["country"], row["responses"]) for row in rows] == [
        ("02", "DE", 1),
        ("02", None, 0),
        ("03", "DE", 0),
        ("03", None, 0),
        ("04", "DE", 0),
        ("04", None, 1),
    ]
    assert rows[1]["share_pct"] == 0.0
    assert rows[2]["share_pct"] is None
    assert rows[2]["score"] is None


def test_fill_of_nothing_is_nothing_but_scores() -> None:
    query = "start_date=2026-11-02&end_date=2026-11-04&granularity=day&fill=true"
    assert body("geo", [], query)["rows"] == []
    assert len(body("rates", [], query)["rows"]) == 33


def periods(query: str, found: list[Answer]) -> list[str]:
    rows = body("geo", found, f"{query}&fill=true")["rows"]
    return [row["period"] for row in rows]


def test_one_old_answer_makes_no_decades_of_empty_rows() -> None:
    found = [Answer(date(1990, 12, 31), 5), Answer(DAY, 4)]
    daily = periods("preset=all_time&granularity=day", found)
    assert (daily[0], daily[1], daily[-1]) == ("1990-12-31", "2026-01-01", "2026-11-21")
    assert len(daily) == 1 + 325
    weekly = periods("preset=all_time&granularity=week", found)
    assert weekly[:3] == ["1990-12-31", "2025-12-29", "2026-01-05"]
    monthly = periods("preset=all_time&granularity=month", found)
    assert monthly[:2] == ["1990-12-01", "2026-01-01"]
    named = periods("start_date=1990-12-31&end_date=1991-01-03&granularity=day", found)
    assert named[1:] == ["1991-01-01", "1991-01-02", "1991-01-03"]


def test_more_empty_periods_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 50)
    query = "start_date=1990-01-01&end_date=2026-11-20&granularity=day&fill=true"
    with pytest.raises(UnprocessableError) as error:
        body("geo", many(1), query)
    assert error.value.code == "too_many_groups"


def test_a_subtotal_is_told_apart_from_a_value_that_is_not_given() -> None:
    found = [
        *many(2, channel="chat", country="DE"),
        *many(1, channel="chat"),
        *many(1, channel="ticket"),
    ]
    reply = body("geo", found, "group_by=channel,country&subtotals=true")
    rows = [(r["channel"], r["country"], r["level"], r["responses"]) for r in reply["rows"]]
    assert rows == [
        (None, None, 0, 4),
        ("chat", None, 1, 3),
        ("chat", "DE", 2, 2),
        ("chat", None, 2, 1),
        ("ticket", None, 1, 1),
        ("ticket", None, 2, 1),
    ]
    assert [row["share_pct"] for row in reply["rows"]] == [100.0, 75.0, 50.0, 25.0, 25.0, 25.0]
    assert reply["columns"][4] == {"name": "level", "kind": "level"}
    assert [total["level"] for total in reply["totals"]] == [0]


def test_a_subtotal_s_median_is_not_made_of_medians() -> None:
    found = [*many(3, country="DE"), *[Answer(DAY, 1, country="FR")] * 2]
    whole, *_ = body("geo", found, "subtotals=true")["rows"]
    assert (whole["average"], whole["median"]) == (2.8, 4)
