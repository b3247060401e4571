"""The table of the page Customer Perspective: folding, order, length, and its CSV."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import NewPage, RunningStack
from tests.e2e.looking import api, api_text, enter, figure, settle

LEVELS = "media_type,period,customer_segment,service_type"
"""Of one tenant."""


PERSPECTIVE = {
    "entered": 0,
    "response_ratio": 2,
    "accept_service_level_pct": 2,
    "first_response_service_level_pct": 2,
    "finished_service_level_pct": 2,
    "avg_accept_time_fmt": None,
    "avg_first_response_time_fmt": None,
    "avg_finish_response_time_fmt": None,
    "avg_satisfaction": 2,
}
"""The original report's columns and their decimals; a time is shown as the API writes it."""


def test_the_customer_perspective_folds_and_shows_the_apis_subtotals(
    page: Page, stack: RunningStack
) -> None:
    reply = api(
        stack, "reports/customer-perspective", subtotals="true", limit="10000", group_by=LEVELS
    )
    enter(page, stack, "/customer-perspective?compare=none")
    rows = page.locator(".pivot tbody tr")
    media = {
        row["media_type"]: [
            (row[name] or "–") if decimals is None else figure(row[name], decimals)
            for name, decimals in PERSPECTIVE.items()
        ]
        for row in reply["rows"]
        if row["level"] == 1
    }
    shown = {
        row.locator("th").inner_text().strip("▸▾ ").lower(): [
            text.split("\n")[0] for text in row.locator("td").all_inner_texts()
        ]
        for row in page.locator(".pivot tr.level-1").all()
    }
    assert {medium: cells[: len(PERSPECTIVE)] for medium, cells in shown.items()} == media
    assert len(media) == 6
    before = rows.count()
    page.get_by_role("button", name="Voice").click()
    days = [r for r in reply["rows"] if r["level"] == 2 and r["media_type"] == "voice"]
    assert rows.count() == before + len(days)
    page.get_by_role("button", name="Voice").click()
    assert rows.count() == before


def test_service_levels_are_coloured_by_the_tenants_targets_and_in_words(
    page: Page, stack: RunningStack
) -> None:
    def aimed(route: Route) -> None:
        reply = route.fetch()
        told = reply.json()
        accepted = "accept_service_level_pct"
        told["tenant"]["targets"] = {"voice": {accepted: 100}, "chat": {accepted: 0}}
        route.fulfill(response=reply, json=told)

    page.route("**/v1/reports", aimed)
    enter(page, stack, "/customer-perspective?compare=none")
    cell = len([*PERSPECTIVE][: [*PERSPECTIVE].index("accept_service_level_pct")])
    voice, chat = (
        page.locator(".pivot tr.level-1").filter(has_text=name).locator("td").nth(cell)
        for name in ("Voice", "Chat")
    )
    expect(voice).to_have_class(re.compile(r"\bmissed\b"))
    expect(voice).to_contain_text("misses the target of 100")
    expect(chat).to_have_class(re.compile(r"\bmet\b"))
    expect(page.locator(".pivot tr.level-1 td:is(.met, .missed)")).to_have_count(2)
    expect(page.get_by_text("Blue: the target is met.")).to_be_visible()


def test_of_one_tenant_alone_an_operator_is_shown_no_level_of_tenants(
    page: Page, stack: RunningStack
) -> None:
    address = f"/customer-perspective?compare=none&tenant={stack.tenant}"
    page.goto(f"{stack.url}{address}#key={stack.keys['operator']}")
    settle(page)
    head = page.locator(".pivot thead th").nth(0)
    expect(head).to_have_text("Media type › Day › Customer segment › Service type")
    expect(page.locator(".pivot tr.level-1")).to_have_count(6)


def saved(page: Page) -> str:
    """The table as the page's own CSV."""
    with page.expect_download() as saving:
        page.get_by_role("button", name="What customers met: save as CSV").click()
    return Path(saving.value.path()).read_bytes().decode("utf-8-sig")


@pytest.mark.only_whole
def test_the_pages_csv_is_the_apis(page: Page, stack: RunningStack) -> None:
    compared = {"compare": "previous_period"}
    enter(page, stack, "/customer-perspective?compare=previous_period&folds=4")
    query = {"subtotals": "true", "limit": "10000", "group_by": LEVELS, **compared}
    assert saved(page) == api_text(stack, "reports/customer-perspective", **query)


def test_csv_holds_what_is_unfolded_and_says_of_which_level_each_row_is(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/customer-perspective")
    head, *lines = [line.split(",") for line in saved(page).splitlines()]
    level, entered = head.index('"level"'), head.index('"entered"')
    whole = {line[level]: 0 for line in lines}
    for line in lines:
        whole[line[level]] += int(line[entered])
    assert set(whole) == {"0", "1"} and whole["0"] == whole["1"]


@pytest.mark.only_whole
def test_folds_and_order_are_in_the_address(new_page: NewPage, stack: RunningStack) -> None:
    page = enter(new_page(), stack, "/customer-perspective?compare=none")
    page.get_by_role("button", name="Voice").click()
    page.get_by_role("button", name="Entered", exact=True).click()
    expect(page).to_have_url(re.compile(r"folds=1,voice&order_by=-entered$"))
    seen = page.locator(".pivot tbody tr").all_inner_texts()
    other = enter(new_page(), stack, page.url.removeprefix(stack.url))
    assert other.locator(".pivot tbody tr").all_inner_texts() == seen
    media = other.locator(".pivot tr.level-1 td:nth-child(2)").all_inner_texts()
    entered = [int(text.replace(",", "")) for text in media]
    assert entered == sorted(entered, reverse=True)
    heading = other.get_by_role("columnheader", name="Entered")
    assert heading.get_attribute("aria-sort") == "descending"
    other.get_by_role("button", name="Entered", exact=True).click()
    expect(other).to_have_url(re.compile(r"order_by=entered$"))


@pytest.mark.only_whole
def test_of_a_long_table_only_rows_in_sight_are_drawn_and_its_head_stays(
    page: Page, stack: RunningStack
) -> None:
    days = "preset=last_90_days"
    enter(page, stack, f"/customer-perspective?{days}&folds=4")
    query = {"subtotals": "true", "limit": "10000", "group_by": LEVELS, "preset": "last_90_days"}
    reply = api(stack, "reports/customer-perspective", **query)
    rows = reply["rows"]
    while cursor := reply["next_cursor"]:
        reply = api(stack, "reports/customer-perspective", **query, cursor=cursor)
        rows += reply["rows"]
    assert len(rows) > 5000
    table = page.locator("table.pivot")
    drawn = table.locator("tbody tr[aria-rowindex]")
    assert table.get_attribute("aria-rowcount") == str(len(rows) + 1)
    assert drawn.count() < 120
    width = table.evaluate("table => table.offsetWidth")
    frame = page.get_by_role("region", name="What customers met")
    frame.evaluate("frame => frame.scrollIntoView({block: 'end'})")
    frame.evaluate("frame => frame.scrollTo(0, frame.scrollHeight)")
    last = drawn.last
    expect(last).to_have_attribute("aria-rowindex", str(len(rows) + 1))
    expect(last).to_contain_text(f"{rows[-1]['entered']:,}")
    expect(last).to_be_in_viewport()
    expect(page.get_by_role("button", name="Entered", exact=True)).to_be_in_viewport()
    assert drawn.count() < 120
    assert table.evaluate("table => table.offsetWidth") == width
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert drawn.count() == len(rows)
