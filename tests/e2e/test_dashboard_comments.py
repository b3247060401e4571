"""The dashboard's page of comments, in a browser, on the sample."""

import re

from playwright.sync_api import Page, Route, expect

from tests.e2e.asking import pulse
from tests.e2e.conftest import RunningStack
from tests.e2e.looking import api, enter, settle


def test_two_clicks_lead_from_the_bad_week_to_its_reason(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/")
    page.get_by_role("link", name="What dissatisfied customers wrote").click()
    settle(page)
    expect(page.get_by_role("heading", name="Comments", level=1)).to_be_visible()
    bad = page.locator(".words .bad")
    bad.get_by_role("button", name="mein paket", exact=True).click()
    settle(page)
    marks = page.locator(".comments mark").all_inner_texts()
    assert set(marks) == {"Mein Paket"}
    count = api(stack, "comments", q='"mein paket"', segment="bad", metric="csat")["count"]
    expect(page.get_by_role("heading", name=re.compile("comments?$"), level=2)).to_contain_text(
        str(count)
    )


def test_more_comments_come_as_they_are_asked_for(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/comments")
    said = page.locator(".comments li")
    expect(said).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    expect(said).to_have_count(100)


def test_a_comment_is_text_whatever_it_holds(page: Page, stack: RunningStack) -> None:
    spoken = "<img src=x onerror=alert(1)> \u0643\u0627\u0646\u062a \U0001f620"

    def written(route: Route) -> None:
        reply = route.fetch(url=route.request.url.replace("q=img", "q="))
        told = reply.json()
        told["comments"][0]["comment"] = spoken
        route.fulfill(response=reply, json=told)

    page.on("dialog", lambda dialog: (_ for _ in ()).throw(AssertionError(dialog.message)))
    page.route("**/v1/comments?*", written)
    enter(page, stack, "/comments?q=img")
    said = page.locator(".comments .said").first
    expect(said).to_have_text(spoken)
    expect(said.locator("img")).to_have_count(0)
    expect(said.locator("mark")).to_have_text("img")


def test_a_key_without_the_right_is_offered_no_comments(page: Page, stack: RunningStack) -> None:
    key = pulse(stack, "key", "create", "demo", "--kind", "report").strip()
    page.goto(f"{stack.url}/#key={key}")
    settle(page)
    expect(page.get_by_role("link", name="Comments", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="What dissatisfied customers wrote")).to_have_count(0)
