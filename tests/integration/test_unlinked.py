"""The report experience does not depend on what other tenants have sent."""

import pytest

from pulse.tenants.rules import Rule
from tests.driver import Driver


@pytest.mark.usefixtures("noon")
def test_what_another_tenant_sends_changes_no_reply(driver: Driver) -> None:
    """A day is built as soon as any tenant has interactions that its answers might link to."""
    for tenant in ("alone", "busy"):
        driver.tenant(tenant)
    driver.survey("alone", "s", Rule.make("csat", 1, 5))
    at = "2026-11-20T10:00:00Z"
    sent = [{"survey_id": "s", "score": score, "answered_at": at} for score in (5, 2, 4)]
    assert driver.post("alone", sent).status == 202
    driver.build()
    query = "start_date=2026-11-20&end_date=2026-11-20"
    before = driver.report("alone", "experience", query)
    assert before["meta"]["linked"] == {"responses": 0, "of": 3}
    assert [(row["accept"], row["responses"]) for row in before["rows"]] == [(None, 3)]
    contact = {"interaction_id": "1", "media_type": "voice", "entered_at": at}
    assert driver.post_interactions("busy", [contact]).status == 202
    driver.build()
    after = driver.report("alone", "experience", query)
    alone = driver.tenants.get("alone")
    assert alone and alone.table("experience").published_years == (2026,)
    assert (after["rows"], after["meta"]["linked"]) == (before["rows"], before["meta"]["linked"])
