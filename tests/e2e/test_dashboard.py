"""The dashboard on the sample tenant: its overview, its key, and its messages about errors."""

import re
import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.asking import pulse, serious_faults_of_both_schemes
from tests.e2e.conftest import NewPage, RunningStack, Watch
from tests.e2e.looking import api, enter, settle, show, table


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
    """A group that lost points only where Austria did is shown with Austria, not as its own row."""
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


def test_what_a_figure_is_compared_with_is_still_there_behind_its_link(
    overview: Page, stack: RunningStack
) -> None:
    [row] = api(stack, "reports/nps", compare="previous_period")["rows"]
    overview.locator(".cards a", has_text="Net promoter").click()
    expect(overview.locator(".headline")).to_contain_text(f"{row['nps_previous']:.2f} before")


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


@pytest.mark.only_whole
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
