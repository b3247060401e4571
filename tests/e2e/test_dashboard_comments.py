"""The dashboard's page of comments, in a browser, with the sample tenant."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.asking import pulse
from tests.e2e.conftest import RunningStack
from tests.e2e.looking import api, enter, figure, settle, table


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


@pytest.mark.only_whole
def test_two_clicks_lead_from_the_bad_week_to_what_its_customers_went_through(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/")
    page.get_by_role("link", name="What dissatisfied customers wrote").click()
    settle(page)
    days = re.search(r"start_date=(\S+?)&end_date=([\d-]+)", page.url)
    assert days
    page.get_by_role("link", name="Experience", exact=True).click()
    settle(page)
    assert days[0] in page.url
    week = {"start_date": days[1], "end_date": days[2], "metric": "csat"}
    reply = api(stack, "reports/experience", **week)
    told = {row["Accepting"]: row for row in table(page, "Customer satisfaction by accepting")}
    scores = {row["accept"]: row["score"] for row in reply["rows"]}
    assert told["Late"]["Score"] == figure(scores["late"])
    assert told["In time"]["Score"] == figure(scores["in_time"])
    # why: they waited too long
    assert scores["late"] < scores["in_time"] - 20
    page.go_back()
    page.go_back()
    settle(page)
    page.get_by_role("link", name="What customers went through").click()
    settle(page)
    assert days[0] in page.url
    assert "metric=csat" in page.url
    expect(page.get_by_role("heading", name="Experience", level=1)).to_be_visible()


@pytest.mark.only_whole
def test_a_sentence_leads_to_the_comments_that_it_is_about(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/")
    page.locator(".story p", has_text="Answers from Austria").get_by_role(
        "link", name=re.compile("^Comments: ")
    ).click()
    settle(page)
    assert "country=AT" in page.url
    assert re.search(r"start_date=\d{4}-\d\d-\d\d&end_date=", page.url)
    expect(page.locator(".words .first")).to_contain_text("sendungsverfolgung zeigt")


@pytest.mark.only_whole
def test_a_chart_and_its_rows_lead_to_their_comments(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/geo?metric=csat")
    figure = page.locator("section.figure")
    figure.locator(".tools").get_by_role("link", name=re.compile("^Comments: ")).click()
    settle(page)
    every = api(stack, "comments", metric="csat")["count"]
    heading = page.locator(".comments h2")
    expect(heading).to_have_text(f"{every:,} comments")
    page.go_back()
    settle(page)
    link = figure.get_by_role("row", name=re.compile("^Austria")).get_by_role(
        "link", name="Comments: Austria", exact=True
    )
    link.focus()
    page.keyboard.press("Enter")
    settle(page)
    count = api(stack, "comments", metric="csat", country="AT")["count"]
    expect(heading).to_have_text(f"{count:,} comments")


@pytest.mark.only_whole
def test_a_score_that_was_given_leads_to_what_was_written_with_it(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/rates")
    row = page.get_by_role("row", name=re.compile("^0 "))
    row.get_by_role("link", name=re.compile("^Comments: ")).click()
    settle(page)
    count = api(stack, "comments", metric="nps", score="0")["count"]
    expect(page.locator(".comments h2")).to_have_text(re.compile(f"^{count:,} comments?$"))
    page.get_by_role("button", name="Remove the filter: Score given").click()
    settle(page)
    assert "score=" not in page.url


@pytest.mark.only_whole
def test_a_group_of_drivers_leads_to_its_comments_and_a_whole_dimension_nowhere(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/drivers?metric=csat")
    strengths = page.locator("section.figure").nth(0)
    expect(strengths.locator("tbody tr")).not_to_have_count(0)
    expect(strengths.locator("td.behind")).to_have_count(0)
    groups = page.locator(
        "section.figure", has=page.get_by_role("heading", name="Country", exact=True)
    )
    groups.get_by_role("button", name="Table").click()
    row = groups.locator("tbody tr").nth(0)
    row.locator("td.behind a").click()
    page.wait_for_url(re.compile(r"/comments\?.*metric=csat.*country=[A-Z]{2}"))


@pytest.mark.only_whole
def test_what_customers_went_through_leads_to_what_they_wrote(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/experience?metric=csat")
    table_of = page.locator("section.figure")
    table_of.get_by_role("row", name=re.compile("^Late")).get_by_role(
        "link", name="Comments: Late", exact=True
    ).click()
    settle(page)
    found = api(stack, "comments", metric="csat", accept="late")
    assert found["count"] > 20
    assert found["meta"]["linked"] == {"comments": found["count"], "of": found["count"]}
    expect(page.locator(".comments h2")).to_have_text(f"{found['count']:,} comments")
    told = page.locator(".comments li")
    for place, one in enumerate(found["comments"][:10]):
        expect(told.nth(place)).to_contain_text(one["comment"])
        expect(told.nth(place)).to_contain_text("accepted late")
    expect(page.get_by_role("button", name="Accepting: Late")).to_be_visible()
    by_name = page.get_by_role("group", name="Handled by").locator("li")
    page.get_by_role("button", name="Handled by", exact=True).click()
    offered = api(stack, "dimensions/agent", family="experience", metric="csat", accept="late")
    first = offered["values"][0]
    expect(by_name.first).to_have_text(re.compile(rf"{first['name']}\s*{first['count']}"))
    by_name.first.get_by_role("checkbox").check()
    settle(page)
    theirs = api(stack, "comments", metric="csat", accept="late", handled_by=first["value"])
    assert 0 < theirs["count"] < found["count"]
    expect(page.locator(".comments h2")).to_have_text(
        re.compile(f"^{theirs['count']:,} comments?$")
    )
    expect(told.first).to_contain_text(f"handled by {first['name']}")


@pytest.mark.only_whole
def test_a_group_of_what_customers_went_through_leads_from_drivers_to_its_comments(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/drivers?metric=csat")
    waits = page.locator("section.figure", has=page.get_by_role("heading", name="Wait", exact=True))
    linked = api(stack, "comments", metric="csat", media_type="!(none)")["count"]
    waits.get_by_role("button", name="Table").click()
    waits.locator("tbody td.behind a").first.click()
    page.wait_for_url(re.compile(r"/comments\?.*metric=csat.*wait="))
    page.go_back()
    settle(page)
    waits.locator(".tools").get_by_role("link", name=re.compile("^Comments: ")).click()
    settle(page)
    expect(page.locator(".comments h2")).to_have_text(f"{linked:,} comments")


@pytest.mark.only_whole
def test_no_comments_stand_behind_calls(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/revenue")
    expect(page.locator("section.figure").first).to_be_visible()
    expect(page.locator("main .behind")).to_have_count(0)


@pytest.mark.only_whole
def test_words_of_these_days_stand_beside_those_of_the_days_before(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/comments")
    page.get_by_label("Words that set apart").select_option("period")
    settle(page)
    assert "contrast=period" in page.url
    words = page.locator(".words .first")
    expect(words.get_by_role("heading")).to_contain_text("Said ")
    words.get_by_role("button", name="mein paket", exact=True).click()
    settle(page)
    count = api(stack, "comments", q='"mein paket"')["count"]
    expect(page.locator(".comments h2")).to_have_text(f"{count:,} comments")


@pytest.mark.only_whole
def test_words_of_a_group_stand_beside_those_of_all_others(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/comments")
    page.get_by_label("Words that set apart").select_option("filter")
    settle(page)
    expect(page.locator(".words")).to_have_count(0)
    _, dimension, group = page.locator(".contrast select").all()
    assert "plan" in dimension.locator("option").all_inner_texts()  # a tag
    dimension.select_option("country")
    settle(page)
    group.select_option("Austria")
    settle(page)
    words = page.locator(".words .first")
    expect(words.get_by_role("heading")).to_have_text("Austria says")
    page.reload()
    settle(page)
    words.get_by_role("button", name="mein paket", exact=True).click()
    settle(page)
    count = api(stack, "comments", q='"mein paket"', country="AT")["count"]
    expect(page.locator(".comments h2")).to_have_text(f"{count:,} comments")
    expect(words.get_by_role("button", name="mein paket", exact=True)).to_be_visible()


@pytest.mark.only_whole
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
    expect(page.locator("main .behind")).to_have_count(0)
