"""From a click on the survey page or the widget to the number on the dashboard."""

from urllib.parse import quote
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.asking import FACES, address, counted, new_survey, pulse, shop
from tests.e2e.conftest import NewPage, RunningStack, Watch
from tests.e2e.looking import enter, table

TO_DATE = "preset=last_7_days_to_date"
"""Today, whenever midnight is."""


def vote(page: Page, label: str, within: Locator | None = None) -> None:
    """One click on a face, and the page has been told that the answer is stored."""
    asked = within or page.locator("body")
    asked.get_by_role("radio", name=label, exact=True).click()
    expect(asked.get_by_role("status")).to_have_attribute("data-state", "sent")


@pytest.fixture
def agent() -> str:
    """An agent whom nobody else rates."""
    return f"agent {uuid4().hex[:8]}, the 2nd"


def test_a_click_on_the_page_and_one_on_a_foreign_site_are_numbers_on_the_dashboard(
    new_page: NewPage, stack: RunningStack, watch: Watch, agent: str
) -> None:
    survey = new_survey(stack, "csat", "1-5", *FACES)

    customer = new_page()
    customer.goto(address(stack, survey, channel="ticket", agent=agent, interaction="T-1"))
    vote(customer, "Great")

    visitor = new_page()
    tag = pulse(stack, "survey", "embed", stack.tenant, survey, "--channel", "chat").strip()
    with shop(tag) as origin:
        watch.origins.add(origin)
        visitor.goto(origin)
        visitor.get_by_role("button", name="Feedback").click()
        vote(visitor, "Bad", visitor.get_by_role("dialog"))

    assert counted(stack, survey, "csat", least=2) == [2, 5]

    supervisor = new_page()
    asked = f"survey={quote(survey)}&{TO_DATE}"
    enter(supervisor, stack, f"/csat?{asked}")
    told = supervisor.locator(".headline").inner_text().replace("\u00a0", " ")
    assert "50.0 %" in told
    assert "of 2 answers" in told
    assert "Average score 3.50, median 3.5" in told
    given = table(supervisor, "How often each score was given")
    assert {row["Score given"]: row["Answers"] for row in given} == {
        "1": "0",
        "2": "1",
        "3": "0",
        "4": "0",
        "5": "1",
    }

    enter(supervisor, stack, f"/source?{asked}")
    channels = table(supervisor, "Customer satisfaction by channel")
    assert {row["Channel"]: (row["Answers"], row["Score"]) for row in channels} == {
        "Ticket": ("1", "100.00"),
        "Chat": ("1", "0.00"),
        "External": ("0", "–"),
        "All": ("2", "50.00"),
    }

    # of one answer an agent's score is not shown: fewer than the tenant's minimum
    enter(supervisor, stack, f"/agents?{asked}&agent={quote(agent.replace(',', '%2C'), safe='%')}")
    [row, _] = table(supervisor, "Customer satisfaction by agent")
    assert (row["Agent"], row["Answers"], row["Score"]) == (agent, "1", "–")
