"""The objects that serve_reports reads from S3, and how current its replies are."""

from datetime import date

import pytest

from functions.serve_reports import app
from pulse import lake
from pulse.store.clients import client
from pulse.store.tenants import Tenants
from tests import report_parts
from tests.integration.serve_reports.calling import (
    ANSWERS,
    NOON_US,
    dimension,
    get,
    gets,
    later,
    publish,
    publish_parts,
    publish_tables,
    stored,
)
from tests.unit.serve.events import Answer, as_piece, by_year


def test_a_report_over_a_year_takes_two_gets_and_none_while_they_are_in_memory() -> None:
    with gets() as asked:
        assert get("daily", "start_date=2025-11-22&end_date=2026-11-21").status == 200
    assert asked == ["GetObject", "GetObject"]
    with later(3600), gets() as asked:
        assert get("daily", "preset=last_7_days").status == 200
        assert get("nps", "preset=all_time").status == 200
    assert asked == []
    with gets() as asked:  # other dimensions, which other objects have
        assert get("source", "preset=last_12_months&format=csv").status == 200
    assert asked == ["GetObject", "GetObject"]


def test_a_year_of_three_parts_takes_three_gets() -> None:
    wide = "start_date=2025-11-22&end_date=2026-11-21"
    years = by_year(ANSWERS)
    held = sorted({answer.day for answer in years[2026]})
    parts = [
        ({day}, report_parts.cube_rows(lake.SCORES, [as_piece(a for a in some if a.day == day)]))
        for day, some in ((held[-1], years[2026]), (held[-2], years[2026]))
    ]
    stale = [*years[2026], *[Answer(held[-1], 1)] * 9]
    parts.append(({*held}, report_parts.cube_rows(lake.SCORES, [as_piece(stale)])))
    expected = get("daily", wide).json["rows"]
    publish_parts(lake.SCORES, 2026, parts, "built at the same")
    app.stage.cache_clear()
    with gets() as asked:
        assert get("daily", wide).json["rows"] == expected
    assert asked == ["GetObject"] * 4  # one of them of 2025
    app.stage.cache_clear()
    with gets() as asked:
        get("daily", f"start_date={held[-1]}&end_date={held[-1]}")
    assert asked == ["GetObject"]


def test_a_table_that_cannot_tell_what_is_asked_is_not_read() -> None:
    publish_tables()
    with gets() as asked:
        get("agent-activity", "group_by=agent,service_type,period")
    assert asked == ["GetObject"]
    with gets() as asked:
        get("agent-activity", "group_by=agent,period")
    assert asked == ["GetObject"]  # that of the sessions, as the interactions are known


def test_what_was_never_published_is_not_asked_for() -> None:
    with gets() as asked:
        assert get("daily", "start_date=1990-01-01&end_date=2024-12-31").json["rows"] == []
    assert asked == []


def test_a_rebuilt_year_is_seen_within_the_minute_and_gives_another_etag() -> None:
    before = get("daily", "preset=last_7_days")
    publish([*ANSWERS, Answer(date(2026, 11, 20), 1)], NOON_US)
    with later(61), gets() as asked:
        after = get("daily", "preset=last_7_days")
    assert asked == ["GetObject"]
    assert len(after.json["rows"]) == len(before.json["rows"]) + 1
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.json["meta"]["as_of"] == "2026-11-21T12:00:00Z"


def test_an_unchanged_year_is_not_asked_for_again() -> None:
    query = "preset=last_7_days"
    etag = get("daily", query).headers["ETag"]
    with later(61), gets() as asked:
        assert get("daily", query).headers["ETag"] == etag
    assert asked == []


def test_an_object_that_has_gone_is_looked_up_once_more_and_tried_once() -> None:
    query = "preset=last_7_days"
    keys = {*stored("reports/scores/tenant=demo/year=2026/")}
    before = get("geo", query)  # the process remembers the record, and one of its objects
    publish([*ANSWERS, Answer(date(2026, 11, 20), 1)], NOON_US)
    for key in keys:  # as housekeep does, a day later
        client("s3").delete_object(Bucket="lake", Key=key)
    assert get("geo", query).json == before.json
    with gets() as asked:
        after = get("agents", query)  # which needs another object of the same part
    assert after.status == 200
    assert sum(row["responses"] for row in after.json["rows"]) == 15
    assert asked == ["GetObject", "GetObject"]
    with gets() as asked:
        assert get("agents", query).headers["ETag"] == after.headers["ETag"]
    assert asked == []


@pytest.mark.parametrize("route", ["report", "dimension"])
def test_an_object_that_has_gone_for_good_is_a_503_after_two_tries(route: str) -> None:
    for key in stored("reports/scores/tenant=demo/year=2026/"):
        client("s3").delete_object(Bucket="lake", Key=key)
    with gets() as asked:
        reply = get("daily", "preset=last_7_days") if route == "report" else dimension("country")
    assert (reply.status, reply.code) == (503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert asked == ["GetObject", "GetObject"]
    assert get("nps", "start_date=2025-12-31&end_date=2025-12-31").status == 200


def test_the_etag_goes_by_the_rows_of_every_year_asked_for_and_of_no_other() -> None:
    narrow = "start_date=2026-11-01&end_date=2026-11-20"
    wide = "start_date=2025-11-01&end_date=2026-11-20"

    def etags() -> list[str]:
        app.stage.cache_clear()
        return [get("daily", query).headers["ETag"] for query in (narrow, wide)]

    first = etags()
    tenant = Tenants("pulse").get("demo")
    assert tenant is not None
    states = tenant.table("scores").years
    rows = report_parts.cube_rows(lake.SCORES, [as_piece(by_year(ANSWERS)[2025])])
    whole = [({date(2025, 12, 31)}, rows)]
    publish_parts(lake.SCORES, 2025, whole, states[2025].content)  # a fold changes no rows
    assert etags() == first
    publish_parts(lake.SCORES, 2025, whole, "other rows")
    assert etags()[0] == first[0]
    assert etags()[1] != first[1]
