"""The figures on the dashboard are the API's, complete and exact, with the sample tenant."""

import re
import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import RunningStack
from tests.e2e.looking import api, enter, figure, settle, table

# -- the API's numbers


@pytest.mark.only_whole
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


@pytest.mark.only_whole
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


@pytest.mark.only_whole
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


@pytest.mark.only_whole
def test_rates_has_all_eleven(page: Page, stack: RunningStack) -> None:
    rows = api(stack, "reports/rates")["rows"]
    shown = table(enter(page, stack, "/rates"), "Answers by score")[:-1]
    assert [(each["Score given"], each["Answers"], each["Share %"]) for each in shown] == [
        (str(row["score_value"]), f"{row['responses']:,}", figure(row["share_pct"])) for row in rows
    ]


@pytest.mark.only_whole
def test_revenue_stays_with_its_currency_and_exact(page: Page, stack: RunningStack) -> None:
    reply = api(stack, "reports/revenue", granularity="total", group_by="currency")
    enter(page, stack, "/revenue")
    for row in reply["rows"]:
        sign = {"EUR": "€", "GBP": "£"}.get(row["currency"], f"{row['currency']}\u00a0")
        amount = float(row["revenue"])
        told = f"{'−' if amount < 0 else ''}{sign}{abs(amount):,.2f}"
        expect(page.locator(".headline .big", has_text=sign.strip())).to_have_text(told)


@pytest.mark.only_whole
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


@pytest.mark.only_whole
def test_scores_by_experience_are_the_apis_by_the_answers_days_and_by_the_interactions(
    page: Page, stack: RunningStack
) -> None:
    enter(page, stack, "/experience")
    main = page.get_by_role("main")
    for basis, by, shown_as in (
        ("answered", "accept", "Accepting"),
        ("answered", "wait", "Wait"),
        ("entered", "wait", "Wait"),
    ):
        main.get_by_role("combobox", name="By", exact=True).select_option(by)
        main.get_by_role("combobox", name="Days are those of").select_option(basis)
        settle(page)
        query = {"metric": "csat", "group_by": by, "date_basis": basis}
        reply = api(stack, "reports/experience", **query)
        shown = table(page, f"Customer satisfaction by {shown_as.lower()}")
        assert [(row["Answers"], row["Score"]) for row in shown[:-1]] == [
            (f"{row['responses']:,}", figure(row["score"])) for row in reply["rows"]
        ]
        linked = api(stack, "reports/experience", date_basis=basis)["meta"]["linked"]
        expect(page.locator(".linked")).to_contain_text(f"{linked['responses']:,}")
    main.get_by_role("button", name="0–10\u00a0s", exact=True).click()
    page.wait_for_url(re.compile("wait=0-10s"))


def test_where_no_answer_is_linked_it_is_told_how(page: Page, stack: RunningStack) -> None:
    enter(page, stack, "/experience?survey=ease")
    expect(page.get_by_role("main")).to_contain_text("No answer is linked to an interaction")
    expect(page.locator("pre").first).to_contain_text('"interaction_id"')
    expect(page.locator("section.figure")).to_have_count(0)


# -- for everybody


@pytest.mark.only_whole
def test_drivers_are_the_apis_and_are_called_no_reason(page: Page, stack: RunningStack) -> None:
    reply = api(stack, "insights/drivers", metric="csat")
    enter(page, stack, "/drivers?metric=csat")
    shown = table(page, "What goes with customer satisfaction")
    assert [row["Significant"] for row in shown] == [
        "yes" if one["significant"] else "no" for one in reply["drivers"]
    ]
    # the sample's bad week was Austria's, and in it customers waited
    country = shown[[row["By"] for row in shown].index("Country")]
    accept = shown[[row["By"] for row in shown].index("Accepting")]
    assert {country["Significant"], accept["Significant"]} == {"yes"}
    assert shown[0]["Goes with it"].replace("\u00a0", " ") == (
        f"{reply['drivers'][0]['explains_pct']:.2f} %"
    )
    for dimension, title in (("country", "Country"), ("accept", "Accepting")):
        (driver,) = [one for one in reply["drivers"] if one["dimension"] == dimension]
        groups = table(page, title)
        assert [row["Group"] for row in groups] == [one["name"] for one in driver["rows"]]
        assert groups[0]["Against the rest"].lstrip("+") == figure(driver["rows"][0]["difference"])
    late = [one for one in driver["rows"] if one["value"] == "late"]
    assert late[0]["difference"] < -20 and late[0]["adjusted_difference"] < -20
    assert "because" not in page.locator("main").inner_text()
    figure_of_accept = page.locator(
        "section.figure", has=page.get_by_role("heading", name="Accepting", exact=True)
    )
    figure_of_accept.get_by_role("button", name="Late", exact=True).click()
    page.wait_for_url(re.compile(r"/experience\?.*by=accept"))
