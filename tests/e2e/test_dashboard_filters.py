"""The dashboard's controls: filters, days, comparisons, and links to what is shown."""

import csv
import io
import json
import re
import shlex
import urllib.parse
import urllib.request
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.asking import pulse
from tests.e2e.conftest import NewPage, RunningStack
from tests.e2e.looking import api, enter, figure, settle, show, table


def reader(page: Page) -> Locator:
    """The first chart, as the Tab key and screen readers find it."""
    return page.get_by_role("slider").first


@pytest.mark.only_whole
def test_arrow_keys_read_the_points_and_enter_filters(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/source")
    rows = api(stack, "reports/source", metric="csat")["rows"]
    most = max(rows, key=lambda row: row["responses"])
    reader(page).focus()
    page.keyboard.press("Home")
    said = reader(page).get_attribute("aria-valuetext") or ""
    assert said.startswith(f"{most['channel'].capitalize()}: {most['score']:.1f}")
    assert f"n {most['responses']:,}" in said
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"channel={most['channel']}$"))


def test_a_click_filters_escape_undoes_and_back_works(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/geo")
    page.get_by_role("button", name="Austria").click()
    expect(page).to_have_url(re.compile("country=AT$"))
    settle(page)
    page.get_by_role("link", name="Satisfaction", exact=True).click()
    expect(page).to_have_url(re.compile(r"/csat\?country=AT$"))
    settle(page)
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/geo\?country=AT$"))
    page.go_back()
    expect(page).to_have_url(f"{stack.url}/geo")
    settle(page)
    expect(page.get_by_role("button", name="Germany")).to_be_visible()


@pytest.mark.only_whole
def test_escape_closes_a_filter_before_it_undoes(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat")
    page.get_by_role("button", name="Channel", exact=True).click()
    page.get_by_label("Chat").check()
    expect(page).to_have_url(re.compile("channel=chat$"))
    [row] = api(stack, "reports/csat", channel="chat")["rows"]
    settle(page)
    expect(page.locator(".headline")).to_contain_text(f"{row['responses']:,} answers")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Chat")).to_have_count(0)
    expect(page).to_have_url(re.compile("channel=chat$"))
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{stack.url}/csat")


@pytest.mark.only_whole
def test_all_but_some(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat?channel=chat")
    page.get_by_role("button", name=re.compile("^Channel")).first.click()
    page.get_by_label("All but these").check()
    expect(page).to_have_url(re.compile("channel=!chat$"))
    settle(page)
    [row] = api(stack, "reports/csat", channel="!chat")["rows"]
    expect(page.locator(".headline")).to_contain_text(f"{row['responses']:,} answers")


@pytest.mark.only_whole
def test_days_and_comparison(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat")
    page.get_by_label("Days").select_option("last_7_days")
    settle(page)
    query = {"preset": "last_7_days", "compare": "previous_period"}
    [row] = api(stack, "reports/csat", **query)["rows"]
    told = page.locator(".headline").inner_text()
    assert f"of {row['responses']:,} answers" in told
    assert f"{row['csat_pct_previous']:.2f} before" in told
    page.get_by_label("Compared with").select_option("none")
    expect(page.locator(".headline")).not_to_contain_text("before")
    address = urllib.parse.urlsplit(page.url)
    asked = {"preset": "last_7_days", "compare": "none"}
    assert dict(urllib.parse.parse_qsl(address.query)) == asked


@pytest.mark.only_whole
def test_a_card_of_one_of_two_scales_names_it_and_leads_to_it(
    new_page: NewPage, stack: RunningStack
) -> None:
    tenant = f"scales-{uuid4().hex[:8]}"
    pulse(stack, "tenant", "create", tenant)
    for survey, scale in (("five", "1-5"), ("ten", "1-10")):
        pulse(stack, "survey", "add", tenant, survey, "--metric", "csat", "--scale", scale)
    report = pulse(stack, "key", "create", tenant, "--kind", "report").strip()
    secret = pulse(stack, "key", "create", tenant, "--kind", "secret").strip()
    for survey, score in (("five", 5), ("five", 1), ("ten", 10)):
        answer = urllib.request.Request(
            f"{stack.url}/v1/responses",
            data=json.dumps({"survey_id": survey, "score": score}).encode(),
            headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
        )
        urllib.request.urlopen(answer, timeout=30).close()
    pulse(stack, "build")
    page = new_page()
    page.goto(f"{stack.url}/?preset=last_7_days_to_date#key={report}")
    settle(page)
    cards = page.get_by_label("Headline figures")
    expect(cards.get_by_role("heading")).to_have_text(
        ["Customer satisfaction on 1-10", "Customer satisfaction on 1-5"]
    )
    cards.locator("a", has_text="on 1-10").click()
    settle(page)
    expect(page).to_have_url(re.compile("/csat.*scale=1-10$"))
    expect(page.get_by_role("heading", name="On the scale 1-10")).to_be_visible()
    assert page.locator(".headline .big").all_inner_texts() == ["100.0\u00a0%"]
    page.get_by_role("link", name="Loyalty", exact=True).click()
    expect(page).not_to_have_url(re.compile("scale="))


@pytest.mark.only_whole
def test_an_axis_of_several_years_has_them_and_so_many_days_are_drawn_by_week(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/csat?start_date=2023-12-04&end_date=2026-11-29&granularity=day")
    figure = page.locator("section.figure", has=page.get_by_role("heading", name="Over time"))
    ticks = figure.locator("svg text.middle").all_text_contents()
    assert ticks[0] == "4 Dec 2023" and {"2024", "2025", "2026"} <= {t.split()[-1] for t in ticks}
    expect(figure.locator(".note").first).to_contain_text("By week: a chart of all these days")
    show(page, stack, "/csat")
    ticks = figure.locator("svg text.middle").all_text_contents()
    assert ticks and all(re.fullmatch(r"\d+ \w{3}", tick) for tick in ticks)


@pytest.mark.only_whole
def test_a_long_period_has_its_worst_days_too(page: Page, stack: RunningStack) -> None:
    end = api(stack, "reports/daily")["meta"]["date_range"]["end_date"]
    start = date.fromisoformat(end) - timedelta(days=399)
    enter(page, stack, f"/?start_date={start}&end_date={end}")
    story = page.get_by_label("In short")
    expect(story).to_contain_text(re.compile(r"It went wrong from Mon \d+ \w+ to Sun"))


@pytest.mark.only_whole
def test_surveys_of_one_scale_are_counted_and_have_a_page(page: Page, stack: RunningStack) -> None:
    rows = api(stack, "reports/daily", granularity="total", group_by="survey", metric="csat")
    [row] = rows["rows"]
    enter(page, stack, "/surveys?metric=csat")
    shown = table(page, "Customer satisfaction by survey")
    assert [(each["Survey"] != row["survey"], each["Answers"]) for each in shown[:-1]] == [
        (True, f"{row['responses']:,}")
    ]

    def add(route: Route) -> None:
        reply = route.fetch()
        told = reply.json()
        told["headlines"][0]["surveys"] += 1
        route.fulfill(response=reply, json=told)

    page.route("**/v1/insights?*", add)
    show(page, stack, "/")
    cards = page.locator(".card")
    expect(cards.filter(has_text="Customer satisfaction")).to_contain_text("of 2 surveys")
    expect(cards.filter(has_text="Net promoter")).not_to_contain_text("surveys")


def test_a_deep_link_shows_the_same_to_somebody_else(
    new_page: NewPage, stack: RunningStack
) -> None:
    page = new_page()
    enter(page, stack, "/agents?order_by=-score&channel=chat")
    rows = api(stack, "reports/agents", order_by="-score", channel="chat", metric="csat")["rows"]
    shown = table(page, "Customer satisfaction by agent")[:-1]
    assert [row["Score"] for row in shown] == [figure(row["score"]) for row in rows]
    expect(page.get_by_role("columnheader", name="Score", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Answers", exact=True).click()
    expect(page).to_have_url(re.compile("order_by=-responses"))


def test_csv_is_what_the_screen_shows(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/geo")
    shown = table(page, "Customer satisfaction by country")
    with page.expect_download() as saving:
        page.get_by_role("button", name="by country: save as CSV").click()
    days = api(stack, "reports/geo")["meta"]["date_range"]
    assert saving.value.suggested_filename == (
        f"pulse-geo-{days['start_date']}-to-{days['end_date']}-customer-satisfaction-by-country.csv"
    )
    text = Path(saving.value.path()).read_text(encoding="utf-8-sig")
    saved = list(csv.DictReader(io.StringIO(text)))
    assert [row["Country"] for row in saved] == [row["Country"] for row in shown]
    assert [figure(float(row["Score"])) for row in saved] == [row["Score"] for row in shown]


@pytest.mark.only_whole
def test_what_is_copied_holds_no_key(new_page: NewPage, stack: RunningStack) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.clock.install()
    enter(page, stack, "/geo?channel=chat")
    copied = {}
    for name in ("Copy link", "Copy curl", "Copy CSV"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied[name] = page.evaluate("navigator.clipboard.readText()")
        page.clock.fast_forward(5_000)  # it says so for a while
        expect(page.get_by_role("button", name=name)).to_be_visible()
    assert copied["Copy link"] == f"{stack.url}/geo?channel=chat"
    assert not any(stack.keys["report"] in text for text in copied.values())
    curl, option, header, url = shlex.split(copied["Copy curl"])
    assert (curl, option, header) == ("curl", "-H", "Authorization: Bearer $PULSE_KEY")
    path, _, query = url.removeprefix(f"{stack.url}/v1/").partition("?")
    assert api(stack, path, **dict(urllib.parse.parse_qsl(query)))["report"] == "geo"
    assert copied["Copy CSV"].startswith('"metric","scale","country",')
