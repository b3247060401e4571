"""The dashboard under unusual conditions: a browser that refuses things, very much data."""

import base64
import hashlib
import re
import urllib.request

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.asking import pulse
from tests.e2e.conftest import NewPage, RunningStack
from tests.e2e.looking import api, enter, settle, table

NO_STORAGE = """for (const name of ["sessionStorage", "localStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("", "SecurityError"); } });
}"""


@pytest.mark.only_whole
def test_a_browser_that_keeps_nothing_still_shows_it(page: Page, stack: RunningStack) -> None:
    page.add_init_script(NO_STORAGE)
    page.goto(stack.url)
    page.get_by_label("Report or operator key").fill(stack.keys["report"])
    page.get_by_role("button", name="Open").click()
    settle(page)
    page.get_by_role("link", name="Satisfaction", exact=True).click()
    settle(page)
    expect(page.locator(".headline .big")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Report or operator key")).to_be_visible()


@pytest.mark.only_whole
def test_the_link_works_where_the_page_is_open_already(page: Page, stack: RunningStack) -> None:
    page.goto(stack.url)
    expect(page.get_by_label("Report or operator key")).to_be_visible()
    page.evaluate("(link) => location.assign(link)", stack.dashboard)
    settle(page)
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    assert stack.keys["report"] not in page.url


def test_what_one_key_has_read_is_not_shown_to_the_next(page: Page, stack: RunningStack) -> None:
    pulse(stack, "tenant", "create", "empty")
    other = pulse(stack, "key", "create", "empty", "--kind", "report").strip()
    enter(page, stack, "/csat")
    expect(page.locator(".headline .big")).to_be_visible()
    page.evaluate("(key) => location.assign(`#key=${key}`)", other)
    page.get_by_role("button", name="Use the link’s key").click()
    settle(page)
    expect(page.get_by_text("No answers in these days")).to_be_visible()


@pytest.mark.only_whole
def test_a_table_that_goes_on_says_so(page: Page, stack: RunningStack) -> None:
    def without_end(route: Route) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, json=reply.json() | {"next_cursor": "more"})

    def one_more(route: Route) -> None:
        asked.append(route.request.url)
        url = re.sub("&cursor=more", "", route.request.url)
        reply = route.fetch(url=url)
        route.fulfill(response=reply, json=reply.json() | {"next_cursor": "more"})

    asked: list[str] = []
    enter(page, stack, "/source")
    page.route("**/v1/reports/agent-activity*", without_end)
    page.route("**/v1/reports/agent-activity*cursor=more*", one_more)
    page.get_by_role("link", name="Agent activity").click()
    settle(page)
    expect(page.get_by_text("These are the first").first).to_be_visible()
    assert asked


@pytest.mark.only_whole
def test_the_newcomers_tag_has_the_widgets_integrity(
    new_page: NewPage, stack: RunningStack
) -> None:
    pulse(stack, "tenant", "create", "newcomer")
    report = pulse(stack, "key", "create", "newcomer", "--kind", "report").strip()
    page = new_page()
    page.goto(f"{stack.url}/#key={report}")
    with urllib.request.urlopen(f"{stack.url}/widget.v1.js", timeout=30) as reply:
        digest = base64.b64encode(hashlib.sha384(reply.read()).digest()).decode()
    tag = page.locator("pre", has_text="<script")
    expect(tag).to_contain_text(f'integrity="sha384-{digest}"')


REPLY_WITH_CONTACTS = {"rows": [{"media_type": "voice", "entered": 1}], "meta": {"warnings": []}}


@pytest.mark.only_whole
def test_who_has_contacts_and_no_answers_is_shown_the_way_to_them(
    new_page: NewPage, stack: RunningStack
) -> None:
    pulse(stack, "tenant", "create", "callers")
    report = pulse(stack, "key", "create", "callers", "--kind", "report").strip()
    page = new_page()
    page.goto(f"{stack.url}/#key={report}")
    expect(page.get_by_text("No answers yet")).to_be_visible()
    expect(page.get_by_text("Contacts there are")).to_have_count(0)
    page.route(
        "**/v1/reports/customer-perspective?preset=all_time&*",
        lambda route: route.fulfill(json=REPLY_WITH_CONTACTS),
    )
    page.reload()
    page.locator("p").get_by_role("link", name="Customer Perspective").click()
    expect(page.get_by_role("heading", name="Customer Perspective")).to_be_visible()


@pytest.mark.only_whole
def test_money_of_each_currency_has_its_column_and_its_change(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/customer-perspective?compare=previous_period")
    headings = page.locator(".pivot thead th").all_inner_texts()
    money = [re.sub(r"\s+", " ", each) for each in headings if "revenue" in each]
    assert money[0].startswith("Average revenue ")
    assert len(money) == len(set(money)) > 1
    first = page.locator(".pivot tbody tr").first.locator("td").nth(-1)
    assert re.fullmatch(r"[\d,]+\.\d\d\s*[+−][\d,]+\.\d\d", first.inner_text())


@pytest.mark.only_whole
def test_the_days_that_went_worst_are_marked_on_the_measures_own_page(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/csat")
    expect(page.get_by_text("Marked: the 7 days that went worst")).to_be_visible()
    enter(page, stack, "/source?compare=previous_period")
    rows = table(page, "Customer satisfaction by channel")
    assert {row["Channel"]: row["Change"][0] for row in rows}["Ticket"] == "▼"


def test_agents_of_one_name_are_told_apart_and_stand_in_the_order_of_their_names(
    page: Page, stack: RunningStack
) -> None:
    def rename(route: Route) -> None:
        reply = route.fetch()
        values = [each for each in reply.json()["values"] if each["value"]]
        for each, name in zip(values, ["Zoë", "Änne", "änne", "Not given"], strict=False):
            each["name"] = name
            renamed.append(each["value"])
        route.fulfill(response=reply, json=reply.json() | {"values": values})

    renamed: list[str] = []
    page.route("**/v1/dimensions/agent*", rename)
    enter(page, stack, "/agents?order_by=agent")
    expect(page.get_by_role("button", name="Zoë")).to_be_visible()
    shown = [row["Agent"] for row in table(page, "Customer satisfaction by agent")[:-1]]
    _, first, second, nobody, *_ = renamed
    told = [f"Änne ({first})", f"änne ({second})", f"Not given ({nobody})", "Zofia Kowalczyk"]
    assert len(set(shown)) == len(shown)
    places = [shown.index(name) for name in told]
    assert abs(places[0] - places[1]) == 1
    assert max(places[:2]) < places[2] < shown.index("Zoë") < places[3]


LONG = "M" * 120
"""A name without a blank, of as many letters as nearly fit into one."""


@pytest.mark.only_whole
def test_a_long_name_leaves_room_for_figures_on_a_phone(
    new_page: NewPage, stack: RunningStack
) -> None:
    def rename(route: Route) -> None:
        reply = route.fetch()
        values = [each | {"name": LONG} for each in reply.json()["values"]]
        route.fulfill(response=reply, json=reply.json() | {"values": values})

    page = new_page(viewport={"width": 390, "height": 844})
    page.route("**/v1/dimensions/*", rename)
    for address in (
        "/agents",
        "/agent-activity",
        "/surveys",
        "/comments",
        "/agents?agent=agent-01",
    ):
        enter(page, stack, address)
        expect(page.get_by_text(LONG).first).to_be_attached()
        page.get_by_role("button", name="Days and filters").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        for name in page.locator("th .told:visible").all():
            box = name.bounding_box()
            assert box
            assert box["width"] <= 390 * 0.4


def test_a_filter_of_the_contact_centre_offers_its_own_agents_by_name(
    page: Page, stack: RunningStack
) -> None:
    asked = api(stack, "dimensions/agent", family="interaction", media_type="voice")
    first = asked["values"][0]
    enter(page, stack, f"/agent-activity?media_type=voice&agent={first['value']}")
    button = page.get_by_role("button", name=f"Agent: {first['name']}", exact=True)
    expect(button).to_be_visible()
    button.click()
    offered = page.get_by_role("group", name="Agent").locator("li")
    expect(offered).to_have_count(len(asked["values"]))
    expect(offered.first).to_have_text(re.compile(rf"{first['name']}\s*{first['count']:,}"))


@pytest.mark.only_whole
def test_a_name_in_what_has_been_found_reorders_nothing_beside_it(
    page: Page, stack: RunningStack
) -> None:
    spoken = "Al\u202eice"

    def named(route: Route) -> None:
        reply = route.fetch()
        told = reply.json()
        told["movers"]["rows"][0]["within"][0]["name"] = spoken
        told["sentences"][0]["phrases"][0]["text"] = spoken
        route.fulfill(response=reply, json=told)

    page.route("**/v1/insights?*", named)
    enter(page, stack, "/")
    expect(page.locator(".story p").first).to_contain_text("Al\\u202eice")
    moved = page.locator("section.figure", has_text="What moved")
    expect(moved).to_contain_text("with Al\\u202eice and")
    assert "\u202e" not in page.locator("main").inner_text()
