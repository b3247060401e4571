"""The dashboard on the sample tenant: what it says is what the API says, and it can be used."""

import csv
import gzip
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

from tests.e2e.asking import pulse, serious_faults_of_both_schemes
from tests.e2e.conftest import NewPage, RunningStack, Watch
from tests.e2e.looking import PAGES, api, enter, figure, settle, show, table


@pytest.fixture
def overview(page: Page, stack: RunningStack) -> Page:
    """Signed in, on the overview, as the printed link opens it."""
    page.goto(stack.dashboard)
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    settle(page)
    return page


# -- what a stranger sees


def test_within_a_minute_what_went_wrong_for_whom_and_what_it_cost(
    overview: Page, stack: RunningStack
) -> None:
    story = overview.get_by_label("In short").inner_text().replace("\u00a0", " ")
    [whole] = api(
        stack, "reports/daily", granularity="total", metric="csat", compare="previous_period"
    )["rows"]
    assert f"{whole['responses']:,} answers" in story
    assert f"{abs(whole['score_change']):.1f} points lower" in story
    assert "more than chance explains" in story
    worst = api(stack, "reports/daily", metric="csat")["rows"]
    low = [row["period"] for row in worst if row["score"] < 65]
    link = overview.get_by_label("In short").get_by_role("link", name=re.compile("^from "))
    assert link.inner_text().split()[2] == str(int(low[0][-2:]))
    assert link.inner_text().split()[-2] == str(int(low[-1][-2:]))
    assert "Answers from Austria explain nearly all of it" in story
    assert "mostly by ticket" in story
    days = {"start_date": low[0], "end_date": low[-1], "compare": "previous_period"}
    [bad] = api(stack, "reports/csat", **days)["rows"]
    assert f"{bad['dissatisfied_change']:,} more dissatisfied answers" in story
    euros = api(stack, "reports/revenue", **days, granularity="total", group_by="currency")
    [revenue] = [row for row in euros["rows"] if row["currency"] == "EUR"]
    assert f"€{float(revenue['revenue']):,.2f} in these days" in story


def test_all_of_it_takes_three_requests(page: Page, stack: RunningStack) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    enter(page, stack, "/")
    expect(page.get_by_label("In short")).to_contain_text("Austria")
    paths = [urllib.parse.urlsplit(url).path for url in asked]
    assert sorted(path for path in paths if path.startswith("/v1/")) == [
        "/v1/insights",
        "/v1/reports",
        "/v1/reports/daily",
    ]


def test_phrases_lead_to_their_evidence(overview: Page) -> None:
    overview.get_by_label("In short").get_by_role("link", name="Austria", exact=True).click()
    settle(overview)
    address = urllib.parse.urlsplit(overview.url)
    assert address.path == "/geo"
    assert {"start_date", "end_date", "compare", "metric"} <= set(
        urllib.parse.parse_qs(address.query)
    )
    expect(overview.get_by_role("row", name=re.compile("^Austria"))).to_be_visible()


def test_the_worst_movers_are_told(overview: Page) -> None:
    rows = table(overview, "What moved customer satisfaction most")
    assert rows[0]["Group"] == "Austria"
    assert rows[0]["Significant"] == "yes"
    points = [float(row["Points"].replace("−", "-")) for row in rows]
    assert points == sorted(points)


def test_the_same_week_is_told_once(overview: Page, stack: RunningStack) -> None:
    """A group that lost its points only as Austria did stands with it, and is no row of its own."""
    asked = {"granularity": "total", "metric": "csat", "compare": "previous_period"}
    [whole] = api(stack, "reports/daily", **asked)["rows"]

    def points(**only: str) -> float:
        [row] = api(stack, "reports/daily", **asked, **only)["rows"]
        level = whole["score_previous"]
        now = row["responses"] / whole["responses"] * (row["score"] - level)
        before = row["responses_previous"] / whole["responses_previous"]
        return float(now - before * (row["score_previous"] - level))

    rows = table(overview, "What moved customer satisfaction most")
    within = rows[0]["With it"].split(", ")
    assert {"Ticket", "Desktop"} <= set(within)
    for only in ({"channel": "ticket"}, {"device": "desktop"}):
        assert points(**only) < 3 * points(**only, country="!AT") < 0 or (
            points(**only) < 0 < points(**only, country="!AT")
        )
    assert not {row["Group"] for row in rows} & set(within)


# -- the key


def test_the_link_hides_its_key_at_once(overview: Page, stack: RunningStack) -> None:
    assert stack.keys["report"] not in overview.url
    assert overview.evaluate("sessionStorage.getItem('pulse.key')") == stack.keys["report"]
    assert overview.evaluate("localStorage.length") == 0


def test_remembering_is_a_choice(new_page: NewPage, stack: RunningStack) -> None:
    page = new_page()
    page.goto(stack.url)
    page.get_by_label("Report or operator key").fill(stack.keys["report"])
    page.get_by_label("Remember it in this browser").check()
    page.get_by_role("button", name="Open").click()
    settle(page)
    other = page.context.new_page()
    show(other, stack, "/csat")
    expect(other.get_by_role("heading", name="Customer satisfaction", level=1)).to_be_visible()
    other.get_by_role("button", name="Sign out").click()
    assert other.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_link_does_not_replace_the_key_in_use_by_itself(
    overview: Page, stack: RunningStack
) -> None:
    used = "sessionStorage.getItem('pulse.key')"
    for answer, kind in (("Keep the one in use", "report"), ("Use the link’s key", "operator")):
        overview.goto(f"{stack.url}/geo#key={stack.keys['operator']}")
        expect(overview.get_by_role("heading", name="Another key")).to_be_visible()
        assert stack.keys["operator"] not in overview.url
        assert overview.evaluate(used) == stack.keys["report"]
        assert serious_faults_of_both_schemes(overview) == []
        overview.get_by_role("button", name=answer).click()
        expect(overview.get_by_role("heading", name="Another key")).to_have_count(0)
        assert overview.evaluate(used) == stack.keys[kind]


@pytest.mark.parametrize(
    ("kind", "reason"), [("secret", "secret key"), ("publishable", "publishable key")]
)
def test_keys_that_do_not_belong_in_a_browser_are_refused(
    page: Page, stack: RunningStack, kind: str, reason: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{stack.url}/#key={stack.keys[kind]}")
    expect(page.get_by_role("alert")).to_contain_text(reason)
    assert stack.keys[kind] not in page.url
    assert not [url for url in asked if "/v1/" in url]
    assert page.evaluate("sessionStorage.length") == 0


def test_a_key_that_the_api_does_not_know_leads_back_to_the_form(
    page: Page, stack: RunningStack, watch: Watch
) -> None:
    page.goto(f"{stack.url}/geo#key=rk_{'x' * 32}")
    expect(page.get_by_role("alert")).to_contain_text("unknown, revoked or expired")
    watch.expect(page, "status of 401")
    assert page.evaluate("sessionStorage.length") == 0


def test_an_operator_names_the_tenants(page: Page, stack: RunningStack) -> None:
    page.goto(f"{stack.url}/source#key={stack.keys['operator']}")
    expect(page.get_by_text("Name the tenants to look at")).to_be_visible()
    page.get_by_label("Tenants").fill(stack.tenant)
    page.get_by_label("Tenants").press("Enter")
    settle(page)
    assert f"tenant={stack.tenant}" in page.url
    [whole] = api(stack, "reports/source", metric="csat")["totals"]
    assert table(page, "Customer satisfaction by channel")[-1]["Answers"] == (
        f"{whole['responses']:,}"
    )


# -- the API's numbers


def test_the_overviews_headlines_are_the_apis(overview: Page, stack: RunningStack) -> None:
    rows = api(stack, "reports/daily", granularity="total", compare="previous_period")["rows"]
    cards = overview.get_by_label("Headline figures").locator(".card")
    shown = [card.replace("\u00a0", " ") for card in cards.all_inner_texts()]
    assert len(shown) == len(rows) == 3
    names = {"csat": "Customer satisfaction", "nps": "Net promoter score", "ces": "Customer effort"}
    for row in rows:
        [card] = [card for card in shown if names[row["metric"]].lower() in card.lower()]
        figures = re.findall(r"[−+]?\d[\d,]*\.?\d*", card)
        told = [float(figure.replace("−", "-").replace(",", "")) for figure in figures]
        known = ("score", "ci_low", "ci_high", "responses", "score_change", "score_previous")
        # with one decimal, of figures that have two
        assert told == pytest.approx([row[name] for name in known], abs=0.0501)


@pytest.mark.parametrize(
    ("report", "noun"),
    [("geo", "country"), ("source", "channel"), ("browsers", "browser"), ("agents", "agent")],
)
def test_groups_are_the_apis(page: Page, stack: RunningStack, report: str, noun: str) -> None:
    reply = api(stack, f"reports/{report}", metric="csat")
    expected = sorted(
        (
            f"{row['responses']:,}",
            figure(row["score"]),
            figure(row["ci_low"]),
            figure(row["ci_high"]),
            figure(row["average"]),
            figure(row["share_pct"]),
        )
        for row in reply["rows"]
        if row["metric"] == "csat"
    )
    shown = table(enter(page, stack, f"/{report}"), f"Customer satisfaction by {noun}")
    columns = ["Answers", "Score", "95 % from", "95 % to", "Average", "Share %"]
    assert sorted(tuple(row[name] for name in columns) for row in shown[:-1]) == expected
    [whole] = [row for row in reply["totals"] if row["metric"] == "csat"]
    assert shown[-1][noun.capitalize()] == "All"
    assert shown[-1]["Score"] == figure(whole["score"])


def test_what_the_tenant_tells_apart_is_compared_and_filters(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/tags")
    for name in ("plan", "topic"):
        page.get_by_role("main").get_by_role("combobox", name="Tag").select_option(name)
        settle(page)
        reply = api(stack, "reports/daily", metric="csat", group_by=name, granularity="total")
        expected = {row[name]: figure(row["score"]) for row in reply["rows"]}
        shown = table(page, f"Customer satisfaction by {name}")
        assert {row[name]: row["Score"] for row in shown[:-1]} == expected
    page.get_by_role("button", name="delivery", exact=True).click()
    settle(page)
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)["topic"] == ["delivery"]
    expect(page.get_by_role("button", name="topic: delivery")).to_be_visible()


def test_agents_are_marked_by_the_side_of_the_others_on_which_they_are(
    page: Page, stack: RunningStack
) -> None:
    rows = api(stack, "reports/agents", metric="csat")["rows"]
    sides = {None: "", "below": "▼ ", "above": "▲ "}
    expected = sorted(
        (figure(row["score"]), sides[row["differs"]] + figure(row["adjusted_score"]))
        for row in rows
        if row["agent"] is not None
    )
    shown = table(enter(page, stack, "/agents"), "Customer satisfaction by agent")[:-1]
    told = [(row["Score"], row["Adjusted score"]) for row in shown if row["Agent"] != "Not given"]
    assert sorted(told) == expected
    # the sample's story: who scores lowest of all in every period is the one to coach
    lowest = min(rows, key=lambda row: row["score"])
    assert lowest["differs"] == "below"
    changed = [text for row in shown if (text := row["Change"])[0] in "▼▲"]
    assert changed == []


def test_days_are_the_apis(page: Page, stack: RunningStack) -> None:
    rows = api(stack, "reports/daily", metric="csat", fill="true")["rows"]
    shown = table(enter(page, stack, "/daily"), "average and median")[:-1]
    assert [(row["Answers"], row["Score"], row["Average"]) for row in shown] == [
        (f"{row['responses']:,}", figure(row["score"]), figure(row["average"])) for row in rows
    ]


@pytest.mark.parametrize(
    ("report", "headline", "segments"),
    [
        ("csat", "csat_pct", ("satisfied", "neutral", "dissatisfied")),
        ("nps", "nps", ("promoters", "passives", "detractors")),
        ("ces", "ces_pct", ("easy", "neutral", "difficult")),
    ],
)
def test_headlines_segments_and_distribution_are_the_apis(
    page: Page,
    stack: RunningStack,
    report: str,
    headline: str,
    segments: tuple[str, ...],
) -> None:
    reply = api(stack, f"reports/{report}")
    [row] = reply["rows"]
    enter(page, stack, f"/{report}")
    told = page.locator(".headline").inner_text().replace("\u00a0", " ")
    assert f"{row['ci_low']:.2f} to {row['ci_high']:.2f}".replace("-", "−") in told
    for segment in segments:
        assert f"{row[f'{segment}_pct']:.2f} %" in told
        assert f"n {row[segment]:,}" in told
    shown = table(page, "How often each score was given")
    assert [(each["Score given"], each["Answers"]) for each in shown] == [
        (str(each["score_value"]), f"{each['responses']:,}") for each in reply["breakdown"]
    ]


def test_rates_has_all_eleven(page: Page, stack: RunningStack) -> None:
    rows = api(stack, "reports/rates")["rows"]
    shown = table(enter(page, stack, "/rates"), "Answers by score")[:-1]
    assert [(each["Score given"], each["Answers"], each["Share %"]) for each in shown] == [
        (str(row["score_value"]), f"{row['responses']:,}", figure(row["share_pct"])) for row in rows
    ]


def test_revenue_stays_with_its_currency_and_exact(page: Page, stack: RunningStack) -> None:
    reply = api(stack, "reports/revenue", granularity="total", group_by="currency")
    enter(page, stack, "/revenue")
    for row in reply["rows"]:
        sign = {"EUR": "€", "GBP": "£"}.get(row["currency"], f"{row['currency']}\u00a0")
        amount = float(row["revenue"])
        told = f"{'−' if amount < 0 else ''}{sign}{abs(amount):,.2f}"
        expect(page.locator(".headline .big", has_text=sign.strip())).to_have_text(told)


def test_agent_activity_is_the_apis(page: Page, stack: RunningStack) -> None:
    reply = api(stack, "reports/agent-activity", limit="10000")
    shown = table(enter(page, stack, "/agent-activity"), "By agent and media type")[:-1]
    columns = ["Handled", "Average handle time", "Active time", "Engaged time", "Engaged %"]
    assert [tuple(each[name] for name in columns) for each in shown] == [
        (
            f"{row['handled']:,}",
            row["avg_handle_time_fmt"] or "–",
            row["active_seconds_fmt"] if row["active_seconds"] else "–",  # no session is known
            row["engaged_seconds_fmt"] if row["active_seconds"] else "–",
            figure(row["engaged_pct"]),
        )
        for row in reply["rows"]
    ]


# -- looking around


def reader(page: Page) -> Locator:
    """The first chart, as the Tab key and screen readers find it."""
    return page.get_by_role("slider").first


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


def test_all_but_some(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat?channel=chat")
    page.get_by_role("button", name=re.compile("^Channel")).first.click()
    page.get_by_label("All but these").check()
    expect(page).to_have_url(re.compile("channel=!chat$"))
    settle(page)
    [row] = api(stack, "reports/csat", channel="!chat")["rows"]
    expect(page.locator(".headline")).to_contain_text(f"{row['responses']:,} answers")


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


def test_what_a_figure_is_compared_with_is_still_there_behind_its_link(
    overview: Page, stack: RunningStack
) -> None:
    [row] = api(stack, "reports/nps", compare="previous_period")["rows"]
    overview.locator(".cards a", has_text="Net promoter").click()
    expect(overview.locator(".headline")).to_contain_text(f"{row['nps_previous']:.2f} before")


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


def test_a_long_period_has_its_worst_days_too(page: Page, stack: RunningStack) -> None:
    end = api(stack, "reports/daily")["meta"]["date_range"]["end_date"]
    start = date.fromisoformat(end) - timedelta(days=399)
    enter(page, stack, f"/?start_date={start}&end_date={end}")
    story = page.get_by_label("In short")
    expect(story).to_contain_text(re.compile(r"It went wrong from Mon \d+ \w+ to Sun"))


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


# -- when something is wrong


def test_an_api_that_is_down_can_be_tried_again(
    page: Page, stack: RunningStack, watch: Watch
) -> None:
    watch.allow("ERR_FAILED")
    enter(page, stack, "/source")
    page.route("**/v1/reports/csat*", lambda route: route.abort())
    page.get_by_role("link", name="Satisfaction", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("Pulse cannot be reached")
    page.unroute("**/v1/reports/csat*")
    page.get_by_role("button", name="Try again").first.click()
    settle(page)
    expect(page.locator(".headline .big")).to_be_visible()


def test_what_fails_for_one_reason_is_said_once_and_the_head_tells_no_days_that_did_not_come(
    page: Page, stack: RunningStack, watch: Watch
) -> None:
    watch.allow("ERR_FAILED")
    enter(page, stack, "/csat")
    before = page.locator(".freshness strong").inner_text()
    page.route("**/v1/reports/csat*", lambda route: route.abort())
    page.get_by_label("Days").select_option("last_7_days")
    expect(page.get_by_role("alert")).to_have_count(1)
    page.wait_for_timeout(300)
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.locator(".freshness strong")).to_have_count(0)
    expect(page.locator(".freshness")).to_contain_text(f"the figures of before: {before}")
    expect(page.get_by_label("Days")).to_have_value("last_7_days")
    page.unroute("**/v1/reports/csat*")
    page.get_by_role("button", name="Try again").click()
    settle(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.locator(".freshness strong").inner_text() != before
    [row] = api(stack, "reports/csat", preset="last_7_days")["rows"]
    expect(page.locator(".headline")).to_contain_text(f"of {row['responses']:,} answers")


def test_a_wrong_address_says_so_with_the_requests_id(
    page: Page, stack: RunningStack, watch: Watch
) -> None:
    enter(page, stack, "/rates?preset=someday")
    watch.expect(page, "status of 400")
    alert = page.get_by_role("alert").first
    expect(alert).to_contain_text("'someday' is not one of its values")
    expect(alert).to_contain_text(re.compile(r"Request \S{8,}"))
    page.get_by_role("button", name="Show the page without filters").first.click()
    settle(page)
    expect(page.get_by_text("Answers by score").first).to_be_visible()


def test_no_data_is_a_dash_and_the_filters_can_go(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat?country=AQ")
    expect(page.get_by_text("No answers in these days with these filters")).to_be_visible()
    page.get_by_role("button", name="Remove the filters").click()
    expect(page).to_have_url(f"{stack.url}/csat")
    show(page, stack, "/source")
    external = next(
        row
        for row in table(page, "Customer satisfaction by channel")
        if row["Channel"] == "External"
    )
    assert (external["Answers"], external["Score"]) == ("0", "–")


def test_a_newcomer_is_told_how_to_begin_and_when_it_has_begun(
    new_page: NewPage, watch: Watch, stack: RunningStack
) -> None:
    pulse(stack, "tenant", "create", "fresh")
    pulse(stack, "survey", "add", "fresh", "first", "--metric", "csat", "--scale", "1-5")
    report = pulse(stack, "key", "create", "fresh", "--kind", "report").strip()
    publishable = pulse(stack, "key", "create", "fresh", "--kind", "publishable").strip()
    page = new_page()
    page.clock.install()
    page.goto(f"{stack.url}/#key={report}")
    expect(page.get_by_text("No answers yet")).to_be_visible()
    expect(page.locator("pre").first).to_contain_text("pulse survey add fresh support")
    expect(page.locator("pre", has_text=f"{stack.url}/widget.v1.js")).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []
    page.get_by_role("textbox", name="Publishable key").fill("pk_unknown")
    page.get_by_role("button", name="Send a test answer").click()
    expect(page.get_by_role("alert")).to_contain_text("unknown, revoked or expired")
    watch.expect(page, "status of 401")
    page.get_by_role("textbox", name="Survey").fill("first")
    page.get_by_role("textbox", name="Publishable key").fill(publishable)
    page.get_by_role("button", name="Send a test answer").click()
    expect(page.get_by_role("status")).to_contain_text("waits for its build")
    pulse(stack, "build")
    arrived = page.get_by_text("The first answer is here")
    for _ in range(20):
        page.clock.fast_forward(10_000)  # it asks again by itself
        page.wait_for_timeout(250)
        if arrived.count():
            break
    page.get_by_role("link", name="Show the last days").click()
    settle(page)
    expect(page.get_by_text("still open")).to_be_visible()


# -- for everybody


def test_drivers_are_the_apis_and_are_called_no_reason(page: Page, stack: RunningStack) -> None:
    reply = api(stack, "insights/drivers", metric="csat")
    enter(page, stack, "/drivers?metric=csat")
    shown = table(page, "What goes with customer satisfaction")
    assert [row["Significant"] for row in shown] == [
        "yes" if one["significant"] else "no" for one in reply["drivers"]
    ]
    assert shown[0]["By"] == "Country"
    assert shown[0]["Goes with it"].replace("\u00a0", " ") == (
        f"{reply['drivers'][0]['explains_pct']:.2f} %"
    )
    groups = table(page, "Country")
    assert [row["Group"] for row in groups] == [one["name"] for one in reply["drivers"][0]["rows"]]
    assert groups[0]["Against the rest"] == figure(reply["drivers"][0]["rows"][0]["difference"])
    assert "because" not in page.locator("main").inner_text()


@pytest.mark.parametrize("address", PAGES)
def test_every_page_fits_a_phone_and_has_no_serious_fault_of_accessibility(
    new_page: NewPage, stack: RunningStack, address: str
) -> None:
    page = new_page(viewport={"width": 390, "height": 844})
    enter(page, stack, f"{address}?compare=previous_period")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.set_viewport_size({"width": 1280, "height": 800})
    settle(page)
    assert serious_faults_of_both_schemes(page) == []


@pytest.mark.parametrize(
    ("locale", "name", "told"),
    [
        ("de-DE", "Übersicht", "Kundenzufriedenheit: "),
        ("fr-FR", "Vue d’ensemble", "Satisfaction client : "),
        ("es-ES", "Resumen", "Satisfacción del cliente: "),
    ],
)
def test_every_page_speaks_the_readers_language_whole(
    new_page: NewPage, stack: RunningStack, locale: str, name: str, told: str
) -> None:
    page = new_page(locale=locale)
    left_out: list[str] = []
    page.on(
        "console",
        lambda said: left_out.append(said.text) if said.text.startswith("not translated") else None,
    )
    enter(page, stack, "/")
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == locale[:2]
    expect(page.locator(".story")).to_contain_text(told)
    for address in PAGES[1:]:
        show(page, stack, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert left_out == []


def test_numbers_and_days_are_those_of_the_browsers_locale(
    new_page: NewPage, stack: RunningStack
) -> None:
    [row] = [
        row
        for row in api(stack, "reports/revenue", granularity="total", group_by="currency")["rows"]
        if row["currency"] == "EUR"
    ]
    page = enter(new_page(locale="de-DE"), stack, "/revenue")
    amount = f"{float(row['revenue']):,.2f}".translate(str.maketrans(",.", ".,"))
    expect(page.locator(".headline .big", has_text="€")).to_have_text(f"{amount}\u00a0€")
    ticks = page.locator("svg text.middle").all_text_contents()
    assert all(re.fullmatch(r"\d+\. \w+\.?", tick) for tick in ticks), ticks


def test_the_language_can_be_chosen_and_is_remembered(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat")
    page.get_by_label("Language").select_option("es")
    expect(page.get_by_role("heading", name="Satisfacción del cliente", level=1)).to_be_visible()
    settle(page)
    show(page, stack, "/nps")
    expect(page.get_by_role("heading", name="Lealtad", level=1)).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []
    page.get_by_label("Idioma").select_option("en")
    expect(page.get_by_role("heading", name="Loyalty", level=1)).to_be_visible()


def test_on_a_phone_pages_are_a_list_and_filters_close(
    new_page: NewPage, stack: RunningStack
) -> None:
    page = enter(new_page(viewport={"width": 390, "height": 844}), stack, "/csat")
    show(page, stack, "/nps")
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages.get_by_role("link", name="Revenue")).to_be_hidden()
    pages.get_by_role("button", name="Loyalty").click()
    links = pages.get_by_role("link").all()
    boxes = [box for link in links if (box := link.bounding_box())]
    assert len(boxes) >= 13 and len({box["x"] for box in boxes}) == 1
    assert all(box["height"] >= 40 for box in boxes)
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
    assert serious_faults_of_both_schemes(page) == []
    pages.get_by_role("link", name="Satisfaction").click()
    settle(page)
    expect(page.get_by_role("heading", name="Customer satisfaction", level=1)).to_be_visible()
    expect(pages.get_by_role("link", name="Revenue")).to_be_hidden()

    page.get_by_role("button", name="Days and filters").click()
    page.get_by_role("button", name="Channel", exact=True).click()
    page.get_by_label("Chat").check()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_label("Chat")).to_have_count(0)
    page.get_by_role("button", name="Show the page").click()
    expect(page.get_by_label("Days")).to_be_hidden()
    settle(page)
    [row] = api(stack, "reports/csat", channel="chat")["rows"]
    expect(page.locator(".headline")).to_contain_text(f"of {row['responses']:,} answers")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_open_filters_and_a_refusal_have_no_serious_fault(
    page: Page, stack: RunningStack, watch: Watch
) -> None:
    enter(page, stack, "/csat")
    page.get_by_role("button", name="Channel", exact=True).click()
    expect(page.get_by_label("Chat")).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []
    watch.allow("status of 400")
    show(page, stack, "/rates?preset=someday")
    expect(page.get_by_role("alert").first).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []


def test_the_form_has_no_serious_fault(page: Page, stack: RunningStack) -> None:
    page.goto(stack.url)
    expect(page.get_by_label("Report or operator key")).to_be_visible()
    assert serious_faults_of_both_schemes(page) == []


def test_paper_shows_figures_and_their_tables_alone(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/csat")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()
    expect(page.locator(".filters")).to_be_hidden()
    expect(page.get_by_role("button", name="CSV").first).to_be_hidden()
    expect(page.locator("section.figure table").first).to_be_visible()


def test_it_weighs_at_most_80_kb_without_the_map(page: Page, stack: RunningStack) -> None:
    page.goto(stack.url)
    sources = page.locator("script[src], link[rel=stylesheet]").evaluate_all(
        "(all) => all.map((each) => each.src || each.href)"
    )
    sizes = []
    for source in sources:
        with urllib.request.urlopen(source, timeout=30) as reply:
            sizes.append(len(gzip.compress(reply.read())))
    assert len(sizes) >= 2
    assert sum(sizes) <= 80_000
