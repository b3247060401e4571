"""The pages of a reply, their cursors, and ETags."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pulse import days
from pulse.errors import BadRequestError, OutdatedError
from pulse.serve import identity
from pulse.serve import reply as reply_module
from pulse.serve.answer import answer
from pulse.serve.cursors import Cursor
from tests.unit.serve.asking import TENANT, ask, body, countries, many, plan, years
from tests.unit.serve.events import built

pytestmark = pytest.mark.usefixtures("noon")


# -- pages


def test_pages_follow_one_another_without_gap_or_repetition() -> None:
    found = countries(25)
    whole = body("source", found, "group_by=country&order_by=-score")
    rows: list[Any] = []
    query = "group_by=country&order_by=-score&limit=10"
    cursor = ""
    for expected in (10, 10, 5):
        page = body("source", found, f"{query}{cursor}")
        assert len(page["rows"]) == expected
        assert page["totals"] == whole["totals"]
        rows += page["rows"]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert rows == whole["rows"]


def test_a_page_ends_before_its_bytes_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_module, "PAGE_BYTES", 3_000)
    found = countries(200)
    for form in ("json", "csv"):
        reply = ask("source", found, f"group_by=country&format={form}")
        assert 2_800 < len(reply.body.encode()) <= 3_000
        assert "cursor=" in reply.headers.get("Link", "") or '"next_cursor":"' in reply.body


def test_a_cursor_of_other_rows_is_outdated() -> None:
    found = countries(25)
    query = "group_by=country&limit=10"
    cursor = body("source", found, query)["next_cursor"]
    asked = plan("source", found, f"{query}&cursor={cursor}", content="rebuilt")
    with pytest.raises(OutdatedError) as error:
        answer(asked, years(found), "")
    problem = error.value.problem()
    assert (problem["status"], problem["code"]) == (409, "cursor_outdated")


def test_a_preset_that_means_other_days_by_now_outdates_its_cursor() -> None:
    found = countries(25)
    query = "group_by=country&limit=10&preset=last_7_days"
    cursor = body("source", found, query)["next_cursor"]
    with (
        days.clock(lambda: datetime(2026, 11, 22, 12, tzinfo=UTC)),
        pytest.raises(OutdatedError),
    ):
        ask("source", found, f"{query}&cursor={cursor}")


@pytest.mark.parametrize(
    "cursor",
    ["x", "!", "%FF", "", "e30", "W10", "WyJhIiwiYiIsLTFd", "é", "bnVsbA", "WyJhIiwiYiIsMV0"],
)
def test_a_cursor_that_was_never_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequestError) as error:
        ask("source", countries(3), f"cursor={cursor}")
    assert error.value.code in ("invalid_cursor", "invalid_query")


@pytest.mark.parametrize("position", [10**19, 2**31, True, 1.5])
def test_a_cursor_with_a_position_that_no_reply_has_is_refused(position: Any) -> None:
    found = countries(25)
    query = "group_by=country&limit=10"
    given = Cursor.parse(body("source", found, query)["next_cursor"])
    made_up = replace(given, position=position).text()
    with pytest.raises(BadRequestError) as error:
        ask("source", found, f"{query}&cursor={made_up}")
    assert error.value.code == "invalid_cursor"


def test_a_cursor_of_another_query_is_refused() -> None:
    found = countries(25)
    cursor = body("source", found, "group_by=country&limit=10")["next_cursor"]
    for other in ("group_by=country,agent", "group_by=country&channel=chat", "preset=today"):
        with pytest.raises(BadRequestError) as error:
            ask("source", found, f"{other}&cursor={cursor}")
        assert error.value.code == "invalid_cursor"


def test_csv_links_to_its_next_page_with_the_query_as_it_was_sent() -> None:
    found = countries(12)
    query = "group_by=country&limit=10&format=csv&agent=!a%2Cb"
    reply = ask("source", found, query)
    link = reply.headers["Link"]
    assert link.startswith(f"</v1/reports/source?{query}&cursor=")
    assert link.endswith('>; rel="next"')
    follow = link[1:].split(">")[0].split("?")[1]
    last = ask("source", found, follow)
    assert last.body.count("\r\n") == 3
    assert "Link" not in last.headers


def test_a_link_cannot_be_broken_out_of() -> None:
    query = 'group_by=country&limit=1&format=csv&agent=!a>;<"b'
    link = ask("source", countries(2), query).headers["Link"]
    assert link.count("<") == link.count(">") == 1
    assert '"b' not in link


def test_a_csv_file_is_named_after_its_report_and_days() -> None:
    reply = ask("daily", many(1), "start_date=2026-11-01&end_date=2026-11-20&format=csv")
    assert (
        reply.headers["Content-Disposition"]
        == 'attachment; filename="daily_2026-11-01_2026-11-20.csv"'
    )
    assert reply.body == (
        '"period","metric","scale","responses","average","median","score","ci_low","ci_high",'
        '"partial"\r\n"2026-11-20","csat","1-5",1,4.00,4,100.00,20.65,100.00,false\r\n'
    )


# -- names of replies


def test_the_etag_names_all_that_makes_the_bytes() -> None:
    found = countries(25)
    etags = {
        identity.etag(plan("source", found, query, tenant=tenant, content=content))
        for query in ("", "limit=5", "format=csv", "channel=chat", "preset=today", "order_by=score")
        for tenant in (TENANT, replace(TENANT, id="other"))
        for content in ("e", "f")
    }
    assert len(etags) == 6 * 2 * 2


def test_the_same_question_has_the_same_etag_however_it_is_written() -> None:
    found = countries(3)
    first = plan("source", found, "channel=chat,ticket&agent=(none)")
    second = plan("source", found, "agent=%28none%29&channel=ticket,chat")
    assert identity.etag(first) == identity.etag(second)


def test_a_build_that_changes_nothing_else_changes_as_of_and_the_etag() -> None:
    found = countries(3)
    first = plan("source", found)
    (one,) = first.tenants
    built_again = replace(one, tenant=built(TENANT, found, as_of_us=2_000_000))
    later = replace(first, tenants=(built_again,))
    assert identity.etag(first) != identity.etag(later)
